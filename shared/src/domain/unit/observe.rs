//! What the provider says of a batch, and what that means for its unit.
//!
//! A batch that is still open at its deadline is made once more. First it must be
//! certain that nothing comes of the old one any more: it is stopped, and looked
//! at until it is over. Should it have succeeded meanwhile, its results count and
//! nothing is made again. A batch that ended by itself is not made again: its
//! items fail with the reason, and people can retry them.

use std::time::Duration;

use super::{Ending, Policy, Unit};
use crate::domain::Timestamp;
use crate::providers::BatchState;

/// A batch as a unit knows it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    pub(super) submitted_at: Timestamp,
    pub(super) settled_at: Option<Timestamp>,
    pub(super) stopping_since: Option<Timestamp>,
}

/// What an observation means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The batch goes on.
    Open,
    /// It is overdue, and to be stopped.
    Stop,
    /// It is over and brought nothing: its items are submitted once more.
    Again,
    /// It is over.
    Ended(Ending),
    /// It is overdue and can't be stopped: given up.
    Abandoned(Ending),
}

fn nothing(code: &str, message: &str) -> Ending {
    Ending::Nothing {
        code: code.into(),
        message: message.into(),
        retryable: true,
    }
}

fn timed_out() -> Ending {
    nothing(
        "provider_timeout",
        "the provider did not finish the batch before the deadline",
    )
}

impl Unit {
    /// What the state of its batch means.
    pub(super) fn verdict(
        &self,
        known: Known,
        state: &BatchState,
        output: Option<String>,
        now: Timestamp,
        policy: &Policy,
    ) -> Verdict {
        let once_more = |ending| match self.resubmitted {
            None => Verdict::Again,
            Some(_) => Verdict::Ended(ending),
        };
        match (state, output) {
            (BatchState::Succeeded | BatchState::Cancelled | BatchState::Failed, Some(output)) => {
                Verdict::Ended(Ending::Output { output })
            }
            (BatchState::Succeeded, None) => {
                let waited = known
                    .settled_at
                    .map_or(Duration::ZERO, |since| now.since(since));
                if waited < policy.settle {
                    return Verdict::Open;
                }
                Verdict::Ended(nothing(
                    "provider_no_output",
                    "the provider finished without an output",
                ))
            }
            // It was ours to stop.
            (BatchState::Expired, _) | (BatchState::Cancelled | BatchState::Failed, None)
                if known.stopping_since.is_some() =>
            {
                once_more(timed_out())
            }
            (BatchState::Expired, _) => Verdict::Ended(nothing(
                "provider_expired",
                "the provider did not process the batch in time",
            )),
            (BatchState::Failed, None) => Verdict::Ended(nothing(
                "provider_failed",
                "the provider failed the whole batch",
            )),
            (BatchState::Cancelled, None) => Verdict::Ended(nothing(
                "provider_cancelled",
                "the batch was cancelled at the provider",
            )),
            (BatchState::Pending | BatchState::Running | BatchState::Unknown(_), _) => {
                match known.stopping_since {
                    None if now.since(known.submitted_at) >= policy.deadline => Verdict::Stop,
                    // It may yet end and cost money: another one must not run
                    // beside it.
                    Some(since) if now.since(since) >= policy.grace => {
                        Verdict::Abandoned(timed_out())
                    }
                    _ => Verdict::Open,
                }
            }
        }
    }
}
