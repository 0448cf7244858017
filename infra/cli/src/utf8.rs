//! Reading a file that is UTF-8, which is told of each piece while the processor has it.

use std::io::{ErrorKind, Read};

/// Bytes of a piece: the fastest memory of a processor holds them twice.
const PIECE: usize = 32 * 1024;

/// Everything that is left to read, if it is UTF-8 and has at most `most` bytes; `size` is a
/// guess of how many. `None` also where reading fails.
pub fn read(mut from: impl Read, size: usize, most: usize) -> Option<String> {
    let mut text = String::with_capacity(size.min(most));
    let mut piece = vec![0; PIECE];
    // Bytes of a character that the last piece cut.
    let mut cut = 0;
    loop {
        let read = match from.read(piece.get_mut(cut..)?) {
            Ok(0) => return (cut == 0).then_some(text),
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(_) => return None,
        };
        let all = cut + read;
        let end = all - begun(piece.get(..all)?);
        text.push_str(simdutf8::basic::from_utf8(piece.get(..end)?).ok()?);
        if text.len() > most {
            return None;
        }
        piece.copy_within(end..all, 0);
        cut = all - end;
    }
}

/// Bytes at the end that begin a character whose rest is not there.
fn begun(bytes: &[u8]) -> usize {
    let last = bytes.iter().rev().take(4);
    let lead = last.zip(1..).find(|(byte, _)| **byte & 0xc0 != 0x80);
    lead.map_or(0, |(byte, there)| {
        let whole = match byte {
            0xc0..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xff => 4,
            _ => 1,
        };
        if there < whole { there } else { 0 }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives a few bytes at a time.
    struct Drips<'a>(&'a [u8], usize);

    impl Read for Drips<'_> {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            let size = self.1.min(into.len());
            self.0.read(&mut into[..size])
        }
    }

    #[test]
    fn texts_are_whole_wherever_they_are_cut() {
        let text = "aé घर 😀\u{10ffff}z".repeat(3_000);
        for size in [1, 2, 3, 5, 7, 64, PIECE] {
            let read = read(Drips(text.as_bytes(), size), 0, text.len());
            assert_eq!(read.as_deref(), Some(text.as_str()), "{size}");
        }
        assert_eq!(read(text.as_bytes(), 9, text.len() - 1), None);
        for wrong in [
            &b"a\xff"[..],
            b"\xe0\xa4",
            b"\x80a",
            b"\xed\xa0\x80",
            b"\xc0\xaf",
            b"a\xf0\x9f\x98",
            b"\x80\x80\x80\x80\x80",
        ] {
            for size in [1, 2, 64] {
                assert_eq!(read(Drips(wrong, size), 0, 99), None, "{wrong:?}");
            }
        }
    }
}
