//! A sample that can't be scored, and where its reference stands.

use std::path::Path;

use stt_eval_formats::{Id, Pair};
use stt_eval_scoring::ScoreError;

use crate::failure::{Exit, Failure};

/// Why a sample can't be scored.
#[derive(Debug)]
pub struct Unscored(Box<Told>);

#[derive(Debug)]
struct Told {
    id: Id,
    reference: String,
    failure: Failure,
}

impl Unscored {
    fn new(pair: &Pair, failure: Failure) -> Self {
        Self(Box::new(Told {
            id: pair.id.clone(),
            reference: pair.reference.as_str().to_owned(),
            failure,
        }))
    }

    /// Braces of a reference that mean nothing.
    pub fn markup(pair: &Pair, reason: impl std::fmt::Display) -> Self {
        let failure = Failure::new(Exit::Findings, "bad_markup", reason.to_string())
            .hint("--markup none takes braces as they stand");
        Self::new(pair, failure)
    }

    /// What is wrong with a sample.
    pub fn of(pair: &Pair, error: ScoreError) -> Self {
        match error {
            ScoreError::Markup { .. } => Self::markup(pair, error),
            error => {
                let failure = Failure::new(Exit::Findings, "not_scored", error.to_string());
                Self::new(pair, failure)
            }
        }
    }

    /// With the file of the references, and the line in it where that shows.
    pub fn within(self, references: &Path) -> Failure {
        let Told {
            id,
            reference,
            failure,
        } = *self.0;
        let called = match &id {
            Id::Line(_) => String::new(),
            Id::Named(name) => format!(" ({name})"),
        };
        let place = match place(references, &id, &reference) {
            Some((file, Some(line))) => format!("{file} line {line}{called}"),
            Some((file, None)) => format!("{file}{called}"),
            None => match &id {
                Id::Line(line) => format!("{} line {line}", references.display()),
                Id::Named(name) => format!("{}: {name}", references.display()),
            },
        };
        let message = format!("{place}: {}", failure.message);
        Failure { message, ..failure }
    }
}

impl From<Unscored> for Failure {
    fn from(unscored: Unscored) -> Self {
        let Told { id, failure, .. } = *unscored.0;
        let called = match id {
            Id::Line(line) => format!("line {line}"),
            Id::Named(name) => name.to_string(),
        };
        let message = format!("{called}: {}", failure.message);
        Self { message, ..failure }
    }
}

/// Whether a line has the id as a word of its own.
fn names(line: &str, id: &str) -> bool {
    let mut places = line.match_indices(id);
    places.any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let behind = line[at + id.len()..].chars().next();
        let is_word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
        !is_word(before) && !is_word(behind)
    })
}

/// Whether a line has the text: as it is, quoted in a table, or in JSON.
fn has(line: &str, text: &str) -> bool {
    let first = text.lines().next().unwrap_or(text);
    let in_json = serde_json::Value::from(first).to_string();
    line.contains(first)
        || line.replace("\"\"", "\"").contains(first)
        || line.contains(in_json.trim_matches('"'))
}

/// The file and the line of a reference. Lists keep none: the file is looked through once
/// more.
fn place(references: &Path, id: &Id, reference: &str) -> Option<(String, Option<usize>)> {
    if references.is_dir() {
        let Id::Named(name) = id else { return None };
        let files = std::fs::read_dir(references).ok()?.flatten();
        let mut own = files.filter(|file| file.path().file_stem() == Some(name.as_ref().as_ref()));
        let file = own.next()?.path();
        return Some((file.display().to_string(), None));
    }
    let text = std::fs::read_to_string(references).ok()?;
    let mut lines = (1..).zip(text.lines());
    let found = match id {
        Id::Named(name) => lines.find(|(_, line)| names(line, name) && has(line, reference)),
        // Behind a header, if there is one.
        Id::Line(line) => {
            let least = usize::try_from(*line).ok()?;
            lines.find(|(at, line)| *at >= least && has(line, reference))
        }
    };
    let line = found.map(|(at, _)| at);
    Some((references.display().to_string(), line))
}
