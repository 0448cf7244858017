//! What became of one sample with one provider.

use serde::{Deserialize, Serialize};

use super::{FileId, ResultId, Timestamp};
use crate::failure::failed_by;
use crate::usage::Usage;
use crate::word_times::WordTimes;
use stt_eval_scoring::{CorpusSums, FailedBy, SampleScore};

/// Most bytes of transcription and reference in one outcome: DynamoDB takes
/// items of 400 KB, and the rest of an outcome is small.
pub const MAX_TEXT_BYTES: usize = 380_000;

/// State of a result as clients see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ResultStatus {
    /// No outcome yet.
    Pending,
    /// There is a transcription.
    Completed,
    /// There is none; `error_message` says why.
    Failed,
}

/// The recorded outcome of an item: written once per round, at collection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Identity: run, provider and position.
    pub id: ResultId,
    /// Round of the run it belongs to; a retry starts a new one.
    pub round: u16,
    /// The file of the recording.
    pub file_id: FileId,
    /// Reference it was scored against.
    pub ground_truth: Option<String>,
    /// Version of that reference.
    pub reference_version: u32,
    /// Language it was scored in.
    pub language: String,
    /// Text, for a completed item.
    pub transcription: Option<String>,
    /// When its words were spoken, where that is known.
    #[serde(default, skip_serializing_if = "WordTimes::is_empty")]
    pub word_times: WordTimes,
    /// Score, for a completed item with a reference.
    #[serde(default, with = "super::stored_score")]
    pub score: Option<SampleScore>,
    /// Stable code of the failure (see [`failure`](super::failure)).
    pub error_code: Option<String>,
    /// Sentence for people; together with the code.
    pub error_message: Option<String>,
    /// Number of the scoring that scored it when it came in.
    #[serde(default = "super::scorings::first")]
    pub scoring: u16,
    /// Whether a retry may help.
    #[serde(default)]
    pub retryable: bool,
    /// Whether it failed for a reason that may pass: the item is asked for once more
    /// by itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub passing: bool,
    /// How often the model was asked for the item since people last did.
    #[serde(default = "once")]
    pub attempts: u8,
    /// Exact model that answered.
    pub model_version: Option<String>,
    /// Tokens it took; failures are billed too.
    pub usage: Usage,
    /// What it cost, in millionths of a US dollar.
    pub cost_micro_usd: u64,
    /// How long the model took for it, in milliseconds, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<u32>,
    /// When it was collected.
    pub inserted_at: Timestamp,
}

/// Of outcomes of release 0.1.0, which asked once.
fn once() -> u8 {
    1
}

impl Outcome {
    /// Completed or failed.
    #[must_use]
    pub fn status(&self) -> ResultStatus {
        if self.transcription.is_some() {
            ResultStatus::Completed
        } else {
            ResultStatus::Failed
        }
    }
}

impl Outcome {
    /// Whose failure it is; `None` for a transcription.
    #[must_use]
    pub fn failed_by(&self) -> Option<FailedBy> {
        let code = self.error_code.as_deref().unwrap_or_default();
        self.transcription.is_none().then(|| failed_by(code))
    }

    /// Adds the item to the sums of its model. `score` is that of its
    /// transcription, and of a failed item that of an empty one, which says how
    /// large its reference is; without one, nothing is known of it.
    pub fn count(&self, sums: &mut CorpusSums, score: Option<&SampleScore>) {
        match (score, self.failed_by()) {
            (None, _) => {}
            (Some(score), None) => sums.add(score),
            (Some(score), Some(by)) => sums.add_failure(&score.reference_size(), by),
        }
    }
}
