//! A transcription beside its reference: words marked by what became of them.
//!
//! Marks are those of the server's alignment, which the scores are made of: nothing is
//! compared anew here, but for the characters inside a word that was replaced.

mod bits;
mod difference;

use std::borrow::Cow;

use askama::Template;
use askama::filters::HtmlSafe;
use stt_eval_wire::results::WordTime;
use stt_eval_wire::scores::{AlignedWord, Op, Word};

pub use self::bits::{Bit, Invisible};
pub use self::difference::{Part, difference};

use crate::clock::begun;
use crate::language::Direction;
use crate::words::unescaped;

/// Words of a text above which only the first [`SHOWN_FIRST`] are shown until all are
/// asked for.
pub const LONG: usize = 2_000;
/// Words of a long text that are shown at first.
pub const SHOWN_FIRST: usize = 300;

/// What became of a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// It is right.
    Right,
    /// It stands in place of another.
    Replaced,
    /// It is missing.
    Missing,
    /// It was added.
    Added,
    /// It falls on what the reference calls unclear, and is not scored.
    Unclear,
    /// It is no word: blanks and signs between words.
    Between,
}

/// A word, or what stands between two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// What became of it.
    pub mark: Mark,
    /// Its text in runs.
    pub bits: Vec<Bit>,
    /// Of a word that replaces another: that one.
    pub instead_of: String,
    /// Of a word that was transcribed: its first byte in the transcription.
    pub start: Option<usize>,
}

/// A side of an alignment: its text, and how far pieces were made of it.
pub(crate) struct Side<'a> {
    text: &'a str,
    at: usize,
    is_reference: bool,
}

impl<'a> Side<'a> {
    pub(crate) fn of(text: &'a str) -> Self {
        Self {
            text,
            at: 0,
            is_reference: false,
        }
    }

    /// A reference, in which signs of its markup are escaped.
    pub(crate) fn of_reference(text: &'a str) -> Self {
        Self {
            is_reference: true,
            ..Self::of(text)
        }
    }

    /// What stands before a word and was not told yet.
    fn before(&self, word: &Word) -> &'a str {
        self.text.get(self.at..word.start).unwrap_or_default()
    }

    /// The word as it was written; as it was scored where several words were made of
    /// one that was written ("10000" as "ten thousand").
    pub(crate) fn take<'w>(&mut self, word: &'w Word) -> Cow<'w, str>
    where
        'a: 'w,
    {
        let written = (word.start >= self.at)
            .then(|| self.text.get(word.start..word.end))
            .flatten();
        match written {
            Some(text) if !text.is_empty() => {
                self.at = word.end;
                if self.is_reference {
                    unescaped(text)
                } else {
                    Cow::Borrowed(text)
                }
            }
            _ => Cow::Borrowed(&word.text),
        }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }
}

/// A word by itself.
pub(crate) fn one(mark: Mark, text: &str, mode: Invisible) -> Piece {
    let mut bits = Vec::new();
    bits::push(&mut bits, text, false, mode);
    Piece {
        mark,
        bits,
        instead_of: String::new(),
        start: None,
    }
}

/// A word by itself that stands in place of another.
pub(crate) fn replaced(text: &str, instead_of: &str, mode: Invisible) -> Piece {
    let mut bits = Vec::new();
    for part in difference(text, instead_of) {
        bits::push(&mut bits, part.text, part.differs, mode);
    }
    Piece {
        mark: Mark::Replaced,
        bits,
        instead_of: crate::invisible::visible(instead_of).into_owned(),
        start: None,
    }
}

/// Pieces in order.
struct Pieces {
    made: Vec<Piece>,
    mode: Invisible,
}

impl Pieces {
    fn push(&mut self, mark: Mark, text: &str) {
        if text.is_empty() {
            return;
        }
        self.made.push(one(mark, text, self.mode));
    }

    fn between(&mut self, text: &str) {
        if !text.is_empty() {
            self.push(Mark::Between, text);
        } else if !self.made.is_empty() && !self.ends_in_blank() {
            self.push(Mark::Between, " ");
        }
    }

    fn ends_in_blank(&self) -> bool {
        let last = self.made.last().filter(|piece| piece.mark == Mark::Between);
        let bit = last.and_then(|piece| piece.bits.last());
        matches!(bit, Some(Bit::Text(text)) if text.ends_with(char::is_whitespace))
    }

    fn replaced(&mut self, text: &str, instead_of: &str) {
        self.made.push(replaced(text, instead_of, self.mode));
    }

