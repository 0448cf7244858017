//! What is noticed on the way to a score stands where scripts look, and what is left over or in
//! doubt is told.

use serde_json::{Value, json};

use super::{Set, code, document, text, wav};

fn score(set: &Set, arguments: &[&str]) -> (i32, Value, String) {
    let told = set.run(&[&["score", "--json"], arguments].concat());
    (code(&told), document(&told), text(&told.stderr).to_owned())
}

fn systems(told: &Value) -> Vec<&str> {
    let all = told["systems"].as_array().unwrap().iter();
    all.map(|one| one["name"].as_str().unwrap()).collect()
}

/// Notes on standard error, without the word.
fn notes(words: &str) -> Vec<&str> {
    words
        .lines()
        .filter_map(|line| line.strip_prefix("note: "))
        .collect()
}

#[test]
fn every_note_stands_in_the_document_of_a_score_and_of_a_check() {
    let set = Set::new(&[
        ("r.csv", b"id,reference,language\nu1,a b,en\nu2,c,en\n"),
        ("h.csv", b"id,a,b\nu1,a b,a\nu2,,c\n"),
        ("set/a.wav", &wav()),
        ("set/a.txt", b"one"),
        ("set/speakers.txt", b"a f\nb m\n"),
    ]);
    let asked = ["r.csv", "h.csv", "--language", "en", "--baseline", "h.csv"];
    let (_, told, words) = score(&set, &asked);
    assert_eq!(told["remarks"], json!(notes(&words)));
    assert!(notes(&words).len() > 2, "{words}");
    // What nobody is told in words is told there all the same.
    let quiet = [&asked[..], &["--quiet"]].concat();
    let (_, quiet, words) = score(&set, &quiet);
    assert_eq!((&quiet["remarks"], words.as_str()), (&told["remarks"], ""));
    let checked = set.run(&["check", "set", "--language", "en", "--json"]);
    let told = document(&checked);
    assert_eq!(told["remarks"], json!(notes(text(&checked.stderr))));
    assert_eq!(told["remarks"].as_array().unwrap().len(), 1, "{told}");
}

#[test]
fn results_that_lie_directly_in_a_folder_are_a_system_called_as_the_folder() {
    let set = Set::new(&[
        ("refs/a.txt", b"hello world"),
        ("refs/b.txt", b"hello there"),
        ("hyps/a.txt", b"hello world"),
        ("hyps/b.txt", b"hello there"),
        ("hyps/old/a.txt", b"hello word"),
        ("hyps/old/b.txt", b"hello the"),
        ("same/a.txt", b"hello world"),
        ("same/b.txt", b"hello there"),
        ("same/same/a.txt", b"hello word"),
        ("same/same/b.txt", b"hello the"),
        ("part/a.txt", b"hello world"),
        ("part/b.txt", b"hello there"),
        ("part/old/a.txt", b"hello word"),
    ]);
    for folder in ["hyps", "hyps/", "./hyps"] {
        let (exit, told, _) = score(&set, &["refs", folder]);
        assert_eq!((exit, systems(&told)), (0, vec!["hyps", "old"]), "{folder}");
        assert_eq!(told["systems"][0]["wer"], 0.0);
        assert_eq!(
            told["remarks"],
            json!([
                "hyps has the same files in itself (called hyps), old: each folder is scored as a system"
            ])
        );
    }
    let (exit, told, _) = score(&set, &["refs", "same"]);
    assert_eq!(
        (exit, &told["error"]["message"], &told["error"]["hint"]),
        (
            2,
            &json!(
                "same has results of its own and those of a folder same in it: both would be called same"
            ),
            &json!("rename same/same, or move what lies directly in same"),
        )
    );
    // Where they have not all the same, the folder itself can't be named once more.
    let (exit, told, _) = score(&set, &["refs", "part"]);
    assert_eq!(
        (exit, &told["error"]["hint"]),
        (
            2,
            &json!("put the files that lie directly in part into a folder of their own")
        )
    );
}

#[test]
fn a_text_without_a_recording_is_missing_audio() {
    let set = Set::new(&[
        ("set/a.wav", &wav()),
        ("set/a.txt", b"hello a"),
        ("set/c.txt", b"hello c"),
    ]);
    let checked = set.run(&["check", "set", "--language", "en", "--json"]);
    let told = document(&checked);
    assert_eq!(code(&checked), 3);
    assert_eq!(
        told["findings"],
        json!([{"kind": "missing_audio", "severity": "error", "file": "c.txt", "line": 1, "id": "c",
                "message": "no recording is called so"}])
    );
    assert_eq!(
        (&told["summary"]["utterances"], &told["summary"]["usable"]),
        (&json!(2), &json!(1))
    );
    let words = set.run(&["check", "set", "--language", "en"]);
    let words = text(&words.stdout);
    assert!(
        words.contains("c.txt line 1  c  no recording is called so"),
        "{words}"
    );
    assert!(words.ends_with("1 of 2 can be used\n"), "{words}");
}

