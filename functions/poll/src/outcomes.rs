//! From what a provider answered to outcomes with their scores, and to what
//! they add to their run. Nothing is asked or written here.

use std::collections::HashMap;

use stt_eval_shared::domain::dataset::Sample;
use stt_eval_shared::domain::result::{Outcome, ResultStatus};
use stt_eval_shared::domain::run::{Run, Tally};
use stt_eval_shared::domain::unit::Unit;
use stt_eval_shared::domain::{ResultId, RunId, Timestamp};
use stt_eval_shared::providers::{ItemOutcome, Usage, catalogue};
use stt_eval_shared::scoring::normalise::Normaliser;
use stt_eval_shared::scoring::{SampleScore, score};

use super::Failure;

/// Most bytes of transcription and reference in one outcome: DynamoDB takes
/// items of 400 KB, and the rest of an outcome is small.
const MAX_TEXT_BYTES: usize = 380_000;

/// Why an item without a line failed.
pub(crate) struct Failed {
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) retryable: bool,
}

impl Failed {
    pub(crate) fn missing() -> Self {
        Self {
            code: "provider_missing".into(),
            message: "the provider's output has no line for this item".into(),
            retryable: true,
        }
    }

    pub(crate) fn gone() -> Self {
        Self {
            code: "provider_lost".into(),
            message: "the provider no longer has the output".into(),
            retryable: true,
        }
    }
}

pub(crate) struct Outcomes {
    pub(crate) outcomes: Vec<Outcome>,
    pub(crate) tally: Tally,
}

/// Scores the items of a unit.
pub(crate) struct Scoring<'a> {
    unit: &'a Unit,
    /// `None` when this release does not offer it any more.
    model: Option<&'static catalogue::Model>,
    normaliser: Normaliser,
    /// Number of the run's scoring that counts.
    scoring: u16,
    now: Timestamp,
}

impl<'a> Scoring<'a> {
    pub(crate) fn new(run: &Run, unit: &'a Unit) -> Result<Self, Failure> {
        let provider = run.providers.get(usize::from(unit.key.provider));
        let model = provider.and_then(|provider| catalogue::find(&provider.model));
        Ok(Self {
            unit,
            model,
            normaliser: Normaliser::by_name(run.current_normalizer())
                .ok_or(Failure::Setup("a run's normaliser is unknown here"))?,
            scoring: run.scorings.current,
            now: Timestamp::now(),
        })
    }

    pub(crate) fn outcomes(
        &self,
        samples: &[Sample],
        mut items: HashMap<ResultId, ItemOutcome>,
        reason: &Failed,
    ) -> Outcomes {
        let mut all = Outcomes {
            outcomes: Vec::with_capacity(samples.len()),
            tally: Tally::default(),
        };
        for sample in samples {
            let item = self.item(sample, &mut items, reason);
            let (outcome, score) = self.outcome(sample, item, self.now);
            add(&mut all.tally, &outcome, score.as_ref());
            all.outcomes.push(outcome);
        }
        // A sample that is gone still was an item of the run.
        let gone = self.unit.len().saturating_sub(samples.len());
        all.tally.failed += u32::try_from(gone).unwrap_or(u32::MAX);
        all
    }

    /// What became of an item: its line, or why it has none.
    pub(crate) fn item(
        &self,
        sample: &Sample,
        items: &mut HashMap<ResultId, ItemOutcome>,
        reason: &Failed,
    ) -> ItemOutcome {
        let position = sample.id.position();
        let id = ResultId::new(self.unit.run, self.unit.key.provider, position);
        let unsent = || self.unit.unsent.iter().find(|u| u.position == position);
        items.remove(&id).unwrap_or_else(|| match unsent() {
            Some(item) => failed(&item.code, &item.message, item.retryable),
            None => failed(&reason.code, &reason.message, reason.retryable),
        })
    }

