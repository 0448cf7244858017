//! When the words of a transcription were spoken, where its vendor tells.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Most bytes that times may take where they are kept; those of later words are left off.
pub const MAX_BYTES: usize = 32_000;

/// When a word, or a phrase of which no more is told, was begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct WordTime {
    /// First byte of it in the transcription.
    pub start: u32,
    /// Milliseconds from the beginning of the recording.
    pub at_ms: u32,
}

/// Times in order: both starts and milliseconds only grow.
///
/// They are kept as a text, `bytes.milliseconds` for each, both counted on from the one
/// before: some seven bytes a word.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WordTimes {
    times: Vec<WordTime>,
    bytes: usize,
}

impl WordTimes {
    /// Adds one behind the others; `false` when it is not behind them, or there is no room.
    pub fn push(&mut self, time: WordTime) -> bool {
        let (start, at_ms) = match self.times.last() {
            Some(last) if time.start <= last.start || time.at_ms < last.at_ms => return false,
            Some(last) => (time.start - last.start, time.at_ms - last.at_ms),
            None => (time.start, time.at_ms),
        };
        let bytes = self.bytes + digits(start) + digits(at_ms) + 2;
        if bytes > MAX_BYTES {
            return false;
        }
        self.bytes = bytes;
        self.times.push(time);
        true
    }

    /// The times.
    #[must_use]
    pub fn as_slice(&self) -> &[WordTime] {
        &self.times
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.times.is_empty()
    }

    /// Bytes that they take where they are kept, no more than [`MAX_BYTES`].
    #[must_use]
    pub fn kept_bytes(&self) -> usize {
        self.bytes
    }
}

fn digits(number: u32) -> usize {
    number.checked_ilog10().unwrap_or_default() as usize + 1
}

impl Serialize for WordTimes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use std::fmt::Write as _;
        let mut text = String::with_capacity(self.bytes);
        let mut before = WordTime { start: 0, at_ms: 0 };
        for time in &self.times {
            let (start, at_ms) = (time.start - before.start, time.at_ms - before.at_ms);
            let blank = if text.is_empty() { "" } else { " " };
            write!(text, "{blank}{start}.{at_ms}").map_err(serde::ser::Error::custom)?;
            before = *time;
        }
        serializer.serialize_str(&text)
    }
}

impl<'de> Deserialize<'de> for WordTimes {
    /// What is no time ends the list: a transcription is worth more than they are.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut read = Self::default();
        let mut before = WordTime { start: 0, at_ms: 0 };
        for pair in text.split(' ') {
            let parsed = pair.split_once('.').and_then(|(start, at_ms)| {
                let start = before.start.checked_add(start.parse().ok()?)?;
                let at_ms = before.at_ms.checked_add(at_ms.parse().ok()?)?;
                Some(WordTime { start, at_ms })
            });
            match parsed {
                Some(time) if read.push(time) => before = time,
                _ => break,
            }
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(times: &[(u32, u32)]) -> WordTimes {
        let mut made = WordTimes::default();
        for &(start, at_ms) in times {
            made.push(WordTime { start, at_ms });
        }
        made
    }

    #[test]
    fn they_are_kept_as_a_short_text() {
        let times = of(&[(0, 120), (6, 470), (13, 470)]);
        assert_eq!(
            serde_json::to_string(&times).unwrap(),
            r#""0.120 6.350 7.0""#
        );
        let odd: WordTimes = serde_json::from_str(r#""0.120 6.350 x 7.0""#).unwrap();
        assert_eq!(odd, of(&[(0, 120), (6, 470)]));
        for none in ["\"\"", "\"7\"", "\"-1.5\"", "\"4294967296.0\""] {
            assert!(
                serde_json::from_str::<WordTimes>(none).unwrap().is_empty(),
                "{none}"
            );
        }
    }

    proptest! {
        #[test]
        fn they_are_read_back_and_never_take_more_than_they_may(
            steps in proptest::collection::vec((0u32..90_000, 0u32..900_000), 0..4_000)
        ) {
            let mut made = WordTimes::default();
            let mut at = WordTime { start: 0, at_ms: 0 };
            for (start, at_ms) in steps {
                at = WordTime {
                    start: at.start.saturating_add(start),
                    at_ms: at.at_ms.saturating_add(at_ms),
                };
                made.push(at);
            }
            let text = serde_json::to_string(&made).unwrap();
            prop_assert!(text.len() <= made.kept_bytes() + 2 && text.len() <= MAX_BYTES + 2);
            prop_assert_eq!(serde_json::from_str::<WordTimes>(&text).unwrap(), made);
        }
    }
}
