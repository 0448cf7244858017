//! Looking through pieces of text.

use super::super::super::text::{self, Piece, Pieces};

/// The text without white space at its ends.
pub(super) fn trim(text: &[Piece]) -> &[Piece] {
    let visible = |p: &Piece| !p.ch.is_whitespace() && p.ch != '\u{feff}';
    let Some(start) = text.iter().position(visible) else {
        return &[];
    };
    let end = text
        .iter()
        .rposition(visible)
        .map_or(start, |last| last + 1);
    &text[start..end]
}

/// Whether a text begins with another.
pub(super) fn starts_with(text: &[Piece], start: &str) -> bool {
    let mut at = 0;
    start.chars().all(|c| {
        at += 1;
        text.get(at - 1).is_some_and(|p| p.ch == c)
    })
}

/// Where a text has another, from a place on.
pub(super) fn find(text: &[Piece], what: &str, from: usize) -> Option<usize> {
    (from..text.len()).find(|at| starts_with(&text[*at..], what))
}

/// Adds a piece of text on a line of its own.
pub(super) fn push_line(line: &[Piece], to: &mut Pieces) {
    if let (Some(last), Some(next)) = (to.last().copied(), line.first()) {
        text::replace(&[last, *next], std::iter::once('\n'), to);
    }
    to.extend_from_slice(line);
}