    /// Says where the last piece was transcribed.
    fn stands_at(&mut self, start: usize) {
        if let Some(last) = self.made.last_mut() {
            last.start = Some(start);
        }
    }
}

/// The pieces of a transcription, with what is missing of the reference in its place.
/// Words keep their spelling, and what stands between them stays.
#[must_use]
pub fn pieces(
    reference: &str,
    transcription: &str,
    alignment: &[AlignedWord],
    mode: Invisible,
) -> Vec<Piece> {
    let mut said = Side::of_reference(reference);
    let mut heard = Side::of(transcription);
    let mut pieces = Pieces {
        made: Vec::with_capacity(alignment.len() * 2 + 1),
        mode,
    };
    for aligned in alignment {
        let original = aligned.reference.as_ref().map(|word| said.take(word));
        let Some(word) = &aligned.hypothesis else {
            if let Some(missing) = original {
                pieces.between("");
                pieces.push(Mark::Missing, &missing);
                // It is looked for behind the word before.
                pieces.stands_at(heard.at);
            }
            continue;
        };
        let gap = heard.before(word);
        pieces.between(gap);
        let text = heard.take(word);
        match (aligned.op, original) {
            (Op::Equal, _) => pieces.push(Mark::Right, &text),
            (Op::Substitute, Some(original)) => pieces.replaced(&text, &original),
            (Op::Unclear, _) => pieces.push(Mark::Unclear, &text),
            (Op::Substitute | Op::Insert | Op::Delete, _) => pieces.push(Mark::Added, &text),
        }
        pieces.stands_at(word.start);
    }
    pieces.push(Mark::Between, heard.rest());
    pieces.made
}

/// The pieces of a text that is compared with nothing.
#[must_use]
pub fn plain(text: &str, mode: Invisible) -> Vec<Piece> {
    let mut pieces = Pieces {
        made: Vec::new(),
        mode,
    };
    let mut start = 0;
    for run in text.split_inclusive(char::is_whitespace) {
        pieces.push(Mark::Between, run);
        pieces.stands_at(start);
        start += run.len();
    }
    pieces.made
}

/// The runs of a piece.
#[derive(Template)]
#[template(path = "transcript/runs.html")]
struct Runs<'a> {
    bits: &'a [Bit],
}

impl HtmlSafe for Runs<'_> {}

impl Piece {
    fn runs(&self) -> Runs<'_> {
        Runs { bits: &self.bits }
    }
}

/// Pieces one after the other.
#[derive(Template)]
#[template(path = "transcript/pieces.html")]
pub(crate) struct Marked<'a> {
    pieces: &'a [Piece],
    times: &'a [WordTime],
}

impl<'a> Marked<'a> {
    /// Pieces, with the times of the transcription that they are of.
    pub(crate) fn of(pieces: &'a [Piece], times: &'a [WordTime]) -> Self {
        Self { pieces, times }
    }

    /// When a piece was begun, in milliseconds: of a word in a phrase, when the phrase was.
    fn at(&self, piece: &Piece) -> Option<u32> {
        piece.start.and_then(|start| begun(self.times, start))
    }
}

impl HtmlSafe for Marked<'_> {}

/// A text in its language and direction, its pieces marked for the eye and in words.
#[derive(Template)]
#[template(path = "transcript/line.html")]
pub struct Line<'a> {
    language: &'a str,
    direction: Direction,
    first: Marked<'a>,
    rest: Marked<'a>,
}

impl HtmlSafe for Line<'_> {}

impl<'a> Line<'a> {
    /// A line of pieces in a language (BCP 47).
    #[must_use]
    pub fn new(language: &'a str, pieces: &'a [Piece]) -> Self {
        Self::timed(language, pieces, &[])
    }

    /// The same, its words with their times where these are known.
    #[must_use]
    pub fn timed(language: &'a str, pieces: &'a [Piece], times: &'a [WordTime]) -> Self {
        let is_word = |piece: &Piece| piece.mark != Mark::Between;
        let is_long = pieces.iter().filter(|piece| is_word(piece)).count() > LONG;
        let mut words = 0;
        let end = pieces.iter().position(|piece| {
            words += usize::from(is_word(piece));
            is_long && words > SHOWN_FIRST
        });
        let end = end.unwrap_or(pieces.len());
        let (first, rest) = pieces.split_at_checked(end).unwrap_or((pieces, &[]));
        Self {
            language,
            direction: Direction::of(language),
            first: Marked::of(first, times),
            rest: Marked::of(rest, times),
        }
    }

    /// Set in this direction.
    #[must_use]
    pub fn set(self, direction: Direction) -> Self {
        Self { direction, ..self }
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
