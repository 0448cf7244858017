//! The report of texts that were compared without a run.

use stt_eval_wire::report::Report;

use super::worst::Misheard;
use crate::texts::Text;

/// What became of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is as it should be.
    Passed,
    /// It is not.
    Failed,
    /// It can't be told.
    NotJudged,
}

impl Outcome {
    /// Its mark; the word stands beside it.
    pub(super) const fn mark(self) -> &'static str {
        match self {
            Self::Passed => "✓",
            Self::Failed => "✗",
            Self::NotJudged => "?",
        }
    }

    pub(super) const fn word(self) -> Text {
        match self {
            Self::Passed => Text::GatePassed,
            Self::Failed => Text::GateFailed,
            Self::NotJudged => Text::GateNotJudged,
        }
    }
}

/// A condition that was to hold.
#[derive(Debug, Clone, Copy)]
pub struct Condition<'a> {
    /// What became of it.
    pub outcome: Outcome,
    /// In words.
    pub message: &'a str,
}

/// A condition, to be shown.
pub(super) struct Judged {
    pub(super) outcome: Outcome,
    pub(super) message: String,
}

/// Texts that were compared, and what is to be told of them beside their report.
#[derive(Debug, Clone, Copy)]
pub struct Texts<'a> {
    /// Their report: of no run, so its ids, status and prices are not shown.
    pub report: &'a Report,
    /// Conditions that were to hold.
    pub gate: &'a [Condition<'a>],
    /// Those with the highest error rates, the worst first.
    pub worst: &'a [Misheard<'a>],
    /// What was read, by what, as names and values.
    pub read: &'a [(&'static str, String)],
}
