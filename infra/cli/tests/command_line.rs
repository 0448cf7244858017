//! The command as people and scripts meet it: exit codes, documents, what goes where.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that can't go on has failed; the exception for tests does not cover helpers"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use stt_eval_scoring::Scorer;
use stt_eval_scoring::normalise::Normaliser;

struct Set {
    folder: tempfile::TempDir,
}

impl Set {
    fn new(files: &[(&str, &[u8])]) -> Self {
        let set = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        for (name, bytes) in files {
            let path = set.path(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
        set
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        command(self.folder.path())
            .args(arguments)
            .output()
            .unwrap()
    }
}

fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stt-eval"));
    command
        .current_dir(folder)
        .env_clear()
        .env("LANG", "en_US.UTF-8");
    command
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

/// The one document on standard output.
fn document(output: &Output) -> Value {
    let text = std::str::from_utf8(&output.stdout).unwrap();
    assert_eq!(text.matches('\n').count(), 1, "{text}");
    let value: Value = serde_json::from_str(text).unwrap();
    assert_eq!(value["schema"], 1);
    assert_eq!(value["ok"], code(output) == 0, "{text}");
    value
}

fn keys(value: &Value) -> Vec<&str> {
    value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

/// One second of silence: 8 kHz, 16 bits.
fn wav() -> Vec<u8> {
    let data = vec![0_u8; 16_000];
    let mut out = b"RIFF".to_vec();
    out.extend((36 + data.len() as u32).to_le_bytes());
    out.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    out.extend(8_000_u32.to_le_bytes());
    out.extend(16_000_u32.to_le_bytes());
    out.extend(b"\x02\0\x10\0data");
    out.extend((data.len() as u32).to_le_bytes());
    out.extend(data);
    out
}

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
            "columns", "encoding", "error", "files", "findings", "format", "ok", "samples",
            "schema", "source", "split", "summary"
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
    assert!(shown.contains("2 of 4 can be used"), "{shown}");
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
    let told = set.run(&["check", "latin.csv"]);
    let told = String::from_utf8(told.stderr).unwrap();
    assert!(
        told.contains("error: latin.csv: not UTF-8 at byte 19 (line 2); looks like Windows-1252"),
        "{told}"
    );
}

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
            "schema",
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
fn untouched_texts_are_counted_as_the_scorer_counts_them() {
    let golden = include_str!("../../../shared/scoring/tests/golden/golden-wer.jsonl");
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

/// Texts of `count` lines, of which every `nth` has one wrong word of ten.
fn lines(count: usize, nth: usize) -> String {
    let line = |n: usize| {
        let first = if n.is_multiple_of(nth) { "x" } else { "a" };
        format!("{first} b c d e f g h i j\n")
    };
    (0..count).map(line).collect()
}

#[test]
fn the_gate_fails_passes_or_cannot_judge() {
    let set = Set::new(&[
        ("r.txt", lines(400, 500).replace('x', "a").as_bytes()),
        ("now.txt", lines(400, 2).as_bytes()),
        ("before.txt", lines(400, 10).as_bytes()),
        ("few-r.txt", lines(20, 50).replace('x', "a").as_bytes()),
        ("few.txt", lines(20, 2).as_bytes()),
    ]);
    let gates = |arguments: &[&str]| {
        let all: Vec<&str> = ["score", "--json"]
            .iter()
            .chain(arguments)
            .copied()
            .collect();
        let output = set.run(&all);
        (code(&output), document(&output)["gates"].clone())
    };
    let (exit, told) = gates(&["r.txt", "now.txt", "--fail-if", "wer>0.04"]);
    assert_eq!((exit, &told[0]["status"]), (100, &Value::from("failed")));
    assert_eq!(
        keys(&told[0]),
        [
            "condition",
            "group",
            "high",
            "low",
            "message",
            "model",
            "p",
            "smallest_visible",
            "status",
            "value"
        ]
    );
    assert_eq!(told[1]["condition"], "failed>0.01");
    assert_eq!(gates(&["r.txt", "now.txt", "--fail-if", "wer>0.06"]).0, 0);
    assert_eq!(
        gates(&["r.txt", "now.txt", "--fail-if", "wer>0.04", "--exit-zero"]).0,
        0
    );
    let base = ["--baseline", "before.txt"];
    let with = |condition: &'static str, now: &'static str| {
        let all = ["r.txt", now, "--fail-if", condition];
        gates(&all.iter().chain(&base).copied().collect::<Vec<_>>())
    };
    let (exit, told) = with("regression>0.01 p<0.05", "now.txt");
    assert_eq!(exit, 100, "{told}");
    assert!(
        (told[0]["value"].as_f64().unwrap() - 0.04).abs() < 1e-9,
        "{told}"
    );
    assert!(told[0]["p"].as_f64().unwrap() < 0.05);
    assert_eq!(with("regression>0.01 p<0.05", "before.txt").0, 0);
    assert_eq!(with("regression.high>0.02", "before.txt").0, 0);
    assert_eq!(with("regression.high>0.02", "now.txt").0, 100);
    // Too few to say anything.
    let few = ["few-r.txt", "few.txt", "--fail-if", "wer.high>0.2"];
    assert_eq!(gates(&few).0, 101);
    let weak: Vec<&str> = few.iter().copied().chain(["--allow-weak"]).collect();
    assert_eq!(gates(&weak).0, 0);
    assert_eq!(
        gates(&["few-r.txt", "few.txt", "--fail-if", "cost_usd>1"]).0,
        101
    );
    // What failed goes before what can't be judged.
    assert_eq!(
        gates(&[
            "few-r.txt",
            "few.txt",
            "--fail-if",
            "cost_usd>1",
            "--fail-if",
            "wer>0"
        ])
        .0,
        100
    );
    let usage = set.run(&["score", "r.txt", "now.txt", "--fail-if", "regression>0"]);
    assert_eq!(code(&usage), 2);
}

#[test]
fn a_saved_document_is_a_baseline_for_points() {
    let set = Set::new(&[
        ("r.txt", lines(400, 500).replace('x', "a").as_bytes()),
        ("now.txt", lines(400, 2).as_bytes()),
        ("before.txt", lines(400, 10).as_bytes()),
    ]);
    let saved = set.run(&["score", "r.txt", "before.txt", "--json"]);
    std::fs::write(set.path("saved.json"), &saved.stdout).unwrap();
    let with = |condition: &str| {
        code(&set.run(&[
            "score",
            "r.txt",
            "now.txt",
            "--baseline",
            "saved.json",
            "--fail-if",
            condition,
        ]))
    };
    assert_eq!(with("regression>0.03"), 100);
    assert_eq!(with("regression>0.05"), 0);
    assert_eq!(with("regression>0.03 p<0.05"), 101);
    let other = set.run(&[
        "score",
        "r.txt",
        "now.txt",
        "--baseline",
        "saved.json",
        "--fail-if",
        "regression>0.03",
        "--normalizer",
        "nfc-v1",
    ]);
    assert_eq!(code(&other), 101);
}

#[test]
fn junit_and_summary_are_written() {
    let set = Set::new(&[
        ("r.txt", b"a b\n"),
        ("h|x.txt", b"a c\n"),
        ("sum.md", b"before\n"),
    ]);
    let output = set.run(&[
        "score",
        "r.txt",
        "h|x.txt",
        "--fail-if",
        "wer>0.1",
        "--junit",
        "j.xml",
        "--summary",
        "sum.md",
    ]);
    assert_eq!(code(&output), 100);
    let xml = std::fs::read_to_string(set.path("j.xml")).unwrap();
    assert!(
        xml.contains("<testcase classname=\"stt-eval.h|x\" name=\"wer&gt;0.1\">"),
        "{xml}"
    );
    assert!(
        xml.contains("tests=\"2\" failures=\"1\" errors=\"0\""),
        "{xml}"
    );
    let summary = std::fs::read_to_string(set.path("sum.md")).unwrap();
    assert!(summary.starts_with("before\n### stt-eval"), "{summary}");
    assert!(summary.contains("| h\\|x | 50.0 % |"), "{summary}");
    let nowhere = set.run(&["score", "r.txt", "h|x.txt", "--junit", "no/j.xml"]);
    assert_eq!(code(&nowhere), 1);
}

#[test]
fn colours_follow_the_flag_then_the_environment() {
    let set = Set::new(&[("r.txt", b"a b\n"), ("h.txt", b"a c\n")]);
    let coloured = |set_up: &dyn Fn(&mut Command), more: &[&str]| {
        let mut command = command(set.folder.path());
        set_up(&mut command);
        command
            .args(["score", "r.txt", "h.txt", "--fail-if", "wer>0.9"])
            .args(more);
        command.output().unwrap().stdout.contains(&0x1b)
    };
    assert!(!coloured(&|_| {}, &[]));
    assert!(coloured(&|_| {}, &["--color", "always"]));
    assert!(coloured(
        &|command| {
            command.env("CLICOLOR_FORCE", "1");
        },
        &[]
    ));
    assert!(!coloured(
        &|command| {
            command.env("CLICOLOR_FORCE", "1").env("NO_COLOR", "1");
        },
        &[]
    ));
    assert!(!coloured(
        &|command| {
            command.env("CLICOLOR_FORCE", "1");
        },
        &["--color", "never"]
    ));
    let ascii = command(set.folder.path())
        .env("LANG", "C")
        .args(["score", "r.txt", "h.txt", "--fail-if", "wer>0.9"])
        .output()
        .unwrap();
    assert!(
        String::from_utf8(ascii.stdout)
            .unwrap()
            .contains("ok   h: WER")
    );
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let text = "a\n".repeat(200_000);
    let set = Set::new(&[("t.txt", text.as_bytes())]);
    let mut child = command(set.folder.path())
        .args(["normalise", "t.txt"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(code(&output), 141);
    assert!(output.stderr.is_empty(), "{output:?}");
}

#[test]
fn standard_input_is_a_source() {
    use std::io::Write;
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
fn steps_of_a_normaliser_are_shown() {
    let set = Set::new(&[]);
    let told = document(&set.run(&["normalise", "उम्र २५, साल।", "--language", "hi", "--json"]));
    let text = &told["texts"][0];
    assert_eq!(text["normalised"], "उम्र 25 साल");
    let last = text["steps"].as_array().unwrap().last().unwrap();
    assert_eq!(last["text"], text["normalised"]);
}

#[test]
fn completions_and_pages_come_from_the_command() {
    let set = Set::new(&[]);
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let output = set.run(&["completions", shell]);
        assert!(
            code(&output) == 0
                && String::from_utf8(output.stdout)
                    .unwrap()
                    .contains("normalise"),
            "{shell}"
        );
    }
    assert!(set.run(&["man"]).stdout.starts_with(b".ie"));
    assert_eq!(code(&set.run(&["man", "pages"])), 0);
    assert!(set.path("pages/stt-eval-score.1").is_file());
    assert_eq!(code(&set.run(&["--help"])), 0);
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
