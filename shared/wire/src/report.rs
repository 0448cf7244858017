//! Reports of runs, and scoring again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
pub use stt_eval_domain::rescoring::ScoringStatus;
use stt_eval_domain::run::RunStatus;
use stt_eval_domain::{DatasetId, RunId, Timestamp};
use stt_eval_scoring::Flag;
use utoipa::ToSchema;

use crate::comparison::{Comparison, Coverage, Interval, Rank, Warning};
use crate::scores::{Failures, Figures};

/// How to score a run again.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewScoring {
    /// The normaliser; default: that of the scoring that counts.
    #[schema(example = "indic-v1+numbers")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub normalizer: Option<String>,
}

/// One scoring of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = ScoringView)]
pub struct Scoring {
    /// Number in the run, from 1.
    pub id: u16,
    /// Its normaliser.
    pub normalizer: String,
    /// Version of the scorer.
    pub scorer_version: String,
    /// How far it is.
    pub status: ScoringStatus,
    /// Whether the run's and its results' scores are those of this one.
    pub current: bool,
    /// When it was asked for.
    pub inserted_at: Timestamp,
    /// When it was complete; null for the first one.
    pub completed_at: Option<Timestamp>,
}

/// Figures of a model over a set of samples.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = SummaryView)]
pub struct Summary {
    /// Over the items that the model had its chance at: its own failures count
    /// as all words missing, those of the service are left out.
    #[serde(flatten)]
    pub all: Figures,
    /// The same over the items that were transcribed.
    pub answered: Figures,
    /// Share of samples with a reference that were transcribed.
    pub coverage: Option<f64>,
    /// Whose failures the others are.
    #[serde(flatten)]
    pub failures: Failures,
}

/// What reviewers found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = HumanView)]
pub struct Human {
    /// Transcriptions judged right.
    pub correct: u32,
    /// Transcriptions judged wrong.
    pub incorrect: u32,
    /// `correct / (correct + incorrect)`.
    pub accuracy: Option<f64>,
    /// Lower end of its 95 % interval (Wilson).
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
}

/// What a model cost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = CostView)]
pub struct Cost {
    /// US dollars so far, retries included.
    pub usd: f64,
    /// Hours of audio of the items that were transcribed.
    pub audio_hours: f64,
    /// US dollars for an hour of audio that was transcribed; null while not everything was
    /// read, where nothing was transcribed, and of transcripts that came without costs.
    pub usd_per_audio_hour: Option<f64>,
    /// The day on which the catalogue's price was read that held when the run was made;
    /// null of models that are not in the catalogue.
    #[serde(default)]
    pub price_read_at: Option<String>,
}

/// How long a model took for an item, over the items that it transcribed and of
/// which it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = LatencyView)]
pub struct Latency {
    /// Half of them took no longer than so many milliseconds.
    pub p50_ms: u32,
    /// 95 of 100 took no longer.
    pub p95_ms: u32,
}

/// What a step of the normaliser forgave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = StepView)]
pub struct Step {
    /// The step; `raw` is the untouched text.
    #[schema(example = "punctuation")]
    pub step: String,
    /// Whether it is an opt-in step that hides real differences.
    pub lossy: bool,
    /// Word error rate after it.
    pub wer: f64,
    /// Errors after it.
    pub errors: u64,
    /// Errors it took away (negative if it added some).
    pub forgiven: i64,
}

/// A word and another that stood in its place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = SubstitutedView)]
pub struct Substituted {
    /// What was said.
    pub reference: String,
    /// What was transcribed.
    pub hypothesis: String,
    /// How often.
    pub times: u64,
}

/// A word that is missing, or too many.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = CountedView)]
pub struct Counted {
    /// The word.
    pub word: String,
    /// How often.
    pub times: u64,
}

/// Words that go wrong most often, at most 20 of each kind; over transcribed
/// items.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = ConfusionsView)]
pub struct Confusions {
    /// Replaced.
    pub substituted: Vec<Substituted>,
    /// Missing.
    pub deleted: Vec<Counted>,
    /// Added.
    pub inserted: Vec<Counted>,
    /// Whether there were so many different ones that rare ones were forgotten
    /// on the way: counts are then lower bounds.
    pub approximate: bool,
}