    /// The outcome of an item that was collected at a time, and its score; of a
    /// failed one the score says how large its reference is.
    pub(crate) fn outcome(
        &self,
        sample: &Sample,
        item: ItemOutcome,
        at: Timestamp,
    ) -> (Outcome, Option<SampleScore>) {
        let (text, usage, model_version, error) = match bounded(item, sample) {
            ItemOutcome::Transcribed {
                text,
                model_version,
                usage,
            } => (Some(text), usage, model_version, None),
            ItemOutcome::Failed {
                code,
                message,
                retryable,
                usage,
                model_version,
            } => (None, usage, model_version, Some((code, message, retryable))),
        };
        let date = time::OffsetDateTime::from(at).date();
        // Nobody knows the price of a model that is not offered any more.
        let cost = self.model.map_or(0.0, |model| model.cost_usd(&usage, date));
        let hypothesis = text.as_deref().unwrap_or_default();
        let score = score_sample(self.unit.run, sample, hypothesis, &self.normaliser);
        let (error_code, error_message, retryable) = match error {
            Some((code, message, retryable)) => (Some(code), Some(message), retryable),
            None => (None, None, false),
        };
        let position = sample.id.position();
        let outcome = Outcome {
            id: ResultId::new(self.unit.run, self.unit.key.provider, position),
            round: self.unit.key.round,
            file_id: sample.file_id,
            ground_truth: sample.ground_truth.clone(),
            reference_version: sample.reference_version,
            language: sample.language.clone(),
            score: score.clone().filter(|_| text.is_some()),
            transcription: text,
            error_code,
            error_message,
            scoring: self.scoring,
            retryable,
            model_version,
            usage,
            cost_micro_usd: (cost * 1e6).round() as u64,
            inserted_at: at,
        };
        (outcome, score)
    }
}

/// Adds an outcome to what its run counts.
pub(crate) fn add(tally: &mut Tally, outcome: &Outcome, score: Option<&SampleScore>) {
    match outcome.status() {
        ResultStatus::Completed => {
            tally.completed += 1;
            if let Some(score) = score {
                tally.sums.add(score);
            }
        }
        ResultStatus::Failed | ResultStatus::Pending => {
            tally.failed += 1;
            if let Some(score) = score {
                tally.sums.add_failure(&score.reference_size());
            }
        }
    }
    add_cost(tally, outcome);
}

/// Adds what an outcome cost, and who answered.
pub(crate) fn add_cost(tally: &mut Tally, outcome: &Outcome) {
    tally.cost_micro_usd += outcome.cost_micro_usd;
    if let Some(version) = &outcome.model_version
        && !tally.model_versions.contains(version)
    {
        tally.model_versions.push(version.clone());
    }
}

/// Scores a transcription. `None` without a reference, or when the pair is
/// beyond scoring.
pub(crate) fn score_sample(
    run: RunId,
    sample: &Sample,
    hypothesis: &str,
    normaliser: &Normaliser,
) -> Option<SampleScore> {
    let reference = sample.ground_truth.as_deref()?;
    let duration = Some(sample.duration_seconds);
    match score(
        reference,
        hypothesis,
        &sample.language,
        normaliser,
        duration,
    ) {
        Ok(score) => Some(score),
        Err(error) => {
            tracing::warn!(sample_id = %sample.id, run_id = %run, %error, "a transcription was not scored");
            None
        }
    }
}

/// A transcription that can't be kept beside its reference fails: hours of
/// speech, or a model that repeats itself. The raw output stays in the bucket.
fn bounded(item: ItemOutcome, sample: &Sample) -> ItemOutcome {
    bounded_beside(item, sample.ground_truth.as_ref().map_or(0, String::len))
}

/// The same beside a reference of so many bytes.
pub(crate) fn bounded_beside(item: ItemOutcome, reference: usize) -> ItemOutcome {
    match item {
        ItemOutcome::Transcribed {
            text,
            model_version,
            usage,
        } if text.len() + reference > MAX_TEXT_BYTES => ItemOutcome::Failed {
            code: "output_too_long".into(),
            message: format!(
                "the transcription has {} bytes; with its reference that is more than the \
                     {MAX_TEXT_BYTES} that can be kept",
                text.len()
            ),
            retryable: false,
            usage,
            model_version,
        },
        kept => kept,
    }
}

fn failed(code: &str, message: &str, retryable: bool) -> ItemOutcome {
    ItemOutcome::Failed {
        code: code.to_owned(),
        message: message.to_owned(),
        retryable,
        usage: Usage::default(),
        model_version: None,
    }
}
