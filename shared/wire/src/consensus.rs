//! References for clips that have none, from what the models of a run agree on.

use serde::{Deserialize, Serialize};
use stt_eval_domain::{FileId, SampleId};
use utoipa::ToSchema;

use crate::object::Object;

/// What a model heard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = HeardView)]
pub struct Heard {
    /// Catalogue id of the model.
    pub provider: String,
    /// What it heard.
    pub transcription: String,
}

/// A reference that is proposed for a clip without one: the transcription that is nearest
/// to all others. What all models mishear looks as sure as what all of them hear.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = ProposalView)]
pub struct Proposal {
    /// The clip.
    pub sample_id: SampleId,
    /// Its recording.
    pub file_id: FileId,
    /// Name of the recording.
    pub filename: String,
    /// Length of the recording in seconds.
    pub duration_seconds: f64,
    /// Canonical BCP-47 tag.
    pub language: String,
    /// The reference as it would be saved; what has a meaning in references is escaped.
    pub ground_truth: String,
    /// The model whose words they are.
    pub provider: String,
    /// Whether all models say the same, by the normaliser of the run.
    pub sure: bool,
    /// How many models say the same as the one that is proposed, itself among them.
    pub same: usize,
    /// How much of their words two models share, in the mean of all pairs: from 0 to 1.
    pub agreement: f64,
    /// What each model heard, in the order of the run.
    pub transcriptions: Vec<Heard>,
    /// Changes with the proposal; to accept it by.
    pub etag: String,
}

/// A proposal that is accepted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Acceptance {
    /// The clip.
    #[schema(value_type = SampleId)]
    pub sample_id: String,
    /// The `etag` of the proposal that was looked at.
    pub etag: String,
}

/// Proposals that are accepted.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Acceptances {
    /// 1 to 50 of them, each clip once.
    #[schema(value_type = Vec<Acceptance>, min_items = 1, max_items = 50)]
    pub accept: Vec<Object<Acceptance>>,
}

/// A clip that stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = LeftAloneView)]
pub struct LeftAlone {
    /// The clip.
    pub sample_id: SampleId,
    /// Why.
    pub message: String,
}

/// What became of proposals that were accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = AcceptedView)]
pub struct Accepted {
    /// Clips that have the reference now.
    pub saved: Vec<SampleId>,
    /// Clips that stay as they are.
    pub left_alone: Vec<LeftAlone>,
}
