//! How far a corpus score can be trusted, and whether two providers differ.
//!
//! - Bisani & Ney (2004), "Bootstrap estimates for confidence intervals in ASR
//!   performance evaluation", ICASSP: resample the samples, compare systems on
//!   the same resamples.
//! - Liu & Peng (2020), "Statistical testing on ASR performance via blockwise
//!   bootstrap", Interspeech: samples of one speaker are not independent, so
//!   whole blocks are resampled.
//!
//! Seeded: the same samples and seed give the same figures on every machine.

mod table;

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::SeedableRng;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use table::Table;
use thiserror::Error;

/// Fewer blocks than this say nothing about their own variation: no two
/// providers are called distinguishable.
pub const MIN_BLOCKS: usize = 5;
const LOW: f64 = 0.025;
const HIGH: f64 = 0.975;
/// Quantiles of the normal distribution: 95 % interval, 80 % power.
const Z_INTERVAL: f64 = 1.959_963_984_540_054;
const Z_POWER: f64 = 0.841_621_233_572_914;

/// One sample of one provider: errors and reference tokens (words or characters).
/// A failed transcription counts all its reference tokens as errors.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sample {
    /// Substitutions, deletions and insertions.
    pub errors: u64,
    /// Reference tokens.
    pub reference: u64,
}

/// What cannot be resampled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BootstrapError {
    /// Not every provider (or the list of blocks) covers the same samples.
    #[error("expected {expected} samples, as the first provider has, but got {got}")]
    Uneven {
        /// Samples of the first provider.
        expected: usize,
        /// Samples of another provider, or length of the list of blocks.
        got: usize,
    },
}

/// A blockwise paired bootstrap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bootstrap {
    /// Number of resamples.
    pub replicates: usize,
    /// Seed of the generator (xoshiro256++).
    pub seed: u64,
}

impl Default for Bootstrap {
    /// 1,000 replicates.
    fn default() -> Self {
        Self {
            replicates: 1000,
            seed: 0x5354_5445,
        }
    }
}

/// Figures of one provider. Rates are fractions of 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProviderInterval {
    /// Pooled error rate.
    pub rate: f64,
    /// Lower end of the 95 % interval (percentiles of the resamples).
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Standard deviation of the resamples.
    pub standard_error: f64,
    /// Best rank that the comparisons leave open, from 1: one more than the
    /// number of providers that are distinguishably better.
    pub rank_best: usize,
    /// Worst rank they leave open.
    pub rank_worst: usize,
    /// Group from 1, by rate: a group ends where a provider is distinguishably
    /// worse than the first of the group.
    pub group: usize,
}

/// Two providers on the same resamples.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PairComparison {
    /// Index of one provider.
    pub a: usize,
    /// Index of the other, greater than `a`.
    pub b: usize,
    /// Rate of `a` less rate of `b`: negative where `a` is better.
    pub difference: f64,
    /// Lower end of its 95 % interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Share of resamples in which `a` is better (equal ones count half).
    pub probability_a_better: f64,
    /// Two-sided p-value of "no difference"; never below 2 / (replicates + 1).
    pub p_value: f64,
    /// Whether the interval leaves out 0 (and there are [`MIN_BLOCKS`] blocks).
    pub distinguishable: bool,
    /// How many more samples like these would tell the two apart with 80 % power,
    /// if the difference is what it seems. `None` if they are distinguishable
    /// already or seem equal.
    pub more_samples: Option<u64>,
}

/// Result of a bootstrap over several providers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// In the order given.
    pub providers: Vec<ProviderInterval>,
    /// Every pair once, `a` before `b`.
    pub pairs: Vec<PairComparison>,
    /// Number of blocks resampled.
    pub blocks: usize,
    /// Number of samples.
    pub samples: usize,
}

impl Bootstrap {
    /// Compares providers on the same samples. `providers[p][s]` is sample `s` of
    /// provider `p`; `blocks[s]` names the block of sample `s` (a speaker), and
    /// without `blocks` each sample is its own.
    ///
    /// Time: replicates × blocks × providers; memory: (blocks + replicates) ×
    /// providers × 16 bytes.
    ///
    /// # Errors
    /// [`BootstrapError::Uneven`] if the lists differ in length.
    pub fn run<P: AsRef<[Sample]>>(
        &self,
        providers: &[P],
        blocks: Option<&[&str]>,
    ) -> Result<Comparison, BootstrapError> {
        let samples = providers.first().map_or(0, |p| p.as_ref().len());
        let lengths = providers.iter().map(|p| p.as_ref().len());
        for got in lengths.chain(blocks.map(<[&str]>::len)) {
            if got != samples && !providers.is_empty() {
                return Err(BootstrapError::Uneven {
                    expected: samples,
                    got,
                });
            }
        }
        let block_of = blocks.map_or_else(|| (0..samples).collect(), number_blocks);
        let table = Table::new(providers, &block_of);
        let replicates = self.resample(&table);
        let total = table.total();
        let pairs: Vec<PairComparison> = (0..providers.len())
            .flat_map(|a| (a + 1..providers.len()).map(move |b| (a, b)))
            .map(|(a, b)| compare(a, b, &total, &replicates, table.blocks, samples))
            .collect();
        Ok(Comparison {
            providers: rank(&total, &replicates, &pairs),
            pairs,
            blocks: table.blocks,
            samples,
        })
    }

