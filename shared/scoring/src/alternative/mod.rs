//! A second wording in a reference: from what was said and what was heard to a reference
//! that takes both.

mod elsewhere;

use crate::align::Op;
use crate::aligned::{AlignedWord, SpannedWord};
use crate::reference::escape;

pub use self::elsewhere::{Alternatives, added};

/// Bytes from one place to another.
type Span = (usize, usize);

/// Steps of an alignment that differ, with what they need to be said in other words.
struct Group {
    first: usize,
    behind: usize,
}

/// From the first byte of some words to the last.
fn span<'a>(words: impl Iterator<Item = &'a SpannedWord>) -> Option<Span> {
    words.fold(None, |span, word| {
        let (start, end) = span.unwrap_or((word.start, word.end));
        Some((start.min(word.start), end.max(word.end)))
    })
}

fn is_alike(step: &AlignedWord) -> bool {
    matches!(step.op, Op::Equal | Op::Unclear)
}

/// What differs, in groups. A word that one side lacks takes the word beside it along:
/// nothing can't be an alternative.
fn groups(steps: &[AlignedWord]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut at = 0;
    while let Some(step) = steps.get(at) {
        if is_alike(step) {
            at += 1;
            continue;
        }
        let first = at;
        while steps.get(at).is_some_and(|step| !is_alike(step)) {
            at += 1;
        }
        let differing = steps.get(first..at).unwrap_or_default();
        let is_whole = differing.iter().any(|step| step.reference.is_some())
            && differing.iter().any(|step| step.hypothesis.is_some());
        let is_equal = |at: usize| steps.get(at).is_some_and(|step| step.op == Op::Equal);
        let mut group = Group { first, behind: at };
        if !is_whole {
            match first.checked_sub(1).filter(|before| is_equal(*before)) {
                Some(before) => group.first = before,
                None if is_equal(at) => group.behind = at + 1,
                None => continue,
            }
        }
        match groups.last_mut().filter(|last| last.behind > group.first) {
            Some(last) => last.behind = last.behind.max(group.behind),
            None => groups.push(group),
        }
    }
    groups
}

/// Whether a text ends with a sign that begins an alternative, and is not escaped.
fn ends_with_markup(text: &str) -> bool {
    let Some(before) = text.trim_end().strip_suffix(['{', '|']) else {
        return false;
    };
    let escapes = before.bytes().rev().take_while(|b| *b == b'\\').count();
    escapes % 2 == 0
}

/// How deep in alternatives a place of a reference is.
fn depth(before: &str) -> usize {
    let (mut depth, mut is_escaped) = (0usize, false);
    for c in before.chars() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    depth
}

/// A reference that takes what was heard as well: only the words that differ get an
/// alternative.
///
/// `None` where nothing differs, or what differs can't be told apart from
/// alternatives that are there already. The steps are those of
/// [`align_words`](super::align_words).
///
/// ```
/// use stt_eval_scoring::align_words;
/// use stt_eval_scoring::alternative::with_alternative;
/// use stt_eval_scoring::normalise::Normaliser;
///
/// let (said, heard) = ("मुझे दस हजार रुपये", "मुझे 10000 रुपये");
/// let steps = align_words(said, heard, "hi", &Normaliser::default()).unwrap();
/// let both = with_alternative(said, heard, &steps);
/// assert_eq!(both.as_deref(), Some("मुझे {दस हजार|10000} रुपये"));
/// ```
#[must_use]
pub fn with_alternative(reference: &str, heard: &str, steps: &[AlignedWord]) -> Option<String> {
    let mut text = String::with_capacity(reference.len() + heard.len());
    let mut done = 0;
    for group in groups(steps) {
        let steps = steps.get(group.first..group.behind)?;
        let said = span(steps.iter().filter_map(|step| step.reference.as_ref()));
        let other = span(steps.iter().filter_map(|step| step.hypothesis.as_ref()));
        let (Some((start, end)), Some((from, to))) = (said, other) else {
            continue;
        };
        let (Some(said), Some(other)) = (reference.get(start..end), heard.get(from..to)) else {
            continue;
        };
        let has_markup = said.contains(['{', '}', '|', '<', '\\']);
        if start < done || has_markup || said == other {
            continue;
        }
        let (before, after) = (reference.get(..start)?, reference.get(end..)?);
        let other = escape(other);
        let is_alternative = ends_with_markup(before) && after.trim_start().starts_with(['|', '}']);
        let between = reference.get(done..start)?;
        match depth(before) {
            0 => text.push_str(&format!("{between}{{{said}|{other}}}")),
            1 if is_alternative => text.push_str(&format!("{between}{said}|{other}")),
            _ => continue,
        }
        done = end;
    }
    if done == 0 {
        return None;
    }
    text.push_str(reference.get(done..)?);
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normalise::Normaliser;
    use crate::{Scorer, align_words};

    fn proposed(reference: &str, heard: &str) -> Option<String> {
        let steps = align_words(reference, heard, "hi", &Normaliser::default()).unwrap();
        let text = with_alternative(reference, heard, &steps)?;
        // Whatever is proposed is a reference, and takes what was heard.
        let mut scorer = Scorer::new(Normaliser::default(), "hi");
        scorer.set_reference(&text).unwrap();
        assert_eq!(scorer.score(heard, None).unwrap().wer, 0.0, "{text}");
        Some(text)
    }

    #[test]
    fn only_the_words_that_differ_get_an_alternative() {
        for (reference, heard, wanted) in [
            ("मुझे दस हजार रुपये", "मुझे 10000 रुपये", "मुझे {दस हजार|10000} रुपये"),
            ("one two three", "one too three", "one {two|too} three"),
            ("a b c d e", "x b c y e", "{a|x} b c {d|y} e"),
            // What one side lacks takes the word beside it along.
            ("one two", "one very two", "{one|one very} two"),
            ("one two", "two", "{one two|two}"),
            ("a b c d", "a c", "{a b|a} {c d|c}"),
            // An alternative more, where there are some.
            ("{ten|10} rupees", "tan rupees", "{ten|tan|10} rupees"),
            // Signs that have a meaning are told as they are.
            ("a b", "a |b|x", "a {b|\\|b\\|x}"),
        ] {
            assert_eq!(
                proposed(reference, heard).as_deref(),
                Some(wanted),
                "{heard}"
            );
        }
        assert_eq!(proposed("one two", "One, two."), None);
        assert_eq!(proposed("one two", ""), None);
    }
}
