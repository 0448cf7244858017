//! The transitions of a unit.

use std::time::Duration;

use super::observe::{Known, Verdict};
use super::{
    Ending, Policy, QUARANTINE_CODE, Resubmission, Unit, UnitState, Unsent, WaitingReason,
};
use crate::domain::Timestamp;
use crate::providers::BatchState;

/// What happened to a unit.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// Somebody is about to create its batch.
    Claim {
        /// New, unique claim.
        fence: u64,
        /// The request document.
        batch_input: String,
        /// Credential in use.
        credential: String,
        /// Items that could not be sent.
        unsent: Vec<Unsent>,
    },
    /// The provider gave the batch's name.
    Created {
        /// Claim of the creator.
        fence: u64,
        /// Name.
        batch: String,
    },
    /// The provider refused for certain; try again later.
    Refused {
        /// Claim of the creator.
        fence: u64,
        /// The provider's advice.
        retry_after: Option<Duration>,
        /// Why it now waits.
        reason: WaitingReason,
    },
    /// Something before the claim was refused or missing; try again later.
    Postponed {
        /// The provider's advice.
        retry_after: Option<Duration>,
        /// Why it now waits.
        reason: WaitingReason,
    },
    /// It waits for something that is under way elsewhere; no refusal.
    Waiting {
        /// For how long at least.
        pause: Duration,
        /// What for.
        reason: WaitingReason,
    },
    /// It can never be submitted: its items fail for this reason.
    Unsendable {
        /// Why.
        ending: Ending,
        /// Items that could not be sent, with reasons of their own.
        unsent: Vec<Unsent>,
    },
    /// A complete listing of the credential's batches was searched for the
    /// display name of the current attempt; oldest first.
    Searched {
        /// Batches found.
        found: Vec<String>,
        /// Claim, should this start a collection.
        fence: u64,
    },
    /// The credential's batches can't be listed any more: it was removed, or
    /// the provider has not accepted it for too long.
    Unsearchable {
        /// Claim for the collection this starts.
        fence: u64,
    },
    /// The provider told the state of the batch.
    Observed {
        /// State.
        state: BatchState,
        /// Reference of the output.
        output: Option<String>,
        /// Claim, should this start a collection.
        fence: u64,
    },
    /// The provider does not know the batch by its own name.
    Vanished {
        /// Claim for the collection this starts.
        fence: u64,
    },
    /// A collection that did not finish is taken over.
    TakeOver {
        /// New, unique claim.
        fence: u64,
    },
    /// All outcomes are written.
    Collected {
        /// Claim of the collector.
        fence: u64,
    },
    /// People cancelled the run.
    Cancel,
    /// The provider was told to stop the batch.
    Stopped,
}

/// What has to be done at the provider because of a step. Each may be
/// repeated without harm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Stop a batch.
    CancelBatch(String),
    /// Delete a request document that no batch reads any more.
    DeleteInput(String),
}

/// Result of a step.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The unit afterwards, with the next revision.
    pub unit: Unit,
    /// What has to be done at the provider.
    pub effects: Vec<Effect>,
}

/// The event does not fit the state: somebody else was faster, or it is late.
/// Always harmless, never retried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the unit has moved on")]
pub struct Stale;

