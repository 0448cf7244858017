//! The part of an alignment that is the same for every kind of token.

use super::super::error::{ScoreError, Unit};
use super::super::rates::Counts;
use super::intern::UNKNOWN;
use super::pattern::{self, Pattern};
use super::trace::{Runs, Window};
use super::{banded, bit_matrix};
use std::ops::Range;

/// The table of one reference and the buffers to align hypotheses with it.
#[derive(Debug, Clone)]
pub(super) struct Aligner {
    unit: Unit,
    /// Number of reference tokens.
    len: usize,
    /// The part of the reference that `pattern` holds.
    built: Range<usize>,
    pattern: Pattern,
    distinct: usize,
    /// Ids of the hypothesis, without its ends that are known to match.
    pub(super) hypothesis: Vec<u32>,
    store: Vec<u64>,
    long: banded::Buffers,
    pub(super) runs: Runs,
    /// For the lower bound of the distance: occurrences left per id.
    left: Vec<u32>,
}

impl Aligner {
    pub(super) fn new(unit: Unit) -> Self {
        Self {
            unit,
            len: 0,
            built: 0..0,
            pattern: Pattern::default(),
            distinct: 0,
            hypothesis: Vec::new(),
            store: Vec::new(),
            long: banded::Buffers::default(),
            runs: Runs::default(),
            left: Vec::new(),
        }
    }

    /// Sets the reference to tokens whose ids `intern` appends; it returns how
    /// many different ones there are.
    pub(super) fn set_reference(&mut self, intern: impl FnOnce(&mut Vec<u32>) -> usize) {
        self.pattern.ids.clear();
        self.distinct = intern(&mut self.pattern.ids);
        self.len = self.pattern.ids.len();
        self.built = 0..self.len;
        self.pattern.build(self.distinct);
    }

    /// Sets the reference to `len` tokens without ids yet; see [`Aligner::require`].
    pub(super) fn set_lazy_reference(&mut self, len: usize) {
        self.len = len;
        self.built = 0..0;
        self.pattern.ids.clear();
    }

    /// Makes sure that the tokens in `range` have ids and masks. Most pairs
    /// differ in a small part of the reference: the first hypothesis gets a table
    /// of just that part. The next one that needs more gets all of it, so that no
    /// reference is built more than twice.
    pub(super) fn require(
        &mut self,
        range: Range<usize>,
        intern: impl FnOnce(Range<usize>, &mut Vec<u32>) -> usize,
    ) {
        let covered = self.built.start <= range.start && range.end <= self.built.end;
        if range.is_empty() || covered {
            return;
        }
        self.built = if self.built.is_empty() {
            range
        } else {
            0..self.len
        };
        self.pattern.ids.clear();
        self.distinct = intern(self.built.clone(), &mut self.pattern.ids);
        self.pattern.build(self.distinct);
    }

    /// Number of reference tokens.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Aligns; `prefix` and `suffix` tokens at the ends are known to match (as
    /// much as the documented rule would take off, or less) and are not part of
    /// `self.hypothesis`.
    pub(super) fn align(&mut self, prefix: usize, suffix: usize) -> Result<Counts, ScoreError> {
        let hypothesis = self.hypothesis.as_slice();
        // From here on, places count from the start of the part that is built.
        let rest = match prefix..self.len - suffix {
            rest if rest.is_empty() => 0..0,
            rest => rest.start - self.built.start..rest.end - self.built.start,
        };
        let reference = &self.pattern.ids[rest.clone()];
        let pairs = reference.iter().zip(hypothesis);
        let more_prefix = pairs.take_while(|(r, h)| r == h && **h != UNKNOWN).count();
        let (reference, middle) = (&reference[more_prefix..], &hypothesis[more_prefix..]);
        let pairs = reference.iter().rev().zip(middle.iter().rev());
        let more_suffix = pairs.take_while(|(r, h)| r == h && **h != UNKNOWN).count();
        let middle = &middle[..middle.len() - more_suffix];
        let window = Window {
            start: rest.start + more_prefix,
            end: rest.end - more_suffix,
        };

        let runs = &mut self.runs;
        runs.clear();
        runs.equal_many(suffix + more_suffix);
        if window.len() == 0 || middle.is_empty() {
            runs.delete_many(window.len());
            runs.insert_many(middle.len());
        } else if self.pattern.blocks <= pattern::SMALL_BLOCKS
            && window.blocks() <= bit_matrix::MAX_BLOCKS
            && middle.len() <= bit_matrix::MAX_ROWS
        {
            bit_matrix::align(&self.pattern, middle, window, &mut self.store, runs);
        } else {
            let reference = &self.pattern.ids[window.start..window.end];
            let common = common_tokens(reference, middle, self.distinct, &mut self.left);
            if common == 0 {
                // Nothing matches: the trace goes along the diagonal from the
                // end and then along whichever border is left.
                let pairs = window.len().min(middle.len());
                runs.delete_many(window.len() - pairs);
                runs.substitute_many(pairs);
                runs.insert_many(middle.len() - pairs);
            } else {
                let at_least = window.len().max(middle.len()) - common;
                let (limits, long) = (banded::LIMITS, &mut self.long);
                banded::align(&self.pattern, middle, window, at_least, limits, long, runs)
                    .map_err(|banded::TooDifferent| ScoreError::TooDifferent {
                        unit: self.unit,
                        reference: self.len,
                        hypothesis: prefix + hypothesis.len() + suffix,
                    })?;
            }
        }
        runs.equal_many(prefix + more_prefix);
        runs.finish();
        Ok(runs.counts())
    }
}

impl Aligner {
    /// Aligns what is left of a pair between `prefix` and `suffix` words that are
    /// known to match, given as masks (see [`bit_matrix::align_block`]): one per word
    /// of the hypothesis.
    pub(super) fn align_block(&mut self, prefix: usize, suffix: usize, masks: &[u64]) -> Counts {
        let len = self.len - prefix - suffix;
        let ends = masks.iter().zip(0..len);
        let start = ends.take_while(|(mask, i)| **mask >> i & 1 != 0).count();
        let ends = masks[start..].iter().rev().zip((start..len).rev());
        let after = ends.take_while(|(mask, i)| **mask >> i & 1 != 0).count();
        let masks = &masks[start..masks.len() - after];
        let end = len - after;

        let runs = &mut self.runs;
        runs.clear();
        runs.equal_many(suffix + after);
        if start == end || masks.is_empty() {
            runs.delete_many(end - start);
            runs.insert_many(masks.len());
        } else {
            bit_matrix::align_block(masks, Window { start, end }, &mut self.store, runs);
        }
        runs.equal_many(prefix + start);
        runs.finish();
        runs.counts()
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
