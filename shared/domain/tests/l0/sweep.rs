//! What `functions/poll` does with runs: lost messages, ended runs, deletions.

use std::rc::Rc;
use std::time::Duration;

use stt_eval_domain::run::Run;
use stt_eval_domain::unit::{Event, Unit, UnitState};

use crate::poll::{cancel, save, waits};
use crate::submit::CHECK_AGAIN;
use crate::tables::{OUTBOX, StoreError};
use crate::world::{Cx, Failed, Message};

/// Pause before looking again at what is not done yet.
const LATER: Duration = Duration::from_secs(5);

fn saved(result: Result<(), StoreError>) -> Result<(), Failed> {
    match result {
        Ok(()) | Err(StoreError::Conflict) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// `runs::due::run` for everything of the run that is due.
pub async fn handle(cx: &Cx) -> Result<(), Failed> {
    let (outbox, visible, deleting) = {
        let w = cx.step().await;
        let due = |at: Option<_>| at.is_some_and(|at| at <= w.clock);
        let run = w.tables.run.as_ref();
        (
            due(w.tables.outbox),
            run.is_some_and(|run| !run.deleting && due(run.due_at)),
            run.is_some_and(|run| run.deleting && due(run.due_at)),
        )
    };
    if outbox {
        cx.send(Message::RunAccepted).await?;
        cx.postpone_outbox(cx.now() + OUTBOX).await?;
    }
    if visible {
        run(cx).await?;
    }
    if deleting {
        clear(cx).await?;
    }
    Ok(())
}

async fn run(cx: &Cx) -> Result<(), Failed> {
    let Some(run) = cx.run().await? else {
        return Ok(());
    };
    let now = cx.now();
    if run.due_at.is_none_or(|due| due > now) {
        return Ok(());
    }
    if run.closing {
        return if stop_units(cx, &run).await? {
            saved(cx.save_run(&run.closed()).await)
        } else {
            saved(cx.save_run(&run.postponed(cx.now() + LATER)).await)
        };
    }
    if run.status.is_active() && run.units_total.is_none() {
        cx.send(Message::RunAccepted).await?;
    }
    saved(cx.save_run(&run.postponed(now + CHECK_AGAIN)).await)
}

/// `units::stop::stop_units`: true when none is under way. One that can't be stopped
/// now does not hold up the others.
async fn stop_units(cx: &Cx, run: &Rc<Run>) -> Result<bool, Failed> {
    let mut all = true;
    for unit in cx.units().await? {
        let stops = if cx.protocol().stops_newer {
            !run.wants(unit.key, unit.generation)
        } else {
            run.left_behind(unit.generation)
        };
        if unit.is_done() || !stops {
            continue;
        }
        all &= stop_unit(cx, run, &unit).await.unwrap_or(false);
    }
    Ok(all)
}

/// `units::stop::stop_unit`: false when that takes more time.
async fn stop_unit(cx: &Cx, run: &Run, unit: &Unit) -> Result<bool, Failed> {
    let patience = waits(cx, run);
    match &unit.state {
        UnitState::Cancelling { batch } => {
            cancel(cx, unit, batch, patience).await?;
            return Ok(save(cx, unit, Event::Stopped).await?.is_some());
        }
        UnitState::Creating { .. } => return Ok(false),
        UnitState::Collecting { .. } if !cx.protocol().drops_collection && run.counts(unit.key) => {
            return Ok(false);
        }
        _ => {}
    }
    let Some(next) = save(cx, unit, Event::Cancel).await? else {
        return Ok(false);
    };
    if let UnitState::Cancelling { batch } = &next.state {
        cancel(cx, &next, batch, patience).await?;
        return Ok(save(cx, &next, Event::Stopped).await?.is_some());
    }
    Ok(next.is_done())
}

/// `runs::delete::run`: batches, raw outputs, outcomes, units, and last of all the run.
async fn clear(cx: &Cx) -> Result<(), Failed> {
    let Some(run) = cx.deleting_run().await? else {
        return Ok(());
    };
    if !stop_units(cx, &run).await? {
        return saved(cx.save_run(&run.postponed(cx.now() + LATER)).await);
    }
    cx.delete_landed().await?;
    cx.delete_outcomes().await?;
    // A collector that was stopped in the middle may still write what it has in
    // hand; this comes by once more.
    let settled = run.updated_at + cx.policy().collect_lease;
    if cx.now() < settled && !cx.protocol().clears_at_once {
        return saved(cx.save_run(&run.postponed(settled)).await);
    }
    let keys: Vec<_> = cx.units().await?.iter().map(|unit| unit.key).collect();
    cx.delete_units(&keys).await?;
    cx.finish_delete_run().await
}
