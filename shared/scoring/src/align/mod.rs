//! Exact unit-cost alignment of token sequences.
//!
//! # Which alignment, where several are optimal
//! Only the distance is unique. The rule here is that of rapidfuzz (and so of
//! jiwer 4): take off the common prefix, then the common suffix; trace the rest
//! back from its end; if the cell is one more than the cell above (one reference
//! token less), delete; else if, in the column before, the cell is one less than
//! the cell above, insert; else match or substitute. The rule holds at any
//! length here; rapidfuzz itself departs from it on pairs whose matrix exceeds
//! 1 MiB (it divides them).
//!
//! # Cost
//! With m reference and n hypothesis tokens left between prefix and suffix and a
//! distance d: time O(n·⌈min(m, d)/64⌉), memory O(m + n) plus at most 48 MiB. A
//! pair that would need more than 2^28 block steps (about a second), for instance
//! 150,000 unlike tokens on each side, is refused with an error.

mod aligner;
mod all_pairs;
mod band;
mod banded;
mod bit_matrix;
mod counter;
mod graphemes;
mod intern;
mod pattern;
mod skip;
mod step;
#[cfg(test)]
mod tests;
mod trace;

use super::error::{ScoreError, Unit};
use super::rates::Counts;
use super::{spaces, tokens};
use aligner::Aligner;
use all_pairs::{Few, Part};
pub use counter::PairCounter;
pub use graphemes::GraphemeAligner;
use intern::{CharInterner, StrInterner};
use std::ops::Range;
pub use trace::{Op, OpRun};

/// Aligns string tokens. Set a reference once, then
/// align any number of hypotheses with it; buffers are kept between calls.
#[derive(Debug, Clone)]
pub struct TokenAligner {
    interner: StrInterner,
    aligner: Aligner,
}

impl TokenAligner {
    /// An aligner with an empty reference; `unit` only names it in errors.
    pub fn new(unit: Unit) -> Self {
        Self {
            interner: StrInterner::new(),
            aligner: Aligner::new(unit),
        }
    }

    /// Sets the reference and builds its table.
    pub fn set_reference<'a>(&mut self, tokens: impl Iterator<Item = &'a str>) {
        self.interner.clear();
        self.aligner.set_reference(|ids| {
            ids.extend(tokens.map(|token| self.interner.intern(token)));
            self.interner.len()
        });
    }

    /// Aligns a hypothesis with the reference.
    ///
    /// # Errors
    /// [`ScoreError::TooDifferent`] for a pair beyond the limits of this module.
    pub fn align<'a>(
        &mut self,
        tokens: impl Iterator<Item = &'a str>,
    ) -> Result<Counts, ScoreError> {
        let ids = &mut self.aligner.hypothesis;
        ids.clear();
        ids.extend(tokens.map(|token| self.interner.look_up(token)));
        self.aligner.align(0, 0)
    }

    /// The operations of the last alignment, in reading order.
    pub fn runs(&self) -> &[OpRun] {
        self.aligner.runs.as_slice()
    }
}

/// Aligns the words of texts (see [`super::words`]).
///
/// ```
/// use stt_eval_scoring::align::{Op, WordAligner};
///
/// let mut aligner = WordAligner::new();
/// aligner.set_reference("the cat sat");
/// let counts = aligner.align("cat sat down")?;
/// assert_eq!((counts.hits, counts.deletions, counts.insertions), (2, 1, 1));
/// assert_eq!(aligner.runs()[0].op, Op::Delete);
/// # Ok::<(), stt_eval_scoring::ScoreError>(())
/// ```
#[derive(Debug, Clone)]
pub struct WordAligner {
    interner: StrInterner,
    aligner: Aligner,
    few: Few,
    text: String,
    /// One space between words, none at the ends, no other blanks.
    tidy: bool,
}

impl Default for WordAligner {
    fn default() -> Self {
        Self::new()
    }
}

impl WordAligner {
    /// An aligner with an empty reference.
    pub fn new() -> Self {
        Self {
            interner: StrInterner::new(),
            aligner: Aligner::new(Unit::Word),
            few: Few::default(),
            text: String::new(),
            tidy: true,
        }
    }

    /// Sets the reference. Its table is built when first needed.
    pub fn set_reference(&mut self, text: &str) {
        text.clone_into(&mut self.text);
        self.tidy = spaces::is_tidy(text.as_bytes());
        let words = match (self.tidy, text) {
            (true, "") => 0,
            (true, _) => spaces::count(text.as_bytes()) + 1,
            (false, _) => {
                let mut words = 0;
                tokens::for_each_word(text, |_, _| words += 1);
                words
            }
        };
        self.aligner.set_lazy_reference(words);
    }