/// How one keyword came through.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = KeywordView)]
pub struct Keyword {
    /// As it was given with the dataset.
    pub keyword: String,
    /// Times it was said.
    pub in_reference: u64,
    /// Times it was said and is right, every word of it.
    pub recalled: u64,
    /// Times it was transcribed, rightly or not.
    pub in_hypothesis: u64,
}

/// How the dataset's keywords came through; items that the model failed at recall
/// none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = KeywordsView)]
pub struct Keywords {
    /// Share of the keywords said that are right.
    pub recall: Option<f64>,
    /// Each of them, in the order given.
    pub keywords: Vec<Keyword>,
}

/// Samples of a model by their word error rate.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = BucketView)]
pub struct Bucket {
    /// Rates above this; null in the first, which holds samples with every word right.
    pub above: Option<f64>,
    /// Rates up to this, itself among them; null in the last.
    pub up_to: Option<f64>,
    /// How many samples.
    pub samples: u64,
}

/// A model in a report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = ProviderReport)]
pub struct ModelReport {
    /// Catalogue id.
    pub provider: String,
    /// The headline; null while nothing is scored.
    pub score: Option<Summary>,
    /// How many items it has an answer of.
    pub coverage: Coverage,
    /// Sampling temperature that it was asked with; absent where it takes none. Above 0,
    /// asking again gives other answers; no interval here tells how much the figures vary
    /// by that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// 95 % interval of the pooled WER; null from one block, and where blocks do
    /// not vary.
    pub wer_interval: Option<Interval>,
    /// The same of the CER over code points.
    pub cer_interval: Option<Interval>,
    /// Samples by WER, those that the model failed at as all words missing; without
    /// samples whose reference has no words. Empty while there are none.
    pub distribution: Vec<Bucket>,
    /// Over the samples that every model transcribed.
    pub common: Option<Figures>,
    /// Among the others, by WER.
    pub rank: Option<Rank>,
    /// Items with a transcription.
    pub completed: u32,
    /// Items without.
    pub failed: u32,
    /// Transcriptions of samples without a reference.
    pub without_reference: u64,
    /// Transcriptions that are beyond scoring.
    pub unscored: u64,
    /// Failures by their stable code.
    pub failures: BTreeMap<String, u64>,
    /// What reviewers found, of the transcriptions that they chose to look at.
    pub human: Human,
    /// What it cost.
    pub cost: Cost,
    /// Seconds from asking to answer. Null: items go through batches, which
    /// tell nothing of single items.
    pub latency_seconds: Option<f64>,
    /// Time for an item; null where none is known.
    pub latency: Option<Latency>,
    /// Flag → transcriptions that carry it.
    #[schema(value_type = BTreeMap<String, u64>)]
    pub flags: BTreeMap<Flag, u64>,
    /// Exact models that answered.
    pub model_versions: Vec<String>,
    /// What each step of the normaliser forgave, from the untouched texts on.
    pub waterfall: Vec<Step>,
    /// Words that go wrong most often.
    pub confusions: Confusions,
    /// Recall of the dataset's keywords; null when it has none.
    pub keywords: Option<Keywords>,
}

/// What a part of the samples has in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum GroupKind {
    /// The value.
    Value,
    /// That they lack the field.
    Missing,
    /// Nothing: values beyond the most frequent ones.
    Other,
}

/// A part of the samples.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = GroupView)]
pub struct Group {
    /// The value they share; null for the other two kinds.
    pub value: Option<String>,
    /// What they share.
    pub kind: GroupKind,
    /// Catalogue id → figures; null while nothing of it is scored.
    #[schema(value_type = BTreeMap<String, Summary>)]
    pub providers: BTreeMap<String, Option<Summary>>,
    /// Catalogue id → 95 % interval of the pooled WER of the part. Null from fewer than
    /// 10 samples, and as elsewhere.
    #[schema(value_type = BTreeMap<String, Interval>)]
    pub wer_intervals: BTreeMap<String, Option<Interval>>,
}

