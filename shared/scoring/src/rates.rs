//! Counts of an alignment and the rates made of them.
//!
//! Definitions: Morris, Maier, Green (2004), "From WER and RIL to MER and WIL",
//! Interspeech; the corner cases (empty reference, empty hypothesis) are those of
//! jiwer 4, so that figures can be compared one to one.

use serde::{Deserialize, Serialize};

/// Operations of one alignment, or the sum over many. Integers only, so that a
/// sum never depends on the order of its parts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Counts {
    /// Tokens that are equal on both sides (H).
    pub hits: u64,
    /// Reference tokens replaced by another (S).
    pub substitutions: u64,
    /// Reference tokens with nothing in the hypothesis (D).
    pub deletions: u64,
    /// Hypothesis tokens with nothing in the reference (I).
    pub insertions: u64,
}

impl Counts {
    /// Counts of a reference of which nothing was transcribed: all deletions.
    pub fn all_deleted(reference: u64) -> Self {
        Self {
            deletions: reference,
            ..Self::default()
        }
    }

    /// Number of reference tokens: N = H + S + D.
    pub fn reference(&self) -> u64 {
        self.hits + self.substitutions + self.deletions
    }

    /// Number of hypothesis tokens: P = H + S + I.
    pub fn hypothesis(&self) -> u64 {
        self.hits + self.substitutions + self.insertions
    }

    /// The edit distance: S + D + I.
    pub fn errors(&self) -> u64 {
        self.substitutions + self.deletions + self.insertions
    }

    /// Adds the counts of another alignment.
    pub fn add(&mut self, other: &Counts) {
        self.hits += other.hits;
        self.substitutions += other.substitutions;
        self.deletions += other.deletions;
        self.insertions += other.insertions;
    }

    /// The rates of these counts.
    pub fn rates(&self) -> Rates {
        let (reference, hypothesis) = (self.reference(), self.hypothesis());
        if reference == 0 {
            // No rate exists over nothing. As jiwer: the count of insertions,
            // so that output on silence is never free.
            let silent = hypothesis == 0;
            let wip = if silent { 1.0 } else { 0.0 };
            return Rates {
                error_rate: self.insertions as f64,
                mer: if silent { 0.0 } else { 1.0 },
                wip,
                wil: 1.0 - wip,
            };
        }
        let errors = self.errors() as f64;
        let hits = self.hits as f64;
        let wip = if hypothesis == 0 {
            0.0
        } else {
            (hits / reference as f64) * (hits / hypothesis as f64)
        };
        Rates {
            error_rate: errors / reference as f64,
            mer: errors / (reference + self.insertions) as f64,
            wip,
            wil: 1.0 - wip,
        }
    }

    /// The error rate alone: (S + D + I) / N, or I where N = 0. A fraction of 1,
    /// not a percentage; above 1 where there are many insertions.
    pub fn error_rate(&self) -> f64 {
        self.rates().error_rate
    }
}

/// Rates of one set of [`Counts`], as fractions of 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Rates {
    /// (S + D + I) / N: WER over words, CER over characters. Not bounded by 1.
    pub error_rate: f64,
    /// Match error rate (S + D + I) / (H + S + D + I), from 0 to 1.
    pub mer: f64,
    /// Word information preserved (H/N)(H/P), from 0 to 1.
    pub wip: f64,
    /// Word information lost, 1 - WIP.
    pub wil: f64,
}
