//! What became of conditions.

use serde::Serialize;

/// What became of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It did not come true.
    Passed,
    /// It came true: what must not be is.
    Failed,
    /// It can't be told.
    NotJudged,
}

/// A condition of one system, judged.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verdict {
    /// As it was written.
    pub condition: String,
    /// The system.
    pub model: String,
    /// The group, as `key:value`.
    pub group: Option<String>,
    /// What became of it.
    pub status: Status,
    /// The figure.
    pub value: Option<f64>,
    /// Lower end of its interval.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
    /// Of regressions: one-sided, adjusted for all conditions with a `p` (Holm).
    pub p: Option<f64>,
    /// The smallest regression that would be seen with these samples in four of five
    /// cases.
    pub smallest_visible: Option<f64>,
    /// In words.
    pub message: String,
}
