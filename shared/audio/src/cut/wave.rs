//! Pieces of WAV files.

use std::ops::Range;

use crate::Rejection;
use crate::sniff::{Container, container};
use crate::sparse::{SparseBytes, Stop};
use crate::wav;
use crate::wav_format::SampleFormat;

/// Where the sound of a WAV file lies, and how it is written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wave {
    /// The chunk that says it.
    format: Vec<u8>,
    codec: &'static str,
    channels: u16,
    frame_bytes: u64,
    sample_rate_hz: u32,
    data: Range<u64>,
}

/// Sound as whole numbers of 16 bits, which is how nearly all of it is written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pcm16 {
    /// Samples a second, of each channel.
    pub sample_rate_hz: u32,
    /// Channels, whose samples take turns.
    pub channels: u16,
    /// Which bytes of the file are its samples, low byte first: whole ones of all
    /// channels.
    pub data: Range<u64>,
}

/// A piece: a header of its own, and bytes of the file behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The header.
    pub header: Vec<u8>,
    /// Which bytes of the file follow it.
    pub bytes: Range<u64>,
}

/// The outcome of one call of [`wave`], as that of [`probe`](crate::probe()).
#[derive(Debug, Clone, PartialEq)]
pub enum Sound {
    /// Fetch these bytes, insert them and ask again.
    Need(Range<u64>),
    /// Here it is.
    Wave(Wave),
    /// The file is no WAV, or not a usable one.
    Rejected(Rejection),
}

/// Finds the sound of a WAV file, or says which bytes are needed to find it.
pub fn wave(bytes: &SparseBytes) -> Sound {
    match found(bytes) {
        Ok(wave) => Sound::Wave(wave),
        Err(stop) => match bytes.next_fetch(stop) {
            Ok(range) => Sound::Need(range),
            Err(reason) => Sound::Rejected(reason),
        },
    }
}

fn found(bytes: &SparseBytes) -> Result<Wave, Stop> {
    if bytes.total_len() == 0 {
        return Err(Rejection::Empty.into());
    }
    if !matches!(container(bytes)?, Container::Wav) {
        return Err(Rejection::NotAudio { looks_like: None }.into());
    }
    let lies = wav::chunks(bytes)?;
    let format = SampleFormat::read(&lies.format)?;
    Ok(Wave {
        format: lies.format,
        codec: format.codec,
        channels: format.channels,
        frame_bytes: format.frame_bytes,
        sample_rate_hz: format.sample_rate_hz,
        data: lies.data,
    })
}

impl Wave {
    /// Its sound, if that is numbers of 16 bits and ends with a whole sample.
    #[must_use]
    pub fn pcm16(&self) -> Option<Pcm16> {
        let length = self.data.end - self.data.start;
        let is_whole = self.frame_bytes > 0 && length.is_multiple_of(self.frame_bytes);
        (self.codec == "pcm_s16le" && is_whole).then(|| Pcm16 {
            sample_rate_hz: self.sample_rate_hz,
            channels: self.channels,
            data: self.data.clone(),
        })
    }

