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

mod banded;
mod intern;
mod pattern;
mod small;
mod step;
#[cfg(test)]
mod tests;
mod trace;

use super::error::{ScoreError, Unit};
use super::metrics::Counts;
use super::tokens;
use intern::{CharInterner, StrInterner, UNKNOWN};
use pattern::Pattern;
use trace::{Runs, Window};
pub use trace::{Op, OpRun};

/// The table of one reference and the buffers to align hypotheses with it.
#[derive(Debug, Clone)]
struct Core {
    unit: Unit,
    pattern: Pattern,
    distinct: usize,
    hypothesis: Vec<u32>,
    store: Vec<u64>,
    long: banded::Buffers,
    runs: Runs,
    /// For the lower bound of the distance: occurrences left per id.
    left: Vec<u32>,
}

impl Core {
    fn new(unit: Unit) -> Self {
        Self {
            unit,
            pattern: Pattern::default(),
            distinct: 0,
            hypothesis: Vec::new(),
            store: Vec::new(),
            long: banded::Buffers::default(),
            runs: Runs::default(),
            left: Vec::new(),
        }
    }

    fn finish_reference(&mut self, distinct: usize) {
        self.distinct = distinct;
        self.pattern.build(distinct);
    }

    fn align(&mut self) -> Result<Counts, ScoreError> {
        let reference = &self.pattern.ids;
        let hypothesis = &self.hypothesis;
        let prefix = reference
            .iter()
            .zip(hypothesis)
            .take_while(|(r, h)| r == h)
            .count();
        let suffix = reference[prefix..]
            .iter()
            .rev()
            .zip(hypothesis[prefix..].iter().rev())
            .take_while(|(r, h)| r == h)
            .count();
        let window = Window {
            start: prefix,
            end: reference.len() - suffix,
        };
        let middle = &hypothesis[prefix..hypothesis.len() - suffix];
        let runs = &mut self.runs;
        runs.clear();
        runs.equal_many(suffix);
        if window.len() == 0 || middle.is_empty() {
            runs.delete_many(window.len());
            runs.insert_many(middle.len());
        } else if window.blocks() <= small::MAX_BLOCKS
            && self.pattern.blocks <= pattern::SMALL_BLOCKS
            && middle.len() <= small::MAX_ROWS
        {
            small::align(&self.pattern, middle, window, &mut self.store, runs);
        } else {
            let common = common_tokens(
                &reference[window.start..window.end],
                middle,
                self.distinct,
                &mut self.left,
            );
            let at_least = window.len().max(middle.len()) - common;
            if common == 0 {
                // Nothing matches: the trace goes along the diagonal from the
                // end and then along whichever border is left.
                let pairs = window.len().min(middle.len());
                runs.delete_many(window.len() - pairs);
                runs.substitute_many(pairs);
                runs.insert_many(middle.len() - pairs);
            } else {
                banded::align(
                    &self.pattern,
                    middle,
                    window,
                    at_least,
                    banded::LIMITS,
                    &mut self.long,
                    runs,
                )
                .map_err(|banded::TooDifferent| ScoreError::TooDifferent {
                    unit: self.unit,
                    reference: reference.len(),
                    hypothesis: hypothesis.len(),
                })?;
            }
        }
        runs.equal_many(prefix);
        runs.finish();
        Ok(runs.counts())
    }
}

/// How many tokens the two share regardless of order; the distance is at least
/// the longer length less this.
fn common_tokens(
    reference: &[u32],
    hypothesis: &[u32],
    distinct: usize,
    left: &mut Vec<u32>,
) -> usize {
    left.clear();
    left.resize(distinct, 0);
    for id in reference {
        left[*id as usize] += 1;
    }
    let mut common = 0;
    for id in hypothesis.iter().filter(|id| **id != UNKNOWN) {
        let count = &mut left[*id as usize];
        if *count > 0 {
            *count -= 1;
            common += 1;
        }
    }
    common
}

