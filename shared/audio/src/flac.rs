//! Native FLAC.
//!
//! The library would read every comment and picture before the first frame; here they are skipped
//! by their length. It does interpret STREAMINFO and the frames at the end of the file, which show
//! whether the file is whole and, where STREAMINFO does not say, how long it is.

use super::library::{self, Facts};
use super::sparse::{SparseBytes, Stop, malformed};
use super::{AudioFormat, MAX_CHANNELS, Rejection};

const MAX_BLOCKS: u32 = 128;
/// Bytes at the end in which at least one whole frame is looked for. A frame of eight channels of
/// 24 bits and 4096 samples is under 100 KB; one of speech is a tenth of that.
const TAIL: u64 = 128 * 1024;
const STREAM_INFO_LEN: u64 = 34;

/// Reads the facts of a FLAC stream that begins at `start`.
pub(super) fn facts(bytes: &SparseBytes, start: u64) -> Result<Facts, Stop> {
    let total = bytes.total_len();
    let mut at = start + 4;
    let mut stream_info: Option<[u8; 34]> = None;
    let mut blocks = 0;
    loop {
        blocks += 1;
        if blocks > MAX_BLOCKS {
            return Err(Rejection::TooScattered.into());
        }
        let [kind, len @ ..]: [u8; 4] = bytes.array(at)?;
        let len = len
            .iter()
            .fold(0u64, |value, byte| (value << 8) | u64::from(*byte));
        match (kind & 0x7F, stream_info.is_some()) {
            (0, false) if len == STREAM_INFO_LEN => stream_info = Some(bytes.array(at + 4)?),
            (_, false) => return Err(malformed("its FLAC header (STREAMINFO) is missing")),
            (0, true) => return Err(malformed("its stream description is there twice")),
            _ => {}
        }
        at += 4 + len;
        if at > total {
            return Err(bytes.truncated(Some(at)));
        }
        if kind & 0x80 != 0 {
            break;
        }
    }
    let Some(info) = stream_info else {
        return Err(malformed("its FLAC header (STREAMINFO) is missing"));
    };
    let longest_block = u64::from(u16::from_be_bytes([info[2], info[3]]));
    let samples = info[13..18]
        .iter()
        .fold(0u64, |value, byte| (value << 8) | u64::from(*byte))
        & 0x0F_FFFF_FFFF;
    let rate = (u32::from_be_bytes([0, info[10], info[11], info[12]])) >> 4;
    let channels = u16::from((info[12] >> 1) & 7) + 1;
    if rate == 0 || channels > MAX_CHANNELS {
        return Err(malformed("its stream description is wrong"));
    }
    if at == total {
        return Err(match samples {
            0 => Rejection::ZeroDuration.into(),
            _ => bytes.truncated(None),
        });
    }

    let tail = bytes.read_up_to(at.max(total.saturating_sub(TAIL)), TAIL)?;
    let mut file = Vec::with_capacity(tail.len() + 42);
    file.extend_from_slice(b"fLaC\x80\0\0\x22");
    file.extend_from_slice(&info);
    file.extend_from_slice(&tail);

    let mut facts = library::facts(AudioFormat::Flac, file.clone())?;
    let Some((end, _)) = library::last_packet_end(AudioFormat::Flac, file, facts.track_id)? else {
        return Err(malformed("no sound can be found at its end"));
    };
    if samples == 0 || end > samples {
        // Not known when the header was written, or the header is of another recording: players
        // play what is there.
        facts.seconds = Some(end as f64 / f64::from(rate));
    } else if end.saturating_add(longest_block) <= samples {
        // The last frame may be short and, with a player's tag behind it, unreadable; more than
        // that is missing.
        return Err(bytes.truncated(None));
    }
    Ok(facts)
}

/// Whether `bytes` begin with the header of a frame, by its check sum: a stream whose own header
/// was lost. The first twelve bits are those of raw AAC too.
pub(super) fn is_frame(bytes: &[u8]) -> bool {
    let Some(&[0xFF, sync, sizes, channels]) = bytes.first_chunk::<4>() else {
        return false;
    };
    let (block, rate) = (sizes >> 4, sizes & 0xF);
    let valid = sync & 0xFE == 0xF8
        && block != 0
        && rate != 15
        && channels >> 4 <= 10
        && channels & 0x0E != 0x06
        && channels & 1 == 0;
    let number = match bytes.get(4).map(|first| first.leading_ones()) {
        Some(0) => 1,
        Some(ones @ 2..=7) => ones as usize,
        _ => return false,
    };
    let block = match block {
        6 => 1,
        7 => 2,
        _ => 0,
    };
    let rate = match rate {
        12 => 1,
        13 | 14 => 2,
        _ => 0,
    };
    let end = 4 + number + block + rate;
    let sum = |sum: u8, byte: &u8| {
        (0..8).fold(sum ^ byte, |sum, _| {
            sum << 1 ^ if sum & 0x80 != 0 { 0x07 } else { 0 }
        })
    };
    valid
        && bytes
            .get(end)
            .is_some_and(|expected| bytes.iter().take(end).fold(0, sum) == *expected)
}
