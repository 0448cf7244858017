//! FLAC as WAV, sample by sample.

use std::io::{Read, Seek, SeekFrom, Write};

use symphonia::core::codecs::CodecParameters;
use symphonia::core::codecs::audio::{AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error;
use symphonia::core::formats::{FormatOptions, FormatReader};
use symphonia::core::io::{MediaSourceStream, ReadOnlySource};
use symphonia::default::codecs::FlacDecoder;
use symphonia::default::formats::FlacReader;
use thiserror::Error as ThisError;

/// Header of a file with whole numbers as samples.
const HEADER: u32 = 44;

/// Why a FLAC file was not decoded.
#[derive(Debug, ThisError)]
pub enum NotDecoded {
    /// It is broken, or no FLAC.
    #[error("it is broken: {0}")]
    Broken(String),
    /// What came out is not what went in, as its checksum says.
    #[error("its checksum says that it is damaged")]
    Damaged,
    /// Its sound is longer than a WAV file can be.
    #[error("its sound has more than 4 GiB")]
    TooLong,
    /// It can't be read, or the result not be written.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl From<Error> for NotDecoded {
    fn from(error: Error) -> Self {
        match error {
            Error::IoError(error) => Self::Io(error),
            error => Self::Broken(error.to_string()),
        }
    }
}

/// Decodes a FLAC file into a WAV file that has the same samples.
///
/// # Errors
/// See [`NotDecoded`]; what was written until then is of no use.
pub fn flac_to_wav(
    from: impl Read + Send + Sync + 'static,
    to: &mut (impl Write + Seek),
) -> Result<(), NotDecoded> {
    let source = MediaSourceStream::new(Box::new(ReadOnlySource::new(from)), Default::default());
    let mut reader = FlacReader::try_new(source, FormatOptions::default())?;
    let audio = reader
        .tracks()
        .iter()
        .find_map(|track| match &track.codec_params {
            Some(CodecParameters::Audio(audio)) => Some(audio.clone()),
            _ => None,
        });
    let missing = || NotDecoded::Broken("it does not say what its sound is".to_owned());
    let audio = audio.ok_or_else(missing)?;
    let rate = audio.sample_rate.ok_or_else(missing)?;
    let channels = audio.channels.as_ref().map(|channels| channels.count());
    let channels = channels
        .and_then(|count| u16::try_from(count).ok())
        .ok_or_else(missing)?;
    let bits = audio.bits_per_sample.filter(|bits| (1..=32).contains(bits));
    let bytes = bits.ok_or_else(missing)?.div_ceil(8);

    let mut options = AudioDecoderOptions::default();
    options.verify = true;
    let mut decoder = FlacDecoder::try_new(&audio, &options)?;
    to.write_all(&[0; HEADER as usize])?;
    let (mut length, mut samples, mut out) = (0_u64, Vec::<i32>::new(), Vec::new());
    while let Some(packet) = reader.next_packet()? {
        let decoded = decoder.decode(&packet)?;
        decoded.copy_to_vec_interleaved(&mut samples);
        out.clear();
        for sample in &samples {
            // They come as numbers of 32 bits whose upper ones count.
            let upper = sample >> (32 - 8 * bytes);
            // Those of one byte are counted from the lowest one on.
            let upper = if bytes == 1 { upper + 128 } else { upper };
            out.extend(upper.to_le_bytes().iter().take(bytes as usize));
        }
        length += out.len() as u64;
        // Some bytes may stand for many samples: told before the disk is full.
        if length >= u64::from(u32::MAX - HEADER) {
            return Err(NotDecoded::TooLong);
        }
        to.write_all(&out)?;
    }
    if decoder.finalize().verify_ok == Some(false) {
        return Err(NotDecoded::Damaged);
    }
    let length = u32::try_from(length)
        .ok()
        .filter(|length| *length < u32::MAX - HEADER);
    let length = length.ok_or(NotDecoded::TooLong)?;
    let frame = u16::try_from(bytes).map_err(|_| missing())? * channels;
    to.seek(SeekFrom::Start(0))?;
    let mut header = b"RIFF".to_vec();
    header.extend((length + HEADER - 8).to_le_bytes());
    header.extend(b"WAVEfmt \x10\0\0\0\x01\0");
    header.extend(channels.to_le_bytes());
    header.extend(rate.to_le_bytes());
    header.extend((rate.saturating_mul(u32::from(frame))).to_le_bytes());
    header.extend(frame.to_le_bytes());
    header.extend((8 * bytes as u16).to_le_bytes());
    header.extend(b"data");
    header.extend(length.to_le_bytes());
    to.write_all(&header)?;
    to.seek(SeekFrom::End(0))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::{Probe, SparseBytes, probe};

    /// A clip of the embedded cloud, encoded by the reference encoder.
    const CLIP: &[u8] = include_bytes!("../../../../infra/local/clips/mr-01.flac");

    fn info(bytes: &[u8]) -> crate::AudioInfo {
        let mut known = SparseBytes::new(bytes.len() as u64);
        known.insert(0, bytes.to_vec());
        match probe(&known) {
            Probe::Audio(info) => info,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn flac_becomes_wav_of_the_same_length() {
        let mut out = Cursor::new(Vec::new());
        flac_to_wav(CLIP, &mut out).unwrap();
        let (before, after) = (info(CLIP), info(out.get_ref()));
        assert_eq!(after.codec, "pcm_s16le");
        assert_eq!(
            (after.sample_rate_hz, after.channels),
            (before.sample_rate_hz, before.channels)
        );
        assert!((after.duration_seconds - before.duration_seconds).abs() < 1e-9);
        // Speech, not silence.
        let loud = out.get_ref()[44..].chunks_exact(2);
        let loud = loud.filter(|two| i16::from_le_bytes([two[0], two[1]]).abs() > 500);
        assert!(loud.count() > 1_000);
    }

    #[test]
    fn damage_is_told() {
        let mut damaged = CLIP.to_vec();
        // The checksum in its description.
        damaged[26] ^= 1;
        let told = flac_to_wav(Cursor::new(damaged), &mut Cursor::new(Vec::new()));
        assert!(matches!(told, Err(NotDecoded::Damaged)), "{told:?}");
        let cut = CLIP[..CLIP.len() / 2].to_vec();
        assert!(flac_to_wav(Cursor::new(cut), &mut Cursor::new(Vec::new())).is_err());
        let none = flac_to_wav(&b"no sound"[..], &mut Cursor::new(Vec::new()));
        assert!(none.is_err());
    }
}
