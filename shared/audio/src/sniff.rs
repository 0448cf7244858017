//! What a file is, by its first bytes; never by its name.

use super::sparse::{SparseBytes, Stop, malformed};
use super::{Rejection, foreign, mp3};

/// First request: enough for the headers of nearly every file.
const HEAD: u64 = 64 * 1024;

/// Longest tag that is skipped; real ones hold a cover picture of a few megabytes.
const MAX_TAG_BYTES: u64 = 16 * 1024 * 1024;

/// Most tags before the audio.
const MAX_TAGS: u32 = 4;

/// Most zero bytes between the tags and the first MP3 frame.
const MAX_ZERO_PADDING: u64 = 4096;

/// A container, and where in the object it begins if tags may stand before it.
#[derive(Debug)]
pub(super) enum Container {
    Wav,
    Flac { start: u64 },
    Ogg,
    M4a,
    Webm,
    Mp3 { start: u64 },
}

/// Tells the container.
pub(super) fn container(bytes: &SparseBytes) -> Result<Container, Stop> {
    let head = bytes.read_up_to(0, HEAD)?;
    match by_magic(&head) {
        Some(Verdict::Container(found)) => return Ok(found),
        Some(Verdict::Reject(reason)) => return Err(reason.into()),
        None => {}
    }

    let after_tags = skip_tags(bytes)?;
    if after_tags > 0 {
        match by_magic(&bytes.read_up_to(after_tags, 16)?) {
            Some(Verdict::Container(Container::Flac { .. })) => {
                return Ok(Container::Flac { start: after_tags });
            }
            Some(Verdict::Container(_)) => {
                return Err(malformed(
                    "title information stands before its beginning, where its format has no place for it",
                ));
            }
            Some(Verdict::Reject(reason)) => return Err(reason.into()),
            None => {}
        }
    }
    let start = skip_zeros(bytes, after_tags)?;
    if mp3::begins_at(bytes, start)? {
        return Ok(Container::Mp3 { start });
    }
    match foreign::other(&bytes.read_up_to(after_tags, 4096)?) {
        // Perhaps cut out of a stream, and beginning in the middle of a frame.
        unknown @ Rejection::NotAudio { looks_like: None } => {
            match mp3::find(bytes, after_tags, after_tags > 0)? {
                Some(start) => Ok(Container::Mp3 { start }),
                None if after_tags > 0 => Err(malformed("no sound follows its title information")),
                None => Err(unknown.into()),
            }
        }
        known => Err(known.into()),
    }
}

enum Verdict {
    Container(Container),
    Reject(Rejection),
}

/// Formats with a magic number. `None`: none of them, perhaps an MP3, which has none.
fn by_magic(head: &[u8]) -> Option<Verdict> {
    let at = |offset: usize, magic: &[u8]| head.get(offset..offset + magic.len()) == Some(magic);
    let not = |thing| {
        Some(Verdict::Reject(Rejection::NotAudio {
            looks_like: Some(thing),
        }))
    };

    if at(0, b"RIFF") || at(0, b"RF64") || at(0, b"BW64") {
        return match head.get(8..12) {
            Some(b"WAVE") => Some(Verdict::Container(Container::Wav)),
            Some(b"AVI ") => Some(Verdict::Reject(Rejection::Video)),
            Some(b"WEBP") => not("a picture"),
            _ => None,
        };
    }
    if at(0, b"fLaC") {
        return Some(Verdict::Container(Container::Flac { start: 0 }));
    }
    if at(0, b"OggS") {
        return Some(Verdict::Container(Container::Ogg));
    }
    if at(0, &[0x1A, 0x45, 0xDF, 0xA3]) {
        return Some(Verdict::Container(Container::Webm));
    }
    if at(4, b"ftyp") {
        return match head.get(8..12) {
            Some(b"heic" | b"heix" | b"mif1" | b"msf1" | b"avif" | b"avis") => not("a picture"),
            _ => Some(Verdict::Container(Container::M4a)),
        };
    }
    foreign::named(head).map(Verdict::Reject)
}

/// Where the object goes on after the `ID3v2` and APE tags at its start; their content is never
/// fetched.
fn skip_tags(bytes: &SparseBytes) -> Result<u64, Stop> {
    let mut at = 0;
    for _ in 0..MAX_TAGS {
        let Some((end, size)) = tag(bytes, at)? else {
            return Ok(at);
        };
        if end >= bytes.total_len() {
            return Err(bytes.truncated(Some(end + 1)));
        }
        if size > MAX_TAG_BYTES {
            return Err(malformed("its title information is far too large"));
        }
        at = end;
    }
    if tag(bytes, at)?.is_some() {
        return Err(malformed("its title information is far too large"));
    }
    Ok(at)
}

/// Where the tag at `at` ends and how long its content is. `None`: there is none.
fn tag(bytes: &SparseBytes, at: u64) -> Result<Option<(u64, u64)>, Stop> {
    let rest = bytes.total_len() - at;
    if rest >= 32 && &bytes.array(at)? == b"APETAGEX" {
        let size = u64::from(u32::from_le_bytes(bytes.array(at + 12)?));
        return Ok(Some((at + 32 + size, size)));
    }
    if rest < 10 {
        return Ok(None);
    }
    let header: [u8; 10] = bytes.array(at)?;
    let [b'I', b'D', b'3', major, minor, flags, size @ ..] = header else {
        return Ok(None);
    };
    if major == 0xFF || minor == 0xFF || size.iter().any(|byte| *byte & 0x80 != 0) {
        return Ok(None);
    }
    let size = size
        .iter()
        .fold(0u64, |value, byte| (value << 7) | u64::from(*byte));
    let footer = if flags & 0x10 != 0 { 10 } else { 0 };
    Ok(Some((at + 10 + size + footer, size)))
}

/// Skips zero bytes, which some tools leave between a tag and the first frame.
fn skip_zeros(bytes: &SparseBytes, start: u64) -> Result<u64, Stop> {
    let window = bytes.read_up_to(start, MAX_ZERO_PADDING)?;
    let zeros = window
        .iter()
        .position(|byte| *byte != 0)
        .unwrap_or(window.len());
    Ok(start + zeros as u64)
}
