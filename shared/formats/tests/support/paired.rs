//! References and hypotheses in memory, brought together.
#![allow(dead_code, reason = "each test takes what it needs")]

use stt_eval_formats::files::{InMemory, stem};
use stt_eval_formats::transcripts::ReadOptions;
use stt_eval_formats::{Format, Hypothesis, Pairs, Problem, Source, pairs};

/// Files by name.
pub type Files<'a> = &'a [(&'a str, &'a str)];

/// A side: the file, where there is one, else the folder `name`.
pub fn side<'a>(files: &'a InMemory, all: Files<'a>, name: &'a str) -> Source<'a> {
    match all {
        [(file, _)] if !file.contains('/') => Source {
            files,
            file: Some(file),
            name: stem(file),
        },
        _ => Source {
            files,
            file: None,
            name,
        },
    }
}

/// Brings sides together, read as a format.
pub fn scored_as(
    right: Files<'_>,
    heard: Files<'_>,
    format: Option<Format>,
) -> Result<Pairs, Problem> {
    let (refs, hyps) = (
        InMemory::new(right.iter().copied()),
        InMemory::new(heard.iter().copied()),
    );
    let wanted = ReadOptions {
        format,
        ..ReadOptions::default()
    };
    let heard = [side(&hyps, heard, "hyps")];
    pairs(&side(&refs, right, "refs"), &heard, &wanted)
}

/// Brings sides together.
pub fn scored(right: Files<'_>, heard: Files<'_>) -> Result<Pairs, Problem> {
    scored_as(right, heard, None)
}

/// Brings references together with several sources.
pub fn scored_all(right: Files<'_>, heard: &[Files<'_>]) -> Result<Pairs, Problem> {
    let refs = InMemory::new(right.iter().copied());
    let all = heard.iter().map(|one| InMemory::new(one.iter().copied()));
    let all: Vec<InMemory> = all.collect();
    let sides = all
        .iter()
        .zip(heard)
        .map(|(files, one)| side(files, one, "hyps"));
    let sides: Vec<Source<'_>> = sides.collect();
    pairs(&side(&refs, right, "refs"), &sides, &ReadOptions::default())
}

/// Ids, references and what the system heard.
pub fn rows(made: &Pairs, system: usize) -> Vec<[String; 3]> {
    let heard = made.heard[system].iter().map(|heard| match heard {
        Hypothesis::Text(text) => text.to_string(),
        Hypothesis::Failed(reason) => format!("failed: {reason}"),
        Hypothesis::Missing => "-".to_owned(),
    });
    let rows = made.samples.iter().zip(heard);
    rows.map(|(one, heard)| [one.id.to_string(), one.reference.to_string(), heard])
        .collect()
}

/// What is told of a problem, with its hint.
pub fn told(problem: &Problem) -> String {
    let hint = problem.hint.iter().map(|hint| format!(". {hint}"));
    problem.to_string() + &hint.collect::<String>()
}
