//! What a file is, by its first bytes; never by its name.

use super::sparse::{SparseBytes, Stop, malformed};
use super::{Rejection, mp3};

/// First request: enough for the headers of nearly every file.
const HEAD: u64 = 64 * 1024;

/// Longest `ID3v2` tag that is skipped; real ones hold a cover picture of a few megabytes.
const MAX_ID3_BYTES: u64 = 16 * 1024 * 1024;

/// Most `ID3v2` tags before the audio.
const MAX_ID3_TAGS: u32 = 4;

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

    let after_tags = skip_id3(bytes)?;
    if after_tags > 0 && bytes.total_len() - after_tags >= 4 && &bytes.array(after_tags)? == b"fLaC"
    {
        return Ok(Container::Flac { start: after_tags });
    }
    let start = skip_zeros(bytes, after_tags)?;
    if mp3::begins_at(bytes, start)? {
        return Ok(Container::Mp3 { start });
    }
    match other(&bytes.read_up_to(after_tags, 4096)?) {
        // Perhaps cut out of a stream, and beginning in the middle of a frame.
        unknown @ Rejection::NotAudio { looks_like: None } => match mp3::find(bytes, after_tags)? {
            Some(start) => Ok(Container::Mp3 { start }),
            None if after_tags > 0 => Err(malformed("no sound follows its title information")),
            None => Err(unknown.into()),
        },
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
    let unsupported = |name| Some(Verdict::Reject(Rejection::UnsupportedFormat { name }));

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
    if at(4, b"moov") || at(4, b"mdat") || at(4, b"wide") {
        return unsupported("old QuickTime");
    }
    if at(0, b"FORM") && (at(8, b"AIFF") || at(8, b"AIFC")) {
        return unsupported("AIFF");
    }
    if at(0, b"#!AMR") {
        return unsupported("AMR");
    }
    if at(0, b"caff") {
        return unsupported("CAF");
    }
    if at(0, &[0x30, 0x26, 0xB2, 0x75, 0x8E, 0x66, 0xCF, 0x11]) {
        return unsupported("WMA");
    }
    if at(0, b".snd") {
        return unsupported("AU");
    }
    if at(0, b"wvpk") {
        return unsupported("WavPack");
    }
    if at(0, b"MAC ") {
        return unsupported("Monkey's Audio");
    }
    if at(0, b"MThd") {
        return not("a MIDI file, which holds notes and no sound");
    }
    None
}

/// What a file that is no recording looks like.
fn other(head: &[u8]) -> Rejection {
    let starts = |magic: &[u8]| head.starts_with(magic);
    let not = |thing| Rejection::NotAudio {
        looks_like: Some(thing),
    };
    if head.len() >= 2 && head[0] == 0xFF && head[1] & 0xF6 == 0xF0 {
        return Rejection::UnsupportedFormat { name: "raw AAC" };
    }
    if head.len() >= 2 && head[0] == 0xFF && head[1] & 0xE6 == 0xE4 {
        return Rejection::UnsupportedFormat {
            name: "MPEG layer II",
        };
    }
    if starts(b"\xFF\xFE") || starts(b"\xFE\xFF") {
        return not("a text file");
    }
    if starts(b"PK\x03\x04") || starts(b"PK\x05\x06") {
        return not("a ZIP archive or an office document");
    }
    if starts(b"%PDF") {
        return not("a PDF document");
    }
    if starts(b"\x89PNG") || starts(b"\xFF\xD8\xFF") || starts(b"GIF8") || starts(b"BM") {
        return not("a picture");
    }
    if starts(b"\x1F\x8B") || starts(b"7z\xBC\xAF") || starts(b"Rar!") || starts(b"BZh") {
        return not("a compressed archive");
    }
    if starts(b"\x7FELF") || starts(b"MZ") {
        return not("a program");
    }
    if starts(b"\xD0\xCF\x11\xE0") {
        return not("an office document");
    }
    Rejection::NotAudio {
        looks_like: markup(head).or_else(|| text(head)),
    }
}

/// Web pages and XML, such as the error page that a download left under the name of a recording.
fn markup(head: &[u8]) -> Option<&'static str> {
    let start = head
        .strip_prefix(b"\xEF\xBB\xBF")
        .unwrap_or(head)
        .trim_ascii_start();
    let begins = |word: &[u8]| {
        start
            .get(..word.len())
            .is_some_and(|first| first.eq_ignore_ascii_case(word))
    };
    if begins(b"<!doctype html") || begins(b"<html") {
        return Some("a web page");
    }
    begins(b"<?xml").then_some("an XML document")
}

/// Whether the bytes read as text.
fn text(head: &[u8]) -> Option<&'static str> {
    let sample = &head[..head.len().min(4096)];
    let valid = match std::str::from_utf8(sample) {
        Ok(text) => text,
        // A character cut in two by the end of the sample is no reason to doubt.
        Err(error) if sample.len() - error.valid_up_to() < 4 => {
            std::str::from_utf8(&sample[..error.valid_up_to()]).ok()?
        }
        Err(_) => return None,
    };
    let odd = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{c}');
    if valid.is_empty() || valid.chars().any(odd) {
        return None;
    }
    Some("a text file")
}

/// Where the object goes on after the `ID3v2` tags at its start; their content is never fetched.
fn skip_id3(bytes: &SparseBytes) -> Result<u64, Stop> {
    let total = bytes.total_len();
    let mut at = 0;
    for _ in 0..MAX_ID3_TAGS {
        if total - at < 10 {
            return Ok(at);
        }
        let header: [u8; 10] = bytes.array(at)?;
        let [b'I', b'D', b'3', major, minor, flags, size @ ..] = header else {
            return Ok(at);
        };
        if major == 0xFF || minor == 0xFF || size.iter().any(|byte| *byte & 0x80 != 0) {
            return Ok(at);
        }
        let size = size
            .iter()
            .fold(0u64, |value, byte| (value << 7) | u64::from(*byte));
        let footer = if flags & 0x10 != 0 { 10 } else { 0 };
        let end = at + 10 + size + footer;
        if end >= total {
            return Err(bytes.truncated(Some(end + 1)));
        }
        if size > MAX_ID3_BYTES {
            return Err(malformed("its title information is far too large"));
        }
        at = end;
    }
    if bytes.read_up_to(at, 3)? == b"ID3" {
        return Err(malformed("its title information is far too large"));
    }
    Ok(at)
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
