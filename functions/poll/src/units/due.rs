//! Units that are due: lost messages, open intents, collections that stopped.

use stt_eval_shared::domain::unit::{Duty, Event, Unit, UnitKey, UnitState};
use stt_eval_shared::domain::{ProjectId, RunId, Timestamp};
use stt_eval_shared::providers::CallError;
use stt_eval_shared::store::StoreError;
use stt_eval_shared::work::account::{Access, access, client};
use stt_eval_shared::work::discard::try_to_cancel;
use stt_eval_shared::work::step::{fence, save};
use stt_eval_shared::{App, Deadline};

use super::answer::{denied, end_vanished, key_refused, observed};
use super::collect::{Collection, collect};
use super::search::{adopt, search};
use super::stop::cancel;
use crate::cycle::Cycle;
use crate::failure::{Failure, NEEDED, unless_changed};

/// Looks at a unit whose time has come.
pub(crate) async fn due(
    app: &App,
    cycle: &Cycle,
    project: &ProjectId,
    run: RunId,
    key: UnitKey,
    deadline: Deadline,
) -> Result<(), Failure> {
    // It may come to a collection. The semaphore is never closed.
    let _turn = cycle.collections.acquire().await.ok();
    if !deadline.allows(NEEDED) {
        return Ok(());
    }
    let Some(unit) = app.store.unit(project, run, key).await? else {
        return Ok(());
    };
    let now = Timestamp::now();
    if unit.due_at.is_none_or(|due| due > now) {
        return Ok(());
    }
    let owner = app.store.run(project, run).await?;
    let wanted = owner
        .as_ref()
        .is_some_and(|run| run.wants(key, unit.generation));
    let counts = owner.as_ref().is_some_and(|run| run.counts(key));
    // A deleted run sees to its units by itself.
    let patience = owner.is_none_or(|run| run.waits_for_batches_to_stop(now, &app.config.policy));
    if let UnitState::Cancelling { batch } = &unit.state {
        let unit = cancel(app, &unit, batch, patience).await?;
        return save(app, &unit, Event::Stopped).await.map(drop);
    }
    look_after(app, cycle, &unit, wanted, counts).await
}

/// Does what a unit that is due needs; its run `wants` it, or `counts` what it
/// brings, or neither.
async fn look_after(
    app: &App,
    cycle: &Cycle,
    unit: &Unit,
    wanted: bool,
    counts: bool,
) -> Result<(), Failure> {
    let now = Timestamp::now();
    match unit.duty(wanted, counts) {
        Duty::Search => Box::pin(search(app, cycle, unit)).await,
        Duty::TakeOver => match save(app, unit, Event::TakeOver { fence: fence()? }).await? {
            Some(unit) => collect(app, cycle, unit, Collection::Resumed).await,
            None => Ok(()),
        },
        Duty::Cancel => save(app, unit, Event::Cancel).await.map(drop),
        // The worker that called for its items is dead; another goes on.
        Duty::Resume => match save(app, unit, Event::Abandoned).await? {
            Some(unit) => Ok(app.queue.submit_unit(&unit).await?),
            None => Ok(()),
        },
        Duty::Submit => {
            app.queue.submit_unit(unit).await?;
            postpone(app, unit, now + app.config.policy.resend_after).await
        }
        Duty::Observe => Box::pin(observe(app, cycle, unit)).await,
        Duty::Nothing => Ok(()),
    }
}

async fn postpone(app: &App, unit: &Unit, until: Timestamp) -> Result<(), Failure> {
    let next = Unit {
        due_at: Some(until),
        rev: unit.rev + 1,
        ..unit.clone()
    };
    unless_changed(app.store.save_unit(&next).await)
}

/// Whether the poll of its credential asks for a unit's batch, as it should.
async fn is_polled(app: &App, unit: &Unit, submitted_at: Timestamp) -> Result<bool, StoreError> {
    let id = unit.credential.as_deref().unwrap_or_default();
    let task = app.store.poll_task(&unit.project, &unit.vendor, id).await?;
    let asked_at = task.and_then(|task| task.asked_at);
    let recent = |at| Timestamp::now().since(at) < app.config.policy.backstop;
    Ok(asked_at.is_some_and(|at| at > submitted_at && recent(at)))
}

