//! Acting on what a provider says of a unit's batch.

use stt_eval_shared::App;
use stt_eval_shared::cloudwatch;
use stt_eval_shared::domain::Timestamp;
use stt_eval_shared::domain::unit::{Event, Unit, UnitState, WaitingReason};
use stt_eval_shared::providers::{BatchState, BatchStatus};
use stt_eval_shared::work::account::{Access, client};
use stt_eval_shared::work::step::{fence, save};
use time::OffsetDateTime;

use super::collect::{Collection, collect};
use super::search::watch;
use crate::cycle::Cycle;
use crate::discard;
use crate::failure::Failure;

/// Notes that the provider says that it does not know a unit's batch. That is
/// believed, and ends the unit, when it was said several times over a while and a
/// list of all batches does not show it either.
pub(crate) async fn denied(
    app: &App,
    cycle: &Cycle,
    unit: &Unit,
    access: &Access,
) -> Result<(), Failure> {
    let unlisted = if unit.would_be_believed(Timestamp::now(), &app.policy(&unit.vendor)) {
        match client(app, &unit.vendor)?.ledger() {
            Some(ledger) => {
                let since = OffsetDateTime::UNIX_EPOCH;
                let listing = ledger.list(&access.credential, since).await?;
                let mut shown = listing.batches.iter().map(|known| &*known.name);
                // What could not be read may be it.
                let complete = listing.whole && listing.unread == 0;
                complete && !shown.any(|name| unit.batch() == Some(name))
            }
            // There is no list to ask: what was said often enough is so.
            None => true,
        }
    } else {
        false
    };
    tracing::warn!(run_id = %unit.run, unit_id = %unit.key, unlisted, "the provider says that it does not know a batch");
    let fence = fence()?;
    match save(app, unit, Event::Denied { unlisted, fence }).await? {
        Some(unit) if matches!(unit.state, UnitState::Collecting { .. }) => {
            // Should it be alive after all, the audit must see it.
            watch(app, &unit).await?;
            collect(app, cycle, unit, Collection::First).await
        }
        _ => Ok(()),
    }
}

/// Notes that the key is refused that a unit's batch is asked for with: the run says so, and
/// the alarm hears of it.
pub(crate) async fn key_refused(app: &App, unit: &Unit) -> Result<(), Failure> {
    let is_known = unit.waiting_reason == Some(WaitingReason::ProviderKeyRefused);
    let is_due = unit.due_at.is_some_and(|due| due <= Timestamp::now());
    let noted = match is_known && !is_due {
        true => Some(unit.clone()),
        false => save(app, unit, Event::KeyRefused).await?,
    };
    if let Some(noted) = noted
        && let Some(blocked) = noted.blocked
    {
        cloudwatch::action_needed(&noted, blocked);
    }
    Ok(())
}

/// Ends a unit whose batch is out of reach.
pub(crate) async fn end_vanished(app: &App, cycle: &Cycle, unit: &Unit) -> Result<(), Failure> {
    // Should it be alive after all, the audit must see it.
    watch(app, unit).await?;
    match save(app, unit, Event::Vanished { fence: fence()? }).await? {
        Some(unit) => collect(app, cycle, unit, Collection::First).await,
        None => Ok(()),
    }
}

/// Acts on what the provider says of a unit's batch.
pub(crate) async fn observed(
    app: &App,
    cycle: &Cycle,
    unit: &Unit,
    status: BatchStatus,
) -> Result<(), Failure> {
    if let BatchState::Unknown(state) = &status.state {
        tracing::error!(run_id = %unit.run, unit_id = %unit.key, %state, "a batch is in an unknown state");
        let (project, run, key) = (&unit.project, unit.run, unit.key);
        cloudwatch::anomaly(cloudwatch::UNKNOWN_BATCH_STATES, project, run, key, 1);
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
    match cycle.writer.step(app, unit, event).await? {
        Some(unit) if matches!(unit.state, UnitState::Collecting { .. }) => {
            if let Some(since) = since {
                cloudwatch::batch_ended(&unit, since);
            }
            collect(app, cycle, unit, Collection::First).await
        }
        Some(unit) if matches!(unit.state, UnitState::Ready { .. }) => {
            tracing::warn!(run_id = %unit.run, unit_id = %unit.key, attempt = unit.attempt, "a batch did not end; its items are submitted once more");
            let (project, run, key) = (&unit.project, unit.run, unit.key);
            cloudwatch::anomaly(cloudwatch::BATCHES_RESUBMITTED, project, run, key, 1);
            // What is not gone after this is tried again with the next batch.
            discard::batches_of(app, &unit, None).await?;
            app.queue.submit_unit(&unit).await.map_err(Failure::from)
        }
        _ => Ok(()),
    }
}
