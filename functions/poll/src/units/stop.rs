//! Stopping units whose run has ended.

use stt_eval_shared::domain::Timestamp;
use stt_eval_shared::domain::run::Run;
use stt_eval_shared::domain::unit::{Event, Fate, Unit, UnitState};
use stt_eval_shared::work::admission;
use stt_eval_shared::work::discard::cancel_batch;
use stt_eval_shared::{App, Deadline};

use stt_eval_shared::work::account::{access, client};
use stt_eval_shared::work::step::save;

use crate::discard::{self, Discarded};
use crate::failure::{Failure, NEEDED};

/// Stops the units of a run that has ended. True when none is under way.
pub(crate) async fn stop_units(app: &App, run: &Run, deadline: Deadline) -> Result<bool, Failure> {
    let mut all = true;
    for unit in app.store.units_of(&run.project, run.id).await? {
        // Units of a retry that this copy of the run does not know are not its.
        if unit.is_done() || !run.left_behind(unit.generation) {
            continue;
        }
        if !deadline.allows(NEEDED) {
            return Ok(false);
        }
        all &= match stop_unit(app, run, &unit).await {
            Ok(stopped) => stopped,
            Err(error) => {
                tracing::warn!(run_id = %unit.run, unit_id = %unit.key, %error, "a unit was not stopped and will be again");
                false
            }
        };
    }
    Ok(all)
}

/// Stops one unit. False when that takes more time.
async fn stop_unit(app: &App, run: &Run, unit: &Unit) -> Result<bool, Failure> {
    let patience = run.waits_for_batches_to_stop(Timestamp::now(), &app.config.policy);
    match &unit.state {
        UnitState::Cancelling { batch } => {
            let unit = cancel(app, unit, batch, patience).await?;
            let stopped = save(app, &unit, Event::Stopped).await?;
            return Ok(stopped.is_some());
        }
        // A batch may exist that is not recorded: the search must come first.
        UnitState::Creating { .. } => return Ok(false),
        // Its outcomes may be written already, so it is counted to the end.
        UnitState::Collecting { .. } if run.counts(unit.key) => return Ok(false),
        _ => {}
    }
    let Some(next) = save(app, unit, Event::Cancel).await? else {
        return Ok(false);
    };
    if let UnitState::Cancelling { batch } = &next.state {
        let next = cancel(app, &next, batch, patience).await?;
        return Ok(save(app, &next, Event::Stopped).await?.is_some());
    }
    Ok(next.is_done())
}

/// Stops the batch of a unit that is given up, and discards what was made for it.
///
/// Gives the unit without the batches that are gone. What is left to the audit of the
/// credential: a batch that is not over yet, one of a credential that was deleted and,
/// once there is no more `patience` to try again, one that the provider fails, or
/// refuses, to stop.
pub(crate) async fn cancel(
    app: &App,
    unit: &Unit,
    batch: &str,
    patience: bool,
) -> Result<Unit, Failure> {
    match stopped(app, unit, batch).await {
        Err(Failure::Provider(error)) if !patience => {
            tracing::error!(run_id = %unit.run, unit_id = %unit.key, %error, "a batch is left to the audit: it can't be stopped");
            // Afterwards nothing would come back for its place.
            admission::release(app, unit).await?;
            Ok(unit.clone())
        }
        stopped => stopped,
    }
}

async fn stopped(app: &App, unit: &Unit, batch: &str) -> Result<Unit, Failure> {
    let told = cancel_batch(app, unit, batch).await?;
    let Some(id) = unit.credential.as_deref() else {
        return Ok(unit.clone());
    };
    let (project, vendor) = (&unit.project, &*unit.vendor);
    admission::release(app, unit).await?;
    // The batch may still run, and be read from what was prepared for it.
    if !told {
        return Ok(unit.clone());
    }
    let Some(access) = access(app, project, vendor, id).await? else {
        return Ok(unit.clone());
    };
    let credential = &access.credential;
    let client = client(app, vendor)?;
    if let Some(name) = &unit.batch_input {
        match client.discard_prepared(credential, name).await {
            Err(error) if error.is_unauthorized() => {}
            deleted => deleted?,
        }
    }
    // It may have ended before it could be stopped: what came of it goes, too.
    match discard::batch(app, client, credential, batch, Fate::Unwanted, None).await {
        Ok(Discarded::Unknown) if access.replaced => Ok(unit.clone()),
        Ok(Discarded::Gone | Discarded::Unknown) => {
            let gone = unit.without(&[batch.to_owned()]);
            discard::batches_of(app, &gone, None).await
        }
        Ok(Discarded::Open | Discarded::Unlanded(_)) => {
            discard::batches_of(app, unit, Some(batch)).await
        }
        Err(error) if error.is_unauthorized() => Ok(unit.clone()),
        Err(error) => Err(error.into()),
    }
}
