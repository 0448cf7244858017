//! What must be true when everything has come to rest.

use std::collections::BTreeMap;

use stt_eval_domain::run::{Run, RunStatus};
use stt_eval_domain::unit::{Fate, UnitState};

use crate::provider::Access;
use crate::tables::{Item, Outcome};
use crate::world::World;

/// Judges the end of a schedule.
pub fn judge(w: &mut World) {
    let mut found = Vec::new();
    batches(w, &mut found);
    resubmissions(w, &mut found);
    lost(w, &mut found);
    calls(w, &mut found);
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
    // Without access nothing can be known or stopped.
    if w.provider.access != Access::Good {
        return;
    }
    let mut kept: BTreeMap<_, Vec<&str>> = BTreeMap::new();
    for batch in &w.provider.batches {
        let recorded = w.tables.recorded.get(&batch.input);
        let ours = recorded.is_some_and(|names| names.contains(&batch.name));
        // What the provider forgot before it was recorded can't be found.
        if !ours && batch.is_forgotten(w.clock) {
            continue;
        }
        let excused = !ours && batch.is_excused(&w.provider.audits);
        // Of what comes after the grace only the ends are judged: it is
        // recorded, or was stopped when it could be seen.
        if !batch.is_tardy() && !batch.disowned && !batch.came_to_nothing(w.clock) {
            kept.entry(batch.key).or_default().push(&batch.name);
        }
        if !ours && !batch.disowned && !excused {
            found.push(format!(
                "{} of {} is unrecorded",
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
        if !w.policy.resubmit {
            found.push(format!("{} was submitted once more unasked", unit.key));
        }
        let batch = w.provider.batches.iter().find(|b| b.name == again.batch);
        if batch.is_none_or(|batch| batch.has_results(w.clock)) {
            found.push(format!(
                "{}: the results of {} were thrown away",
                unit.key, again.batch
            ));
        }
    }
}

/// Nothing that the provider has was given up because it denied that for a while.
fn lost(w: &World, found: &mut Vec<String>) {
    if w.provider.access != Access::Good {
        return;
    }
    for unit in w.tables.units.values() {
        let given_up = unit.batches.iter().filter(|b| unit.fate(b) == Fate::Lost);
        for name in given_up {
            let batch = w.provider.batches.iter().find(|batch| batch.name == *name);
            if batch.is_some_and(|batch| batch.has_results(w.clock)) {
                found.push(format!("{}: the results of {name} were given up", unit.key));
            }
        }
    }
}

/// Of each call that was paid there is the text, or the word that it is unknown:
/// unless the model said nothing, which is an answer too.
fn calls(w: &World, found: &mut Vec<String>) {
    for ((key, position), _) in &w.provider.calls {
        let Some(unit) = w.tables.units.get(key) else {
            continue;
        };
        if unit.state != UnitState::Collected {
            continue;
        }
        let outcome = w.tables.outcomes.get(&((key.model, *position), key.round));
        let answered = w
            .tables
            .parts
            .get(&(*key, *position))
            .is_some_and(|line| line.text.is_none());
        if !answered && outcome.is_none_or(|o| o.text.is_none() && !o.unknown) {
            found.push(format!(
                "item {position} of {key} was paid for, and is neither there nor unknown"
            ));
        }
    }
    if w.tables.run.is_none() && !(w.tables.calls.is_empty() && w.tables.parts.is_empty()) {
        found.push("of the deleted run calls are left".into());
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
    for ((item, round), outcome) in &w.tables.outcomes {
        let later = w.tables.outcomes.range((*item, round + 1)..);
        let again = later.take_while(|((other, _), _)| other == item).next();
        if let (Some(_), Some(((_, again), _))) = (outcome.text, again) {
            found.push(format!(
                "{item:?} was transcribed in round {round} and asked for again in {again}"
            ));
        }
    }
    let finished = matches!(run.status, RunStatus::Completed | RunStatus::Failed);
    for (index, provider) in (0u8..).zip(&run.models) {
        let (mut completed, mut failed) = (0u32, 0u32);
        for position in 0..u16::try_from(run.sample_count).unwrap() {
            match latest.get(&(index, position)) {
                Some((_, outcome)) if outcome.text.is_some() => completed += 1,
                // Others are being tried again.
                Some((round, outcome)) if !run.replaces(*round, outcome.passing) => failed += 1,
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
