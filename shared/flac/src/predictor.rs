//! What each sample is expected to be after those before it, and what is left then.

use std::f64::consts::{LN_2, PI};

use super::bits::Bits;

/// Highest order of a linear predictor: speech at 16 kHz gains up to 32, the most that FLAC
/// has, and looking for them costs next to nothing.
const MAX_LINEAR: usize = 32;
/// Shifts of the samples against themselves that are looked at.
const LAGS: usize = MAX_LINEAR + 1;
/// Bits of a coefficient. More of them were no better for clips, fewer were worse.
const PRECISION: u32 = 14;
/// Largest shift of a prediction.
const MAX_SHIFT: i32 = 15;
/// How much of a block is faded in and out before it is compared with itself.
const FADED: f64 = 0.8;
/// Samples of which something is made at once.
const TILE: usize = 64;

/// The order of the polynomial that leaves the least, and what it leaves.
pub(super) fn fixed(samples: &[i32], most: usize) -> (usize, Vec<i32>) {
    let mut left = samples.to_vec();
    let mut best = (sum(&left), 0, left.clone());
    for order in 1..=most {
        left = left.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let sum = sum(&left);
        if sum < best.0 {
            best = (sum, order, left.clone());
        }
    }
    (best.1, best.2)
}

/// Of numbers without their signs.
fn sum(all: &[i32]) -> u64 {
    all.iter().map(|one| u64::from(one.unsigned_abs())).sum()
}

/// A linear predictor of whole numbers.
#[derive(Debug)]
pub(super) struct Linear {
    /// The first one is that of the sample just before.
    coefficients: Vec<i32>,
    shift: u32,
}

impl Linear {
    /// Bits that it takes itself, with the samples that it begins with.
    pub(super) fn bits(&self, depth: u32) -> u64 {
        self.coefficients.len() as u64 * u64::from(depth + PRECISION) + 9
    }

    pub(super) fn write(&self, out: &mut Bits) {
        out.put(u64::from(PRECISION) - 1, 4);
        out.put(u64::from(self.shift), 5);
        for coefficient in &self.coefficients {
            out.signed(*coefficient, PRECISION);
        }
    }

    /// Rounds coefficients; what each one is off by goes to the next.
    fn rounded(coefficients: &[f64]) -> Option<Self> {
        let largest = coefficients
            .iter()
            .fold(0.0, |most: f64, one| most.max(one.abs()));
        if !(largest.is_finite() && largest > 0.0) {
            return None;
        }
        let whole = largest.log2().floor() as i32 + 1;
        let shift = (PRECISION as i32 - 1 - whole).min(MAX_SHIFT);
        let shift = u32::try_from(shift).ok()?;
        let most = (1 << (PRECISION - 1)) - 1;
        let mut off = 0.0;
        let round = |one: &f64| {
            off += one * f64::from(1_u32 << shift);
            let rounded = (off.round() as i32).clamp(-most - 1, most);
            off -= f64::from(rounded);
            rounded
        };
        Some(Self {
            coefficients: coefficients.iter().map(round).collect(),
            shift,
        })
    }

    /// What it leaves of samples; `None` where that does not fit into 31 bits.
    fn residual(&self, samples: &[i32]) -> Option<Vec<i32>> {
        let order = self.coefficients.len();
        let loudest = samples.iter().map(|one| one.unsigned_abs()).max();
        let fits = u64::from(loudest.unwrap_or(0)) * sum(&self.coefficients) < 1 << 30;
        let mut left = Vec::with_capacity(samples.len() - order);
        if fits {
            self.narrow(samples, &mut left);
            return Some(left);
        }
        // In the order of the samples, so that both are gone through forwards.
        let backwards: Vec<i32> = self.coefficients.iter().rev().copied().collect();
        for at in order..samples.len() {
            let terms = samples[at - order..at].iter().zip(&backwards);
            let sum: i64 = terms
                .map(|(sample, by)| i64::from(*sample) * i64::from(*by))
                .sum();
            let off = i64::from(samples[at]) - (sum >> self.shift);
            left.push(i32::try_from(off).ok().filter(|off| off.abs() < 1 << 30)?);
        }
        Some(left)
    }

