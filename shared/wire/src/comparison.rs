//! How far a report's figures can be trusted, and how models compare.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How many of a model's items have a transcription, and whose failures the
/// others are; with and without a reference.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = CoverageView)]
pub struct Coverage {
    /// Transcribed, of the items with an outcome; null while there are none.
    pub share: Option<f64>,
    /// Items with a transcription.
    pub transcribed: u64,
    /// Failed by the model: they count as all words missing.
    pub failed_by_model: u64,
    /// Failed by the service or by us: left out of the score and of
    /// comparisons. `POST /runs/{id}/retry` asks for them again.
    pub failed_by_service: u64,
}

/// Something to know before the figures are trusted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = WarningView)]
pub struct Warning {
    /// What it is.
    pub code: WarningCode,
    /// The model that it is about; null for all.
    pub model: Option<String>,
    /// How many items, or blocks, it is about; 0 where that is not counted.
    pub count: u64,
    /// The same as a sentence, with what to do.
    pub message: String,
}

/// Kinds of warnings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WarningCode {
    /// Items failed for no fault of the model.
    ServiceFailures,
    /// Items failed by the model itself.
    ModelFailures,
    /// Models were compared on fewer samples than each has.
    FewerSharedSamples,
    /// A model had no item that counts, and is not compared.
    NotCompared,
    /// Too few blocks for reliable intervals, or for any verdict.
    FewBlocks,
    /// Models were asked at different temperatures.
    TemperaturesDiffer,
    /// References began as what models agreed on, not as what a person heard.
    ReferencesFromModels,
    /// Words of a model were taken into references as right beside what stood there.
    VariantsFromModels,
    /// A reference of the dataset was changed since the run was scored by them.
    ReferencesChanged,
    /// Samples have no reference: what was transcribed of them counts in no figure.
    NoReference,
    /// Every reference is silent: rates are counts of words that models wrote.
    NoWords,
}

/// 95 % interval of a rate, by a studentised bootstrap over blocks. It tells how
/// the rate varies with the samples, not with asking the model again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = IntervalView)]
pub struct Interval {
    /// The rate.
    pub rate: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Standard deviation of the resamples.
    pub standard_error: f64,
    /// False below 10 blocks: then it covers less often than it says.
    pub reliable: bool,
}

/// Where a model stands among the others, by WER and the verdicts of
/// `comparison.pairs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = RankView)]
pub struct Rank {
    /// Group from 1; the models of a group are not distinguishable from its
    /// best. There is no winner while others are in group 1 too.
    pub group: usize,
    /// Best rank that the comparisons leave open.
    pub best: usize,
    /// Worst rank they leave open.
    pub worst: usize,
}

/// Two models on the same samples, by WER.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = PairView)]
pub struct Pair {
    /// One model.
    pub a: String,
    /// The other.
    pub b: String,
    /// WER of `a` less that of `b`: negative where `a` is better.
    pub difference: f64,
    /// Lower end of its 95 % interval, which is not adjusted for the number of
    /// pairs; null from one block, and where blocks do not vary.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
    /// Share of resamples in which `a` is better; null from one block.
    pub probability_a_better: Option<f64>,
    /// Two-sided p-value of "no difference" by the permutation test.
    pub p_value: f64,
    /// The same adjusted for all pairs (Holm).
    pub p_adjusted: f64,
    /// Whether `p_adjusted` is below 0.05.
    pub distinguishable: bool,
    /// A rough guess at how many more blocks like these would tell the two
    /// apart, if the difference is what it seems; null when they are apart
    /// already or seem equal, and below 10 blocks.
    pub more_blocks: Option<u64>,
}

/// How verdicts are found.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = TestView)]
pub enum Test {
    /// Both models are swapped within blocks: every way of it where they differ
    /// on up to 12 blocks, else as many random ones as `permutations` says.
    PairedPermutation,
}

/// How p-values are adjusted.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = AdjustmentView)]
pub enum Adjustment {
    /// Holm's step-down procedure over all pairs.
    Holm,
}

/// A model on the samples that are compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = ComparedView)]
pub struct Compared {
    /// Pooled WER over these samples.
    pub wer: f64,
    /// Its 95 % interval; null as elsewhere.
    pub wer_interval: Option<Interval>,
}

/// How the models compare, over the samples at which every one of them had its
/// chance: answered, or failed by itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = ComparisonView)]
pub struct Comparison {
    /// Samples compared.
    pub samples: usize,
    /// Blocks that are swapped and resampled; without `block_by` each sample is
    /// one.
    pub blocks: usize,
    /// False below 10 blocks: intervals then cover less often than they say.
    /// Verdicts are valid at any number.
    pub reliable: bool,
    /// The test behind `p_value`.
    pub test: Test,
    /// What makes `p_adjusted` of it.
    pub adjustment: Adjustment,
    /// Comparisons made, and adjusted for: the number of pairs.
    pub comparisons: usize,
    /// Random swaps of the test.
    pub permutations: usize,
    /// Resamples behind intervals.
    pub replicates: usize,
    /// Seed of swaps and resamples: the same results give the same figures.
    pub seed: u64,
    /// Catalogue id → figures over these samples. A model without any item that
    /// counts is not compared.
    #[schema(value_type = BTreeMap<String, Compared>)]
    pub providers: BTreeMap<String, Compared>,
    /// Every pair once.
    pub pairs: Vec<Pair>,
    /// A rough guess at how many more blocks would tell the two best apart; null
    /// when they are apart already or seem equal, and below 10 blocks.
    pub more_blocks: Option<u64>,
}
