//! Where each token of a reference stands, as bit masks.
//!
//! Built once per reference, used for each hypothesis. Bit `i % 64` of block
//! `i / 64` of a token's mask is set where token `i` of the reference is that
//! token. A token that is rare in a long reference has a list of positions
//! instead of a mask, which keeps the table linear in the reference: with B
//! blocks of 64, only tokens with more than B/2 places get a mask, of which
//! there are at most 128.

/// References of up to this many blocks give each token a mask.
pub(super) const SMALL_BLOCKS: usize = 8;
const NO_MASK: u32 = u32::MAX;

#[derive(Debug, Clone, Default)]
pub(super) struct Pattern {
    /// The reference (or the part of it that is needed) as ids.
    pub(super) ids: Vec<u32>,
    /// Number of 64-bit blocks the reference takes.
    pub(super) blocks: usize,
    masks: Vec<u64>,
    /// Per id: the index of its mask, or `NO_MASK`. Unused if `blocks` is small.
    mask_of: Vec<u32>,
    /// Per id: the range of its positions in `positions` (a prefix sum).
    starts: Vec<u32>,
    positions: Vec<u32>,
}

/// Places of one token.
pub(super) enum Places<'a> {
    Nowhere,
    Mask(&'a [u64]),
    /// Ascending.
    List(&'a [u32]),
}

impl Pattern {
    /// Builds the masks from `self.ids`, whose values are below `distinct`.
    pub(super) fn build(&mut self, distinct: usize) {
        self.blocks = self.ids.len().div_ceil(64);
        self.masks.clear();
        if self.blocks <= SMALL_BLOCKS {
            self.masks.resize(distinct * self.blocks, 0);
            for (i, id) in self.ids.iter().enumerate() {
                self.masks[*id as usize * self.blocks + i / 64] |= 1 << (i % 64);
            }
            return;
        }
        self.index_positions(distinct);
        self.mask_of.clear();
        self.mask_of.resize(distinct, NO_MASK);
        for id in 0..distinct {
            let places = self.starts[id] as usize..self.starts[id + 1] as usize;
            if places.len() <= self.blocks / 2 {
                continue;
            }
            let base = self.masks.len();
            self.mask_of[id] = (base / self.blocks) as u32;
            self.masks.resize(base + self.blocks, 0);
            for place in &self.positions[places] {
                self.masks[base + *place as usize / 64] |= 1 << (place % 64);
            }
        }
    }

    /// Counting sort of the positions by id.
    fn index_positions(&mut self, distinct: usize) {
        self.starts.clear();
        self.starts.resize(distinct + 1, 0);
        for id in &self.ids {
            self.starts[*id as usize + 1] += 1;
        }
        for id in 0..distinct {
            self.starts[id + 1] += self.starts[id];
        }
        let mut next = self.starts.clone();
        self.positions.clear();
        self.positions.resize(self.ids.len(), 0);
        for (i, id) in self.ids.iter().enumerate() {
            let slot = &mut next[*id as usize];
            self.positions[*slot as usize] = i as u32;
            *slot += 1;
        }
    }

    /// The mask of `id` from block `first` on, in a reference of at most
    /// [`SMALL_BLOCKS`] blocks; empty for an unknown token.
    #[inline]
    pub(super) fn small_mask(&self, id: u32, first: usize) -> &[u64] {
        let base = id as usize * self.blocks;
        self.masks
            .get(base + first..base + self.blocks)
            .unwrap_or(&[])
    }

    /// Where `id` occurs in the reference, of whatever length.
    #[inline]
    pub(super) fn places(&self, id: u32) -> Places<'_> {
        if id == super::intern::UNKNOWN {
            return Places::Nowhere;
        }
        let id = id as usize;
        let mask = if self.blocks <= SMALL_BLOCKS {
            id
        } else if self.mask_of[id] == NO_MASK {
            return Places::List(
                &self.positions[self.starts[id] as usize..self.starts[id + 1] as usize],
            );
        } else {
            self.mask_of[id] as usize
        };
        Places::Mask(&self.masks[mask * self.blocks..(mask + 1) * self.blocks])
    }
}