    /// The same where no sum is longer than 31 bits: coefficient by coefficient, for many
    /// samples at once.
    fn narrow(&self, samples: &[i32], left: &mut Vec<i32>) {
        let order = self.coefficients.len();
        for begin in (order..samples.len()).step_by(TILE) {
            let end = (begin + TILE).min(samples.len());
            let mut sums = [0_i32; TILE];
            for (back, by) in (1..).zip(&self.coefficients) {
                let before = &samples[begin - back..end - back];
                for (sum, sample) in sums.iter_mut().zip(before) {
                    *sum += sample * by;
                }
            }
            let pairs = samples[begin..end].iter().zip(sums);
            left.extend(pairs.map(|(sample, sum)| sample - (sum >> self.shift)));
        }
    }
}

/// How blocks are faded before they are compared with themselves: for the length that was
/// asked last, which most blocks have.
#[derive(Debug, Default)]
pub(super) struct Window(Vec<f64>);

impl Window {
    /// The linear predictor of the most promising order, and what it leaves.
    pub(super) fn linear(&mut self, samples: &[i32], depth: u32) -> Option<(Linear, Vec<i32>)> {
        let most = MAX_LINEAR.min(samples.len() / 4);
        let linear = Linear::rounded(&best(
            &self.correlation(samples),
            samples.len(),
            depth,
            most,
        )?)?;
        let left = linear.residual(samples)?;
        Some((linear, left))
    }

    /// The samples' likeness with themselves, by shift.
    fn correlation(&mut self, samples: &[i32]) -> [f64; LAGS] {
        let length = samples.len();
        if self.0.len() != length {
            let edge = (FADED / 2.0 * length as f64).max(1.0);
            let weight = |at: usize| {
                let from_edge = at.min(length - 1 - at) as f64 + 0.5;
                0.5 - 0.5 * (PI * (from_edge / edge).min(1.0)).cos()
            };
            self.0 = (0..length).map(weight).collect();
        }
        let mut faded = vec![0.0; length + LAGS + 3];
        for ((faded, sample), weight) in faded.iter_mut().zip(samples).zip(&self.0) {
            *faded = f64::from(*sample) * weight;
        }
        // Four at a time, each sum in a register: release builds are made small, so nothing
        // does that for us.
        let mut sums = [0.0; LAGS];
        for (at, sums) in sums.chunks_mut(4).enumerate() {
            let mut four = [0.0; 4];
            for (sample, others) in faded[..length].iter().zip(faded[4 * at..].windows(4)) {
                four[0] += sample * others[0];
                four[1] += sample * others[1];
                four[2] += sample * others[2];
                four[3] += sample * others[3];
            }
            sums.copy_from_slice(&four[..sums.len()]);
        }
        sums
    }
}

/// The coefficients that are likely to need the fewest bits, of all orders up to `most`:
/// each order follows from the one before it (Levinson and Durbin). `None` where there is
/// nothing to go by.
fn best(like: &[f64; LAGS], length: usize, depth: u32, most: usize) -> Option<Vec<f64>> {
    // A little more of itself than there is keeps the rest stable.
    let mut off = like[0] * (1.0 + 1e-9);
    let mut known = [0.0; MAX_LINEAR];
    let mut best: Option<(f64, Vec<f64>)> = None;
    for order in 0..most {
        if !(off.is_finite() && off > 0.0) {
            break;
        }
        let told: f64 = (0..order).map(|at| known[at] * like[order - at]).sum();
        let next = (like[order + 1] - told) / off;
        let before = known;
        known[order] = next;
        for at in 0..order {
            known[at] = before[at] - next * before[order - 1 - at];
        }
        off *= 1.0 - next * next;
        // Bits of what is left, were it noise of this strength.
        let each = (off * LN_2 * LN_2 / (2.0 * length as f64)).log2() / 2.0;
        let count = (order + 1) as f64;
        let bits = each.max(0.0) * (length as f64 - count) + count * f64::from(PRECISION + depth);
        if best.as_ref().is_none_or(|(least, _)| bits < *least) {
            best = Some((bits, known[..=order].to_vec()));
        }
    }
    best.map(|(_, coefficients)| coefficients)
}
