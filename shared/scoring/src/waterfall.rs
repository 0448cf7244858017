//! What each step of a normaliser forgives.

use super::error::ScoreError;
use super::normalise::{LossyStep, Normaliser};
use super::prepared::PreparedReference;
use super::rates::Counts;
use super::{check_length, reference};
use serde::{Deserialize, Serialize};

/// Sums of word counts after each step of a normaliser, from the untouched text
/// on. Mergeable like [`CorpusSums`](super::CorpusSums).
///
/// ```
/// use stt_eval_scoring::normalise::Normaliser;
/// use stt_eval_scoring::waterfall::Waterfall;
///
/// let normaliser = Normaliser::default();
/// let mut waterfall = Waterfall::new(&normaliser);
/// waterfall.add("Hello, WORLD.", "hello world", "en")?;
/// let rows = waterfall.rows();
/// assert_eq!((rows[0].step.as_str(), rows[0].wer), ("raw", 1.0));
/// let by_case = rows.iter().find(|row| row.step == "case").ok_or("no such row")?;
/// assert_eq!(by_case.forgiven, 0);
/// let by_punctuation = rows.iter().find(|row| row.step == "punctuation").ok_or("no such row")?;
/// assert_eq!((by_punctuation.forgiven, by_punctuation.wer), (2, 0.0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waterfall {
    normaliser: String,
    /// Names of the steps and the counts after each; the first is the raw text.
    steps: Vec<(String, Counts)>,
}

/// One line of a waterfall.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WaterfallRow {
    /// Name of the step; `raw` for the untouched text.
    pub step: String,
    /// Whether the step is an opt-in one that hides real differences.
    pub lossy: bool,
    /// Pooled word error rate after it, as a fraction of 1.
    pub wer: f64,
    /// Word errors that are left after it.
    pub errors: u64,
    /// Errors it took away (negative if it added some).
    pub forgiven: i64,
}

impl Waterfall {
    /// Empty sums for the steps of a normaliser.
    pub fn new(normaliser: &Normaliser) -> Self {
        let names = normaliser.steps().iter().map(|step| step.name());
        let steps = std::iter::once("raw").chain(names);
        Self {
            normaliser: normaliser.name().to_owned(),
            steps: steps
                .map(|name| (name.to_owned(), Counts::default()))
                .collect(),
        }
    }

    /// Adds a pair: it is scored once per step. The reference may carry variants.
    ///
    /// # Errors
    /// As [`score`](super::score()); the sums are then unchanged.
    pub fn add(
        &mut self,
        reference: &str,
        hypothesis: &str,
        language: &str,
    ) -> Result<(), ScoreError> {
        let Some(normaliser) = Normaliser::by_name(&self.normaliser) else {
            // Only a name that came from a later version can be unknown.
            return Ok(());
        };
        check_length(reference)?;
        check_length(hypothesis)?;
        let reference = reference::parse(reference)?;
        let mut counts = Vec::with_capacity(self.steps.len());
        for len in 0..self.steps.len() {
            let mut side = PreparedReference::new(normaliser.first_steps(len), false);
            side.set_reference(&reference, language);
            let text = side.normalise(hypothesis, language);
            counts.push(side.word_counts(&text)?);
        }
        for ((_, sum), counts) in self.steps.iter_mut().zip(&counts) {
            sum.add(counts);
        }
        Ok(())
    }

    /// Adds the sums of other pairs. Those of another normaliser are not added;
    /// returns whether they were.
    pub fn merge(&mut self, other: &Waterfall) -> bool {
        if self.normaliser != other.normaliser || self.steps.len() != other.steps.len() {
            return false;
        }
        for ((_, sum), (_, counts)) in self.steps.iter_mut().zip(&other.steps) {
            sum.add(counts);
        }
        true
    }

    /// One row per step, the raw text first. Rows of steps that run twice are kept
    /// apart.
    pub fn rows(&self) -> Vec<WaterfallRow> {
        let is_lossy = |name: &str| LossyStep::ALL.iter().any(|step| step.name() == name);
        let mut before = self.steps.first().map_or(0, |(_, counts)| counts.errors());
        let rows = self.steps.iter().map(|(name, counts)| {
            let errors = counts.errors();
            let forgiven = before as i64 - errors as i64;
            before = errors;
            WaterfallRow {
                step: name.clone(),
                lossy: is_lossy(name),
                wer: counts.error_rate(),
                errors,
                forgiven,
            }
        });
        rows.collect()
    }
}
