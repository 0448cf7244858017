//! What the provider says of a batch, and what that means for its unit.
//!
//! A batch that is still open at its deadline is stopped, and looked at until it is
//! over: should it have succeeded meanwhile, its results count. If not, its items
//! fail with the reason, and people can retry them; or they are submitted once
//! more, where that is asked for. It is not by default: what the provider had done
//! of a batch that it stopped may be billed. A batch that ended by itself is never
//! made again.

use std::time::Duration;

use super::super::failure::FailureCode;
use super::{Ending, Policy, Unit};
use crate::Timestamp;
use crate::unit::BatchState;

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
    /// It was stopped and brought nothing: its items are submitted once more.
    Again,
    /// It is over.
    Ended(Ending),
    /// It is overdue and can't be stopped: given up.
    Abandoned(Ending),
}

fn timed_out() -> Ending {
    Ending::nothing(FailureCode::ProviderTimeout)
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
            None if policy.resubmit => Verdict::Again,
            _ => Verdict::Ended(ending),
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
                Verdict::Ended(Ending::nothing(FailureCode::ProviderNoOutput))
            }
            // It was ours to stop.
            (BatchState::Expired, _) | (BatchState::Cancelled | BatchState::Failed, None)
                if known.stopping_since.is_some() =>
            {
                once_more(timed_out())
            }
            (BatchState::Expired, _) => {
                Verdict::Ended(Ending::nothing(FailureCode::ProviderExpired))
            }
            (BatchState::Failed, None) => {
                Verdict::Ended(Ending::nothing(FailureCode::ProviderFailed))
            }
            (BatchState::Cancelled, None) => Verdict::Ended(Ending::nothing_with(
                FailureCode::ProviderCancelled,
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
