//! A unit of calls in the hands of one worker: taken with a fence, given back until later, or
//! brought to its end.

use stt_eval_shared::App;
use stt_eval_shared::domain::call::{Call, CallOutcome, CallState};
use stt_eval_shared::domain::unit::{Ending, Event, Pause, Unit, Unsent};
use stt_eval_shared::work::Failure;
use stt_eval_shared::work::step::fence;

use super::turn::{intend, step_aside, wait};

/// A unit whose calls this worker makes.
pub(super) struct HeldUnit {
    /// As it was written with the claim.
    pub(super) unit: Unit,
    pub(super) fence: u64,
    calls: Vec<Call>,
}

impl HeldUnit {
    /// Takes the unit, and settles what a dead worker left open. `None` when it
    /// is not to be had.
    pub(super) async fn begin(
        app: &App,
        unit: &Unit,
        credential: &str,
        free: bool,
    ) -> Result<Option<Self>, Failure> {
        let fence = fence()?;
        let begin = Event::Begin {
            fence,
            credential: credential.to_owned(),
        };
        let Some(unit) = intend(app, unit, begin).await? else {
            return Ok(None);
        };
        let known = app
            .store
            .calls(&unit.project, unit.run, unit.key, unit.positions());
        let mut calls = known.await?;
        for call in &mut calls {
            if !call.is_left_by_another(fence) {
                continue;
            }
            let outcome = if app.store.has_answer(call).await? {
                CallOutcome::Landed
            } else {
                tracing::warn!(run_id = %unit.run, unit_id = %unit.key, position = call.position, "a call may have been made and paid for; its answer is lost");
                CallOutcome::Unknown
            };
            let settled = call.settled(outcome, free);
            app.store.save_call(&settled).await?;
            *call = settled;
        }
        Ok(Some(Self { unit, fence, calls }))
    }

    pub(super) fn known(&self, position: u16) -> Option<&Call> {
        self.calls.iter().find(|call| call.position == position)
    }

    /// Gives the unit back until later.
    pub(super) async fn pause(&self, app: &App, landed: bool, why: Pause) -> Result<(), Failure> {
        let paused = Event::Paused {
            fence: self.fence,
            landed,
            why,
        };
        match why {
            Pause::Interrupted => wait(app, &self.unit, paused).await,
            _ => step_aside(app, &self.unit, paused).await,
        }
    }

    /// Ends the unit's calls. Items that were not called for fail for a reason of
    /// their own, or else as the ending says; what landed counts.
    pub(super) async fn finish(
        &self,
        app: &App,
        own: Vec<Unsent>,
        ending: &Ending,
    ) -> Result<(), Failure> {
        let unit = &self.unit;
        let calls = app
            .store
            .calls(&unit.project, unit.run, unit.key, unit.positions())
            .await?;
        let (mut landed, mut unsent) = (false, Vec::new());
        for position in unit.positions() {
            let call = calls.iter().find(|call| call.position == position);
            if call.is_some_and(|call| call.state == CallState::Landed) {
                landed = true;
                continue;
            }
            let told = own.iter().find(|item| item.position == position);
            let told = told.cloned().or_else(|| call.and_then(Call::unsent));
            unsent.extend(told.or_else(|| rest(position, ending)));
        }
        let called = Event::Called {
            fence: self.fence,
            landed,
            unsent,
        };
        step_aside(app, unit, called).await
    }
}

fn rest(position: u16, ending: &Ending) -> Option<Unsent> {
    match ending {
        Ending::Nothing {
            code,
            message,
            retryable,
        } => Some(Unsent {
            position,
            code: code.clone(),
            message: message.clone(),
            retryable: *retryable,
        }),
        Ending::Output { .. } | Ending::Landed => None,
    }
}

/// Ends a unit of which nothing more will be called for: what landed counts, the
/// rest fails as the ending says.
pub(crate) async fn give_up(app: &App, unit: &Unit, ending: &Ending) -> Result<(), Failure> {
    let credential = unit.credential.clone().unwrap_or_default();
    match HeldUnit::begin(app, unit, &credential, false).await? {
        Some(held) => held.finish(app, Vec::new(), ending).await,
        None => Ok(()),
    }
}
