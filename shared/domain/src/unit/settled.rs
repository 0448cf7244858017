//! Units whose items need no provider, because what becomes of them is known when
//! they are planned: transcripts that were made elsewhere, and clips that a model
//! can't take. They begin where the units of a provider come to in the end,
//!
//! ```text
//! collecting ─collected→ collected
//!     └─ cancel → cancelled
//! ```
//!
//! and are scored, counted, replayed and deleted like any other. There is no state
//! in which money could be spent for one, and no step leads to such a state.

use super::{Ending, Unit, UnitKind, UnitState, Unsent};
use crate::Timestamp;
use crate::failure::FailureCode;

impl Unit {
    /// Makes a new unit one of transcripts that were made elsewhere, and lie in the
    /// bucket already.
    #[must_use]
    pub fn of_transcripts(self, now: Timestamp) -> Self {
        Self {
            kind: UnitKind::Imported,
            attempt: 1,
            ..self.settled(Ending::Landed, now)
        }
    }

    /// Makes a new unit one of items that can't be sent, each for a reason of its own.
    #[must_use]
    pub fn of_unsendable(self, unsent: Vec<Unsent>, now: Timestamp) -> Self {
        Self {
            unsent,
            ..self.settled(Ending::nothing(FailureCode::UnsupportedByModel), now)
        }
    }

    /// Free to be collected by the first worker that comes.
    fn settled(self, ending: Ending, now: Timestamp) -> Self {
        Self {
            state: UnitState::Collecting {
                batch: None,
                fence: 0,
                claimed_at: Timestamp::default(),
                ending,
            },
            due_at: Some(now),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::tests::{at, new};
    use super::super::{BatchState, Event, Pause, Policy, Unit, UnitState, WaitingReason};
    use super::*;

    /// Every event there is but the late output of a batch, of which there is none; each as it would be for a worker with this claim.
    fn events(fence: u64) -> Vec<Event> {
        let reason = WaitingReason::Other;
        let (retry_after, batch) = (None, || "batch".to_owned());
        vec![
            Event::Claim {
                fence,
                batch_input: "input".into(),
                batch_name: "name".into(),
                credential: "credential".into(),
                unsent: Vec::new(),
            },
            Event::Created {
                fence,
                batch: batch(),
            },
            Event::Refused {
                fence,
                retry_after,
                reason,
            },
            Event::QueueFull { fence, retry_after },
            Event::Postponed {
                retry_after,
                reason,
                failed: Vec::new(),
            },
            Event::Doubted,
            Event::Waiting {
                pause: Duration::ZERO,
                reason,
            },
            Event::Unsendable {
                ending: Ending::nothing(FailureCode::NoCredentials),
                unsent: Vec::new(),
            },
            Event::Begin {
                fence,
                credential: "credential".into(),
            },
            Event::Paused {
                fence,
                landed: false,
                why: Pause::Interrupted,
            },
            Event::Abandoned,
            Event::Called {
                fence,
                landed: true,
                unsent: Vec::new(),
            },
            Event::Searched {
                found: vec![batch()],
                fence,
            },
            Event::Unsearchable { fence },
            Event::Observed {
                state: BatchState::Succeeded,
                output: None,
                fence,
            },
            Event::Denied {
                unlisted: true,
                fence,
            },
            Event::Vanished { fence },
            Event::TakeOver { fence },
            Event::Unreadable { fence },
            Event::Collected { fence },
            Event::Cancel,
            Event::Stopped,
        ]
    }

    /// What can be reached from a unit, by any events in any order at any time.
    fn reachable(unit: Unit) -> Vec<Unit> {
        let policy = Policy::default();
        let (mut all, mut next) = (Vec::new(), vec![unit]);
        while let Some(unit) = next.pop() {
            if all.len() > 300 {
                break;
            }
            for (fence, late) in [(0, 0), (0, 1), (7, 0), (7, 1)] {
                let now = at(1) + policy.deadline * late;
                for event in events(fence) {
                    let Ok(step) = unit.step(event, now, &policy) else {
                        continue;
                    };
                    assert!(step.effects.is_empty(), "{:?}", step.effects);
                    next.push(step.unit);
                }
            }
            all.push(unit);
        }
        all
    }

    #[test]
    fn no_event_brings_one_to_where_money_is_spent() {
        let transcripts = new(at(0)).of_transcripts(at(0));
        let unsent = vec![Unsent::new(0, FailureCode::UnsupportedByModel)];
        let clips = new(at(0)).of_unsendable(unsent, at(0));
        for unit in [transcripts, clips] {
            assert!(!unit.is_done() && unit.due_at == Some(at(0)));
            let all = reachable(unit);
            assert!(all.iter().any(|unit| unit.state == UnitState::Collected));
            assert!(all.iter().any(|unit| unit.state == UnitState::Cancelled));
            for unit in all {
                assert!(
                    matches!(
                        unit.state,
                        UnitState::Collecting { batch: None, .. }
                            | UnitState::Collected
                            | UnitState::Cancelled
                    ),
                    "{unit:?}"
                );
                assert!(unit.credential.is_none() && unit.batches.is_empty());
            }
        }
    }
}
