//! Scores, of one result and of a whole run.

use stt_eval_shared::domain::run::RunModel;
use stt_eval_shared::scoring::{self, SampleScore};
use stt_eval_shared::wire::scored::{failures, figures};
use stt_eval_shared::wire::scores::{Counts, ModelScore, Score};

/// Operations of an alignment.
#[must_use]
pub fn counts(counts: scoring::Counts) -> Counts {
    let scoring::Counts {
        hits,
        substitutions,
        deletions,
        insertions,
    } = counts;
    Counts {
        hits,
        substitutions,
        deletions,
        insertions,
    }
}

/// Score of a transcription.
#[must_use]
pub fn score(score: &SampleScore) -> Score {
    Score {
        wer: score.wer,
        cer: score.cer,
        mer: score.mer,
        wil: score.wil,
        wip: score.wip,
        hits: score.hits,
        substitutions: score.substitutions,
        deletions: score.deletions,
        insertions: score.insertions,
        reference_words: score.reference_words,
        hypothesis_words: score.hypothesis_words,
        characters: counts(score.chars()),
        cer_grapheme: score.cer_grapheme,
        raw_wer: score.raw_wer,
        raw_cer: score.raw_cer,
        normalizer: score.normaliser.clone(),
        scorer_version: score.scorer_version.clone(),
        flags: score.flags.clone(),
    }
}

/// Micro-dollars as dollars.
#[must_use]
pub fn usd(micro: u64) -> f64 {
    micro as f64 / 1e6
}

/// The score of a model; `None` while nothing is scored.
#[must_use]
pub fn model_score(model: &RunModel) -> Option<ModelScore> {
    if model.sums.samples() == 0 {
        return None;
    }
    let summary = model.sums.summary();
    Some(ModelScore {
        all: figures(&summary.all),
        answered: figures(&summary.answered),
        coverage: summary.coverage,
        failures: failures(&model.sums),
        completed: model.completed,
        failed: model.failed,
        correct: model.correct,
        incorrect: model.incorrect,
        flags: summary.flags,
        cost_usd: usd(model.cost_micro_usd),
        model_versions: model.model_versions.clone(),
    })
}
