//! Ogg with Vorbis or Opus.
//!
//! The library interprets the header pages and the first page of sound. The length comes from the
//! position on the last page, which is read here: the library takes it only from a page that is
//! marked as the last, which recordings of crashed or stopped programs lack, and it counts what
//! Opus players throw away.

use super::library::{self, Facts};
use super::sparse::{SparseBytes, Stop, malformed};
use super::{AudioFormat, Rejection};

/// Most bytes before the first page of sound; comments may hold a cover picture.
const MAX_HEAD: u64 = 4 * 1024 * 1024;
const MAX_HEAD_PAGES: u32 = 256;
/// Bytes at the end: two pages of the largest size and more.
const TAIL: u64 = 192 * 1024;
/// Marks of a page in the tail that are tried as its first page.
const MAX_CANDIDATES: usize = 64;
const HEADER_LEN: u64 = 27;
const BEGINS_STREAM: u8 = 2;

struct Page {
    begins_stream: bool,
    /// Samples up to the end of the page; none if no packet ends in it.
    position: Option<u64>,
    serial: u32,
    body: u64,
    end: u64,
}

/// What a logical stream carries, by its first packet.
enum Content {
    Sound { pre_skip: u64 },
    Other(Rejection),
    Ignored,
}

/// What the pages up to the first one with sound say.
struct Head {
    /// The sound's stream number.
    serial: u32,
    /// Samples at its start that players throw away (Opus).
    pre_skip: u64,
    /// Where the first page with sound ends, in samples and in bytes.
    position: u64,
    end: u64,
}

/// Reads the facts of an Ogg file.
pub(super) fn facts(bytes: &SparseBytes) -> Result<Facts, Stop> {
    let total = bytes.total_len();
    let head = head(bytes)?;
    let mut facts = library::facts(AudioFormat::Ogg, bytes.read(0, head.end)?)?;

    let tail_start = total.saturating_sub(TAIL).max(head.end);
    let tail = bytes.read(tail_start, total - tail_start)?;
    let last = last_position(bytes, &head, tail_start, &tail)?;
    // Positions count at the rate of the encoding, which for Opus is always 48 kHz; so does the
    // library. The first one is above zero where a recording was cut out of a longer one.
    let samples = last.saturating_sub(head.pre_skip);
    if facts.sample_rate_hz > 0 {
        let seconds = samples as f64 / f64::from(facts.sample_rate_hz);
        facts.seconds = Some(seconds - facts.start_seconds.max(0.0));
    }
    Ok(facts)
}

/// Walks the pages up to and including the first one with sound.
fn head(bytes: &SparseBytes) -> Result<Head, Stop> {
    let mut sound: Option<(u32, u64)> = None;
    let mut at = 0u64;
    for _ in 0..MAX_HEAD_PAGES {
        if at == bytes.total_len() {
            return Err(Rejection::ZeroDuration.into());
        }
        if at > MAX_HEAD {
            break;
        }
        let page = page(bytes, at)?;
        // The library will need all of it, so ask for it in order.
        bytes.read(at, page.end - at)?;
        if page.begins_stream {
            let first = bytes.read_up_to(page.body, 12.min(page.end - page.body))?;
            match content(&first) {
                Content::Sound { .. } if sound.is_some() => {
                    return Err(Rejection::SeveralRecordings.into());
                }
                Content::Sound { pre_skip } => sound = Some((page.serial, pre_skip)),
                Content::Other(reason) => return Err(reason.into()),
                Content::Ignored => {}
            }
        } else {
            let Some((serial, pre_skip)) = sound else {
                return Err(Rejection::NoAudioTrack.into());
            };
            if let Some(position) = page.position.filter(|position| *position > 0)
                && page.serial == serial
            {
                return Ok(Head {
                    serial,
                    pre_skip,
                    position,
                    end: page.end,
                });
            }
        }
        at = page.end;
    }
    Err(Rejection::TooScattered.into())
}