impl Unit {
    /// Applies an event.
    pub fn step(&self, event: Event, now: Timestamp, policy: &Policy) -> Result<Step, Stale> {
        let mut next = self.clone();
        let mut effects = Vec::new();
        next.waiting_reason = None;
        if self.is_of_0_1()
            && let Some(batch) = self.batch()
            && next.batches.is_empty()
        {
            next.batches.push(batch.to_owned());
        }
        match (&self.state, event) {
            (
                UnitState::Ready { .. },
                Event::Claim {
                    fence,
                    batch_input,
                    credential,
                    unsent,
                },
            ) => {
                next.attempt += 1;
                next.batch_input = Some(batch_input);
                next.credential = Some(credential);
                next.unsent = unsent;
                next.state = UnitState::Creating {
                    fence,
                    claimed_at: now,
                };
            }
            (
                UnitState::Ready { .. },
                Event::Postponed {
                    retry_after,
                    reason,
                },
            ) => {
                next.postpone(retry_after, reason, now, policy);
            }
            (UnitState::Ready { .. }, Event::Waiting { pause, reason }) => {
                next.waiting_reason = Some(reason);
                next.state = UnitState::Ready {
                    not_before: now + pause,
                };
            }
            (UnitState::Ready { .. }, Event::Unsendable { ending, unsent }) => {
                next.unsent = unsent;
                // Nobody holds it: whoever comes first may write the outcomes.
                next.state = UnitState::Collecting {
                    batch: None,
                    fence: 0,
                    claimed_at: Timestamp::default(),
                    ending,
                };
            }
            (UnitState::Ready { .. }, Event::Cancel) => {
                // Of an attempt that was refused, or never found: no batch
                // reads it.
                effects.extend(next.batch_input.take().map(Effect::DeleteInput));
                next.state = UnitState::Cancelled;
            }

            (UnitState::Creating { fence, .. }, Event::Created { fence: mine, batch })
                if *fence == mine =>
            {
                next.refusals = 0;
                next.submitted(batch, now);
            }
            (
                UnitState::Creating { fence, .. },
                Event::Refused {
                    fence: mine,
                    retry_after,
                    reason,
                },
            ) if *fence == mine => {
                next.postpone(retry_after, reason, now, policy);
            }
            (UnitState::Creating { claimed_at, .. }, Event::Searched { found, fence })
                if now.since(*claimed_at) >= policy.grace =>
            {
                let mut found = found.into_iter();
                if let Some(batch) = found.next() {
                    effects.extend(found.map(Effect::CancelBatch));
                    next.submitted(batch, now);
                } else {
                    next.unknown += 1;
                    next.state = if next.unknown < policy.max_attempts {
                        UnitState::Ready { not_before: now }
                    } else {
                        // Asking again could cost real money each time.
                        Self::set_aside(fence, now)
                    };
                }
            }
            (UnitState::Creating { claimed_at, .. }, Event::Unsearchable { fence })
                if now.since(*claimed_at) >= policy.grace =>
            {
                next.unknown += 1;
                next.state = Self::set_aside(fence, now);
            }

            (
                UnitState::Submitted {
                    batch,
                    submitted_at,
                    settled_at,
                    stopping_since,
                },
                Event::Observed {
                    state,
                    output,
                    fence,
                },
            ) => {
                let known = Known {
                    submitted_at: *submitted_at,
                    settled_at: *settled_at,
                    stopping_since: *stopping_since,
                };
                let collecting = |ending| UnitState::Collecting {
                    batch: Some(batch.clone()),
                    fence,
                    claimed_at: now,
                    ending,
                };
                let open = |stopping_since| UnitState::Submitted {
                    batch: batch.clone(),
                    submitted_at: *submitted_at,
                    settled_at: settled_at.or((state == BatchState::Succeeded).then_some(now)),
                    stopping_since,
                };
                next.state = match self.verdict(known, &state, output, now, policy) {
                    Verdict::Open => open(*stopping_since),
                    Verdict::Stop => open(Some(now)),
                    Verdict::Ended(ending) => collecting(ending),
                    Verdict::Abandoned(ending) => {
                        effects.push(Effect::CancelBatch(batch.clone()));
                        collecting(ending)
                    }
                    Verdict::Again => {
                        effects.extend(next.batch_input.take().map(Effect::DeleteInput));
                        next.resubmitted = Some(Resubmission {
                            at: now,
                            batch: batch.clone(),
                            credential: self.credential.clone(),
                        });
                        next.waiting_reason = Some(WaitingReason::Resubmitting);
                        UnitState::Ready { not_before: now }
                    }
                };
            }
            (UnitState::Submitted { batch, .. }, Event::Vanished { fence }) => {
                next.state = UnitState::Collecting {
                    batch: Some(batch.clone()),
                    fence,
                    claimed_at: now,
                    ending: Ending::Nothing {
                        code: "provider_lost".into(),
                        message: "the provider no longer knows the batch".into(),
                        retryable: true,
                    },
                };
            }
            (UnitState::Submitted { batch, .. }, Event::Cancel) => {
                next.state = UnitState::Cancelling {
                    batch: batch.clone(),
                };
            }

            (
                UnitState::Collecting {
                    batch,
                    claimed_at,
                    ending,
                    ..
                },
                Event::TakeOver { fence },
            ) if now.since(*claimed_at) >= policy.collect_lease => {
                next.state = UnitState::Collecting {
                    batch: batch.clone(),
                    fence,
                    claimed_at: now,
                    ending: ending.clone(),
                };
            }
            (UnitState::Collecting { fence, ending, .. }, Event::Collected { fence: mine })
                if *fence == mine =>
            {
                let quarantined =
                    matches!(ending, Ending::Nothing { code, .. } if code == QUARANTINE_CODE);
                next.state = if quarantined {
                    UnitState::Quarantined
                } else {
                    UnitState::Collected
                };
            }
            (UnitState::Collecting { batch, .. }, Event::Cancel) => {
                next.state = match batch {
                    Some(batch) => UnitState::Cancelling {
                        batch: batch.clone(),
                    },
                    None => UnitState::Cancelled,
                };
            }

            (UnitState::Cancelling { .. }, Event::Stopped) => next.state = UnitState::Cancelled,
            _ => return Err(Stale),
        }
        next.due_at = next.next_due(now, policy);
        next.rev += 1;
        Ok(Step {
            unit: next,
            effects,
        })
    }

