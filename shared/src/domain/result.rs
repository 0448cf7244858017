//! What became of one sample with one provider, and what people say of it.

use serde::{Deserialize, Serialize};

use super::{FileId, KeyId, ResultId, Timestamp};
use crate::providers::Usage;
use crate::scoring::SampleScore;

/// Longest comment of a reviewer in characters.
pub const MAX_COMMENT_CHARS: usize = 5_000;

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
    /// Recording.
    pub file_id: FileId,
    /// Reference it was scored against.
    pub ground_truth: Option<String>,
    /// Version of that reference.
    pub reference_version: u32,
    /// Language it was scored in.
    pub language: String,
    /// Text, for a completed item.
    pub transcription: Option<String>,
    /// Score, for a completed item with a reference.
    #[serde(default, with = "super::stored_score")]
    pub score: Option<SampleScore>,
    /// Stable code of the failure.
    pub error_code: Option<String>,
    /// Sentence of the failure.
    pub error_message: Option<String>,
    /// Number of the scoring that scored it when it came in.
    #[serde(default = "super::rescoring::first")]
    pub scoring: u16,
    /// Whether a retry may help.
    #[serde(default)]
    pub retryable: bool,
    /// Exact model that answered.
    pub model_version: Option<String>,
    /// What it used.
    pub usage: Usage,
    /// What it cost, in millionths of a US dollar.
    pub cost_micro_usd: u64,
    /// When it was collected.
    pub inserted_at: Timestamp,
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

/// What a reviewer said of a result. Its own item beside the outcome, so that
/// collecting again can never overwrite it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Review {
    /// The result.
    pub id: ResultId,
    /// Judgement; `None` is "cleared".
    pub is_correct: Option<bool>,
    /// Remark.
    pub comment: Option<String>,
    /// Key of the reviewer.
    pub reviewed_by: KeyId,
    /// When.
    pub reviewed_at: Timestamp,
    /// Revision, part of the etag.
    pub rev: u64,
}
