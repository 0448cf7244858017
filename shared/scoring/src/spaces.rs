//! Finding words sixteen bytes at a time.

use wide::u8x16;

/// One bit per byte of the chunk: the high bit of each byte of what `of` makes of sixteen.
#[inline]
pub(super) fn gathered(chunk: &[u8; 64], of: impl Fn(u8x16) -> u8x16) -> u64 {
    let mut bits = 0;
    for (i, sixteen) in chunk.as_chunks::<16>().0.iter().enumerate() {
        bits |= u64::from(of(u8x16::from(*sixteen)).to_bitmask()) << (i * 16);
    }
    bits
}

/// One bit per byte of the chunk: whether it is a space.
#[inline]
pub(super) fn space_bits(chunk: &[u8; 64]) -> u64 {
    gathered(chunk, |sixteen| sixteen.simd_eq(u8x16::splat(b' ')))
}

/// Calls `found` with start and end of each run of bytes that are not spaces.
/// Returns whether the text is tidy: one space between words, none at the ends.
#[inline]
pub(super) fn for_each_run(text: &[u8], mut found: impl FnMut(usize, usize)) -> bool {
    let mut start = 0;
    let (mut words, mut bytes) = (0, 0);
    // Whether the byte before was a space; the text begins after one.
    let mut before = 1;
    let mut inside = false;
    let mut chunk = |bits: u64, base: usize| {
        let mut edges = bits ^ (bits << 1 | before);
        before = bits >> 63;
        while edges != 0 {
            let at = base + edges.trailing_zeros() as usize;
            edges &= edges - 1;
            if inside {
                words += 1;
                bytes += at - start;
                found(start, at);
            } else {
                start = at;
            }
            inside = !inside;
        }
    };
    let (chunks, rest) = text.as_chunks::<64>();
    for (i, bytes) in chunks.iter().enumerate() {
        chunk(space_bits(bytes), i * 64);
    }
    // At least one space after the end, which closes the last word.
    let mut last = [b' '; 64];
    last[..rest.len()].copy_from_slice(rest);
    chunk(space_bits(&last), chunks.len() * 64);
    bytes + words == text.len() + usize::from(words > 0)
}

/// Whether spaces are the only blanks: no byte begins another one. False for some
/// texts without other blanks, which only costs time; true for text in Indic or
/// Arabic letters.
#[inline]
pub(super) fn has_only_spaces(text: &[u8]) -> bool {
    // Without a way out in between, so that it becomes vector code.
    let other = text.iter().fold(false, |other, byte| {
        other | (*byte < 0x20) | (*byte == 0xc2) | (byte.wrapping_sub(0xe1) < 3)
    });
    !other
}

/// Whether there are control characters of ASCII: what `has_only_spaces` looks for in ASCII.
#[inline]
pub(super) fn has_controls(text: &[u8]) -> bool {
    let is_one = |byte: &u8| *byte < 0x20;
    text.iter().fold(false, |any, byte| any | is_one(byte))
}

/// Number of spaces.
pub(super) fn count(text: &[u8]) -> usize {
    // In stretches whose count fits a byte, so that it becomes vector code.
    let stretches = text.chunks(255);
    let counts = stretches.map(|part| part.iter().fold(0u8, |n, b| n + u8::from(*b == b' ')));
    counts.map(usize::from).sum()
}

/// Whether a text has one space between words, none at the ends and no other
/// blanks. (False for some texts of which that is true; see [`has_only_spaces`].)
pub(super) fn is_tidy(text: &[u8]) -> bool {
    let ends = [text.first(), text.last()].contains(&Some(&b' '));
    let pairs = text.iter().zip(text.get(1..).unwrap_or_default());
    let double = pairs.fold(false, |double, (a, b)| {
        double | ((*a == b' ') & (*b == b' '))
    });
    !ends && !double && has_only_spaces(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn runs_are_those_of_split(text in "[ a]{0,200}|[ क0\u{a0}]{0,90}") {
            let mut runs = Vec::new();
            let tidy = for_each_run(text.as_bytes(), |start, end| runs.push(&text[start..end]));
            let words: Vec<&str> = text.split(' ').filter(|word| !word.is_empty()).collect();
            prop_assert_eq!(&runs, &words);
            prop_assert_eq!(tidy, text == words.join(" "));
            prop_assert_eq!(is_tidy(text.as_bytes()), tidy && has_only_spaces(text.as_bytes()));
            prop_assert_eq!(count(text.as_bytes()), text.matches(' ').count());
        }

        #[test]
        fn other_blanks_are_never_missed(text in "\\PC{0,20}[ \t\n\u{85}\u{a0}\u{1680}\u{2003}\u{2028}\u{3000}a]") {
            let other = text.chars().any(|c| c != ' ' && super::super::tokens::is_blank(c));
            prop_assert!(!(other && has_only_spaces(text.as_bytes())));
        }
    }
}
