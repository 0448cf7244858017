//! RIFF WAVE, RF64 and BW64.
//!
//! All of it is read here: the library knows neither RF64 nor whether the declared data is there,
//! and it is strict where players are not (see `wav_format.rs`).

use std::ops::Range;

use super::Rejection;
use super::library::Facts;
use super::sparse::{SparseBytes, Stop, malformed};
use super::wav_format::{MIN_FORMAT_CHUNK, SampleFormat};

const MAX_CHUNKS: u32 = 64;
const MAX_FORMAT_CHUNK: u64 = 4096;
/// Chunks that are often written, by which a missing padding byte is noticed.
const KNOWN_CHUNKS: [&[u8; 4]; 12] = [
    b"data", b"fmt ", b"fact", b"LIST", b"bext", b"id3 ", b"ID3 ", b"JUNK", b"cue ", b"smpl",
    b"iXML", b"PEAK",
];

/// What a WAV file consists of.
pub(super) struct Chunks {
    /// The format chunk.
    pub format: Vec<u8>,
    /// Where the sound lies.
    pub data: Range<u64>,
}

/// Reads the facts of a WAV file.
pub(super) fn facts(bytes: &SparseBytes) -> Result<Facts, Stop> {
    let Chunks { format, data } = chunks(bytes)?;
    facts_of(&SampleFormat::read(&format)?, data.end - data.start)
}

/// Finds the chunks that count.
pub(super) fn chunks(bytes: &SparseBytes) -> Result<Chunks, Stop> {
    let total = bytes.total_len();
    let riff: [u8; 12] = bytes.array(0)?;
    let riff_len = u32_at(&riff, 4);
    let is_64_bit = &riff[..4] != b"RIFF";
    let mut data_len_64: Option<u64> = None;
    let mut format: Option<Vec<u8>> = None;
    let mut at = 12u64;

    for _ in 0..MAX_CHUNKS {
        if total.saturating_sub(at) < 8 {
            return Err(if at < total || riff_end(riff_len) > total {
                bytes.truncated(Some(riff_end(riff_len).max(total + 1)))
            } else {
                malformed("it has no sound data")
            });
        }
        let header: [u8; 8] = bytes.array(at)?;
        let declared = u32_at(&header, 4);
        let body = at + 8;
        match &header[..4] {
            b"data" => {
                let Some(format) = format else {
                    return Err(malformed("the sound comes before its description"));
                };
                let rest = total - body;
                let len = if is_64_bit && declared == u32::MAX {
                    data_len_64
                        .filter(|len| *len != 0 && *len != u64::MAX)
                        .unwrap_or(rest)
                } else if is_streamed(declared) || (declared == 0 && riff_end(riff_len) != total) {
                    rest
                } else {
                    u64::from(declared)
                };
                if len > rest {
                    return Err(bytes.truncated(body.checked_add(len)));
                }
                return Ok(Chunks {
                    format,
                    data: body..body + len,
                });
            }
            b"ds64" if is_64_bit && declared >= 16 => {
                data_len_64 = Some(u64::from_le_bytes(bytes.array(body + 8)?));
            }
            b"fmt " => {
                if !(MIN_FORMAT_CHUNK..=MAX_FORMAT_CHUNK).contains(&u64::from(declared)) {
                    return Err(malformed("its format description has a wrong size"));
                }
                format = Some(bytes.read(body, u64::from(declared))?);
            }
            _ => {}
        }
        at = body + u64::from(declared);
        if declared % 2 == 1 && !is_unpadded(bytes, at)? {
            at += 1;
        }
        if at > total.saturating_add(1) {
            return Err(bytes.truncated(Some(at)));
        }
    }
    Err(Rejection::TooScattered.into())
}

/// Sizes that programs write when they cannot go back and fill in the real one.
fn is_streamed(declared: u32) -> bool {
    declared >= 0xFFFF_FF00 || (0x7FFF_0000..=0x7FFF_FFFF).contains(&declared)
}

fn riff_end(riff_len: u32) -> u64 {
    8 + u64::from(riff_len)
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes
        .get(at..at + 4)
        .and_then(|slice| slice.try_into().ok())
        .map_or(0, u32::from_le_bytes)
}

/// Whether the next chunk begins at `at`, after an odd length: chunks are padded to an even one,
/// which some programs forget.
fn is_unpadded(bytes: &SparseBytes, at: u64) -> Result<bool, Stop> {
    let next = bytes.read_up_to(at, 4)?;
    Ok(KNOWN_CHUNKS.iter().any(|known| next == known.as_slice()))
}

/// The facts of `data_len` bytes of sound.
fn facts_of(format: &SampleFormat, data_len: u64) -> Result<Facts, Stop> {
    if data_len == 0 {
        return Err(Rejection::ZeroDuration.into());
    }
    // Without channels there are no samples; the last gate says which of the two is wrong.
    let samples = data_len.checked_div(format.frame_bytes).unwrap_or(0);
    Ok(Facts {
        codec: format.codec,
        sample_rate_hz: format.sample_rate_hz,
        channels: format.channels,
        seconds: Some(samples as f64 / f64::from(format.sample_rate_hz)),
        start_seconds: 0.0,
        track_id: 0,
    })
}
