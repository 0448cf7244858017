//! Reading a file that is UTF-8, which is told of each piece while the processor has it.

use std::io::{ErrorKind, Read};

use stt_eval_formats::Whole;

/// Bytes of a piece: the fastest memory of a processor holds them twice.
const PIECE: usize = 32 * 1024;

/// Everything that is left to read, if it is UTF-8 and has at most `most` bytes; `size` is a
/// guess of how many. `None` also where reading fails.
pub fn read(mut from: impl Read, size: usize, most: usize) -> Option<Whole> {
    #[cfg(target_os = "linux")]
    if (large::FROM..=most).contains(&size)
        && let Some(room) = large::Room::of(size)
    {
        return room.filled(&mut from);
    }
    by_pieces(&mut from, size, most).map(Whole::from)
}

fn by_pieces(from: &mut impl Read, size: usize, most: usize) -> Option<String> {
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

/// Room for large texts in large pages: a page that is touched first costs more than to read
/// what it holds, and a large one takes the place of 512.
#[cfg(target_os = "linux")]
mod large {
    use std::io::{ErrorKind, Read};
    use std::ops::Range;

    use memmap2::{Advice, MmapMut};
    use stt_eval_formats::Whole;

    /// Bytes of a text from which on it is worth it: a quarter of a large page.
    pub const FROM: usize = PAGE / 4;
    const PAGE: usize = 2 << 20;

    /// Memory that begins with a large page.
    pub struct Room {
        map: MmapMut,
        place: Range<usize>,
    }

    impl AsRef<[u8]> for Room {
        fn as_ref(&self) -> &[u8] {
            self.map.get(self.place.clone()).unwrap_or_default()
        }
    }

    impl Room {
        /// Room for `size` bytes and one more, by which a file is told that has grown. `None`
        /// if there is none.
        pub fn of(size: usize) -> Option<Self> {
            let whole = size.checked_add(1)?.checked_next_multiple_of(PAGE)?;
            let map = MmapMut::map_anon(whole.checked_add(PAGE)?).ok()?;
            // A kernel without large pages gives small ones.
            let _ = map.advise(Advice::HugePage);
            let start = (map.as_ptr() as usize).wrapping_neg() % PAGE;
            let place = start..start + size + 1;
            Some(Self { map, place })
        }

        /// A text that was read into it; `None` if it is none, or is longer.
        pub fn filled(mut self, from: &mut impl Read) -> Option<Whole> {
            let mut end = self.place.start;
            loop {
                let free = self.map.get_mut(end..self.place.end)?;
                match from.read(free) {
                    Ok(0) if free.is_empty() => return None,
                    Ok(0) => break,
                    Ok(read) => end += read,
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(_) => return None,
                }
            }
            self.place.end = end;
            Whole::held(Box::new(self), |bytes| {
                simdutf8::basic::from_utf8(bytes).ok()
            })
        }
    }
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
        let large = text.repeat(20);
        for size in [large.len(), large.len() + 1, 3 << 20] {
            let read = read(Drips(large.as_bytes(), PIECE), size, 4 << 20);
            assert_eq!(read.as_deref(), Some(large.as_str()), "{size}");
        }
        // It has grown since, or is larger than it may be; it ends within a character.
        let (less, cut) = (large.len() - 1, &large.as_bytes()[..text.len() * 19 + 2]);
        assert_eq!(read(large.as_bytes(), less, 4 << 20), None);
        assert_eq!(read(large.as_bytes(), large.len(), less), None);
        assert_eq!(read(cut, large.len(), 4 << 20), None);
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
