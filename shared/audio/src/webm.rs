//! WebM with Opus or Vorbis.
//!
//! The elements up to the first cluster are walked here by their headers. What browsers record
//! has no Duration; then the last cluster is found in the tail and its timestamps, which the
//! library reads, give the length.

use super::library::{self, Facts};
use super::sparse::{SparseBytes, Stop, malformed};
use super::{AudioFormat, Rejection};

const EBML: u64 = 0x1A45_DFA3;
const DOC_TYPE: u64 = 0x4282;
const SEGMENT: u64 = 0x1853_8067;
const INFO: u64 = 0x1549_A966;
const TRACKS: u64 = 0x1654_AE6B;
const TRACK_ENTRY: u64 = 0xAE;
const TRACK_TYPE: u64 = 0x83;
const CLUSTER: u64 = 0x1F43_B675;
const CLUSTER_ID: [u8; 4] = [0x1F, 0x43, 0xB6, 0x75];
/// Elements that may come first in a cluster: Timestamp, Position, `PrevSize`, CRC-32, Void.
const CLUSTER_STARTS: [u8; 5] = [0xE7, 0xA7, 0xAB, 0xBF, 0xEC];

const MAX_ELEMENTS: u32 = 64;
const MAX_EBML_HEADER: u64 = 4096;
const MAX_DESCRIPTION: u64 = 1024 * 1024;
/// Bytes at the end in which the last cluster is looked for, one try after the other. Browsers
/// begin a cluster every few seconds.
const TAILS: [u64; 3] = [128 * 1024, 1024 * 1024, 4 * 1024 * 1024];

/// An element: its id and where its content and it end. No end: of unknown length.
#[derive(Debug, Clone, Copy)]
struct Element {
    id: u64,
    body: u64,
    end: Option<u64>,
}

/// Reads the facts of a WebM file.
pub(super) fn facts(bytes: &SparseBytes) -> Result<Facts, Stop> {
    let (mut file, segment) = preamble(bytes)?;
    let mut at = segment;
    let mut tracks: Option<Vec<u8>> = None;
    let mut info: Option<Vec<u8>> = None;
    let mut first_cluster = None;
    for _ in 0..MAX_ELEMENTS {
        if at == bytes.total_len() {
            break;
        }
        let found = element(bytes, at)?;
        if found.id == CLUSTER {
            first_cluster = Some(at);
            break;
        }
        let end = found
            .end
            .ok_or_else(|| malformed("a part of it has no length"))?;
        if end > bytes.total_len() {
            return Err(bytes.truncated(Some(end)));
        }
        if found.id == INFO || found.id == TRACKS {
            if end - at > MAX_DESCRIPTION {
                return Err(Rejection::TooScattered.into());
            }
            let whole = bytes.read(at, end - at)?;
            if found.id == TRACKS {
                check_tracks(&whole[(found.body - at) as usize..])?;
                tracks = Some(whole);
            } else {
                info = Some(whole);
            }
        }
        at = end;
    }
    let (Some(info), Some(tracks)) = (info, tracks) else {
        return Err(malformed("the description of its sound is missing"));
    };
    let first_cluster = first_cluster.ok_or(Rejection::ZeroDuration)?;

    file.extend_from_slice(&info);
    file.extend_from_slice(&tracks);
    let mut with_empty_cluster = file.clone();
    with_empty_cluster.extend_from_slice(&CLUSTER_ID);
    with_empty_cluster.extend_from_slice(&[0x83, 0xE7, 0x81, 0x00]);
    let mut facts = library::facts(AudioFormat::Webm, with_empty_cluster)?;
    if !matches!(facts.codec, "opus" | "vorbis") {
        let format = AudioFormat::Webm;
        return Err(Rejection::UnsupportedCodec {
            format,
            codec: None,
        }
        .into());
    }
    if facts.seconds.is_none_or(|seconds| seconds <= 0.0) {
        facts.seconds = Some(last_timestamp(bytes, &file, first_cluster, facts.track_id)?);
    }
    Ok(facts)
}

/// Reads the EBML header and the start of the segment: the beginning of a file for the library,
/// with a segment of unknown length, and where the segment's content begins.
fn preamble(bytes: &SparseBytes) -> Result<(Vec<u8>, u64), Stop> {
    let header = element(bytes, 0)?;
    let header_end = header.end.filter(|end| *end <= MAX_EBML_HEADER);
    let Some(header_end) = header_end.filter(|_| header.id == EBML) else {
        return Err(malformed("its header has a wrong size"));
    };
    let mut file = bytes.read(0, header_end)?;
    let kind = children(&file[header.body as usize..]).find(|(id, _)| *id == DOC_TYPE);
    match kind.map(|(_, text)| text.strip_suffix(b"\0").unwrap_or(text)) {
        Some(b"webm") => {}
        Some(b"matroska") => {
            return Err(Rejection::UnsupportedFormat { name: "Matroska" }.into());
        }
        _ => return Err(malformed("it does not say what it is")),
    }
    let segment = element(bytes, header_end)?;
    if segment.id != SEGMENT {
        return Err(malformed("its content is missing"));
    }
    if let Some(end) = segment.end.filter(|end| *end > bytes.total_len()) {
        return Err(bytes.truncated(Some(end)));
    }
    file.extend_from_slice(&[0x18, 0x53, 0x80, 0x67, 0x01]);
    file.extend_from_slice(&[0xFF; 7]);
    Ok((file, segment.body))
}

