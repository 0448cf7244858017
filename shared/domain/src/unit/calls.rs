//! Transitions of a unit whose items are asked for one call each, by a vendor
//! that answers in the call itself and can't be asked about it afterwards.
//!
//! ```text
//! ready ─begin→ calling ─called→ collecting ─collected→ collected
//!   ↑             │ │ cancel → cancelled
//!   └── paused ───┘ (a pause, no time left, or the lease ran out)
//! ```
//!
//! `calling` is a lease of one worker and no intent: each item has an intent of
//! its own ([`crate::call::Call`]), so that a lost answer costs one item and not
//! the unit.

use serde::{Deserialize, Serialize};

use super::{Ending, Event, Pause, Policy, Stale, Unit, UnitState};
use crate::Timestamp;
use crate::failure::FailureCode;

/// How a unit comes to its results.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnitKind {
    /// All items in one job at the provider, collected later.
    #[default]
    Job,
    /// One call an item, answered at once.
    Calls,
    /// Transcripts that were made elsewhere: no vendor is asked. See `settled`.
    Imported,
}

impl UnitKind {
    /// Whether it is a job; what units of earlier releases are.
    #[must_use]
    pub fn is_job(&self) -> bool {
        *self == Self::Job
    }
}

impl Unit {
    /// Applies an event to `next`, a copy of this unit, where it is about calls.
    pub(super) fn step_calls(
        &self,
        next: &mut Self,
        event: Event,
        now: Timestamp,
        policy: &Policy,
    ) -> Result<(), Stale> {
        match (&self.state, event) {
            (UnitState::Ready { .. }, Event::Begin { fence, credential })
                if self.kind == UnitKind::Calls =>
            {
                next.attempt = self.attempt.max(1);
                next.credential = Some(credential);
                next.state = UnitState::Calling {
                    fence,
                    claimed_at: now,
                };
            }
            (
                UnitState::Calling { fence, .. },
                Event::Paused {
                    fence: mine,
                    landed,
                    why,
                },
            ) if *fence == mine => {
                if landed {
                    next.refusals = 0;
                    next.refused_since = None;
                    next.queued_since = None;
                    next.blocked = None;
                    next.doubt = None;
                }
                match why {
                    Pause::Refused {
                        retry_after,
                        reason,
                    } => next.postpone(retry_after, reason, now, policy),
                    Pause::Limited {
                        retry_after,
                        reason,
                    } => next.queue(retry_after, reason, now, policy),
                    Pause::Interrupted => next.state = UnitState::Ready { not_before: now },
                }
            }
            // The worker is dead: its function can't live as long as that.
            (UnitState::Calling { claimed_at, .. }, Event::Abandoned)
                if policy.is_dead(*claimed_at, now) =>
            {
                next.state = UnitState::Ready { not_before: now };
            }
            (
                UnitState::Calling { fence, .. },
                Event::Called {
                    fence: mine,
                    landed,
                    unsent,
                },
            ) if *fence == mine => {
                next.unsent = unsent;
                let ending = if landed {
                    Ending::Landed
                } else {
                    Ending::nothing(FailureCode::NothingToSend)
                };
                // Free to be collected by the first worker that comes.
                next.state = UnitState::Collecting {
                    batch: None,
                    fence: 0,
                    claimed_at: Timestamp::default(),
                    ending,
                };
            }
            (UnitState::Calling { .. }, Event::Cancel) => next.state = UnitState::Cancelled,
            _ => return Err(Stale),
        }
        Ok(())
    }
}
