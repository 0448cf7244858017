//! What `functions/poll` does with units and credentials, operation by
//! operation.

use std::time::Duration;

use stt_eval_domain::Timestamp;
use stt_eval_domain::run::Run;
use stt_eval_domain::unit::BatchState;
use stt_eval_domain::unit::{Effect, Event, Fate, Unit, UnitKey, UnitState};

use crate::collect::collect;
use crate::protocol::Submission;
use crate::provider::CallError;
use crate::submit::DEPLOYMENT;
use crate::sweep;
use crate::tables::{PollTask, StoreError};
use crate::world::{Cx, Failed, Message};

/// Least time that must be left to begin another piece.
pub const NEEDED: Duration = Duration::from_secs(10);
/// How long a poll holds its task.
const TASK_LEASE: Duration = Duration::from_secs(300);
/// Pauses between polls while nothing changes, in seconds.
const PAUSES: [u64; 4] = [60, 120, 300, 600];
/// Polls without an open batch after which the task is removed.
const EMPTY_POLLS: u32 = 3;
/// And after which it is removed though its last look was refused.
const WATCH_POLLS: u32 = 30;
/// How often a claim that submissions change is tried to be ended.
const RELEASES: usize = 5;
/// Between two looks for unrecorded batches.
const AUDIT: Duration = Duration::from_secs(3_600);

impl From<CallError> for Failed {
    fn from(_: CallError) -> Self {
        Self
    }
}

/// `cycle::sweep`: everything that is due, piece by piece. A piece that fails stays
/// due.
pub async fn handle(cx: &Cx) -> Result<(), Failed> {
    let due = cx.due_units().await?;
    let _ = poll(cx).await;
    for key in due {
        if !cx.allows(NEEDED) {
            return Ok(());
        }
        let _ = self::due(cx, key).await;
    }
    sweep::handle(cx).await
}

