//! What must be true when everything has come to rest.

use std::collections::BTreeMap;

use stt_eval_shared::domain::run::{Run, RunStatus};

use crate::provider::Access;
use crate::tables::{Item, Outcome};
use crate::world::World;

/// Judges the end of a schedule.
pub fn judge(w: &mut World) {
    let mut found = Vec::new();
    batches(w, &mut found);
    resubmissions(w, &mut found);
    match w.tables.run.clone() {
        Some(run) => {
            ended(w, &run, &mut found);
            items(w, &run, &mut found);
            w.reached.note_end(Some(run.status));
        }
        None => {
            let left = (
                w.tables.units.len(),
                w.tables.outcomes.len(),
                w.tables.landed.len(),
            );
            if left != (0, 0, 0) {
                let (units, outcomes, outputs) = left;
                found.push(format!(
                    "of the deleted run {units} units, {outcomes} outcomes and {outputs} outputs are left"
                ));
            }
            w.reached.note_end(None);
        }
    }
    w.violations.extend(found);
}

/// Money is spent once, and everything that was bought is accounted for.
fn batches(w: &World, found: &mut Vec<String>) {
    for ((key, attempt), names) in &w.tables.recorded {
        if names.len() > 1 {
            found.push(format!("{key} recorded {names:?} for attempt {attempt}"));
        }
    }
    let mut creations: BTreeMap<_, u32> = BTreeMap::new();
    for key in &w.provider.creations {
        *creations.entry(key).or_default() += 1;
    }
    for (key, times) in creations {
        let again = w
            .tables
            .units
            .get(key)
            .is_none_or(|unit| unit.resubmitted.is_some());
        if times > w.policy.max_attempts + u32::from(again) {
            found.push(format!("{key} was created {times} times"));
        }
    }
    // Without access nobody can know or stop anything.
    if w.provider.access != Access::Good {
        return;
    }
    let mut kept: BTreeMap<_, Vec<&str>> = BTreeMap::new();
    for batch in &w.provider.batches {
        let recorded = w.tables.recorded.get(&batch.input);
        let ours = recorded.is_some_and(|names| names.contains(&batch.name));
        // What the provider forgot before anybody recorded it can't be found.
        if !ours && batch.is_forgotten(w.clock) {
            continue;
        }
        let excused = !ours && batch.is_excused(&w.provider.audits);
        // Of what comes after the grace only the ends are judged: it is
        // recorded, or was stopped by whoever could see it.
        if !batch.is_tardy() && !batch.disowned && !batch.came_to_nothing(w.clock) {
            kept.entry(batch.key).or_default().push(&batch.name);
        }
        if !ours && !batch.disowned && !excused {
            found.push(format!(
                "{} of {} is nobody's",
                batch.name, batch.display_name
            ));
        }
        // It was told; more can't be done, should it take no notice of that or
        // come to its end before it could stop.
        if !batch.is_over(w.clock) && !batch.disowned && !excused {
            found.push(format!(
                "{} of {} still runs",
                batch.name, batch.display_name
            ));
        }
    }
    for (key, names) in kept {
        if names.len() > 1 {
            found.push(format!(
                "{key} was paid for {} times: {names:?}",
                names.len()
            ));
        }
    }
}

/// What was made once more had brought nothing.
fn resubmissions(w: &World, found: &mut Vec<String>) {
    for unit in w.tables.units.values() {
        let Some(again) = &unit.resubmitted else {
            continue;
        };
        let batch = w.provider.batches.iter().find(|b| b.name == again.batch);
        if batch.is_none_or(|batch| batch.has_results(w.clock)) {
            found.push(format!(
                "{}: the results of {} were thrown away",
                unit.key, again.batch
            ));
        }
    }
}

/// Run and units have ended.
fn ended(w: &World, run: &Run, found: &mut Vec<String>) {
    if run.status.is_active() || run.closing || run.deleting {
        found.push(format!(
            "the run is {:?}, {} of {:?} units done, closing {}, deleting {}",
            run.status, run.units_done, run.units_total, run.closing, run.deleting
        ));
    }
    for unit in w.tables.units.values().filter(|unit| !unit.is_done()) {
        found.push(format!("{} is left in {:?}", unit.key, unit.state));
    }
}

/// Each item has one latest outcome, its own, and the run counts them right.
fn items(w: &World, run: &Run, found: &mut Vec<String>) {
    let mut latest: BTreeMap<Item, (u16, &Outcome)> = BTreeMap::new();
    for ((item, round), outcome) in &w.tables.outcomes {
        latest.insert(*item, (*round, outcome));
        if outcome.text.is_some_and(|text| text != *item) {
            found.push(format!("{item:?} has the words of {:?}", outcome.text));
        }
    }
    let finished = matches!(run.status, RunStatus::Completed | RunStatus::Failed);
    for (index, provider) in (0u8..).zip(&run.providers) {
        let (mut completed, mut failed) = (0u32, 0u32);
        for position in 0..u16::try_from(run.sample_count).unwrap() {
            match latest.get(&(index, position)) {
                Some((_, outcome)) if outcome.text.is_some() => completed += 1,
                // A failure of an earlier round is being tried again.
                Some((round, _)) if *round == run.round => failed += 1,
                _ if finished => found.push(format!("({index}, {position}) has no outcome")),
                _ => {}
            }
        }
        if (completed, failed) != (provider.completed, provider.failed) {
            found.push(format!(
                "model {index} counts {} + {}, but there are {completed} + {failed}",
                provider.completed, provider.failed
            ));
        }
        let rows = w
            .tables
            .outcomes
            .iter()
            .filter(|(((p, _), _), _)| *p == index);
        let cost: u64 = rows.map(|(_, outcome)| outcome.cost).sum();
        if cost != provider.cost_micro_usd {
            found.push(format!(
                "model {index} costs {}, recounted {cost}",
                provider.cost_micro_usd
            ));
        }
    }
    let right = match run.status {
        RunStatus::Completed => run.completed() > 0,
        RunStatus::Failed => run.completed() == 0,
        _ => true,
    };
    if !right {
        found.push(format!(
            "the run is {:?} with {} completed",
            run.status,
            run.completed()
        ));
    }
}
