//! Which unit: its items, its key, and how positions are cut into units.

use serde::{Deserialize, Serialize};

/// Most samples in a unit.
pub const MAX_UNIT_SAMPLES: usize = 100;
/// Most bytes of audio in a unit.
pub const MAX_UNIT_BYTES: u64 = 1024 * 1024 * 1024;

/// Positions `start..end` of a dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// First position, from 0.
    pub start: u16,
    /// One past the last.
    pub end: u16,
}

/// Which unit of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct UnitKey {
    /// Index of the model in the run.
    #[serde(rename = "provider")]
    pub model: u8,
    /// Round of the run: 1, and one more for each retry.
    pub round: u16,
    /// Number within model and round, from 0.
    pub chunk: u16,
}

impl std::fmt::Display for UnitKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "p{:02}-r{:02}-c{:04}",
            self.model, self.round, self.chunk
        )
    }
}

impl std::str::FromStr for UnitKey {
    type Err = crate::ids::InvalidId;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.split('-');
        let mut number = |letter: char| {
            let digits = parts.next()?.strip_prefix(letter)?;
            digits.parse::<u16>().ok()
        };
        let key = (|| {
            let model = u8::try_from(number('p')?).ok()?;
            let (round, chunk) = (number('r')?, number('c')?);
            Some(Self {
                model,
                round,
                chunk,
            })
        })();
        key.filter(|key| key.to_string() == text)
            .ok_or(crate::ids::InvalidId("unit"))
    }
}

/// Cuts positions into units by count and bytes. A pure function of its
/// input: planning again gives the same units.
#[must_use]
pub fn chunks(items: &[(u16, u64)], max_items: usize, max_bytes: u64) -> Vec<Vec<Span>> {
    let mut chunks: Vec<Vec<Span>> = Vec::new();
    let mut current: Vec<Span> = Vec::new();
    let (mut count, mut bytes) = (0usize, 0u64);
    for (position, size) in items {
        if count > 0 && (count >= max_items || bytes.saturating_add(*size) > max_bytes) {
            chunks.push(std::mem::take(&mut current));
            (count, bytes) = (0, 0);
        }
        match current.last_mut() {
            Some(span) if span.end == *position => span.end += 1,
            _ => current.push(Span {
                start: *position,
                end: position + 1,
            }),
        }
        count += 1;
        bytes = bytes.saturating_add(*size);
    }
    if !current.is_empty() {
        chunks.push(current);
    }
    chunks
}
