//! M4A: the audio-only use of the ISO base media file format (MP4).
//!
//! The boxes of the top level are walked here by their headers, so that the description (`moov`)
//! is found wherever it lies and the sound itself is never fetched. The library interprets `moov`.

use super::fragments;
use super::library::{self, Facts};
use super::sparse::{SparseBytes, Stop, malformed};
use super::{AudioFormat, Rejection};

const MAX_BOXES: u32 = 64;
/// A `moov` lists every packet of sound; the one of ten hours takes about 6 MB.
const MAX_MOOV: u64 = 8 * 1024 * 1024;
const MAX_FTYP: u64 = 4096;

/// A box: its name and where its content and the box end.
#[derive(Debug, Clone, Copy)]
pub(super) struct BoxHeader {
    pub name: [u8; 4],
    pub body: u64,
    pub end: u64,
}

/// Reads the facts of an M4A file.
pub(super) fn facts(bytes: &SparseBytes) -> Result<Facts, Stop> {
    let total = bytes.total_len();
    let mut at = 0u64;
    let mut ftyp: Option<Vec<u8>> = None;
    let mut moov: Option<Vec<u8>> = None;
    let mut sound_bytes = 0u64;
    let mut first_fragment: Option<u64> = None;
    let mut boxes = 0;

    while at < total && first_fragment.is_none() {
        boxes += 1;
        if boxes > MAX_BOXES {
            return Err(Rejection::TooScattered.into());
        }
        let found = box_at(bytes, at)?;
        let len = found.end - at;
        match &found.name {
            b"ftyp" if len > MAX_FTYP => {
                return Err(malformed("its type description is too large"));
            }
            b"ftyp" => ftyp = Some(bytes.read(at, len)?),
            b"moov" if len > MAX_MOOV => return Err(Rejection::TooScattered.into()),
            b"moov" => moov = Some(bytes.read(at, len)?),
            b"mdat" => sound_bytes += found.end - found.body,
            b"moof" => first_fragment = Some(at),
            _ => {}
        }
        at = found.end;
    }

    let (Some(ftyp), Some(moov)) = (ftyp, moov) else {
        return Err(malformed("the description of its sound is missing"));
    };
    check_tracks(&moov)?;
    let mut file = ftyp;
    file.extend_from_slice(&moov);
    // The library wants to see where the sound would be.
    file.extend_from_slice(b"\0\0\0\x08mdat");
    let mut facts = library::facts(AudioFormat::M4a, file)?;

    if let Some(first) = first_fragment {
        facts.seconds = Some(fragments::seconds(bytes, &moov, facts.track_id, first)?);
    } else if sound_bytes == 0 {
        return Err(Rejection::ZeroDuration.into());
    }
    Ok(facts)
}

/// The box at `at`; an error if it goes on after the object's end.
fn box_at(bytes: &SparseBytes, at: u64) -> Result<BoxHeader, Stop> {
    let total = bytes.total_len();
    let head: [u8; 8] = bytes.array(at)?;
    let mut long = [0u8; 8];
    if head[..4] == [0, 0, 0, 1] {
        long = bytes.array(at + 8)?;
    }
    let found = parse_box(head, long, at, total)
        .ok_or_else(|| malformed("a part of it has an impossible size"))?;
    if found.end > total {
        return Err(bytes.truncated(Some(found.end)));
    }
    Ok(found)
}

/// Interprets a box header. `None`: a size that no box has. `limit` is the end of a box of size 0,
/// which means "as far as it goes".
fn parse_box(head: [u8; 8], long: [u8; 8], at: u64, limit: u64) -> Option<BoxHeader> {
    let [a, b, c, d, name @ ..] = head;
    let (header, end) = match u32::from_be_bytes([a, b, c, d]) {
        0 => (8, limit),
        1 => (16, at.checked_add(u64::from_be_bytes(long))?),
        len => (8, at.checked_add(u64::from(len))?),
    };
    let body = at.checked_add(header)?;
    (end >= body).then_some(BoxHeader { name, body, end })
}

/// The boxes within `parent`, which is held in memory. Ends at the first one that does not fit.
pub(super) fn children(parent: &[u8]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    let mut at = 0usize;
    std::iter::from_fn(move || {
        let head: [u8; 8] = parent.get(at..at.checked_add(8)?)?.try_into().ok()?;
        let long = parent
            .get(at + 8..at + 16)
            .and_then(|b| b.try_into().ok())
            .unwrap_or([0; 8]);
        let found = parse_box(head, long, at as u64, parent.len() as u64)?;
        let body = parent.get(found.body as usize..usize::try_from(found.end).ok()?)?;
        at = found.end as usize;
        Some((found.name, body))
    })
}

/// The content of the first box called `name` within `parent`.
pub(super) fn child<'a>(parent: &'a [u8], name: &[u8; 4]) -> Option<&'a [u8]> {
    children(parent)
        .find(|(found, _)| found == name)
        .map(|(_, body)| body)
}

/// Sound and no pictures, by the handlers of the tracks. The library knows a track only by its
/// encoding, so a video encoding that it does not know would go unseen.
fn check_tracks(moov: &[u8]) -> Result<(), Rejection> {
    let mut sound = 0;
    let content = child(moov, b"moov").unwrap_or_default();
    for (_, track) in children(content).filter(|(name, _)| name == b"trak") {
        let handler = child(track, b"mdia").and_then(|mdia| child(mdia, b"hdlr"));
        match handler.and_then(|body| body.get(8..12)) {
            Some(b"vide") => return Err(Rejection::Video),
            Some(b"soun") => sound += 1,
            _ => {}
        }
    }
    match sound {
        0 => Err(Rejection::NoAudioTrack),
        1 => Ok(()),
        _ => Err(Rejection::SeveralRecordings),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impossible_box_sizes_are_refused() {
        let long = u64::MAX.to_be_bytes();
        assert!(parse_box(*b"\0\0\0\x01mdat", long, 16, 100).is_none());
        assert!(parse_box(*b"\0\0\0\x01mdat", [0; 8], 16, 100).is_none());
        assert!(parse_box(*b"\0\0\0\x07mdat", [0; 8], 0, 100).is_none());
        assert_eq!(
            parse_box(*b"\0\0\0\0mdat", [0; 8], 4, 100).unwrap().end,
            100
        );
        assert_eq!(children(&[0, 0, 0, 4, 1, 2, 3, 4]).count(), 0);
        assert_eq!(children(&[0, 0, 0, 200, 1, 2, 3, 4]).count(), 0);
    }
}
