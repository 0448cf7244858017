//! Fragmented MP4, as browsers record it: the length is in the last fragment only.
//!
//! The library adds up fragments from the first one on, so the last one is found and read here.

use super::Rejection;
use super::boxes::{child, children};
use super::sparse::{SparseBytes, Stop};

/// Bytes at the end in which the last fragment is looked for, one try after the other.
const TAILS: [u64; 3] = [128 * 1024, 1024 * 1024, 4 * 1024 * 1024];

/// Seconds until the end of the last fragment of track `track_id`.
pub(super) fn seconds(
    bytes: &SparseBytes,
    moov: &[u8],
    track_id: u32,
    first_fragment: u64,
) -> Result<f64, Stop> {
    let moov = child(moov, b"moov").unwrap_or_default();
    let timescale = timescale(moov, track_id).ok_or(Rejection::NoDuration)?;
    let default_duration = default_duration(moov, track_id);
    let total = bytes.total_len();
    for tail in TAILS {
        let start = first_fragment.max(total.saturating_sub(tail));
        let window = bytes.read(start, total - start)?;
        if let Some((end, fragment_end)) = last_end(&window, track_id, default_duration) {
            check_whole(bytes, start + fragment_end as u64)?;
            return Ok(end as f64 / f64::from(timescale));
        }
        if start == first_fragment {
            break;
        }
    }
    Err(Rejection::NoDuration.into())
}

/// After the last fragment comes its sound, whole.
fn check_whole(bytes: &SparseBytes, after: u64) -> Result<(), Stop> {
    let head: [u8; 8] = bytes.array(after)?;
    let end = after + u64::from(u32::from_be_bytes([head[0], head[1], head[2], head[3]]));
    if &head[4..] == b"mdat" && end > bytes.total_len() {
        return Err(bytes.truncated(Some(end)));
    }
    Ok(())
}

/// The last fragment in `window`: when it ends, in ticks, and where, in bytes.
fn last_end(window: &[u8], track_id: u32, default_duration: u32) -> Option<(u64, usize)> {
    (0..window.len().saturating_sub(8)).rev().find_map(|at| {
        if window.get(at + 4..at + 8) != Some(b"moof") {
            return None;
        }
        let len: [u8; 4] = window.get(at..at + 4)?.try_into().ok()?;
        let len = u32::from_be_bytes(len) as usize;
        let body = window.get(at + 8..at.checked_add(len)?)?;
        let end = children(body)
            .filter(|(name, _)| name == b"traf")
            .find_map(|(_, traf)| track_end(traf, track_id, default_duration))?;
        Some((end, at + len))
    })
}

/// When the run of one track in one fragment ends, in ticks.
fn track_end(traf: &[u8], track_id: u32, default_duration: u32) -> Option<u64> {
    let header = child(traf, b"tfhd")?;
    if u32_at(header, 4)? != track_id {
        return None;
    }
    let flags = u32_at(header, 0)? & 0x00FF_FFFF;
    let mut at = 8;
    at += if flags & 1 != 0 { 8 } else { 0 };
    at += if flags & 2 != 0 { 4 } else { 0 };
    let default = if flags & 8 != 0 {
        u32_at(header, at)?
    } else {
        default_duration
    };

    let time = child(traf, b"tfdt")?;
    let mut end = match time.first()? {
        0 => u64::from(u32_at(time, 4)?),
        _ => (u64::from(u32_at(time, 4)?) << 32) | u64::from(u32_at(time, 8)?),
    };
    for (_, run) in children(traf).filter(|(name, _)| name == b"trun") {
        end = end.checked_add(run_duration(run, default)?)?;
    }
    Some(end)
}

fn run_duration(run: &[u8], default: u32) -> Option<u64> {
    let flags = u32_at(run, 0)? & 0x00FF_FFFF;
    let samples = u32_at(run, 4)?;
    if flags & 0x100 == 0 {
        return Some(u64::from(samples) * u64::from(default));
    }
    let first = 8 + [1u32, 4].iter().filter(|flag| flags & **flag != 0).count() * 4;
    let fields = [0x100u32, 0x200, 0x400, 0x800]
        .iter()
        .filter(|flag| flags & **flag != 0)
        .count();
    // The duration is the first field of a sample; a run that is too short for its count is none.
    (0..samples as usize)
        .map(|sample| u32_at(run, first + sample * fields * 4).map(u64::from))
        .sum()
}

fn timescale(moov: &[u8], track_id: u32) -> Option<u32> {
    children(moov)
        .filter(|(name, _)| name == b"trak")
        .find_map(|(_, track)| {
            let header = child(track, b"tkhd")?;
            let id_at = if header.first()? == &0 { 12 } else { 20 };
            if u32_at(header, id_at)? != track_id {
                return None;
            }
            let media = child(child(track, b"mdia")?, b"mdhd")?;
            let scale_at = if media.first()? == &0 { 12 } else { 20 };
            u32_at(media, scale_at).filter(|scale| *scale > 0)
        })
}

fn default_duration(moov: &[u8], track_id: u32) -> u32 {
    child(moov, b"mvex")
        .into_iter()
        .flat_map(children)
        .filter(|(name, body)| name == b"trex" && u32_at(body, 4) == Some(track_id))
        .find_map(|(_, body)| u32_at(body, 12))
        .unwrap_or(0)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let slice: [u8; 4] = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
    Some(u32::from_be_bytes(slice))
}
