//! Samples as FLAC, one block at a time.
//!
//! A block is encoded by itself: its bytes depend on its samples and its number alone.
//! So any part of a file can be made again without what is before it.

use stt_eval_flac::{FlacEncoder, MAX_CHANNELS};
use stt_eval_shared::audio::cut::Pcm16;

/// Bytes before the first block: the mark, and one description.
pub(super) const HEADER: usize = 42;
/// Bytes of a sample: speech has 16 bits.
const SAMPLE_BYTES: usize = 2;
/// Shortest block that is made.
const MIN_BLOCK: u64 = 32;
/// Highest sample rate that is encoded.
const MAX_RATE: u32 = 96_000;
/// Samples in a block at 16 kHz: 64 ms. Speech changes so fast that longer blocks are
/// larger (0.534 of its size with 4,096, 0.505 with 1,024: `infra/bench/README.md`).
const BLOCK: u64 = 1_024;

/// How sound is cut into blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    sample_rate_hz: u32,
    channels: u16,
    /// Of each channel.
    samples: u64,
    /// Samples of each channel in a block; the last one may have fewer.
    block: u64,
}

impl Shape {
    /// For a sound; `None` where the encoder can't do it.
    pub(super) fn of(sound: &Pcm16) -> Option<Self> {
        let rate = sound.sample_rate_hz;
        let is_taken =
            (1..=MAX_RATE).contains(&rate) && (1..=MAX_CHANNELS).contains(&sound.channels);
        if !is_taken {
            return None;
        }
        let frame = u64::from(sound.channels) * SAMPLE_BYTES as u64;
        let samples = (sound.data.end - sound.data.start) / frame;
        let longest = match rate {
            0..=16_000 => BLOCK,
            16_001..=32_000 => 2 * BLOCK,
            _ => 4 * BLOCK,
        };
        // A little shorter, where too little would be left for the last one.
        let blocks = (longest / 2..=longest).rev().step_by(32);
        let mut fitting = blocks.filter(|block| {
            let last = samples % block;
            last == 0 || last >= MIN_BLOCK
        });
        Some(Self {
            sample_rate_hz: rate,
            channels: sound.channels,
            samples,
            block: fitting.next().filter(|_| samples >= MIN_BLOCK)?,
        })
    }

    /// How many blocks there are.
    pub(super) fn blocks(&self) -> u64 {
        self.samples.div_ceil(self.block)
    }

    /// Where the samples of a block begin, in bytes from the first sample on; for the
    /// block behind the last one, where they end.
    pub(super) fn offset(&self, block: u64) -> u64 {
        let samples = (block * self.block).min(self.samples);
        samples * u64::from(self.channels) * SAMPLE_BYTES as u64
    }

    /// What a file begins with. Nothing is said of the sizes of blocks and of a checksum
    /// of the samples, which may be left out: so it is known before the samples are.
    pub(super) fn header(&self) -> [u8; HEADER] {
        let mut out = [0; HEADER];
        out[..8].copy_from_slice(b"fLaC\x80\0\0\x22");
        // Both at most 4,096.
        let block = (self.block as u16).to_be_bytes();
        out[8..10].copy_from_slice(&block);
        out[10..12].copy_from_slice(&block);
        // Six bytes for the least and the largest size of a block: unknown.
        let bits = 8 * SAMPLE_BYTES as u64;
        let told = u64::from(self.sample_rate_hz) << 44
            | u64::from(self.channels - 1) << 41
            | (bits - 1) << 36
            | self.samples;
        out[18..26].copy_from_slice(&told.to_be_bytes());
        out
    }
}

/// Makes blocks of one file.
pub(super) struct Encoder(FlacEncoder);

impl Encoder {
    /// For files of a shape; `None` if the encoder does not take it after all.
    pub(super) fn new(shape: &Shape) -> Option<Self> {
        FlacEncoder::new(shape.sample_rate_hz, shape.channels).map(Self)
    }

    /// The block of this number, of these samples.
    pub(super) fn block(&mut self, number: u64, samples: &[u8]) -> std::io::Result<Vec<u8>> {
        let frame = self.0.frame(number, samples);
        frame.ok_or_else(|| std::io::Error::other("FLAC: no whole samples"))
    }
}
