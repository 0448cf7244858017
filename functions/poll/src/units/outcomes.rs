//! From what a provider answered to outcomes with their scores, and to what
//! they add to their run. Nothing is asked or written here.

use std::collections::HashMap;

use stt_eval_shared::App;
use stt_eval_shared::domain::dataset::Sample;
use stt_eval_shared::domain::failure::FailureCode;
use stt_eval_shared::domain::result::{MAX_TEXT_BYTES, Outcome};
use stt_eval_shared::domain::run::{Run, Tally};
use stt_eval_shared::domain::unit::{Unit, UnitKind};
use stt_eval_shared::domain::word_times::WordTimes;
use stt_eval_shared::domain::{ResultId, RunId, Timestamp};
use stt_eval_shared::providers::price::Currency;
use stt_eval_shared::providers::{ItemOutcome, Measured, Offered, Usage};
use stt_eval_shared::scoring::normalise::Normaliser;
use stt_eval_shared::scoring::{SampleScore, score};

use crate::failure::Failure;

/// What the line of an item says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ItemLine {
    pub(crate) outcome: ItemOutcome,
    pub(crate) measured: Measured,
}

/// What became of an item, and how that is known.
pub(crate) struct ItemFate {
    outcome: ItemOutcome,
    measured: Measured,
    /// It failed for a reason that may pass.
    passing: bool,
}

/// Why an item without a line failed.
pub(crate) struct NoLine {
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) retryable: bool,
}

impl NoLine {
    /// What landed has no line for it.
    pub(crate) fn missing(unit: &Unit) -> Self {
        Self::of(match unit.kind {
            UnitKind::Imported => FailureCode::MissingTranscript,
            UnitKind::Job | UnitKind::Calls => FailureCode::ProviderMissing,
        })
    }

    fn of(code: FailureCode) -> Self {
        Self {
            code: code.into(),
            message: code.message().into(),
            retryable: code.is_retryable(),
        }
    }

    pub(crate) fn gone() -> Self {
        Self::of(FailureCode::ProviderLost)
    }
}

pub(crate) struct Outcomes {
    pub(crate) outcomes: Vec<Outcome>,
    pub(crate) tally: Tally,
}

/// Scores the items of a unit.
pub(crate) struct UnitScorer<'a> {
    unit: &'a Unit,
    /// `None` when this release does not offer it any more.
    model: Option<Offered>,
    normaliser: Normaliser,
    /// Number of the run's scoring that counts.
    scoring: u16,
    now: Timestamp,
}

impl<'a> UnitScorer<'a> {
    pub(crate) fn new(app: &App, run: &Run, unit: &'a Unit) -> Result<Self, Failure> {
        let run_model = run.models.get(usize::from(unit.key.model));
        let model = run_model.and_then(|of_run| app.model_of(of_run));
        Ok(Self {
            unit,
            model,
            normaliser: Normaliser::by_name(run.current_normalizer())
                .ok_or(Failure::Setup("a run's normaliser is unknown here"))?,
            scoring: run.scorings.current,
            now: Timestamp::now(),
        })
    }

    /// Whether costs of the model go by a rate of currencies, for what was collected at a
    /// time.
    pub(crate) fn is_priced_by_rate(&self, at: Timestamp) -> bool {
        let date = time::OffsetDateTime::from(at).date();
        let model = self.model.as_ref();
        let price = model.and_then(|offered| offered.model().price(date).copied());
        price.is_some_and(|price| price.currency != Currency::UsDollar)
    }

