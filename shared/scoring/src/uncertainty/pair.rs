//! How two providers compare.

use serde::{Deserialize, Serialize};

use super::interval::Interval;

/// Two providers are distinguishable where the adjusted p-value is below.
pub const ALPHA: f64 = 0.05;

/// Two providers on the same blocks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PairComparison {
    /// Index of one provider.
    pub a: usize,
    /// Index of the other, greater than `a`.
    pub b: usize,
    /// Rate of `a` less rate of `b`: negative where `a` is better.
    pub difference: f64,
    /// Its 95 % interval, not adjusted for the number of pairs; `None` as above.
    pub interval: Option<Interval>,
    /// Share of resamples in which `a` is better (equal ones count half);
    /// `None` from one block.
    pub probability_a_better: Option<f64>,
    /// Two-sided p-value of "no difference" by the permutation test, never 0.
    pub p_value: f64,
    /// The same adjusted for all pairs compared (Holm).
    pub p_adjusted: f64,
    /// Whether `p_adjusted` is below [`ALPHA`].
    pub distinguishable: bool,
    /// A rough guess at how many more blocks like these would tell the two apart
    /// with 80 % power among as many pairs, if the difference is what it seems.
    /// `None` if they are distinguishable already or seem equal, and below
    /// [`RELIABLE_BLOCKS`](super::RELIABLE_BLOCKS).
    pub more_blocks: Option<u64>,
}
