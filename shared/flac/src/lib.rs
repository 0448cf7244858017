//! Sound of 16 bits as frames of FLAC (RFC 9639), one block of samples at a time.
//!
//! A block is encoded by itself: its bytes depend on its samples and its number alone.
//! Every block is predicted by two means, a polynomial (`fixed`) and a linear predictor
//! (`lpc`), and what comes out smaller is taken: so most blocks are tried twice and none
//! more often. Speech at 16 kHz comes out as small as by `ffmpeg -compression_level 12`,
//! which searches (`infra/bench/README.md`).

mod bits;
mod predictor;
mod rice;

use bits::{Bits, crc8, crc16};
use predictor::{Linear, Window};
use rice::Rice;

/// Most channels that FLAC has.
pub const MAX_CHANNELS: u16 = 8;
/// Most samples of each channel in a block: more would be no shorter, and what is counted
/// here is counted in 32 bits.
pub const MAX_BLOCK: usize = 4_096;
/// Bits of a sample.
const DEPTH: u32 = 16;
/// Most of the lowest bits that are left out where they are 0.
const MAX_WASTED: u32 = 8;
/// Highest order of a fixed predictor.
const MAX_FIXED: usize = 4;

/// Makes frames of one stream.
#[derive(Debug)]
pub struct FlacEncoder {
    sample_rate_hz: u32,
    channels: usize,
    window: Window,
}

/// Samples of one channel, without the lowest bits that are 0 in all of them.
struct Channel {
    samples: Vec<i32>,
    /// Bits of a sample that is left.
    depth: u32,
    /// Lowest bits that were 0.
    wasted: u32,
}

/// How a channel is written.
enum Way {
    Fixed(usize),
    Linear(Linear),
}

impl FlacEncoder {
    /// For sound of a rate and so many channels, 1 to [`MAX_CHANNELS`]; `None` for others.
    #[must_use]
    pub fn new(sample_rate_hz: u32, channels: u16) -> Option<Self> {
        (1..=MAX_CHANNELS).contains(&channels).then(|| Self {
            sample_rate_hz,
            channels: usize::from(channels),
            window: Window::default(),
        })
    }

    /// The frame of this number, of these samples: little-endian, channel by channel.
    /// `None` where there are no whole ones, or more than [`MAX_BLOCK`] of each channel.
    pub fn frame(&mut self, number: u64, samples: &[u8]) -> Option<Vec<u8>> {
        let bytes = self.channels * DEPTH as usize / 8;
        let length = samples.len() / bytes;
        if length == 0 || length > MAX_BLOCK || !samples.len().is_multiple_of(bytes) {
            return None;
        }
        let mut channels = vec![Vec::with_capacity(length); self.channels];
        for moment in samples.chunks_exact(bytes) {
            for (channel, sample) in channels.iter_mut().zip(moment.chunks_exact(2)) {
                channel.push(i32::from(i16::from_le_bytes([sample[0], sample[1]])));
            }
        }
        let (assignment, channels) = decorrelated(channels);
        let mut out = Bits::default();
        self.header(&mut out, number, length, assignment);
        for (samples, depth) in channels {
            self.channel(&mut out, Channel::of(samples, depth));
        }
        out.align();
        let sum = crc16(out.bytes());
        out.put(u64::from(sum), 16);
        Some(out.into_bytes())
    }

    fn header(&self, out: &mut Bits, number: u64, length: usize, assignment: u64) {
        // Sync code; all blocks have the same number of samples.
        out.put(0xFFF8, 16);
        // The number of samples stands behind, in 16 bits.
        out.put(0b0111, 4);
        out.put(rate_code(self.sample_rate_hz), 4);
        out.put(assignment, 4);
        // 16 bits, and one that is kept free.
        out.put(0b1000, 4);
        out.number(number);
        out.put(length as u64 - 1, 16);
        let sum = crc8(out.bytes());
        out.put(u64::from(sum), 8);
    }

