//! Sums over many samples, and the figures made of them.
//!
//! Everything summed is an integer, so that a result does not depend on the order
//! in which parts were added or merged.

use super::bins::Bins;
use super::flags::Flag;
use super::rates::{Counts, Rates};
use super::sample::{ReferenceSize, SampleScore};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Samples' WER is summed in units of 10^-12, so that the mean is exact to well
/// below what a double shows and still a sum of integers.
const PICO: f64 = 1e12;

/// Counts of the five alignments of each sample.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitCounts {
    /// Words after normalisation.
    pub words: Counts,
    /// Code points after normalisation.
    pub chars: Counts,
    /// Grapheme clusters after normalisation.
    pub graphemes: Counts,
    /// Words of the untouched texts.
    pub raw_words: Counts,
    /// Code points of the untouched texts.
    pub raw_chars: Counts,
}

impl UnitCounts {
    fn add(&mut self, other: &UnitCounts) {
        self.words.add(&other.words);
        self.chars.add(&other.chars);
        self.graphemes.add(&other.graphemes);
        self.raw_words.add(&other.raw_words);
        self.raw_chars.add(&other.raw_chars);
    }
}

/// Samples that were answered, or that failed, and their counts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Part {
    samples: u64,
    /// Samples whose reference has words.
    nonempty: u64,
    perfect: u64,
    counts: UnitCounts,
    /// Sum of WER over `nonempty`, in units of 10^-12.
    wer_pico: u64,
    /// Samples by WER, over `nonempty`.
    wer_bins: Bins,
}

impl Part {
    fn add_words(&mut self, words: &Counts, wer: f64) {
        self.samples += 1;
        if words.reference() == 0 {
            return;
        }
        self.nonempty += 1;
        // `as` saturates, and so does the sum: still independent of the order.
        self.wer_pico = self.wer_pico.saturating_add((wer * PICO).round() as u64);
        self.wer_bins.add(wer);
    }

    fn merge(&mut self, other: &Part) {
        self.samples += other.samples;
        self.nonempty += other.nonempty;
        self.perfect += other.perfect;
        self.counts.add(&other.counts);
        self.wer_pico = self.wer_pico.saturating_add(other.wer_pico);
        self.wer_bins.merge(&other.wer_bins);
    }

    fn median_wer(&self) -> Option<f64> {
        let below = self.nonempty.checked_sub(1)? / 2;
        let above = self.nonempty / 2;
        Some((self.wer_bins.at(below)? + self.wer_bins.at(above)?) / 2.0)
    }

    fn figures(&self) -> CorpusFigures {
        let counts = self.counts;
        let share = |part: u64, whole: u64| (whole > 0).then(|| part as f64 / whole as f64);
        let Rates {
            error_rate: wer,
            mer,
            wip,
            wil,
        } = counts.words.rates();
        CorpusFigures {
            samples: self.samples,
            wer,
            mer,
            wil,
            wip,
            cer: counts.chars.error_rate(),
            cer_grapheme: counts.graphemes.error_rate(),
            raw_wer: counts.raw_words.error_rate(),
            raw_cer: counts.raw_chars.error_rate(),
            mean_wer: (self.nonempty > 0)
                .then(|| self.wer_pico as f64 / PICO / self.nonempty as f64),
            median_wer: self.median_wer(),
            perfect_share: share(self.perfect, self.samples),
            counts,
        }
    }
}

/// Whose failure it is that a sample has no transcription.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailedBy {
    /// The model's: it was blocked, said nothing, or did not come to an end. It
    /// counts as an empty transcription, or a model that gives up on hard
    /// samples would look better.
    Model,
    /// The service's, or ours: the model never had its chance. The sample is
    /// left out of its score and lowers its coverage.
    Service,
}

/// Mergeable sums over the samples of one provider.
///
/// [`CorpusSums::merge`] is associative and commutative. Failures are kept apart,
/// so that a retry can take them back with [`CorpusSums::clear_failures`].
///
/// ```
/// use stt_eval_scoring::{CorpusSums, FailedBy, normalise::Normaliser, score};
///
/// let normaliser = Normaliser::default();
/// let mut sums = CorpusSums::default();
/// sums.add(&score("one two three", "one two three", "en", &normaliser, None)?);
/// let failed = score("four", "", "en", &normaliser, None)?;
/// sums.add_failure(&failed.reference_size(), FailedBy::Model);
/// sums.add_failure(&failed.reference_size(), FailedBy::Service);
/// let summary = sums.summary();
/// assert_eq!(summary.all.wer, 0.25);
/// assert_eq!(summary.answered.wer, 0.0);
/// assert_eq!(summary.coverage, Some(1.0 / 3.0));
/// # Ok::<(), stt_eval_scoring::ScoreError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CorpusSums {
    answered: Part,
    /// Failures of the model.
    failed: Part,
    /// Samples with a reference that failed otherwise.
    #[serde(default)]
    left_out: u64,
    /// Whether failures were told apart. Release 0.1.0 did not, and said nothing
    /// of it: all of its failures are in `failed`.
    #[serde(default)]
    told_apart: bool,
    flags: BTreeMap<Flag, u64>,
}