fn content(first: &[u8]) -> Content {
    let format = AudioFormat::Ogg;
    let unsupported = |name| {
        Content::Other(Rejection::UnsupportedCodec {
            format,
            codec: Some(name),
        })
    };
    if let Some(rest) = first.strip_prefix(b"OpusHead") {
        // Version, channels, then the pre-skip.
        let pre_skip = rest
            .get(2..4)
            .map_or(0, |le| u16::from_le_bytes([le[0], le[1]]));
        Content::Sound {
            pre_skip: pre_skip.into(),
        }
    } else if first.starts_with(b"\x01vorbis") {
        Content::Sound { pre_skip: 0 }
    } else if first.starts_with(b"\x80theora")
        || first.starts_with(b"BBCD\0")
        || first.starts_with(b"\x01video")
        || first.starts_with(b"OVP80")
    {
        Content::Other(Rejection::Video)
    } else if first.starts_with(b"Speex   ") {
        unsupported("Speex")
    } else if first.starts_with(b"\x7FFLAC") || first.starts_with(b"fLaC") {
        unsupported("FLAC inside Ogg")
    } else {
        Content::Ignored
    }
}

/// The page at `at`; an error if it is none or goes on after the object's end.
fn page(bytes: &SparseBytes, at: u64) -> Result<Page, Stop> {
    let header: [u8; HEADER_LEN as usize] = bytes.array(at)?;
    if !is_page(&header) {
        return Err(malformed("its pages do not follow each other"));
    }
    let segments = u64::from(header[26]);
    let lacing = bytes.read(at + HEADER_LEN, segments)?;
    let body = at + HEADER_LEN + segments;
    let end = body + lacing.iter().map(|len| u64::from(*len)).sum::<u64>();
    if end > bytes.total_len() {
        return Err(bytes.truncated(Some(end)));
    }
    let mut number = [0u8; 8];
    number.copy_from_slice(&header[6..14]);
    let position = i64::from_le_bytes(number);
    Ok(Page {
        begins_stream: header[5] & BEGINS_STREAM != 0,
        position: u64::try_from(position).ok(),
        serial: u32::from_le_bytes([header[14], header[15], header[16], header[17]]),
        body,
        end,
    })
}

fn is_page(header: &[u8]) -> bool {
    header.starts_with(b"OggS") && header.get(4) == Some(&0)
}

/// Checks that the pages of the tail follow each other to the object's end and belong to the sound
/// stream; the last position in it.
fn last_position(
    bytes: &SparseBytes,
    head: &Head,
    tail_start: u64,
    tail: &[u8],
) -> Result<u64, Stop> {
    if tail.is_empty() {
        return Ok(head.position);
    }
    // A tail that touches the head begins with a page; elsewhere the first place from which pages
    // follow each other is taken, as the mark of a page can occur in sound too.
    let candidates = if tail_start == head.end {
        vec![0]
    } else {
        (0..tail.len())
            .filter(|at| is_page(&tail[*at..]))
            .take(MAX_CANDIDATES)
            .collect()
    };
    let mut refused = malformed("no sound can be found at its end");
    for from in candidates {
        match follow(bytes, head, tail_start + from as u64) {
            Err(Stop::Reject(Rejection::Truncated {
                expected_bytes,
                actual_bytes,
            })) => {
                refused = Rejection::Truncated {
                    expected_bytes,
                    actual_bytes,
                }
                .into();
            }
            Err(Stop::Reject(Rejection::Malformed(_))) => {}
            decided => return decided,
        }
    }
    Err(refused)
}

/// Follows the pages from `start` to the object's end; the sound's last position.
fn follow(bytes: &SparseBytes, head: &Head, start: u64) -> Result<u64, Stop> {
    let total = bytes.total_len();
    let mut at = start;
    let mut last = None;
    // The page before is ours.
    let mut ours = start == head.end;
    loop {
        let rest = bytes.read_up_to(at, 4)?;
        // The end, or something else after the last page, such as a player's tag.
        let after_page = at > start || start == head.end;
        if at == total || (after_page && !b"OggS".starts_with(&rest)) {
            break;
        }
        let page = page(bytes, at)?;
        if page.begins_stream {
            return Err(Rejection::SeveralRecordings.into());
        }
        if page.serial == head.serial {
            ours = true;
            last = page.position.or(last);
        }
        at = page.end;
    }
    if ours {
        Ok(last.unwrap_or(head.position))
    } else {
        Err(Rejection::SeveralRecordings.into())
    }
}