/// Aligns string tokens (words or grapheme clusters). Set a reference once, then
/// align any number of hypotheses with it; buffers are kept between calls.
///
/// ```
/// use stt_eval_shared::scoring::align::{Op, TokenAligner};
/// use stt_eval_shared::scoring::Unit;
///
/// let mut aligner = TokenAligner::new(Unit::Word);
/// aligner.set_reference("the cat sat".split(' '));
/// let counts = aligner.align("cat sat down".split(' '))?;
/// assert_eq!((counts.hits, counts.deletions, counts.insertions), (2, 1, 1));
/// assert_eq!(aligner.runs()[0].op, Op::Delete);
/// # Ok::<(), stt_eval_shared::scoring::ScoreError>(())
/// ```
#[derive(Debug, Clone)]
pub struct TokenAligner {
    interner: StrInterner,
    core: Core,
}

impl TokenAligner {
    /// An aligner with an empty reference; `unit` only names it in errors.
    pub fn new(unit: Unit) -> Self {
        Self {
            interner: StrInterner::new(),
            core: Core::new(unit),
        }
    }

    /// Sets the reference and builds its table.
    pub fn set_reference<'a>(&mut self, tokens: impl Iterator<Item = &'a str>) {
        self.interner.clear();
        let ids = &mut self.core.pattern.ids;
        ids.clear();
        ids.extend(tokens.map(|token| self.interner.intern(token)));
        self.core.finish_reference(self.interner.len());
    }

    /// Sets the words of `text` (see [`super::words`]) as the reference.
    pub fn set_reference_text(&mut self, text: &str) {
        self.interner.clear();
        let ids = &mut self.core.pattern.ids;
        ids.clear();
        tokens::for_each_word(text, |_, word| ids.push(self.interner.intern(word)));
        self.core.finish_reference(self.interner.len());
    }

    /// Aligns a hypothesis with the reference.
    ///
    /// # Errors
    /// [`ScoreError::TooDifferent`] for a pair beyond the limits of this module.
    pub fn align<'a>(
        &mut self,
        tokens: impl Iterator<Item = &'a str>,
    ) -> Result<Counts, ScoreError> {
        let ids = &mut self.core.hypothesis;
        ids.clear();
        ids.extend(tokens.map(|token| self.interner.look_up(token)));
        self.core.align()
    }

    /// Aligns the words of `text` with the reference.
    ///
    /// # Errors
    /// As [`TokenAligner::align`].
    pub fn align_text(&mut self, text: &str) -> Result<Counts, ScoreError> {
        let ids = &mut self.core.hypothesis;
        ids.clear();
        tokens::for_each_word(text, |_, word| ids.push(self.interner.look_up(word)));
        self.core.align()
    }

    /// The operations of the last alignment, in reading order.
    pub fn runs(&self) -> &[OpRun] {
        self.core.runs.as_slice()
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

/// Aligns code points. As [`TokenAligner`], for characters.
#[derive(Debug, Clone)]
pub struct CharAligner {
    interner: CharInterner,
    core: Core,
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
            core: Core::new(Unit::Character),
        }
    }

    /// Sets the reference and builds its table. Nothing is trimmed.
    pub fn set_reference(&mut self, text: &str) {
        self.interner.clear();
        let ids = &mut self.core.pattern.ids;
        ids.clear();
        ids.extend(text.chars().map(|c| self.interner.intern(c)));
        self.core.finish_reference(self.interner.len());
    }

    /// Aligns a hypothesis with the reference.
    ///
    /// # Errors
    /// [`ScoreError::TooDifferent`] for a pair beyond the limits of this module.
    pub fn align(&mut self, text: &str) -> Result<Counts, ScoreError> {
        let ids = &mut self.core.hypothesis;
        ids.clear();
        ids.extend(text.chars().map(|c| self.interner.look_up(c)));
        self.core.align()
    }

    /// The operations of the last alignment, in reading order.
    pub fn runs(&self) -> &[OpRun] {
        self.core.runs.as_slice()
    }
}
