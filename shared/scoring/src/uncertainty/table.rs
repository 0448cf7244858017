//! Sums per block, laid out for drawing blocks at random.

use super::sample::Sample;
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::Rng;

/// Sums over blocks of one provider.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Sums {
    /// Errors; exact, as is the next.
    pub(super) errors: f64,
    /// Reference tokens.
    pub(super) reference: f64,
    /// With `x`, what the errors of a block are above those that the pooled rate
    /// of all blocks makes one expect: squares of `x`.
    above2: f64,
    /// Products of `x` and reference tokens.
    product: f64,
    /// Squares of reference tokens.
    reference2: f64,
}

impl Sums {
    /// Whether there is anything that a rate could be of.
    pub(super) fn has_rate(&self) -> bool {
        self.reference >= 1.0
    }

    /// Pooled rate. As elsewhere: over no reference tokens it is the count of
    /// errors.
    pub(super) fn rate(&self) -> f64 {
        self.errors / self.reference.max(1.0)
    }

    /// Standard error of the rate, from how the blocks vary about it: that of
    /// a ratio of means (Cochran 1977, section 6.4). 0 where they do not vary.
    /// `pooled` is the rate of all blocks.
    pub(super) fn standard_error(&self, blocks: usize, pooled: f64) -> f64 {
        let off = self.rate() - pooled;
        let squares = self.above2 - 2.0 * off * self.product + off * off * self.reference2;
        // What is left of equal blocks is rounding.
        if blocks < 2 || squares <= 1e-12 * self.reference2.max(1.0) {
            return 0.0;
        }
        let correction = blocks as f64 / (blocks - 1) as f64;
        (squares * correction).sqrt() / self.reference.max(1.0)
    }
}

/// Numbers that sums are kept in.
trait Number: Copy + Default + std::ops::AddAssign + Into<f64> {
    fn of(value: f64) -> Self;
}

impl Number for f64 {
    fn of(value: f64) -> Self {
        value
    }
}

impl Number for f32 {
    fn of(value: f64) -> Self {
        value as f32
    }
}

/// Numbers that are added at once.
const LANE: usize = 8;
type Lane<N> = [N; LANE];
/// Up to so many blocks there is no hurry.
const FEW_BLOCKS: usize = 1_000;
/// Below, integers are exact in single precision.
const EXACT: u64 = 1 << 24;

/// Where the numbers of a provider stand in a row: reference, its square, and
/// from there errors and the other two. The first two are the same for all
/// providers when their references are, and are kept once.
#[derive(Clone, Copy)]
struct Places {
    reference: usize,
    own: usize,
}

/// One row per block, so that a draw touches one place.
struct Rows<N> {
    rows: Vec<Lane<N>>,
    /// Lanes per row.
    width: usize,
    blocks: usize,
    places: Vec<Places>,
}

impl<N: Number> Rows<N> {
    fn new(providers: &[Vec<Sample>], pooled: &[f64]) -> Self {
        let blocks = providers.first().map_or(0, Vec::len);
        let shared = providers.windows(2).all(|two| {
            let mut both = two[0].iter().zip(&two[1]);
            both.all(|(a, b)| a.reference == b.reference)
        });
        let place = |p: usize| match shared {
            true => Places {
                reference: 0,
                own: 2 + p * 3,
            },
            false => Places {
                reference: p * 5,
                own: p * 5 + 2,
            },
        };
        let places: Vec<Places> = (0..providers.len()).map(place).collect();
        let width = places
            .last()
            .map_or(0, |last| (last.own + 3).div_ceil(LANE));
        let mut rows = vec![Lane::default(); blocks * width];
        for ((samples, place), pooled) in providers.iter().zip(&places).zip(pooled) {
            for (row, sample) in rows.chunks_exact_mut(width).zip(samples) {
                let (e, r) = (sample.errors as f64, sample.reference as f64);
                let x = e - pooled * r;
                let row = row.as_flattened_mut();
                for (at, value) in [(place.reference, r), (place.reference + 1, r * r)] {
                    row[at] = N::of(value);
                }
                for (at, value) in (place.own..).zip([e, x * x, x * r]) {
                    row[at] = N::of(value);
                }
            }
        }
        Self {
            rows,
            width,
            blocks,
            places,
        }
    }

    fn per_provider(&self, sums: &[Lane<N>]) -> Vec<Sums> {
        let sums = sums.as_flattened();
        let at = |place: usize| -> f64 { sums[place].into() };
        let of = |place: &Places| Sums {
            errors: at(place.own),
            reference: at(place.reference),
            above2: at(place.own + 1),
            product: at(place.own + 2),
            reference2: at(place.reference + 1),
        };
        self.places.iter().map(of).collect()
    }

    #[inline]
    fn add(row: &[Lane<N>], sums: &mut [Lane<N>]) {
        for (sum, lane) in sums.iter_mut().zip(row) {
            for (sum, value) in sum.iter_mut().zip(lane) {
                *sum += *value;
            }
        }
    }

    fn draw(&self, random: &mut Xoshiro256PlusPlus) -> Vec<Sums> {
        match self.width {
            1 => self.draw_fixed::<1>(random),
            2 => self.draw_fixed::<2>(random),
            3 => self.draw_fixed::<3>(random),
            _ => self.draw_any(random),
        }
    }

    fn draw_any(&self, random: &mut Xoshiro256PlusPlus) -> Vec<Sums> {
        let mut sums = vec![Lane::default(); self.width];
        for_each_draw(self.blocks, random, |block| {
            let row = &self.rows[block * self.width..(block + 1) * self.width];
            Self::add(row, &mut sums);
        });
        self.per_provider(&sums)
    }

