//! `score`: its document, its counts, and where it reads from.

use std::io::Write;
use std::process::Stdio;

use serde_json::Value;
use stt_eval_scoring::Scorer;
use stt_eval_scoring::normalise::Normaliser;

use super::{Set, code, command, document, keys, text};

#[test]
fn score_has_its_document() {
    let set = Set::new(&[
        ("r.trn", "घर जाओ अब (u1)\nठीक है (u2)\nन (u3)\n".as_bytes()),
        ("a.trn", "घर जाओ अब (u1)\nठीक है (u2)\n".as_bytes()),
        ("b/u1.json", r#"{"text": " घर"}"#.as_bytes()),
        ("b/u2.json", r#"{"text": "ठीक"}"#.as_bytes()),
        ("b/u3.json", r#"{"text": ""}"#.as_bytes()),
    ]);
    let output = set.run(&["score", "r.trn", "a.trn", "b", "--json", "--language", "hi"]);
    assert_eq!(code(&output), 0, "{output:?}");
    let told = document(&output);
    assert_eq!(
        keys(&told),
        [
            "comparisons",
            "error",
            "format",
            "gates",
            "missing",
            "normalizer",
            "ok",
            "references",
            "remarks",
            "schema",
            "scorer",
            "systems"
        ]
    );
    assert_eq!(
        told["format"],
        serde_json::json!({"references": "trn", "hypotheses": "trn"})
    );
    assert_eq!(told["normalizer"], "indic-v1");
    assert_eq!(told["missing"], serde_json::json!(["u3"]));
    let first = &told["systems"][0];
    assert_eq!(
        keys(first),
        [
            "cer",
            "characters",
            "failed",
            "name",
            "samples",
            "wer",
            "wer_interval",
            "words"
        ]
    );
    assert_eq!(
        (&first["name"], first["wer"].as_f64()),
        (&Value::from("a"), Some(1.0 / 6.0))
    );
    assert_eq!(
        first["words"],
        serde_json::json!({"hits": 5, "substitutions": 0, "deletions": 1, "insertions": 0})
    );
    assert_eq!(told["systems"][1]["wer"], 4.0 / 6.0);
    assert_eq!(
        keys(&told["comparisons"][0]),
        [
            "a",
            "b",
            "difference",
            "distinguishable",
            "high",
            "low",
            "p",
            "p_adjusted"
        ]
    );
    let again = set.run(&["score", "r.trn", "a.trn", "b", "--json", "--language", "hi"]);
    assert_eq!(output.stdout, again.stdout);
}

#[test]
fn intervals_can_be_left_out() {
    let set = Set::new(&[
        ("r.txt", b"a b c\nd e f\ng h i\nj k l\n"),
        ("x.txt", b"a b\nd e f\ng h i\nj k l\n"),
        ("y.txt", b"a b\nd e f\ng h\nj k\n"),
    ]);
    let drawn = set.run(&["score", "r.txt", "x.txt", "y.txt", "--json"]);
    let mut drawn = document(&drawn);
    assert!(drawn["systems"][0]["wer_interval"]["low"].is_f64());
    let bare = set.run(&[
        "score",
        "r.txt",
        "x.txt",
        "y.txt",
        "--json",
        "--no-intervals",
    ]);
    // What is not drawn is not there; every other figure and every test is the same.
    for system in drawn["systems"].as_array_mut().unwrap() {
        system["wer_interval"] = Value::Null;
    }
    drawn["comparisons"][0]["low"] = Value::Null;
    drawn["comparisons"][0]["high"] = Value::Null;
    drawn["intervals"] = Value::from(false);
    assert_eq!(document(&bare), drawn);
}

#[test]
fn untouched_texts_are_counted_as_the_scorer_counts_them() {
    let golden = include_str!("../../../../shared/scoring/tests/golden/golden-wer.jsonl");
    let (mut right, mut heard) = (String::new(), String::new());
    let (mut words, mut chars) = ((0, 0), (0, 0));
    let mut scorer = Scorer::new(Normaliser::raw(), "und");
    for line in golden.lines() {
        let pair: Value = serde_json::from_str(line).unwrap();
        let (reference, hypothesis) = (
            pair["reference"].as_str().unwrap(),
            pair["hypothesis"].as_str().unwrap(),
        );
        let id = &pair["id"];
        right += &serde_json::json!({"id": id, "text": reference}).to_string();
        right.push('\n');
        heard += &serde_json::json!({"id": id, "hypothesis": hypothesis}).to_string();
        heard.push('\n');
        scorer
            .set_reference(&stt_eval_scoring::reference::escape(reference))
            .unwrap();
        let score = scorer.score(hypothesis, None).unwrap();
        words = (
            words.0 + score.words().errors(),
            words.1 + score.words().hits,
        );
        chars = (
            chars.0 + score.chars().errors(),
            chars.1 + score.chars().hits,
        );
    }
    let set = Set::new(&[("r.jsonl", right.as_bytes()), ("h.jsonl", heard.as_bytes())]);
    let told = document(&set.run(&[
        "score",
        "r.jsonl",
        "h.jsonl",
        "--normalizer",
        "raw-v1",
        "--json",
    ]));
    let errors = |counts: &Value| {
        let of = |key: &str| counts[key].as_u64().unwrap();
        (
            of("substitutions") + of("deletions") + of("insertions"),
            of("hits"),
        )
    };
    assert_eq!(errors(&told["systems"][0]["words"]), words);
    assert_eq!(errors(&told["systems"][0]["characters"]), chars);
}

#[test]
fn standard_input_is_a_source() {
    let set = Set::new(&[("r.txt", b"a b\n")]);
    let mut child = command(set.folder.path())
        .args(["score", "r.txt", "-", "--json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"a c\n").unwrap();
    let told = document(&child.wait_with_output().unwrap());
    assert_eq!(told["systems"][0]["wer"], 0.5);
    assert_eq!(told["systems"][0]["name"], "stdin");
}

#[test]
fn a_system_whose_service_failed_has_no_rate() {
    let failed = r#"{"id": "t", "status": "error", "audio_url": "x", "error": "Download error"}"#;
    let set = Set::new(&[
        ("r/u1.txt", b"a b"),
        ("x/u1.json", failed.as_bytes()),
        ("y/u1.json", br#"{"text": "a c"}"#),
    ]);
    let told = document(&set.run(&["score", "r", "x", "y", "--json"]));
    let system = &told["systems"][0];
    assert_eq!(
        (&system["wer"], &system["cer"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(
        (&system["samples"], &told["systems"][1]["wer"]),
        (&0.into(), &0.5.into())
    );
    let shown = String::from_utf8(set.run(&["score", "r", "x", "y"]).stdout).unwrap();
    assert!(
        shown.contains("1 result of x: its service failed")
            && shown.contains("x and y can't be compared"),
        "{shown}"
    );
}

/// An interval that ends at nothing has no sign there.
#[test]
fn nothing_is_not_less_than_nothing() {
    let lines = |last: &str| format!("{}{last}\n", "one two three\n".repeat(19));
    let set = Set::new(&[
        ("r.txt", lines("four five").as_bytes()),
        ("a.txt", lines("four five").as_bytes()),
        ("b.txt", lines("four").as_bytes()),
    ]);
    let told = set.run(&["score", "r.txt", "a.txt", "b.txt"]);
    let told = String::from_utf8(told.stdout).unwrap();
    assert!(told.contains("1.7 points (0.0 … "), "{told}");
}

/// Figures, tests of pairs, the gate and the page are those of several systems, whether their
/// columns stand beside the references or in a table of their own.
#[test]
fn a_column_for_each_system_can_be_a_table_of_its_own() {
    let rows = |first: &str, other: &str| {
        let row = |n: usize| {
            let heard = if n.is_multiple_of(3) { other } else { first };
            format!("u{n},{first},{heard},{other}\n")
        };
        (0..120).map(row).collect::<String>()
    };
    let whole = rows(
        "one two three four five six seven eight nine ten",
        "one two",
    );
    let cut = |skipped: usize| {
        let line = |line: &str| {
            let cells: Vec<&str> = line.split(',').collect();
            let kept = cells.iter().enumerate();
            let kept = kept.filter(|(at, _)| *at == 0 || (*at == 1) != (skipped == 1));
            kept.map(|(_, cell)| *cell).collect::<Vec<_>>().join(",") + "\n"
        };
        whole.lines().map(line).collect::<String>()
    };
    let set = Set::new(&[
        ("wide.csv", format!("id,text,a,b\n{whole}").as_bytes()),
        ("refs.csv", format!("id,text\n{}", cut(2)).as_bytes()),
        ("hyps.csv", format!("id,a,b\n{}", cut(1)).as_bytes()),
    ]);
    let gate = ["--fail-if", "wer>0.5 model=b", "--json"];
    let told = |arguments: &[&str]| {
        let output = set.run(&[&["score"], arguments, &gate].concat());
        assert_eq!(code(&output), 100, "{output:?}");
        document(&output)
    };
    let one = told(&["wide.csv", "--hyp", "a,b"]);
    assert_eq!(one["systems"][1]["name"], "b");
    assert_eq!(one["comparisons"][0]["distinguishable"], true);
    assert_eq!(told(&["refs.csv", "hyps.csv", "--hyp", "a,b"]), one);
    // What was taken for something stands in the document as well.
    let mut taken = told(&["refs.csv", "hyps.csv"]);
    let remarks = taken["remarks"].take();
    let remark = "hyps.csv: taken as what systems heard: a, b (--hyp chooses)";
    assert_eq!(remarks, serde_json::json!([remark]));
    taken["remarks"] = serde_json::json!([]);
    assert_eq!(taken, one);
    // Against itself nothing got worse, and each system finds its own column.
    let gate = [
        "--baseline",
        "hyps.csv",
        "--fail-if",
        "regression.high>0.01",
    ];
    let output = set.run(&[&["score", "refs.csv", "hyps.csv", "--json"], &gate[..]].concat());
    assert_eq!(code(&output), 0, "{output:?}");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(
        told.contains("--baseline hyps.csv is what is judged itself"),
        "{told}"
    );
    let page = |arguments: &[&str]| {
        let page = [&["score"], arguments, &["--hyp", "a,b", "--html", "-"]].concat();
        String::from_utf8(set.run(&page).stdout).unwrap()
    };
    let whole = page(&["wide.csv"]);
    assert_eq!(
        page(&["refs.csv", "hyps.csv"]).replace("refs.csv", "wide.csv"),
        whole
    );
    assert!(whole.contains("<bdi class=\"model\">a</bdi>"));
}

/// What is wrong with one text names its line or id, and helps with what is wrong.
#[test]
fn a_text_that_can_not_be_scored_is_named() {
    let set = Set::new(&[
        ("open.txt", b"a b\n{a|b c\n"),
        ("open.csv", b"id,text\nu1,a b\nu2,{a|b c\n"),
        ("h.txt", b"a b\nb c\n"),
        (
            "long.txt",
            format!("a b\n{}\n", "a ".repeat(8_400_000)).as_bytes(),
        ),
        ("binary.txt", b"\x89PNG\r\n\x1a\n\xff\xfe\xfd"),
    ]);
    for (arguments, wanted) in [
        (
            &["open.txt", "h.txt", "--markup", "braces"][..],
            "error: open.txt line 2: reference markup at character 1: '{' is never closed; write \
             '\\{' for a literal brace\nhint: --markup none takes braces as they stand\n",
        ),
        (
            &["open.csv", "h.txt", "--markup", "braces"],
            "note: open.csv has ids (u1 …), and h.txt has none: they are paired line by line, in the \
             order that they have\nerror: open.csv line 3 (u2): reference markup at character 1: '{' is never closed; write '\\{' \
             for a literal brace\nhint: --markup none takes braces as they stand\n",
        ),
        (
            &["long.txt", "h.txt"],
            "error: long.txt line 2: text of 16799999 bytes is longer than the 16777216 bytes that can be \
             scored\n",
        ),
        (
            &["binary.txt", "h.txt"],
            "error: binary.txt: not UTF-8 at byte 0 (line 1)\nhint: if it is a text, save it as \
             UTF-8; a recording or an archive is none\n",
        ),
    ] {
        let told = set.run(&[&["score"], arguments].concat());
        assert_eq!((code(&told), text(&told.stderr)), (3, wanted));
    }
    let told = set.run(&["score", "h.txt"]);
    let wanted = "error: h.txt has references alone, and nothing that was heard\nhint: name a file \
                  or folder of hypotheses behind it\n";
    assert_eq!((code(&told), text(&told.stderr)), (2, wanted));
    let mut login = command(set.folder.path());
    let told = login.env("HOME", set.folder.path()).arg("login").output();
    let told = told.unwrap();
    assert!(
        text(&told.stderr).starts_with("error: which deployment?\nhint: stt-eval login URL"),
        "{told:?}"
    );
}

#[test]
fn standard_input_is_one_source() {
    let set = Set::new(&[]);
    let output = set.run(&["score", "-", "-", "--json"]);
    assert_eq!(code(&output), 2);
    let told = document(&output);
    assert_eq!(
        told["error"]["message"],
        "- is named twice: standard input can be one source"
    );
}

#[test]
fn of_two_files_with_one_name_the_second_has_its_path() {
    let set = Set::new(&[
        ("r.txt", b"a b\n"),
        ("a.txt", b"a b\n"),
        ("o/a.txt", b"a c\n"),
    ]);
    let output = set.run(&["score", "r.txt", "a.txt", "o/a.txt", "--json"]);
    let told = document(&output);
    assert_eq!(told["systems"][0]["name"], "a");
    assert_eq!(told["systems"][1]["name"], "a (o/a.txt)");
}

#[test]
fn markup_that_means_nothing_is_told_with_its_file_and_line() {
    let set = Set::new(&[
        ("r.csv", b"id,text\n1,x\n2,y\n3,a{\n"),
        ("h.csv", b"id,hypothesis\n1,x\n2,y\n3,a\n"),
        ("r.txt", b"x\na{\n"),
        ("h.txt", b"x\na\n"),
    ]);
    for (right, heard, place) in [
        ("r.csv", "h.csv", "r.csv line 4"),
        ("r.txt", "h.txt", "r.txt line 2"),
    ] {
        let output = set.run(&["score", right, heard, "--markup", "asr_eval", "--json"]);
        assert_eq!(code(&output), 3);
        let told = document(&output);
        let message = told["error"]["message"].as_str().unwrap();
        assert!(message.starts_with(place), "{message}");
    }
}

#[test]
fn an_option_that_chooses_nothing_is_told() {
    let table = "id,reference,language\nu1,\u{918}\u{930},hi\nu2,\u{918}\u{930},hi\n";
    let set = Set::new(&[
        ("r.csv", table.as_bytes()),
        ("r.txt", "\u{918}\u{930}\nx\n".as_bytes()),
        ("h.csv", b"id,hypothesis\nu1,x\nu2,y\n"),
        ("h.txt", b"a\nb\n"),
        ("set/a.wav", &super::wav()),
        ("set/a.txt", b"one two"),
    ]);
    for (arguments, exit, wanted) in [
        (
            &["score", "r.csv", "h.csv", "--language", "ta"][..],
            0,
            "note: --language ta chooses nothing: every sample names its own\n",
        ),
        // A name is as good as its tag.
        (
            &["score", "r.csv", "h.csv", "--language", "Tamil"],
            0,
            "note: --language ta chooses nothing: every sample names its own\n",
        ),
        (
            &["score", "r.txt", "h.txt", "--language", "tlh"],
            0,
            "note: --language tlh is none of those that are known here: texts are normalised by \
             what holds for all\n",
        ),
        (
            &["normalise", "x", "--language", "tlh"],
            0,
            "note: --language tlh is none of those that are known here: texts are normalised by \
             what holds for all\n",
        ),
        (
            &["score", "r.txt", "h.txt", "--markup", "braces"],
            0,
            "note: --markup chooses nothing: no reference has braces or <*>\n",
        ),
        (
            &["score", "r.txt", "h.txt", "--channel", "1"],
            0,
            "note: --channel 1 chooses nothing: no result has several channels\n",
        ),
        (
            &["score", "r.txt", "h.txt", "--text-column", "foo"],
            2,
            "error: no column \"foo\" is in r.txt, which is read as plain lines\n",
        ),
        (
            &["score", "r.txt", "h.txt", "--hyp", "foo"],
            2,
            "error: no column \"foo\" is in h.txt\n",
        ),
        (
            &["check", "set", "--text-column", "foo"],
            2,
            "error: a.txt: has no columns, and so no \"foo\": it is read as audio with text files \
             beside it\n",
        ),
        (
            &[
                "run",
                "set",
                "--dry-run",
                "--limit",
                "1",
                "--fail-if",
                "wer>0.1",
            ],
            0,
            "note: --dry-run judges the source, all of it, and does not look at --limit, --fail-if\n",
        ),
        (
            &[
                "run",
                "set",
                "--dry-run",
                "--sample-seed",
                "1",
                "--keyword",
                "x",
                "--lossless-flac",
                "--timeout",
                "1h",
            ],
            0,
            "does not look at --sample-seed, --keyword, --lossless-flac, --timeout\n",
        ),
        (
            &["normalise", "x", "--language", "hi"],
            0,
            "note: --language hi changes nothing: indic-v1 does the same in all languages\n",
        ),
    ] {
        let told = set.run(arguments);
        let words = text(&told.stderr);
        assert!(
            code(&told) == exit && words.contains(wanted),
            "{arguments:?}: {words}"
        );
    }
    let lossy = [
        "normalise",
        "x",
        "--language",
        "hi",
        "--normalizer",
        "indic-v1+numbers",
    ];
    let told = set.run(&lossy);
    assert_eq!((code(&told), text(&told.stderr)), (0, ""));
    let told = set.run(&["score", "r.txt", "h.txt", "--language", "hi"]);
    assert_eq!(text(&told.stderr), "");
    // Of a source it stands with what else had to be found out.
    let told = set.run(&["check", "set", "--split", "test", "--no-probe"]);
    let note =
        "  note    --split test chooses nothing: nothing tells of which split its rows are\n";
    assert!(text(&told.stdout).contains(note), "{}", text(&told.stdout));
}

/// A script that prints `{name},"{text}"` doubles no quotes.
#[test]
fn quotes_that_are_not_doubled_are_kept_and_told() {
    let table = concat!(
        "file_name,text,model_a\n",
        "a.wav,\"he said \"yes\" to me\",\"he said \"yes\" to me\"\n",
        "b.wav,\"yes\" he said,\"yes\" he said\n",
        "c.wav,so \"it\" is,so \"it\" is\n",
    );
    let set = Set::new(&[("t.csv", table.as_bytes())]);
    let told = set.run(&[
        "score",
        "t.csv",
        "--hyp",
        "model_a",
        "--normalizer",
        "raw-v1",
        "--json",
    ]);
    assert_eq!(code(&told), 0, "{}", text(&told.stderr));
    assert!(
        text(&told.stderr).contains("a quote inside a text is not doubled"),
        "{}",
        text(&told.stderr)
    );
    assert_eq!(document(&told)["systems"][0]["wer"], 0.0);
}

#[test]
fn a_table_writes_numbers_as_the_line_above_it() {
    let many: String = (0..1_200).map(|at| format!("{at} a b\n")).collect();
    let set = Set::new(&[("many.txt", many.as_bytes())]);
    let told = set.run(&["score", "many.txt", "many.txt", "--format", "lines"]);
    let words = text(&told.stdout);
    assert!(words.starts_with("1,200 references"), "{words}");
    assert!(
        words.lines().nth(2).unwrap().ends_with("  1,200"),
        "{words}"
    );
}
