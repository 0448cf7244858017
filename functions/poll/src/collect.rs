//! Collection in two durable steps: land the raw output, then score it from
//! there. Either may be done again; the second never asks the provider.

use std::collections::{BTreeSet, HashMap};

use stt_eval_shared::App;
use stt_eval_shared::domain::run::Run;
use stt_eval_shared::domain::unit::{Ending, Event, Unit, UnitState};
use stt_eval_shared::domain::{ResultId, Timestamp};
use stt_eval_shared::metrics;
use stt_eval_shared::objects::{ObjectError, run_prefix};
use stt_eval_shared::providers::{BatchProvider, CallError, Credential, ItemOutcome, OutputLine};
use stt_eval_shared::store::StoreError;

use super::lines::{Line, MAX_LINE, next};
use super::outcomes::{Failed, Outcomes, Scoring};
use super::{Failure, client, credential, discard, save, units};

/// Collects a unit that is in `collecting`.
pub(crate) async fn collect(app: &App, unit: Unit) -> Result<(), Failure> {
    let UnitState::Collecting { ending, fence, .. } = unit.state.clone() else {
        return Ok(());
    };
    let run = app.store.run(&unit.project, unit.run).await?;
    let Some(run) = run.filter(|run| run.counts(unit.key)) else {
        return save(app, &unit, Event::Cancel).await.map(drop);
    };
    let (items, reason) = match &ending {
        Ending::Nothing {
            code,
            message,
            retryable,
        } => (
            HashMap::new(),
            Failed {
                code: code.clone(),
                message: message.clone(),
                retryable: *retryable,
            },
        ),
        Ending::Output { output } => match land(app, &run, &unit, output).await? {
            Some(key) => (read(app, &unit, &key).await?, Failed::missing()),
            None => (HashMap::new(), Failed::gone()),
        },
    };
    let samples = app
        .store
        .samples_in(&unit.project, run.dataset, &unit.spans)
        .await?;
    let outcomes = Scoring::new(&run, &unit)?.outcomes(&samples, items, &reason);
    app.store
        .write_outcomes(&unit.project, &outcomes.outcomes)
        .await?;
    // Before the unit is done: who dies in between collects again, from what has
    // landed. Afterwards nobody would come back for what is left.
    let unit = forget(app, &unit, &ending).await?;
    finish(app, &unit, fence, &outcomes).await
}

