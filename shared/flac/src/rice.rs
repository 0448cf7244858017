//! What a predictor leaves, in Rice codes: small numbers in few bits.

use super::bits::Bits;

/// Largest parameter of a Rice code.
const MOST: u32 = 14;
/// Most parts of a block, as a power of two: more buy nothing for speech.
const MAX_ORDER: u32 = 6;
/// Fewest samples of a part.
const MIN_PART: usize = 8;
/// What is as large or larger is better not predicted at all. Below it no code is longer
/// than 79 bits.
const TOO_LARGE: u32 = 1 << 19;

/// How what is left of a block is written best.
#[derive(Debug)]
pub(super) struct Rice {
    /// Into how many parts the block is cut, as a power of two.
    order: u32,
    /// Of each part.
    parameters: Vec<u8>,
    /// How many bits that takes.
    pub(super) bits: u64,
}

/// What is left in one part.
#[derive(Clone, Copy)]
struct Part {
    samples: u64,
    /// Of the numbers without their signs.
    sum: u64,
}

impl Part {
    fn of(residual: &[i32]) -> Self {
        Self {
            samples: residual.len() as u64,
            sum: residual.iter().map(|left| u64::from(folded(*left))).sum(),
        }
    }

    fn and(self, other: Self) -> Self {
        Self {
            samples: self.samples + other.samples,
            sum: self.sum + other.sum,
        }
    }

    /// The best parameter, and the bits with it, as nearly as a sum tells: what is cut off
    /// below a parameter is half of a step in the mean.
    fn best(&self) -> (u8, u64) {
        let mean = self.sum / self.samples.max(1);
        let near = mean.checked_ilog2().unwrap_or(0);
        let bits = (near.saturating_sub(1)..=near + 1).map(|parameter| {
            let parameter = parameter.min(MOST);
            let quotients = (self.sum >> parameter).saturating_sub(match parameter {
                0 => 0,
                _ => self.samples / 2,
            });
            (
                parameter as u8,
                (u64::from(parameter) + 1) * self.samples + quotients,
            )
        });
        bits.min_by_key(|(_, bits)| *bits).unwrap_or_default()
    }
}

/// A number without a sign: 0, -1, 1, -2, 2 … become 0, 1, 2, 3, 4 …
fn folded(left: i32) -> u32 {
    (left << 1 ^ left >> 31) as u32
}

impl Rice {
    /// For what is left of a block of so many samples, those without it at its beginning.
    /// `None` where it is too large.
    pub(super) fn of(residual: &[i32], block: usize) -> Option<Self> {
        if residual.iter().any(|left| left.unsigned_abs() >= TOO_LARGE) {
            return None;
        }
        let missing = block - residual.len();
        let fits = |order: &u32| {
            let part = block >> order;
            part << order == block && part > missing && part >= MIN_PART
        };
        let mut order = (1..=MAX_ORDER).rev().find(fits).unwrap_or(0);
        let mut parts: Vec<Part> = lengths(block, missing, order)
            .scan(0, |begin, length| {
                let part = *begin..*begin + length;
                *begin += length;
                Some(Part::of(&residual[part]))
            })
            .collect();
        let mut best: Option<Self> = None;
        loop {
            let (parameters, bits): (Vec<u8>, Vec<u64>) = parts.iter().map(Part::best).unzip();
            // A parameter has four bits; six say how many parts there are.
            let bits = 6 + bits.iter().sum::<u64>() + 4 * parts.len() as u64;
            if best.as_ref().is_none_or(|best| bits < best.bits) {
                best = Some(Self {
                    order,
                    parameters,
                    bits,
                });
            }
            if order == 0 {
                return best;
            }
            order -= 1;
            let mut rest = parts.into_iter();
            let mut merged = Vec::with_capacity(1 << order);
            while let (Some(one), Some(other)) = (rest.next(), rest.next()) {
                merged.push(one.and(other));
            }
            parts = merged;
        }
    }

    pub(super) fn write(&self, out: &mut Bits, residual: &[i32], block: usize) {
        // The kind with parameters of four bits.
        out.put(0, 2);
        out.put(u64::from(self.order), 4);
        let mut rest = residual;
        let lengths = lengths(block, block - residual.len(), self.order);
        for (length, parameter) in lengths.zip(&self.parameters) {
            out.put(u64::from(*parameter), 4);
            let (part, behind) = rest.split_at(length);
            rest = behind;
            let low = u32::from(*parameter);
            for left in part {
                let folded = folded(*left);
                let mut zeros = folded >> low;
                while zeros + 1 + low > 32 {
                    let some = zeros.min(17);
                    out.put(0, some);
                    zeros -= some;
                }
                let value = 1 << low | folded & ((1 << low) - 1);
                out.put(u64::from(value), zeros + 1 + low);
            }
        }
    }
}

/// How many numbers each part has: the first one has not those that are missing.
fn lengths(block: usize, missing: usize, order: u32) -> impl Iterator<Item = usize> {
    let part = block >> order;
    (0..1_usize << order).map(move |at| if at == 0 { part - missing } else { part })
}
