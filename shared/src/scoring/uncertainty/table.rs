//! Sums per block, laid out for drawing blocks at random.

use super::Sample;
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::Rng;

/// Errors and reference tokens of two providers: one 32-byte vector.
pub(super) type Lane = [u64; 4];

/// Sums per block, one row per block, so that a draw touches one place.
pub(super) struct Table {
    rows: Vec<Lane>,
    /// Lanes per row.
    width: usize,
    pub(super) blocks: usize,
    pub(super) providers: usize,
}

impl Table {
    pub(super) fn new<P: AsRef<[Sample]>>(providers: &[P], block_of: &[usize]) -> Self {
        let blocks = block_of.iter().max().map_or(0, |last| last + 1);
        let width = providers.len().div_ceil(2);
        let mut rows = vec![Lane::default(); blocks * width];
        for (p, samples) in providers.iter().enumerate() {
            for (sample, block) in samples.as_ref().iter().zip(block_of) {
                let lane = &mut rows[block * width + p / 2];
                lane[p % 2 * 2] += sample.errors;
                lane[p % 2 * 2 + 1] += sample.reference;
            }
        }
        Self {
            rows,
            width,
            blocks,
            providers: providers.len(),
        }
    }

    pub(super) fn per_provider(&self, sums: &[Lane]) -> impl Iterator<Item = Sample> {
        let halves = sums.iter().flat_map(|lane| lane.chunks_exact(2));
        let samples = halves.map(|half| Sample {
            errors: half[0],
            reference: half[1],
        });
        samples.take(self.providers)
    }

    pub(super) fn total(&self) -> Vec<Sample> {
        let mut sums = vec![Lane::default(); self.width];
        for block in 0..self.blocks {
            self.add(block, &mut sums);
        }
        self.per_provider(&sums).collect()
    }

    #[inline]
    fn add(&self, block: usize, sums: &mut [Lane]) {
        let row = &self.rows[block * self.width..(block + 1) * self.width];
        for (sum, lane) in sums.iter_mut().zip(row) {
            for (sum, value) in sum.iter_mut().zip(lane) {
                *sum += value;
            }
        }
    }

    /// Sums of as many blocks as there are, drawn with replacement.
    pub(super) fn draw(&self, random: &mut Xoshiro256PlusPlus) -> Vec<Lane> {
        match self.width {
            1 => self.draw_fixed::<1>(random),
            2 => self.draw_fixed::<2>(random),
            3 => self.draw_fixed::<3>(random),
            4 => self.draw_fixed::<4>(random),
            _ => self.draw_any(random),
        }
    }

    fn draw_any(&self, random: &mut Xoshiro256PlusPlus) -> Vec<Lane> {
        let mut sums = vec![Lane::default(); self.width];
        for_each_draw(self.blocks, random, |block| self.add(block, &mut sums));
        sums
    }

    /// The same with the sums in registers, for up to eight providers.
    fn draw_fixed<const W: usize>(&self, random: &mut Xoshiro256PlusPlus) -> Vec<Lane> {
        let (rows, _) = self.rows.as_chunks::<W>();
        let mut sums = [Lane::default(); W];
        for_each_draw(self.blocks, random, |block| {
            for (sum, lane) in sums.iter_mut().zip(&rows[block]) {
                for (sum, value) in sum.iter_mut().zip(lane) {
                    *sum += value;
                }
            }
        });
        sums.to_vec()
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
