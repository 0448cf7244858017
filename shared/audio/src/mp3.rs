//! MP3, which has no container: a row of frames, perhaps with a count of them in the first.
//!
//! The library reads the count (Xing, Info, VBRI) and the encoder's padding; the row itself is
//! followed here, because the library would resynchronise over anything.

use super::library::{self, Facts};
use super::mpeg::{self, FrameHeader, Run};
use super::sparse::{SparseBytes, Stop, malformed};
use super::{AudioFormat, Rejection};

/// Frames that must follow each other before bytes count as MP3; by chance one does in 2,000
/// places, three in 10 to the 10.
const MIN_FRAMES: u64 = 3;
/// The same where the row does not begin at once, and how late it may begin: within the rest of
/// two frames.
const MIN_FRAMES_AFTER_JUNK: u64 = 12;
const MAX_JUNK: usize = 2 * 1441;
/// Bytes looked at from the first frame.
const WINDOW: u64 = 64 * 1024;
/// Bytes looked at in other places of a file without a frame count: in its middle, and if the bit
/// rate changes, in so many.
const SAMPLE: u64 = 16 * 1024;
const SAMPLES: u64 = 12;
/// Longest sound of changing bit rate without a frame count whose frames are all counted.
const MAX_COUNTED: u64 = 1024 * 1024;
/// Bytes at the end that may hold tags instead of sound: all of an `ID3v1` tag, and the end of an
/// APE tag, which says how long it is.
const ID3V1: u64 = 128;
const APE_FOOTER: u64 = 32;
const APE_HAS_HEADER: u32 = 1 << 31;

/// Whether a row of frames begins at `start`.
pub(super) fn begins_at(bytes: &SparseBytes, start: u64) -> Result<bool, Stop> {
    let window = bytes.read_up_to(start, WINDOW)?;
    let run = mpeg::run(&window);
    let to_the_end = window.len() as u64 - run.bytes < 4 && run.frames > 0;
    Ok(
        run.frames >= MIN_FRAMES
            || (to_the_end && start + window.len() as u64 == bytes.total_len()),
    )
}

/// Where a long row of frames begins within the first bytes after `start`. After a tag (`tagged`)
/// a shorter one will do.
pub(super) fn find(bytes: &SparseBytes, start: u64, tagged: bool) -> Result<Option<u64>, Stop> {
    let window = bytes.read_up_to(start, WINDOW)?;
    let enough = if tagged {
        MIN_FRAMES
    } else {
        MIN_FRAMES_AFTER_JUNK
    };
    let found =
        (0..window.len().min(MAX_JUNK)).find(|at| mpeg::run(&window[*at..]).frames >= enough);
    Ok(found.map(|at| start + at as u64))
}

/// Reads the facts of a row of frames that begins at `start`.
pub(super) fn facts(bytes: &SparseBytes, start: u64) -> Result<Facts, Stop> {
    let window = bytes.read_up_to(start, WINDOW)?;
    let Some(first) = mpeg::header_at(&window, 0) else {
        return Err(malformed("it does not begin with sound"));
    };
    let sound_end = sound_end(bytes, start)?;
    let counted = count_header(&window, &first);
    if let Some(Counted {
        bytes: Some(declared),
        ..
    }) = counted
    {
        let end = start + u64::from(declared);
        // Some encoders leave their own header frame out of the count, some put tags in.
        let tolerance = 512 + (u64::from(declared) / 100).min(4096);
        if end > sound_end + tolerance {
            return Err(bytes.truncated(Some(end)));
        }
    }
    let has_count = counted.is_some_and(|header| header.frames);
    let mut facts = library::facts(AudioFormat::Mp3, window.clone())?;
    if facts.codec != "mp3" {
        let format = AudioFormat::Mp3;
        return Err(Rejection::UnsupportedCodec {
            format,
            codec: None,
        }
        .into());
    }
    if !has_count {
        facts.seconds = Some(estimate(bytes, start, sound_end, &window, &first)?);
    }
    Ok(facts)
}

