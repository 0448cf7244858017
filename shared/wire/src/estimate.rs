//! What a run would take.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a run would take, by the prices of today.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = EstimateView)]
pub struct Estimate {
    /// Hours of audio of the dataset.
    pub audio_hours: f64,
    /// US dollars, over all models.
    pub cost_usd: f64,
    /// The models, in the order of the run.
    pub models: Vec<ModelEstimate>,
}

/// What a run would take of one model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = ModelEstimateView)]
pub struct ModelEstimate {
    /// Id of the model.
    pub model: String,
    /// Clips of the dataset.
    pub items: u64,
    /// Of these, clips that it can't take.
    pub unsupported: u64,
    /// Why it can't, as one line: languages, length, size or format. Empty where it takes all.
    #[serde(default)]
    pub unsupported_why: String,
    /// Hours of audio of those that it takes.
    pub audio_hours: f64,
    /// US dollars for these, each priced by itself, with its prompt. Reasoning is not in it;
    /// transcripts that were made elsewhere cost nothing more.
    pub cost_usd: f64,
    /// Seconds from start to end that runs of this project with the model usually took:
    /// the median of recent ones that came to their end in one round. Null where there
    /// are none. Size is not looked at.
    pub usual_seconds: Option<u64>,
    /// Seconds after which what its vendor has not answered is given up: no run takes much
    /// longer. Absent where nobody is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_up_after_seconds: Option<u64>,
    /// The day the price was read, `YYYY-MM-DD`.
    #[schema(format = Date, example = "2026-10-14")]
    pub price_read_at: Option<String>,
}