    /// The same with the sums in registers, for up to seven providers.
    fn draw_fixed<const W: usize>(&self, random: &mut Xoshiro256PlusPlus) -> Vec<Sums> {
        let (rows, _) = self.rows.as_chunks::<W>();
        let mut sums = [Lane::default(); W];
        for_each_draw(self.blocks, random, |block| {
            Self::add(&rows[block], &mut sums);
        });
        self.per_provider(&sums)
    }
}

enum Kept {
    Single(Rows<f32>),
    Double(Rows<f64>),
}

/// Sums over all blocks, by provider; `blocks[p][b]` is block `b` of provider `p`.
pub(super) fn totals(blocks: &[Vec<Sample>]) -> Vec<Sums> {
    let total = |blocks: &Vec<Sample>| {
        let sum = |of: fn(&Sample) -> u64| blocks.iter().map(of).map(|n| n as f64).sum::<f64>();
        let mut sums = Sums {
            errors: sum(|b| b.errors),
            reference: sum(|b| b.reference),
            ..Sums::default()
        };
        let pooled = sums.rate();
        for block in blocks {
            let (e, r) = (block.errors as f64, block.reference as f64);
            let x = e - pooled * r;
            sums.above2 += x * x;
            sums.product += x * r;
            sums.reference2 += r * r;
        }
        sums
    };
    blocks.iter().map(total).collect()
}

/// Sums per block of several providers.
pub(super) struct Table {
    kept: Kept,
}

impl Table {
    /// Of these blocks and their totals.
    pub(super) fn new(blocks: &[Vec<Sample>], totals: &[Sums]) -> Self {
        let count = blocks.first().map_or(0, Vec::len);
        let pooled: Vec<f64> = totals.iter().map(Sums::rate).collect();
        let all = blocks.iter().flatten();
        let most = all.map(|b| b.errors.max(b.reference)).max().unwrap_or(0);
        // Half the memory to go through for each draw.
        let single = count > FEW_BLOCKS && most.saturating_mul(count as u64) < EXACT;
        let kept = if single {
            Kept::Single(Rows::new(blocks, &pooled))
        } else {
            Kept::Double(Rows::new(blocks, &pooled))
        };
        Self { kept }
    }

    /// Sums of as many blocks as there are, drawn with replacement.
    pub(super) fn draw(&self, random: &mut Xoshiro256PlusPlus) -> Vec<Sums> {
        match &self.kept {
            Kept::Single(rows) => rows.draw(random),
            Kept::Double(rows) => rows.draw(random),
        }
    }
}

/// Draws `blocks` numbers below `blocks`: two from each 64 random bits, scaled by
/// multiplication (a bias of blocks / 2^32, far below what matters here).
#[inline]
fn for_each_draw(blocks: usize, random: &mut Xoshiro256PlusPlus, mut drawn: impl FnMut(usize)) {
    let scale = |bits: u64| (((bits & u64::from(u32::MAX)) * blocks as u64) >> 32) as usize;
    for _ in 0..blocks / 2 {
        let bits = random.next_u64();
        drawn(scale(bits));
        drawn(scale(bits >> 32));
    }
    if blocks % 2 == 1 {
        drawn(scale(random.next_u64()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_xoshiro::rand_core::SeedableRng;

    fn providers(count: u64, blocks: u64, same: bool) -> Vec<Vec<Sample>> {
        let block = |p: u64, b: u64| Sample {
            errors: (b * 7 + p * 3) % 11,
            reference: 20 + b % 5 + if same { 0 } else { p },
        };
        (0..count)
            .map(|p| (0..blocks).map(|b| block(p, b)).collect())
            .collect()
    }

    /// Standard error by its definition.
    fn by_definition(blocks: &[Sample]) -> f64 {
        let sum = |of: fn(&Sample) -> u64| blocks.iter().map(of).sum::<u64>() as f64;
        let (e, r, n) = (sum(|b| b.errors), sum(|b| b.reference), blocks.len() as f64);
        let squares = blocks
            .iter()
            .map(|b| (b.errors as f64 - e / r * b.reference as f64).powi(2));
        (squares.sum::<f64>() * n / (n - 1.0)).sqrt() / r
    }

    #[test]
    fn sums_and_errors_are_those_of_the_blocks() {
        for same in [true, false] {
            for count in [1, 2, 5, 16] {
                let providers = providers(count, 40, same);
                for (blocks, total) in providers.iter().zip(&totals(&providers)) {
                    let errors: u64 = blocks.iter().map(|b| b.errors).sum();
                    assert_eq!(total.errors, errors as f64);
                    let found = total.standard_error(40, total.rate());
                    assert!((found - by_definition(blocks)).abs() < 1e-12);
                }
            }
        }
    }

    #[test]
    fn single_precision_draws_as_double_does() {
        for (count, same) in [(2, true), (3, false), (16, true)] {
            let providers = providers(count, 2_000, same);
            let totals = totals(&providers);
            let table = Table::new(&providers, &totals);
            assert!(matches!(table.kept, Kept::Single(_)));
            let pooled: Vec<f64> = totals.iter().map(Sums::rate).collect();
            let double = Rows::<f64>::new(&providers, &pooled);
            let random = || Xoshiro256PlusPlus::seed_from_u64(3);
            let drawn = table.draw(&mut random());
            for ((a, b), pooled) in drawn.iter().zip(double.draw(&mut random())).zip(pooled) {
                assert_eq!((a.errors, a.reference), (b.errors, b.reference));
                let [a, b] = [a, &b].map(|sums| sums.standard_error(2_000, pooled));
                assert!((a / b - 1.0).abs() < 1e-4, "{a} {b}");
            }
        }
    }
}
