//! Scores, of one result and of a whole run.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use stt_eval_scoring::Flag;
pub use stt_eval_scoring::align::Op;

/// Operations of an alignment.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = CountsView)]
pub struct Counts {
    /// Tokens that are right.
    pub hits: u64,
    /// Tokens replaced.
    pub substitutions: u64,
    /// Tokens missing.
    pub deletions: u64,
    /// Tokens added.
    pub insertions: u64,
}

/// Score of a transcription. Rates are fractions of 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = ScoreView)]
pub struct Score {
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
    pub characters: Counts,
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
    pub flags: Vec<Flag>,
}

/// One step of a word alignment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = AlignedWordView)]
pub struct AlignedWord {
    /// `equal`, `substitute`, `delete`, `insert`, or `unclear` for a word that
    /// falls on a `<*>` of the reference.
    #[schema(value_type = String, example = "substitute")]
    pub op: Op,
    /// The reference word; null for an insertion.
    pub reference: Option<Word>,
    /// The transcribed word; null for a deletion.
    pub hypothesis: Option<Word>,
}

/// A word and where it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = WordView)]
pub struct Word {
    /// The word after normalisation.
    pub text: String,
    /// First byte in the original text.
    pub start: usize,
    /// Byte after the last in the original text.
    pub end: usize,
}

/// Figures over a set of samples: pooled (errors over reference tokens) unless
/// said otherwise; rates are fractions of 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = FiguresView)]
pub struct Figures {
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

/// Failed samples with a reference, by whose failure it is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = FailuresView)]
pub struct Failures {
    /// The model's (blocked, empty, stopped at its limit, malformed): they count
    /// as all words missing. Null for a run with failures from before they were
    /// told apart: there, all count so, and its report tells them apart.
    pub failed_by_model: Option<u64>,
    /// The service's or ours (lost, quota, time-out, unreadable audio …): left
    /// out of the score. `POST /runs/{id}/retry` asks for them again.
    pub failed_by_service: Option<u64>,
}

/// What one model achieved in a run so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = ProviderScore)]
pub struct ModelScore {
    /// The headline: over the items that the model had its chance at. Its own
    /// failures count as all words missing.
    #[serde(flatten)]
    pub all: Figures,
    /// The same over the items that were transcribed.
    pub answered: Figures,
    /// Share of samples with a reference that were transcribed. Below 1, look at
    /// whose failures the others are.
    pub coverage: Option<f64>,
    /// Whose they are.
    #[serde(flatten)]
    pub failures: Failures,
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
    pub flags: BTreeMap<Flag, u64>,
    /// Cost so far in US dollars.
    pub cost_usd: f64,
    /// Exact models that answered.
    pub model_versions: Vec<String>,
}
