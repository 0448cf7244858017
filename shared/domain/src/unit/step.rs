//! The transitions of a unit.

use super::super::failure::FailureCode;
use super::observe::{Known, Verdict};
use super::{
    AudioFailures, Doubt, Effect, Ending, Event, Fate, Policy, QUARANTINE_CODE, Resubmission,
    Stale, Step, Unit, UnitKind, UnitState, WaitingReason,
};
use crate::Timestamp;
use crate::unit::BatchState;

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
                    batch_name,
                    credential,
                    unsent,
                },
            ) if self.kind == UnitKind::Job => {
                next.attempt += 1;
                next.batch_input = Some(batch_input);
                next.batch_name = Some(batch_name);
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
                    failed,
                },
            ) => {
                next.count_failures(failed);
                next.postpone(retry_after, reason, now, policy);
            }
            (UnitState::Ready { .. }, Event::Doubted) => next.doubt_more(now, policy),
            (UnitState::Ready { .. }, Event::Waiting { pause, reason }) => {
                next.waiting_reason = Some(reason);
                next.state = UnitState::Ready {
                    not_before: now + pause,
                };
            }
            (UnitState::Ready { .. }, Event::Unsendable { ending, unsent }) => {
                next.unsent = unsent;
                // No worker holds it: the first that comes may write the outcomes.
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
            (
                UnitState::Creating { fence, .. },
                Event::QueueFull {
                    fence: mine,
                    retry_after,
                },
            ) if *fence == mine => {
                next.queue(retry_after, WaitingReason::ProviderRateLimited, now, policy)
            }
            (UnitState::Creating { claimed_at, .. }, Event::Searched { found, fence })
                if now.since(*claimed_at) >= policy.grace =>
            {
                let mut found = found.into_iter();
                if let Some(batch) = found.next() {
                    for other in found {
                        next.batches.push(other.clone());
                        next.fates.insert(other.clone(), Fate::Duplicate);
                        effects.push(Effect::CancelBatch(other));
                    }
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
                next.doubt = None;
                next.blocked = None;
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
                next.cut_short = matches!(state, BatchState::Cancelled | BatchState::Failed);
                next.state = match self.verdict(known, &state, output, now, policy) {
                    Verdict::Open => open(*stopping_since),
                    Verdict::Stop => open(Some(now)),
                    Verdict::Ended(ending) => collecting(ending),
                    Verdict::Abandoned(ending) => {
                        next.fates.insert(batch.clone(), Fate::Stopped);
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
            (UnitState::Submitted { .. }, Event::KeyRefused) => next.key_refused(now),
            (UnitState::Submitted { .. }, Event::Denied { unlisted, .. })
                if !unlisted || !self.would_be_believed(now, policy) =>
            {
                next.doubt = Some(Doubt::more(self.doubt, now, policy));
            }
            (
                UnitState::Submitted { batch, .. },
                Event::Vanished { fence } | Event::Denied { fence, .. },
            ) => {
                next.fates.insert(batch.clone(), Fate::Lost);
                next.state = UnitState::Collecting {
                    batch: Some(batch.clone()),
                    fence,
                    claimed_at: now,
                    ending: Ending::Nothing {
                        code: FailureCode::ProviderLost.into(),
                        message: "the provider no longer knows the batch".into(),
                        retryable: true,
                    },
                };
            }
            (UnitState::Collected | UnitState::Quarantined, Event::Late { batch })
                if !self.fate(&batch).may_be_deleted() =>
            {
                if !next.batches.contains(&batch) {
                    next.batches.push(batch.clone());
                }
                next.fates.insert(batch, Fate::Landed);
                next.state = UnitState::Collected;
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
            (
                UnitState::Collecting {
                    batch,
                    fence,
                    ending,
                    ..
                },
                Event::Unreadable { fence: mine },
            ) if *fence == mine => {
                next.doubt = Some(Doubt::more(self.doubt, now, policy));
                // No worker holds it until it is asked for again.
                let pause = policy.doubt / policy.denials.saturating_sub(1).max(1);
                next.state = UnitState::Collecting {
                    batch: batch.clone(),
                    fence: mine,
                    claimed_at: now + pause - policy.collect_lease,
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
            (_, event) => self.step_calls(&mut next, event, now, policy)?,
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

    fn count_failures(&mut self, failed: Vec<u16>) {
        for position in failed {
            let mut known = self.audio_failures.iter_mut();
            match known.find(|known| known.position == position) {
                Some(known) => known.times = known.times.saturating_add(1),
                None => self
                    .audio_failures
                    .push(AudioFailures { position, times: 1 }),
            }
        }
    }

    fn next_due(&self, now: Timestamp, policy: &Policy) -> Option<Timestamp> {
        match &self.state {
            UnitState::Ready { not_before } if *not_before > now => Some(*not_before),
            UnitState::Ready { .. } => Some(now + policy.resend_after),
            UnitState::Creating { claimed_at, .. } => Some(*claimed_at + policy.grace),
            UnitState::Calling { claimed_at, .. } => Some(policy.look_for_worker(*claimed_at)),
            UnitState::Submitted { stopping_since, .. } => match stopping_since {
                Some(since) if *since == now => Some(now),
                Some(_) => Some(now + policy.resend_after),
                None => Some(now + policy.backstop),
            },
            // One that no worker holds is due now, not since long ago.
            UnitState::Collecting { claimed_at, .. } => {
                Some((*claimed_at + policy.collect_lease).max(now))
            }
            UnitState::Cancelling { .. } => Some(now),
            UnitState::Collected | UnitState::Quarantined | UnitState::Cancelled => None,
        }
    }
}
