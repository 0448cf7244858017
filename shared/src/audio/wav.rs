//! RIFF WAVE, RF64 and BW64.
//!
//! The chunk walk is ours: the library knows neither RF64 nor whether the declared data is there.

use super::library::{self, Facts};
use super::sparse::{SparseBytes, Stop, malformed};
use super::{AudioFormat, MAX_CHANNELS, Rejection};

const MAX_CHUNKS: u32 = 64;
const MAX_FORMAT_CHUNK: u64 = 4096;
const WAVE_FORMAT_EXTENSIBLE: [u8; 2] = [0xFE, 0xFF];

/// Reads the facts of a WAV file.
pub(super) fn facts(bytes: &SparseBytes) -> Result<Facts, Stop> {
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
                return library_facts(format, len);
            }
            b"ds64" if is_64_bit && declared >= 16 => {
                data_len_64 = Some(u64::from_le_bytes(bytes.array(body + 8)?));
            }
            b"fmt " => {
                if !(16..=MAX_FORMAT_CHUNK).contains(&u64::from(declared)) {
                    return Err(malformed("its format description has a wrong size"));
                }
                format = Some(bytes.read(body, u64::from(declared))?);
            }
            _ => {}
        }
        // Chunks are padded to an even length.
        at = body + u64::from(declared) + u64::from(declared & 1);
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

/// Hands the format description and the true data length to the library.
fn library_facts(mut format: Vec<u8>, data_len: u64) -> Result<Facts, Stop> {
    let channels = u16::from_le_bytes([format[2], format[3]]);
    if channels > MAX_CHANNELS {
        return Err(Rejection::TooManyChannels {
            found: channels,
            limit: MAX_CHANNELS,
        }
        .into());
    }
    if let Some(codec) = foreign_codec(u16::from_le_bytes([format[0], format[1]])) {
        let format = AudioFormat::Wav;
        return Err(Rejection::UnsupportedCodec {
            format,
            codec: Some(codec),
        }
        .into());
    }
    if data_len == 0 {
        return Err(Rejection::ZeroDuration.into());
    }
    let data_len = u32::try_from(data_len).map_err(|_| malformed("it is larger than 4 GB"))?;
    if format[..2] == WAVE_FORMAT_EXTENSIBLE && format.len() >= 24 {
        // Which loudspeakers the channels belong to does not matter here, and wrong masks are
        // common; without one the library takes the channel count.
        format[20..24].fill(0);
    }
    if format.len() % 2 == 1 {
        format.push(0);
    }
    let mut file = Vec::with_capacity(format.len() + 28);
    file.extend_from_slice(b"RIFF\xFF\xFF\xFF\xFFWAVEfmt ");
    file.extend_from_slice(&(format.len() as u32).to_le_bytes());
    file.extend_from_slice(&format);
    file.extend_from_slice(b"data");
    file.extend_from_slice(&data_len.to_le_bytes());
    library::facts(AudioFormat::Wav, file)
}

/// Encodings that are sometimes put in WAV files, for the message only.
fn foreign_codec(tag: u16) -> Option<&'static str> {
    match tag {
        0x0031 => Some("GSM 6.10"),
        0x0050 => Some("MPEG layer II"),
        0x0055 => Some("MP3 inside WAV"),
        0x00FF | 0x1610 => Some("AAC inside WAV"),
        0x0160..=0x0163 => Some("Windows Media Audio"),
        _ => None,
    }
}
