//! Every format of manifests by a fixture in the shape that real tools write, with
//! their mistakes.
#![allow(
    clippy::unwrap_used,
    reason = "a test that can't go on has failed; the exception for tests does not cover helpers"
)]

mod corpora;
mod headerless;
mod languages;
mod left_over;
mod named;
mod sources;
mod tables;
mod told;
mod toolkits;
mod undecodable;

use stt_eval_formats::files::InMemory;
use stt_eval_formats::{FindingKind, Judged, Options, judge};

fn files(all: &[(&str, &str)]) -> InMemory {
    InMemory::new(all.iter().copied())
}

fn folder(all: &[(&str, &str)]) -> Judged {
    judge(&files(all), None, &Options::default()).unwrap()
}

/// What was read of each sample: recording and text.
fn said(judged: &Judged) -> Vec<(&str, Option<&str>)> {
    let samples = judged.samples.iter();
    samples
        .map(|sample| {
            (
                sample.audio.as_deref().unwrap_or("-"),
                sample.text.as_deref(),
            )
        })
        .collect()
}

fn count(judged: &Judged, kind: FindingKind) -> usize {
    judged.findings.count(kind)
}
