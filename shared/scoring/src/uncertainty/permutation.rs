//! Whether two providers differ: a paired permutation test.
//!
//! If they do not, then in any block what one did could as well be what the
//! other did. So the two are swapped in a random half of the blocks, again and
//! again; p is the share of swaps that set them at least as far apart as they
//! are (Good 2005, "Permutation, parametric, and bootstrap tests", chapter 3).
//! Valid at any number of blocks, also where the intervals are not: five blocks
//! have 32 ways, two of which are as far apart as any, so p is at least 0.0625.
//!
//! What is compared is the difference of the pooled rates. With errors `e` and
//! reference tokens `r` in each block, and `E` and `R` their sums over *both*,
//! it is, but for a positive factor, the sum over blocks of
//! `R (e_a - e_b) - E (r_a - r_b)`: a swap changes the sign of its block's term
//! and nothing else. Where the references are the same, as they are but for
//! variants of different length, only the errors are swapped and the term is
//! `e_a - e_b`. All are integers, so that ties are ties.
//!
//! Speed: blocks with equal terms need no signs of their own, only how many of
//! them are swapped, which is a count of random bits; for the rest, eight signs
//! at once choose from a table. The bits of a draw are made once for all pairs.

use super::sample::Sample;
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

/// Up to so many blocks on which two providers differ, every way of swapping
/// is looked at.
pub const EXACT_BLOCKS: usize = 12;
/// Equal terms from which on counting is faster than choosing from tables.
const MANY: usize = 8;
/// Words of the bits of draws that are made at once: they stay in the nearest
/// cache.
const BATCH_WORDS: usize = 1_024;

/// Terms of the blocks in which two providers differ, reduced to what fits: the
/// sum of all stays below 2^62.
fn terms(a: &[Sample], b: &[Sample]) -> Vec<i64> {
    let wide = |n: u64| i128::from(n);
    let sum = |of: fn(&Sample) -> u64| -> i128 { a.iter().chain(b).map(of).map(wide).sum() };
    let (errors, reference) = (sum(|s| s.errors), sum(|s| s.reference));
    if reference == 0 {
        // Without a word there is no rate, and none that differs.
        return Vec::new();
    }
    let same = a.iter().zip(b).all(|(a, b)| a.reference == b.reference);
    let mut terms: Vec<i128> = a
        .iter()
        .zip(b)
        .map(|(a, b)| {
            let e = wide(a.errors) - wide(b.errors);
            let r = wide(a.reference) - wide(b.reference);
            if same {
                e
            } else {
                let errors = errors.saturating_mul(r);
                reference.saturating_mul(e).saturating_sub(errors)
            }
        })
        .filter(|term| *term != 0)
        .collect();
    let divisor = terms.iter().fold(0, |d, term| gcd(d, term.unsigned_abs()));
    if let Ok(divisor) = i128::try_from(divisor.max(1)) {
        terms.iter_mut().for_each(|term| *term /= divisor);
    }
    // Beyond anything real. Any statistic makes a valid test, this one too.
    let mut total = terms.iter().map(|term| term.unsigned_abs()).sum::<u128>();
    let mut shift = 0;
    while total >> 62 > 0 {
        (total, shift) = (total >> 1, shift + 1);
    }
    let fits = |term: i128| i64::try_from(term >> shift).unwrap_or(i64::MAX);
    terms.into_iter().map(fits).collect()
}

