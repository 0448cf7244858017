//! Recording collected units, and what they add to their run.
//!
//! Units of one run all add to one item. Recorded one by one, those of one
//! invocation would collide with each other, and each collision is a write in vain
//! and a pause. So those that are ready at the same time are recorded in one
//! transaction, and leave their admission at the provider in one write. Other invocations,
//! reviews and cancellations are kept apart by revisions, as ever.

use std::collections::HashMap;

use stt_eval_shared::App;
use stt_eval_shared::cloudwatch;
use stt_eval_shared::domain::run::{Run, Tally};
use stt_eval_shared::domain::unit::{Event, Unit};
use stt_eval_shared::domain::{RunId, Timestamp};
use stt_eval_shared::store::StoreError;
use stt_eval_shared::store::tries::Tries;
use stt_eval_shared::work::admission;
use stt_eval_shared::work::step::save;

use super::writer::TOGETHER;
use crate::coalesce::{self, Coalesce, Turn};
use crate::failure::Failure;

/// Tries of recording a unit.
const TRIES: u32 = 20;

/// A unit whose outcomes are written.
pub(crate) struct Collected {
    /// The unit, still in `collecting`.
    pub(crate) unit: Unit,
    /// The collector's claim.
    pub(crate) fence: u64,
    /// Its run as it was read last.
    pub(crate) seen: Run,
    /// What it adds to it.
    pub(crate) tally: Tally,
    /// Codes of its failures.
    pub(crate) codes: Vec<String>,
}

impl Collected {
    fn next(&self, app: &App) -> Option<Unit> {
        let event = Event::Collected { fence: self.fence };
        let step = self
            .unit
            .step(event, Timestamp::now(), &app.policy(&self.unit.vendor));
        step.ok().map(|step| step.unit)
    }

    /// Tells logs and metrics; `before` is the run without this unit, `run` with it.
    fn tell(&self, before: &Run, run: &Run) {
        let (unit, tally) = (&self.unit, &self.tally);
        tracing::info!(
            run_id = %unit.run, unit_id = %unit.key, project_id = %unit.project,
            completed = tally.completed, failed = tally.failed,
            run_status = run.status.as_str(), "a unit was collected"
        );
        let codes = self.codes.iter().map(String::as_str);
        cloudwatch::unit_collected(unit, tally.completed, codes, tally.cost_micro_usd);
        let again = tally.passing.items;
        if before.asks_again() && again > 0 {
            cloudwatch::anomaly(
                cloudwatch::ITEMS_ASKED_AGAIN,
                &unit.project,
                unit.run,
                unit.key,
                again as usize,
            );
        }
        if before.status.is_active() {
            cloudwatch::run_finished(run);
        }
    }
}

type ToRecord = coalesce::Enlisted<Collected, Result<(), Failure>>;

/// Runs as this invocation wrote them last.
type Latest = HashMap<RunId, Run>;

/// Records units, together with whatever else is ready.
#[derive(Default)]
pub(crate) struct Recorder(Coalesce<Latest, Collected, Result<(), Failure>>);

impl Recorder {
    /// Records a unit.
    pub(crate) async fn record(&self, app: &App, collected: Collected) -> Result<(), Failure> {
        let (mut latest, all, told) = match self.0.turn(collected).await {
            Turn::Done(result) => return result,
            Turn::Lead { shared, all, told } => (shared, all, told),
        };
        let mut runs: HashMap<RunId, Vec<ToRecord>> = HashMap::new();
        for waiting in all {
            let run = waiting.what.unit.run;
            runs.entry(run).or_default().push(waiting);
        }
        for mut units in runs.into_values() {
            while !units.is_empty() {
                let rest = units.split_off(units.len().min(TOGETHER));
                together(app, &mut latest, units).await;
                units = rest;
            }
        }
        told.result()
            .unwrap_or(Err(Failure::Setup("the recording of a unit broke off")))
    }
}

