//! One line of a vendor's output, read.

use crate::domain::failure::FailureCode;
use crate::domain::usage::Usage;
use crate::domain::word_times::WordTimes;

/// What became of one item.
#[derive(Debug, Clone, PartialEq)]
pub enum ItemOutcome {
    /// A transcription.
    Transcribed {
        /// The text, trimmed; never empty unless the model said "nothing spoken".
        text: String,
        /// When its words were spoken, where the vendor tells.
        word_times: WordTimes,
        /// Exact model that answered.
        model_version: Option<String>,
        /// What it used.
        usage: Usage,
    },
    /// No transcription.
    Failed {
        /// Stable code: see [`FailureCode`].
        code: String,
        /// A sentence for people, without upstream text.
        message: String,
        /// Whether asking again could help.
        retryable: bool,
        /// What it used; failures are billed too.
        usage: Usage,
        /// Exact model that answered, when one did.
        model_version: Option<String>,
    },
}

impl ItemOutcome {
    /// No transcription, for a reason that says all by itself.
    #[must_use]
    pub fn failed(code: FailureCode, usage: Usage, model_version: Option<String>) -> Self {
        Self::Failed {
            code: code.into(),
            message: code.message().to_owned(),
            retryable: code.is_retryable(),
            usage,
            model_version,
        }
    }
}

/// One line of a vendor's output.
#[derive(Debug, Clone, PartialEq)]
pub enum OutputLine {
    /// The outcome of the item with this key.
    Item {
        /// Key of the item.
        key: String,
        /// What became of it.
        outcome: ItemOutcome,
    },
    /// Nothing on it (blank line).
    Blank,
    /// It could not be attributed to any item. For logs and metrics.
    Malformed {
        /// What was wrong, without the line's content.
        reason: String,
    },
}

/// What a line tells of how its transcription was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Measured {
    /// How long it took, in milliseconds.
    pub latency_ms: Option<u32>,
    /// What it cost, in millionths of a US dollar; where it is not told, cost is worked
    /// out from usage and price.
    pub cost_micro_usd: Option<u64>,
}

/// Reads raw output, however it was asked for: what a job brought and what
/// single calls brought has the same lines.
pub trait ReadsLines: Send + Sync {
    /// Reads one line of raw output. Never panics, never fails as a whole.
    fn read_line(&self, line: &[u8]) -> OutputLine;

    /// What a line of an item tells of how its transcription was made: nothing, unless
    /// the lines have a place for it. Never panics.
    fn measured(&self, _line: &[u8]) -> Measured {
        Measured::default()
    }
}
