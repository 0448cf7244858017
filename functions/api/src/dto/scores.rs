//! Scores, of one result and of a whole run.

use std::collections::BTreeMap;

use serde::Serialize;
use stt_eval_shared::domain::run::ProviderRun;
use stt_eval_shared::scoring::{
    AlignedWord, CorpusFigures, Counts, SampleScore, SpannedWord, align,
};
use utoipa::ToSchema;

/// Operations of an alignment.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct CountsView {
    /// Tokens that are right.
    pub hits: u64,
    /// Tokens replaced.
    pub substitutions: u64,
    /// Tokens missing.
    pub deletions: u64,
    /// Tokens added.
    pub insertions: u64,
}

impl From<Counts> for CountsView {
    fn from(counts: Counts) -> Self {
        let Counts {
            hits,
            substitutions,
            deletions,
            insertions,
        } = counts;
        Self {
            hits,
            substitutions,
            deletions,
            insertions,
        }
    }
}

/// Score of a transcription. Rates are fractions of 1.
#[derive(Debug, Serialize, ToSchema)]
pub struct ScoreView {
    /// Word error rate; the number of words where the reference is empty.
    pub wer: f64,
    /// Character error rate over code points.
    pub cer: f64,
    /// Match error rate over words.
    pub mer: f64,
    /// Word information lost.
    pub wil: f64,
    /// Word information preserved.
    pub wip: f64,
    /// Words that are right.
    pub hits: u64,
    /// Words replaced.
    pub substitutions: u64,
    /// Words missing.
    pub deletions: u64,
    /// Words added.
    pub insertions: u64,
    /// Words of the reference.
    pub reference_words: u64,
    /// Words of the transcription.
    pub hypothesis_words: u64,
    /// Counts behind `cer`.
    pub characters: CountsView,
    /// Character error rate over grapheme clusters.
    pub cer_grapheme: f64,
    /// Word error rate of the untouched texts.
    pub raw_wer: f64,
    /// Character error rate of the untouched texts.
    pub raw_cer: f64,
    /// The normaliser that the texts went through.
    #[schema(example = "indic-v1")]
    pub normalizer: String,
    /// Version of the scorer.
    pub scorer_version: String,
    /// What is suspicious about the transcription.
    #[schema(value_type = Vec<String>)]
    pub flags: Vec<stt_eval_shared::scoring::Flag>,
}

impl From<&SampleScore> for ScoreView {
    fn from(score: &SampleScore) -> Self {
        Self {
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
            characters: score.chars().into(),
            cer_grapheme: score.cer_grapheme,
            raw_wer: score.raw_wer,
            raw_cer: score.raw_cer,
            normalizer: score.normaliser.clone(),
            scorer_version: score.scorer_version.clone(),
            flags: score.flags.clone(),
        }
    }
}

/// One step of a word alignment.
#[derive(Debug, Serialize, ToSchema)]
pub struct AlignedWordView {
    /// `equal`, `substitute`, `delete`, `insert`, or `unclear` for a word that
    /// falls on a `<*>` of the reference.
    #[schema(value_type = String, example = "substitute")]
    pub op: align::Op,
    /// The reference word; null for an insertion.
    pub reference: Option<WordView>,
    /// The transcribed word; null for a deletion.
    pub hypothesis: Option<WordView>,
}

/// A word and where it stands.
#[derive(Debug, Serialize, ToSchema)]
pub struct WordView {
    /// The word after normalisation.
    pub text: String,
    /// First byte in the original text.
    pub start: usize,
    /// Byte after the last in the original text.
    pub end: usize,
}

impl From<SpannedWord> for WordView {
    fn from(word: SpannedWord) -> Self {
        Self {
            text: word.text,
            start: word.start,
            end: word.end,
        }
    }
}

impl From<AlignedWord> for AlignedWordView {
    fn from(word: AlignedWord) -> Self {
        Self {
            op: word.op,
            reference: word.reference.map(Into::into),
            hypothesis: word.hypothesis.map(Into::into),
        }
    }
}

/// Figures over a set of samples: pooled (errors over reference tokens) unless
/// said otherwise; rates are fractions of 1.
#[derive(Debug, Serialize, ToSchema)]
pub struct FiguresView {
    /// Samples with a reference that these figures are of.
    pub samples: u64,
    /// Word error rate.
    pub wer: f64,
    /// Character error rate over code points.
    pub cer: f64,
    /// Match error rate.
    pub mer: f64,
    /// Word information lost.
    pub wil: f64,
    /// Word information preserved.
    pub wip: f64,
    /// Character error rate over grapheme clusters.
    pub cer_grapheme: f64,
    /// Word error rate of the untouched texts.
    pub raw_wer: f64,
    /// Character error rate of the untouched texts.
    pub raw_cer: f64,
    /// Mean of the samples' WER.
    pub mean_wer: Option<f64>,
    /// Median of the same, to 0.001.
    pub median_wer: Option<f64>,
    /// Share of samples with every word right.
    pub perfect_share: Option<f64>,
    /// Words that are right.
    pub hits: u64,
    /// Words replaced.
    pub substitutions: u64,
    /// Words missing.
    pub deletions: u64,
    /// Words added.
    pub insertions: u64,
}

impl From<&CorpusFigures> for FiguresView {
    fn from(figures: &CorpusFigures) -> Self {
        let words = figures.counts.words;
        Self {
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
}

/// What one model achieved in a run so far.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProviderScore {
    /// The headline: failed items count as all words missing.
    #[serde(flatten)]
    pub all: FiguresView,
    /// The same over the items that were transcribed.
    pub answered: FiguresView,
    /// Share of scored samples that were transcribed.
    pub coverage: Option<f64>,
    /// Items with a transcription, scored or not.
    pub completed: u32,
    /// Items without one.
    pub failed: u32,
    /// Transcriptions that reviewers judged right.
    pub correct: u32,
    /// Transcriptions that reviewers judged wrong.
    pub incorrect: u32,
    /// Flag → transcriptions that carry it.
    #[schema(value_type = BTreeMap<String, u64>)]
    pub flags: BTreeMap<stt_eval_shared::scoring::Flag, u64>,
    /// Cost so far in US dollars.
    pub cost_usd: f64,
    /// Exact models that answered.
    pub model_versions: Vec<String>,
}

/// Micro-dollars as dollars.
#[must_use]
pub fn usd(micro: u64) -> f64 {
    micro as f64 / 1e6
}

impl ProviderScore {
    /// The score of a model; `None` while nothing is scored.
    #[must_use]
    pub fn new(provider: &ProviderRun) -> Option<Self> {
        if provider.sums.samples() == 0 {
            return None;
        }
        let summary = provider.sums.summary();
        Some(Self {
            all: (&summary.all).into(),
            answered: (&summary.answered).into(),
            coverage: summary.coverage,
            completed: provider.completed,
            failed: provider.failed,
            correct: provider.correct,
            incorrect: provider.incorrect,
            flags: summary.flags,
            cost_usd: usd(provider.cost_micro_usd),
            model_versions: provider.model_versions.clone(),
        })
    }
}
