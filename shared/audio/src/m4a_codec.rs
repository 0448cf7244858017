//! The encoding inside an MP4 file, by the description of its sound track.
//!
//! The container holds dozens of encodings, several of them under the name `mp4a`. Only AAC is
//! what people mean by m4a, what browsers play and what models take; the others are named.

use super::boxes::{child, children};
use super::{AudioFormat, Rejection};

/// Tags of the nested descriptors in which MPEG-4 keeps the encoding.
const ES: u8 = 3;
const DECODER_CONFIG: u8 = 4;
const DECODER_SPECIFIC: u8 = 5;

/// Refuses a sound track that is not AAC. `moov` is the box with its header.
pub(super) fn check(track: &[u8]) -> Result<(), Rejection> {
    let description = [b"mdia", b"minf", b"stbl", b"stsd"]
        .iter()
        .try_fold(track, |parent, name| child(parent, name));
    // Version and number of entries, then the entries. The first one is what plays.
    let first = description
        .and_then(|body| body.get(8..))
        .and_then(|entries| children(entries).next());
    match first {
        None => Err(Rejection::Malformed(
            "the description of its sound is incomplete".into(),
        )),
        Some((name, entry)) => match foreign(name, entry) {
            None => Ok(()),
            Some(codec) => Err(Rejection::UnsupportedCodec {
                format: AudioFormat::M4a,
                codec,
            }),
        },
    }
}

/// `Some` if the entry is not AAC: its name, where it has a known one.
fn foreign(name: [u8; 4], entry: &[u8]) -> Option<Option<&'static str>> {
    Some(match &name {
        b"mp4a" => return mpeg4(entry),
        b"alac" => Some("Apple Lossless"),
        b"Opus" => Some("Opus"),
        b"fLaC" => Some("FLAC"),
        b".mp3" | b"ms\0\x55" => Some("MP3"),
        b"samr" => Some("AMR-NB"),
        b"sawb" | b"sawp" => Some("AMR-WB"),
        b"sevc" => Some("EVRC"),
        b"sqcp" | b"Qclp" => Some("QCELP"),
        b"ac-3" => Some("AC-3"),
        b"ec-3" => Some("E-AC-3"),
        b"dtsc" | b"dtse" | b"dtsh" | b"dtsl" => Some("DTS"),
        b"drms" | b"enca" => Some("protected against copying"),
        b"ulaw" => Some("µ-law"),
        b"alaw" => Some("A-law"),
        b"ima4" => Some("IMA ADPCM"),
        b"lpcm" | b"sowt" | b"twos" | b"raw " | b"in24" | b"in32" | b"fl32" | b"fl64" | b"ipcm"
        | b"fpcm" => Some("PCM"),
        _ => None,
    })
}

/// The same for an entry called `mp4a`. One without a readable description is left to the library.
fn mpeg4(entry: &[u8]) -> Option<Option<&'static str>> {
    let at = entry.windows(4).position(|name| name == b"esds")?;
    // Version and flags first.
    let stream = descriptor(entry.get(at + 8..)?, ES)?;
    let flags = *stream.get(2)?;
    let mut start = 3;
    if flags & 0x80 != 0 {
        start += 2;
    }
    if flags & 0x40 != 0 {
        start += 1 + usize::from(*stream.get(start)?);
    }
    if flags & 0x20 != 0 {
        start += 2;
    }
    let config = descriptor(stream.get(start..)?, DECODER_CONFIG)?;
    match config.first()? {
        0x40 => object_type(descriptor(config.get(13..)?, DECODER_SPECIFIC)?),
        // AAC of MPEG-2.
        0x66..=0x68 => None,
        0x69 | 0x6B => Some(Some("MP3")),
        0xA5 => Some(Some("AC-3")),
        0xA6 => Some(Some("E-AC-3")),
        0xA9..=0xAC => Some(Some("DTS")),
        0xAD => Some(Some("Opus")),
        0xDD => Some(Some("Vorbis")),
        0xE1 => Some(Some("QCELP")),
        _ => Some(None),
    }
}

