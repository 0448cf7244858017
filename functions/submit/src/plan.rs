//! From an accepted run to its units.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use stt_eval_shared::App;
use stt_eval_shared::cloudwatch;
use stt_eval_shared::domain::failure::FailureCode;
use stt_eval_shared::domain::result::{Outcome, ResultStatus};
use stt_eval_shared::domain::run::{Run, RunModel};
use stt_eval_shared::domain::unit::{
    MAX_UNIT_BYTES, MAX_UNIT_SAMPLES, Span, Unit, UnitKey, UnitKind, UnitState, Unsent, chunks,
};
use stt_eval_shared::domain::{ProjectId, RunId, Timestamp};
use stt_eval_shared::queue::Message;
use stt_eval_shared::store::StoreError;
use stt_eval_shared::store::samples::Clip;
use stt_eval_shared::work::Failure;

use super::taken::unsupported;

/// How long until an active run is looked at for no other reason than that it
/// has not ended.
const CHECK_AGAIN: Duration = Duration::from_secs(600);
/// Units of a run that have their first message in the queue at once. A message
/// behind theirs asks for the next ones: so runs, and projects, take turns.
const UNITS_AT_ONCE: u16 = 32;
/// Positions read at once when a retry looks for failed items.
const WINDOW: u16 = 500;

