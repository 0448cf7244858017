//! One column of the bit-parallel recurrence.
//!
//! G. Myers (1999), "A fast bit-vector algorithm for approximate string matching
//! based on dynamic programming", in the form for edit distance by H. Hyyrö
//! (2003), "A bit-vector algorithm for computing Levenshtein and Damerau edit
//! distances". A word holds the differences between vertically adjacent cells
//! of one column: `vp` where a cell is one more than the cell above, `vn` where
//! it is one less.

/// Advances 64 cells by one hypothesis token. `eq` marks the reference tokens
/// equal to it; `up`/`down` are the horizontal difference entering from above
/// (+1/-1 as bits). Returns the new `(vp, vn)` and the `(up, down)` that leave
/// below.
#[inline(always)]
pub(super) fn step(vp: u64, vn: u64, eq: u64, up: u64, down: u64) -> (u64, u64, u64, u64) {
    let x = eq | down;
    let d0 = ((x & vp).wrapping_add(vp) ^ vp) | x | vn;
    let hp = vn | !(d0 | vp);
    let hn = d0 & vp;
    let hp_in = hp << 1 | up;
    let hn_in = hn << 1 | down;
    (hn_in | !(d0 | hp_in), hp_in & d0, hp >> 63, hn >> 63)
}