    pub(crate) fn outcomes(
        &self,
        samples: &[Sample],
        mut items: HashMap<ResultId, ItemLine>,
        reason: &NoLine,
    ) -> Outcomes {
        let mut all = Outcomes {
            outcomes: Vec::with_capacity(samples.len()),
            tally: Tally::default(),
        };
        for sample in samples {
            let item = self.item(sample, &mut items, reason);
            let (outcome, score) = self.outcome(sample, item, self.now);
            all.tally.add(&outcome, score.as_ref());
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
        items: &mut HashMap<ResultId, ItemLine>,
        reason: &NoLine,
    ) -> ItemFate {
        let position = sample.id.position();
        let id = ResultId::new(self.unit.run, self.unit.key.model, position);
        let unsent = || self.unit.unsent.iter().find(|u| u.position == position);
        match items.remove(&id) {
            Some(ItemLine { outcome, measured }) => ItemFate {
                passing: self.may_pass(&outcome),
                outcome,
                measured,
            },
            None => ItemFate {
                passing: false,
                // Nothing came back, so nothing is known to be billed: a cap that held
                // clips back is not used up by them.
                measured: Measured {
                    cost_micro_usd: Some(0),
                    ..Measured::default()
                },
                outcome: match unsent() {
                    Some(item) => failed(&item.code, &item.message, item.retryable),
                    None => failed(&reason.code, &reason.message, reason.retryable),
                },
            },
        }
    }

    /// Whether a line tells of a failure that may pass. Lines of a batch that was
    /// stopped are cancelled because of that, and nobody is asked for transcripts.
    fn may_pass(&self, outcome: &ItemOutcome) -> bool {
        self.unit.kind != UnitKind::Imported
            && matches!(outcome, ItemOutcome::Failed { code, .. }
            if FailureCode::of(code).is_some_and(FailureCode::may_pass) && !self.unit.cut_short)
    }

    /// The outcome of an item that was collected at a time, and its score; of a
    /// failed one the score says how large its reference is.
    pub(crate) fn outcome(
        &self,
        sample: &Sample,
        item: ItemFate,
        at: Timestamp,
    ) -> (Outcome, Option<SampleScore>) {
        let passing = item.passing;
        let Measured {
            latency_ms,
            cost_micro_usd,
        } = item.measured;
        let mut word_times = WordTimes::default();
        let (text, usage, model_version, error) = match bounded(item.outcome, sample) {
            ItemOutcome::Transcribed {
                text,
                word_times: told,
                model_version,
                usage,
            } => {
                word_times = told;
                (Some(text), usage, model_version, None)
            }
            ItemOutcome::Failed {
                code,
                message,
                retryable,
                usage,
                model_version,
            } => (None, usage, model_version, Some((code, message, retryable))),
        };
        let cost_micro_usd = cost_micro_usd.unwrap_or_else(|| {
            let date = time::OffsetDateTime::from(at).date();
            let seconds = sample.duration_seconds;
            // A model that is not offered any more has no price.
            let model = self.model.as_ref();
            let cost = model.map_or(0.0, |offered| {
                offered.model().cost_usd(&usage, seconds, date)
            });
            (cost * 1e6).round() as u64
        });
        let hypothesis = text.as_deref().unwrap_or_default();
        let heard_until = usage.heard_until_seconds;
        let score = score_sample(
            self.unit.run,
            sample,
            (hypothesis, heard_until),
            &self.normaliser,
        );
        let (error_code, error_message, retryable) = match error {
            Some((code, message, retryable)) => (Some(code), Some(message), retryable),
            None => (None, None, false),
        };
        let position = sample.id.position();
        let outcome = Outcome {
            id: ResultId::new(self.unit.run, self.unit.key.model, position),
            round: self.unit.key.round,
            file_id: sample.file_id,
            ground_truth: sample.ground_truth.clone(),
            reference_version: sample.reference_version,
            language: sample.language.clone(),
            score: score.clone().filter(|_| text.is_some()),
            transcription: text,
            word_times,
            error_code,
            error_message,
            scoring: self.scoring,
            retryable,
            passing,
            attempts: 1 + u8::from(self.unit.automatic),
            model_version,
            usage,
            cost_micro_usd,
            latency_ms,
            inserted_at: at,
        };
        (outcome, score)
    }
}

/// Scores a transcription, which was heard until a second of the audio where the vendor
/// tells. `None` without a reference, or when the pair is beyond scoring.
pub(crate) fn score_sample(
    run: RunId,
    sample: &Sample,
    (hypothesis, heard_until): (&str, Option<f64>),
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
        Ok(score) => Some(match heard_until {
            Some(until) => score.heard(until, sample.duration_seconds),
            None => score,
        }),
        Err(error) => {
            tracing::warn!(sample_id = %sample.id, run_id = %run, %error, "a transcription was not scored");
            None
        }
    }
}

/// A transcription that can't be kept beside its reference fails: hours of
/// speech, or a model that repeats itself. The raw output stays in the bucket. Times of
/// words are left out where there is no room for them.
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
            ..
        } if text.len() + reference > MAX_TEXT_BYTES => ItemOutcome::Failed {
            code: FailureCode::OutputTooLong.into(),
            message: format!(
                "the transcription has {} bytes; with its reference that is more than the \
                     {MAX_TEXT_BYTES} that can be kept",
                text.len()
            ),
            retryable: FailureCode::OutputTooLong.is_retryable(),
            usage,
            model_version,
        },
        // No text of ours has any, and not every format can hold it. Behind it words stand
        // elsewhere then.
        ItemOutcome::Transcribed {
            text,
            model_version,
            usage,
            ..
        } if text.contains('\0') => ItemOutcome::Transcribed {
            text: text.replace('\0', "\u{fffd}"),
            word_times: WordTimes::default(),
            model_version,
            usage,
        },
        ItemOutcome::Transcribed {
            text,
            word_times,
            model_version,
            usage,
        } if text.len() + reference + word_times.kept_bytes() > MAX_TEXT_BYTES => {
            ItemOutcome::Transcribed {
                text,
                word_times: WordTimes::default(),
                model_version,
                usage,
            }
        }
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
