//! Runs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use stt_eval_shared::domain::run::{Run, RunStatus};
use stt_eval_shared::domain::unit::{Waiting, WaitingReason};
use stt_eval_shared::domain::{DatasetId, RunId, Timestamp};
use utoipa::ToSchema;

use super::datasets::NewDataset;
use super::report::ScoringView;
use super::results::ResultView;
use super::scores::ProviderScore;
use crate::json::Object;

/// A run to be made: several models over one dataset.
#[derive(Debug, Deserialize, ToSchema)]
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
    pub dataset_id: Option<String>,
    /// In place of `dataset_id`: a dataset to be made, as in `POST /datasets`.
    #[schema(value_type = Option<NewDataset>)]
    pub dataset: Option<Object<NewDataset>>,
    /// Catalogue ids (`GET /providers`), 1 to 16 of them.
    #[schema(min_items = 1, max_items = 16, example = json!(["gemini-2.5-pro"]))]
    pub providers: Option<Vec<String>>,
    /// Another name of `providers`.
    #[schema(min_items = 1, max_items = 16)]
    pub models: Option<Vec<String>>,
    /// How to transcribe and score; frozen on the run.
    #[schema(value_type = Option<NewRunConfig>)]
    pub config: Option<Object<NewRunConfig>>,
}

/// How a run transcribes and scores.
#[derive(Debug, Default, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRunConfig {
    /// Prompt in place of the default one; `{language}` and `{script}` are
    /// filled in for each sample. At most 8,000 characters.
    pub prompt: Option<String>,
    /// Sampling temperature; default: that of the model.
    #[schema(minimum = 0, maximum = 2)]
    pub temperature: Option<f64>,
    /// Normaliser of the scores.
    #[schema(example = "indic-v1")]
    pub normalizer: Option<String>,
}

/// Items by state.
#[derive(Debug, Serialize, ToSchema)]
pub struct RunCounts {
    /// Without an outcome yet.
    pub pending: u64,
    /// With a transcription.
    pub completed: u64,
    /// Failed.
    pub failed: u64,
}

/// The frozen configuration of one model.
#[derive(Debug, Serialize, ToSchema)]
pub struct ModelConfigView {
    /// What credentials are kept for.
    pub provider: String,
    /// Name of the model at the provider.
    pub model: String,
    /// Prompt template.
    pub prompt: String,
    /// Version of the prompt template, or `custom`.
    pub prompt_version: String,
    /// Sampling temperature.
    pub temperature: f64,
}

/// The frozen configuration of a run.
#[derive(Debug, Serialize, ToSchema)]
pub struct RunConfigView {
    /// Normaliser of the first scoring; `scorings` tells which one counts.
    pub normalizer: String,
    /// Catalogue id → configuration.
    pub providers: BTreeMap<String, ModelConfigView>,
}

/// Items of one model that wait to be submitted, all for the same reason.
#[derive(Debug, Serialize, ToSchema)]
pub struct WaitingView {
    /// Catalogue id of the model.
    pub provider: String,
    /// What they wait for.
    pub waiting_reason: WaitingReason,
    /// The same as a sentence.
    pub message: &'static str,
    /// How many items.
    pub items: u64,
    /// When the first of them is tried again.
    pub next_attempt_at: Option<Timestamp>,
}

impl WaitingView {
    /// What clients see of it.
    #[must_use]
    pub fn all(run: &Run, waiting: Vec<Waiting>) -> Vec<Self> {
        let view = |waiting: Waiting| {
            let provider = run.providers.get(usize::from(waiting.provider))?;
            Some(Self {
                provider: provider.model.clone(),
                waiting_reason: waiting.reason,
                message: waiting.reason.message(),
                items: waiting.items,
                next_attempt_at: waiting.next_attempt_at,
            })
        };
        waiting.into_iter().filter_map(view).collect()
    }
}

/// Kind of evaluation.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunType {
    /// Speech to text.
    Stt,
}

/// A run.
#[derive(Debug, Serialize, ToSchema)]
pub struct RunView {
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
    /// Catalogue id → what the model achieved so far (null while nothing of it
    /// is scored); null while nothing at all is.
    #[schema(value_type = Option<BTreeMap<String, ProviderScore>>)]
    pub score: Option<BTreeMap<String, Option<ProviderScore>>>,
    /// Why it failed.
    pub error_message: Option<String>,
    /// What its pending items wait for, by model and reason: empty when all
    /// that there is to do is under way. Only in `GET /runs/{id}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting: Option<Vec<WaitingView>>,
    /// Frozen configuration; not in lists, because of the prompts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config: Option<RunConfigView>,
    /// 1, and one more for each retry.
    pub round: u16,
    /// How it was scored: once as results came in, then by
    /// `POST /runs/{id}/rescore`.
    pub scorings: Vec<ScoringView>,
    /// One page of its results, with `include_results=true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub results: Option<Vec<ResultView>>,
    /// When it was accepted.
    pub inserted_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When it reached its end.
    pub finished_at: Option<Timestamp>,
}

impl RunView {
    /// What lists show of a run.
    #[must_use]
    pub fn brief(run: &Run) -> Self {
        Self {
            config: None,
            ..Self::new(run, None)
        }
    }

    /// The same with what it waits for.
    #[must_use]
    pub fn waiting(self, waiting: Vec<WaitingView>) -> Self {
        Self {
            waiting: Some(waiting),
            ..self
        }
    }

    /// What clients see of a run.
    #[must_use]
    pub fn new(run: &Run, results: Option<Vec<ResultView>>) -> Self {
        let score: BTreeMap<String, Option<ProviderScore>> = run
            .providers
            .iter()
            .map(|provider| (provider.model.clone(), ProviderScore::new(provider)))
            .collect();
        let models = run.providers.iter().map(|provider| {
            let config = provider.config.clone();
            let view = ModelConfigView {
                provider: provider.provider.clone(),
                model: config.model,
                prompt: config.prompt,
                prompt_version: config.prompt_version,
                temperature: config.temperature,
            };
            (provider.model.clone(), view)
        });
        Self {
            id: run.id,
            run_name: run.name.clone(),
            dataset_id: run.dataset,
            dataset_name: run.dataset_name.clone(),
            r#type: RunType::Stt,
            language: run.language.clone(),
            providers: run
                .providers
                .iter()
                .map(|provider| provider.model.clone())
                .collect(),
            status: run.status,
            total_items: run.total_items(),
            counts: RunCounts {
                pending: run.pending(),
                completed: run.completed(),
                failed: run.failed(),
            },
            score: score.values().any(Option::is_some).then_some(score),
            error_message: run.error_message.clone(),
            waiting: None,
            config: Some(RunConfigView {
                normalizer: run.normalizer.clone(),
                providers: models.collect(),
            }),
            round: run.round,
            scorings: ScoringView::all(run),
            results,
            inserted_at: run.inserted_at,
            updated_at: run.updated_at,
            finished_at: run.finished_at,
        }
    }
}