/// A breakdown by a metadata field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = GroupsView)]
pub struct Groups {
    /// The field.
    pub field: String,
    /// Most frequent values first.
    pub groups: Vec<Group>,
}

/// How far reviewers agree, over the transcriptions that two or more of them found right
/// or wrong ("cannot tell" does not count). Rates are null while there are fewer than
/// `needed`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = AgreementView)]
pub struct Agreement {
    /// Transcriptions that two or more reviewers judged.
    pub items: u64,
    /// Those that all of them found right.
    pub all_right: u64,
    /// Those that all of them found wrong.
    pub all_wrong: u64,
    /// How many there must be before rates are told.
    pub needed: u64,
    /// Chance that two reviewers of a transcription find the same.
    pub agreement: Option<f64>,
    /// Chance that another reviewer finds wrong what one found wrong; null where nothing
    /// was.
    pub agreement_on_wrong: Option<f64>,
    /// Gwet's AC1.
    pub ac1: Option<f64>,
    /// Lower end of its 95 % interval, by a bootstrap over clips; null where they do not
    /// vary.
    pub ac1_low: Option<f64>,
    /// Upper end.
    pub ac1_high: Option<f64>,
    /// Krippendorff's alpha, which is low where nearly everything is right, however well
    /// reviewers agree; null where all found the same of everything.
    pub alpha: Option<f64>,
}

/// How many references that clips were scored by came from where.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = ReferencesView)]
pub struct References {
    /// The dataset was made with them.
    pub dataset: u64,
    /// They were typed or sent later, or changed since.
    pub edited: u64,
    /// They began as what models agreed on.
    pub consensus: u64,
    /// Of all these, such as took another wording from a model's output.
    pub with_variants: u64,
    /// A digest of what they say, of their languages and their order: figures with the same
    /// are measured by the same texts. Empty where there is no reference.
    #[serde(default)]
    pub digest: String,
}

/// A report of a run. Rates are fractions of 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = ReportView)]
pub struct Report {
    /// The run.
    pub run_id: RunId,
    /// Its name.
    pub run_name: String,
    /// Its dataset.
    pub dataset_id: DatasetId,
    /// Name of that when the run was started.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub dataset_name: String,
    /// State of the run.
    pub status: RunStatus,
    /// Whether every item of the run has an outcome and all were looked at.
    pub complete: bool,
    /// Samples of the run.
    pub sample_count: u32,
    /// Samples that everything but the headline is made from: fewer than
    /// `sample_count` only in a large run that has not ended.
    pub samples_read: u32,
    /// The scoring it is of.
    pub scoring: Scoring,
    /// All scorings of the run.
    pub scorings: Vec<Scoring>,
    /// Samples that every model transcribed and that have a reference.
    pub common_samples: u64,
    /// Where the references came from.
    #[serde(default)]
    pub references: References,
    /// What to know before the figures are trusted.
    pub warnings: Vec<Warning>,
    /// The models, in the order of the run.
    pub providers: Vec<ModelReport>,
    /// How they compare; null while there is nothing to compare.
    pub comparison: Option<Comparison>,
    /// Verdicts of reviewers, right or wrong, by the order in which they met what they
    /// judged (`queue`), `unknown` where that was not told. Only those of `random` speak for
    /// all transcriptions.
    #[serde(default)]
    pub verdicts: BTreeMap<String, u64>,
    /// How far reviewers agree; null where no transcription was judged by two.
    pub agreement: Option<Agreement>,
    /// The field that made the blocks.
    pub block_by: Option<String>,
    /// By language scored in, most frequent first.
    pub languages: Vec<Group>,
    /// By the field of `group_by`.
    pub groups: Option<Groups>,
}

/// The field that makes blocks for people, unless another one is named.
pub use stt_eval_domain::dataset::SPEAKER;

impl Report {
    /// Whether several samples made one block, of which no interval can be drawn.
    #[must_use]
    pub fn is_one_block(&self) -> bool {
        let found = self.comparison.as_ref();
        found.is_some_and(|found| found.blocks == 1 && found.samples > 1)
    }
}
