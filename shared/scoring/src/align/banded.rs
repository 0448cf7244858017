//! Long pairs: bit-parallel columns within a band, in bounded memory.
//!
//! - Band (E. Ukkonen 1985, "Algorithms for approximate string matching"): a path
//!   of cost `k` from (0,0) to (m,n) can only pass cells whose diagonal `i - j`
//!   lies between `(m-n-k)/2` and `(m-n+k)/2`. Only blocks that touch those
//!   diagonals are computed; `k` grows until the distance found is within it.
//! - The alignment is the very one the full matrix gives. Cells outside the band
//!   count as too expensive. A cell on an optimal path is exact, and so are its
//!   optimal predecessors; any other neighbour is at worst too expensive, which
//!   cannot make a bit that the trace asks about say otherwise.
//! - Memory: the vectors are kept for every column if that is small, otherwise
//!   for every s-th (s = √n) and computed again, one stretch at a time, on the
//!   way back. Hirschberg's division would need no store at all but would change
//!   which of several optimal alignments is found.

use super::band::Band;
use super::intern::UNKNOWN;
use super::pattern::{Pattern, Places};
use super::step::step;
use super::trace::{Runs, Window};

/// What one pair may cost. A parameter so that tests reach each case with short
/// texts.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    /// Most block steps for one pass.
    pub(super) steps: usize,
    /// Vectors are kept for all columns up to this size, in 64-bit words.
    pub(super) keep_all: usize,
    /// Most memory for vectors, in 64-bit words.
    pub(super) keep_most: usize,
    /// The first band tried.
    pub(super) first_band: usize,
}

/// About a second; 16 MiB; 48 MiB.
pub(super) const LIMITS: Limits = Limits {
    steps: 1 << 28,
    keep_all: 1 << 21,
    keep_most: 6 << 20,
    first_band: 64,
};

/// How often a pass looks whether it can still stay within its limit.
const CHECK_EVERY: usize = 256;

/// The pair would need more than the allowed work or memory.
pub(super) struct TooDifferent;

/// Reusable buffers.
#[derive(Debug, Clone, Default)]
pub(super) struct Buffers {
    vp: Vec<u64>,
    vn: Vec<u64>,
    /// Mask of the current token where the pattern has only a list.
    scattered: Vec<u64>,
    checkpoints: Vec<u64>,
    rows: Vec<u64>,
}

impl Buffers {
    /// Frees what one exceptionally long pair left behind.
    fn shrink(&mut self) {
        if self.rows.capacity() + self.checkpoints.capacity() > LIMITS.keep_all {
            *self = Self::default();
        }
    }
}

/// Aligns `hypothesis` with the reference tokens of `window`, appending the
/// operations from the last to the first. `at_least` is a lower bound of the
/// distance.
pub(super) fn align(
    pattern: &Pattern,
    hypothesis: &[u32],
    window: Window,
    at_least: usize,
    limits: Limits,
    buffers: &mut Buffers,
    runs: &mut Runs,
) -> Result<(), TooDifferent> {
    let longest = window.len().max(hypothesis.len());
    // No path is cheaper than the difference of the lengths, and a narrower band
    // would not reach the end of the matrix.
    let at_least = at_least.max(window.len().abs_diff(hypothesis.len()));
    let mut limit = limits.first_band.max(at_least).min(longest);
    loop {
        let band = Band::new(window, hypothesis.len(), limit);
        let mut pass = Pass::new(pattern, hypothesis, band, limits, buffers)?;
        match pass.forward(limit) {
            Ok(_) => {
                pass.trace(runs);
                buffers.shrink();
                return Ok(());
            }
            // Errors tend to come at an even rate: go by what was seen, within
            // reason. The distance never exceeds the longer side, so this ends.
            Err(estimate) => {
                let generous = estimate + estimate / 4;
                limit = generous.clamp(limit * 2, limit * 32).min(longest);
            }
        }
    }
}

struct Pass<'a> {
    pattern: &'a Pattern,
    hypothesis: &'a [u32],
    band: Band,
    width: usize,
    /// Columns from one checkpoint to the next.
    stretch: usize,
    buffers: &'a mut Buffers,
    first_block: usize,
    live: u64,
}

