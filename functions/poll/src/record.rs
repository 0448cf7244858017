//! Recording collected units, and what they add to their run.
//!
//! Units of one run all add to one item, so whoever records them one by one
//! collides with himself: each collision is a write in vain and a pause. Here
//! those that are ready at the same time are recorded in one transaction, and
//! leave their room at the provider in one write. Other invocations, reviewers
//! and people who cancel are kept apart by revisions, as ever.

use std::collections::HashMap;
use std::time::Duration;

use stt_eval_shared::App;
use stt_eval_shared::domain::run::{Run, Tally};
use stt_eval_shared::domain::unit::{Event, Unit};
use stt_eval_shared::domain::{RunId, Timestamp};
use stt_eval_shared::metrics;
use stt_eval_shared::store::StoreError;

use super::together::{Together, Turn};
use super::{Failure, room, save};

/// Most units of a transaction, which has up to 100 writes.
const TOGETHER: usize = 50;
/// How often a unit is tried to be recorded.
const TRIES: u64 = 20;

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
        let step = self.unit.step(event, Timestamp::now(), &app.config.policy);
        step.ok().map(|step| step.unit)
    }

    /// `run` is as it is with this unit, `before` as it was without.
    fn tell(&self, before: &Run, run: &Run) {
        let (unit, tally) = (&self.unit, &self.tally);
        tracing::info!(
            run_id = %unit.run, unit_id = %unit.key, project_id = %unit.project,
            completed = tally.completed, failed = tally.failed,
            run_status = run.status.as_str(), "a unit was collected"
        );
        let codes = self.codes.iter().map(String::as_str);
        metrics::unit_collected(unit, tally.completed, codes, tally.cost_micro_usd);
        if before.status.is_active() {
            metrics::run_finished(run);
        }
    }
}

type Waiting = super::together::Waiting<Collected, Result<(), Failure>>;

/// Runs as this invocation wrote them last.
type Latest = HashMap<RunId, Run>;

/// Records units, together with whatever else is ready.
#[derive(Default)]
pub(crate) struct Recorder(Together<Latest, Collected, Result<(), Failure>>);

impl Recorder {
    /// Records a unit.
    pub(crate) async fn record(&self, app: &App, collected: Collected) -> Result<(), Failure> {
        let (mut latest, all, told) = match self.0.turn(collected).await {
            Turn::Done(result) => return result,
            Turn::Lead { shared, all, told } => (shared, all, told),
        };
        let mut runs: HashMap<RunId, Vec<Waiting>> = HashMap::new();
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
        told.result().unwrap_or(Err(Failure::Setup(
            "whoever was recording a unit broke off",
        )))
    }
}

/// Writes units' next revisions, together with whatever else comes at the same
/// time.
#[derive(Default)]
pub(crate) struct Writer(Together<(), Unit, Result<(), StoreError>>);

impl Writer {
    /// Writes a unit's next revision.
    pub(crate) async fn save(&self, app: &App, unit: &Unit) -> Result<(), StoreError> {
        let (_turn, mut all, told) = match self.0.turn(unit.clone()).await {
            Turn::Done(result) => return result,
            Turn::Lead { shared, all, told } => (shared, all, told),
        };
        while !all.is_empty() {
            let rest = all.split_off(all.len().min(TOGETHER));
            let units: Vec<Unit> = all.iter().map(|waiting| waiting.what.clone()).collect();
            let saved = match units.len() {
                1 => Err(StoreError::Conflict),
                _ => app.store.save_units(&units).await,
            };
            for waiting in all {
                let result = match &saved {
                    // Somebody else changed one of them; or it is alone.
                    Err(StoreError::Conflict) => app.store.save_unit(&waiting.what).await,
                    saved => saved.clone(),
                };
                waiting.tell(result);
            }
            all = rest;
        }
        told.result().unwrap_or(Err(StoreError::Unavailable(
            "whoever was writing a unit broke off".into(),
        )))
    }
}

/// Records units of one run: in one transaction, else one by one.
async fn together(app: &App, latest: &mut Latest, units: Vec<Waiting>) {
    let all: Vec<&Collected> = units.iter().map(|waiting| &waiting.what).collect();
    let at_once = match leave(app, &all).await {
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

/// Gives up the units' room, before they are done: afterwards nobody would come
/// back for it.
async fn leave(app: &App, all: &[&Collected]) -> Result<(), Failure> {
    let mut accounts: HashMap<_, Vec<&Unit>> = HashMap::new();
    for unit in all.iter().map(|collected| &collected.unit) {
        let account = (&unit.project, &unit.provider, &unit.credential);
        accounts.entry(account).or_default().push(unit);
    }
    for units in accounts.into_values() {
        room::leave_all(app, &units).await?;
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
    for attempt in 1..=TRIES {
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
            Err(StoreError::Conflict) => {
                let stored = app.store.unit(&unit.project, unit.run, unit.key).await?;
                if stored.is_none_or(|stored| stored.rev != unit.rev) {
                    // Taken over: the other one's outcomes are the same.
                    return Ok(());
                }
                tokio::time::sleep(Duration::from_millis(10 * attempt)).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Err(StoreError::Conflict.into())
}
