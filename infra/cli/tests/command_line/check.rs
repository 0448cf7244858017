//! `check`: what it tells, its codes, and what it never reads.

use serde_json::Value;

use super::{Set, code, document, keys, text, wav};

#[test]
fn check_tells_everything_and_changes_nothing() {
    let wav = wav();
    let set = Set::new(&[
        ("set/metadata.csv", "file_name,transcription,language,speaker\nwavs/a.wav,\"{हाँ}, ठीक\",hindi,s1\n/home/x/wavs/b.wav,,hi,s2\nwavs/c.wav,x y,hi,s2\nwavs/d.wav,x y,hi,s2\n".as_bytes()),
        ("set/wavs/a.wav", &wav),
        ("set/wavs/b.wav", &wav),
        ("set/wavs/d.wav", b"RIFF and nothing more"),
    ]);
    let output = set.run(&["check", "./set", "--json"]);
    assert_eq!(code(&output), 3);
    let told = document(&output);
    assert_eq!(
        keys(&told),
        [
            "columns", "encoding", "error", "files", "findings", "format", "ok", "remarks",
            "samples", "schema", "source", "split", "summary"
        ]
    );
    assert_eq!(
        (&told["format"], &told["source"]),
        (&Value::from("audiofolder"), &Value::from("./set"))
    );
    assert_eq!(told["columns"]["audio"], "file_name");
    assert_eq!(told["columns"]["text"], "transcription");
    assert_eq!(told["error"]["code"], "findings");
    assert_eq!(told["summary"]["utterances"], 4);
    assert_eq!(told["summary"]["usable"], 2);
    assert_eq!(told["summary"]["with_text"], 3);
    assert_eq!(told["summary"]["audio_seconds"], 2.0);
    assert_eq!(told["summary"]["languages"]["hi"], 4);
    let first = &told["samples"][0];
    assert_eq!(
        keys(first),
        [
            "audio",
            "audio_as_written",
            "end",
            "file",
            "ground_truth",
            "id",
            "language",
            "line",
            "metadata",
            "seconds",
            "speaker",
            "start",
            "text",
            "usable"
        ]
    );
    assert_eq!(first["ground_truth"], "\\{हाँ\\}, ठीक");
    assert_eq!(told["samples"][1]["audio"], "wavs/b.wav");
    assert_eq!(told["samples"][1]["text"], Value::Null);
    let kinds: Vec<(&str, &str, u64)> = told["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|found| {
            assert_eq!(
                keys(found),
                ["file", "id", "kind", "line", "message", "severity"]
            );
            (
                found["kind"].as_str().unwrap(),
                found["severity"].as_str().unwrap(),
                found["line"].as_u64().unwrap(),
            )
        })
        .collect();
    for wanted in [
        ("empty_text", "warning", 3),
        ("missing_audio", "error", 4),
        ("refused_audio", "error", 5),
    ] {
        assert!(kinds.contains(&wanted), "{wanted:?} {kinds:?}");
    }
    let text = set.run(&["check", "set"]);
    let shown = String::from_utf8(text.stdout).unwrap();
    assert!(shown.contains("Hugging Face audiofolder  set"), "{shown}");
    let columns = "\n  columns file_name (recordings), transcription (texts)\n";
    assert!(shown.contains(columns), "{shown}");
    assert!(shown.contains("2 of 4 can be used"), "{shown}");
}

#[test]
fn a_column_that_nobody_calls_a_text_is_told_where_it_is_taken() {
    let wav = wav();
    let set = Set::new(&[
        ("m.csv", b"file_name,col_b\na.wav,one two\n"),
        ("a.wav", &wav),
    ]);
    let told = document(&set.run(&["check", ".", "--json"]));
    let remark = "m.csv: \"col_b\" is taken as the text, for it alone has words and a name that says \
                  nothing else (--text-column)";
    assert_eq!(told["remarks"], serde_json::json!([remark]));
    assert_eq!(told["columns"]["text"], "col_b");
    for arguments in [
        &["check", "."][..],
        &["run", ".", "--language", "en", "--dry-run"],
    ] {
        let shown = set.run(arguments);
        let shown = text(&shown.stdout);
        assert!(shown.contains(&format!("  note    {remark}\n")), "{shown}");
        let columns = "\n  columns file_name (recordings), col_b (texts)\n";
        assert!(shown.contains(columns), "{shown}");
    }
}

#[test]
fn recordings_alone_are_named_once_and_by_no_manifest() {
    let wav = wav();
    let set = Set::new(&[
        ("set/a.wav", &wav),
        ("set/b.wav", b"RIFF and nothing more"),
        ("sides/a.wav", &wav),
        ("sides/a.txt", b"one"),
    ]);
    let shown = set.run(&["check", "set"]);
    assert_eq!(code(&shown), 3);
    let shown = text(&shown.stdout);
    assert!(shown.contains("\n      b.wav  "), "{shown}");
    for twice in ["b.wav line", "b.wav  b", "b.wav: "] {
        assert!(!shown.contains(twice), "{shown}");
    }
    assert!(!shown.contains("relative to the manifest"), "{shown}");
    let beside = set.run(&["check", "sides"]);
    let beside = text(&beside.stdout);
    assert!(!beside.contains("relative to the manifest"), "{beside}");
}

