//! How two runs over one dataset compare, model by model.

use serde::{Deserialize, Serialize};
use stt_eval_domain::{DatasetId, RunId};
use utoipa::ToSchema;

use crate::comparison::{Adjustment, Test};

/// Two runs: for each model that both have, the same paired test as in a report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = RunComparisonView)]
pub struct RunComparison {
    /// The run.
    pub run: ComparedRun,
    /// The run that it is compared with.
    pub other: ComparedRun,
    /// Whether any model of the two could be compared.
    pub comparable: bool,
    /// Why the runs can't be compared at all; null where models say so for themselves.
    pub reason: Option<NotComparable>,
    /// Normaliser of both scorings; null without two scorings alike.
    pub normalizer: Option<String>,
    /// The field that makes blocks, as asked for.
    pub block_by: Option<String>,
    /// The test behind `p_value`.
    pub test: Test,
    /// What makes `p_adjusted` of it, over the models that are compared.
    pub adjustment: Adjustment,
    /// Random swaps of the test.
    pub permutations: usize,
    /// Resamples behind intervals.
    pub replicates: usize,
    /// Seed of swaps and resamples: the same results give the same figures.
    pub seed: u64,
    /// Models that both runs have, in the order of the run.
    pub models: Vec<ModelComparison>,
    /// Models that the run alone has.
    pub only_in_run: Vec<String>,
    /// Models that the other run alone has.
    pub only_in_other: Vec<String>,
}

/// One of the two runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = ComparedRunView)]
pub struct ComparedRun {
    /// Its id.
    pub id: RunId,
    /// Its name.
    pub run_name: String,
    /// The dataset that it is over.
    pub dataset_id: DatasetId,
    /// False while results of it are still to come.
    pub complete: bool,
    /// Number of the scoring that is compared; null without two scorings alike.
    pub scoring: Option<u16>,
}

/// A model that both runs have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = ModelComparisonView)]
pub struct ModelComparison {
    /// Its id in the catalogue.
    pub provider: String,
    /// Why it can't be compared; null where it is.
    pub reason: Option<NotComparable>,
    /// Samples compared: those at which the model had its chance in both runs, against
    /// the same version of the reference.
    pub samples: usize,
    /// Of these, samples that the model transcribed in the other run alone: here it failed, or
    /// no transcript was given, which counts as all words missing.
    #[serde(default)]
    pub missing_in_run: u64,
    /// Of these, samples that it transcribed in the run alone.
    #[serde(default)]
    pub missing_in_other: u64,
    /// What is not compared.
    pub left_out: LeftOut,
    /// Figures; null where it can't be compared.
    pub figures: Option<PairedFigures>,
}

/// Samples that are not compared, each counted once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = LeftOutView)]
pub struct LeftOut {
    /// Scored against another version of the reference, or in another language.
    pub other_reference: u64,
    /// Counting in the run alone: in the other one it has no outcome yet, no score, or
    /// was failed by the service.
    pub only_in_run: u64,
    /// Counting in the other run alone.
    pub only_in_other: u64,
    /// Counting in neither.
    pub in_neither: u64,
}

/// A model in two runs, on the same samples.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = PairedFiguresView)]
pub struct PairedFigures {
    /// Pooled WER in the run, over the samples compared. What the model failed at counts
    /// as all words missing, as in a report.
    pub wer: f64,
    /// Pooled WER in the other run.
    pub other_wer: f64,
    /// `wer` less `other_wer`: negative where the run is better.
    pub difference: f64,
    /// Lower end of its 95 % interval, not adjusted; null from one block, and where
    /// blocks do not vary.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
    /// Two-sided p-value of "no difference" by the permutation test.
    pub p_value: f64,
    /// The same adjusted for all models compared (Holm).
    pub p_adjusted: f64,
    /// Whether `p_adjusted` is below 0.05.
    pub distinguishable: bool,
    /// Blocks that are swapped and resampled; without `block_by` each sample is one.
    pub blocks: usize,
    /// False below 10 blocks: the interval then covers less often than it says.
    pub reliable: bool,
}

/// Why something can't be compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = NotComparableView)]
pub struct NotComparable {
    /// What it is.
    pub code: NotComparableCode,
    /// The same as a sentence, with what to do.
    pub message: String,
}

/// Reasons why runs, or a model in them, can't be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NotComparableCode {
    /// The runs are over different datasets.
    OtherDataset,
    /// No scoring of the one has the normaliser that is wanted of both.
    OtherNormalizer,
    /// The scorings were made by different versions of the scorer.
    OtherScorer,
    /// No model is in both runs.
    NoCommonModel,
    /// No sample counts for the model in both runs.
    NoCommonSample,
    /// Samples count in both runs, but all against other versions of the reference.
    OtherReferences,
}

impl RunComparison {
    /// Whether several samples of a model made one block, of which no interval can be
    /// drawn.
    #[must_use]
    pub fn is_one_block(&self) -> bool {
        let is_one = |model: &ModelComparison| {
            let figures = model.figures.as_ref();
            figures.is_some_and(|figures| figures.blocks == 1 && model.samples > 1)
        };
        self.models.iter().any(is_one)
    }
}
