//! What became of conditions.

use serde::Serialize;

use super::condition::Condition;

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

impl Verdict {
    /// Of a condition that is not judged yet.
    pub fn open(condition: &Condition, model: String) -> Self {
        Self {
            condition: condition.text.clone(),
            group: condition.group_name(),
            status: Status::NotJudged,
            value: None,
            low: None,
            high: None,
            p: None,
            smallest_visible: None,
            message: String::new(),
            model,
        }
    }
}
