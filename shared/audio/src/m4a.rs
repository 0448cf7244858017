//! M4A: the audio-only use of the ISO base media file format (MP4).
//!
//! The boxes of the top level are walked here by their headers, so that the description (`moov`)
//! is found wherever it lies and the sound itself is never fetched. The library interprets `moov`.

use super::boxes::{BoxHeader, child, children, parse_box};
use super::fragments;
use super::library::{self, Facts};
use super::m4a_codec;
use super::sparse::{SparseBytes, Stop, malformed};
use super::{AudioFormat, Rejection};

const MAX_BOXES: u32 = 64;
/// A `moov` lists every packet of sound; the one of ten hours takes about 6 MB.
const MAX_MOOV: u64 = 8 * 1024 * 1024;
const MAX_FTYP: u64 = 4096;

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
        // Recorders and most encoders write the description last: a file without one was cut off,
        // or its recorder was stopped.
        return Err(bytes.truncated(None));
    };
    let packet_bytes = check_tracks(&moov)?;
    if first_fragment.is_none() && sound_bytes > 0 && packet_bytes > sound_bytes {
        // Sound that is said to go "to the end" has no other sign of being cut off.
        return Err(bytes.truncated(total.checked_add(packet_bytes - sound_bytes)));
    }
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

/// Sound and no pictures, by the handlers of the tracks. The library knows a track only by its
/// encoding, so a video encoding that it does not know would go unseen. The bytes that the sound
/// takes, as far as they are told.
fn check_tracks(moov: &[u8]) -> Result<u64, Rejection> {
    let mut sound = None;
    let content = child(moov, b"moov").unwrap_or_default();
    for (_, track) in children(content).filter(|(name, _)| name == b"trak") {
        let handler = child(track, b"mdia").and_then(|mdia| child(mdia, b"hdlr"));
        match handler.and_then(|body| body.get(8..12)) {
            Some(b"vide") => return Err(Rejection::Video),
            Some(b"soun") if sound.is_some() => return Err(Rejection::SeveralRecordings),
            Some(b"soun") => sound = Some(track),
            _ => {}
        }
    }
    let track = sound.ok_or(Rejection::NoAudioTrack)?;
    m4a_codec::check(track)?;
    Ok(packet_bytes(track).unwrap_or(0))
}

/// Bytes of all the packets of a track, if each has a length of its own, as those of AAC have.
fn packet_bytes(track: &[u8]) -> Option<u64> {
    let sizes = [b"mdia", b"minf", b"stbl", b"stsz"]
        .iter()
        .try_fold(track, |parent, name| child(parent, name))?;
    // Version, the length of all packets or zero, their number, their lengths.
    if sizes.get(4..8)? != [0; 4] {
        return None;
    }
    let lengths = sizes.get(12..)?.chunks_exact(4);
    Some(
        lengths
            .map(|len| u64::from(u32::from_be_bytes([len[0], len[1], len[2], len[3]])))
            .sum(),
    )
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
