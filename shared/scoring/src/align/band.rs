//! The part of a matrix that a path of limited cost can pass.

use super::trace::Window;

/// Which blocks belong to which column. Columns count from 1 (after the first
/// hypothesis token); blocks from the first block of the window.
#[derive(Clone, Copy)]
pub(super) struct Band {
    pub(super) window: Window,
    pub(super) columns: usize,
    lowest: isize,
    highest: isize,
}

impl Band {
    pub(super) fn new(window: Window, columns: usize, limit: usize) -> Self {
        let difference = window.len() as isize - columns as isize;
        Self {
            window,
            columns,
            lowest: (difference - limit as isize).div_euclid(2),
            highest: (difference + limit as isize + 1).div_euclid(2),
        }
    }

    /// First and last block of `column`.
    pub(super) fn blocks(&self, column: usize) -> (usize, usize) {
        let len = self.window.len() as isize;
        let cell = |diagonal: isize| (column as isize + diagonal).clamp(1, len) as usize;
        let block = |cell: usize| (self.window.start + cell - 1) / 64 - self.window.start / 64;
        (block(cell(self.lowest)), block(cell(self.highest)))
    }

    /// Most blocks of any column.
    pub(super) fn width(&self) -> usize {
        let cells = (self.highest - self.lowest) as usize + 1;
        // A stretch of `cells` bits touches at most this many blocks.
        (cells.div_ceil(64) + 1).min(self.window.blocks())
    }
}
