//! How far a corpus score can be trusted, and whether two providers differ.
//!
//! - *Blocks*: samples of one speaker are not independent, so whole blocks are
//!   drawn and swapped (Liu & Peng 2020, "Statistical testing on ASR performance
//!   via blockwise bootstrap", Interspeech). Without blocks each sample is one.
//! - *Intervals*: blocks are resampled (Bisani & Ney 2004, "Bootstrap estimates
//!   for confidence intervals in ASR performance evaluation", ICASSP), and the
//!   interval is studentised, which keeps its promise from about 20 blocks on.
//! - *Verdicts*: a paired permutation test, valid at any number of blocks, with
//!   p-values adjusted for all pairs compared (Holm). Of nine equal providers,
//!   comparing each pair at 5 % tells some two apart in 60 % of all runs.
//!
//! Intervals of two providers may overlap although they differ, and the interval
//! of one pair's difference is not adjusted: verdicts come from the test alone.
//!
//! What none of it tells: how a provider's answers vary when it is asked again.
//! Samples that are rarely of one kind (one in fifty that a model makes up) need
//! to be there to be seen: no method covers what 20 blocks do not show.
//!
//! Seeded: the same samples and seed give the same figures.

mod interval;
mod normal;
mod pair;
mod permutation;
mod sample;
mod table;
mod verdicts;

pub use interval::Interval;
pub use pair::{ALPHA, PairComparison};
pub use permutation::EXACT_BLOCKS;
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::SeedableRng;
pub use sample::Sample;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use table::{Sums, Table};
use thiserror::Error;
pub use verdicts::{ascending, holm};

/// From fewer blocks than this, intervals are not reliable, and how many more
/// would help can't be told.
pub const RELIABLE_BLOCKS: usize = 10;
/// Quantile of the normal distribution for a power of 80 %.
const Z_POWER: f64 = 0.841_621_233_572_914;

/// What cannot be resampled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ResamplingError {
    /// Not every provider (or the list of blocks) covers the same samples.
    #[error("expected {expected} samples, as the first provider has, but got {got}")]
    Uneven {
        /// Samples of the first provider.
        expected: usize,
        /// Samples of another provider, or length of the list of blocks.
        got: usize,
    },
}

/// How intervals and p-values are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resampling {
    /// Resamples of the bootstrap; without any there are no intervals.
    pub replicates: usize,
    /// Draws of the permutation test, above [`EXACT_BLOCKS`].
    pub permutations: usize,
    /// Seed of the generator (xoshiro256++).
    pub seed: u64,
}

impl Default for Resampling {
    /// 1,000 replicates, 10,000 permutations.
    fn default() -> Self {
        Self {
            replicates: 1_000,
            permutations: 10_000,
            seed: 0x5354_5445,
        }
    }
}

/// Figures of one provider. Rates are fractions of 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProviderInterval {
    /// Pooled error rate: errors by reference tokens, 0 or more.
    pub rate: f64,
    /// Its 95 % interval; `None` from one block, and where blocks do not vary.
    pub interval: Option<Interval>,
    /// Best rank that the comparisons leave open, from 1: one more than the
    /// number of providers that are distinguishably better.
    pub rank_best: usize,
    /// Worst rank they leave open.
    pub rank_worst: usize,
    /// Group from 1, by rate: a group ends where a provider is distinguishably
    /// worse than the first of the group.
    pub group: usize,
}

/// Several providers on the same blocks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// In the order given.
    pub providers: Vec<ProviderInterval>,
    /// Every pair once, `a` before `b`.
    pub pairs: Vec<PairComparison>,
    /// Number of blocks, of which intervals and p-values are drawn.
    pub blocks: usize,
    /// Number of samples in these blocks.
    pub samples: usize,
}

impl Comparison {
    /// Whether there are enough blocks for intervals to keep their promise.
    #[must_use]
    pub fn is_reliable(&self) -> bool {
        self.blocks >= RELIABLE_BLOCKS
    }
}

