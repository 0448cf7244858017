//! What `functions/poll` does to collect a unit, operation by operation.

use std::collections::BTreeMap;
use std::rc::Rc;

use stt_eval_shared::domain::run::Tally;
use stt_eval_shared::domain::unit::{Ending, Event, Unit, UnitState};

use crate::poll::{out_of_reach, save};
use crate::provider::{CallError, Line};
use crate::tables::{Item, Outcome, StoreError};
use crate::world::{Cx, Failed};

/// What a transcription of an item costs.
fn cost(item: Item) -> u64 {
    100 + u64::from(item.1)
}

/// `collect::collect`.
pub async fn collect(cx: &Cx, unit: Unit) -> Result<(), Failed> {
    let UnitState::Collecting { ending, fence, .. } = unit.state.clone() else {
        return Ok(());
    };
    let Some(run) = cx.run().await?.filter(|run| goes_on(cx, run, &unit)) else {
        return save(cx, &unit, Event::Cancel).await.map(drop);
    };
    let lines = match &ending {
        Ending::Nothing { .. } => None,
        Ending::Output { output } => land(cx, &run, &unit, output).await?,
    };
    let outcomes = outcomes(cx, &unit, lines.as_deref());
    cx.write_outcomes(unit.key.round, &outcomes).await?;
    // Who dies after this collects again, from what has landed.
    forget(cx, &unit, &ending).await;
    finish(cx, &unit, fence, &outcomes).await
}

/// What the provider keeps for the batch. Best effort: it forgets by itself
/// after a while.
async fn forget(cx: &Cx, unit: &Unit, ending: &Ending) {
    if !cx.credential().await {
        return;
    }
    if unit.batch_input.is_some() {
        let _ = cx.delete_input((unit.key, unit.attempt)).await;
    }
    if let Ending::Output { output } = ending {
        let _ = cx.delete_output(output).await;
    }
}

fn goes_on(cx: &Cx, run: &stt_eval_shared::domain::run::Run, unit: &Unit) -> bool {
    if cx.protocol().drops_collection {
        run.wants(unit.key, unit.generation)
    } else {
        run.counts(unit.key)
    }
}

/// Lands the raw output. `None` when the provider has none.
async fn land(
    cx: &Cx,
    run: &Rc<stt_eval_shared::domain::run::Run>,
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
        Err(CallError::NotFound) => return Ok(None),
        Err(CallError::Unauthorized) if out_of_reach(cx, run) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    cx.land(unit, Rc::clone(&lines)).await?;
    Ok(Some(lines))
}

/// An outcome for each item of the unit; the first line of a key counts.
fn outcomes(cx: &Cx, unit: &Unit, lines: Option<&Vec<Line>>) -> Vec<(Item, Outcome)> {
    let provider = unit.key.provider;
    let lines = lines.map_or(&[] as &[Line], Vec::as_slice);
    let mut by_key: BTreeMap<Item, Option<Item>> = BTreeMap::new();
    if cx.protocol().positional {
        for (position, line) in unit.positions().zip(lines) {
            by_key.insert((provider, position), line.text);
        }
    } else {
        for line in lines {
            if let Some(key) = line.key {
                by_key.entry(key).or_insert(line.text);
            }
        }
    }
    let one = |position| {
        let item = (provider, position);
        let text = by_key.get(&item).copied().flatten();
        let cost = if text.is_some() { cost(item) } else { 0 };
        (item, Outcome { text, cost })
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
    let tally = Tally {
        completed: u32::try_from(completed).unwrap(),
        failed: u32::try_from(outcomes.len() - completed).unwrap(),
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
