//! Results and feedback.

use serde::{Deserialize, Serialize};
use stt_eval_shared::access::sha256_hex;
use stt_eval_shared::domain::dataset::Sample;
use stt_eval_shared::domain::result::{Outcome, ResultStatus, Review};
use stt_eval_shared::domain::run::Run;
use stt_eval_shared::domain::{FileId, KeyId, ResultId, SampleId, Timestamp};
use stt_eval_shared::providers::Usage;
use stt_eval_shared::scoring::align_words;
use stt_eval_shared::scoring::normalise::Normaliser;
use utoipa::ToSchema;

use super::Signed;
use super::scores::{AlignedWordView, ScoreView, usd};
use crate::json::nullable;

/// What one model made of one sample.
#[derive(Debug, Serialize, ToSchema)]
pub struct ResultView {
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
    pub score: Option<ScoreView>,
    /// Words side by side, with `include_alignment=true`; null where there is
    /// no score, or the texts are longer than 100 kB together.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<AlignedWordView>>)]
    pub alignment: Option<Option<Vec<AlignedWordView>>>,
    /// Judgement of a reviewer.
    pub is_correct: Option<bool>,
    /// Remark of a reviewer.
    pub comment: Option<String>,
    /// Key of the reviewer.
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
    /// Exact model that answered.
    pub model_version: Option<String>,
    /// Tokens used.
    pub usage: Option<Usage>,
    /// Cost in US dollars.
    pub cost_usd: Option<f64>,
    /// Changes with every change; for `If-Match`.
    pub etag: String,
    /// Playback URL, with `include_signed_url=true`; works for 15 minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub signed_url: Signed,
    /// When it came in; of a pending item, when the run was accepted.
    pub inserted_at: Timestamp,
    /// When it or its feedback last changed.
    pub updated_at: Timestamp,
}

/// Feedback on a result; at least one of the two. `null` clears.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResultPatch {
    /// Judgement.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<bool>)]
    pub is_correct: Option<Option<bool>>,
    /// Remark; at most 5,000 characters.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>, max_length = 5000)]
    pub comment: Option<Option<String>>,
}

/// The tag of a result in a state.
#[must_use]
pub fn etag(id: ResultId, outcome: Option<&Outcome>, review: Option<&Review>) -> String {
    let outcome = outcome.map(|outcome| {
        let scored = outcome
            .score
            .as_ref()
            .map(|score| (&score.normaliser, &score.scorer_version));
        format!(
            "{}.{}.{}.{scored:?}",
            outcome.round, outcome.inserted_at, outcome.reference_version
        )
    });
    let text = format!(
        "etag/1 {id} {outcome:?} {:?}",
        review.map(|review| review.rev)
    );
    let mut tag = sha256_hex(text.as_bytes());
    tag.truncate(16);
    tag
}

/// Longest texts that are shown side by side, in bytes: a word takes some
/// twenty times its length then.
const MAX_ALIGNED_BYTES: usize = 100_000;

fn alignment(outcome: &Outcome) -> Option<Vec<AlignedWordView>> {
    let reference = outcome.ground_truth.as_deref()?;
    let hypothesis = outcome.transcription.as_deref()?;
    if reference.len() + hypothesis.len() > MAX_ALIGNED_BYTES {
        return None;
    }
    let score = outcome.score.as_ref()?;
    let normaliser = Normaliser::by_name(&score.normaliser)?;
    match align_words(reference, hypothesis, &outcome.language, &normaliser) {
        Ok(words) => Some(words.into_iter().map(Into::into).collect()),
        Err(error) => {
            tracing::warn!(result_id = %outcome.id, %error, "a result could not be aligned");
            None
        }
    }
}

fn provider(run: &Run, id: ResultId) -> String {
    run.providers
        .get(usize::from(id.provider()))
        .map(|p| p.model.clone())
        .unwrap_or_default()
}

impl ResultView {
    /// An item with an outcome.
    #[must_use]
    pub fn done(
        run: &Run,
        outcome: Outcome,
        review: Option<Review>,
        with_alignment: bool,
        signed_url: Signed,
    ) -> Self {
        let id = outcome.id;
        let changed = review
            .as_ref()
            .map_or(outcome.inserted_at, |r| r.reviewed_at);
        Self {
            id,
            sample_id: SampleId::new(run.dataset, id.position()),
            file_id: outcome.file_id,
            provider: provider(run, id),
            status: outcome.status(),
            etag: etag(id, Some(&outcome), review.as_ref()),
            alignment: with_alignment.then(|| alignment(&outcome)),
            score: outcome.score.as_ref().map(Into::into),
            ground_truth: outcome.ground_truth,
            reference_version: outcome.reference_version,
            language: outcome.language,
            transcription: outcome.transcription,
            is_correct: review.as_ref().and_then(|r| r.is_correct),
            reviewed_by: review.as_ref().map(|r| r.reviewed_by),
            reviewed_at: review.as_ref().map(|r| r.reviewed_at),
            comment: review.and_then(|r| r.comment),
            retryable: outcome.error_code.is_some().then_some(outcome.retryable),
            error_code: outcome.error_code,
            error_message: outcome.error_message,
            model_version: outcome.model_version,
            usage: Some(outcome.usage),
            cost_usd: Some(usd(outcome.cost_micro_usd)),
            signed_url,
            inserted_at: outcome.inserted_at,
            updated_at: changed.max(outcome.inserted_at),
        }
    }

    /// About how many bytes it takes in an answer.
    #[must_use]
    pub fn weight(&self) -> usize {
        let texts = [&self.ground_truth, &self.transcription, &self.comment];
        let texts: usize = texts.into_iter().flatten().map(String::len).sum();
        let words = self.alignment.iter().flatten().map(Vec::len).sum::<usize>();
        let copies = if words > 0 { 2 } else { 1 };
        2_000 + texts * copies + words * 160
    }

    /// An item without one.
    #[must_use]
    pub fn pending(
        run: &Run,
        id: ResultId,
        sample: &Sample,
        with_alignment: bool,
        signed_url: Signed,
    ) -> Self {
        Self {
            id,
            sample_id: sample.id,
            file_id: sample.file_id,
            provider: provider(run, id),
            status: ResultStatus::Pending,
            ground_truth: sample.ground_truth.clone(),
            reference_version: sample.reference_version,
            language: sample.language.clone(),
            transcription: None,
            score: None,
            alignment: with_alignment.then_some(None),
            is_correct: None,
            comment: None,
            reviewed_by: None,
            reviewed_at: None,
            error_code: None,
            error_message: None,
            retryable: None,
            model_version: None,
            usage: None,
            cost_usd: None,
            etag: etag(id, None, None),
            signed_url,
            inserted_at: run.inserted_at,
            updated_at: run.inserted_at,
        }
    }
}