#[test]
fn a_row_of_totals_is_no_sample() {
    let set = Set::new(&[
        ("u1.wav", &wav()),
        (
            "t.csv",
            b"file_name,text,wer\nu1.wav,hello,0.1\nTotal,,0.1\n",
        ),
        (
            "gap.csv",
            b"id,reference,hyp\nu1,a b,a b\nu2,c,c\n\nTotal,,\n",
        ),
        (
            "rate.csv",
            b"id,reference,hyp,wer\nu1,a b,a,0.5\nu2,c,c,0\nTotal,,,0.33\n",
        ),
        (
            "heard.csv",
            b"id,reference,hyp\nu1,a b,a\nu2,c,c\nTotal,,0.33\n",
        ),
        (
            "digits.csv",
            b"id,reference,hyp\nu1,1,1\nu2,2,3\nsilence,,7\n",
        ),
        (
            "plain.csv",
            b"id,reference,hyp\nu1,a b,a\nu2,c,c\nTotal,,\n",
        ),
    ]);
    let checked = set.run(&["check", "t.csv", "--language", "en", "--json"]);
    let told = document(&checked);
    assert_eq!(
        (code(&checked), &told["summary"]["utterances"]),
        (3, &json!(1))
    );
    assert_eq!(
        told["findings"],
        json!([{"kind": "bad_row", "severity": "error", "file": "t.csv", "line": 3, "id": null,
                "message": "the last row has neither a recording (“Total” is none) nor a text"}])
    );
    for (file, line) in [("gap.csv", 5), ("rate.csv", 4), ("heard.csv", 4)] {
        let (exit, told, _) = score(&set, &[file]);
        assert_eq!(
            (exit, &told["systems"][0]["samples"]),
            (0, &json!(2)),
            "{file}"
        );
        let remark = format!(
            "{file} line {line}: the last row has neither a recording (“Total” is none) nor a text: it \
             seems to sum up the others, and is left out"
        );
        assert_eq!(told["remarks"], json!([remark]));
    }
    // What may be a sample stays one, and is told as before.
    for file in ["digits.csv", "plain.csv"] {
        let (_, told, _) = score(&set, &[file]);
        assert_eq!(told["systems"][0]["samples"], 3, "{file}");
        let remark = told["remarks"][0].as_str().unwrap();
        assert!(
            remark.contains("1 reference is not known (line 4"),
            "{remark}"
        );
    }
}

#[test]
fn a_corpus_of_languages_whose_recordings_are_called_alike_is_one_set() {
    let line = |path: &str, text: &str| {
        format!("{{\"audio_filepath\": \"{path}\", \"duration\": 1.0, \"text\": \"{text}\"}}\n")
    };
    let hindi = line("/nlsasfs/vistaar/hindi/audio/1.wav", "नमस्ते");
    let tamil = line("audio/1.wav", "வணக்கம்");
    let mut other = wav();
    other[60] = 7;
    let set = Set::new(&[
        ("set/hindi/audio/1.wav", &wav()),
        ("set/hindi/manifest.json", hindi.as_bytes()),
        ("set/tamil/audio/1.wav", &other),
        ("set/tamil/manifest.json", tamil.as_bytes()),
    ]);
    let checked = set.run(&["check", "set", "--json"]);
    let told = document(&checked);
    assert_eq!(code(&checked), 0, "{told}");
    let samples = told["samples"].as_array().unwrap().iter();
    let read: Vec<[&str; 3]> = samples
        .map(|one| ["audio", "text", "language"].map(|field| one[field].as_str().unwrap()))
        .collect();
    assert_eq!(
        read,
        [
            ["hindi/audio/1.wav", "नमस्ते", "hi"],
            ["tamil/audio/1.wav", "வணக்கம்", "ta"],
        ]
    );
    let remark = "hindi/manifest.json and 1 list of other languages or folders are read together";
    assert_eq!(told["remarks"], json!([remark]));
}

#[test]
fn batches_of_services_and_rows_of_fairseq_are_scored() {
    let set = Set::new(&[
        ("r.csv", b"id,reference\na,hello world\nb,how are you\n"),
        (
            "gemini.jsonl",
            br#"{"key": "b", "response": {"candidates": [{"content": {"parts": [{"text": "how are"}]}}]}}
{"key": "a", "response": {"candidates": [{"content": {"parts": [{"text": "hello world"}]}}]}}
"#,
        ),
        (
            "groq.jsonl",
            br#"{"custom_id": "a", "response": {"status_code": 200, "body": {"text": "hello word"}}, "error": null}
{"custom_id": "b", "response": null, "error": {"message": "no audio"}}
"#,
        ),
        ("test.wrd", b"one two\nthree\nfour\n"),
        ("hypo.word-best.pt-test.txt", b"four (None-2)\none (None-0)\n (None-1)\n"),
    ]);
    let (exit, told, _) = score(&set, &["r.csv", "gemini.jsonl", "groq.jsonl"]);
    assert_eq!(
        (exit, systems(&told)),
        (0, vec!["gemini", "groq"]),
        "{told}"
    );
    assert_eq!(told["format"]["hypotheses"], "service");
    let figures = |at: usize| (&told["systems"][at]["wer"], &told["systems"][at]["failed"]);
    assert_eq!(figures(0), (&json!(0.2), &json!(0)));
    assert_eq!(figures(1), (&json!(0.5), &json!(1)));
    let (exit, told, _) = score(&set, &["test.wrd", "hypo.word-best.pt-test.txt"]);
    assert_eq!(
        (exit, &told["systems"][0]["words"]["hits"]),
        (0, &json!(2)),
        "{told}"
    );
    let remark = "ids of hypo.word-best.pt-test.txt are the numbers of rows of test.wrd, from 0 on: they \
                  are paired by them";
    assert_eq!(told["remarks"], json!([remark]));
}