/// The header of the element at `at`.
fn element(bytes: &SparseBytes, at: u64) -> Result<Element, Stop> {
    let head = bytes.read_up_to(at, 12)?;
    let Some((id, id_len)) = number(&head, 4, true) else {
        return Err(if head.len() < 4 {
            bytes.truncated(None)
        } else {
            malformed("one of its parts cannot be read")
        });
    };
    let Some((len, len_len)) = number(&head[id_len..], 8, false) else {
        return Err(if head.len() < 12 {
            bytes.truncated(None)
        } else {
            malformed("one of its parts cannot be read")
        });
    };
    let body = at + (id_len + len_len) as u64;
    let unknown = len == (1 << (7 * len_len)) - 1;
    let end = if unknown { None } else { body.checked_add(len) };
    Ok(Element { id, body, end })
}

/// A number of variable length and how many bytes it takes. An id keeps its length mark.
fn number(bytes: &[u8], longest: usize, is_id: bool) -> Option<(u64, usize)> {
    let first = *bytes.first()?;
    let len = first.leading_zeros() as usize + 1;
    if len > longest {
        return None;
    }
    let whole = bytes
        .get(..len)?
        .iter()
        .fold(0u64, |value, byte| (value << 8) | u64::from(*byte));
    Some((
        if is_id {
            whole
        } else {
            whole & !(1 << (7 * len))
        },
        len,
    ))
}

/// The elements within `parent`, which is held in memory. Ends at the first that does not fit.
fn children(parent: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    let mut rest = parent;
    std::iter::from_fn(move || {
        let (id, id_len) = number(rest, 4, true)?;
        let (len, len_len) = number(&rest[id_len..], 8, false)?;
        let start = id_len + len_len;
        let end = start.checked_add(usize::try_from(len).ok()?)?;
        let body = rest.get(start..end)?;
        rest = &rest[end..];
        Some((id, body))
    })
}

/// One sound track and no pictures. The library drops tracks with encodings it does not know, so
/// they would go unseen.
fn check_tracks(tracks: &[u8]) -> Result<(), Rejection> {
    let mut sound = 0;
    for (_, entry) in children(tracks).filter(|(id, _)| *id == TRACK_ENTRY) {
        let kind = children(entry).find(|(id, _)| *id == TRACK_TYPE);
        match kind.and_then(|(_, value)| value.last()) {
            Some(1) => return Err(Rejection::Video),
            Some(2) => sound += 1,
            _ => {}
        }
    }
    match sound {
        0 => Err(Rejection::NoAudioTrack),
        1 => Ok(()),
        _ => Err(Rejection::SeveralRecordings),
    }
}

/// Seconds until the end of the last block. `start_of_file` ends where clusters would begin.
fn last_timestamp(
    bytes: &SparseBytes,
    start_of_file: &[u8],
    first_cluster: u64,
    track_id: u32,
) -> Result<f64, Stop> {
    let total = bytes.total_len();
    for tail in TAILS {
        let start = first_cluster.max(total.saturating_sub(tail));
        let window = bytes.read(start, total - start)?;
        if let Some(at) = last_cluster(&window) {
            let cluster = element(bytes, start + at as u64)?;
            if let Some(end) = cluster.end.filter(|end| *end > total) {
                return Err(bytes.truncated(Some(end)));
            }
            let mut file = start_of_file.to_vec();
            file.extend_from_slice(&window[at..]);
            let end = library::last_packet_end(AudioFormat::Webm, file, track_id)?;
            let (_, seconds) = end.ok_or(Rejection::NoDuration)?;
            return Ok(seconds);
        }
        if start == first_cluster {
            break;
        }
    }
    Err(Rejection::NoDuration.into())
}

/// Where the last cluster begins in `window`.
fn last_cluster(window: &[u8]) -> Option<usize> {
    (0..window.len().saturating_sub(CLUSTER_ID.len()))
        .rev()
        .find(|at| {
            let Some(after) = window[*at..].strip_prefix(&CLUSTER_ID) else {
                return false;
            };
            number(after, 8, false)
                .and_then(|(_, len)| after.get(len))
                .is_some_and(|first| CLUSTER_STARTS.contains(first))
        })
}
