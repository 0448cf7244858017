//! A run at its beginning.

use super::dataset::Dataset;
use super::run::{Run, RunModel, RunStatus};
use super::scorings::Scorings;
use super::{RunId, Timestamp};

/// What a run is accepted with. All else of it begins at nothing.
#[derive(Debug)]
pub struct Acceptance<'a> {
    /// Its id, minted before.
    pub id: RunId,
    /// Name given by people.
    pub name: String,
    /// The dataset whose samples it is over.
    pub dataset: &'a Dataset,
    /// Its models, with nothing counted yet.
    pub models: Vec<RunModel>,
    /// Name of the normaliser of its first scoring.
    pub normalizer: String,
    /// Whether WAV is sent as FLAC; `None` where nothing is sent.
    pub lossless_flac: Option<bool>,
    /// Whether its reviewers judge without knowing which model is which.
    pub blind_review: bool,
    /// When it is accepted.
    pub now: Timestamp,
    /// When the sweeper looks at it, should its message be lost.
    pub outbox_due: Timestamp,
}

impl Run {
    /// A run of a dataset's project, in its first round, that waits to be planned.
    #[must_use]
    pub fn accepted(with: Acceptance<'_>) -> Self {
        let dataset = with.dataset;
        Self {
            id: with.id,
            project: dataset.project.clone(),
            name: with.name,
            dataset: dataset.id,
            dataset_name: dataset.name.clone(),
            language: dataset.language.clone(),
            sample_count: dataset.sample_count,
            status: RunStatus::Pending,
            models: with.models,
            normalizer: with.normalizer,
            generation: 1,
            round: 1,
            automatic: false,
            joining: None,
            lossless_flac: with.lossless_flac,
            blind_review: with.blind_review,
            cost_cap: None,
            units_total: None,
            units_done: 0,
            error_message: None,
            deleting: false,
            closing: false,
            inserted_at: with.now,
            updated_at: with.now,
            finished_at: None,
            due_at: Some(with.outbox_due),
            scorings: Scorings::default(),
            rev: 1,
        }
    }
}
