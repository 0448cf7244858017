//! What two texts share at their ends, found byte by byte.
//!
//! Most of a good transcription equals its reference. Words and characters in the
//! shared ends need no table, no hashing and no decoding.

use wide::u8x16;

/// Bytes that are compared at once.
const WIDE: usize = 16;

/// Which of these bytes are the same: a bit for each.
#[inline]
fn same(a: [u8; WIDE], b: [u8; WIDE]) -> u16 {
    // A bit for each byte, and there are sixteen.
    u8x16::from(a).simd_eq(u8x16::from(b)).to_bitmask() as u16
}

/// Length of the common prefix.
pub(super) fn common_prefix(a: &[u8], b: &[u8]) -> usize {
    let mut length = 0;
    for (x, y) in a.as_chunks().0.iter().zip(b.as_chunks().0) {
        let same = same(*x, *y);
        if same != u16::MAX {
            return length + same.trailing_ones() as usize;
        }
        length += WIDE;
    }
    let rest = a[length..].iter().zip(&b[length..]);
    length + rest.take_while(|(x, y)| x == y).count()
}

/// Length of the common suffix.
pub(super) fn common_suffix(a: &[u8], b: &[u8]) -> usize {
    let mut length = 0;
    let (wide_a, wide_b) = (a.as_rchunks().1.iter(), b.as_rchunks().1.iter());
    for (x, y) in wide_a.rev().zip(wide_b.rev()) {
        let same = same(*x, *y);
        if same != u16::MAX {
            return length + same.leading_ones() as usize;
        }
        length += WIDE;
    }
    let rest_a = a[..a.len() - length].iter().rev();
    let rest = rest_a.zip(b[..b.len() - length].iter().rev());
    length + rest.take_while(|(x, y)| x == y).count()
}

/// Bytes at both ends that are the same whole characters in both texts: the
/// longest common prefix, then the longest common suffix of the rest.
pub(super) fn common_chars(a: &str, b: &str) -> (usize, usize) {
    let mut prefix = common_prefix(a.as_bytes(), b.as_bytes());
    while !a.is_char_boundary(prefix) {
        prefix -= 1;
    }
    let mut suffix = common_suffix(&a.as_bytes()[prefix..], &b.as_bytes()[prefix..]);
    while !a.is_char_boundary(a.len() - suffix) {
        suffix -= 1;
    }
    (prefix, suffix)
}

/// Bytes at both ends that are the same whole words in both texts, separators to
/// the rest included, where `a` and (as far as it is not skipped) `b` have single
/// spaces between words and none at the ends.
///
/// Conservative: a word only counts if the separator towards the middle is shared
/// as well. So it never takes a word for the suffix that the longest common
/// prefix of words would have taken.
pub(super) fn common_words(a: &[u8], b: &[u8]) -> (usize, usize) {
    let prefix = common_prefix(a, b);
    let prefix = a[..prefix]
        .iter()
        .rposition(|byte| *byte == b' ')
        .map_or(0, |at| at + 1);
    let (a, b) = (&a[prefix..], &b[prefix..]);
    let shared = &a[a.len() - common_suffix(a, b)..];
    let suffix = shared
        .iter()
        .position(|byte| *byte == b' ')
        .map_or(0, |at| shared.len() - at);
    (prefix, suffix)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ends_of_words() {
        let ends = |a: &str, b: &str| common_words(a.as_bytes(), b.as_bytes());
        assert_eq!(ends("one two three", "one too three"), (4, 6));
        assert_eq!(ends("a b", "a b"), (2, 0));
        assert_eq!(ends("x a a y", "x a y"), (4, 0));
        assert_eq!(ends("ab c", "b c"), (0, 2));
        assert_eq!(ends("", "a"), (0, 0));
    }

    #[test]
    fn ends_of_characters() {
        // Same lead byte, same last byte, other characters.
        assert_eq!(common_chars("क", "ख"), (0, 0));
        assert_eq!(common_chars("aकb", "aखb"), (1, 1));
        assert_eq!(common_chars("aa", "a"), (1, 0));
        assert_eq!(common_chars("\u{915}", "\u{955}"), (0, 0));
    }

    proptest! {
        #[test]
        fn lengths_are_those_of_a_plain_loop(a in "[ab]{0,70}", b in "[ab]{0,70}") {
            let (a, b) = (a.as_bytes(), b.as_bytes());
            let prefix = a.iter().zip(b).take_while(|(x, y)| x == y).count();
            prop_assert_eq!(common_prefix(a, b), prefix);
            let suffix = a.iter().rev().zip(b.iter().rev()).take_while(|(x, y)| x == y).count();
            prop_assert_eq!(common_suffix(a, b), suffix);
        }
    }
}