/// The same for the first bits of an `AudioSpecificConfig` (ISO/IEC 14496-3, table 1.17).
fn object_type(config: &[u8]) -> Option<Option<&'static str>> {
    let first = *config.first()?;
    let kind = match first >> 3 {
        31 => 32 + ((first & 7) << 3 | config.get(1)? >> 5),
        kind => kind,
    };
    match kind {
        // Main, LC, SSR, LTP, HE (SBR), HE v2 (PS).
        1..=5 | 29 => None,
        22 => Some(Some("AAC-BSAC")),
        23 => Some(Some("AAC-LD")),
        32 | 33 => Some(Some("MPEG layer II")),
        34 => Some(Some("MP3")),
        36 => Some(Some("MPEG-4 ALS")),
        39 => Some(Some("AAC-ELD")),
        42 => Some(Some("xHE-AAC")),
        _ => Some(None),
    }
}

/// The content of a descriptor that begins `bytes` and has that tag.
fn descriptor(bytes: &[u8], tag: u8) -> Option<&[u8]> {
    if *bytes.first()? != tag {
        return None;
    }
    let mut len = 0usize;
    let mut at = 1;
    loop {
        let byte = *bytes.get(at)?;
        at += 1;
        len = len << 7 | usize::from(byte & 0x7F);
        if byte & 0x80 == 0 {
            break;
        }
        if at > 4 {
            return None;
        }
    }
    let rest = bytes.get(at..)?;
    // Some writers count wrong; what is there is read.
    Some(&rest[..len.min(rest.len())])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An entry of MPEG-4 sound with the object type of the stream and the one of its description.
    fn esds(object: u8, config: &[u8]) -> Vec<u8> {
        let mut decoder = vec![object, 0x15];
        decoder.extend_from_slice(&[0; 11]);
        decoder.extend_from_slice(&[DECODER_SPECIFIC, config.len() as u8]);
        decoder.extend_from_slice(config);
        let mut out = vec![0; 28 + 4];
        out.extend_from_slice(b"esds\0\0\0\0");
        out.extend_from_slice(&[ES, 0x80, 0x80, 0x80, decoder.len() as u8 + 5, 0, 1, 0]);
        out.extend_from_slice(&[DECODER_CONFIG, decoder.len() as u8]);
        out.extend_from_slice(&decoder);
        out
    }

    #[test]
    fn aac_is_taken_in_all_its_usual_kinds() {
        for config in [[0x12, 0x10], [0x2B, 0x92], [0xEB, 0x09], [0x0A, 0x10]] {
            assert_eq!(foreign(*b"mp4a", &esds(0x40, &config)), None, "{config:x?}");
        }
        assert_eq!(foreign(*b"mp4a", &esds(0x67, &[])), None);
    }

    #[test]
    fn others_are_named() {
        for (object, config, name) in [
            (0x6B, [0, 0], Some("MP3")),
            (0x69, [0, 0], Some("MP3")),
            (0x40, [0xF8, 0x40], Some("MP3")),
            (0x40, [0xF9, 0x40], Some("xHE-AAC")),
            (0x40, [0xF8, 0xE0], Some("AAC-ELD")),
            (0xDD, [0, 0], Some("Vorbis")),
            (0x01, [0, 0], None),
        ] {
            assert_eq!(
                foreign(*b"mp4a", &esds(object, &config)),
                Some(name),
                "{object:x} {config:x?}"
            );
        }
        assert_eq!(foreign(*b"Opus", &[]), Some(Some("Opus")));
        assert_eq!(foreign(*b"samr", &[]), Some(Some("AMR-NB")));
        assert_eq!(foreign(*b"????", &[]), Some(None));
    }

    #[test]
    fn what_cannot_be_read_is_left_to_the_library() {
        let whole = esds(0x40, &[0x12, 0x10]);
        for len in 0..whole.len() - 2 {
            assert_eq!(foreign(*b"mp4a", &whole[..len]), None, "{len}");
        }
    }
}
