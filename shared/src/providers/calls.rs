//! Vendors that answer each item in its call.
//!
//! A call can't be looked up afterwards: what may have been billed and has not
//! come back is told apart by [`CallError`], `Ambiguous` for one that was sent
//! and `Rejected` for one that certainly was not done. Nothing here repeats a
//! call; that is decided where its intent is recorded.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

use super::audio::AudioSource;
use super::consult::Consult;
use super::credential::Credential;
use super::error::CallError;
use super::lines::ReadsLines;
use crate::domain::allowance::ToldLimits;
use crate::domain::transcribe::ModelConfig;

/// One item of a call.
#[derive(Clone, Copy)]
pub struct CallItem<'a> {
    /// What the result is joined by.
    pub key: &'a str,
    /// The audio.
    pub audio: &'a dyn AudioSource,
    /// Name of the audio with the extension of its format: some vendors tell
    /// the format by nothing else.
    pub file_name: &'a str,
    /// MIME type of the audio, as the model's catalogue entry has it.
    pub mime_type: &'a str,
    /// BCP-47 tag of the sample.
    pub language: &'a str,
    /// What the vendor calls that language, by the model's table.
    pub language_code: &'a str,
    /// Length of the audio in seconds.
    pub duration_seconds: f64,
}

impl fmt::Debug for CallItem<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallItem")
            .field("key", &self.key)
            .field("bytes", &self.audio.len())
            .field("mime_type", &self.mime_type)
            .field("language", &self.language)
            .field("duration_seconds", &self.duration_seconds)
            .finish_non_exhaustive()
    }
}

/// A raw answer as one line of output: JSON without a line break, the item's
/// key included. [`ReadsLines::read_line`] reads it, now or after years.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawLine(pub Vec<u8>);

/// What came back of a call.
#[derive(Debug, Clone, PartialEq)]
pub struct CallAnswer {
    /// The raw answer.
    pub line: RawLine,
    /// What the vendor said of its limits beside it.
    pub limits: ToldLimits,
}

impl From<RawLine> for CallAnswer {
    fn from(line: RawLine) -> Self {
        Self {
            line,
            limits: ToldLimits::default(),
        }
    }
}

/// A vendor that answers each item in its call.
#[async_trait]
pub trait Calls: ReadsLines + Consult {
    /// One paid request, never repeated here; gives the raw answer as one line
    /// of output keyed by the item.
    async fn call(
        &self,
        credential: &Credential,
        item: &CallItem<'_>,
        config: &ModelConfig,
    ) -> Result<CallAnswer, CallError>;

    /// How long an item may take at least, however short it is; longer ones take longer.
    fn shortest_time_out(&self) -> Duration {
        Duration::from_secs(60)
    }
}
