//! The result of a trace: runs of equal operations.

use super::super::rates::Counts;
use serde::{Deserialize, Serialize};

/// One edit operation, seen from the reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Op {
    /// The tokens are equal.
    Equal,
    /// A reference token stands as another in the hypothesis.
    Substitute,
    /// A reference token is missing from the hypothesis.
    Delete,
    /// A hypothesis token is not in the reference.
    Insert,
    /// A hypothesis word falls on a `<*>` of the reference and is not scored.
    /// Only [`align_words`](super::super::align_words) tells of these.
    Unclear,
}

/// The same operation `len` times in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpRun {
    /// The operation.
    pub op: Op,
    /// How often, at least once.
    pub len: u32,
}

/// Operations gathered from the last to the first.
#[derive(Debug, Clone, Default)]
pub(super) struct Runs {
    runs: Vec<OpRun>,
    counts: Counts,
}

impl Runs {
    pub(super) fn clear(&mut self) {
        self.runs.clear();
        self.counts = Counts::default();
    }

    #[inline]
    fn push(&mut self, op: Op, len: usize) {
        if len == 0 {
            return;
        }
        // Tokens are at least a byte each and texts far below 4 GiB.
        let len = len as u32;
        match self.runs.last_mut() {
            Some(last) if last.op == op => last.len += len,
            _ => self.runs.push(OpRun { op, len }),
        }
    }

    #[inline]
    pub(super) fn delete(&mut self) {
        self.delete_many(1);
    }

    #[inline]
    pub(super) fn insert(&mut self) {
        self.insert_many(1);
    }

    /// One token against one token.
    #[inline]
    pub(super) fn pair(&mut self, equal: bool) {
        if equal {
            self.equal_many(1);
        } else {
            self.substitute_many(1);
        }
    }

    pub(super) fn equal_many(&mut self, len: usize) {
        self.push(Op::Equal, len);
    }

    pub(super) fn substitute_many(&mut self, len: usize) {
        self.push(Op::Substitute, len);
    }

    pub(super) fn delete_many(&mut self, len: usize) {
        self.push(Op::Delete, len);
    }

    pub(super) fn insert_many(&mut self, len: usize) {
        self.push(Op::Insert, len);
    }

    /// Brings the runs into reading order and counts them.
    pub(super) fn finish(&mut self) {
        self.runs.reverse();
        for run in &self.runs {
            let len = u64::from(run.len);
            match run.op {
                Op::Equal => self.counts.hits += len,
                Op::Substitute => self.counts.substitutions += len,
                Op::Delete => self.counts.deletions += len,
                Op::Insert => self.counts.insertions += len,
                Op::Unclear => {}
            }
        }
    }

    pub(super) fn as_slice(&self) -> &[OpRun] {
        &self.runs
    }

    pub(super) fn counts(&self) -> Counts {
        self.counts
    }
}

/// The part of a reference that is left once the prefix and the suffix it shares
/// with the hypothesis are taken off; never empty.
///
/// The masks of the whole reference serve for the part: bits before `start`
/// begin as 0 in both vertical vectors and match nothing. The recurrence keeps
/// them 0 and passes the +1 of the top border through them, so that the cell
/// before `start` behaves as the border of the smaller matrix. Bits from `end`
/// on never influence lower bits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Window {
    pub(super) fn len(self) -> usize {
        self.end - self.start
    }

    /// Number of 64-bit blocks it touches.
    pub(super) fn blocks(self) -> usize {
        (self.end - 1) / 64 - self.start / 64 + 1
    }
}
