//! Results and feedback.

use stt_eval_shared::crypto::sha256_hex;
use stt_eval_shared::domain::dataset::Sample;
use stt_eval_shared::domain::result::{Outcome, ResultStatus};
use stt_eval_shared::domain::review::{Opinion, Review, Reviewer};
use stt_eval_shared::domain::run::Run;
use stt_eval_shared::domain::{ResultId, SampleId};
use stt_eval_shared::scoring::align_words;
use stt_eval_shared::scoring::normalise::Normaliser;
use stt_eval_shared::wire;
use stt_eval_shared::wire::results::Result;
use stt_eval_shared::wire::scored::aligned_word;
use stt_eval_shared::wire::scores::AlignedWord;

use super::Signed;
use super::scores::{score, usd};

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

/// Words of reference and transcription side by side, where there is a score.
#[must_use]
pub fn alignment(outcome: &Outcome) -> Option<Vec<AlignedWord>> {
    let reference = outcome.ground_truth.as_deref()?;
    let hypothesis = outcome.transcription.as_deref()?;
    if reference.len() + hypothesis.len() > MAX_ALIGNED_BYTES {
        return None;
    }
    let score = outcome.score.as_ref()?;
    let normaliser = Normaliser::by_name(&score.normaliser)?;
    match align_words(reference, hypothesis, &outcome.language, &normaliser) {
        Ok(words) => Some(words.into_iter().map(aligned_word).collect()),
        Err(error) => {
            tracing::warn!(result_id = %outcome.id, %error, "a result could not be aligned");
            None
        }
    }
}

fn model(run: &Run, id: ResultId) -> String {
    run.models
        .get(usize::from(id.model()))
        .map(|p| p.model.clone())
        .unwrap_or_default()
}

/// An item with an outcome.
#[must_use]
pub fn done(
    run: &Run,
    outcome: Outcome,
    review: Option<Review>,
    with_alignment: bool,
    signed_url: Signed,
) -> Result {
    let id = outcome.id;
    let changed = review
        .as_ref()
        .map_or(outcome.inserted_at, |r| r.reviewed_at);
    Result {
        id,
        sample_id: SampleId::new(run.dataset, id.position()),
        file_id: outcome.file_id,
        provider: model(run, id),
        status: outcome.status(),
        etag: etag(id, Some(&outcome), review.as_ref()),
        alignment: with_alignment.then(|| alignment(&outcome)),
        word_times: Some(outcome.word_times.as_slice())
            .filter(|times| with_alignment && !times.is_empty())
            .map(<[_]>::to_vec),
        score: outcome.score.as_ref().map(score),
        ground_truth: outcome.ground_truth,
        reference_version: outcome.reference_version,
        language: outcome.language,
        transcription: outcome.transcription,
        is_correct: review.as_ref().and_then(|r| r.is_correct),
        reviews: review.as_ref().map_or(0, |r| r.opinions().len() as u64),
        reviewed_by: review.as_ref().map(|r| r.reviewed_by),
        reviewed_at: review.as_ref().map(|r| r.reviewed_at),
        comment: review.and_then(|r| r.comment),
        retryable: outcome.error_code.is_some().then_some(outcome.retryable),
        error_code: outcome.error_code,
        error_message: outcome.error_message,
        attempts: Some(outcome.attempts),
        model_version: outcome.model_version,
        usage: Some(outcome.usage),
        cost_usd: Some(usd(outcome.cost_micro_usd)),
        latency_ms: outcome.latency_ms,
        signed_url,
        inserted_at: outcome.inserted_at,
        updated_at: changed.max(outcome.inserted_at),
    }
}

/// An item without one.
#[must_use]
pub fn pending(
    run: &Run,
    id: ResultId,
    sample: &Sample,
    with_alignment: bool,
    signed_url: Signed,
) -> Result {
    Result {
        id,
        sample_id: sample.id,
        file_id: sample.file_id,
        provider: model(run, id),
        status: ResultStatus::Pending,
        ground_truth: sample.ground_truth.clone(),
        reference_version: sample.reference_version,
        language: sample.language.clone(),
        transcription: None,
        score: None,
        alignment: with_alignment.then_some(None),
        word_times: None,
        is_correct: None,
        comment: None,
        reviews: 0,
        reviewed_by: None,
        reviewed_at: None,
        error_code: None,
        error_message: None,
        retryable: None,
        attempts: None,
        model_version: None,
        usage: None,
        cost_usd: None,
        latency_ms: None,
        etag: etag(id, None, None),
        signed_url,
        inserted_at: run.inserted_at,
        updated_at: run.inserted_at,
    }
}

/// What one reviewer says, as `caller` sees it.
#[must_use]
pub fn review(opinion: Opinion, caller: &Reviewer) -> wire::results::Review {
    wire::results::Review {
        mine: opinion.reviewer == *caller,
        verdict: opinion.verdict,
        is_correct: opinion.vote(),
        reasons: opinion.reasons,
        comment: opinion.comment,
        proposed_reference: opinion.proposed,
        listened: opinion.listened,
        blind: opinion.blind,
        queue: opinion.queue,
        reviewed_at: opinion.at,
        reviewer: wire::results::Reviewer {
            key_id: opinion.reviewer.key,
            name: opinion.reviewer.name,
        },
    }
}

/// About how many bytes a result takes in an answer.
#[must_use]
pub fn weight(result: &Result) -> usize {
    let texts = [&result.ground_truth, &result.transcription, &result.comment];
    let texts: usize = texts.into_iter().flatten().map(String::len).sum();
    let words = result
        .alignment
        .iter()
        .flatten()
        .map(Vec::len)
        .sum::<usize>();
    let copies = if words > 0 { 2 } else { 1 };
    let times = result.word_times.as_ref().map_or(0, Vec::len);
    2_000 + texts * copies + words * 160 + times * 36
}