impl Default for CorpusSums {
    fn default() -> Self {
        Self {
            answered: Part::default(),
            failed: Part::default(),
            left_out: 0,
            told_apart: true,
            flags: BTreeMap::new(),
        }
    }
}

impl CorpusSums {
    /// Adds a sample that was transcribed.
    pub fn add(&mut self, score: &SampleScore) {
        self.answered.add_words(&score.words(), score.wer);
        self.answered.perfect += u64::from(score.is_perfect());
        self.answered.counts.add(&UnitCounts {
            words: score.words(),
            chars: score.chars(),
            graphemes: score.graphemes,
            raw_words: score.raw_words,
            raw_chars: score.raw_chars,
        });
        for flag in &score.flags {
            *self.flags.entry(*flag).or_default() += 1;
        }
    }

    /// Adds a sample that failed. By the model: all its tokens are missing, and
    /// it is no perfect sample (not even where the reference is empty).
    pub fn add_failure(&mut self, reference: &ReferenceSize, by: FailedBy) {
        if by == FailedBy::Service {
            self.left_out += 1;
            return;
        }
        let words = Counts::all_deleted(reference.words);
        self.failed.add_words(&words, words.error_rate());
        self.failed.counts.add(&UnitCounts {
            words,
            chars: Counts::all_deleted(reference.chars),
            graphemes: Counts::all_deleted(reference.graphemes),
            raw_words: Counts::all_deleted(reference.raw_words),
            raw_chars: Counts::all_deleted(reference.raw_chars),
        });
    }

    /// Adds the sums of other samples.
    pub fn merge(&mut self, other: &CorpusSums) {
        self.answered.merge(&other.answered);
        self.failed.merge(&other.failed);
        self.left_out += other.left_out;
        self.told_apart &= other.told_apart;
        for (flag, samples) in &other.flags {
            *self.flags.entry(*flag).or_default() += samples;
        }
    }

    /// Forgets the failures, for instance because they are tried again.
    pub fn clear_failures(&mut self) {
        self.failed = Part::default();
        self.left_out = 0;
        self.told_apart = true;
    }

    /// Number of samples that count: answered, or failed by the model.
    pub fn samples(&self) -> u64 {
        self.answered.samples + self.failed.samples
    }

    /// Whether it is known whose failures these are. Not of sums that release
    /// 0.1.0 has added failures to: there, all count as the model's.
    pub fn failures_told_apart(&self) -> bool {
        self.told_apart || self.failed.samples == 0
    }

    /// The figures.
    pub fn summary(&self) -> CorpusSummary {
        let mut all = self.answered.clone();
        all.merge(&self.failed);
        CorpusSummary {
            coverage: (all.samples + self.left_out > 0)
                .then(|| self.answered.samples as f64 / (all.samples + self.left_out) as f64),
            failed: self.failed.samples,
            left_out: self.left_out,
            all: all.figures(),
            answered: self.answered.figures(),
            flags: self.flags.clone(),
        }
    }
}

/// Figures over a set of samples. Rates are fractions of 1, pooled (sum of
/// errors / sum of reference tokens) unless said otherwise. `None` where there is
/// nothing to divide by.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CorpusFigures {
    /// Number of samples.
    pub samples: u64,
    /// Word error rate, 0 or more: above 1 where more is added than was said.
    pub wer: f64,
    /// Match error rate over words, 0 to 1.
    pub mer: f64,
    /// Word information lost, 0 to 1.
    pub wil: f64,
    /// Word information preserved, 1 less `wil`.
    pub wip: f64,
    /// Character error rate over code points, 0 or more.
    pub cer: f64,
    /// Character error rate over grapheme clusters.
    pub cer_grapheme: f64,
    /// Word error rate of the untouched texts.
    pub raw_wer: f64,
    /// Character error rate of the untouched texts.
    pub raw_cer: f64,
    /// Mean of the samples' WER, over samples whose reference has words.
    pub mean_wer: Option<f64>,
    /// Median of the same, to 0.001 (above 1: to 0.01, above 2: to 0.1); 10
    /// stands for 10 and above.
    pub median_wer: Option<f64>,
    /// Share of samples with every word right.
    pub perfect_share: Option<f64>,
    /// The counts behind the rates.
    pub counts: UnitCounts,
}

/// The figures of one provider over one set of samples.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CorpusSummary {
    /// The headline: over all samples that the model had its chance at, its
    /// failures as deletions.
    #[serde(flatten)]
    pub all: CorpusFigures,
    /// The same over the samples that were answered.
    pub answered: CorpusFigures,
    /// Share of samples that were answered.
    pub coverage: Option<f64>,
    /// Number of samples that the model failed at.
    pub failed: u64,
    /// Number of samples that failed otherwise: in no figure but coverage.
    pub left_out: u64,
    /// Flag → samples that carry it.
    pub flags: BTreeMap<Flag, u64>,
}
