//! Words, and the languages of a tag.

use super::super::text::{Piece, Pieces};

/// Words of a text of single spaces, as slices.
pub(super) fn words(text: &[Piece]) -> impl Iterator<Item = &[Piece]> {
    text.split(|p| p.ch == ' ').filter(|word| !word.is_empty())
}

/// Adds a word, with a space before it if it is not the first. The space stands
/// for the place between the two.
pub(super) fn push_word(word: impl Iterator<Item = Piece>, to: &mut Pieces) {
    let mut word = word.peekable();
    if let (Some(last), Some(next)) = (to.last(), word.peek()) {
        let space = Piece {
            ch: ' ',
            start: last.end,
            end: next.start.max(last.end),
        };
        to.push(space);
    }
    to.extend(word);
}

/// Whether a tag names a language, as its first part or (code-mixed) its second.
pub(super) fn speaks(language: &str, wanted: &str) -> bool {
    language
        .split(['-', '_'])
        .take(2)
        .any(|part| part.eq_ignore_ascii_case(wanted))
}