/// Asks for one batch by its name, unless the poll of its credential does. One
/// that is overdue is stopped, and asked for again at once; one that says that its key
/// is refused is to take that back once it is not.
async fn observe(app: &App, cycle: &Cycle, unit: &Unit) -> Result<(), Failure> {
    if let UnitState::Submitted { submitted_at, .. } = unit.state
        && !stopping(unit)
        && !overdue(app, unit, submitted_at)
        && unit.blocked.is_none()
        && is_polled(app, unit, submitted_at).await?
    {
        let until = Timestamp::now() + app.config.policy.backstop;
        // Not beyond the time at which it is to be stopped.
        let end = submitted_at + app.policy(&unit.vendor).deadline;
        return postpone(app, unit, until.min(end)).await;
    }
    let Some(open) = look(app, cycle, unit).await? else {
        return Ok(());
    };
    let began_to_stop = stopping(&open) && !stopping(unit);
    if began_to_stop {
        return look(app, cycle, &open).await.map(drop);
    }
    // Still open: make sure that it is polled from now on. What is being
    // stopped keeps its own time.
    let due_at = if stopping(&open) {
        open.due_at
    } else {
        Some(Timestamp::now() + app.config.policy.backstop)
    };
    adopt(app, &Unit { due_at, ..open }).await
}

fn stopping(unit: &Unit) -> bool {
    matches!(
        &unit.state,
        UnitState::Submitted {
            stopping_since: Some(_),
            ..
        }
    )
}

/// Asks for a unit's batch, after telling it to stop once more if it is to. Gives
/// the unit if its batch is still open.
async fn look(app: &App, cycle: &Cycle, unit: &Unit) -> Result<Option<Unit>, Failure> {
    let UnitState::Submitted {
        batch,
        submitted_at,
        ..
    } = &unit.state
    else {
        return Ok(None);
    };
    let id = unit.credential.as_deref().unwrap_or_default();
    let Some(access) = access(app, &unit.project, &unit.vendor, id).await? else {
        // It can't be asked for any more; its items end with the reason.
        return end_vanished(app, cycle, unit).await.map(|()| None);
    };
    if stopping(unit) {
        try_to_cancel(app, unit, batch).await?;
    }
    let client = client(app, &unit.vendor)?;
    match client.get(&access.credential, batch).await {
        Ok(status) => Box::pin(observed(app, cycle, unit, status)).await?,
        // A single answer does not end even what was waited for that long.
        Err(error)
            if is_hopeless(app, (unit, &access), &error, *submitted_at)
                && !unit.would_be_believed(Timestamp::now(), &app.policy(&unit.vendor)) =>
        {
            let (unlisted, fence) = (false, fence()?);
            save(app, unit, Event::Denied { unlisted, fence }).await?;
        }
        Err(error) if is_hopeless(app, (unit, &access), &error, *submitted_at) => {
            tracing::error!(run_id = %unit.run, unit_id = %unit.key, %error, "a batch is given up");
            return end_vanished(app, cycle, unit).await.map(|()| None);
        }
        Err(error) if access.proves_absence(&error) => denied(app, cycle, unit, &access).await?,
        // The key may come back.
        Err(error) if error.is_unknown() => {}
        Err(error) if error.is_unauthorized() => {
            key_refused(app, unit).await?;
            return Err(error.into());
        }
        Err(error) => return Err(error.into()),
    }
    let stored = app.store.unit(&unit.project, unit.run, unit.key).await?;
    Ok(stored.filter(|unit| matches!(unit.state, UnitState::Submitted { .. })))
}

/// Whether a batch has had as much time as any may take.
fn overdue(app: &App, unit: &Unit, since: Timestamp) -> bool {
    Timestamp::now().since(since) >= app.policy(&unit.vendor).deadline
}

/// Whether it is time to give up a batch that the provider tells nothing of. Its
/// own troubles may pass late; a refused key is replaced by a person, who gets as long as
/// for what was not submitted yet; one that was replaced seldom comes back, and gets less.
fn is_hopeless(
    app: &App,
    (unit, access): (&Unit, &Access),
    error: &CallError,
    since: Timestamp,
) -> bool {
    let policy = app.policy(&unit.vendor);
    let (since, patience) = match unit.blocked {
        Some(blocked) if error.is_unauthorized() => (blocked.since, policy.person_window),
        None if error.is_unauthorized() => return false,
        _ if error.is_unknown() && access.replaced => (since, policy.deadline),
        _ => (since, policy.batch() * 2),
    };
    Timestamp::now().since(since) >= patience
}
