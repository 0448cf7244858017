//! What a unit takes up at its provider, and how that is written down.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::RunId;
use super::ids::InvalidId;
use super::unit::UnitKey;

/// Tokens of a second of audio, where only seconds were counted.
const TOKENS_PER_SECOND: u64 = 32;

/// What a unit takes up.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Demand {
    /// Run of the unit.
    pub run: RunId,
    /// Which unit of the run.
    pub unit: UnitKey,
    /// Model it is for: providers limit what waits for each model.
    pub model: String,
    /// Tokens of audio and prompts, by an upper estimate.
    pub tokens: u64,
    /// Bytes of its audio.
    pub bytes: u64,
}

impl Demand {
    /// What its audio is kept for: units with the same answer share it.
    #[must_use]
    pub fn audio(&self) -> String {
        audio_user(self.run, self.unit)
    }

    pub(crate) fn is(&self, run: RunId, unit: UnitKey) -> bool {
        self.run == run && self.unit == unit
    }
}

/// What the audio of a unit is kept for: its chunk of the dataset. In the first round
/// all models of a run have the same chunks; what is left to retry differs, so
/// then each unit stands for itself.
#[must_use]
pub fn audio_user(run: RunId, unit: UnitKey) -> String {
    if unit.round == 1 {
        format!("{run}#c{:04}", unit.chunk)
    } else {
        format!("{run}#{unit}")
    }
}

impl fmt::Display for Demand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            run,
            unit,
            model,
            tokens,
            bytes,
        } = self;
        // Release 0.1.0 counted seconds of audio. It reads these five, and ignores
        // the sixth.
        let seconds = tokens.div_ceil(TOKENS_PER_SECOND);
        write!(f, "{run}#{unit}#{model}#{seconds}#{bytes}#{tokens}")
    }
}

impl FromStr for Demand {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let odd = || InvalidId("demand");
        let mut parts = text.split('#');
        let mut next = || parts.next().ok_or_else(odd);
        let (run, unit, model) = (next()?, next()?, next()?);
        let (seconds, bytes) = (next()?, next()?);
        let seconds: u64 = seconds.parse().map_err(|_| odd())?;
        let tokens = match parts.next() {
            Some(tokens) => tokens.parse().map_err(|_| odd())?,
            None => seconds.saturating_mul(TOKENS_PER_SECOND),
        };
        Ok(Self {
            run: run.parse().map_err(|_| odd())?,
            unit: unit.parse().map_err(|_| odd())?,
            model: model.to_owned(),
            tokens,
            bytes: bytes.parse().map_err(|_| odd())?,
        })
    }
}

impl Serialize for Demand {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Demand {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}
