//! Runs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use stt_eval_domain::{DatasetId, RunId};
use utoipa::ToSchema;

pub use stt_eval_domain::Timestamp;
pub use stt_eval_domain::run::RunStatus;
pub use stt_eval_domain::unit::WaitingReason;

use crate::datasets::NewDataset;
use crate::object::Object;
use crate::report::Scoring;
use crate::results;
use crate::scores::ModelScore;
use crate::transcripts::NewTranscripts;

/// A run to be made: several models over one dataset.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "run_name": "first look",
    "dataset_id": "ds_01KAR8F3V4N7C3Q8Z5W2Y0H6M1",
    "providers": ["gemini-2.5-pro", "gemini-2.5-flash"]
}))]
pub struct NewRun {
    /// Name; 1 to 255 characters.
    pub run_name: String,
    /// The dataset.
    #[schema(value_type = Option<DatasetId>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dataset_id: Option<String>,
    /// In place of `dataset_id`: a dataset to be made, as in `POST /datasets`.
    #[schema(value_type = Option<NewDataset>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dataset: Option<Object<NewDataset>>,
    /// Catalogue ids (`GET /providers`), 1 to 16 of them; none are needed with
    /// `transcripts`.
    #[schema(min_items = 1, max_items = 16, example = json!(["gemini-2.5-pro"]))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub providers: Option<Vec<String>>,
    /// Another name of `providers`.
    #[schema(min_items = 1, max_items = 16)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub models: Option<Vec<String>>,
    /// Transcripts that were made elsewhere, each list a model of the run.
    #[schema(value_type = Option<Vec<NewTranscripts>>, min_items = 1, max_items = 16)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transcripts: Option<Vec<Object<NewTranscripts>>>,
    /// The most that the run may cost in US dollars, by estimates. Clips are sent in
    /// their order, each to all models, until the next one would cost too much; those
    /// behind end as `cost_cap_reached`.
    #[schema(exclusive_minimum = 0, maximum = 1_000_000)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_cost_usd: Option<f64>,
    /// `true` hides from reviewers which model is which until they have judged, whatever
    /// they choose; default: they choose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blind_review: Option<bool>,
    /// How to transcribe and score; frozen on the run.
    #[schema(value_type = Option<NewRunConfig>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config: Option<Object<NewRunConfig>>,
}

/// How a run transcribes and scores.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRunConfig {
    /// Prompt in place of the default one; `{language}` and `{script}` are
    /// filled in for each sample. At most 8,000 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt: Option<String>,
    /// Sampling temperature; default: that of the model.
    #[schema(minimum = 0, maximum = 2)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// Normaliser of the scores.
    #[schema(example = "indic-v1")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub normalizer: Option<String>,
    /// `true` sends WAV of 16 bits as FLAC to models that list FLAC: the same samples, to
    /// the bit, in about half the bytes. `false` sends every recording as it is. Default:
    /// as the deployment is set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lossless_flac: Option<bool>,
}

/// How a run is tried again.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Retry {
    /// Another `max_cost_usd`, of the whole run, all its rounds together; without one
    /// that of the run holds on.
    #[schema(exclusive_minimum = 0, maximum = 1_000_000)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_cost_usd: Option<f64>,
}

/// Items by state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RunCounts {
    /// Without an outcome yet.
    pub pending: u64,
    /// With a transcription.
    pub completed: u64,
    /// Failed.
    pub failed: u64,
}

/// The frozen configuration of one model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = ModelConfigView)]
pub struct ModelConfig {
    /// What credentials are kept for.
    pub provider: String,
    /// Name of the model at the provider.
    pub model: String,
    /// Prompt template; absent where the model takes none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt: Option<String>,
    /// Version of the prompt template, or `custom`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt_version: Option<String>,
    /// Sampling temperature; absent where the model takes none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
}

