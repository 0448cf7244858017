//! Which scorings a run has, and the one that counts.

use serde::{Deserialize, Serialize};

use super::Timestamp;
use stt_eval_scoring::SCORER_VERSION;

/// Number of the scoring that is made at collection.
pub const FIRST: u16 = 1;

/// For records from before there were numbers.
pub(crate) fn first() -> u16 {
    FIRST
}

/// How far a scoring is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ScoringStatus {
    /// Under way; an earlier one counts until it is complete.
    Pending,
    /// Complete.
    Completed,
}

/// One scoring of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scoring {
    /// Number in the run, from 1.
    pub id: u16,
    /// Name of its normaliser.
    pub normalizer: String,
    /// Version of the scorer.
    pub scorer_version: String,
    /// How far it is.
    pub status: ScoringStatus,
    /// When it was asked for.
    pub inserted_at: Timestamp,
    /// When it was complete; of the first one, nothing is said.
    pub completed_at: Option<Timestamp>,
}

/// The scorings of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scorings {
    /// Number of the one that counts.
    pub current: u16,
    /// Those after the first.
    pub later: Vec<Scoring>,
    /// Version of the scorer that the first was begun with.
    pub first_version: String,
}

impl Default for Scorings {
    fn default() -> Self {
        Self {
            current: FIRST,
            later: Vec::new(),
            first_version: SCORER_VERSION.to_owned(),
        }
    }
}
