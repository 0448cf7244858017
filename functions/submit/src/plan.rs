//! From an accepted run to its units.

use std::ops::Range;
use std::time::Duration;

use stt_eval_shared::App;
use stt_eval_shared::domain::result::ResultStatus;
use stt_eval_shared::domain::run::Run;
use stt_eval_shared::domain::unit::{MAX_UNIT_BYTES, Unit, UnitKey, chunks};
use stt_eval_shared::domain::{ProjectId, RunId, Timestamp};
use stt_eval_shared::metrics;
use stt_eval_shared::queue::Message;
use stt_eval_shared::store::StoreError;

use super::Failure;

/// How long until an active run is looked at for no other reason than that it
/// has not ended.
const CHECK_AGAIN: Duration = Duration::from_secs(600);
/// Units of a run in the queue that were not tried yet. Those behind them are
/// asked for by a message behind these: so runs, and projects, take turns.
const UNITS_AT_ONCE: u16 = 32;
/// Positions read at once when a retry looks for failed items.
const WINDOW: u16 = 500;

/// Cuts a run into units, once, and sends a message for each. A pure function
/// of dataset and run decides the units, so planning that was interrupted goes
/// on where it was.
pub(crate) async fn plan(app: &App, project: &ProjectId, id: RunId) -> Result<(), Failure> {
    loop {
        let Some(run) = app.store.run(project, id).await? else {
            return Ok(app.store.clear_outbox(project, id).await?);
        };
        if !run.status.is_active() || run.units_total.is_some() {
            return Ok(app.store.clear_outbox(project, id).await?);
        }
        let now = Timestamp::now();
        let units = units(app, &run, now).await?;
        app.store.create_units(&units).await?;
        let total = u32::try_from(units.len()).unwrap_or(u32::MAX);
        let Some(planned) = run.planned(total, now, now + CHECK_AGAIN) else {
            return Ok(());
        };
        match app.store.save_planned_run(&planned).await {
            Ok(()) => {}
            // Cancelled, deleted or planned by a twin of this message.
            Err(StoreError::Conflict) => continue,
            Err(error) => return Err(error.into()),
        }
        tracing::info!(run_id = %id, project_id = %project, units = total, "a run was planned");
        metrics::run_finished(&planned);
        // A unit whose message is lost gets it again when it becomes due.
        let chunks = units.iter().map(|unit| unit.key.chunk + 1).max();
        return send(app, &planned, 0..chunks.unwrap_or(0)).await;
    }
}

/// Chunks whose units are asked for at once.
fn step(run: &Run) -> u16 {
    (UNITS_AT_ONCE / u16::try_from(run.providers.len()).unwrap_or(1).max(1)).max(1)
}

/// Asks for the next units of a run, chunk by chunk across its models, which so
/// share the audio; and after them, for those behind them.
async fn send(app: &App, run: &Run, chunks: Range<u16>) -> Result<(), Failure> {
    let end = chunks.start.saturating_add(step(run)).min(chunks.end);
    let mut keys = Vec::new();
    for chunk in chunks.start..end {
        for (provider, _) in (0u8..).zip(&run.providers) {
            let key = UnitKey {
                provider,
                round: run.round,
                chunk,
            };
            keys.push((run.id, key));
        }
    }
    let mut units: Vec<UnitKey> = app
        .store
        .units(&run.project, keys)
        .await?
        .into_iter()
        .filter(|unit| !unit.is_done())
        .map(|unit| unit.key)
        .collect();
    units.sort_by_key(|key| (key.chunk, key.provider));
    let messages: Vec<Message> = units
        .into_iter()
        .map(|unit| Message::SubmitUnit {
            project: run.project.clone(),
            run: run.id,
            unit,
        })
        .collect();
    app.queue.send(&messages).await?;
    if end < chunks.end {
        let more = Message::MoreUnits {
            project: run.project.clone(),
            run: run.id,
            round: run.round,
            chunk: end,
            chunks: chunks.end,
        };
        app.queue.send(&[more]).await?;
    }
    Ok(())
}

/// Goes on asking for the units of a run; not while they would only wait.
pub(crate) async fn more(
    app: &App,
    project: &ProjectId,
    id: RunId,
    round: u16,
    chunks: Range<u16>,
) -> Result<(), Failure> {
    let Some(run) = app.store.run(project, id).await? else {
        return Ok(());
    };
    if !run.status.is_active() || run.round != round {
        return Ok(());
    }
    let mut providers: Vec<&str> = run.providers.iter().map(|p| &*p.provider).collect();
    providers.dedup();
    for provider in providers {
        let Some(credential) = app.store.credential(project, provider).await? else {
            continue;
        };
        let room = app.store.room(project, provider, &credential.id).await?;
        if room.has_long_line() {
            let again = Message::MoreUnits {
                project: project.clone(),
                run: id,
                round,
                chunk: chunks.start,
                chunks: chunks.end,
            };
            let pause = app.config.admission.pause;
            return Ok(app.queue.send_after(&[again], pause).await?);
        }
    }
    send(app, &run, chunks).await
}

async fn units(app: &App, run: &Run, now: Timestamp) -> Result<Vec<Unit>, Failure> {
    let sizes = app.store.sample_sizes(&run.project, run.dataset).await?;
    let mut units = Vec::new();
    for (index, provider) in (0u8..).zip(&run.providers) {
        let items = if run.round == 1 {
            sizes.clone()
        } else {
            unfinished(app, run, index, &sizes).await?
        };
        let most = app.config.admission.unit_samples;
        for (chunk, spans) in (0u16..).zip(chunks(&items, most, MAX_UNIT_BYTES)) {
            let mut unit = Unit::new(
                run.project.clone(),
                run.id,
                UnitKey {
                    provider: index,
                    round: run.round,
                    chunk,
                },
                run.generation,
                provider.provider.clone(),
                spans,
                now,
                &app.config.policy,
            );
            // Not before its turn: see `send`.
            let turn = u32::from(chunk / step(run)) + 1;
            unit.due_at = Some(now + app.config.policy.resend_after * turn);
            units.push(unit);
        }
    }
    Ok(units)
}

/// Items of a provider that have no transcription.
async fn unfinished(
    app: &App,
    run: &Run,
    provider: u8,
    sizes: &[(u16, u64)],
) -> Result<Vec<(u16, u64)>, Failure> {
    let mut unfinished = Vec::new();
    for window in sizes.chunks(usize::from(WINDOW)) {
        let (Some((first, _)), Some((last, _))) = (window.first(), window.last()) else {
            continue;
        };
        let entries = app
            .store
            .results_between(
                &run.project,
                run.id,
                provider,
                *first,
                last.saturating_add(1),
            )
            .await?;
        let done: std::collections::BTreeSet<u16> = entries
            .iter()
            .filter(|entry| entry.outcome.status() == ResultStatus::Completed)
            // Planning that was interrupted may find outcomes of its own round:
            // they must not change what the round consists of.
            .filter(|entry| entry.outcome.round < run.round)
            .map(|entry| entry.outcome.id.position())
            .collect();
        unfinished.extend(
            window
                .iter()
                .filter(|(position, _)| !done.contains(position)),
        );
    }
    Ok(unfinished)
}