/// Where the frames end: the object's end, less an `ID3v1` tag and an APE tag before it.
fn sound_end(bytes: &SparseBytes, start: u64) -> Result<u64, Stop> {
    let mut end = bytes.total_len();
    // Both tags' marks in one request.
    let tail = end.saturating_sub(ID3V1 + APE_FOOTER).max(start);
    bytes.read(tail, end - tail)?;
    if end - tail >= ID3V1 && bytes.read(end - ID3V1, 3)? == b"TAG" {
        end -= ID3V1;
    }
    if end - tail >= APE_FOOTER && &bytes.array(end - APE_FOOTER)? == b"APETAGEX" {
        let size = u64::from(u32::from_le_bytes(bytes.array(end - APE_FOOTER + 12)?));
        let flags = u32::from_le_bytes(bytes.array(end - APE_FOOTER + 20)?);
        let header = if flags & APE_HAS_HEADER != 0 {
            APE_FOOTER
        } else {
            0
        };
        end = end.saturating_sub(size + header).max(start);
    }
    Ok(end)
}

/// What the first frame counts.
#[derive(Clone, Copy)]
struct Counted {
    frames: bool,
    bytes: Option<u32>,
}

fn count_header(window: &[u8], first: &FrameHeader) -> Option<Counted> {
    let u32_at = |at: usize| {
        let bytes: [u8; 4] = window.get(at..at + 4)?.try_into().ok()?;
        Some(u32::from_be_bytes(bytes))
    };
    let xing = first.xing_offset();
    if matches!(window.get(xing..xing + 4), Some(b"Xing" | b"Info")) {
        let flags = u32_at(xing + 4)?;
        let bytes_at = xing + 8 + if flags & 1 != 0 { 4 } else { 0 };
        let frames = flags & 1 != 0 && u32_at(xing + 8)? != 0;
        let bytes = (flags & 2 != 0).then(|| u32_at(bytes_at)).flatten();
        return Some(Counted { frames, bytes });
    }
    if window.get(36..40) == Some(b"VBRI") {
        return Some(Counted {
            frames: u32_at(36 + 14)? != 0,
            bytes: u32_at(36 + 10),
        });
    }
    None
}

/// Seconds of a file without a frame count.
fn estimate(
    bytes: &SparseBytes,
    start: u64,
    sound_end: u64,
    window: &[u8],
    first: &FrameHeader,
) -> Result<f64, Stop> {
    let frame_seconds = f64::from(first.samples()) / f64::from(first.sample_rate_hz);
    let len = sound_end.saturating_sub(start);
    if start + window.len() as u64 >= sound_end {
        // The whole file was seen. Players go on after what is no frame, and so does this.
        let frames = all_frames(&window[..window.len().min(len as usize)], first);
        return Ok(frames as f64 * frame_seconds);
    }
    let mut run = mpeg::run(window);
    let middle = bytes.read_up_to(start + len / 2, SAMPLE)?;
    let seen = resynchronised(&middle, first);
    let steady = seen.frames == 0 || seen.bits_per_second == run.bits_per_second;
    if run.bits_per_second.is_some() && steady {
        return Ok(len as f64 * 8.0 / f64::from(first.bits_per_second));
    }
    if len <= MAX_COUNTED {
        let sound = bytes.read(start, len)?;
        return Ok(all_frames(&sound, first) as f64 * frame_seconds);
    }
    // No place counts for more than another.
    run = mpeg::run(&window[..window.len().min(SAMPLE as usize)]);
    for place in 1..SAMPLES {
        let sample = bytes.read_up_to(start + len / SAMPLES * place, SAMPLE)?;
        let seen = resynchronised(&sample, first);
        run.frames += seen.frames;
        run.bytes += seen.bytes;
    }
    Ok(len as f64 / run.bytes as f64 * run.frames as f64 * frame_seconds)
}

/// Frames in a whole file, in rows with something else between them.
fn all_frames(window: &[u8], first: &FrameHeader) -> u64 {
    let mut frames = 0;
    let mut at = 0;
    while at < window.len() {
        let run = mpeg::run_of(&window[at..], Some(*first));
        // One frame alone is chance, but for the first and the last.
        let is_row = run.frames >= 2 || at == 0 || at + run.bytes as usize == window.len();
        if run.frames > 0 && is_row {
            frames += run.frames;
            at += run.bytes as usize;
        } else {
            at += 1;
        }
    }
    frames
}

/// The first row of frames somewhere in `sample`.
fn resynchronised(sample: &[u8], first: &FrameHeader) -> Run {
    // Four frames are at most 4 × 1,441 bytes, so a true row begins well before this.
    for at in 0..sample.len().min(4096) {
        if mpeg::header_at(sample, at).is_some_and(|header| first.continues(&header)) {
            let run = mpeg::run(&sample[at..]);
            if run.frames >= MIN_FRAMES {
                return run;
            }
        }
    }
    Run::default()
}
