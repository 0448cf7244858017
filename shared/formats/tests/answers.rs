//! Answers without a result, and rows that can't be read: none is left out of a score silently.
#![allow(
    clippy::unwrap_used,
    reason = "a test that can't go on has failed; the exception for tests does not cover helpers"
)]

use stt_eval_formats::files::{InMemory, stem};
use stt_eval_formats::transcripts::ReadOptions;
use stt_eval_formats::{Hypothesis, Pairs, Problem, Source, pairs};

fn text(text: &str) -> Hypothesis {
    Hypothesis::Text(text.into())
}

const RIGHT: [(&str, &str); 3] = [("u1.txt", "घर जाओ"), ("u2.txt", "ठीक है"), ("u3.txt", "हाँ")];

/// A folder of references, and one of results.
fn scored(heard: &[(&str, &str)], channel: usize) -> Result<Pairs, Problem> {
    let right = InMemory::new(RIGHT);
    let heard = InMemory::new(heard.iter().copied());
    let folder = |files, name| Source {
        files,
        file: None,
        name,
    };
    let wanted = ReadOptions {
        channel,
        ..ReadOptions::default()
    };
    pairs(&folder(&right, "refs"), &[folder(&heard, "nova")], &wanted)
}

/// One file, or a pair of them.
fn of_files(files: &InMemory, right: &str, heard: &[&str]) -> Result<Pairs, Problem> {
    let source = |name| Source {
        files,
        file: Some(name),
        name: stem(name),
    };
    let heard: Vec<Source<'_>> = heard.iter().map(|name| source(*name)).collect();
    pairs(&source(right), &heard, &ReadOptions::default())
}

#[test]
fn a_result_without_a_text_is_a_failure_or_says_nothing_and_refuses_no_folder() {
    let made = scored(
        &[
            ("u1.json", "{}"),
            (
                "u2.json",
                "{\"status\": \"queued\", \"audio_url\": \"x\", \"text\": null}",
            ),
            (
                "u3.json",
                "{\"promptFeedback\": {\"blockReason\": \"SAFETY\"}}",
            ),
        ],
        0,
    );
    let made = made.unwrap();
    let queued = Hypothesis::Failed("not done: queued".to_owned());
    // A model that blocks has failed by itself.
    assert_eq!(made.heard[0], [text(""), queued, Hypothesis::Missing]);
    let note = "u1.json: {} alone: taken as the answer of Google where nothing was heard";
    assert!(
        made.remarks.iter().any(|one| one == note),
        "{:?}",
        made.remarks
    );
    // One alone is no table either.
    let alone = "{\"err_code\": \"E\", \"err_msg\": \"no credit\", \"request_id\": \"r\"}";
    let made = scored(&[("u1.json", alone)], 0).unwrap();
    assert_eq!(
        made.heard[0][0],
        Hypothesis::Failed("E: no credit".to_owned())
    );
    let problem = scored(&[("u1.json", "{\"a\": \"x\", \"b\": \"y\"}")], 0).unwrap_err();
    assert!(problem.message.contains("no service"), "{problem}");
}

#[test]
fn rows_that_a_quote_takes_along_are_never_left_out_of_a_score() {
    let files = InMemory::new([
        (
            "t.csv",
            "id,reference,hyp\n1,a,a\n2,\"b,b\n3,c,c\n4,\"d,d\n5,e,e\n",
        ),
        (
            "loose.csv",
            "id,reference,hyp\n1,\"a \"x\" b\",a\n2,b,b\n3,\"c \"y\" d\",c\n",
        ),
        (
            "manifest.json",
            "{\"audio_filepath\": \"1.wav\", \"duration\": 1, \"normalized_text\": \"n\", \"text\": \"t\", \"pred_text\": \"t\"}\n",
        ),
        (
            "lists.jsonl",
            "{\"id\": \"1\", \"reference\": [\"a\", \"b\"], \"hypothesis\": \"a\"}\n",
        ),
    ]);
    let problem = of_files(&files, "t.csv", &[]).unwrap_err();
    assert_eq!(
        problem.to_string(),
        "t.csv line 3: a quote in it meets the next one on line 5, in the middle of a text: the 2 \
         lines behind it are not read. A quote inside a text is doubled, and that text quoted"
    );
    let made = of_files(&files, "loose.csv", &[]).unwrap();
    let is_told = |one: &String| {
        one.starts_with("loose.csv line 2: a quote inside a text is not doubled")
            && one.ends_with("(1 further one is so)")
    };
    assert!(made.remarks.iter().any(is_told), "{:?}", made.remarks);
    let made = of_files(&files, "manifest.json", &[]).unwrap();
    assert_eq!(made.samples[0].reference, "t");
    let problem = of_files(&files, "lists.jsonl", &[]).unwrap_err();
    assert!(
        problem
            .to_string()
            .starts_with("lists.jsonl line 1: reference is a list of 2 values"),
        "{problem}"
    );
}