/// Records the unit and what it adds to its run, together. Other units and
/// reviewers change the run meanwhile, so this repeats until it fits.
async fn finish(app: &App, unit: &Unit, fence: u64, all: &Outcomes) -> Result<(), Failure> {
    let tally = &all.tally;
    let now = Timestamp::now();
    let Ok(step) = unit.step(Event::Collected { fence }, now, &app.config.policy) else {
        return Ok(());
    };
    for attempt in 1..=20u64 {
        let run = app.store.run(&unit.project, unit.run).await?;
        let Some(run) = run.filter(|run| run.counts(unit.key)) else {
            return save(app, unit, Event::Cancel).await.map(drop);
        };
        let next = run.with_unit(unit.key, tally, Timestamp::now());
        match app.store.save_collected(&step.unit, &next).await {
            Ok(()) => {
                tracing::info!(
                    run_id = %unit.run, unit_id = %unit.key, project_id = %unit.project,
                    completed = tally.completed, failed = tally.failed,
                    run_status = next.status.as_str(), "a unit was collected"
                );
                let codes = all.outcomes.iter().filter_map(|o| o.error_code.as_deref());
                metrics::unit_collected(unit, tally.completed, codes, tally.cost_micro_usd);
                if run.status.is_active() {
                    metrics::run_finished(&next);
                }
                return Ok(());
            }
            Err(StoreError::Conflict) => {
                let stored = app.store.unit(&unit.project, unit.run, unit.key).await?;
                if stored.is_none_or(|stored| stored.rev != unit.rev) {
                    // Taken over: the other one's outcomes are the same.
                    return Ok(());
                }
                tokio::time::sleep(std::time::Duration::from_millis(10 * attempt)).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Err(StoreError::Conflict.into())
}

/// Where the raw output of a unit's last attempt lies.
pub(crate) fn raw_key(unit: &Unit) -> String {
    format!(
        "{}{}/a{}/output.jsonl",
        run_prefix(&unit.project, unit.run),
        unit.key,
        unit.attempt
    )
}

/// Lands the raw output; gives its key. `None` when the provider has none.
async fn land(app: &App, run: &Run, unit: &Unit, output: &str) -> Result<Option<String>, Failure> {
    let key = raw_key(unit);
    match app.objects.head(&key, None).await {
        Ok(_) => return Ok(Some(key)),
        Err(ObjectError::Missing) => {}
        Err(error) => return Err(error.into()),
    }
    let Some(credential) = unit_credential(app, unit).await? else {
        return Ok(None);
    };
    let stream = match client(app, &unit.provider)?
        .download(&credential, output)
        .await
    {
        Ok(stream) => stream,
        // A twin may have landed it meanwhile, and had it deleted.
        Err(error) if units::is_unknown(&error) => {
            return match app.objects.head(&key, None).await {
                Ok(_) => Ok(Some(key)),
                Err(ObjectError::Missing) => Ok(None),
                Err(error) => Err(error.into()),
            };
        }
        // New credentials may still come; but not for ever.
        Err(error) if units::is_unauthorized(&error) => {
            let patience = app.config.policy.deadline * 2;
            if Timestamp::now().since(run.inserted_at) < patience {
                return Err(error.into());
            }
            return Ok(None);
        }
        Err(error) => return Err(error.into()),
    };
    let landed = app
        .objects
        .put_stream(&key, "application/jsonl", stream)
        .await?;
    tracing::info!(
        run_id = %unit.run, unit_id = %unit.key, attempt = unit.attempt,
        bytes = landed.length, sha256 = %landed.sha256, "an output was landed"
    );
    Ok(Some(key))
}

async fn unit_credential(app: &App, unit: &Unit) -> Result<Option<Credential>, Failure> {
    let id = unit.credential.as_deref().unwrap_or_default();
    credential(app, &unit.project, &unit.provider, id).await
}

/// Reads landed output by key. The first line of a key counts; lines of
/// unknown keys and unreadable ones are counted and told.
pub(crate) async fn read(
    app: &App,
    unit: &Unit,
    key: &str,
) -> Result<HashMap<ResultId, ItemOutcome>, Failure> {
    let client: &dyn BatchProvider = client(app, &unit.provider)?;
    let wanted: BTreeSet<ResultId> = unit
        .positions()
        .map(|position| ResultId::new(unit.run, unit.key.provider, position))
        .collect();
    let mut reader = app.objects.reader(key).await?;
    let mut items = HashMap::new();
    let (mut unknown, mut repeated, mut malformed) = (0u32, 0u32, 0u32);
    while let Some(line) = next(&mut reader, MAX_LINE).await? {
        let Line::Whole(line) = line else {
            malformed += 1;
            continue;
        };
        match client.parse_line(&line) {
            OutputLine::Blank => {}
            OutputLine::Malformed { .. } => malformed += 1,
            OutputLine::Item { key, outcome } => {
                match key
                    .parse::<ResultId>()
                    .ok()
                    .filter(|id| wanted.contains(id))
                {
                    None => unknown += 1,
                    Some(id) if items.contains_key(&id) => repeated += 1,
                    Some(id) => {
                        items.insert(id, outcome);
                    }
                }
            }
        }
    }
    // Replayed outputs were counted when they came.
    if unknown > 0 && matches!(unit.state, UnitState::Collecting { .. }) {
        let (project, run, key) = (&unit.project, unit.run, unit.key);
        metrics::odd(metrics::UNKNOWN_KEYS, project, run, key, unknown as usize);
    }
    if unknown + repeated + malformed > 0 {
        tracing::warn!(run_id = %unit.run, unit_id = %unit.key, unknown, repeated, malformed, "an output has odd lines");
    }
    Ok(items)
}

/// Forgets what the provider keeps for the unit; gives it without the batches
/// that are gone. The outcomes are safe, so a failure here is only told: what is
/// left is found by the audit of the credential.
async fn forget(app: &App, unit: &Unit, ending: &Ending) -> Result<Unit, Failure> {
    if let Some(id) = &unit.credential {
        let (project, provider) = (&unit.project, &*unit.provider);
        app.store
            .give_back_slot(project, provider, id, unit.run, unit.key)
            .await?;
    }
    let Some(credential) = unit_credential(app, unit).await? else {
        return Ok(unit.clone());
    };
    let client = client(app, &unit.provider)?;
    let told = |error: CallError| {
        tracing::warn!(run_id = %unit.run, unit_id = %unit.key, %error, "something stays at the provider for now");
    };
    if let (Some(batch), Ending::Output { output }) = (unit.batch(), ending) {
        let files = unit.batch_input.iter().chain([output]).cloned().collect();
        let gone = match discard::over(client, &credential, batch, files).await {
            Ok(()) => unit.without(&[batch.to_owned()]),
            Err(error) => {
                told(error);
                unit.clone()
            }
        };
        return discard::batches_of(app, &gone, Some(batch)).await;
    }
    if let Some(input) = &unit.batch_input
        && let Err(error) = client.delete_file(&credential, input).await
    {
        told(error);
    }
    discard::batches_of(app, unit, None).await
}
