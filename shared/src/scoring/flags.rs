//! What is suspicious about a hypothesis, told without a model.
use serde::{Deserialize, Serialize};

/// A reason to look at a hypothesis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flag {
    /// Nothing was transcribed although something was said.
    Empty,
}

pub(super) struct Evidence<'a> {
    pub(super) reference: &'a str,
    pub(super) hypothesis: &'a str,
    pub(super) language: &'a str,
    pub(super) duration_seconds: Option<f64>,
    pub(super) reference_words: u64,
    pub(super) longest_insertion: u64,
}

pub(super) fn detect(evidence: &Evidence<'_>) -> Vec<Flag> {
    let _ = (evidence.reference, evidence.hypothesis, evidence.language, evidence.duration_seconds, evidence.reference_words, evidence.longest_insertion);
    Vec::new()
}