    /// The run still has to end: the items fail, a person looks.
    fn set_aside(fence: u64, now: Timestamp) -> UnitState {
        UnitState::Collecting {
            batch: None,
            fence,
            claimed_at: now,
            ending: Ending::Nothing {
                code: QUARANTINE_CODE.into(),
                message: "it could not be found out whether the provider took the batch; \
                          it was set aside"
                    .into(),
                retryable: true,
            },
        }
    }

    /// A cancelled unit whose intent is still open can't be dropped: the batch
    /// may exist. It stays `creating` until the search; then this applies.
    #[must_use]
    pub fn wants_search(&self, now: Timestamp, policy: &Policy) -> bool {
        matches!(&self.state, UnitState::Creating { claimed_at, .. }
            if now.since(*claimed_at) >= policy.grace)
    }

    fn postpone(
        &mut self,
        retry_after: Option<Duration>,
        reason: WaitingReason,
        now: Timestamp,
        policy: &Policy,
    ) {
        let pause = policy.refusal_pause * 2u32.saturating_pow(self.refusals.min(6));
        let pause = retry_after.map_or(pause, |advice| advice.max(policy.refusal_pause));
        self.refusals += 1;
        self.waiting_reason = Some(reason);
        self.state = UnitState::Ready {
            not_before: now + pause,
        };
    }

    fn next_due(&self, now: Timestamp, policy: &Policy) -> Option<Timestamp> {
        match &self.state {
            UnitState::Ready { not_before } if *not_before > now => Some(*not_before),
            UnitState::Ready { .. } => Some(now + policy.resend_after),
            UnitState::Creating { claimed_at, .. } => Some(*claimed_at + policy.grace),
            UnitState::Submitted { stopping_since, .. } => match stopping_since {
                Some(since) if *since == now => Some(now),
                Some(_) => Some(now + policy.resend_after),
                None => Some(now + policy.backstop),
            },
            // One that nobody holds is due now, not since long ago.
            UnitState::Collecting { claimed_at, .. } => {
                Some((*claimed_at + policy.collect_lease).max(now))
            }
            UnitState::Cancelling { .. } => Some(now),
            UnitState::Collected | UnitState::Quarantined | UnitState::Cancelled => None,
        }
    }
}