    /// The piece from one moment to another, in seconds, to the nearest sample; to the end
    /// where there is no `end`, or it lies behind that of the recording. `None` if nothing
    /// is between them, or the piece is longer than a WAV file can be.
    #[must_use]
    pub fn piece(&self, start: f64, end: Option<f64>) -> Option<Piece> {
        let all = (self.data.end - self.data.start).checked_div(self.frame_bytes)?;
        let frame = |seconds: f64| {
            let frame = (seconds.max(0.0) * f64::from(self.sample_rate_hz)).round();
            if frame < all as f64 {
                frame as u64
            } else {
                all
            }
        };
        let (from, to) = (frame(start), end.map_or(all, frame));
        if from >= to {
            return None;
        }
        let length = (to - from).checked_mul(self.frame_bytes)?;
        let chunk = u32::try_from(self.format.len()).ok()?;
        let data = u32::try_from(length).ok()?;
        let is_odd = |length: u32| length % 2;
        // The format chunk and the header of the data behind `WAVE`. A piece of an odd
        // length ends with its last sample, which players do not mind.
        let riff = 4_u32.checked_add(8 + chunk + is_odd(chunk) + 8)?;
        let riff = riff.checked_add(data)?;
        let mut header = b"RIFF".to_vec();
        header.extend(riff.to_le_bytes());
        header.extend(b"WAVEfmt ");
        header.extend(chunk.to_le_bytes());
        header.extend(&self.format);
        if is_odd(chunk) == 1 {
            header.push(0);
        }
        header.extend(b"data");
        header.extend(data.to_le_bytes());
        let first = self.data.start + from * self.frame_bytes;
        Some(Piece {
            header,
            bytes: first..first + length,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Probe, probe};

    /// Mono, 16 bits, 8 kHz: its samples count.
    fn counting(samples: u16) -> Vec<u8> {
        let mut out = b"RIFF\0\0\0\0WAVELIST\x03\0\0\0abc\0fmt \x10\0\0\0\x01\0\x01\0".to_vec();
        out.extend(8_000_u32.to_le_bytes());
        out.extend(16_000_u32.to_le_bytes());
        out.extend(b"\x02\0\x10\0data");
        out.extend((u32::from(samples) * 2).to_le_bytes());
        (0..samples).for_each(|n| out.extend(n.to_le_bytes()));
        let riff = out.len() as u32 - 8;
        out[4..8].copy_from_slice(&riff.to_le_bytes());
        out
    }

    fn known(bytes: &[u8]) -> SparseBytes {
        let mut known = SparseBytes::new(bytes.len() as u64);
        known.insert(0, bytes.to_vec());
        known
    }

    fn cut(file: &[u8], start: f64, end: Option<f64>) -> Option<Vec<u8>> {
        let Sound::Wave(wave) = wave(&known(file)) else {
            panic!("no wave");
        };
        let piece = wave.piece(start, end)?;
        let mut out = piece.header;
        out.extend(&file[piece.bytes.start as usize..piece.bytes.end as usize]);
        Some(out)
    }

    #[test]
    fn pieces_have_the_samples_between_two_moments() {
        let file = counting(8_000);
        let piece = cut(&file, 0.25, Some(0.5)).unwrap();
        let samples: Vec<u16> = piece[44..]
            .chunks_exact(2)
            .map(|two| u16::from_le_bytes(two.try_into().unwrap()))
            .collect();
        assert_eq!(samples, (2_000..4_000).collect::<Vec<u16>>());
        let Probe::Audio(info) = probe(&known(&piece)) else {
            panic!("a piece is no recording");
        };
        assert_eq!((info.duration_seconds, info.sample_rate_hz), (0.25, 8_000));
        // To the end, however it is said.
        let last = cut(&file, 0.75, None).unwrap();
        assert_eq!(last.len(), 44 + 4_000);
        assert_eq!(cut(&file, 0.75, Some(99.0)), Some(last));
        for (start, end) in [
            (1.0, None),
            (0.5, Some(0.5)),
            (0.5, Some(0.1)),
            (f64::NAN, Some(0.0)),
        ] {
            assert_eq!(cut(&file, start, end), None, "{start} {end:?}");
        }
    }

    #[test]
    fn pieces_side_by_side_are_the_whole() {
        let file = counting(1_000);
        let mut all: Vec<u8> = Vec::new();
        for n in 0..7 {
            let at = |n: i32| f64::from(n) * 0.02;
            let end = (n < 6).then(|| at(n + 1));
            all.extend(&cut(&file, at(n), end).unwrap()[44..]);
        }
        assert_eq!(all, file[file.len() - 2_000..]);
    }

    #[test]
    fn sound_of_16_bits_is_told_from_other_sound() {
        let pcm = |file: &[u8]| match wave(&known(file)) {
            Sound::Wave(wave) => wave.pcm16(),
            _ => panic!("no wave"),
        };
        let file = counting(100);
        let end = file.len() as u64;
        let found = Pcm16 {
            sample_rate_hz: 8_000,
            channels: 1,
            data: end - 200..end,
        };
        assert_eq!(pcm(&file), Some(found));
        let at = |file: &[u8], mark: &[u8]| {
            let found = file.windows(mark.len()).position(|four| four == mark);
            found.unwrap() + mark.len()
        };
        // A-law has one byte a sample, whatever is said beside it.
        let mut a_law = file.clone();
        let format = at(&file, b"fmt \x10\0\0\0");
        a_law[format] = 6;
        assert_eq!(pcm(&a_law), None);
        let mut torn = file.clone();
        let data = at(&file, b"data");
        torn[data] -= 1;
        assert_eq!(pcm(&torn), None);
    }

    #[test]
    fn what_is_no_wav_is_not_cut() {
        let mut other = b"fLaC".to_vec();
        other.resize(100, 0);
        assert!(matches!(wave(&known(&other)), Sound::Rejected(_)));
        assert!(matches!(
            wave(&SparseBytes::new(0)),
            Sound::Rejected(Rejection::Empty)
        ));
        assert!(matches!(wave(&SparseBytes::new(100)), Sound::Need(_)));
    }
}
