//! Reports of runs, and scoring again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use stt_eval_shared::domain::rescoring::{Scoring, ScoringStatus};
use stt_eval_shared::domain::run::{Run, RunStatus};
use stt_eval_shared::domain::{DatasetId, RunId, Timestamp};
use stt_eval_shared::scoring::confusions::{CountedWord, SubstitutedWord, TopConfusions};
use stt_eval_shared::scoring::normalise::WaterfallRow;
use stt_eval_shared::scoring::uncertainty::{PairComparison, ProviderInterval};
use stt_eval_shared::scoring::{CorpusSummary, CorpusSums, Flag};
use utoipa::ToSchema;

use super::scores::FiguresView;

/// How to score a run again.
#[derive(Debug, Default, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewScoring {
    /// The normaliser; default: that of the scoring that counts.
    #[schema(example = "indic-v1+numbers")]
    pub normalizer: Option<String>,
}

/// One scoring of a run.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ScoringView {
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

impl ScoringView {
    /// A scoring of a run.
    #[must_use]
    pub fn new(run: &Run, scoring: Scoring) -> Self {
        Self {
            current: scoring.id == run.scorings.current,
            id: scoring.id,
            normalizer: scoring.normalizer,
            scorer_version: scoring.scorer_version,
            status: scoring.status,
            inserted_at: scoring.inserted_at,
            completed_at: scoring.completed_at,
        }
    }

    /// All of a run.
    #[must_use]
    pub fn all(run: &Run) -> Vec<Self> {
        let scorings = run.all_scorings().into_iter();
        scorings.map(|scoring| Self::new(run, scoring)).collect()
    }
}

/// Figures of a model over a set of samples.
#[derive(Debug, Serialize, ToSchema)]
pub struct SummaryView {
    /// Failed items count as all words missing.
    #[serde(flatten)]
    pub all: FiguresView,
    /// The same over the items that were transcribed.
    pub answered: FiguresView,
    /// Share of the samples that were transcribed.
    pub coverage: Option<f64>,
}

impl SummaryView {
    /// `None` when nothing is scored.
    #[must_use]
    pub fn new(sums: &CorpusSums) -> Option<Self> {
        (sums.samples() > 0).then(|| Self::from(&sums.summary()))
    }
}

impl From<&CorpusSummary> for SummaryView {
    fn from(summary: &CorpusSummary) -> Self {
        Self {
            all: (&summary.all).into(),
            answered: (&summary.answered).into(),
            coverage: summary.coverage,
        }
    }
}

/// 95 % interval of a rate.
#[derive(Debug, Serialize, ToSchema)]
pub struct IntervalView {
    /// The rate.
    pub rate: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Standard deviation of the resamples.
    pub standard_error: f64,
}

impl From<&ProviderInterval> for IntervalView {
    fn from(interval: &ProviderInterval) -> Self {
        Self {
            rate: interval.rate,
            low: interval.low,
            high: interval.high,
            standard_error: interval.standard_error,
        }
    }
}

/// Where a model stands among the others, by WER.
#[derive(Debug, Serialize, ToSchema)]
pub struct RankView {
    /// Group from 1; the models of a group are not distinguishable from its
    /// best.
    pub group: usize,
    /// Best rank that the comparisons leave open.
    pub best: usize,
    /// Worst rank they leave open.
    pub worst: usize,
}

/// What reviewers found.
#[derive(Debug, Serialize, ToSchema)]
pub struct HumanView {
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
#[derive(Debug, Serialize, ToSchema)]
pub struct CostView {
    /// US dollars so far, retries included.
    pub usd: f64,
    /// Hours of audio of the items with an outcome.
    pub audio_hours: f64,
    /// US dollars for an hour of audio; null while not everything was read.
    pub usd_per_audio_hour: Option<f64>,
}

/// What a step of the normaliser forgave.
#[derive(Debug, Serialize, ToSchema)]
pub struct StepView {
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

impl From<WaterfallRow> for StepView {
    fn from(row: WaterfallRow) -> Self {
        Self {
            step: row.step,
            lossy: row.lossy,
            wer: row.wer,
            errors: row.errors,
            forgiven: row.forgiven,
        }
    }
}

/// A word and another that stood in its place.
#[derive(Debug, Serialize, ToSchema)]
pub struct SubstitutedView {
    /// What was said.
    pub reference: String,
    /// What was transcribed.
    pub hypothesis: String,
    /// How often.
    pub times: u64,
}

/// A word that is missing, or too many.
#[derive(Debug, Serialize, ToSchema)]
pub struct CountedView {
    /// The word.
    pub word: String,
    /// How often.
    pub times: u64,
}

/// Words that go wrong most often, at most 20 of each kind; over transcribed
/// items.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConfusionsView {
    /// Replaced.
    pub substituted: Vec<SubstitutedView>,
    /// Missing.
    pub deleted: Vec<CountedView>,
    /// Added.
    pub inserted: Vec<CountedView>,
    /// Whether there were so many different ones that rare ones were forgotten
    /// on the way: counts are then lower bounds.
    pub approximate: bool,
}

impl ConfusionsView {
    /// What is shown of them.
    #[must_use]
    pub fn new(top: TopConfusions, approximate: bool) -> Self {
        let words = |words: Vec<CountedWord>| {
            let view = |CountedWord { word, times }| CountedView { word, times };
            words.into_iter().map(view).collect()
        };
        let pair = |pair: SubstitutedWord| SubstitutedView {
            reference: pair.reference,
            hypothesis: pair.hypothesis,
            times: pair.times,
        };
        Self {
            substituted: top.substituted.into_iter().map(pair).collect(),
            deleted: words(top.deleted),
            inserted: words(top.inserted),
            approximate,
        }
    }
}

/// How one keyword came through.
#[derive(Debug, Serialize, ToSchema)]
pub struct KeywordView {
    /// As it was given with the dataset.
    pub keyword: String,
    /// Times it was said.
    pub in_reference: u64,
    /// Times it was said and is right, every word of it.
    pub recalled: u64,
    /// Times it was transcribed, rightly or not.
    pub in_hypothesis: u64,
}

/// How the dataset's keywords came through; failed items recall none.
#[derive(Debug, Serialize, ToSchema)]
pub struct KeywordsView {
    /// Share of the keywords said that are right.
    pub recall: Option<f64>,
    /// Each of them, in the order given.
    pub keywords: Vec<KeywordView>,
}

/// A model in a report.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProviderReport {
    /// Catalogue id.
    pub provider: String,
    /// The headline, from the run's sums; null while nothing is scored.
    pub score: Option<SummaryView>,
    /// 95 % interval of the pooled WER (failed items as deletions).
    pub wer_interval: Option<IntervalView>,
    /// The same of the CER over code points.
    pub cer_interval: Option<IntervalView>,
    /// Over the samples that every model transcribed.
    pub common: Option<FiguresView>,
    /// Among the others, by WER.
    pub rank: Option<RankView>,
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
    /// What reviewers found.
    pub human: HumanView,
    /// What it cost.
    pub cost: CostView,
    /// Seconds from asking to answer. Null: items go through batches, which
    /// tell nothing of single items.
    pub latency_seconds: Option<f64>,
    /// Flag → transcriptions that carry it.
    #[schema(value_type = BTreeMap<String, u64>)]
    pub flags: BTreeMap<Flag, u64>,
    /// Exact models that answered.
    pub model_versions: Vec<String>,
    /// What each step of the normaliser forgave, from the untouched texts on.
    pub waterfall: Vec<StepView>,
    /// Words that go wrong most often.
    pub confusions: ConfusionsView,
    /// Recall of the dataset's keywords; null when it has none.
    pub keywords: Option<KeywordsView>,
}

