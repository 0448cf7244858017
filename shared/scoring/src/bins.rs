//! A histogram of error rates that stays small whatever the size of the corpus.
//!
//! Bins are 0.001 wide up to a rate of 1, 0.01 up to 2 and 0.1 up to 10, which
//! stands for everything above: 1,181 bins at most. Stored as one short text.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;

/// Digits of the stored form: five bits each, and whether another follows.
const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const MORE: u64 = 32;

/// First bins of the two coarser ranges, and the last bin of all.
const FROM_ONE: u32 = 1_000;
const FROM_TWO: u32 = 1_100;
const LAST: u32 = 1_180;

/// Samples by rate.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Bins(BTreeMap<u32, u64>);

fn bin_of(rate: f64) -> u32 {
    // `as` saturates, so any rate has a bin.
    let steps = |width: f64, rate: f64| (rate * width).round() as u32;
    if rate <= 1.0 {
        steps(1_000.0, rate)
    } else if rate <= 2.0 {
        FROM_ONE + steps(100.0, rate - 1.0)
    } else {
        FROM_TWO.saturating_add(steps(10.0, rate - 2.0)).min(LAST)
    }
}

fn rate_of(bin: u32) -> f64 {
    let bin = f64::from(bin);
    let (one, two) = (f64::from(FROM_ONE), f64::from(FROM_TWO));
    if bin <= one {
        bin / 1_000.0
    } else if bin <= two {
        1.0 + (bin - one) / 100.0
    } else {
        2.0 + (bin - two) / 10.0
    }
}

impl Bins {
    pub(super) fn add(&mut self, rate: f64) {
        *self.0.entry(bin_of(rate)).or_default() += 1;
    }

    pub(super) fn merge(&mut self, other: &Self) {
        for (bin, samples) in &other.0 {
            *self.0.entry(*bin).or_default() += samples;
        }
    }

    /// The rate of the sample of that rank, from 0.
    pub(super) fn at(&self, rank: u64) -> Option<f64> {
        let mut seen = 0;
        let bin = self.0.iter().find(|(_, samples)| {
            seen += **samples;
            seen > rank
        });
        bin.map(|(bin, _)| rate_of(*bin))
    }
}

fn push(text: &mut String, mut number: u64) {
    loop {
        let more = if number >= MORE { MORE } else { 0 };
        let digit = ((number % MORE) | more) as usize;
        text.push(char::from(DIGITS.get(digit).copied().unwrap_or_default()));
        number /= MORE;
        if more == 0 {
            return;
        }
    }
}

/// `None` at the end of the text, or when it breaks off or is no number.
fn pull(text: &mut std::str::Bytes<'_>) -> Option<u64> {
    let (mut number, mut shift) = (0u64, 0u32);
    loop {
        let byte = text.next()?;
        let digit = DIGITS.iter().position(|known| *known == byte)? as u64;
        number |= (digit % MORE).checked_shl(shift)?;
        if digit < MORE {
            return Some(number);
        }
        shift += 5;
    }
}

impl Serialize for Bins {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = String::new();
        let mut before = 0;
        for (bin, samples) in &self.0 {
            push(&mut text, u64::from(bin - before));
            push(&mut text, *samples);
            before = *bin;
        }
        serializer.serialize_str(&text)
    }
}

impl<'de> Deserialize<'de> for Bins {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let broken = || D::Error::custom("a histogram breaks off");
        let mut bytes = text.bytes();
        let (mut bins, mut bin) = (BTreeMap::new(), 0u64);
        while bytes.len() > 0 {
            bin = bin.saturating_add(pull(&mut bytes).ok_or_else(broken)?);
            let samples = pull(&mut bytes).ok_or_else(broken)?;
            bins.insert(u32::try_from(bin).map_err(D::Error::custom)?, samples);
        }
        Ok(Self(bins))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rates_are_kept_as_finely_as_said() {
        for (rate, kept) in [
            (0.0, 0.0),
            (0.1234, 0.123),
            (1.0, 1.0),
            (1.234, 1.23),
            (2.0, 2.0),
            (2.34, 2.3),
            (9.96, 10.0),
            (10.0, 10.0),
            (1e300, 10.0),
            (f64::INFINITY, 10.0),
        ] {
            let mut bins = Bins::default();
            bins.add(rate);
            assert!((bins.at(0).unwrap() - kept).abs() < 1e-12, "{rate}");
        }
        assert_eq!(Bins::default().at(0), None);
    }

    #[test]
    fn the_fullest_histogram_is_short() {
        let mut bins = Bins::default();
        for bin in 0..=LAST {
            for _ in 0..9 {
                bins.add(rate_of(bin));
            }
        }
        assert_eq!(bins.0.len(), 1_181);
        let text = serde_json::to_string(&bins).unwrap();
        assert_eq!(text.len(), 2 * 1_181 + 2);
        assert_eq!(serde_json::from_str::<Bins>(&text).unwrap(), bins);
    }

    #[test]
    fn broken_texts_are_errors() {
        for broken in [
            "\"A\"",
            "\"g\"",
            "\"A!\"",
            "\"Ag\"",
            "\"gggggggggggggggggA\"",
            "[]",
        ] {
            assert!(serde_json::from_str::<Bins>(broken).is_err(), "{broken}");
        }
    }

    proptest! {
        #[test]
        fn any_histogram_comes_back(pairs in prop::collection::btree_map(0..=LAST, 1u64.., 0..50)) {
            let bins = Bins(pairs);
            let text = serde_json::to_string(&bins).unwrap();
            prop_assert_eq!(serde_json::from_str::<Bins>(&text).unwrap(), bins);
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[A-Za-z0-9_-]{0,30}") {
            let _ = serde_json::from_str::<Bins>(&format!("\"{text}\""));
        }
    }
}
