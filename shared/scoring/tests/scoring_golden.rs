//! Every row made with jiwer 4.0.0, compared exactly.

#![allow(clippy::expect_used, reason = "helpers of tests fail by panicking")]

use serde_json::Value;
use std::collections::HashMap;
use stt_eval_scoring::normalise::Normaliser;
use stt_eval_scoring::{CorpusSums, SampleScore, score};

const ROWS: &str = include_str!("golden/golden-wer.jsonl");
const CORPUS: &str = include_str!("golden/golden-wer-corpus.jsonl");

fn rows(jsonl: &str) -> Vec<Value> {
    jsonl
        .lines()
        .map(|line| serde_json::from_str(line).expect("golden rows are JSON"))
        .collect()
}

fn score_row(row: &Value) -> SampleScore {
    let text = |key: &str| row[key].as_str().expect("text");
    // `lang` of the rows is not a claim about how to normalise: jiwer does not.
    let raw = Normaliser::by_name("raw-v1").expect("known");
    score(
        text("reference"),
        text("hypothesis"),
        text("lang"),
        &raw,
        None,
    )
    .expect("scores")
}

#[track_caller]
fn close(id: &str, what: &str, row: &Value, got: f64) {
    let want = row[what].as_f64().expect("number");
    assert!(
        (want - got).abs() <= 1e-12,
        "{id} {what}: want {want}, got {got}"
    );
}

#[test]
fn rows_are_exact() {
    let rows = rows(ROWS);
    assert_eq!(rows.len(), 87);
    for row in &rows {
        let id = row["id"].as_str().expect("id");
        let score = score_row(row);
        for (what, got) in [
            ("hits", score.hits),
            ("substitutions", score.substitutions),
            ("deletions", score.deletions),
            ("insertions", score.insertions),
            ("ref_words", score.reference_words),
            ("hyp_words", score.hypothesis_words),
            ("distance", score.words().errors()),
            ("char_hits", score.char_hits),
            ("char_substitutions", score.char_substitutions),
            ("char_deletions", score.char_deletions),
            ("char_insertions", score.char_insertions),
            ("ref_chars", score.reference_chars),
            ("hyp_chars", score.hypothesis_chars),
        ] {
            assert_eq!(row[what].as_u64(), Some(got), "{id} {what}");
        }
        for (what, got) in [
            ("wer", score.wer),
            ("mer", score.mer),
            ("wil", score.wil),
            ("wip", score.wip),
            ("cer", score.cer),
        ] {
            close(id, what, row, got);
        }
        assert_eq!(
            (score.raw_wer, score.raw_cer),
            (score.wer, score.cer),
            "{id}"
        );
    }
}

#[test]
fn groups_are_exact() {
    let rows = rows(ROWS);
    let scores: HashMap<&str, SampleScore> = rows
        .iter()
        .map(|row| (row["id"].as_str().expect("id"), score_row(row)))
        .collect();
    let groups = self::rows(CORPUS);
    assert_eq!(groups.len(), 18);
    for group in &groups {
        let name = group["group"].as_str().expect("name");
        let mut sums = CorpusSums::default();
        for id in group["ids"].as_array().expect("ids") {
            sums.add(&scores[id.as_str().expect("id")]);
        }
        let figures = sums.summary().all;
        let words = figures.counts.words;
        for (what, got) in [
            ("hits", words.hits),
            ("substitutions", words.substitutions),
            ("deletions", words.deletions),
            ("insertions", words.insertions),
        ] {
            assert_eq!(group[what].as_u64(), Some(got), "{name} {what}");
        }
        for (what, got) in [
            ("wer", figures.wer),
            ("mer", figures.mer),
            ("wil", figures.wil),
            ("wip", figures.wip),
            ("cer", figures.cer),
            (
                "mean_of_sample_wer_nonempty_ref",
                figures.mean_wer.expect("some"),
            ),
        ] {
            close(name, what, group, got);
        }
    }
}