    fn channel(&mut self, out: &mut Bits, channel: Channel) {
        let Channel { samples, depth, .. } = &channel;
        let length = samples.len();
        if samples.iter().all(|sample| *sample == samples[0]) {
            channel.begin(out, 0);
            return out.signed(samples[0], *depth);
        }
        // Bits without those that all ways have in common.
        let mut best = (length as u64 * u64::from(*depth), None);
        let (order, residual) = predictor::fixed(samples, MAX_FIXED.min(length - 1));
        if let Some(rice) = Rice::of(&residual, length) {
            let bits = rice.bits + order as u64 * u64::from(*depth);
            if bits < best.0 {
                best = (bits, Some((Way::Fixed(order), residual, rice)));
            }
        }
        if let Some((linear, residual)) = self.window.linear(samples, *depth)
            && let Some(rice) = Rice::of(&residual, length)
        {
            let bits = rice.bits + linear.bits(*depth);
            if bits < best.0 {
                best = (bits, Some((Way::Linear(linear), residual, rice)));
            }
        }
        let Some((way, residual, rice)) = best.1 else {
            channel.begin(out, 1);
            return samples
                .iter()
                .for_each(|sample| out.signed(*sample, *depth));
        };
        let order = length - residual.len();
        channel.begin(
            out,
            match &way {
                Way::Fixed(order) => 0b00_1000 | *order as u64,
                Way::Linear(_) => 0b10_0000 | (order as u64 - 1),
            },
        );
        let beginning = &samples[..order];
        beginning
            .iter()
            .for_each(|sample| out.signed(*sample, *depth));
        if let Way::Linear(linear) = way {
            linear.write(out);
        }
        rice.write(out, &residual, length);
    }
}

impl Channel {
    fn of(mut samples: Vec<i32>, depth: u32) -> Self {
        let used = samples.iter().fold(0, |used, sample| used | sample);
        // What is one number throughout is short anyway.
        let is_one = samples.iter().all(|sample| *sample == samples[0]);
        let wasted = if is_one {
            0
        } else {
            used.trailing_zeros().min(MAX_WASTED)
        };
        if wasted > 0 {
            samples.iter_mut().for_each(|sample| *sample >>= wasted);
        }
        Self {
            samples,
            depth: depth - wasted,
            wasted,
        }
    }

    /// What a channel begins with: its kind, and how many bits are missing.
    fn begin(&self, out: &mut Bits, kind: u64) {
        out.put(kind << 1 | u64::from(self.wasted > 0), 8);
        if self.wasted > 0 {
            out.put(1, self.wasted);
        }
    }
}

/// Two channels as one of them and their difference, or as their middle and that, where
/// that is likely to be smaller; with the code of what was done, and the depth of each.
fn decorrelated(channels: Vec<Vec<i32>>) -> (u64, Vec<(Vec<i32>, u32)>) {
    let [left, right] = match <[Vec<i32>; 2]>::try_from(channels) {
        Ok(two) => two,
        Err(others) => {
            let code = others.len() as u64 - 1;
            return (code, others.into_iter().map(|one| (one, DEPTH)).collect());
        }
    };
    let pairs = || left.iter().zip(&right);
    let side: Vec<i32> = pairs().map(|(left, right)| left - right).collect();
    let middle: Vec<i32> = pairs().map(|(left, right)| (left + right) >> 1).collect();
    let of = [&left, &right, &side, &middle].map(|channel| roughness(channel));
    let ways = [
        (0b0001, of[0] + of[1]),
        (0b1000, of[0] + of[2]),
        (0b1001, of[2] + of[1]),
        (0b1010, of[3] + of[2]),
    ];
    let code = ways.iter().min_by_key(|(_, rough)| *rough).map(|way| way.0);
    let chosen = match code {
        Some(0b1000) => vec![(left, DEPTH), (side, DEPTH + 1)],
        Some(0b1001) => vec![(side, DEPTH + 1), (right, DEPTH)],
        Some(0b1010) => vec![(middle, DEPTH), (side, DEPTH + 1)],
        _ => return (0b0001, vec![(left, DEPTH), (right, DEPTH)]),
    };
    (code.unwrap_or_default(), chosen)
}

/// How much is left of a channel where each sample is expected on the line through the two
/// before it.
fn roughness(samples: &[i32]) -> u64 {
    let off = |of: &[i32]| u64::from((of[2] - 2 * of[1] + of[0]).unsigned_abs());
    samples.windows(3).map(off).sum()
}

/// The code of a sample rate; 0 says that it stands at the beginning of the file.
fn rate_code(sample_rate_hz: u32) -> u64 {
    match sample_rate_hz {
        88_200 => 1,
        8_000 => 4,
        16_000 => 5,
        22_050 => 6,
        24_000 => 7,
        32_000 => 8,
        44_100 => 9,
        48_000 => 10,
        96_000 => 11,
        _ => 0,
    }
}

#[cfg(test)]
mod tests;
