//! Asking a provider, with one credential, for all its open batches at once.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::StreamExt as _;
use stt_eval_shared::domain::poll_task::PollTask;
use stt_eval_shared::domain::unit::{Unit, UnitState};
use stt_eval_shared::domain::{ProjectId, Timestamp};
use stt_eval_shared::providers::{BatchState, BatchStatus, CallError, Listing};
use stt_eval_shared::store::StoreError;
use stt_eval_shared::store::units::OpenUnit;
use stt_eval_shared::work::account::{Access, access, client, credential};
use stt_eval_shared::{App, Deadline};
use tokio::sync::Semaphore;
use tracing::Instrument as _;

use super::reconcile;
use crate::cycle::Cycle;
use crate::failure::{Failure, NEEDED};
use crate::units::answer;

/// Up to so many open batches are asked for by name; more, by listing.
const BY_NAME: usize = 5;
/// Batches looked at at once; collections are bounded for all credentials
/// together.
const AT_ONCE: usize = 8;
/// Collections of one credential under way at once: fewer than there are for all
/// of them, so that one whose provider is slow leaves some to the others.
const COLLECTIONS: usize = 6;
/// Attempts to end a claim while submissions change its task.
const RELEASES: usize = 5;
/// Polls without any open batch after which the task is removed. An index is
/// behind its table for a moment, so one look is not enough.
const EMPTY_POLLS: u32 = 3;

/// Polls a credential, unless another invocation does.
pub(crate) async fn poll(
    app: &App,
    cycle: &Cycle,
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
    let task = task.claimed(now + app.config.bounds.task_lease);
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
        (unit.run, key.round, key.chunk, key.model)
    });
    let mut listed = None;
    let asked = ask(app, cycle, &task, &open, deadline, &mut listed).await;
    let changed = !matches!(&asked, Ok(asked) if asked.changed == 0);
    let quiet = match &asked {
        Ok(asked) if asked.changed > 0 => 0,
        _ => task.quiet.saturating_add(1),
    };
    let asked_at = match &asked {
        Ok(asked) if asked.all => Some(now),
        _ => task.asked_at,
    };
    let refused = match &asked {
        Ok(asked) => asked.refused || (task.refused && !asked.all),
        Err(Failure::Provider(error)) => task.refused || error.is_unauthorized(),
        Err(_) => task.refused,
    };
    let watched = task.watch_until.is_some_and(|until| until > now);
    let leaving = open.is_empty() && quiet >= EMPTY_POLLS && !watched;
    // After a change the list is older than the units: the audit makes its own.
    let listed = listed.filter(|_| !changed);
    let audit = audit_if_due(app, cycle, &task, leaving, listed, deadline).await;
    // The task goes after an audit that found everything in order; without one,
    // when its watch is over: what could not be deleted by then goes by itself.
    let watch_until = task.watch_until.or(leaving.then_some(now));
    let patience = watch_until.is_none_or(|until| until + app.config.bounds.watch > now);
    // Unless something was submitted meanwhile: that relies on the holder.
    if leaving && (audit.clean || !patience) && app.store.delete_poll_task(&task).await? {
        return Ok(());
    }
    let done = PollTask {
        quiet,
        audited_at: audit.at,
        audit_after: audit.after,
        asked_at,
        refused,
        watch_until,
        ..task
    };
    release(app, done).await?;
    asked.map(drop)
}

/// Ends the claim of a task, also where a submission has woken it meanwhile.
async fn release(app: &App, mut task: PollTask) -> Result<(), Failure> {
    let vendor = app.vendor(&task.provider);
    let pauses = vendor.map(|vendor| app.config.vendors.poll_pauses(vendor));
    let pauses = pauses.unwrap_or_default();
    let claimed_until = task.due_at;
    for _ in 0..RELEASES {
        let poll_at = Timestamp::now() + pause(&pauses, task.quiet)?;
        let next = task.clone().released(poll_at);
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
        let mine = stored.and_then(|stored| task.still_claimed(&stored, claimed_until));
        match mine {
            Some(mine) => task = mine,
            None => return Ok(()),
        }
    }
    // It stays claimed, until its time is up.
    Ok(())
}

/// The latest look for what is of no use any more.
struct Audit {
    /// When it ended; `None` when there was none.
    at: Option<Timestamp>,
    /// It was just now, and found everything in order.
    clean: bool,
    /// Where the next one begins.
    after: Option<String>,
}

