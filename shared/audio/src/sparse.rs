//! The bytes of an object known so far, and asking for more.

use std::collections::BTreeMap;
use std::ops::Range;

use bytes::Bytes;

use super::{MAX_BYTES, MAX_FETCHES, Rejection};

/// Least length of the first requests, so that a walk over neighbouring headers costs one. It
/// doubles with every fourth request, up to 32 times: a walk that has come that far is a long one.
const STEP: u64 = 16 * 1024;

/// Bytes of an object known so far: its whole length, and the blocks that were fetched.
#[derive(Debug, Clone, Default)]
pub struct SparseBytes {
    total: u64,
    /// Blocks by offset, without overlap.
    blocks: BTreeMap<u64, Bytes>,
    fetches: u32,
    fetched: u64,
}

/// Why a walk stops before its end.
#[derive(Debug)]
pub(super) enum Stop {
    /// These bytes are not known yet.
    Need(Range<u64>),
    /// The object is refused.
    Reject(Rejection),
}

impl From<Rejection> for Stop {
    fn from(reason: Rejection) -> Self {
        Self::Reject(reason)
    }
}

/// A walk's refusal because the file breaks the rules of its format.
pub(super) fn malformed(what: &str) -> Stop {
    Stop::Reject(Rejection::Malformed(what.to_owned()))
}

impl SparseBytes {
    /// An object of `total_len` bytes of which nothing is known yet.
    pub fn new(total_len: u64) -> Self {
        Self {
            total: total_len,
            ..Self::default()
        }
    }

    /// Adds the answer to one request: the object's bytes from `offset` on.
    ///
    /// Bytes beyond the object's length, and bytes that are known already, are ignored. Every call
    /// counts as one request towards [`MAX_FETCHES`](super::MAX_FETCHES), an empty one too.
    pub fn insert(&mut self, offset: u64, bytes: impl Into<Bytes>) {
        let bytes: Bytes = bytes.into();
        self.fetches = self.fetches.saturating_add(1);
        self.fetched = self.fetched.saturating_add(bytes.len() as u64);
        let end = offset.saturating_add(bytes.len() as u64).min(self.total);
        let mut at = offset;
        while let Some(gap) = self.first_gap(at..end) {
            // Both bounds lie within `bytes`, so they fit into usize.
            let piece = bytes.slice((gap.start - offset) as usize..(gap.end - offset) as usize);
            at = gap.end;
            self.blocks.insert(gap.start, piece);
        }
    }

    /// Length of the whole object in bytes.
    pub fn total_len(&self) -> u64 {
        self.total
    }

    /// How many times [`insert`](Self::insert) was called.
    pub fn fetches(&self) -> u32 {
        self.fetches
    }

    /// How many bytes were inserted, those that were ignored included.
    pub fn fetched_bytes(&self) -> u64 {
        self.fetched
    }

    /// What to fetch after a walk that stopped, within the bounds of one object.
    pub(super) fn next_fetch(&self, stop: Stop) -> Result<Range<u64>, Rejection> {
        let range = match stop {
            Stop::Reject(reason) => return Err(reason),
            Stop::Need(range) => range,
        };
        let more = range.end - range.start;
        let is_too_much = self.fetched_bytes().saturating_add(more) > MAX_BYTES;
        if self.fetches() >= MAX_FETCHES || is_too_much {
            return Err(Rejection::TooScattered);
        }
        Ok(range)
    }

    /// The first run of unknown bytes within `range`.
    fn first_gap(&self, range: Range<u64>) -> Option<Range<u64>> {
        let mut at = range.start;
        while at < range.end {
            if let Some((start, block)) = self.blocks.range(..=at).next_back() {
                let end = start + block.len() as u64;
                if end > at {
                    at = end;
                    continue;
                }
            }
            let next = self
                .blocks
                .range(at..range.end)
                .next()
                .map_or(range.end, |(s, _)| *s);
            return Some(at..next);
        }
        None
    }