impl<'a> Pass<'a> {
    fn new(
        pattern: &'a Pattern,
        hypothesis: &'a [u32],
        band: Band,
        limits: Limits,
        buffers: &'a mut Buffers,
    ) -> Result<Self, TooDifferent> {
        let (width, columns) = (band.width(), band.columns);
        if width.saturating_mul(columns) > limits.steps {
            return Err(TooDifferent);
        }
        let row = 2 * width;
        let stretch = if row * (columns + 1) <= limits.keep_all {
            columns
        } else {
            columns.isqrt() + 1
        };
        let checkpoints = columns.div_ceil(stretch);
        if row * (checkpoints + stretch + 1) > limits.keep_most {
            return Err(TooDifferent);
        }
        let blocks = band.window.blocks();
        let Buffers {
            vp,
            vn,
            scattered,
            checkpoints: kept,
            rows,
        } = buffers;
        for buffer in [vp, vn, scattered] {
            buffer.clear();
            buffer.resize(blocks, 0);
        }
        kept.clear();
        kept.resize(row * checkpoints, 0);
        rows.clear();
        rows.resize(row * (stretch + 1), 0);
        Ok(Self {
            pattern,
            hypothesis,
            band,
            width,
            stretch,
            first_block: band.window.start / 64,
            live: u64::MAX << (band.window.start % 64),
            buffers,
        })
    }

    /// Computes all columns; returns the distance if it is within the limit, else
    /// an estimate of it.
    fn forward(&mut self, limit: usize) -> Result<usize, usize> {
        let (_, last) = self.band.blocks(1);
        self.enter(0, last);
        // The value of the cell at the lower end of the last block.
        let mut bottom = ((last + 1) * 64 - self.band.window.start % 64) as isize;
        let mut bottom_block = last;
        let in_one = self.stretch == self.band.columns;
        for column in 1..=self.band.columns {
            if (column - 1) % self.stretch == 0 {
                self.keep_checkpoint(column - 1, bottom_block);
            }
            let (first, last) = self.band.blocks(column);
            if last > bottom_block {
                self.enter(bottom_block + 1, last);
                bottom += 64 * (last - bottom_block) as isize;
                bottom_block = last;
            }
            let (up, down) = self.advance(column, first, last);
            bottom += up as isize - down as isize;
            if in_one {
                self.keep_row(column, first, last);
            }
            if column % CHECK_EVERY == 0 {
                let least = usize::try_from(self.least(first, last, bottom)).unwrap_or(0);
                if least > limit {
                    return Err(least.saturating_mul(self.band.columns) / column);
                }
            }
        }
        if in_one {
            self.restore_row_zero(0);
        }
        // Take off what the last block adds beyond the end of the window.
        let beyond = match self.band.window.end % 64 {
            0 => 0,
            used => u64::MAX << used,
        };
        let vp = self.buffers.vp[bottom_block] & beyond;
        let vn = self.buffers.vn[bottom_block] & beyond;
        let distance = bottom - vp.count_ones() as isize + vn.count_ones() as isize;
        let distance = usize::try_from(distance).unwrap_or(usize::MAX);
        if distance <= limit {
            Ok(distance)
        } else {
            Err(distance)
        }
    }

    /// A lower bound of the cells of a column, which no path to the end can be
    /// below: neighbours differ by at most one, so between the ends of a block no
    /// cell is less than half their sum less half the block.
    fn least(&self, first: usize, last: usize, bottom: isize) -> isize {
        let mut below = bottom;
        let mut least = isize::MAX;
        for block in (first..=last).rev() {
            let rise = self.buffers.vp[block].count_ones() as isize;
            let above = below - rise + self.buffers.vn[block].count_ones() as isize;
            least = least.min((above + below - 64) / 2);
            below = above;
        }
        least
    }

    /// Sets blocks that come into the band: each cell one more than that above.
    fn enter(&mut self, from: usize, to: usize) {
        self.buffers.vp[from..=to].fill(u64::MAX);
        self.buffers.vn[from..=to].fill(0);
        if from == 0 {
            self.buffers.vp[0] = self.live;
        }
    }

    /// Advances the blocks of one column; returns the horizontal difference at
    /// the lower end.
    #[inline]
    fn advance(&mut self, column: usize, first: usize, last: usize) -> (u64, u64) {
        let Buffers {
            vp, vn, scattered, ..
        } = &mut *self.buffers;
        let id = self.hypothesis[column - 1];
        let mut list: &[u32] = &[];
        let eq: &[u64] = match self.pattern.places(id) {
            Places::Nowhere => &scattered[first..=last],
            Places::Mask(mask) => &mask[self.first_block + first..=self.first_block + last],
            Places::List(places) => {
                let (from, to) = (
                    (self.first_block + first) * 64,
                    (self.first_block + last + 1) * 64,
                );
                let begin = places.partition_point(|p| (*p as usize) < from);
                let end = places.partition_point(|p| (*p as usize) < to);
                list = &places[begin..end];
                for place in list {
                    scattered[*place as usize / 64 - self.first_block] |= 1 << (place % 64);
                }
                &scattered[first..=last]
            }
        };
        let (mut up, mut down) = (1, 0);
        let mut live = if first == 0 { self.live } else { u64::MAX };
        for ((vp, vn), eq) in vp[first..=last]
            .iter_mut()
            .zip(&mut vn[first..=last])
            .zip(eq)
        {
            (*vp, *vn, up, down) = step(*vp, *vn, eq & live, up, down);
            live = u64::MAX;
        }
        for place in list {
            scattered[*place as usize / 64 - self.first_block] = 0;
        }
        (up, down)
    }

