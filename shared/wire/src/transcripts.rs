//! Transcripts that were made elsewhere, on their way into a run.

use serde::{Deserialize, Serialize};
use stt_eval_domain::{FileId, SampleId};
use utoipa::ToSchema;

use crate::object::Object;

/// A transcript that was made elsewhere, of the clip that one of the three names.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTranscript {
    /// The clip by its sample.
    #[schema(value_type = Option<SampleId>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample_id: Option<String>,
    /// The clip by its file.
    #[schema(value_type = Option<FileId>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_id: Option<String>,
    /// The clip by the name of its file, which no other clip of the dataset may have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filename: Option<String>,
    /// What was heard; `""` for nothing. At most 100,000 characters.
    #[schema(max_length = 100_000)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// In place of `text`: why the service has made none, such as `timeout`. The clip fails
    /// as `transcript_failed`, the service's failure, and is in no figure of the model; one of the codes that
    /// tell of a model's own failure (`max_tokens`, `blocked_safety` …) stays what it is.
    #[schema(min_length = 1, max_length = 500)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// How long it took, in milliseconds.
    #[schema(minimum = 0, maximum = 86_400_000)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<f64>,
    /// What it cost in US dollars.
    #[schema(minimum = 0, maximum = 1_000)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
}

/// Transcripts that were made elsewhere by one model: `items` or `manifest_file_id`.
///
/// They become the model `imported/<name>` of a run, which is scored, compared and
/// reviewed like any other; a sample of which nothing is said fails as `missing_transcript`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTranscripts {
    /// Name of the model: `[a-z0-9][a-z0-9._-]{0,62}`.
    #[schema(pattern = "^[a-z0-9][a-z0-9._-]{0,62}$", example = "whisper-large-v3")]
    pub name: String,
    /// 1 to 1,000 transcripts.
    #[schema(value_type = Option<Vec<NewTranscript>>, min_items = 1, max_items = 1000)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items: Option<Vec<Object<NewTranscript>>>,
    /// In place of `items`: a table of up to 10,000 rows that was uploaded as a
    /// manifest, with a column `sample_id`, `file_id` or `filename`, a column
    /// `hypothesis` (or `transcription`, `transcript`, `text`) and perhaps
    /// `error` (why a clip has no transcript; where there is one it counts, and so is a
    /// cell that says `none`, `ok` or a rate no error), `latency_ms` and `cost_usd`; other
    /// columns are left alone.
    #[schema(value_type = Option<FileId>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manifest_file_id: Option<String>,
    /// Whether transcripts of clips that the dataset does not have are left out; without
    /// that they are refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leave_out_unknown: Option<bool>,
}

/// Transcripts to be added to a run that has ended: the fields of one list, or
/// several lists in `transcripts`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddedTranscripts {
    /// Name of the model: `[a-z0-9][a-z0-9._-]{0,62}`.
    #[schema(pattern = "^[a-z0-9][a-z0-9._-]{0,62}$")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// As in `NewTranscripts`.
    #[schema(value_type = Option<Vec<NewTranscript>>, min_items = 1, max_items = 1000)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items: Option<Vec<Object<NewTranscript>>>,
    /// As in `NewTranscripts`.
    #[schema(value_type = Option<FileId>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manifest_file_id: Option<String>,
    /// Whether transcripts of clips that the dataset does not have are left out; without
    /// that they are refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leave_out_unknown: Option<bool>,
    /// Several lists.
    #[schema(value_type = Option<Vec<NewTranscripts>>, min_items = 1, max_items = 16)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transcripts: Option<Vec<Object<NewTranscripts>>>,
}