/// The frozen configuration of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = RunConfigView)]
pub struct RunConfig {
    /// Normaliser of the first scoring; `scorings` tells which one counts.
    pub normalizer: String,
    /// Whether WAV is sent as FLAC to models that list it. Absent in runs that send
    /// nothing, and in those of earlier releases, for which the deployment's own setting
    /// holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lossless_flac: Option<bool>,
    /// Catalogue id → configuration.
    pub providers: BTreeMap<String, ModelConfig>,
}

/// Items of one model that wait to be submitted, all for the same reason.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = WaitingView)]
pub struct Waiting {
    /// Catalogue id of the model.
    pub provider: String,
    /// What they wait for.
    pub waiting_reason: WaitingReason,
    /// The same as a sentence.
    pub message: String,
    /// How many items.
    pub items: u64,
    /// When the first of them is tried again.
    pub next_attempt_at: Option<Timestamp>,
}

/// What was known when a run was accepted or retried, and should be seen before its
/// figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = RunWarningCode)]
pub enum RunWarningCode {
    /// Clips that a model can't take.
    UnsupportedByModel,
    /// Clips of which no transcript was given.
    MissingTranscript,
    /// With `max_cost_usd`: the clips may cost more than was estimated, and so the run
    /// more than it may; the sentence says by how much at most.
    CostMayExceedCap,
    /// Clips that may have been billed without an answer, and that the last retry asks
    /// again.
    MayBeChargedTwice,
}

/// A warning about one model of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = RunWarningView)]
pub struct RunWarning {
    /// What it is about; failures of clips have the same code.
    pub code: RunWarningCode,
    /// Id of the model.
    pub model: String,
    /// How many clips.
    pub count: u64,
    /// The same as a sentence.
    pub message: String,
}

/// Kind of evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunType {
    /// Speech to text.
    Stt,
}

/// A run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = RunView)]
pub struct Run {
    /// Identity.
    pub id: RunId,
    /// Name.
    pub run_name: String,
    /// The dataset.
    pub dataset_id: DatasetId,
    /// Its name when the run was made.
    pub dataset_name: String,
    /// Kind of evaluation.
    pub r#type: RunType,
    /// Its language.
    pub language: String,
    /// Catalogue ids of the models.
    pub providers: Vec<String>,
    /// State. A run with some failed items is `completed`; `failed` means that
    /// no item succeeded.
    pub status: RunStatus,
    /// Samples × models.
    pub total_items: u64,
    /// Items by state.
    pub counts: RunCounts,
    /// Catalogue id → the same of one model. Older releases do not tell it.
    #[serde(default)]
    pub model_counts: BTreeMap<String, RunCounts>,
    /// Catalogue id → what the model achieved so far (null while nothing of it
    /// is scored); null while nothing at all is.
    #[schema(value_type = Option<BTreeMap<String, ModelScore>>)]
    pub score: Option<BTreeMap<String, Option<ModelScore>>>,
    /// Why it failed.
    pub error_message: Option<String>,
    /// Whether its reviewers judge without knowing which model is which.
    #[serde(default)]
    pub blind_review: bool,
    /// The most that it may cost in US dollars, where that was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_cost_usd: Option<f64>,
    /// What was known of its models and clips from the beginning, and what the last retry
    /// may cost twice.
    pub warnings: Vec<RunWarning>,
    /// What its pending items wait for, by model and reason: empty when all
    /// that there is to do is under way. Only in `GET /runs/{id}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting: Option<Vec<Waiting>>,
    /// Frozen configuration; not in lists, because of the prompts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config: Option<RunConfig>,
    /// 1, and one more for each retry and for each round that followed by itself.
    pub round: u16,
    /// Items that were asked for once more by themselves, because of an error inside
    /// the provider, since the run was made or retried. It happens once, in a round
    /// of its own when all else is done.
    pub asked_again: u64,
    /// How it was scored: once as results came in, then by
    /// `POST /runs/{id}/rescore`.
    pub scorings: Vec<Scoring>,
    /// One page of its results, with `include_results=true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub results: Option<Vec<results::Result>>,
    /// When it was accepted.
    pub inserted_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When it reached its end.
    pub finished_at: Option<Timestamp>,
}
