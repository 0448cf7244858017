//! Releasing admission: a unit's place becomes free, and those that waited longest
//! are called up (see [`crate::domain::admission`]).

use std::time::Duration;

use super::failure::Failure;
use crate::app::App;
use crate::domain::Timestamp;
use crate::domain::admission::Admission;
use crate::domain::unit::{Ending, Event, TIMEOUT_CODE, Unit, UnitState, WaitingReason};
use crate::store::StoreError;

/// Units that are called up at once.
const CALLED: usize = 10;

/// Releases a unit's place, before the unit is done: afterwards nothing would
/// come back for it. Its audio is deleted later.
pub async fn release(app: &App, unit: &Unit) -> Result<(), Failure> {
    release_all(app, &[unit]).await
}

/// Releases the places of units, all of one credential, in one write.
pub async fn release_all(app: &App, units: &[&Unit]) -> Result<(), Failure> {
    let Some(first) = units.first() else {
        return Ok(());
    };
    let Some(credential) = &first.credential else {
        return Ok(());
    };
    let now = Timestamp::now();
    let hold = app
        .limits(&first.vendor)
        .map_or(Duration::ZERO, |limits| limits.quota_hold);
    let from = |unit: &Unit| match &unit.state {
        // Another invocation may be about to submit it, and still be sending.
        UnitState::Ready { .. }
        | UnitState::Creating { .. }
        | UnitState::Collecting { batch: None, .. } => now + app.config.bounds.staging_lease,
        _ => now,
    };
    let admission = app
        .store
        .change_admission(&first.project, &first.vendor, credential, |admission| {
            let mut rest: Option<Admission> = None;
            for unit in units {
                let admission = rest.as_ref().unwrap_or(admission);
                let held = was_stopped(unit)
                    .then(|| admission.holding(unit.run, unit.key, now, now + hold));
                let admission = held.as_ref().unwrap_or(admission);
                rest = admission.without(unit.run, unit.key, from(unit)).or(rest);
            }
            rest
        })
        .await?;
    // What is not called asks again by itself.
    if let Err(error) = call_up(app, &admission).await {
        tracing::warn!(%error, "units that wait were not called up");
    }
    Ok(())
}

/// Whether a unit that leaves had a job which was told to stop: the vendor may
/// free what it took up only later.
fn was_stopped(unit: &Unit) -> bool {
    match &unit.state {
        UnitState::Cancelling { .. } => true,
        UnitState::Collecting {
            batch: Some(_),
            ending: Ending::Nothing { code, .. },
            ..
        } => code == TIMEOUT_CODE,
        _ => false,
    }
}

/// Calls up the units whose turn it is.
pub async fn call_up(app: &App, admission: &Admission) -> Result<(), Failure> {
    let Some(limits) = app.limits(&admission.provider) else {
        return Ok(());
    };
    let mut next = admission.next(&limits.for_admission(), Timestamp::now());
    next.truncate(CALLED);
    if next.is_empty() {
        return Ok(());
    }
    let keys = next.into_iter().map(|demand| (demand.run, demand.unit));
    for unit in app.store.units(&admission.project, keys).await? {
        call(app, &unit).await?;
    }
    Ok(())
}

/// Has a unit tried at once that waits to be tried later.
pub async fn call(app: &App, unit: &Unit) -> Result<(), Failure> {
    let now = Timestamp::now();
    if !matches!(unit.state, UnitState::Ready { not_before } if not_before > now) {
        return Ok(());
    }
    // Its own message, which is on its way for later, finds that it was
    // called and does nothing, or comes too late.
    let called = Event::Waiting {
        pause: Duration::ZERO,
        reason: unit.waiting_reason.unwrap_or(WaitingReason::Other),
    };
    let Ok(step) = unit.step(called, now, &app.policy(&unit.vendor)) else {
        return Ok(());
    };
    match app.store.save_unit(&step.unit).await {
        Ok(()) => Ok(app.queue.submit_unit(&step.unit).await?),
        Err(StoreError::Conflict) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
