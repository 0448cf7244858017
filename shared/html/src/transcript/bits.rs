//! A text in runs: what is shown as it is, and what has a label in its place.

use crate::invisible::{self, Shown};

/// Whether characters that only shape their neighbours are labelled too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Invisible {
    /// They do their work.
    #[default]
    Work,
    /// They are labelled, to find one that is too many.
    Labelled,
}

/// A run of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bit {
    /// As it is.
    Text(String),
    /// What the other word lacks.
    Differs(String),
    /// A label in the place of a character, with its brackets.
    Label(String),
}

/// Adds a text in runs.
pub(super) fn push(bits: &mut Vec<Bit>, text: &str, differs: bool, mode: Invisible) {
    let mut run = String::new();
    let close = |run: &mut String, bits: &mut Vec<Bit>| {
        if !run.is_empty() {
            let text = std::mem::take(run);
            bits.push(if differs {
                Bit::Differs(text)
            } else {
                Bit::Text(text)
            });
        }
    };
    for c in text.chars() {
        let name = match (invisible::shown(c), mode) {
            (Shown::Plain, _) | (Shown::Joiner(_), Invisible::Work) => {
                run.push(c);
                continue;
            }
            (Shown::Joiner(name), Invisible::Labelled) => Some(name),
            (Shown::Label(name), _) => name,
        };
        close(&mut run, bits);
        let mut label = String::new();
        invisible::push_label(&mut label, c, name);
        bits.push(Bit::Label(label));
    }
    close(&mut run, bits);
}
