//! Scores, of one result and of a whole run.

use stt_eval_shared::domain::run::RunModel;
use stt_eval_shared::scoring::{self, CorpusFigures, CorpusSums, SampleScore, SpannedWord};
use stt_eval_shared::wire::scores::{
    AlignedWord, Counts, Failures, Figures, ModelScore, Score, Word,
};

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

fn word(word: SpannedWord) -> Word {
    Word {
        text: word.text,
        start: word.start,
        end: word.end,
    }
}

/// One step of a word alignment.
#[must_use]
pub fn aligned_word(aligned: scoring::AlignedWord) -> AlignedWord {
    AlignedWord {
        op: aligned.op,
        reference: aligned.reference.map(word),
        hypothesis: aligned.hypothesis.map(word),
    }
}

/// Figures over a set of samples.
#[must_use]
pub fn figures(figures: &CorpusFigures) -> Figures {
    let words = figures.counts.words;
    Figures {
        samples: figures.samples,
        wer: figures.wer,
        cer: figures.cer,
        mer: figures.mer,
        wil: figures.wil,
        wip: figures.wip,
        cer_grapheme: figures.cer_grapheme,
        raw_wer: figures.raw_wer,
        raw_cer: figures.raw_cer,
        mean_wer: figures.mean_wer,
        median_wer: figures.median_wer,
        perfect_share: figures.perfect_share,
        hits: words.hits,
        substitutions: words.substitutions,
        deletions: words.deletions,
        insertions: words.insertions,
    }
}

/// Whose the failures in sums over samples are.
#[must_use]
pub fn failures(sums: &CorpusSums) -> Failures {
    let summary = sums.summary();
    let known = |count: u64| sums.failures_told_apart().then_some(count);
    Failures {
        failed_by_model: known(summary.failed),
        failed_by_service: known(summary.left_out),
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