/// Looks for unrecorded batches, and for what else was left behind,
/// now and then.
async fn audit_if_due(
    app: &App,
    cycle: &Cycle,
    task: &PollTask,
    leaving: bool,
    listed: Option<Listing>,
    deadline: Deadline,
) -> Audit {
    let now = Timestamp::now();
    let due = task
        .audited_at
        .is_none_or(|at| now.since(at) >= app.config.bounds.audit);
    let earlier = Audit {
        at: task.audited_at,
        clean: false,
        after: task.audit_after.clone(),
    };
    if !due && !leaving {
        return earlier;
    }
    match audit_now(app, task, listed, deadline).await {
        Ok(found) => {
            if found.duplicates > 0 {
                tracing::error!(project_id = %task.project, batches = found.duplicates, "batches were paid for twice");
            }
            Audit {
                at: Some(now),
                clean: found == reconcile::Reconciled::default(),
                after: found.after,
            }
        }
        Err(error) => {
            cycle.note(|figures| figures.errors += 1);
            tracing::warn!(project_id = %task.project, %error, "unrecorded batches could not be looked for");
            earlier
        }
    }
}

async fn audit_now(
    app: &App,
    task: &PollTask,
    listed: Option<Listing>,
    deadline: Deadline,
) -> Result<reconcile::Reconciled, Failure> {
    let Some(credential) = credential(app, &task.project, &task.provider, &task.credential).await?
    else {
        return Ok(reconcile::Reconciled::default());
    };
    let client = client(app, &task.provider)?;
    // What no list shows is asked for by its own name alone.
    let Some(ledger) = client.ledger() else {
        return Ok(reconcile::Reconciled::default());
    };
    let (project, after) = (&task.project, task.audit_after.as_deref());
    match reconcile::audit(
        app,
        project,
        (client, ledger),
        &credential,
        listed,
        after,
        deadline,
    )
    .await
    {
        // One such answer may be a mistake; and a task does not wait for ever.
        Err(Failure::Provider(error)) if error.is_unauthorized() => Ok(reconcile::Reconciled {
            left: 1,
            ..reconcile::Reconciled::default()
        }),
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
    let [byte] = stt_eval_shared::crypto::random::<1>()?;
    Ok(pause.mul_f64(0.9 + f64::from(byte) / 255.0 * 0.2))
}

/// What came of asking for open batches.
struct Asked {
    /// Number of units that changed.
    changed: usize,
    /// Whether there was an answer for each.
    all: bool,
    /// Whether the key was refused.
    refused: bool,
}

/// Asks for the open batches and acts on the answers. Gives the list of all
/// batches as well, if there are so many that one was made.
async fn ask(
    app: &App,
    cycle: &Cycle,
    task: &PollTask,
    open: &[OpenUnit],
    deadline: Deadline,
    listed: &mut Option<Listing>,
) -> Result<Asked, Failure> {
    let nothing = |all| Asked {
        changed: 0,
        all,
        refused: false,
    };
    if open.is_empty() {
        return Ok(nothing(true));
    }
    let client = client(app, &task.provider)?;
    let Some(access) = access(app, &task.project, &task.provider, &task.credential).await? else {
        // Without a credential nothing can be asked; the units' deadlines end them.
        return Ok(nothing(false));
    };
    let mut known: HashMap<String, BatchStatus> = HashMap::new();
    if open.len() > BY_NAME
        && let Some(ledger) = client.ledger()
    {
        let names: Vec<&str> = open.iter().map(|unit| &*unit.batch).collect();
        match ledger.look_for(&access.credential, &names).await {
            Ok(found) => {
                let batches = found.batches.iter();
                known.extend(batches.map(|batch| (batch.name.clone(), batch.clone())));
                *listed = Some(found).filter(|found| found.whole);
            }
            // Something in it can't be read, and need not be ours: each batch
            // has a name.
            Err(error @ CallError::Ambiguous { .. }) => {
                cycle.note(|figures| figures.errors += 1);
                tracing::warn!(project_id = %task.project, %error, "batches could not be listed and are asked for one by one");
            }
            Err(error) => {
                if error.is_unauthorized() {
                    all_refused(app, task, open).await?;
                }
                return Err(error.into());
            }
        }
    }
    let place = Place {
        access,
        collections: Semaphore::new(COLLECTIONS),
        refused: AtomicBool::new(false),
    };
    // Built one by one: a closure over borrowed units would tie this future to
    // one lifetime, and it could not be spawned.
    let mut asking = Vec::with_capacity(open.len());
    for unit in open {
        let listed = known.remove(&unit.batch);
        asking.push(one(app, cycle, task, unit, listed, &place, deadline));
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
        refused: place.refused.load(Ordering::Relaxed),
    })
}

