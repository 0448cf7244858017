//! Results and feedback.

use serde::{Deserialize, Serialize};
use stt_eval_domain::result::ResultStatus;
pub use stt_eval_domain::review::{Queue, Reason, Verdict};
use stt_eval_domain::usage::Usage;
pub use stt_eval_domain::word_times::WordTime;
use stt_eval_domain::{FileId, KeyId, ResultId, SampleId, Timestamp};
use utoipa::ToSchema;

use crate::object::nullable;
use crate::scores::{AlignedWord, Score};

/// What one model made of one sample.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = ResultView)]
pub struct Result {
    /// Identity.
    pub id: ResultId,
    /// The sample.
    pub sample_id: SampleId,
    /// Its recording.
    pub file_id: FileId,
    /// Catalogue id of the model.
    pub provider: String,
    /// State.
    pub status: ResultStatus,
    /// The reference it was scored against; of a pending item, the sample's.
    pub ground_truth: Option<String>,
    /// Version of that reference.
    pub reference_version: u32,
    /// Language it was scored in.
    pub language: String,
    /// What the model heard.
    pub transcription: Option<String>,
    /// Score, where there is a reference.
    pub score: Option<Score>,
    /// Words side by side, with `include_alignment=true`; null where there is
    /// no score, or the texts are longer than 100 kB together.
    #[serde(
        default,
        deserialize_with = "nullable",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Option<Vec<AlignedWord>>)]
    pub alignment: Option<Option<Vec<AlignedWord>>>,
    /// When words were begun, in the order of the transcription, with
    /// `include_alignment=true`, where the vendor tells; a phrase of which no more is
    /// told is one entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub word_times: Option<Vec<WordTime>>,
    /// What the majority of its reviews finds; null when there is none, or they tie.
    pub is_correct: Option<bool>,
    /// The latest remark of a reviewer.
    pub comment: Option<String>,
    /// How many people have reviewed it.
    #[serde(default)]
    pub reviews: u64,
    /// Key of the one who reviewed it last.
    pub reviewed_by: Option<KeyId>,
    /// When.
    pub reviewed_at: Option<Timestamp>,
    /// Stable code of the failure.
    pub error_code: Option<String>,
    /// Why it failed.
    pub error_message: Option<String>,
    /// Of a failure: whether another try may bring a transcription. A retry of
    /// the run submits every failed item, those for which it is no use as well.
    pub retryable: Option<bool>,
    /// How often the model was asked for it since the run was made or retried: 2 when
    /// an error inside the provider made it be asked for once more; null while
    /// pending.
    pub attempts: Option<u8>,
    /// Exact model that answered.
    pub model_version: Option<String>,
    /// Tokens used.
    pub usage: Option<Usage>,
    /// Cost in US dollars.
    pub cost_usd: Option<f64>,
    /// How long the model took for it, in milliseconds, where that is known.
    pub latency_ms: Option<u32>,
    /// Changes with every change; for `If-Match`.
    pub etag: String,
    /// Playback URL, with `include_signed_url=true`; works for 15 minutes.
    #[serde(
        default,
        deserialize_with = "nullable",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Option<String>)]
    pub signed_url: Option<Option<String>>,
    /// When it came in; of a pending item, when the run was accepted.
    pub inserted_at: Timestamp,
    /// When it or its feedback last changed.
    pub updated_at: Timestamp,
}

/// The caller's own review of a result; at least one of its fields. What is absent
/// stays, `null` clears, and a review that says nothing any more is gone. What others
/// say stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResultPatch {
    /// Verdict.
    #[serde(
        default,
        deserialize_with = "nullable",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Option<Verdict>)]
    pub verdict: Option<Option<Verdict>>,
    /// The same in short: true is `right`, false is `wrong`. Not together with
    /// `verdict`.
    #[serde(
        default,
        deserialize_with = "nullable",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Option<bool>)]
    pub is_correct: Option<Option<bool>>,
    /// Remark; at most 5,000 characters.
    #[serde(
        default,
        deserialize_with = "nullable",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Option<String>, max_length = 5000)]
    pub comment: Option<Option<String>>,
    /// Why. `wrong` for nothing but `spelling_variant` counts as right.
    #[serde(
        default,
        deserialize_with = "nullable",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Option<Vec<Reason>>)]
    pub reasons: Option<Option<Vec<Reason>>>,
    /// A reference that would take the transcription as well, with `{a|b}` where both are
    /// right. It changes nothing: an editor decides.
    #[serde(
        default,
        deserialize_with = "nullable",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Option<String>, max_length = 100000)]
    pub proposed_reference: Option<Option<String>>,
    /// How much of the recording was played before, in percent; null: not known.
    #[serde(
        default,
        deserialize_with = "nullable",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Option<u8>, maximum = 100)]
    pub listened: Option<Option<u8>>,
    /// Whether the reviewer did not know which model it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blind: Option<bool>,
    /// The order in which the result was met: only `random` speaks for all results.
    #[serde(
        default,
        deserialize_with = "nullable",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Option<Queue>)]
    pub queue: Option<Option<Queue>>,
}

/// What to score a result by.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScoredBy {
    /// A reference, with `{a|b}` where both are right; default: the one that the sample has now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 100000)]
    pub ground_truth: Option<String>,
}

/// What the error rate of a result is by a reference. The result stays as it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = ScoredAnewView)]
pub struct ScoredAnew {
    /// The result.
    pub result_id: ResultId,
    /// The reference.
    pub ground_truth: String,
    /// Which version of the sample's it is; null for one that was given.
    pub reference_version: Option<u32>,
    /// The word error rate by it.
    pub wer: f64,
    /// The reference that the result was scored against.
    pub scored_ground_truth: Option<String>,
    /// Version of that reference.
    pub scored_reference_version: u32,
    /// The word error rate that counts; null where the result has no score.
    pub scored_wer: Option<f64>,
    /// The normaliser of both.
    #[schema(example = "indic-v1")]
    pub normalizer: String,
}

/// Who reviewed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = ReviewerView)]
pub struct Reviewer {
    /// The key.
    pub key_id: KeyId,
    /// The name given at sign-in; null for one who used the API.
    pub name: Option<String>,
}

/// What one reviewer says of a result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = ReviewView)]
pub struct Review {
    /// Who.
    pub reviewer: Reviewer,
    /// Whether it is the caller's own, the one that PATCH changes.
    pub mine: bool,
    /// Verdict; null where there is a remark only.
    pub verdict: Option<Verdict>,
    /// How it counts for the majority; null: not at all.
    pub is_correct: Option<bool>,
    /// Why.
    pub reasons: Vec<Reason>,
    /// Remark.
    pub comment: Option<String>,
    /// A reference that would take the transcription as well, for an editor to decide on;
    /// null: none is proposed.
    pub proposed_reference: Option<String>,
    /// How much of the recording was played before, in percent; null: not known.
    pub listened: Option<u8>,
    /// Whether the reviewer did not know which model it was.
    pub blind: bool,
    /// The order in which the result was met; null: not told.
    pub queue: Option<Queue>,
    /// When it was given or last changed.
    pub reviewed_at: Timestamp,
}