/// Two models on the same resamples, by WER.
#[derive(Debug, Serialize, ToSchema)]
pub struct PairView {
    /// One model.
    pub a: String,
    /// The other.
    pub b: String,
    /// WER of `a` less that of `b`: negative where `a` is better.
    pub difference: f64,
    /// Lower end of its 95 % interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Share of resamples in which `a` is better.
    pub probability_a_better: f64,
    /// Two-sided p-value of "no difference".
    pub p_value: f64,
    /// Whether the interval leaves out 0, with enough blocks to tell.
    pub distinguishable: bool,
    /// How many more samples like these would tell the two apart.
    pub more_samples: Option<u64>,
}

impl PairView {
    /// A pair among named models.
    #[must_use]
    pub fn new(pair: &PairComparison, names: &[String]) -> Self {
        let name = |index: usize| names.get(index).cloned().unwrap_or_default();
        Self {
            a: name(pair.a),
            b: name(pair.b),
            difference: pair.difference,
            low: pair.low,
            high: pair.high,
            probability_a_better: pair.probability_a_better,
            p_value: pair.p_value,
            distinguishable: pair.distinguishable,
            more_samples: pair.more_samples,
        }
    }
}

/// How the models compare, over the samples of which every model has an
/// outcome.
#[derive(Debug, Serialize, ToSchema)]
pub struct ComparisonView {
    /// Samples compared.
    pub samples: usize,
    /// Blocks that were resampled; without `block_by` each sample is one.
    pub blocks: usize,
    /// Resamples.
    pub replicates: usize,
    /// Seed of the resampling: the same results give the same figures.
    pub seed: u64,
    /// Every pair once.
    pub pairs: Vec<PairView>,
    /// How many more samples would tell the two best apart; null when they are
    /// apart already, or seem equal.
    pub more_samples: Option<u64>,
}

/// What a part of the samples has in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
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
#[derive(Debug, Serialize, ToSchema)]
pub struct GroupView {
    /// The value they share; null for the other two kinds.
    pub value: Option<String>,
    /// What they share.
    pub kind: GroupKind,
    /// Catalogue id → figures; null while nothing of it is scored.
    #[schema(value_type = BTreeMap<String, SummaryView>)]
    pub providers: BTreeMap<String, Option<SummaryView>>,
}

/// A breakdown by a metadata field.
#[derive(Debug, Serialize, ToSchema)]
pub struct GroupsView {
    /// The field.
    pub field: String,
    /// Most frequent values first.
    pub groups: Vec<GroupView>,
}

/// A report of a run. Rates are fractions of 1.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReportView {
    /// The run.
    pub run_id: RunId,
    /// Its name.
    pub run_name: String,
    /// Its dataset.
    pub dataset_id: DatasetId,
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
    pub scoring: ScoringView,
    /// All scorings of the run.
    pub scorings: Vec<ScoringView>,
    /// Samples that every model transcribed and that have a reference.
    pub common_samples: u64,
    /// The models, in the order of the run.
    pub providers: Vec<ProviderReport>,
    /// How they compare; null while there is nothing to compare.
    pub comparison: Option<ComparisonView>,
    /// The field that made the blocks.
    pub block_by: Option<String>,
    /// By language scored in, most frequent first.
    pub languages: Vec<GroupView>,
    /// By the field of `group_by`.
    pub groups: Option<GroupsView>,
}