#[test]
fn what_is_outside_and_named_is_taken_and_nothing_that_is_only_called_so() {
    let wav = wav();
    let set = Set::new(&[
        (
            "set/metadata.csv",
            b"file_name,text\n../other/clips/a.wav,x\n",
        ),
        ("set/clips/a.wav", &wav),
        ("other/clips/a.wav", &wav),
    ]);
    let audio = |arguments: &[&str]| {
        let told = set.run(&[&["check", "set", "--json"], arguments].concat());
        assert_eq!(code(&told), 0, "{told:?}");
        document(&told)["samples"][0]["audio"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert!(audio(&["--allow-outside"]).ends_with("other/clips/a.wav"));
    assert_eq!(audio(&[]), "clips/a.wav");
}

#[test]
fn remarks_alone_end_with_0() {
    let wav = wav();
    let set = Set::new(&[("m.csv", b"file,text,label\na.wav,,x\n"), ("a.wav", &wav)]);
    let output = set.run(&["check", ".", "--json"]);
    assert_eq!(code(&output), 0, "{output:?}");
    let told = document(&output);
    assert_eq!(told["error"], Value::Null);
    assert!(!told["findings"].as_array().unwrap().is_empty());
}

#[test]
fn wrong_usage_and_bad_input_have_their_codes() {
    let set = Set::new(&[
        ("empty/readme.md", b""),
        ("latin.csv", b"file,text\na.wav,caf\xe9\n"),
        (
            "three/m.csv",
            b"file,col_b,col_c,notes\na.wav,a b,c d,e f\n",
        ),
        ("three/a.wav", b""),
        ("r.txt", "घर\nजा\n".as_bytes()),
        ("h.txt", "घर\n".as_bytes()),
        ("bin", b"\x7fELF\0\0"),
    ]);
    for (arguments, wanted, name) in [
        (vec!["check", "nowhere"], 2, "unreadable"),
        (vec!["check"], 2, "usage"),
        (
            vec!["score", "r.txt", "h.txt", "--fail-if", "wer"],
            2,
            "usage",
        ),
        (
            vec!["score", "r.txt", "h.txt", "--normalizer", "x"],
            2,
            "usage",
        ),
        (vec!["export", "latest", "--format", "ctm"], 2, "usage"),
        (vec!["check", "empty"], 5, "nothing"),
        (vec!["check", "latin.csv"], 3, "undecodable"),
        (vec!["check", "three"], 2, "choose_column"),
        (vec!["check", "bin"], 3, "undecodable"),
        (vec!["score", "r.txt", "h.txt"], 3, "mismatch"),
        (vec!["score", "r.txt"], 2, "choose_column"),
    ] {
        let with_json: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
        let output = set.run(&with_json);
        assert_eq!(code(&output), wanted, "{arguments:?}");
        let told = document(&output);
        assert_eq!(told["error"]["code"], name, "{arguments:?}");
        assert_eq!(keys(&told["error"]), ["code", "hint", "message", "rows"]);
        let output = set.run(&arguments);
        assert_eq!(code(&output), wanted);
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
    for asked in [
        vec!["export", "latest", "--format", "ctm"],
        vec!["run", ".", "--export", "ctm"],
    ] {
        let told = String::from_utf8(set.run(&asked).stderr).unwrap();
        assert!(told.contains("times of words are not kept"), "{told}");
    }
    let told = set.run(&["check", "latin.csv"]);
    let told = String::from_utf8(told.stderr).unwrap();
    assert!(
        told.contains("error: latin.csv: not UTF-8 at byte 19 (line 2); looks like Windows-1252"),
        "{told}"
    );
}

#[cfg(unix)]
#[test]
fn links_do_not_lead_out_of_the_folder_nor_around_in_it() {
    let wav = wav();
    let set = Set::new(&[
        ("set/m.csv", b"file,text\na.wav,x\nout/b.wav,y\n"),
        ("elsewhere/b.wav", &wav),
        ("set/real.wav", &wav),
    ]);
    std::os::unix::fs::symlink(set.path("set"), set.path("set/again")).unwrap();
    std::os::unix::fs::symlink(set.path("elsewhere"), set.path("set/out")).unwrap();
    std::os::unix::fs::symlink(set.path("set/real.wav"), set.path("set/a.wav")).unwrap();
    let told = document(&set.run(&["check", "set", "--json"]));
    assert_eq!(told["summary"]["usable"], 1, "{told}");
    let told = document(&set.run(&["check", "set", "--json", "--allow-outside"]));
    assert_eq!(told["summary"]["usable"], 2, "{told}");
}

#[test]
fn lengths_are_judged_by_the_recordings() {
    let wav = wav();
    let set = Set::new(&[
        ("seg/wav.scp", b"call call.wav\n"),
        ("seg/text", b"u1 x\nu2 y\n"),
        ("seg/segments", b"u1 call 0 0.5\nu2 call 0.5 6\n"),
        ("seg/call.wav", &wav),
    ]);
    let output = set.run(&["check", "seg", "--json"]);
    assert_eq!(code(&output), 0, "{output:?}");
    let told = document(&output);
    assert_eq!(told["samples"][1]["seconds"], 0.5);
    let findings = told["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!(findings[0]["kind"], "odd_duration");
    assert_eq!(
        findings[0]["message"],
        "ends at 6 s, its recording at 1.000 s: the text may be of more than is there"
    );
}

#[test]
fn rows_whose_text_is_not_there_are_utterances() {
    let wav = wav();
    let set = Set::new(&[
        ("set/manifest.json", b"{\"audio_filepath\": \"a.wav\", \"duration\": 1, \"text_filepath\": \"no.txt\"}\n{\"audio_filepath\": \"b.wav\", \"duration\": 1, \"text\": \"y\"}\n"),
        ("set/a.wav", &wav),
        ("set/b.wav", &wav),
    ]);
    let output = set.run(&["check", "set"]);
    assert_eq!(code(&output), 3);
    let shown = super::text(&output.stdout);
    assert!(shown.contains("1 of 2 can be used\n"), "{shown}");
}

#[cfg(unix)]
#[test]
fn a_recording_that_is_a_link_out_of_the_folder_is_not_opened() {
    let wav = wav();
    let set = Set::new(&[
        ("elsewhere/y.wav", &wav),
        ("elsewhere/p", b"root:x:0:0:root:/root:/bin/sh\n"),
        ("set/real.wav", &wav),
    ]);
    for (from, to) in [
        ("elsewhere/y.wav", "set/z.wav"),
        ("elsewhere/p", "set/p.wav"),
        ("set/real.wav", "set/again.wav"),
    ] {
        std::os::unix::fs::symlink(set.path(from), set.path(to)).unwrap();
    }
    for more in [&[][..], &["--no-probe"]] {
        let all = [&["check", "set", "--json"][..], more].concat();
        let told = set.run(&all);
        assert_eq!(code(&told), 3);
        let told = document(&told);
        let findings = told["findings"].as_array().unwrap();
        let refused = |name: &str| {
            let is_it = |one: &&Value| one["id"] == name && one["severity"] == "error";
            let one = findings.iter().find(is_it);
            one.map(|one| (one["kind"].clone(), one["message"].clone()))
        };
        for name in ["z", "p"] {
            let message = format!("{name}.wav is a link out of the folder (--allow-outside)");
            let wanted = Some(("outside_folder".into(), message.into()));
            assert_eq!(refused(name), wanted, "{told}");
        }
        for sample in told["samples"].as_array().unwrap() {
            let leads_out = sample["id"] == "z" || sample["id"] == "p";
            assert_eq!(sample["usable"] == false, leads_out, "{told}");
            assert!(!leads_out || sample["seconds"].is_null(), "{told}");
        }
    }
    let told = document(&set.run(&["check", "set", "--json", "--allow-outside"]));
    assert_eq!(told["summary"]["usable"], 3, "{told}");
}

#[test]
fn a_folder_that_is_named_can_name_the_language() {
    let set = Set::new(&[
        ("lay/hindi/a.wav", &wav()),
        (
            "lay/hindi/metadata.csv",
            b"file_name,transcription\na.wav,one\n",
        ),
    ]);
    for source in ["lay", "lay/hindi", "lay/hindi/metadata.csv"] {
        let told = document(&set.run(&["check", source, "--json"]));
        assert_eq!(told["summary"]["languages"]["hi"], 1, "{source}: {told}");
    }
}

#[test]
fn columns_of_transcripts_that_can_be_none_are_told() {
    let wav = wav();
    let lines = "{\"file_name\":\"a.wav\",\"text\":\"one two\",\"Whisper\":\"one too\",\"pred b\":\"a b\",\
                 \"batch\":7}\n";
    let set = Set::new(&[
        ("set/metadata.jsonl", lines.as_bytes()),
        ("set/a.wav", &wav),
    ]);
    let both = set.run(&["check", "set", "--hyp", "text"]);
    let words = text(&both.stderr);
    assert_eq!(code(&both), 2, "{words}");
    let told = "metadata.jsonl: the column \"text\" has the reference by its name, and is asked for \
                as what a system heard\nhint: --text-column says what the reference is, if it is \
                another one\n";
    assert!(words.ends_with(told), "{words}");
    let other = ["check", "set", "--hyp", "text", "--text-column", "Whisper"];
    assert_eq!(code(&set.run(&other)), 0);
    let numbers = set.run(&["check", "set", "--hyp", "batch,Whisper"]);
    let words = text(&numbers.stdout);
    assert_eq!(code(&numbers), 0, "{words}");
    let told =
        "  note    metadata.jsonl: taken as what was heard, and nothing but numbers: batch\n";
    assert!(words.contains(told), "{words}");
    let score = ["score", "set/metadata.jsonl", "--hyp", "batch"];
    let words = set.run(&score);
    let told = "nothing but numbers: batch\n";
    assert!(text(&words.stderr).contains(told), "{words:?}");
}