/// Cuts a run into units, once, and sends a message for each. A pure function
/// of dataset and run decides the units, so planning that was interrupted goes
/// on where it was.
pub(crate) async fn plan(app: &App, project: &ProjectId, id: RunId) -> Result<(), Failure> {
    loop {
        let Some(run) = app.store.run(project, id).await? else {
            return Ok(app.store.delete_outbox(project, id).await?);
        };
        if !run.status.is_active() || run.units_total.is_some() {
            return Ok(app.store.delete_outbox(project, id).await?);
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
        cloudwatch::run_finished(&planned);
        // A unit whose message is lost gets it again when it becomes due.
        let chunks = units.iter().map(|unit| unit.key.chunk + 1).max();
        return send(app, &planned, 0..chunks.unwrap_or(0)).await;
    }
}

/// Chunks whose units are asked for at once.
fn step(run: &Run) -> u16 {
    (UNITS_AT_ONCE / u16::try_from(run.models.len()).unwrap_or(1).max(1)).max(1)
}

/// Asks for the next units of a run, chunk by chunk across its models, so that these
/// share the audio; and sends a message behind theirs for the rest.
async fn send(app: &App, run: &Run, chunks: Range<u16>) -> Result<(), Failure> {
    let end = chunks.start.saturating_add(step(run)).min(chunks.end);
    let mut keys = Vec::new();
    for chunk in chunks.start..end {
        for (model, _) in (0u8..).zip(&run.models) {
            let key = UnitKey {
                model,
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
        .filter(|unit| matches!(unit.state, UnitState::Ready { .. }))
        .map(|unit| unit.key)
        .collect();
    units.sort_by_key(|key| (key.chunk, key.model));
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
    let mut vendors: Vec<&str> = run.models.iter().map(|model| &*model.vendor).collect();
    vendors.dedup();
    for vendor in vendors {
        let keyless = app.vendor(vendor).and_then(|known| app.keyless(known));
        let credential = match keyless {
            Some(keyless) => keyless.id,
            None => match app.store.credential(project, vendor).await? {
                Some(kept) => kept.id,
                None => continue,
            },
        };
        let admission = app.store.admission(project, vendor, &credential).await?;
        if admission.has_long_queue() {
            let again = Message::MoreUnits {
                project: project.clone(),
                run: id,
                round,
                chunk: chunks.start,
                chunks: chunks.end,
            };
            let pause = app.limits(vendor).map(|limits| limits.pause);
            let pause = pause.unwrap_or_default();
            return Ok(app.queue.send_after(&[again], pause).await?);
        }
    }
    send(app, &run, chunks).await
}

async fn units(app: &App, run: &Run, now: Timestamp) -> Result<Vec<Unit>, Failure> {
    let clips = app.store.clips(&run.project, run.dataset).await?;
    let sizes: Vec<(u16, u64)> = clips
        .iter()
        .map(|clip| (clip.id.position(), clip.size_bytes))
        .collect();
    let mut planned = Vec::new();
    for (index, model) in (0u8..).zip(&run.models) {
        if !run.plans(index) {
            continue;
        }
        let items = if run.round == 1 || run.joining.is_some() {
            sizes.clone()
        } else {
            unfinished(app, run, index, &sizes).await?
        };
        planned.push(Planned {
            index,
            model,
            items,
            unsendable: refused(app, model, &clips),
        });
    }
    hold_back(app, run, &clips, &mut planned);
    let units = planned
        .iter()
        .map(|planned| of_model(app, run, planned, now));
    Ok(units.flatten().collect())
}

/// What a round asks of one model.
struct Planned<'a> {
    index: u8,
    model: &'a RunModel,
    /// Positions and sizes.
    items: Vec<(u16, u64)>,
    /// Items that end at once, and why.
    unsendable: BTreeMap<u16, Unsent>,
}

/// Holds back what does not fit below the run's cap: from the first clip on that all
/// models together can't be asked about any more (see `domain::cost_cap`).
fn hold_back(app: &App, run: &Run, clips: &[Clip], planned: &mut [Planned<'_>]) {
    let Some(cap) = &run.cost_cap else {
        return;
    };
    let clips: BTreeMap<u16, (&str, f64)> = clips
        .iter()
        .map(|clip| (clip.id.position(), (&*clip.language, clip.duration_seconds)))
        .collect();
    let mut costs: BTreeMap<u16, u64> = BTreeMap::new();
    for of_model in planned.iter().filter(|of| of.model.imported.is_none()) {
        let Some(offered) = app.model_of(of_model.model) else {
            continue;
        };
        let model = offered.model();
        let consult = app.consulted(&of_model.model.vendor);
        let config = &of_model.model.config;
        for (position, _) in of_model.sendable() {
            let clip = clips.get(&position).copied().unwrap_or_default();
            let cost = model.estimate_micro_usd(consult, config, clip, cap.since);
            *costs.entry(position).or_default() += cost;
        }
    }
    let Some(first) = cap.first_beyond(costs) else {
        return;
    };
    for of_model in planned.iter_mut().filter(|of| of.model.imported.is_none()) {
        let beyond: Vec<u16> = of_model
            .sendable()
            .filter_map(|(position, _)| (position >= first).then_some(position))
            .collect();
        let held = |position| (position, Unsent::new(position, FailureCode::CostCapReached));
        of_model.unsendable.extend(beyond.into_iter().map(held));
    }
}

impl Planned<'_> {
    /// Items that are asked for, by position and size.
    fn sendable(&self) -> impl Iterator<Item = (u16, u64)> + '_ {
        let all = self.items.iter().copied();
        all.filter(|(position, _)| !self.unsendable.contains_key(position))
    }
}

/// The units of one model. What can't be sent, whatever becomes of the rest, ends at
/// once, in units of its own behind those of its vendor.
fn of_model(app: &App, run: &Run, planned: &Planned<'_>, now: Timestamp) -> Vec<Unit> {
    let Planned {
        index,
        model,
        items,
        unsendable: told,
    } = planned;
    let new = |chunk: usize, spans: Vec<Span>| {
        let mut unit = Unit::new(
            run.project.clone(),
            run.id,
            UnitKey {
                model: *index,
                round: run.round,
                chunk: u16::try_from(chunk).unwrap_or(u16::MAX),
            },
            run.generation,
            model.vendor.clone(),
            spans,
            now,
            &app.config.policy,
        );
        unit.automatic = run.automatic;
        unit
    };
    if model.imported.is_some() {
        let chunks = chunks(items, MAX_UNIT_SAMPLES, u64::MAX).into_iter();
        let units = chunks.enumerate();
        return units
            .map(|(chunk, spans)| new(chunk, spans).of_transcripts(now))
            .collect();
    }
    let sendable: Vec<(u16, u64)> = planned.sendable().collect();
    let is_told = |(position, _): &&(u16, u64)| told.contains_key(position);
    let unsendable: Vec<(u16, u64)> = items.iter().filter(is_told).copied().collect();
    let limits = app.limits(&model.vendor);
    let (samples, bytes) = limits.map_or((MAX_UNIT_SAMPLES, MAX_UNIT_BYTES), |limits| {
        (limits.unit_samples, limits.unit_bytes)
    });
    let mut units = Vec::new();
    for (chunk, spans) in chunks(&sendable, samples, bytes).into_iter().enumerate() {
        let mut unit = new(chunk, spans);
        if app.calls(&model.vendor).is_some() {
            unit.kind = UnitKind::Calls;
        }
        // Not before its turn: see `send`.
        let turn = u32::from(unit.key.chunk / step(run)) + 1;
        unit.due_at = Some(now + app.config.policy.resend_after * turn);
        units.push(unit);
    }
    for spans in chunks(&unsendable, MAX_UNIT_SAMPLES, u64::MAX) {
        let unit = new(units.len(), spans);
        let told = unit.positions().filter_map(|at| told.get(&at).cloned());
        let told = told.collect();
        units.push(unit.of_unsendable(told, now));
    }
    units
}

/// Items of a model that it can't take, whatever people change: by what the recordings
/// are. Their language can change, and is looked at when they are sent.
fn refused(app: &App, model: &RunModel, clips: &[Clip]) -> BTreeMap<u16, Unsent> {
    let Some(offered) = app.model_of(model) else {
        return BTreeMap::new();
    };
    let model = offered.model();
    let refused = clips.iter().filter_map(|clip| {
        let (bytes, seconds) = (clip.size_bytes, clip.duration_seconds);
        let why = model
            .takes_audio(&clip.content_type, bytes, seconds)
            .err()?;
        let position = clip.id.position();
        Some((position, unsupported(position, why)))
    });
    refused.collect()
}

/// Items of a provider that this round is for: those without a transcription, or,
/// in a round that followed by itself, those whose failure may pass.
async fn unfinished(
    app: &App,
    run: &Run,
    model: u8,
    sizes: &[(u16, u64)],
) -> Result<Vec<(u16, u64)>, Failure> {
    let mut unfinished = Vec::new();
    for window in sizes.chunks(usize::from(WINDOW)) {
        let (Some((first, _)), Some((last, _))) = (window.first(), window.last()) else {
            continue;
        };
        let entries = app
            .store
            .results_between(&run.project, run.id, model, *first, last.saturating_add(1))
            .await?;
        let found: BTreeMap<u16, &Outcome> = entries
            .iter()
            .map(|entry| (entry.outcome.id.position(), &entry.outcome))
            .collect();
        unfinished.extend(window.iter().filter(|(position, _)| {
            let outcome = found.get(position);
            // Planning that was interrupted may find outcomes of its own round:
            // they must not change what the round consists of.
            if outcome.is_some_and(|outcome| outcome.round == run.round) {
                return true;
            }
            if run.automatic {
                outcome.is_some_and(|outcome| run.is_open(outcome) && outcome.passing)
            } else {
                outcome.is_none_or(|outcome| outcome.status() != ResultStatus::Completed)
            }
        }));
    }
    Ok(unfinished)
}
