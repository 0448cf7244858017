//! Asking a provider, with one credential, for all its open batches at once.

use std::collections::HashMap;
use std::time::Duration;

use futures::StreamExt as _;
use stt_eval_shared::domain::unit::UnitState;
use stt_eval_shared::domain::{ProjectId, Timestamp};
use stt_eval_shared::providers::{BatchState, BatchStatus, CallError};
use stt_eval_shared::store::StoreError;
use stt_eval_shared::store::poll_task::PollTask;
use stt_eval_shared::store::units::OpenUnit;
use stt_eval_shared::{App, Deadline};
use time::OffsetDateTime;
use tracing::Instrument as _;

use super::pass::Pass;
use super::{Access, Failure, access, audit, client, credential, units};

/// Up to so many open batches are asked for by name; more, by listing.
const BY_NAME: usize = 5;
/// Batches looked at at once; collections are bounded for all credentials
/// together.
const AT_ONCE: usize = 8;
/// How often a claim that submissions change is tried to be ended.
const RELEASES: usize = 5;
/// Polls without any open batch after which the task is removed. An index is
/// behind its table for a moment, so one look is not enough.
const EMPTY_POLLS: u32 = 3;

/// Polls a credential, unless somebody else does.
pub(crate) async fn poll(
    app: &App,
    pass: &Pass,
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
    let task = PollTask {
        due_at: Some(now + app.config.bounds.task_lease),
        busy: true,
        rev: task.rev + 1,
        ..task
    };
    match app.store.save_poll_task(&task).await {
        Ok(()) => {}
        Err(StoreError::Conflict) => return Ok(()),
        Err(error) => return Err(error.into()),
    }
    let mut open = app
        .store
        .open_units(project, provider, credential_id)
        .await?;
    // By chunk across models: they have their samples and their audio in common.
    open.sort_by_key(|unit| {
        let key = unit.key;
        (unit.run, key.round, key.chunk, key.provider)
    });
    let mut listed = None;
    let asked = ask(app, pass, &task, &open, deadline, &mut listed).await;
    let changed = !matches!(&asked, Ok(asked) if asked.changed == 0);
    let quiet = match &asked {
        Ok(asked) if asked.changed > 0 => 0,
        _ => task.quiet.saturating_add(1),
    };
    let asked_at = match &asked {
        Ok(asked) if asked.all => Some(now),
        _ => task.asked_at,
    };
    let watched = task.watch_until.is_some_and(|until| until > now);
    let leaving = open.is_empty() && quiet >= EMPTY_POLLS && !watched;
    // Of what has changed the list knows no better than its units.
    let listed = listed.filter(|_| !changed);
    let audit = audit_if_due(app, pass, &task, leaving, listed, deadline).await;
    // Not before a look that found everything in order, but not for ever: what
    // can't be deleted in all that time goes by itself.
    let watch_until = task.watch_until.or(leaving.then_some(now));
    let patience = watch_until.is_none_or(|until| until + app.config.bounds.watch > now);
    // Unless somebody submitted meanwhile, who relies on the holder.
    if leaving && (audit.clean || !patience) && app.store.delete_poll_task(&task).await? {
        return Ok(());
    }
    let done = PollTask {
        quiet,
        audited_at: audit.at,
        asked_at,
        watch_until,
        ..task
    };
    release(app, done).await?;
    asked.map(drop)
}

