//! From an accepted run to its units.

use std::time::Duration;

use stt_eval_shared::App;
use stt_eval_shared::domain::result::ResultStatus;
use stt_eval_shared::domain::run::Run;
use stt_eval_shared::domain::unit::{MAX_UNIT_BYTES, MAX_UNIT_SAMPLES, Unit, UnitKey, chunks};
use stt_eval_shared::domain::{ProjectId, RunId, Timestamp};
use stt_eval_shared::metrics;
use stt_eval_shared::queue::Message;
use stt_eval_shared::store::StoreError;

use super::Failure;

/// How long until an active run is looked at for no other reason than that it
/// has not ended.
const CHECK_AGAIN: Duration = Duration::from_secs(600);
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
        let messages: Vec<Message> = units
            .iter()
            .map(|unit| Message::SubmitUnit {
                project: project.clone(),
                run: id,
                unit: unit.key,
            })
            .collect();
        // A unit whose message is lost gets it again when it becomes due.
        return Ok(app.queue.send(&messages).await?);
    }
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
        for (chunk, spans) in (0u16..).zip(chunks(&items, MAX_UNIT_SAMPLES, MAX_UNIT_BYTES)) {
            units.push(Unit::new(
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
            ));
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
