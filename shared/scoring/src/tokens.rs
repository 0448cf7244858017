//! How a text is cut into words and characters.
//!
//! As jiwer 4: blanks at both ends go; a run of two or more blanks, or one space
//! (U+0020), separates words; one other blank (tab, no-break space) alone does
//! not. Normalisers fold every blank to one space, so this subtlety only shows in
//! raw scores. Characters are those of the text without the blanks at its ends.

use super::spaces;
use super::text::{self, Piece};

/// Whether `c` is white space, as Python's `str.isspace` sees it: Unicode
/// `White_Space` and the four ASCII separators U+001C to U+001F.
pub(super) fn is_blank(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{1c}'..='\u{1f}')
}

/// `text` without the blanks at its ends.
pub fn trim(text: &str) -> &str {
    let is_letter = |byte: u8| byte > b' ' && byte < 0x7f;
    // No blank of three bytes begins with 0xe0; most letters of India do.
    let begins = matches!(text.as_bytes(), [first, ..] if is_letter(*first) || *first == 0xe0);
    let ends = match text.as_bytes() {
        [.., 0xe0, _, _] => true,
        [.., last] => is_letter(*last),
        [] => true,
    };
    if begins && ends {
        return text;
    }
    text.trim_matches(is_blank)
}

/// The words of `text`, in order.
///
/// ```
/// use stt_eval_scoring::words;
/// assert_eq!(words("  आज कल\t\tबारिश "), ["आज", "कल", "बारिश"]);
/// assert_eq!(words("one\ttwo"), ["one\ttwo"]);
/// ```
pub fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    for_each_word(text, |_, word| words.push(word));
    words
}

/// Calls `found` with the byte offset and the text of each word of `text`.
#[inline]
pub(super) fn for_each_word<'a>(text: &'a str, mut found: impl FnMut(usize, &'a str)) {
    if spaces::has_only_spaces(text.as_bytes()) {
        spaces::for_each_run(text.as_bytes(), |start, end| {
            found(start, &text[start..end])
        });
    } else {
        for_each_word_slowly(text, found);
    }
}

fn for_each_word_slowly<'a>(text: &'a str, mut found: impl FnMut(usize, &'a str)) {
    let mut start = text.len() - text.trim_start_matches(is_blank).len();
    let text = text.trim_end_matches(is_blank);
    let mut chars = text
        .char_indices()
        .skip_while(|(_, c)| is_blank(*c))
        .peekable();
    while let Some((at, c)) = chars.next() {
        if !is_blank(c) {
            continue;
        }
        let mut end = at + c.len_utf8();
        let mut lone = true;
        while let Some((next, blank)) = chars.next_if(|(_, c)| is_blank(*c)) {
            end = next + blank.len_utf8();
            lone = false;
        }
        if c == ' ' || !lone {
            found(start, &text[start..at]);
            start = end;
        }
    }
    if start < text.len() {
        found(start, &text[start..]);
    }
}

/// A word of a normalised text and the bytes of the original it stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) text: String,
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Word {
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }
}

/// The words of a normalised text with their places in the original.
pub(super) fn spanned_words(pieces: &[Piece]) -> Vec<Word> {
    let text = text::to_string(pieces);
    let mut words = Vec::new();
    // Byte offset in `text` of the piece that comes next.
    let mut at = 0;
    let mut pieces = pieces.iter();
    for_each_word(&text, |start, word| {
        let mut span: Option<(u32, u32)> = None;
        while at < start + word.len()
            && let Some(piece) = pieces.next()
        {
            if at >= start {
                let (from, to) = span.unwrap_or((piece.start, piece.end));
                span = Some((from.min(piece.start), to.max(piece.end)));
            }
            at += piece.ch.len_utf8();
        }
        let (from, to) = span.unwrap_or_default();
        words.push(Word {
            text: word.to_owned(),
            start: from as usize,
            end: to as usize,
        });
    });
    words
}

/// Words with one space between each.
pub(super) fn join(words: &[Word]) -> String {
    let words: Vec<&str> = words.iter().map(Word::as_str).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn blanks_at_the_ends_go(
            text in "[ aक\u{85}\u{a0}\u{1680}\u{2003}\u{3000}é\u{fff}\u{800}\t]{0,4}",
        ) {
            prop_assert_eq!(trim(&text), text.trim_matches(is_blank));
        }
    }
}