    /// `len` bytes from `start`; a request if some are unknown; truncated if they lie beyond the
    /// object's end.
    ///
    /// Callers bound `len`; it never exceeds the bytes that are known.
    pub(super) fn read(&self, start: u64, len: u64) -> Result<Vec<u8>, Stop> {
        let end = start.checked_add(len).filter(|end| *end <= self.total);
        let Some(end) = end else {
            return Err(self.truncated(start.checked_add(len)));
        };
        if let Some(gap) = self.first_gap(start..end) {
            let step = STEP << (self.fetches / 4).min(5);
            let wanted = gap.end.max(gap.start.saturating_add(step)).min(self.total);
            return Err(Stop::Need(gap.start..wanted));
        }
        let mut out = Vec::with_capacity(len as usize);
        let first = self
            .blocks
            .range(..=start)
            .next_back()
            .map_or(start, |(offset, _)| *offset);
        for (offset, block) in self.blocks.range(first..end) {
            let from = start.saturating_sub(*offset).min(block.len() as u64);
            let to = (end - offset).min(block.len() as u64);
            out.extend_from_slice(&block[from as usize..to as usize]);
        }
        Ok(out)
    }

    /// Like [`read`](Self::read), but only as far as the object goes.
    pub(super) fn read_up_to(&self, start: u64, len: u64) -> Result<Vec<u8>, Stop> {
        self.read(start, len.min(self.total.saturating_sub(start)))
    }

    /// Exactly `N` bytes from `start`.
    pub(super) fn array<const N: usize>(&self, start: u64) -> Result<[u8; N], Stop> {
        let bytes = self.read(start, N as u64)?;
        <[u8; N]>::try_from(bytes).map_err(|_| malformed("a header is incomplete"))
    }

    /// The refusal of an object that should have gone on to `expected`.
    pub(super) fn truncated(&self, expected: Option<u64>) -> Stop {
        Stop::Reject(Rejection::Truncated {
            expected_bytes: expected,
            actual_bytes: self.total,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn need(stop: Stop) -> Range<u64> {
        match stop {
            Stop::Need(range) => range,
            Stop::Reject(reason) => panic!("rejected: {reason}"),
        }
    }

    #[test]
    fn overlapping_blocks_read_as_one() {
        let mut bytes = SparseBytes::new(100);
        bytes.insert(10, vec![1u8; 10]);
        bytes.insert(30, vec![3u8; 10]);
        bytes.insert(5, vec![9u8; 40]);
        let seen = bytes.read(5, 40).unwrap();
        assert_eq!(&seen[..5], &[9; 5]);
        assert_eq!(&seen[5..15], &[1; 10]);
        assert_eq!(&seen[15..25], &[9; 10]);
        assert_eq!(&seen[25..35], &[3; 10]);
        assert_eq!(&seen[35..], &[9; 5]);
        assert_eq!((bytes.fetches(), bytes.fetched_bytes()), (3, 60));
    }

    #[test]
    fn a_hole_is_asked_for_and_the_end_is_not() {
        let mut bytes = SparseBytes::new(100_000);
        bytes.insert(0, vec![0u8; 10]);
        assert_eq!(need(bytes.read(5, 10).unwrap_err()), 10..10 + STEP);
        assert_eq!(need(bytes.read(99_990, 10).unwrap_err()), 99_990..100_000);
        assert!(matches!(
            bytes.read(99_990, 11).unwrap_err(),
            Stop::Reject(Rejection::Truncated {
                expected_bytes: Some(100_001),
                ..
            })
        ));
        assert!(matches!(
            bytes.read(u64::MAX, 2).unwrap_err(),
            Stop::Reject(_)
        ));
    }

    #[test]
    fn bytes_beyond_the_object_are_ignored() {
        let mut bytes = SparseBytes::new(4);
        bytes.insert(2, vec![7u8; 50]);
        bytes.insert(u64::MAX, vec![7u8; 3]);
        assert_eq!(bytes.read(2, 2).unwrap(), [7, 7]);
        assert!(bytes.read_up_to(2, 50).is_ok());
    }
}
