//! Units that are due: lost messages, open intents, collections that stopped.

use std::time::Duration;

use stt_eval_shared::domain::unit::{Event, Unit, UnitKey, UnitState};
use stt_eval_shared::domain::{ProjectId, RunId, Timestamp};
use stt_eval_shared::metrics;
use stt_eval_shared::providers::{BatchState, BatchStatus, CallError, Credential, Rejection};
use stt_eval_shared::queue::Message;
use stt_eval_shared::store::StoreError;
use stt_eval_shared::{App, Deadline};

use super::collect::{Earlier, collect};
use super::pass::Pass;
use super::{Failure, access, cancel, client, discard, fence, save, save_along, try_to_cancel};

/// Clocks differ; a batch may seem older than the intent it was made for.
const CLOCK_SKEW: Duration = Duration::from_secs(600);

/// Looks at a unit whose time has come.
pub(crate) async fn due(
    app: &App,
    pass: &Pass,
    project: &ProjectId,
    run: RunId,
    key: UnitKey,
    deadline: Deadline,
) -> Result<(), Failure> {
    // It may come to a collection. The semaphore is never closed.
    let _turn = pass.collections.acquire().await.ok();
    if !deadline.allows(super::NEEDED) {
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
    look_after(app, pass, &unit, wanted, counts).await
}

/// Does what a unit that is due needs; its run `wants` it, or `counts` what it
/// brings, or neither.
async fn look_after(
    app: &App,
    pass: &Pass,
    unit: &Unit,
    wanted: bool,
    counts: bool,
) -> Result<(), Failure> {
    let now = Timestamp::now();
    match &unit.state {
        UnitState::Creating { .. } => search(app, pass, unit).await,
        UnitState::Collecting { .. } if counts => {
            match save(app, unit, Event::TakeOver { fence: fence()? }).await? {
                Some(unit) => collect(app, pass, unit, Earlier::Somebody).await,
                None => Ok(()),
            }
        }
        UnitState::Collecting { .. } => save(app, unit, Event::Cancel).await.map(drop),
        _ if !wanted => save(app, unit, Event::Cancel).await.map(drop),
        UnitState::Ready { .. } => {
            send(app, unit).await?;
            postpone(app, unit, now + app.config.policy.resend_after).await
        }
        UnitState::Submitted { .. } => observe(app, pass, unit).await,
        UnitState::Cancelling { .. }
        | UnitState::Collected
        | UnitState::Quarantined
        | UnitState::Cancelled => Ok(()),
    }
}

async fn postpone(app: &App, unit: &Unit, until: Timestamp) -> Result<(), Failure> {
    let next = Unit {
        due_at: Some(until),
        rev: unit.rev + 1,
        ..unit.clone()
    };
    match app.store.save_unit(&next).await {
        Ok(()) | Err(StoreError::Conflict) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Finds out what became of an intent nobody reported on.
async fn search(app: &App, pass: &Pass, unit: &Unit) -> Result<(), Failure> {
    let UnitState::Creating { claimed_at, .. } = unit.state else {
        return Ok(());
    };
    if !unit.wants_search(Timestamp::now(), &app.config.policy) {
        return Ok(());
    }
    let id = unit.credential.as_deref().unwrap_or_default();
    let listed = match access(app, &unit.project, &unit.provider, id).await? {
        None => None,
        Some(access) => {
            let since = claimed_at - CLOCK_SKEW;
            match client(app, &unit.provider)?
                .list(&access.credential, since.into())
                .await
            {
                Ok(batches) => Some((batches, access)),
                // So long nobody could look: not for want of patience is it left.
                Err(error) if !unit.is_sought(Timestamp::now(), &app.config.policy) => {
                    tracing::error!(run_id = %unit.run, unit_id = %unit.key, %error, "a batch can't be looked for");
                    None
                }
                Err(error) => return Err(error.into()),
            }
        }
    };
    let Some((mut batches, access)) = listed else {
        return unsearchable(app, pass, unit).await;
    };
    let name = unit.display_name(&app.config.stage, unit.attempt);
    batches.retain(|batch| batch.display_name == name);
    batches.sort_by_key(|batch| batch.created_at);
    let found: Vec<String> = batches.into_iter().map(|batch| batch.name).collect();
    if found.is_empty() {
        if access.replaced {
            return unsearchable(app, pass, unit).await;
        }
        // Should the provider take it after all, somebody must look.
        watch(app, unit).await?;
    }
    let others: Vec<String> = found.iter().skip(1).cloned().collect();
    let Some(next) = save(
        app,
        unit,
        Event::Searched {
            found,
            fence: fence()?,
        },
    )
    .await?
    else {
        return Ok(());
    };
    if !others.is_empty() {
        tracing::error!(run_id = %unit.run, unit_id = %unit.key, others = others.len(), "a unit has several batches");
        let (project, run, key) = (&unit.project, unit.run, unit.key);
        metrics::odd(metrics::DUPLICATE_BATCHES, project, run, key, others.len());
        forget_others(app, &next, &access.credential, &others).await?;
    }
    match &next.state {
        // Makes sure that the provider is asked for it.
        UnitState::Submitted { .. } => adopt(app, &next).await,
        UnitState::Ready { .. } => send(app, unit).await,
        UnitState::Collecting { .. } => collect(app, pass, next, Earlier::Nobody).await,
        _ => Ok(()),
    }
}

/// Not seeing a batch for want of the credentials it was made with is no proof
/// that there is none: it must not be created again.
async fn unsearchable(app: &App, pass: &Pass, unit: &Unit) -> Result<(), Failure> {
    watch(app, unit).await?;
    let event = Event::Unsearchable { fence: fence()? };
    match save(app, unit, event).await? {
        Some(next) => collect(app, pass, next, Earlier::Nobody).await,
        None => Ok(()),
    }
}

/// Makes sure that batches of a unit's credential that nobody recorded are
/// looked for.
async fn watch(app: &App, unit: &Unit) -> Result<(), Failure> {
    let id = unit.credential.as_deref().unwrap_or_default();
    let (now, watch) = (Timestamp::now(), app.config.bounds.watch);
    let watched = app
        .store
        .watch(&unit.project, &unit.provider, id, now, watch);
    Ok(watched.await?)
}

/// Forgets batches beside the one that counts, which reads the same request
/// document. A failure is only told: the audit of the credential finds them.
async fn forget_others(
    app: &App,
    unit: &Unit,
    credential: &Credential,
    others: &[String],
) -> Result<(), Failure> {
    let client = client(app, &unit.provider)?;
    let input = unit.batch_input.as_deref();
    for name in others {
        if let Err(error) = discard::batch(app, client, credential, name, input).await {
            tracing::warn!(run_id = %unit.run, unit_id = %unit.key, %error, "a second batch stays at the provider for now");
        }
    }
    Ok(())
}

async fn adopt(app: &App, unit: &Unit) -> Result<(), Failure> {
    let next = Unit {
        rev: unit.rev + 1,
        ..unit.clone()
    };
    match app.store.save_submitted(&next, Timestamp::now()).await {
        Ok(()) | Err(StoreError::Conflict) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Whether the poll of its credential asks for a unit's batch, as it should.
async fn is_polled(app: &App, unit: &Unit, submitted_at: Timestamp) -> Result<bool, StoreError> {
    let id = unit.credential.as_deref().unwrap_or_default();
    let task = app
        .store
        .poll_task(&unit.project, &unit.provider, id)
        .await?;
    let asked_at = task.and_then(|task| task.asked_at);
    let recent = |at| Timestamp::now().since(at) < app.config.policy.backstop;
    Ok(asked_at.is_some_and(|at| at > submitted_at && recent(at)))
}

/// Asks for one batch by its name, unless the poll of its credential does. One
/// that is overdue is stopped, and asked for again at once.
async fn observe(app: &App, pass: &Pass, unit: &Unit) -> Result<(), Failure> {
    if let UnitState::Submitted { submitted_at, .. } = unit.state
        && !stopping(unit)
        && !overdue(app, submitted_at)
        && is_polled(app, unit, submitted_at).await?
    {
        let until = Timestamp::now() + app.config.policy.backstop;
        // Not beyond the time at which it is to be stopped.
        let end = submitted_at + app.config.policy.deadline;
        return postpone(app, unit, until.min(end)).await;
    }
    let Some(open) = look(app, pass, unit).await? else {
        return Ok(());
    };
    let began_to_stop = stopping(&open) && !stopping(unit);
    if began_to_stop {
        return look(app, pass, &open).await.map(drop);
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

/// Looks at a unit's batch, which is told to stop before, if it is to. Gives the
/// unit while the batch is open.
async fn look(app: &App, pass: &Pass, unit: &Unit) -> Result<Option<Unit>, Failure> {
    let UnitState::Submitted {
        batch,
        submitted_at,
        ..
    } = &unit.state
    else {
        return Ok(None);
    };
    let id = unit.credential.as_deref().unwrap_or_default();
    let Some(access) = access(app, &unit.project, &unit.provider, id).await? else {
        // Nobody can ask any more; its items end with the reason.
        return vanish(app, pass, unit).await.map(|()| None);
    };
    if stopping(unit) {
        try_to_cancel(app, unit, batch).await?;
    }
    let client = client(app, &unit.provider)?;
    match client.get(&access.credential, batch).await {
        Ok(status) => observed(app, pass, unit, status).await?,
        Err(error) if access.proves_absence(&error) => {
            return vanish(app, pass, unit).await.map(|()| None);
        }
        Err(error) if is_hopeless(app, &error, *submitted_at) => {
            tracing::error!(run_id = %unit.run, unit_id = %unit.key, %error, "a batch is given up");
            return vanish(app, pass, unit).await.map(|()| None);
        }
        // The key may come back.
        Err(error) if is_unknown(&error) => {}
        Err(error) => return Err(error.into()),
    }
    let stored = app.store.unit(&unit.project, unit.run, unit.key).await?;
    Ok(stored.filter(|unit| matches!(unit.state, UnitState::Submitted { .. })))
}

/// Whether a unit has been waited for as long as anything is.
fn overdue(app: &App, since: Timestamp) -> bool {
    Timestamp::now().since(since) >= app.config.policy.deadline
}

/// Whether what the provider has not told until now is not waited for any longer.
/// Its own troubles may pass even late; a key seldom comes back.
fn is_hopeless(app: &App, error: &CallError, since: Timestamp) -> bool {
    let policy = &app.config.policy;
    let patience = if is_unauthorized(error) || is_unknown(error) {
        policy.deadline
    } else {
        policy.batch() * 2
    };
    Timestamp::now().since(since) >= patience
}

/// The provider does not accept the credentials.
pub(crate) fn is_unauthorized(error: &CallError) -> bool {
    matches!(
        error,
        CallError::Rejected {
            kind: Rejection::Unauthorized,
            ..
        }
    )
}

/// The provider says that there is no such batch.
pub(crate) fn is_unknown(error: &CallError) -> bool {
    matches!(
        error,
        CallError::Rejected {
            kind: Rejection::NotFound,
            ..
        }
    )
}

/// Ends a unit whose batch is out of reach.
pub(crate) async fn vanish(app: &App, pass: &Pass, unit: &Unit) -> Result<(), Failure> {
    match save(app, unit, Event::Vanished { fence: fence()? }).await? {
        Some(unit) => collect(app, pass, unit, Earlier::Nobody).await,
        None => Ok(()),
    }
}

/// Acts on what the provider says of a unit's batch.
pub(crate) async fn observed(
    app: &App,
    pass: &Pass,
    unit: &Unit,
    status: BatchStatus,
) -> Result<(), Failure> {
    if let BatchState::Unknown(state) = &status.state {
        tracing::error!(run_id = %unit.run, unit_id = %unit.key, %state, "a batch is in an unknown state");
        let (project, run, key) = (&unit.project, unit.run, unit.key);
        metrics::odd(metrics::UNKNOWN_BATCH_STATES, project, run, key, 1);
    }
    if let Some(error) = &status.error {
        tracing::warn!(run_id = %unit.run, unit_id = %unit.key, %error, "the provider failed a batch");
    }
    let event = Event::Observed {
        state: status.state,
        output: status.output,
        fence: fence()?,
    };
    let since = match &unit.state {
        UnitState::Submitted { submitted_at, .. } => Some(*submitted_at),
        _ => None,
    };
    match save_along(app, pass, unit, event).await? {
        Some(unit) if matches!(unit.state, UnitState::Collecting { .. }) => {
            if let Some(since) = since {
                metrics::batch_ended(&unit, since);
            }
            collect(app, pass, unit, Earlier::Nobody).await
        }
        Some(unit) if matches!(unit.state, UnitState::Ready { .. }) => {
            tracing::warn!(run_id = %unit.run, unit_id = %unit.key, attempt = unit.attempt, "a batch did not end; its items are submitted once more");
            let (project, run, key) = (&unit.project, unit.run, unit.key);
            metrics::odd(metrics::BATCHES_RESUBMITTED, project, run, key, 1);
            // What is not gone after this is tried again with the next batch.
            discard::batches_of(app, &unit, None).await?;
            send(app, &unit).await
        }
        _ => Ok(()),
    }
}

/// Asks for a unit to be submitted.
pub(crate) async fn send(app: &App, unit: &Unit) -> Result<(), Failure> {
    let message = Message::SubmitUnit {
        project: unit.project.clone(),
        run: unit.run,
        unit: unit.key,
    };
    Ok(app.queue.send(&[message]).await?)
}