    /// Aligns the words of `text` with the reference.
    ///
    /// # Errors
    /// [`ScoreError::TooDifferent`] for a pair beyond the limits of this module.
    pub fn align(&mut self, text: &str) -> Result<Counts, ScoreError> {
        let (prefix, suffix) = if self.tidy {
            skip::common_words(self.text.as_bytes(), text.as_bytes())
        } else {
            (0, 0)
        };
        let middle = &text[prefix..text.len() - suffix];
        let aligned = self.tidy && spaces::has_only_spaces(middle.as_bytes());
        if aligned && let Some(result) = self.align_middle(prefix, suffix, text) {
            return result;
        }
        self.require(0..self.aligner.len(), 0..self.text.len());
        let ids = &mut self.aligner.hypothesis;
        ids.clear();
        tokens::for_each_word(text, |_, word| ids.push(self.interner.look_up(word)));
        self.aligner.align(0, 0)
    }

    /// Aligns what is left between bytes at both ends that are the same words in
    /// both texts, each with one space towards the middle. `None` if the middle
    /// turns out not to be tidy.
    fn align_middle(
        &mut self,
        prefix: usize,
        suffix: usize,
        text: &str,
    ) -> Option<Result<Counts, ScoreError>> {
        let end = self.text.len() - suffix;
        let before = spaces::count(&self.text.as_bytes()[..prefix]);
        let after = spaces::count(&self.text.as_bytes()[end..]);
        let part = |text, end| Part {
            text,
            start: prefix,
            end,
        };
        let reference = part(self.text.as_bytes(), end);
        let hypothesis = part(text.as_bytes(), text.len() - suffix);
        if self.aligner.len() - before - after <= all_pairs::MAX_WORDS
            && let Some(masks) = self.few.masks(reference, hypothesis)
        {
            return Some(Ok(self.aligner.align_block(before, after, masks)));
        }
        let middle = &text[prefix..text.len() - suffix];
        self.require(before..self.aligner.len() - after, prefix..end);
        let ids = &mut self.aligner.hypothesis;
        ids.clear();
        let tidy = spaces::for_each_run(middle.as_bytes(), |start, end| {
            ids.push(self.interner.look_up(&middle[start..end]));
        });
        tidy.then(|| self.aligner.align(before, after))
    }

    /// Makes sure that some words of the reference, at the given bytes, have ids.
    fn require(&mut self, words: Range<usize>, bytes: Range<usize>) {
        let Self {
            interner,
            aligner,
            text,
            tidy,
            ..
        } = self;
        let all = aligner.len();
        aligner.require(words, |range, ids| {
            interner.clear();
            let part = if range.len() < all {
                &text[bytes]
            } else {
                text.as_str()
            };
            if *tidy {
                spaces::for_each_run(part.as_bytes(), |start, end| {
                    ids.push(interner.intern(&part[start..end]));
                });
            } else {
                tokens::for_each_word(part, |_, word| ids.push(interner.intern(word)));
            }
            interner.len()
        });
    }

    /// The operations of the last alignment, in reading order.
    pub fn runs(&self) -> &[OpRun] {
        self.aligner.runs.as_slice()
    }
}

/// Aligns code points. Nothing is trimmed.
#[derive(Debug, Clone)]
pub struct CharAligner {
    interner: CharInterner,
    aligner: Aligner,
    text: String,
}

impl Default for CharAligner {
    fn default() -> Self {
        Self::new()
    }
}

impl CharAligner {
    /// An aligner with an empty reference.
    pub fn new() -> Self {
        Self {
            interner: CharInterner::new(),
            aligner: Aligner::new(Unit::Character),
            text: String::new(),
        }
    }

    /// Sets the reference. Its table is built when first needed.
    pub fn set_reference(&mut self, text: &str) {
        text.clone_into(&mut self.text);
        self.aligner.set_lazy_reference(text.chars().count());
    }

    /// Aligns a hypothesis with the reference.
    ///
    /// # Errors
    /// [`ScoreError::TooDifferent`] for a pair beyond the limits of this module.
    pub fn align(&mut self, text: &str) -> Result<Counts, ScoreError> {
        let (prefix, suffix) = skip::common_chars(&self.text, text);
        let first = text[..prefix].chars().count();
        let after = text[text.len() - suffix..].chars().count();
        let Self {
            interner,
            aligner,
            text: reference,
        } = self;
        let len = aligner.len();
        aligner.require(first..len - after, |range, ids| {
            interner.clear();
            // The part just found to differ, or all of it.
            let part = if range.len() < len {
                &reference[prefix..reference.len() - suffix]
            } else {
                reference.as_str()
            };
            ids.extend(part.chars().map(|c| interner.intern(c)));
            interner.len()
        });
        let ids = &mut aligner.hypothesis;
        ids.clear();
        let middle = &text[prefix..text.len() - suffix];
        ids.extend(middle.chars().map(|c| interner.look_up(c)));
        aligner.align(first, after)
    }

    /// The operations of the last alignment, in reading order.
    pub fn runs(&self) -> &[OpRun] {
        self.aligner.runs.as_slice()
    }
}

/// Ids of words, for the choice among variants.
pub(super) struct WordIds(StrInterner);

impl WordIds {
    pub(super) fn new() -> Self {
        Self(StrInterner::new())
    }

    pub(super) fn add(&mut self, word: &str) {
        self.0.intern(word);
    }

    /// The id of an added word; for any other one that equals no added word's.
    pub(super) fn get(&self, word: &str) -> u32 {
        self.0.look_up(word)
    }
}
