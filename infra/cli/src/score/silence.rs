//! References without a word: no rate is made of no words, and what is written on them is told.
//!
//! Documents keep their numbers, which are counts then.

use stt_eval_formats::counted;

use super::figures::{CountsOf, Ends};
use super::show::{interval, rate};

/// A rate as it is shown.
pub fn shown(figure: Option<f64>, words: Option<CountsOf>) -> String {
    rate(figure.filter(|_| !is_silent(words)))
}

/// The interval of a rate as it is shown.
pub fn shown_interval(ends: Option<Ends>, words: Option<CountsOf>) -> String {
    interval(ends.filter(|_| !is_silent(words)))
}

/// Whether counts are of references without a word.
pub fn is_silent(words: Option<CountsOf>) -> bool {
    words.is_some_and(|words| words.reference() == 0)
}

/// What is told of several systems: of those with figures, all of which are of references
/// without a word.
pub fn note<'a>(all: impl Iterator<Item = (&'a str, Option<CountsOf>)>) -> Option<String> {
    let all = all.filter_map(|(name, words)| Some((name, words?)));
    let all: Vec<(&str, CountsOf)> = all.collect();
    let is_silent = |(_, words): &(&str, CountsOf)| words.reference() == 0;
    if all.is_empty() || !all.iter().all(is_silent) {
        return None;
    }
    let wrote = all.iter().map(|(name, words)| {
        let wrote = usize::try_from(words.insertions).unwrap_or(usize::MAX);
        format!("{name} wrote {}", counted(wrote, "word", "words"))
    });
    let wrote = wrote.collect::<Vec<_>>().join(", ");
    Some(format!(
        "note: every reference is silent: no rate is made of no words; {wrote} on them\n"
    ))
}
