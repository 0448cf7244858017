//! The format chunk of a WAV file.
//!
//! Read here and not by the library, which takes only the lengths that Windows writes: telephone
//! systems write µ-law and A-law with 16 or 20 bytes where it wants 18, and old programs leave the
//! last field out.

use super::{AudioFormat, MAX_CHANNELS, Rejection};

/// Shortest format chunk: everything but the bits per sample.
pub(super) const MIN_FORMAT_CHUNK: u64 = 14;

const PCM: u16 = 0x0001;
const FLOAT: u16 = 0x0003;
const A_LAW: u16 = 0x0006;
const MU_LAW: u16 = 0x0007;
const EXTENSIBLE: u16 = 0xFFFE;
/// Bytes of a chunk that carries the true format as a GUID at its end.
const EXTENSIBLE_LEN: usize = 40;
/// How the GUIDs go on that stand for one of the numbers above, and those of ambisonic sound.
const GUID_TAILS: [[u8; 14]; 2] = [
    *b"\0\0\0\0\x10\0\x80\0\0\xAA\0\x38\x9B\x71",
    *b"\0\0\x21\x07\xD3\x11\x86\x44\xC8\xC1\xCA\0\0\0",
];

/// How the sound in a WAV file is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SampleFormat {
    pub codec: &'static str,
    pub channels: u16,
    pub sample_rate_hz: u32,
    /// Bytes of one sample of all channels; above zero if there are channels.
    pub frame_bytes: u64,
}

impl SampleFormat {
    /// Reads a format chunk of at least [`MIN_FORMAT_CHUNK`] bytes.
    pub(super) fn read(chunk: &[u8]) -> Result<Self, Rejection> {
        let u16_at = |at: usize| {
            let bytes: Option<[u8; 2]> = chunk.get(at..at + 2).and_then(|b| b.try_into().ok());
            bytes.map(u16::from_le_bytes)
        };
        let channels = u16_at(2).unwrap_or(0);
        if channels > MAX_CHANNELS {
            return Err(Rejection::TooManyChannels {
                found: channels,
                limit: MAX_CHANNELS,
            });
        }
        let sample_rate_hz =
            u32::from(u16_at(4).unwrap_or(0)) | u32::from(u16_at(6).unwrap_or(0)) << 16;
        let block = u16_at(12).unwrap_or(0);
        let mut tag = u16_at(0).unwrap_or(0);
        if tag == EXTENSIBLE {
            tag = sub_format(chunk)?;
        }
        let (codec, sample_bytes) = match tag {
            PCM => integer(sample_bytes(u16_at(14), block, channels)?)?,
            FLOAT => float(sample_bytes(u16_at(14), block, channels)?)?,
            // One byte a sample, whatever the fields say that are there for other encodings.
            A_LAW => ("pcm_alaw", 1),
            MU_LAW => ("pcm_mulaw", 1),
            other => {
                return Err(Rejection::UnsupportedCodec {
                    format: AudioFormat::Wav,
                    codec: foreign(other),
                });
            }
        };
        Ok(Self {
            codec,
            channels,
            sample_rate_hz,
            frame_bytes: u64::from(sample_bytes) * u64::from(channels),
        })
    }
}

/// The encoding that an extensible chunk means.
fn sub_format(chunk: &[u8]) -> Result<u16, Rejection> {
    match chunk.get(24..EXTENSIBLE_LEN) {
        Some([a, b, tail @ ..]) if GUID_TAILS.iter().any(|known| tail == known) => {
            Ok(u16::from_le_bytes([*a, *b]))
        }
        Some(_) => Err(Rejection::UnsupportedCodec {
            format: AudioFormat::Wav,
            codec: None,
        }),
        None => Err(Rejection::Malformed(
            "its format description is incomplete".into(),
        )),
    }
}

/// Bytes of one sample of one channel. Where the bits are not given they follow from the bytes of
/// all channels; where both are given they must agree, or two programs would hear two things.
fn sample_bytes(bits: Option<u16>, block: u16, channels: u16) -> Result<u16, Rejection> {
    let contradiction =
        || Rejection::Malformed("the sizes of its samples contradict each other".into());
    let by_block = block.checked_div(channels).unwrap_or(0);
    if channels > 0 && !block.is_multiple_of(channels) {
        return Err(contradiction());
    }
    match bits.unwrap_or(0).div_ceil(8) {
        _ if bits.is_some_and(|bits| (1..8).contains(&bits)) => Err(odd_samples()),
        0 => Ok(by_block),
        by_bits if block == 0 || channels == 0 || by_bits == by_block => Ok(by_bits),
        _ => Err(contradiction()),
    }
}

