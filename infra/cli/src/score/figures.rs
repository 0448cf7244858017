//! Figures of a system, as documents have them.

use serde::Serialize;
use stt_eval_scoring::Counts;

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
