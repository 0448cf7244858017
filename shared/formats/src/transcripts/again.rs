//! What rows of a long table say that others before them said.

use super::entry::{Entry, Side};
use crate::problem::{Code, Problem, counted};

/// What was said before.
#[derive(Default)]
pub(super) struct Again {
    /// The first of the rows that have a text of a model and a sample once more, and how many
    /// there are.
    texts: Option<String>,
    more_texts: usize,
    /// The first row whose reference differs from that of its sample, and how many there are.
    reference: Option<OtherReference>,
    more_references: usize,
}

/// A reference that another row of its sample does not have.
struct OtherReference {
    id: String,
    line: u64,
    first: u64,
}

impl Again {
    /// Brings a row of `side` to those of its sample: what is there already stands.
    pub(super) fn joined(&mut self, row: Entry, same: &mut Entry, id: &str, side: Side) {
        let line = row.line;
        let stands =
            |name: &str, same: &Entry| same.hypotheses.has(name) || same.failures.has(name);
        let mut note = |name: &str| {
            self.more_texts += usize::from(self.texts.is_some());
            let told = || format!("line {line}: {name} has {id} again; the first counts");
            self.texts.get_or_insert_with(told);
        };
        for (name, text) in row.hypotheses.iter() {
            match stands(name, same) {
                true => note(name),
                false => same.hypotheses.insert(name, text),
            }
        }
        for (name, reason) in row.failures.iter() {
            match stands(name, same) {
                true => note(name),
                false => same.failures.insert(name, reason),
            }
        }
        let Some(text) = row.text.filter(|_| side == Side::References) else {
            return;
        };
        match same.text.as_deref() {
            // The first row does not know it.
            None => same.text = Some(text),
            Some(first) if !first.split_whitespace().eq(text.split_whitespace()) => {
                self.more_references += usize::from(self.reference.is_some());
                self.reference.get_or_insert_with(|| OtherReference {
                    id: id.to_owned(),
                    line,
                    first: same.line,
                });
            }
            Some(_) => {}
        }
    }

    /// Refuses rows of one sample whose references differ: none of them is the right one for
    /// all models.
    pub(super) fn refuse(&self, file: &str) -> Result<(), Problem> {
        let Some(OtherReference { id, line, first }) = &self.reference else {
            return Ok(());
        };
        let more = match self.more_references {
            0 => String::new(),
            more => format!(
                " ({} so)",
                counted(more, "further line is", "further lines are")
            ),
        };
        let message = format!(
            "the reference of {id} is another one than on line {first}{more}: models can't be \
             compared on one id with two references"
        );
        let problem = Problem::new(Code::Malformed, message).file(file);
        Err(problem
            .line(*line)
            .hint("give each sample an id of its own, or score a table for each model"))
    }

    pub(super) fn told(self, file: &str) -> Option<String> {
        let first = self.texts?;
        Some(match self.more_texts {
            0 => format!("{file} {first}"),
            more => {
                let more = counted(more, "further line is", "further lines are");
                format!("{file} {first} ({more} so)")
            }
        })
    }
}