/// Ends the claim of a task. A submission meanwhile has changed it, and wants it
/// to be asked again soon.
async fn release(app: &App, mut task: PollTask) -> Result<(), Failure> {
    let pauses = &app.config.bounds.poll_pauses;
    let claimed_until = task.due_at;
    for _ in 0..RELEASES {
        let next = PollTask {
            due_at: Some(Timestamp::now() + pause(pauses, task.quiet)?),
            busy: false,
            rev: task.rev + 1,
            ..task.clone()
        };
        match app.store.save_poll_task(&next).await {
            Ok(()) => return Ok(()),
            Err(StoreError::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
        let (project, provider) = (&task.project, &*task.provider);
        let stored = app
            .store
            .poll_task(project, provider, &task.credential)
            .await?;
        match stored {
            Some(stored) if stored.busy && stored.due_at == claimed_until => {
                task = PollTask {
                    quiet: 0,
                    watch_until: task.watch_until.max(stored.watch_until),
                    rev: stored.rev,
                    ..task
                };
            }
            // The claim ran out, and somebody else has it now.
            _ => return Ok(()),
        }
    }
    // It stays claimed, until its time is up.
    Ok(())
}

/// The latest look for what nobody needs.
struct Audit {
    /// When.
    at: Option<Timestamp>,
    /// It was just now, and found everything in order.
    clean: bool,
}

/// Looks for batches that nobody recorded, and for what else was left behind,
/// now and then.
async fn audit_if_due(
    app: &App,
    pass: &Pass,
    task: &PollTask,
    leaving: bool,
    listed: Option<Vec<BatchStatus>>,
    deadline: Deadline,
) -> Audit {
    let now = Timestamp::now();
    let due = task
        .audited_at
        .is_none_or(|at| now.since(at) >= app.config.bounds.audit);
    let (at, clean) = (task.audited_at, false);
    if !due && !leaving {
        return Audit { at, clean };
    }
    match audit_now(app, task, listed, deadline).await {
        Ok(found) => {
            if found.duplicates > 0 {
                tracing::error!(project_id = %task.project, batches = found.duplicates, "batches were paid for twice");
            }
            Audit {
                at: Some(now),
                clean: found == audit::Found::default(),
            }
        }
        Err(error) => {
            pass.note(|cycle| cycle.errors += 1);
            tracing::warn!(project_id = %task.project, %error, "unrecorded batches could not be looked for");
            Audit { at, clean }
        }
    }
}

async fn audit_now(
    app: &App,
    task: &PollTask,
    listed: Option<Vec<BatchStatus>>,
    deadline: Deadline,
) -> Result<audit::Found, Failure> {
    let Some(credential) = credential(app, &task.project, &task.provider, &task.credential).await?
    else {
        return Ok(audit::Found::default());
    };
    let client = client(app, &task.provider)?;
    match audit::audit(app, &task.project, client, &credential, listed, deadline).await {
        // Nobody can look any more, and a task that waits for it never ends.
        Err(Failure::Provider(error)) if units::is_unauthorized(&error) => {
            Ok(audit::Found::default())
        }
        audited => audited,
    }
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

/// What came of asking for open batches.
struct Asked {
    /// How many changed.
    changed: usize,
    /// Whether there was an answer for each.
    all: bool,
}

/// Asks for the open batches and acts on the answers. Gives the list of all
/// batches as well, if there are so many that one was made.
async fn ask(
    app: &App,
    pass: &Pass,
    task: &PollTask,
    open: &[OpenUnit],
    deadline: Deadline,
    listed: &mut Option<Vec<BatchStatus>>,
) -> Result<Asked, Failure> {
    let nothing = |all| Asked { changed: 0, all };
    if open.is_empty() {
        return Ok(nothing(true));
    }
    let client = client(app, &task.provider)?;
    let Some(access) = access(app, &task.project, &task.provider, &task.credential).await? else {
        // Without a credential nobody can ask; the units' own deadlines end them.
        return Ok(nothing(false));
    };
    let mut known: HashMap<String, BatchStatus> = HashMap::new();
    if open.len() > BY_NAME {
        match client
            .list(&access.credential, OffsetDateTime::UNIX_EPOCH)
            .await
        {
            Ok(all) => {
                known.extend(all.iter().map(|batch| (batch.name.clone(), batch.clone())));
                *listed = Some(all);
            }
            // Something in it can't be read, and need not be ours: each batch
            // has a name.
            Err(error @ CallError::Ambiguous { .. }) => {
                pass.note(|cycle| cycle.errors += 1);
                tracing::warn!(project_id = %task.project, %error, "batches could not be listed and are asked for one by one");
            }
            Err(error) => return Err(error.into()),
        }
    }
    // Built one by one: a closure over borrowed units would tie this future to
    // one lifetime, and it could not be spawned.
    let mut asking = Vec::with_capacity(open.len());
    for unit in open {
        let listed = known.remove(&unit.batch);
        asking.push(one(app, pass, task, unit, listed, &access, deadline));
    }
    let answers: Vec<Option<bool>> = futures::stream::iter(asking)
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    Ok(Asked {
        changed: answers
            .iter()
            .filter(|changed| **changed == Some(true))
            .count(),
        all: answers.iter().all(Option::is_some),
    })
}

/// Asks for one batch unless it was listed, and acts on the answer; gives
/// whether anything changed, or `None` when that can't be told.
async fn one(
    app: &App,
    pass: &Pass,
    task: &PollTask,
    unit: &OpenUnit,
    listed: Option<BatchStatus>,
    access: &Access,
    deadline: Deadline,
) -> Option<bool> {
    if !deadline.allows(super::NEEDED) {
        return None;
    }
    let status = match (listed, client(app, &task.provider)) {
        (Some(status), _) => Ok(status),
        // Not listed proves nothing; only its own name does.
        (None, Ok(client)) => client.get(&access.credential, &unit.batch).await,
        (None, Err(_)) => return None,
    };
    // Running batches are most of all polls: they cost no write and no read.
    if let Ok(BatchStatus {
        state: BatchState::Pending | BatchState::Running,
        ..
    }) = &status
    {
        return Some(false);
    }
    // Before the unit is claimed for collecting: what waits for its turn must
    // not hold a lease, nor begin when there is no more time.
    let _turn = pass.collections.acquire().await.ok();
    if !deadline.allows(super::NEEDED) {
        return None;
    }
    let span = tracing::info_span!("batch", run_id = %unit.run, unit_id = %unit.key);
    match act(app, pass, task, unit, status, access)
        .instrument(span.clone())
        .await
    {
        Ok(changed) => Some(changed),
        Err(error) => {
            pass.note(|cycle| cycle.errors += 1);
            let _entered = span.entered();
            tracing::warn!(%error, "a batch could not be polled");
            None
        }
    }
}

async fn act(
    app: &App,
    pass: &Pass,
    task: &PollTask,
    open: &OpenUnit,
    status: Result<BatchStatus, CallError>,
    access: &Access,
) -> Result<bool, Failure> {
    let Some(unit) = app.store.unit(&task.project, open.run, open.key).await? else {
        return Ok(false);
    };
    // The index may be behind: the unit has been collected or cancelled.
    if !matches!(&unit.state, UnitState::Submitted { batch, .. } if *batch == open.batch) {
        return Ok(false);
    }
    match status {
        Ok(status) => units::observed(app, pass, &unit, status).await?,
        Err(error) if access.proves_absence(&error) => units::vanish(app, pass, &unit).await?,
        Err(error) => return Err(error.into()),
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_while_nothing_changes_and_credentials_do_not_come_due_at_once() {
        let pauses = [60, 120, 600].map(Duration::from_secs);
        for quiet in 0..5 {
            let base = pauses[quiet.min(2)];
            let drawn = (0..200).map(|_| pause(&pauses, quiet as u32).unwrap());
            let drawn: Vec<Duration> = drawn.collect();
            let (least, most) = (drawn.iter().min().unwrap(), drawn.iter().max().unwrap());
            assert!(*least >= base.mul_f64(0.899) && *most <= base.mul_f64(1.101));
            assert!(least < most, "all the same");
        }
    }
}