/// Saves a step after its effects. `None` when another write was faster.
pub async fn save(cx: &Cx, unit: &Unit, event: Event) -> Result<Option<Unit>, Failed> {
    let deletes = matches!(event, Event::Searched { .. }) && cx.protocol().deletes_shared_input;
    let Ok(step) = unit.step(event, cx.now(), &cx.policy()) else {
        return Ok(None);
    };
    for effect in step.effects {
        match effect {
            Effect::CancelBatch(batch) => {
                if unit.is_sought(cx.now(), &cx.policy()) {
                    cancel_batch(cx, &batch).await?;
                } else {
                    try_to_cancel(cx, &batch).await;
                }
                if deletes {
                    cx.delete_input((unit.key, unit.attempt)).await?;
                }
            }
            Effect::DeleteInput(_) => delete_input(cx, unit).await?,
        }
    }
    match cx.save_unit(&step.unit).await {
        Ok(()) => Ok(Some(step.unit)),
        Err(StoreError::Conflict) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// `discard::delete_input`: forgets a request document whose batch is over.
async fn delete_input(cx: &Cx, unit: &Unit) -> Result<(), Failed> {
    if !cx.credential().await {
        return Ok(());
    }
    match cx.delete_input((unit.key, unit.attempt)).await {
        Ok(()) | Err(CallError::Unauthorized) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// `discard::cancel_batch`: whether it was told to stop. One refusal is not believed.
async fn cancel_batch(cx: &Cx, batch: &str) -> Result<bool, Failed> {
    if !cx.credential().await {
        return Ok(false);
    }
    match cx.cancel(batch).await {
        Err(CallError::Unauthorized) if cx.protocol().believes_once => Ok(false),
        told => Ok(told.map(|()| true)?),
    }
}

/// `discard::try_to_cancel`: a provider that fails to stop a batch holds up nothing; the
/// audit tries again.
async fn try_to_cancel(cx: &Cx, batch: &str) {
    let _ = cancel_batch(cx, batch).await;
}

/// `units::stop::cancel`: stops the batch of a unit that is given up, and forgets what was
/// made for it. Without `patience` what fails is left to the audit.
pub async fn cancel(cx: &Cx, unit: &Unit, batch: &str, patience: bool) -> Result<(), Failed> {
    match stopped(cx, unit, batch).await {
        Err(Failed) if !patience => Ok(()),
        stopped => stopped,
    }
}

async fn stopped(cx: &Cx, unit: &Unit, batch: &str) -> Result<(), Failed> {
    let told = cancel_batch(cx, batch).await?;
    // What may still run is still read from its request document.
    if !told && !cx.protocol().believes_once {
        return Ok(());
    }
    // It may have ended before it could be stopped: what came of it goes, too.
    let output = match cx.get(batch).await {
        Ok((_, output)) => output,
        Err(CallError::NotFound | CallError::Unauthorized) => None,
        Err(error) => return Err(error.into()),
    };
    delete_input(cx, unit).await?;
    if let Some(output) = output {
        match cx.delete_output(&output).await {
            Ok(()) | Err(CallError::Unauthorized) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Whether a run is so old that new access is not worth waiting for.
pub fn out_of_reach(cx: &Cx, run: &Run) -> bool {
    let patience = cx.policy().deadline * 2;
    !cx.protocol().waits_for_access && cx.now().since(run.inserted_at) >= patience
}

/// Whether a run's batches may still take their time to stop.
pub fn waits(cx: &Cx, run: &Run) -> bool {
    run.waits_for_batches_to_stop(cx.now(), &cx.policy())
}

/// `units::due::due`.
async fn due(cx: &Cx, key: UnitKey) -> Result<(), Failed> {
    let Some(unit) = cx.unit(key).await? else {
        return Ok(());
    };
    let now = cx.now();
    if unit.due_at.is_none_or(|due| due > now) {
        return Ok(());
    }
    let run = cx.run().await?;
    let collecting = matches!(unit.state, UnitState::Collecting { .. });
    let wanted = run.as_ref().is_some_and(|run| {
        let counts = collecting && !cx.protocol().drops_collection && run.counts(key);
        counts || run.wants(key, unit.generation)
    });
    match &unit.state {
        UnitState::Creating { .. } => search(cx, &unit).await,
        UnitState::Cancelling { batch } => {
            let patience = run.is_none_or(|run| waits(cx, &run));
            cancel(cx, &unit, batch, patience).await?;
            save(cx, &unit, Event::Stopped).await.map(drop)
        }
        _ if !wanted => save(cx, &unit, Event::Cancel).await.map(drop),
        UnitState::Calling { .. } => match save(cx, &unit, Event::Abandoned).await? {
            Some(_) => cx.send(Message::SubmitUnit(key)).await,
            None => Ok(()),
        },
        UnitState::Ready { .. } => {
            cx.send(Message::SubmitUnit(key)).await?;
            let until = now + cx.policy().resend_after;
            let rev = unit.rev + 1;
            put(
                cx,
                &Unit {
                    due_at: Some(until),
                    rev,
                    ..(*unit).clone()
                },
            )
            .await
        }
        UnitState::Submitted { .. } => observe(cx, &unit).await,
        UnitState::Collecting { .. } => {
            let fence = cx.fence();
            match save(cx, &unit, Event::TakeOver { fence }).await? {
                Some(unit) => collect(cx, unit).await,
                None => Ok(()),
            }
        }
        UnitState::Collected | UnitState::Quarantined | UnitState::Cancelled => Ok(()),
    }
}

async fn put(cx: &Cx, unit: &Unit) -> Result<(), Failed> {
    match cx.save_unit(unit).await {
        Ok(()) | Err(StoreError::Conflict) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// `units::search::search`: what became of an intent that was not concluded.
async fn search(cx: &Cx, unit: &Unit) -> Result<(), Failed> {
    let UnitState::Creating { claimed_at, .. } = unit.state else {
        return Ok(());
    };
    if !unit.wants_search(cx.now(), &cx.policy()) {
        return Ok(());
    }
    let found = if cx.protocol().submission == Submission::LeaseOnly {
        Ok(Vec::new())
    } else if cx.credential().await {
        cx.list(&unit.sought_name(DEPLOYMENT)).await
    } else if cx.protocol().waits_for_access {
        Ok(Vec::new())
    } else {
        Err(CallError::NotFound)
    };
    let fence = cx.fence();
    let overdue = cx.now().since(claimed_at) >= cx.policy().deadline;
    let event = match found {
        Ok(found) => Event::Searched { found, fence },
        Err(CallError::NotFound) => Event::Unsearchable { fence },
        Err(CallError::Unauthorized) if overdue && !cx.protocol().waits_for_access => {
            Event::Unsearchable { fence }
        }
        Err(error) => return Err(error.into()),
    };
    let Some(next) = save(cx, unit, event).await? else {
        return Ok(());
    };
    match &next.state {
        UnitState::Submitted { .. } => {
            cx.world().reached.adopted += 1;
            adopt(cx, &next).await
        }
        UnitState::Ready { .. } => cx.send(Message::SubmitUnit(unit.key)).await,
        UnitState::Collecting { .. } => collect(cx, next).await,
        _ => Ok(()),
    }
}

/// Makes sure that the provider is asked for it.
async fn adopt(cx: &Cx, unit: &Unit) -> Result<(), Failed> {
    let next = Unit {
        rev: unit.rev + 1,
        ..unit.clone()
    };
    match cx.save_submitted(&next, cx.now()).await {
        Ok(()) | Err(StoreError::Conflict) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// `units::due::observe`: asks for one batch by its name; one that is overdue is
/// stopped, and asked for again.
async fn observe(cx: &Cx, unit: &Unit) -> Result<(), Failed> {
    let Some(open) = look(cx, unit).await? else {
        return Ok(());
    };
    if stopping(&open) && !stopping(unit) {
        return look(cx, &open).await.map(drop);
    }
    let due_at = if stopping(&open) {
        open.due_at
    } else {
        Some(cx.now() + cx.policy().backstop)
    };
    adopt(cx, &Unit { due_at, ..open }).await
}

fn stopping(unit: &Unit) -> bool {
    let UnitState::Submitted { stopping_since, .. } = &unit.state else {
        return false;
    };
    stopping_since.is_some()
}

/// `units::due::look`: gives the unit while its batch is open.
async fn look(cx: &Cx, unit: &Unit) -> Result<Option<Unit>, Failed> {
    let UnitState::Submitted {
        batch,
        submitted_at,
        ..
    } = &unit.state
    else {
        return Ok(None);
    };
    if !cx.credential().await {
        return end_vanished(cx, unit).await.map(|()| None);
    }
    if stopping(unit) {
        try_to_cancel(cx, batch).await;
    }
    let overdue = cx.now().since(*submitted_at) >= cx.policy().deadline;
    match cx.get(batch).await {
        // A known mistake: a batch that was told to stop has not stopped yet.
        Ok(_) if stopping(unit) && cx.protocol().trusts_cancel => {
            observed(cx, unit, (BatchState::Cancelled, None)).await?;
        }
        Ok(status) => {
            if stopping(unit) {
                cx.world().reached.late_results += u64::from(status.1.is_some());
            }
            observed(cx, unit, status).await?;
        }
        Err(CallError::NotFound) => denied(cx, unit).await?,
        Err(CallError::Unauthorized) if overdue && !cx.protocol().waits_for_access => {
            return end_vanished(cx, unit).await.map(|()| None);
        }
        Err(error) => return Err(error.into()),
    }
    let stored = cx.unit(unit.key).await?.map(|unit| (*unit).clone());
    Ok(stored.filter(|unit| matches!(unit.state, UnitState::Submitted { .. })))
}

/// `units::answer::denied`: one answer that there is no such batch is not believed.
async fn denied(cx: &Cx, unit: &Unit) -> Result<(), Failed> {
    if cx.protocol().believes_once {
        return end_vanished(cx, unit).await;
    }
    let unlisted = if unit.would_be_believed(cx.now(), &cx.policy()) {
        let listed = cx.list(&unit.sought_name(DEPLOYMENT)).await?;
        !listed.iter().any(|name| unit.batch() == Some(name))
    } else {
        cx.world().reached.doubted += 1;
        false
    };
    let fence = cx.fence();
    match save(cx, unit, Event::Denied { unlisted, fence }).await? {
        Some(unit) if matches!(unit.state, UnitState::Collecting { .. }) => collect(cx, unit).await,
        _ => Ok(()),
    }
}

/// Ends a unit whose batch is out of reach.
async fn end_vanished(cx: &Cx, unit: &Unit) -> Result<(), Failed> {
    let fence = cx.fence();
    match save(cx, unit, Event::Vanished { fence }).await? {
        Some(unit) => collect(cx, unit).await,
        None => Ok(()),
    }
}

async fn observed(
    cx: &Cx,
    unit: &Unit,
    (state, output): (BatchState, Option<String>),
) -> Result<(), Failed> {
    let fence = cx.fence();
    match save(
        cx,
        unit,
        Event::Observed {
            state,
            output,
            fence,
        },
    )
    .await?
    {
        Some(unit) if matches!(unit.state, UnitState::Collecting { .. }) => collect(cx, unit).await,
        Some(unit) if matches!(unit.state, UnitState::Ready { .. }) => {
            cx.send(Message::SubmitUnit(unit.key)).await
        }
        _ => Ok(()),
    }
}

/// `account::poll::poll`: asks for all open batches, unless another worker does.
async fn poll(cx: &Cx) -> Result<(), Failed> {
    let Some(task) = cx.poll_task().await? else {
        return Ok(());
    };
    if task.due_at > cx.now() {
        return Ok(());
    }
    let now = cx.now();
    let claimed = PollTask {
        due_at: now + TASK_LEASE,
        busy: true,
        rev: task.rev + 1,
        ..task
    };
    match cx.save_poll_task(Some(claimed), task.rev).await {
        Ok(()) => {}
        Err(StoreError::Conflict) => return Ok(()),
        Err(error) => return Err(error.into()),
    }
    let open = cx.open_units().await?;
    let mut changed = 0;
    for (key, batch) in &open {
        if !cx.allows(NEEDED) || !cx.credential().await {
            break;
        }
        if act(cx, *key, batch).await == Ok(true) {
            changed += 1;
        }
    }
    let quiet = if changed > 0 { 0 } else { task.quiet + 1 };
    let leaving = open.is_empty() && quiet >= EMPTY_POLLS;
    let (audited_at, clean) = audit_if_due(cx, &task, leaving).await;
    // Not before a look that found everything in order; without access there will be
    // none, and the watch ends some time.
    let gone = leaving && (clean || quiet >= WATCH_POLLS);
    let done = PollTask {
        quiet,
        audited_at,
        ..claimed
    };
    if gone {
        return match cx.save_poll_task(None, claimed.rev).await {
            Ok(()) | Err(StoreError::Conflict) => Ok(()),
            Err(error) => Err(error.into()),
        };
    }
    release(cx, done).await
}

/// `release`: ends the claim of a task. A submission meanwhile has changed it,
/// and wants it to be asked again soon.
async fn release(cx: &Cx, task: PollTask) -> Result<(), Failed> {
    let (mut quiet, mut rev) = (task.quiet, task.rev);
    for _ in 0..RELEASES {
        let pause = PAUSES[PAUSES.len().min(quiet as usize + 1) - 1];
        let next = PollTask {
            quiet,
            due_at: cx.now() + Duration::from_secs(pause),
            busy: false,
            rev: rev + 1,
            ..task
        };
        match cx.save_poll_task(Some(next), rev).await {
            Ok(()) => return Ok(()),
            Err(StoreError::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
        match cx.poll_task().await? {
            Some(stored) if stored.busy && stored.due_at == task.due_at => {
                (quiet, rev) = (0, stored.rev);
            }
            // The claim ran out, and another invocation has it now.
            _ => return Ok(()),
        }
    }
    Ok(())
}

/// `audit_if_due`: gives when unrecorded batches were last looked for, and whether that
/// was just now and everything was in order.
async fn audit_if_due(cx: &Cx, task: &PollTask, leaving: bool) -> (Option<Timestamp>, bool) {
    let now = cx.now();
    let due = task.audited_at.is_none_or(|at| now.since(at) >= AUDIT);
    if !due && !leaving {
        return (task.audited_at, false);
    }
    match audit(cx).await {
        Ok(clean) => (Some(now), clean),
        Err(Failed) => (task.audited_at, false),
    }
}

/// `account::reconcile::audit`: stops the batches that belong to no unit. Whether all was
/// seen.
async fn audit(cx: &Cx) -> Result<bool, Failed> {
    if !cx.credential().await {
        return Ok(true);
    }
    let (listed_at, running) = match cx.list_running().await {
        Ok(listed) => listed,
        // One such answer may be a mistake; and a task does not wait for ever.
        Err(CallError::Unauthorized) if !cx.protocol().waits_for_access => {
            return Ok(cx.protocol().believes_once);
        }
        Err(error) => return Err(error.into()),
    };
    if !running.is_empty() {
        let units = cx.units().await?;
        for (name, (key, attempt)) in running {
            let unit = units.iter().find(|unit| unit.key == key);
            if unit.is_some_and(|unit| knows(unit, &name, attempt)) {
                continue;
            }
            cx.stop_unknown(&name).await?;
        }
    }
    cx.world().provider.audits.push(listed_at);
    Ok(true)
}

/// `Unit::relation`: whether a batch is the unit's, or may still turn out to be.
fn knows(unit: &Unit, batch: &str, attempt: u32) -> bool {
    if unit.batches.iter().any(|known| known == batch) && unit.fate(batch) == Fate::Lost {
        return true;
    }
    let again = unit.resubmitted.as_ref();
    if again.is_some_and(|again| again.batch == batch) {
        return true;
    }
    match &unit.state {
        UnitState::Creating { .. } => unit.attempt == attempt,
        UnitState::Submitted { batch: known, .. } | UnitState::Cancelling { batch: known } => {
            known == batch
        }
        UnitState::Collecting { batch: known, .. } => known.as_deref() == Some(batch),
        _ => false,
    }
}

async fn act(cx: &Cx, key: UnitKey, batch: &str) -> Result<bool, Failed> {
    let status = cx.get(batch).await;
    if let Ok((BatchState::Pending | BatchState::Running, _)) = &status {
        return Ok(false);
    }
    let Some(unit) = cx.unit(key).await? else {
        return Ok(false);
    };
    if !matches!(&unit.state, UnitState::Submitted { batch: own, .. } if own == batch) {
        return Ok(false);
    }
    match status {
        Ok(status) => observed(cx, &unit, status).await?,
        Err(CallError::NotFound) => denied(cx, &unit).await?,
        Err(error) => return Err(error.into()),
    }
    Ok(true)
}