    /// Rates per provider and replicate.
    fn resample(&self, table: &Table) -> Vec<Vec<f64>> {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(self.seed);
        let mut rates = vec![Vec::with_capacity(self.replicates); table.providers];
        for _ in 0..self.replicates {
            let sums = table.draw(&mut random);
            for (rates, sample) in rates.iter_mut().zip(table.per_provider(&sums)) {
                rates.push(rate(sample));
            }
        }
        rates
    }
}

fn number_blocks(names: &[&str]) -> Vec<usize> {
    let mut numbers = HashMap::new();
    names
        .iter()
        .map(|name| {
            let next = numbers.len();
            *numbers.entry(*name).or_insert(next)
        })
        .collect()
}

fn rate(sample: Sample) -> f64 {
    // As elsewhere: over no reference tokens the rate is the count of errors.
    sample.errors as f64 / sample.reference.max(1) as f64
}

/// The `q` quantile of ascending values, interpolated.
fn quantile(sorted: &[f64], q: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else {
        return 0.0;
    };
    let place = last as f64 * q;
    let below = place.floor() as usize;
    let above = (below + 1).min(last);
    sorted[below] + (sorted[above] - sorted[below]) * (place - below as f64)
}

fn interval(values: &[f64]) -> (f64, f64) {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    (quantile(&sorted, LOW), quantile(&sorted, HIGH))
}

fn standard_deviation(values: &[f64]) -> f64 {
    if values.len() < 2 {
        return 0.0;
    }
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let squares = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>();
    (squares / (values.len() - 1) as f64).sqrt()
}

fn compare(
    a: usize,
    b: usize,
    total: &[Sample],
    replicates: &[Vec<f64>],
    blocks: usize,
    samples: usize,
) -> PairComparison {
    let differences: Vec<f64> = replicates[a]
        .iter()
        .zip(&replicates[b])
        .map(|(a, b)| a - b)
        .collect();
    let count = differences.len();
    let better = differences.iter().filter(|d| **d < 0.0).count();
    let worse = differences.iter().filter(|d| **d > 0.0).count();
    let equal = count - better - worse;
    let (low, high) = interval(&differences);
    let difference = rate(total[a]) - rate(total[b]);
    let distinguishable = blocks >= MIN_BLOCKS && (low > 0.0 || high < 0.0);
    // The observed data count as one resample, so that p is never 0 (Davison &
    // Hinkley 1997, section 4.2).
    let rarer = better.min(worse) + equal + 1;
    let p_value = if blocks < MIN_BLOCKS {
        1.0
    } else {
        (2.0 * rarer as f64 / (count + 1) as f64).min(1.0)
    };
    let needed = ((Z_INTERVAL + Z_POWER) * standard_deviation(&differences) / difference).powi(2)
        * samples as f64;
    PairComparison {
        a,
        b,
        difference,
        low,
        high,
        probability_a_better: if count == 0 {
            0.5
        } else {
            (better as f64 + equal as f64 / 2.0) / count as f64
        },
        p_value,
        distinguishable,
        more_samples: (!distinguishable && difference != 0.0)
            .then(|| (needed.ceil() as u64).saturating_sub(samples as u64).max(1)),
    }
}

fn rank(
    total: &[Sample],
    replicates: &[Vec<f64>],
    pairs: &[PairComparison],
) -> Vec<ProviderInterval> {
    // Whether `a` is distinguishably better than `b`.
    let beats = |a: usize, b: usize| {
        pairs.iter().any(|pair| {
            pair.distinguishable
                && ((pair.a, pair.b) == (a, b) && pair.difference < 0.0
                    || (pair.a, pair.b) == (b, a) && pair.difference > 0.0)
        })
    };
    let count = total.len();
    let mut intervals: Vec<ProviderInterval> = (0..count)
        .map(|p| {
            let (low, high) = interval(&replicates[p]);
            ProviderInterval {
                rate: rate(total[p]),
                low,
                high,
                standard_error: standard_deviation(&replicates[p]),
                rank_best: 1 + (0..count).filter(|q| beats(*q, p)).count(),
                rank_worst: count - (0..count).filter(|q| beats(p, *q)).count(),
                group: 0,
            }
        })
        .collect();
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by(|a, b| intervals[*a].rate.total_cmp(&intervals[*b].rate));
    let (mut group, mut leader) = (0, None);
    for p in order {
        if leader.is_none_or(|leader| beats(leader, p)) {
            group += 1;
            leader = Some(p);
        }
        intervals[p].group = group;
    }
    intervals
}