fn gcd(mut a: u128, mut b: u128) -> u128 {
    while b > 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// The test of one pair.
struct Pair {
    /// Sizes of the terms, most frequent ones first.
    sizes: Vec<u64>,
    /// Equal terms: size, and the bit after their last.
    counted: Vec<(u64, usize)>,
    /// Of eight terms each: what is swapped, by their signs.
    tables: Vec<[u64; 256]>,
    /// Byte of the first table's signs.
    first_byte: usize,
    /// Sum of the sizes.
    total: u64,
    /// How far apart they are, as a size.
    observed: u64,
}

impl Pair {
    fn new(terms: &[i64]) -> Self {
        let mut sizes: Vec<u64> = terms.iter().map(|term| term.unsigned_abs()).collect();
        sizes.sort_unstable();
        let mut groups: Vec<&[u64]> = sizes.chunk_by(|a, b| a == b).collect();
        groups.sort_by_key(|group| std::cmp::Reverse(group.len()));
        let (many, few) = groups.split_at(groups.partition_point(|group| group.len() >= MANY));
        let mut end = 0;
        let counted: Vec<(u64, usize)> = many
            .iter()
            .map(|group| {
                end += group.len();
                (group[0], end)
            })
            .collect();
        let tables = few.concat().chunks(8).map(table).collect();
        Self {
            counted,
            tables,
            first_byte: end.div_ceil(8),
            total: sizes.iter().sum(),
            observed: terms.iter().sum::<i64>().unsigned_abs(),
            sizes: groups.concat(),
        }
    }

    /// Whether swapping terms of so much in all leaves them at least as far
    /// apart.
    fn is_extreme(&self, swapped: u64) -> bool {
        self.total.abs_diff(2 * swapped) >= self.observed
    }

    /// Share of all ways of swapping.
    fn exact(&self) -> f64 {
        // Half of them: each has a mirror image that is as far apart.
        let ways = 1u32 << self.sizes.len().saturating_sub(1);
        let mut swapped = 0u64;
        let mut extreme = u32::from(self.is_extreme(0));
        // Each way differs from the one before in one block.
        for way in 1..ways {
            let block = way.trailing_zeros();
            let size = self.sizes[block as usize];
            if (way ^ (way >> 1)) >> block & 1 == 1 {
                swapped += size;
            } else {
                swapped -= size;
            }
            extreme += u32::from(self.is_extreme(swapped));
        }
        f64::from(extreme) / f64::from(ways)
    }

    /// Number of draws that leave them at least as far apart.
    fn extreme(&self, draws: &Draws) -> usize {
        draws
            .each()
            .filter(|(bits, ranks)| {
                let (mut swapped, mut below) = (0, 0);
                for (size, end) in &self.counted {
                    let word = end / 64;
                    let part = bits[word] & ((1 << (end % 64)) - 1);
                    let rank = ranks[word] + part.count_ones();
                    swapped += size * u64::from(rank - below);
                    below = rank;
                }
                let signs = |byte: usize| (bits[byte / 8] >> (byte % 8 * 8)) as usize & 255;
                for (index, table) in self.tables.iter().enumerate() {
                    swapped += table[signs(self.first_byte + index)];
                }
                self.is_extreme(swapped)
            })
            .count()
    }
}

/// By the signs of up to eight terms: how much of them is swapped.
fn table(terms: &[u64]) -> [u64; 256] {
    let mut table = [0; 256];
    for signs in 1..256usize {
        let bit = signs.trailing_zeros() as usize;
        table[signs] = table[signs & (signs - 1)] + terms.get(bit).copied().unwrap_or(0);
    }
    table
}

/// Random bits of some draws.
struct Draws {
    /// Words of a draw.
    words: usize,
    /// Draws at once.
    most: usize,
    bits: Vec<u64>,
    /// For each word, how many bits are set in the words before it.
    ranks: Vec<u32>,
}

impl Draws {
    /// Room for the bits of draws over so many blocks. A group of bits may end
    /// up to seven bits later than it must.
    fn new(blocks: usize) -> Self {
        let words = blocks / 64 + 2;
        Self {
            words,
            most: (BATCH_WORDS / words).max(1),
            bits: Vec::new(),
            ranks: Vec::new(),
        }
    }

    fn renew(&mut self, random: &mut Xoshiro256PlusPlus, count: usize) {
        self.bits.resize(self.words * count, 0);
        self.ranks.resize(self.words * count, 0);
        let words = self.bits.chunks_exact_mut(self.words);
        for (bits, ranks) in words.zip(self.ranks.chunks_exact_mut(self.words)) {
            let mut rank = 0;
            for (word, before) in bits.iter_mut().zip(ranks) {
                *word = random.next_u64();
                *before = rank;
                rank += word.count_ones();
            }
        }
    }

    fn each(&self) -> impl Iterator<Item = (&[u64], &[u32])> {
        let bits = self.bits.chunks_exact(self.words);
        bits.zip(self.ranks.chunks_exact(self.words))
    }
}

/// Two-sided p-values of pairs of providers, whose blocks are given. The same
/// for a pair whichever others are asked for.
pub(super) fn p_values(
    blocks: &[Vec<Sample>],
    pairs: &[(usize, usize)],
    draws: usize,
    seed: u64,
) -> Vec<f64> {
    let count = blocks.first().map_or(0, Vec::len);
    let mut values = vec![1.0; pairs.len()];
    let mut sampled = Vec::new();
    for (index, (a, b)) in pairs.iter().enumerate() {
        let terms = terms(&blocks[*a], &blocks[*b]);
        let pair = Pair::new(&terms);
        if terms.len() <= EXACT_BLOCKS {
            values[index] = pair.exact();
        } else {
            sampled.push((index, pair, 0));
        }
    }
    if sampled.is_empty() {
        return values;
    }
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut bits = Draws::new(count);
    for start in (0..draws).step_by(bits.most) {
        bits.renew(&mut random, bits.most.min(draws - start));
        for (_, pair, extreme) in &mut sampled {
            *extreme += pair.extreme(&bits);
        }
    }
    for (index, _, extreme) in sampled {
        // What was seen counts as one of the draws, so that p is never 0 and the
        // test stays valid (Phipson & Smyth 2010).
        values[index] = (extreme + 1) as f64 / (draws + 1) as f64;
    }
    values
}

#[cfg(test)]
#[path = "permutation_tests.rs"]
mod tests;
