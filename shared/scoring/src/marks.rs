//! Where the spaces of a text are and where its characters begin: a bit for each byte, found
//! sixteen bytes at a time.

use wide::u8x16;

use super::spaces::{gathered, has_controls, has_only_spaces, space_bits};

/// Bytes of a chunk, and bits of a word.
const CHUNK: usize = 64;

/// The marks of one text. Buffers are kept between texts.
#[derive(Debug, Clone, Default)]
pub(super) struct Marks {
    /// Bytes that are a space.
    pub(super) spaces: Bits,
    /// Bytes inside a character: all but its first.
    pub(super) inside: Bits,
    /// One space between words, none at the ends, no other blanks. (False for some texts of
    /// which that is true; see [`has_only_spaces`].)
    pub(super) is_tidy: bool,
}

impl Marks {
    /// Takes the marks of another text.
    pub(super) fn read(&mut self, text: &[u8]) {
        let count = text.len().div_ceil(CHUNK);
        self.spaces.0.resize(count, 0);
        self.inside.0.resize(count, 0);
        let ends = [text.first(), text.last()].contains(&Some(&b' '));
        let (mut is_tidy, mut before) = (!ends, 0);
        let mut places = self.spaces.0.iter_mut().zip(&mut self.inside.0);
        let mut take = |chunk: &[u8; CHUNK]| {
            if let Some((own_spaces, own_inside)) = places.next() {
                let (spaces, inside, only_spaces) = of_chunk(chunk);
                is_tidy &= only_spaces && spaces & (spaces << 1 | before) == 0;
                before = spaces >> (CHUNK - 1);
                (*own_spaces, *own_inside) = (spaces, inside);
            }
        };
        let (chunks, rest) = text.as_chunks::<CHUNK>();
        chunks.iter().for_each(&mut take);
        if !rest.is_empty() {
            let mut last = [b'a'; CHUNK];
            last[..rest.len()].copy_from_slice(rest);
            take(&last);
        }
        self.is_tidy = is_tidy;
    }
}

/// A bit for each byte of a text.
#[derive(Debug, Clone, Default)]
pub(super) struct Bits(Vec<u64>);

impl Bits {
    /// How many are set from `start` to before `end`.
    #[inline]
    pub(super) fn count(&self, start: usize, end: usize) -> usize {
        if start >= end {
            return 0;
        }
        let (first, last) = (start / CHUNK, (end - 1) / CHUNK);
        let mut count = 0;
        for (index, word) in (first..).zip(&self.0[first..=last]) {
            let mut word = *word;
            if index == first {
                word &= u64::MAX << (start % CHUNK);
            }
            if index == last {
                word &= u64::MAX >> (CHUNK - 1 - (end - 1) % CHUNK);
            }
            count += word.count_ones() as usize;
        }
        count
    }

    /// The last one that is set before `end`.
    #[inline]
    pub(super) fn last_before(&self, end: usize) -> Option<usize> {
        let mut at = end;
        while at > 0 {
            let base = (at - 1) / CHUNK * CHUNK;
            let word = self.0[base / CHUNK] & (u64::MAX >> (CHUNK - (at - base)));
            if word != 0 {
                return Some(base + CHUNK - 1 - word.leading_zeros() as usize);
            }
            at = base;
        }
        None
    }

    /// The first one that is set from `start` to before `end`.
    #[inline]
    pub(super) fn first(&self, start: usize, end: usize) -> Option<usize> {
        let mut at = start;
        while at < end {
            let word = self.0[at / CHUNK] & (u64::MAX << (at % CHUNK));
            if word != 0 {
                let found = at / CHUNK * CHUNK + word.trailing_zeros() as usize;
                return (found < end).then_some(found);
            }
            at = (at / CHUNK + 1) * CHUNK;
        }
        None
    }
}

/// Spaces and bytes inside characters, and whether no byte begins a blank other than a
/// space.
#[inline]
fn of_chunk(chunk: &[u8; CHUNK]) -> (u64, u64, bool) {
    let spaces = space_bits(chunk);
    if chunk.is_ascii() {
        return (spaces, 0, !has_controls(chunk));
    }
    // 0x80 to 0xbf.
    let inside = gathered(chunk, |sixteen| {
        (sixteen & u8x16::splat(0xc0)).simd_eq(u8x16::splat(0x80))
    });
    (spaces, inside, has_only_spaces(chunk))
}

#[cfg(test)]
mod tests {
    use super::super::spaces;
    use super::*;
    use proptest::prelude::*;

    /// All that are set, one after the other.
    fn each(bits: &Bits, start: usize, end: usize) -> Vec<usize> {
        let next = |at: &usize| bits.first(*at + 1, end);
        std::iter::successors(bits.first(start, end), next).collect()
    }

    proptest! {
        #[test]
        fn marks_are_those_of_a_plain_loop(
            text in "([ aé]|[कख ]|[\u{a0}\t\u{2003}x ]|😀){0,90}", start in 0usize..300, end in 0usize..300,
        ) {
            let mut marks = Marks::default();
            marks.read(text.as_bytes());
            let (start, end) = (start.min(text.len()), end.min(text.len()));
            let all: Vec<usize> = text.match_indices(' ').map(|(at, _)| at).collect();
            let among = |at: &&usize| (start..end).contains(*at);
            prop_assert_eq!(marks.spaces.count(start, end), all.iter().filter(among).count());
            prop_assert_eq!(each(&marks.spaces, start, end), all.iter().filter(among).copied().collect::<Vec<_>>());
            let before = all.iter().rev().find(|at| **at < end).copied();
            prop_assert_eq!(marks.spaces.last_before(end), before);
            prop_assert_eq!(marks.spaces.first(start, end), all.iter().find(among).copied());
            let chars = text.len() - marks.inside.count(0, text.len());
            prop_assert_eq!(chars, text.chars().count());
            let inside = each(&marks.inside, 0, text.len());
            let cut = (0..text.len()).filter(|at| !text.is_char_boundary(*at));
            prop_assert_eq!(inside, cut.collect::<Vec<_>>());
            prop_assert_eq!(marks.is_tidy, spaces::is_tidy(text.as_bytes()));
        }
    }
}
