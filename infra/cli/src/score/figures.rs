//! Figures of a system, as documents have them.

use serde::Serialize;
use stt_eval_scoring::Counts;
use stt_eval_wire::scores::Figures;

/// Ends of an interval of 95 %.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Ends {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// Counts of an alignment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct CountsOf {
    /// Words or characters that are right.
    pub hits: u64,
    /// Others in their place.
    pub substitutions: u64,
    /// Missing ones.
    pub deletions: u64,
    /// Ones too many.
    pub insertions: u64,
}

impl CountsOf {
    /// Words or characters of the references.
    pub const fn reference(self) -> u64 {
        self.hits + self.substitutions + self.deletions
    }
}

impl SystemOf {
    /// Its words, where a sample counts.
    pub fn counted(&self) -> Option<CountsOf> {
        (self.samples > 0).then_some(self.words)
    }
}

impl From<&Figures> for CountsOf {
    fn from(figures: &Figures) -> Self {
        Self {
            hits: figures.hits,
            substitutions: figures.substitutions,
            deletions: figures.deletions,
            insertions: figures.insertions,
        }
    }
}

impl From<Counts> for CountsOf {
    fn from(counts: Counts) -> Self {
        Self {
            hits: counts.hits,
            substitutions: counts.substitutions,
            deletions: counts.deletions,
            insertions: counts.insertions,
        }
    }
}

/// One system, in the document.
#[derive(Debug, Serialize)]
pub struct SystemOf {
    /// Its name.
    pub name: String,
    /// Samples that count.
    pub samples: usize,
    /// Samples that do not: the service failed.
    pub failed: usize,
    /// Word error rate; none where no sample counts.
    pub wer: Option<f64>,
    /// Its interval.
    pub wer_interval: Option<Ends>,
    /// Words.
    pub words: CountsOf,
    /// Character error rate, likewise.
    pub cer: Option<f64>,
    /// Characters.
    pub characters: CountsOf,
}
