//! Transcriptions of one clip word under word: a column for each word that was said, and
//! for what models added between two.
//!
//! The same alignment as in the lines, which stay: a grid scrolls to the side, and is read
//! out cell by cell.

use std::collections::BTreeMap;

use askama::Template;
use askama::filters::HtmlSafe;
use stt_eval_wire::results::{Result as Heard, WordTime};
use stt_eval_wire::scores::{AlignedWord, Op, Word};

use crate::language::Direction;
use crate::texts::Text;
use crate::transcript::{Invisible, Mark, Marked, Piece, Side, one, replaced};

const WORK: Invisible = Invisible::Work;

/// Columns above which there is no grid: no word is found in it any more.
const MOST_COLUMNS: usize = 300;

/// A word of the reference: where it begins, and which it is of several that were made of
/// one that was written.
type Place = (usize, usize);

/// A column: a word of the reference, or a word that is added behind one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Column {
    /// The word that it stands behind, or is; `None` before the first.
    word: Option<Place>,
    /// 0 for the word itself, then words that are added behind it.
    added: usize,
}

struct Row {
    letter: char,
    cells: Vec<Vec<Piece>>,
    times: Vec<WordTime>,
}

impl Row {
    fn cells(&self) -> impl Iterator<Item = Marked<'_>> {
        let cells = self.cells.iter();
        cells.map(|pieces| Marked::of(pieces, &self.times))
    }
}

/// The grid of a clip.
#[derive(Template)]
#[template(path = "review/grid.html")]
pub(crate) struct Grid {
    language: String,
    direction: Direction,
    /// The word of each column, where it has one.
    head: Vec<Vec<Piece>>,
    said_at: Vec<WordTime>,
    rows: Vec<Row>,
}

impl HtmlSafe for Grid {}

/// What stands in the columns of one transcription; of the reference, what was said.
struct Columns {
    said: BTreeMap<Column, Piece>,
    heard: BTreeMap<Column, Piece>,
}

fn columns(reference: &str, transcription: &str, alignment: &[AlignedWord]) -> Columns {
    let mut said_side = Side::of_reference(reference);
    let mut heard_side = Side::of(transcription);
    let mut found = Columns {
        said: BTreeMap::new(),
        heard: BTreeMap::new(),
    };
    let mut at = Column {
        word: None,
        added: 0,
    };
    let place = |word: &Word, before: Option<Place>| match before {
        Some((start, nth)) if start == word.start => (start, nth + 1),
        _ => (word.start, 0),
    };
    for aligned in alignment {
        let original = aligned.reference.as_ref().map(|word| {
            at = Column {
                word: Some(place(word, at.word)),
                added: 0,
            };
            let text = said_side.take(word);
            let mut piece = one(Mark::Right, &text, WORK);
            piece.start = Some(word.start);
            found.said.insert(at, piece);
            text
        });
        if original.is_none() {
            at.added += 1;
        }
        let mut piece = match (&aligned.hypothesis, original) {
            (Some(word), original) => {
                let text = heard_side.take(word);
                match (aligned.op, original) {
                    (Op::Equal, _) => one(Mark::Right, &text, WORK),
                    (Op::Unclear, _) => one(Mark::Unclear, &text, WORK),
                    (Op::Substitute, Some(original)) => replaced(&text, &original, WORK),
                    (Op::Substitute | Op::Insert | Op::Delete, _) => one(Mark::Added, &text, WORK),
                }
            }
            (None, Some(original)) => one(Mark::Missing, &original, WORK),
            (None, None) => continue,
        };
        piece.start = aligned.hypothesis.as_ref().map(|word| word.start);
        found.heard.insert(at, piece);
    }
    found
}

impl Grid {
    /// Of a clip's transcriptions under their letters, with times of their words, and of
    /// those of the reference; `None` where fewer than two of
    /// them are aligned with one reference, or it would be too wide.
    pub(crate) fn of<'a>(
        slots: impl Iterator<Item = (char, &'a Heard, &'a [WordTime])>,
        said_at: &[WordTime],
    ) -> Option<Self> {
        let aligned = slots.filter_map(|(letter, heard, times)| {
            let alignment = heard.alignment.as_ref().and_then(Option::as_deref)?;
            let texts = (
                heard.ground_truth.as_deref()?,
                heard.transcription.as_deref()?,
            );
            Some(((letter, times), heard, alignment, texts))
        });
        let aligned: Vec<_> = aligned.collect();
        let (_, first, _, (reference, _)) = aligned.first()?;
        if aligned.len() < 2 || aligned.iter().any(|(.., (said, _))| said != reference) {
            return None;
        }
        let mut said: BTreeMap<Column, Option<Piece>> = BTreeMap::new();
        let mut found = Vec::with_capacity(aligned.len());
        for (name, _, alignment, (reference, transcription)) in &aligned {
            let of = columns(reference, transcription, alignment);
            for column in of.heard.keys() {
                said.entry(*column).or_default();
            }
            for (column, piece) in of.said {
                said.insert(column, Some(piece));
            }
            found.push((*name, of.heard));
        }
        if said.is_empty() || said.len() > MOST_COLUMNS {
            return None;
        }
        let rows = found.into_iter().map(|((letter, times), mut heard)| Row {
            letter,
            times: times.to_vec(),
            cells: said
                .keys()
                .map(|column| heard.remove(column).into_iter().collect())
                .collect(),
        });
        Some(Self {
            language: first.language.clone(),
            direction: Direction::of(&first.language),
            said_at: said_at.to_vec(),
            rows: rows.collect(),
            head: said
                .into_values()
                .map(|piece| piece.into_iter().collect())
                .collect(),
        })
    }

    fn head(&self) -> impl Iterator<Item = Option<Marked<'_>>> {
        let pieces = self.head.iter();
        pieces.map(|pieces| (!pieces.is_empty()).then(|| Marked::of(pieces, &self.said_at)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(text: &str, of: &str) -> Option<Word> {
        let start = of.find(text)?;
        Some(Word {
            text: text.to_owned(),
            start,
            end: start + text.len(),
        })
    }

    #[test]
    fn words_stand_in_the_column_of_what_was_said() {
        let (said, heard) = ("one two three", "um one too");
        let aligned = |op, reference: &str, hypothesis: &str| AlignedWord {
            op,
            reference: word(reference, said).filter(|_| !reference.is_empty()),
            hypothesis: word(hypothesis, heard).filter(|_| !hypothesis.is_empty()),
        };
        let alignment = [
            aligned(Op::Insert, "", "um"),
            aligned(Op::Equal, "one", "one"),
            aligned(Op::Substitute, "two", "too"),
            aligned(Op::Delete, "three", ""),
        ];
        let found = columns(said, heard, &alignment);
        let marks = |of: &BTreeMap<Column, Piece>| -> Vec<(Option<usize>, usize, Mark)> {
            let all = of.iter();
            all.map(|(at, piece)| (at.word.map(|(start, _)| start), at.added, piece.mark))
                .collect()
        };
        assert_eq!(
            marks(&found.heard),
            [
                (None, 1, Mark::Added),
                (Some(0), 0, Mark::Right),
                (Some(4), 0, Mark::Replaced),
                (Some(8), 0, Mark::Missing),
            ]
        );
        assert_eq!(found.said.len(), 3);
    }
}
