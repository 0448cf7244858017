//! Short pairs: the whole matrix as bits, in one to four words per column.

use super::intern::UNKNOWN;
use super::pattern::Pattern;
use super::step::step;
use super::trace::{Runs, Window};

/// Most reference blocks handled here.
pub(super) const MAX_BLOCKS: usize = 4;
/// Most hypothesis tokens handled here, which bounds the store at 256 KiB.
pub(super) const MAX_ROWS: usize = 4096;

/// Aligns `hypothesis` with the reference tokens of `window`, appending the
/// operations from the last to the first.
pub(super) fn align(
    pattern: &Pattern,
    hypothesis: &[u32],
    window: Window,
    store: &mut Vec<u64>,
    runs: &mut Runs,
) {
    match window.blocks() {
        1 => align_in::<1>(pattern, hypothesis, window, store, runs),
        2 => align_in::<2>(pattern, hypothesis, window, store, runs),
        3 => align_in::<3>(pattern, hypothesis, window, store, runs),
        _ => align_in::<MAX_BLOCKS>(pattern, hypothesis, window, store, runs),
    }
}

/// Vertical differences of one column.
#[derive(Clone, Copy)]
struct Column<const W: usize> {
    vp: [u64; W],
    vn: [u64; W],
}

fn align_in<const W: usize>(
    pattern: &Pattern,
    hypothesis: &[u32],
    window: Window,
    store: &mut Vec<u64>,
    runs: &mut Runs,
) {
    let first_block = window.start / 64;
    let masks = hypothesis.iter().map(|id| {
        let mut eq = [0; W];
        if *id != UNKNOWN {
            for (eq, mask) in eq.iter_mut().zip(pattern.small_mask(*id, first_block)) {
                *eq = *mask;
            }
        }
        eq
    });
    let equal = |i: usize, j: usize| pattern.ids[i] == hypothesis[j];
    align_masks(masks, equal, window, store, runs);
}

/// As [`align`], with the hypothesis as masks of the reference tokens each of its
/// tokens equals, all of which fit one block.
pub(super) fn align_block(masks: &[u64], window: Window, store: &mut Vec<u64>, runs: &mut Runs) {
    let equal = |i: usize, j: usize| masks[j] >> i & 1 != 0;
    align_masks(masks.iter().map(|mask| [*mask]), equal, window, store, runs);
}

#[inline(always)]
fn align_masks<const W: usize>(
    masks: impl ExactSizeIterator<Item = [u64; W]>,
    equal: impl Fn(usize, usize) -> bool,
    window: Window,
    store: &mut Vec<u64>,
    runs: &mut Runs,
) {
    let rows = masks.len();
    let needed = rows * 2 * W;
    if store.len() < needed {
        store.resize(needed, 0);
    }
    let first_block = window.start / 64;
    // Bits below the window stay 0 in both vectors by themselves, as if the
    // matrix began at the window: see `Window`.
    let live = u64::MAX << (window.start % 64);
    let mut column = Column::<W> {
        vp: [u64::MAX; W],
        vn: [0; W],
    };
    column.vp[0] = live;
    for (mut eq, row) in masks.zip(store.chunks_exact_mut(2 * W)) {
        eq[0] &= live;
        let (mut up, mut down) = (1, 0);
        for b in 0..W {
            let (vp, vn, next_up, next_down) = step(column.vp[b], column.vn[b], eq[b], up, down);
            (column.vp[b], column.vn[b]) = (vp, vn);
            (up, down) = (next_up, next_down);
            row[b] = vp;
            row[W + b] = vn;
        }
    }

    let (mut i, mut j) = (window.end, rows);
    let bit = |row: usize, part: usize, i: usize| {
        store[row * 2 * W + part * W + (i / 64 - first_block)] >> (i % 64) & 1 != 0
    };
    while i > window.start && j > 0 {
        if bit(j - 1, 0, i - 1) {
            i -= 1;
            runs.delete();
        } else {
            j -= 1;
            if j > 0 && bit(j - 1, 1, i - 1) {
                runs.insert();
            } else {
                i -= 1;
                runs.pair(equal(i, j));
            }
        }
    }
    runs.delete_many(i - window.start);
    runs.insert_many(j);
}