    fn keep_row(&mut self, slot: usize, first: usize, last: usize) {
        let base = slot * 2 * self.width;
        let count = last - first + 1;
        let Buffers { vp, vn, rows, .. } = &mut *self.buffers;
        rows[base..base + count].copy_from_slice(&vp[first..=last]);
        rows[base + self.width..base + self.width + count].copy_from_slice(&vn[first..=last]);
    }

    /// Keeps the state after `column`, whose blocks reach down to `last`.
    fn keep_checkpoint(&mut self, column: usize, last: usize) {
        let first = self.first_of(column);
        let base = column / self.stretch * 2 * self.width;
        let count = last - first + 1;
        let Buffers {
            vp,
            vn,
            checkpoints,
            ..
        } = &mut *self.buffers;
        checkpoints[base..base + count].copy_from_slice(&vp[first..=last]);
        checkpoints[base + self.width..base + self.width + count]
            .copy_from_slice(&vn[first..=last]);
    }

    /// First block of a column, where column 0 is the border.
    fn first_of(&self, column: usize) -> usize {
        self.band.blocks(column.max(1)).0
    }

    /// Copies a checkpoint to the row before the stretch it begins.
    fn restore_row_zero(&mut self, checkpoint: usize) {
        let row = 2 * self.width;
        let Buffers {
            checkpoints, rows, ..
        } = &mut *self.buffers;
        rows[..row].copy_from_slice(&checkpoints[checkpoint * row..(checkpoint + 1) * row]);
    }

    /// Computes the columns of one stretch again and keeps them all.
    fn recompute(&mut self, checkpoint: usize) {
        let start = checkpoint * self.stretch;
        let end = (start + self.stretch).min(self.band.columns);
        self.restore_row_zero(checkpoint);
        let (first, mut bottom_block) = self.band.blocks(start.max(1));
        let count = bottom_block - first + 1;
        let width = self.width;
        let Buffers { vp, vn, rows, .. } = &mut *self.buffers;
        vp[first..=bottom_block].copy_from_slice(&rows[..count]);
        vn[first..=bottom_block].copy_from_slice(&rows[width..width + count]);
        for column in start + 1..=end {
            let (first, last) = self.band.blocks(column);
            if last > bottom_block {
                self.enter(bottom_block + 1, last);
                bottom_block = last;
            }
            self.advance(column, first, last);
            self.keep_row(column - start, first, last);
        }
    }

    /// Traces back from the end.
    fn trace(&mut self, runs: &mut Runs) {
        let (mut i, mut j) = (self.band.window.end, self.band.columns);
        let begin = self.band.window.start;
        for checkpoint in (0..self.band.columns.div_ceil(self.stretch)).rev() {
            if self.stretch != self.band.columns {
                self.recompute(checkpoint);
            }
            let start = checkpoint * self.stretch;
            while i > begin && j > start {
                if self.bit(j, start, 0, i - 1) {
                    i -= 1;
                    runs.delete();
                } else {
                    j -= 1;
                    if j > 0 && self.bit(j, start, 1, i - 1) {
                        runs.insert();
                    } else {
                        i -= 1;
                        let id = self.hypothesis[j];
                        runs.pair(id != UNKNOWN && self.pattern.ids[i] == id);
                    }
                }
            }
        }
        runs.delete_many(i - begin);
        runs.insert_many(j);
    }

    /// A bit of the kept row of `column`: `part` 0 is vp, 1 is vn.
    #[inline]
    fn bit(&self, column: usize, start: usize, part: usize, i: usize) -> bool {
        let (first, last) = self.band.blocks(column.max(1));
        let block = i / 64 - self.first_block;
        if block < first || block > last {
            // Not in the band yet: a border of ascending values, vn = 0. The
            // trace never asks for a vp outside the band.
            return false;
        }
        let at = (column - start) * 2 * self.width + part * self.width + (block - first);
        self.buffers.rows[at] >> (i % 64) & 1 != 0
    }
}