impl Resampling {
    /// Compares providers on the same samples. `providers[p][s]` is sample `s` of
    /// provider `p`; `blocks[s]` names the block of sample `s` (a speaker), and
    /// without `blocks` each sample is its own.
    ///
    /// Time: replicates × blocks × providers, and permutations × (blocks by 64 +
    /// pairs × different sizes of a block's difference); memory: (blocks +
    /// replicates) × providers × 40 bytes.
    ///
    /// # Errors
    /// [`ResamplingError::Uneven`] if the lists differ in length.
    pub fn run<P: AsRef<[Sample]>>(
        &self,
        providers: &[P],
        blocks: Option<&[&str]>,
    ) -> Result<Comparison, ResamplingError> {
        let samples = providers.first().map_or(0, |p| p.as_ref().len());
        let lengths = providers.iter().map(|p| p.as_ref().len());
        for got in lengths.chain(blocks.map(<[&str]>::len)) {
            if got != samples && !providers.is_empty() {
                return Err(ResamplingError::Uneven {
                    expected: samples,
                    got,
                });
            }
        }
        let block_of = blocks.map_or_else(|| (0..samples).collect(), number_blocks);
        let blocks = sums_of_blocks(providers, &block_of);
        let totals = table::totals(&blocks);
        let count = blocks.first().map_or(0, Vec::len);
        let replicates = self.resample(&blocks, &totals);
        let pairs = self.pairs(&blocks, &totals, &replicates);
        let rates: Vec<f64> = totals.iter().map(Sums::rate).collect();
        let standings = verdicts::standings(&rates, &pairs);
        let providers = (0..rates.len()).map(|p| ProviderInterval {
            rate: rates[p],
            interval: interval::of_rate(&totals[p], &replicates[p], count),
            rank_best: standings[p].best,
            rank_worst: standings[p].worst,
            group: standings[p].group,
        });
        Ok(Comparison {
            providers: providers.collect(),
            pairs,
            blocks: count,
            samples,
        })
    }

    /// Sums per provider and replicate.
    fn resample(&self, blocks: &[Vec<Sample>], totals: &[Sums]) -> Vec<Vec<Sums>> {
        let mut replicates = vec![Vec::with_capacity(self.replicates); totals.len()];
        if self.replicates == 0 {
            return replicates;
        }
        let table = Table::new(blocks, totals);
        let mut random = Xoshiro256PlusPlus::seed_from_u64(self.seed);
        for _ in 0..self.replicates {
            for (kept, sums) in replicates.iter_mut().zip(table.draw(&mut random)) {
                kept.push(sums);
            }
        }
        replicates
    }

    fn pairs(
        &self,
        blocks: &[Vec<Sample>],
        totals: &[Sums],
        replicates: &[Vec<Sums>],
    ) -> Vec<PairComparison> {
        let pairs: Vec<(usize, usize)> = (0..totals.len())
            .flat_map(|a| (a + 1..totals.len()).map(move |b| (a, b)))
            .collect();
        let count = blocks.first().map_or(0, Vec::len);
        let p_values = permutation::p_values(blocks, &pairs, self.permutations, self.seed);
        let adjusted = verdicts::holm(&p_values);
        let p_values = p_values.into_iter().zip(adjusted);
        let all = pairs.iter().zip(p_values);
        all.map(|((a, b), (p_value, p_adjusted))| {
            let difference = totals[*a].rate() - totals[*b].rate();
            let both = replicates[*a].iter().zip(&replicates[*b]);
            let both = both.filter(|(a, b)| a.has_rate() && b.has_rate());
            let differences: Vec<f64> = both.map(|(a, b)| a.rate() - b.rate()).collect();
            let probability_a_better = share_better(&differences).filter(|_| count > 1);
            let interval = interval::of_difference(differences, count);
            let distinguishable = verdicts::tells_apart(p_adjusted);
            let hint = !distinguishable && count >= RELIABLE_BLOCKS && difference != 0.0;
            PairComparison {
                a: *a,
                b: *b,
                difference,
                interval,
                probability_a_better,
                p_value,
                p_adjusted,
                distinguishable,
                more_blocks: interval
                    .filter(|_| hint)
                    .map(|i| more_blocks(difference, i.standard_error, count, pairs.len())),
            }
        })
        .collect()
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

/// Errors and reference tokens by provider and block.
fn sums_of_blocks<P: AsRef<[Sample]>>(providers: &[P], block_of: &[usize]) -> Vec<Vec<Sample>> {
    let blocks = block_of.iter().max().map_or(0, |last| last + 1);
    let of = |samples: &P| {
        let mut sums = vec![Sample::default(); blocks];
        for (sample, block) in samples.as_ref().iter().zip(block_of) {
            let sum = &mut sums[*block];
            sum.errors = sum.errors.saturating_add(sample.errors);
            sum.reference = sum.reference.saturating_add(sample.reference);
        }
        sums
    };
    providers.iter().map(of).collect()
}

/// Share of differences below 0; those of 0 count half.
fn share_better(differences: &[f64]) -> Option<f64> {
    let better = differences.iter().filter(|d| **d < 0.0).count();
    let equal = differences.iter().filter(|d| **d == 0.0).count();
    let count = differences.len();
    (count > 0).then(|| (better as f64 + equal as f64 / 2.0) / count as f64)
}

/// Blocks that are missing for 80 % power to tell a difference, at the strictest
/// level that the adjustment asks for.
fn more_blocks(difference: f64, standard_error: f64, blocks: usize, pairs: usize) -> u64 {
    let z = normal::upper(ALPHA / 2.0 / pairs.max(1) as f64) + Z_POWER;
    let needed = (z * standard_error / difference).powi(2) * blocks as f64;
    // `as` saturates.
    (needed.ceil() as u64).saturating_sub(blocks as u64).max(1)
}
