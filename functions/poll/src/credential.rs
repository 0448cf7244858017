//! Asking a provider, with one credential, for all its open batches at once.

use std::collections::HashMap;
use std::time::Duration;

use stt_eval_shared::domain::unit::UnitState;
use stt_eval_shared::domain::{ProjectId, Timestamp};
use stt_eval_shared::providers::{BatchState, BatchStatus, CallError};
use stt_eval_shared::store::StoreError;
use stt_eval_shared::store::units::{OpenUnit, PollTask};
use stt_eval_shared::{App, Deadline};

use super::{Failure, client, credential, units};

/// Up to so many open batches are asked for by name; more, by listing.
const BY_NAME: usize = 5;
/// Polls without any open batch after which the task is removed. An index is
/// behind its table for a moment, so one look is not enough.
const EMPTY_POLLS: u32 = 3;

/// Polls a credential, unless somebody else does.
pub(crate) async fn poll(
    app: &App,
    project: &ProjectId,
    provider: &str,
    credential_id: &str,
    deadline: Deadline,
) -> Result<(), Failure> {
    let Some(task) = app
        .store
        .poll_task(project, provider, credential_id)
        .await?
    else {
        return Ok(());
    };
    let now = Timestamp::now();
    if task.due_at.is_none_or(|due| due > now) {
        return Ok(());
    }
    // The claim: until its time is up nobody else finds the task due.
    let lease = now + app.config.bounds.task_lease;
    let task = PollTask {
        due_at: Some(lease),
        rev: task.rev + 1,
        ..task
    };
    match app.store.save_poll_task(&task).await {
        Ok(()) => {}
        Err(StoreError::Conflict) => return Ok(()),
        Err(error) => return Err(error.into()),
    }
    let open = app
        .store
        .open_units(project, provider, credential_id)
        .await?;
    let asked = ask(app, &task, &open, deadline).await;
    let quiet = match asked {
        Ok(changed) if changed > 0 => 0,
        _ => task.quiet.saturating_add(1),
    };
    if open.is_empty() && quiet >= EMPTY_POLLS {
        app.store.delete_poll_task(&task).await?;
        return Ok(());
    }
    let next = PollTask {
        quiet,
        due_at: Some(Timestamp::now() + pause(&app.config.bounds.poll_pauses, quiet)?),
        rev: task.rev + 1,
        ..task
    };
    match app.store.save_poll_task(&next).await {
        // A submission meanwhile made it due earlier: its wish counts.
        Ok(()) | Err(StoreError::Conflict) => {}
        Err(error) => return Err(error.into()),
    }
    asked.map(drop)
}

/// A pause that grows while nothing changes, off by up to a tenth so that
/// credentials do not all come due at once.
fn pause(pauses: &[Duration], quiet: u32) -> Result<Duration, Failure> {
    let at = usize::try_from(quiet)
        .unwrap_or(usize::MAX)
        .min(pauses.len().saturating_sub(1));
    let pause = pauses.get(at).copied().unwrap_or(Duration::from_secs(60));
    let [byte] = stt_eval_shared::access::random::<1>()?;
    Ok(pause.mul_f64(0.9 + f64::from(byte) / 255.0 * 0.2))
}

/// Asks for the open batches and acts on the answers; gives how many changed.
async fn ask(
    app: &App,
    task: &PollTask,
    open: &[OpenUnit],
    deadline: Deadline,
) -> Result<usize, Failure> {
    if open.is_empty() {
        return Ok(0);
    }
    let client = client(app, &task.provider)?;
    let Some(credential) = credential(app, &task.project, &task.provider, &task.credential).await?
    else {
        // Without a credential nobody can ask; the units' own deadlines end them.
        return Ok(0);
    };
    let mut known: HashMap<String, BatchStatus> = HashMap::new();
    if open.len() > BY_NAME {
        let since = Timestamp::now() - (app.config.policy.deadline * 2);
        for batch in client.list(&credential, since.into()).await? {
            known.insert(batch.name.clone(), batch);
        }
    }
    let mut changed = 0;
    for unit in open {
        if !deadline.allows(super::NEEDED) {
            break;
        }
        let status = match known.remove(&unit.batch) {
            Some(status) => Ok(status),
            // Not listed proves nothing; only its own name does.
            None => client.get(&credential, &unit.batch).await,
        };
        match act(app, task, unit, status).await {
            Ok(true) => changed += 1,
            Ok(false) => {}
            Err(error) => {
                tracing::warn!(run_id = %unit.run, unit = %unit.key, %error, "a batch could not be polled");
            }
        }
    }
    Ok(changed)
}

async fn act(
    app: &App,
    task: &PollTask,
    open: &OpenUnit,
    status: Result<BatchStatus, CallError>,
) -> Result<bool, Failure> {
    // Running batches are most of all polls: they cost no write and no read.
    if let Ok(BatchStatus {
        state: BatchState::Pending | BatchState::Running,
        ..
    }) = &status
    {
        return Ok(false);
    }
    let Some(unit) = app.store.unit(&task.project, open.run, open.key).await? else {
        return Ok(false);
    };
    // The index may be behind: the unit has been collected or cancelled.
    if !matches!(&unit.state, UnitState::Submitted { batch, .. } if *batch == open.batch) {
        return Ok(false);
    }
    match status {
        Ok(status) => units::observed(app, &unit, status).await?,
        Err(error) if units::is_unknown(&error) => units::vanish(app, &unit).await?,
        Err(error) => return Err(error.into()),
    }
    Ok(true)
}
