//! Lists that should have as many lines and have not: where they part.

use std::collections::BTreeSet;

use super::paired::{Hypothesis, Pair};
use super::problem::{Code, Problem, counted, grouped};

/// Characters of a line that a message shows.
const SHOWN: usize = 24;

/// Sides of different lengths: how many lines each has, and where they part.
pub(super) fn uneven(
    texts_heard: &[Hypothesis],
    shown: &str,
    samples: &[Pair],
    name: &str,
) -> Problem {
    let (references, heard) = (samples.len(), texts_heard.len());
    let (many, few) = (counted(heard, "line", "lines"), grouped(references as u64));
    let mut message = format!("{shown} has {many}, {name} {few}");
    if shown == name {
        // Two folders may call their files the same.
        message = format!("{name} of the hypotheses has {many}, the references' {few}");
    }
    let texts = |index: usize| {
        let reference = samples.get(index).map(|sample| sample.reference.as_str());
        let heard = match texts_heard.get(index) {
            Some(Hypothesis::Text(text)) => text.as_str(),
            _ => "",
        };
        (reference.unwrap_or_default(), heard)
    };
    let shift = parting(references, heard, &|at, other| {
        similarity(texts(at).0, texts(other).1)
    });
    let problem = match shift {
        Some(line) => {
            let (reference, heard) = texts(line);
            let line = grouped(line as u64 + 1);
            let (reference, heard) = where_differing(reference, heard);
            Problem::new(
                Code::Mismatch,
                format!(
                    "{message}. From line {line} on they stop matching: “{reference}” / “{heard}”"
                ),
            )
        }
        None => Problem::new(Code::Mismatch, message),
    };
    problem.hint("a line for each reference, an empty one where nothing was heard; or use ids")
}

/// Two texts, short: what both begin with is left out where it would be all that is shown.
fn where_differing(one: &str, other: &str) -> (String, String) {
    let both = one.chars().zip(other.chars());
    let same = both.take_while(|(a, b)| a == b).count();
    // From a word on that stands before the difference.
    let before: Vec<char> = one.chars().take(same.saturating_sub(SHOWN / 3)).collect();
    let word = before.iter().rposition(|c| *c == ' ');
    let skipped = word.filter(|_| same * 2 > SHOWN).map_or(0, |at| at + 1);
    let shown = |text: &str| {
        let mut rest = text.chars().skip(skipped);
        let mut short = String::from(if skipped > 0 { "…" } else { "" });
        short.extend(rest.by_ref().take(SHOWN));
        if rest.next().is_some() {
            short.push('…');
        }
        short
    };
    (shown(one), shown(other))
}

/// Lines that are compared to tell a shift from one bad line.
const WINDOW: usize = 4;

/// The first line from which on lines fit better when one side is moved: by one, or by all
/// that are missing. Lines of one set can be much alike, so what counts is the difference.
fn parting(references: usize, heard: usize, fit: &dyn Fn(usize, usize) -> f64) -> Option<usize> {
    let most = references.min(heard);
    let missing = references.abs_diff(heard);
    let all = match references > heard {
        true => (missing, 0),
        false => (0, missing),
    };
    let begins = |at: usize, shift: (usize, usize)| {
        let (mut straight, mut moved) = (0.0, 0.0);
        let places = at..(at + WINDOW).min(most);
        let count = places.len() as f64;
        for place in places {
            let (here, there) = (fit(place, place), fit(place + shift.0, place + shift.1));
            if there < here || (place == at && there <= here) {
                return false;
            }
            straight += here;
            moved += there;
        }
        // Of lines that are much alike, moving takes most of what differs away.
        let is_most = (count - moved) * 2.0 < count - straight;
        moved > straight + 0.2 * count || is_most
    };
    (0..most).find(|at| {
        let shifts = [(1, 0), (0, 1), all];
        fit(*at, *at) < 0.9 && shifts.into_iter().any(|shift| begins(*at, shift))
    })
}

/// Share of words that two texts have in common.
fn similarity(one: &str, other: &str) -> f64 {
    let words = |text: &str| -> BTreeSet<String> {
        text.split_whitespace().map(str::to_lowercase).collect()
    };
    let (a, b) = (words(one), words(other));
    let all = a.len() + b.len();
    if all == 0 {
        return 1.0;
    }
    2.0 * a.intersection(&b).count() as f64 / all as f64
}