fn integer(sample_bytes: u16) -> Result<(&'static str, u16), Rejection> {
    match sample_bytes {
        1 => Ok(("pcm_u8", 1)),
        2 => Ok(("pcm_s16le", 2)),
        3 => Ok(("pcm_s24le", 3)),
        4 => Ok(("pcm_s32le", 4)),
        _ => Err(odd_samples()),
    }
}

fn float(sample_bytes: u16) -> Result<(&'static str, u16), Rejection> {
    match sample_bytes {
        4 => Ok(("pcm_f32le", 4)),
        8 => Ok(("pcm_f64le", 8)),
        _ => Err(odd_samples()),
    }
}

fn odd_samples() -> Rejection {
    Rejection::Malformed("its samples have an impossible size".into())
}

/// Encodings that are sometimes put in WAV files, for the message only.
fn foreign(tag: u16) -> Option<&'static str> {
    match tag {
        0x0002 => Some("Microsoft ADPCM"),
        0x0010 => Some("OKI ADPCM"),
        0x0011 => Some("IMA ADPCM"),
        0x0017 => Some("Dialogic ADPCM"),
        0x0022 => Some("TrueSpeech"),
        0x0031 => Some("GSM 6.10"),
        0x0040 => Some("G.721 ADPCM"),
        0x0042 => Some("G.723.1"),
        0x0045 | 0x0064 => Some("G.726 ADPCM"),
        0x0050 => Some("MPEG layer II"),
        0x0055 => Some("MP3"),
        0x0065 => Some("G.722"),
        0x0083 => Some("G.729"),
        0x00FF | 0x1610 => Some("AAC"),
        0x0160..=0x0163 => Some("Windows Media Audio"),
        0xF1AC => Some("FLAC"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(tag: u16, channels: u16, block: u16, bits: u16) -> Vec<u8> {
        let mut out = Vec::new();
        for value in [tag, channels, 8000, 0, 0, 0, block, bits] {
            out.extend_from_slice(&value.to_le_bytes());
        }
        out
    }

    fn read(chunk: &[u8]) -> (&'static str, u64) {
        let format = SampleFormat::read(chunk).unwrap();
        assert_eq!(format.sample_rate_hz, 8000);
        (format.codec, format.frame_bytes)
    }

    #[test]
    fn bits_follow_from_the_block_where_they_are_not_given() {
        assert_eq!(read(&chunk(PCM, 2, 4, 0)[..14]), ("pcm_s16le", 4));
        assert_eq!(read(&chunk(PCM, 1, 1, 0)[..15]), ("pcm_u8", 1));
        assert_eq!(read(&chunk(PCM, 2, 6, 0)), ("pcm_s24le", 6));
        assert_eq!(read(&chunk(FLOAT, 1, 4, 0)[..14]), ("pcm_f32le", 4));
        // The block is left out in turn; twelve bits lie in two bytes.
        assert_eq!(read(&chunk(PCM, 2, 0, 16)), ("pcm_s16le", 4));
        assert_eq!(read(&chunk(PCM, 1, 2, 12)), ("pcm_s16le", 2));
    }

    #[test]
    fn telephone_sound_has_one_byte_a_sample_whatever_is_said() {
        for (block, bits) in [(1, 8), (0, 0), (2, 16), (1, 0)] {
            assert_eq!(read(&chunk(MU_LAW, 1, block, bits)), ("pcm_mulaw", 1));
            assert_eq!(read(&chunk(A_LAW, 2, block, bits)[..14]), ("pcm_alaw", 2));
        }
    }

    #[test]
    fn contradictions_and_other_encodings_are_refused() {
        let code = |chunk: Vec<u8>| SampleFormat::read(&chunk).unwrap_err().code();
        assert_eq!(code(chunk(PCM, 2, 8, 24)), "malformed");
        assert_eq!(code(chunk(PCM, 3, 4, 24)), "malformed");
        assert_eq!(code(chunk(PCM, 5, 5, 64)), "malformed");
        assert_eq!(code(chunk(PCM, 5, 5, 5)), "malformed");
        assert_eq!(code(chunk(PCM, 1, 0, 0)), "malformed");
        assert_eq!(code(chunk(FLOAT, 1, 2, 16)), "malformed");
        assert_eq!(code(chunk(EXTENSIBLE, 1, 2, 16)), "malformed");
        assert_eq!(code(chunk(0x31, 1, 65, 0)), "unsupported_codec");
        assert_eq!(code(chunk(0, 1, 1, 8)), "unsupported_codec");
        let mut unknown = chunk(EXTENSIBLE, 1, 2, 16);
        unknown.resize(EXTENSIBLE_LEN, 7);
        assert_eq!(code(unknown), "unsupported_codec");
    }
}