/// A credential that is asked with, and its share of the collections.
struct Place {
    access: Access,
    /// Permits for collections of this credential; never closed.
    collections: Semaphore,
    /// Whether an answer was that the key is not accepted.
    refused: AtomicBool,
}

/// Whether a list tells all there is to a batch. One that is over and shows no
/// output may have one all the same.
fn is_told(listed: &BatchStatus) -> bool {
    !listed.state.is_over() || listed.output.is_some()
}

/// Asks for one batch unless it was listed, and acts on the answer; gives
/// whether anything changed, or `None` when that can't be told.
async fn one(
    app: &App,
    cycle: &Cycle,
    task: &PollTask,
    unit: &OpenUnit,
    listed: Option<BatchStatus>,
    place: &Place,
    deadline: Deadline,
) -> Option<bool> {
    if !deadline.allows(NEEDED) {
        return None;
    }
    let status = match (listed.filter(is_told), client(app, &task.provider)) {
        (Some(status), _) => Ok(status),
        // Not listed proves nothing; only its own name does.
        (None, Ok(client)) => client.get(&place.access.credential, &unit.batch).await,
        (None, Err(_)) => return None,
    };
    if status.as_ref().is_err_and(CallError::is_unauthorized) {
        place.refused.store(true, Ordering::Relaxed);
    }
    // Running batches are most of all polls: they cost no write and no read, unless they
    // say that the key is refused.
    if let Ok(BatchStatus {
        state: BatchState::Pending | BatchState::Running,
        ..
    }) = &status
        && !task.refused
    {
        return Some(false);
    }
    // Before the unit is claimed for collecting: what waits for its turn must
    // not hold a lease, nor begin when there is no more time.
    let _own = place.collections.acquire().await.ok();
    let _turn = cycle.collections.acquire().await.ok();
    if !deadline.allows(NEEDED) {
        return None;
    }
    let span = tracing::info_span!("batch", run_id = %unit.run, unit_id = %unit.key);
    match act(app, cycle, task, unit, status, &place.access)
        .instrument(span.clone())
        .await
    {
        Ok(changed) => Some(changed),
        Err(error) => {
            cycle.note(|figures| figures.errors += 1);
            let _entered = span.entered();
            tracing::warn!(%error, "a batch could not be polled");
            None
        }
    }
}

async fn act(
    app: &App,
    cycle: &Cycle,
    task: &PollTask,
    open: &OpenUnit,
    status: Result<BatchStatus, CallError>,
    access: &Access,
) -> Result<bool, Failure> {
    let stored = app.store.unit(&task.project, open.run, open.key).await?;
    let Some(unit) = stored.filter(|unit| is_open(unit, &open.batch)) else {
        return Ok(false);
    };
    match status {
        Ok(status) => answer::observed(app, cycle, &unit, status).await?,
        Err(error) if access.proves_absence(&error) => {
            answer::denied(app, cycle, &unit, access).await?;
        }
        Err(error) => {
            if error.is_unauthorized() {
                answer::key_refused(app, &unit).await?;
            }
            return Err(error.into());
        }
    }
    Ok(true)
}

/// Whether a batch is that of a unit still. The index may be behind: the unit may have been
/// collected or cancelled.
fn is_open(unit: &Unit, batch: &str) -> bool {
    matches!(&unit.state, UnitState::Submitted { batch: own, .. } if own == batch)
}

/// Notes of all open units that the key is refused.
async fn all_refused(app: &App, task: &PollTask, open: &[OpenUnit]) -> Result<(), Failure> {
    let keys: Vec<_> = open.iter().map(|unit| (unit.run, unit.key)).collect();
    for unit in app.store.units(&task.project, keys).await? {
        if open.iter().any(|one| is_open(&unit, &one.batch)) {
            answer::key_refused(app, &unit).await?;
        }
    }
    Ok(())
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