/// Records units of one run: in one transaction, else one by one.
async fn together(app: &App, latest: &mut Latest, units: Vec<ToRecord>) {
    let all: Vec<&Collected> = units.iter().map(|waiting| &waiting.what).collect();
    let at_once = match release(app, &all).await {
        Ok(()) if all.len() > 1 => at_once(app, latest, &all).await,
        Ok(()) => false,
        Err(error) => {
            let message = error.to_string();
            tracing::warn!(%message, "collected units stay due");
            for waiting in units {
                let error = StoreError::Unavailable(message.clone());
                waiting.tell(Err(error.into()));
            }
            return;
        }
    };
    for waiting in units {
        let result = if at_once {
            Ok(())
        } else {
            alone(app, latest, &waiting.what).await
        };
        waiting.tell(result);
    }
}

/// Gives up the units' places, before they are done: a unit that is done is not
/// looked at again.
async fn release(app: &App, all: &[&Collected]) -> Result<(), Failure> {
    let mut accounts: HashMap<_, Vec<&Unit>> = HashMap::new();
    for unit in all.iter().map(|collected| &collected.unit) {
        let account = (&unit.project, &unit.vendor, &unit.credential);
        accounts.entry(account).or_default().push(unit);
    }
    for units in accounts.into_values() {
        admission::release_all(app, &units).await?;
    }
    Ok(())
}

/// Whether all of them were recorded. If not, none was.
async fn at_once(app: &App, latest: &mut Latest, all: &[&Collected]) -> bool {
    let Some(first) = all.first() else {
        return true;
    };
    let id = first.unit.run;
    // Of several reads the newest.
    let seen = all.iter().map(|collected| &collected.seen);
    let known = seen.chain(latest.get(&id)).max_by_key(|run| run.rev);
    let Some(before) = known.cloned() else {
        return false;
    };
    let mut run = before.clone();
    let mut units = Vec::with_capacity(all.len());
    for collected in all {
        let Some(unit) = collected.next(app).filter(|unit| run.counts(unit.key)) else {
            return false;
        };
        run = run.with_unit(unit.key, &collected.tally, Timestamp::now());
        units.push(unit);
    }
    // One write, however many units there are in it.
    run.rev = before.rev + 1;
    match app.store.save_collected(&units, &run).await {
        Ok(()) => {
            for (number, collected) in all.iter().enumerate() {
                // The run ends with the last of them.
                let last = number + 1 == all.len();
                collected.tell(if last { &before } else { &run }, &run);
            }
            latest.insert(id, run);
            true
        }
        Err(error) => {
            latest.remove(&id);
            tracing::debug!(%error, "units are recorded one by one");
            false
        }
    }
}

/// Records one unit. Others change the run meanwhile, so this repeats until it
/// fits.
async fn alone(app: &App, latest: &mut Latest, collected: &Collected) -> Result<(), Failure> {
    let unit = &collected.unit;
    let Some(next) = collected.next(app) else {
        return Ok(());
    };
    let seen = latest.remove(&unit.run);
    let mut known = match seen {
        Some(run) if run.rev > collected.seen.rev => Some(run),
        _ => Some(collected.seen.clone()),
    };
    let mut tries = Tries::of(TRIES);
    loop {
        let run = match known.take() {
            Some(run) => Some(run),
            None => app.store.run(&unit.project, unit.run).await?,
        };
        let Some(before) = run.filter(|run| run.counts(unit.key)) else {
            return save(app, unit, Event::Cancel).await.map(drop);
        };
        let run = before.with_unit(unit.key, &collected.tally, Timestamp::now());
        match app
            .store
            .save_collected(std::slice::from_ref(&next), &run)
            .await
        {
            Ok(()) => {
                collected.tell(&before, &run);
                latest.insert(unit.run, run);
                return Ok(());
            }
            Err(error @ StoreError::Conflict) => {
                let stored = app.store.unit(&unit.project, unit.run, unit.key).await?;
                if stored.is_none_or(|stored| stored.rev != unit.rev) {
                    // Taken over: the other one's outcomes are the same.
                    return Ok(());
                }
                tries.after(error).await?;
            }
            Err(error) => return Err(error.into()),
        }
    }
}
