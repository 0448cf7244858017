//! What `functions/poll` does to collect a unit, operation by operation.

use std::collections::BTreeMap;
use std::rc::Rc;

use stt_eval_domain::run::{Passing, Tally};
use stt_eval_domain::unit::{Ending, Event, Unit, UnitState};

use crate::calls;
use crate::poll::{out_of_reach, save};
use crate::provider::{CallError, Line};
use crate::tables::{Item, Outcome, StoreError};
use crate::world::{Cx, Failed};

/// What a transcription of an item costs.
fn cost(item: Item) -> u64 {
    100 + u64::from(item.1)
}

/// `units::collect::collect`.
pub async fn collect(cx: &Cx, unit: Unit) -> Result<(), Failed> {
    let UnitState::Collecting { ending, fence, .. } = unit.state.clone() else {
        return Ok(());
    };
    let Some(run) = cx.run().await?.filter(|run| goes_on(cx, run, &unit)) else {
        return save(cx, &unit, Event::Cancel).await.map(drop);
    };
    let lines = match &ending {
        Ending::Nothing { .. } => None,
        Ending::Landed => Some(calls::land(cx, &unit).await?),
        Ending::Output { output } => land(cx, &run, &unit, output).await?,
    };
    let outcomes = outcomes(cx, &unit, lines.as_deref());
    cx.write_outcomes(unit.key.round, &outcomes).await?;
    // After a crash from here on it is collected again, from what has landed.
    discard_spent(cx, &unit, &ending, lines.is_some()).await;
    finish(cx, &unit, fence, &outcomes).await
}

/// What the provider keeps for the batch. Best effort: it forgets by itself
/// after a while.
async fn discard_spent(cx: &Cx, unit: &Unit, ending: &Ending, landed: bool) {
    if !cx.credential().await {
        return;
    }
    // A batch that may be alive reads it.
    let alive = unit.has_batch_that_may_be_alive();
    if unit.batch_input.is_some() && (!alive || cx.protocol().believes_once) {
        let _ = cx.delete_input((unit.key, unit.attempt)).await;
    }
    if let Ending::Output { output } = ending
        && (landed || cx.protocol().believes_once)
    {
        let _ = cx.delete_output(output).await;
    }
}

fn goes_on(cx: &Cx, run: &stt_eval_domain::run::Run, unit: &Unit) -> bool {
    if cx.protocol().drops_collection {
        run.wants(unit.key, unit.generation)
    } else {
        run.counts(unit.key)
    }
}

/// Lands the raw output. `None` when the provider has none.
async fn land(
    cx: &Cx,
    run: &Rc<stt_eval_domain::run::Run>,
    unit: &Unit,
    output: &str,
) -> Result<Option<Rc<Vec<Line>>>, Failed> {
    if let Some(landed) = cx.landed(unit).await? {
        return Ok(Some(landed));
    }
    if !cx.credential().await {
        return Ok(None);
    }
    let lines = match cx.download(output).await {
        Ok(lines) => lines,
        // What believes it must not delete it.
        Err(CallError::NotFound) if hopeless(cx, run, unit) => return Ok(None),
        Err(CallError::Unauthorized) if out_of_reach(cx, run) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    cx.land(unit, Rc::clone(&lines)).await?;
    Ok(Some(lines))
}

/// Whether an output is not waited for any more.
fn hopeless(cx: &Cx, run: &stt_eval_domain::run::Run, unit: &Unit) -> bool {
    let waited = cx.now().since(run.inserted_at.max(unit.ready_at));
    cx.protocol().believes_once || waited >= cx.policy().batch() * 3
}

/// An outcome for each item of the unit; the first line of a key counts.
fn outcomes(cx: &Cx, unit: &Unit, lines: Option<&Vec<Line>>) -> Vec<(Item, Outcome)> {
    let provider = unit.key.model;
    let lines = lines.map_or(&[] as &[Line], Vec::as_slice);
    let mut by_key: BTreeMap<Item, (Option<Item>, bool)> = BTreeMap::new();
    if cx.protocol().positional {
        for (position, line) in unit.positions().zip(lines) {
            by_key.insert((provider, position), (line.text, line.passing));
        }
    } else {
        for line in lines {
            if let Some(key) = line.key {
                by_key.entry(key).or_insert((line.text, line.passing));
            }
        }
    }
    let one = |position| {
        let item = (provider, position);
        let (text, passing) = by_key.get(&item).copied().unwrap_or_default();
        let cost = if text.is_some() { cost(item) } else { 0 };
        let mut unsent = unit.unsent.iter().filter(|u| u.position == position);
        let outcome = Outcome {
            text,
            cost,
            passing,
            unknown: text.is_none() && unsent.any(|item| item.code == "outcome_unknown"),
        };
        (item, outcome)
    };
    unit.positions().map(one).collect()
}

/// Records the unit and what it adds to its run, together.
async fn finish(
    cx: &Cx,
    unit: &Unit,
    fence: u64,
    outcomes: &[(Item, Outcome)],
) -> Result<(), Failed> {
    let Ok(step) = unit.step(Event::Collected { fence }, cx.now(), &cx.policy()) else {
        return Ok(());
    };
    let completed = outcomes
        .iter()
        .filter(|(_, outcome)| outcome.text.is_some())
        .count();
    let passing = outcomes.iter().filter(|(_, outcome)| outcome.passing);
    let passing = passing.count();
    let tally = Tally {
        completed: u32::try_from(completed).unwrap(),
        failed: u32::try_from(outcomes.len() - completed - passing).unwrap(),
        passing: Passing {
            items: u32::try_from(passing).unwrap(),
            ..Passing::default()
        },
        cost_micro_usd: outcomes.iter().map(|(_, outcome)| outcome.cost).sum(),
        ..Tally::default()
    };
    for _ in 0..20 {
        let Some(run) = cx.run().await?.filter(|run| goes_on(cx, run, unit)) else {
            return save(cx, unit, Event::Cancel).await.map(drop);
        };
        let next = run.with_unit(unit.key, &tally, cx.now());
        match cx.save_collected(&step.unit, &next).await {
            Ok(()) => return Ok(()),
            Err(StoreError::Conflict) => {
                let stored = cx.unit(unit.key).await?;
                if stored.is_none_or(|stored| stored.rev != unit.rev) {
                    return Ok(());
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
    Err(Failed)
}
