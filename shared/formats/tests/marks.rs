//! What is invisible and no part of a text (U+FEFF, U+200B, marks of direction at its ends)
//! counts on neither side, wherever it was read from: what a run makes of a table is what
//! offline scoring makes of it.
#![allow(
    clippy::unwrap_used,
    reason = "a test that can't go on has failed; the exception for tests does not cover helpers"
)]

use stt_eval_formats::files::InMemory;
use stt_eval_formats::transcripts::ReadOptions;
use stt_eval_formats::write::{self, Told, Written};
use stt_eval_formats::{Hypothesis, Options, Source, judge, pairs};

const MARKED: &str = "\u{feff}bom \u{200b}start\u{200e}";
const PLAIN: &str = "bom start";

fn source<'a>(files: &'a InMemory, file: Option<&'a str>) -> Source<'a> {
    Source {
        files,
        file,
        name: file.unwrap_or("a"),
    }
}

/// What both sides of two sources have.
fn both(right: &str, heard: &str, name: &str) -> (String, String) {
    let (right, heard) = (
        InMemory::new([(name, right)]),
        InMemory::new([(name, heard)]),
    );
    let wanted = ReadOptions::default();
    let found = pairs(
        &source(&right, Some(name)),
        &[source(&heard, Some(name))],
        &wanted,
    );
    let found = found.unwrap();
    let Hypothesis::Text(heard) = &found.heard[0][0] else {
        panic!("{:?}", found.heard);
    };
    (
        found.samples[0].reference.to_string(),
        heard.as_str().to_owned(),
    )
}

#[test]
fn marks_count_on_neither_side() {
    let escaped = MARKED
        .replace('\u{feff}', "\\ufeff")
        .replace('\u{200b}', "\\u200b");
    let of = |name: &str, text: &str| match name {
        // In front of a file it is the mark of the file, and counts as none anyway.
        "a.txt" => format!("{text}\nother line\n"),
        "b.txt" => format!("other line\n{text}\n"),
        "a.trn" => format!("{text} (s-1)\n"),
        "a.stm" => format!("u1 1 s 0.0 1.0 {text}\n"),
        "a.csv" => format!("id,text\nu1,{text}\n"),
        "a.jsonl" => format!("{{\"id\":\"u1\",\"text\":\"{text}\"}}\n"),
        _ => format!("[{{\"session_id\":\"u1\",\"words\":\"{text}\"}}]"),
    };
    for name in [
        "a.txt",
        "a.trn",
        "a.stm",
        "a.csv",
        "a.jsonl",
        "a.seglst.json",
    ] {
        for (right, heard) in [(MARKED, MARKED), (MARKED, PLAIN), (PLAIN, MARKED)] {
            let found = both(&of(name, right), &of(name, heard), name);
            assert_eq!(found, (PLAIN.to_owned(), PLAIN.to_owned()), "{name}");
        }
        let in_json = name.contains("json");
        if in_json {
            let found = both(&of(name, &escaped), &of(name, PLAIN), name);
            assert_eq!(found.0, PLAIN, "{name}");
        }
    }
    let found = both(&of("b.txt", MARKED), &of("b.txt", PLAIN), "b.txt");
    assert_eq!(found.0, "other line");
    // Joiners are of the word.
    let joined = "क्\u{200d}ष";
    assert_eq!(
        both(&of("a.trn", joined), &of("a.trn", "क्ष"), "a.trn").0,
        joined
    );
}

#[test]
fn a_run_takes_what_is_scored_offline() {
    let table = format!("file_name,text,whisper\na.wav,{MARKED},{MARKED}\n");
    let files = InMemory::new([("metadata.csv", table.as_str()), ("a.wav", "")]);
    let options = Options {
        hypotheses: vec!["whisper".to_owned()],
        ..Options::default()
    };
    let judged = judge(&files, None, &options).unwrap();
    let sample = &judged.samples[0];
    assert_eq!(sample.text.as_deref(), Some(PLAIN));
    assert_eq!(sample.hypotheses.get("whisper"), Some(PLAIN));
    let wanted = ReadOptions {
        hypotheses: options.hypotheses,
        ..ReadOptions::default()
    };
    let found = pairs(&source(&files, Some("metadata.csv")), &[], &wanted).unwrap();
    assert_eq!(found.samples[0].reference, PLAIN);
    assert_eq!(found.heard[0], [Hypothesis::Text(PLAIN.into())]);
}

/// What a run has counted is what its own export says.
#[test]
fn our_own_exports_are_read_as_they_are() {
    let systems = ["whisper".to_owned()];
    let samples = [Written {
        id: "u1".to_owned(),
        reference: Some(PLAIN.to_owned()),
        reference_from: Some("given".to_owned()),
        heard: vec![Some(MARKED.to_owned())],
        told: vec![Told {
            wer: Some(0.5),
            ..Told::default()
        }],
        ..Written::default()
    }];
    for (name, text) in [
        ("run.csv", write::csv(&systems, &samples, true)),
        ("run.jsonl", write::jsonl(&systems, &samples)),
    ] {
        let files = InMemory::new([(name, text)]);
        let found = pairs(&source(&files, Some(name)), &[], &ReadOptions::default()).unwrap();
        assert_eq!(found.heard[0], [Hypothesis::Text(MARKED.into())], "{name}");
    }
}
