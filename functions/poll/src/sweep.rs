//! Runs and files that are due: messages that were lost, runs that have ended,
//! uploads that never came.

use std::time::Duration;

use stt_eval_shared::domain::Timestamp;
use stt_eval_shared::domain::file::{File, FileStatus};
use stt_eval_shared::domain::run::Run;
use stt_eval_shared::domain::unit::{Event, Unit, UnitState};
use stt_eval_shared::queue::Message;
use stt_eval_shared::registration::{Registered, register_upload};
use stt_eval_shared::store::runs::RunKey;
use stt_eval_shared::store::{Store, StoreError};
use stt_eval_shared::{App, Deadline};

use super::pass::Pass;
use super::{Failure, cancel, clear, project, rescore, save};

/// How long until an active run is looked at again for no other reason.
const CHECK_AGAIN: Duration = Duration::from_secs(600);

/// Looks at a due item of table `runs`.
pub(crate) async fn run(
    app: &App,
    pk: &str,
    sk: &str,
    deadline: Deadline,
    pass: &Pass,
) -> Result<(), Failure> {
    let project = project(pk)?;
    let now = Timestamp::now();
    match Store::parse_run_key(sk) {
        Some(RunKey::Outbox(run)) => {
            app.queue
                .send(&[Message::RunAccepted {
                    project: project.clone(),
                    run,
                }])
                .await?;
            Ok(app
                .store
                .postpone_outbox(&project, run, now + app.config.bounds.outbox)
                .await?)
        }
        Some(RunKey::Rescore(run)) => rescore::work(app, &project, run, deadline).await,
        Some(RunKey::Deleting(run)) => clear::run(app, &project, run, deadline).await,
        Some(RunKey::Run(id)) => {
            let Some(run) = app.store.run(&project, id).await? else {
                return Ok(());
            };
            if run.due_at.is_none_or(|due| due > now) {
                return Ok(());
            }
            if run.closing {
                return close(app, &run, deadline).await;
            }
            pass.note(|cycle| cycle.saw(&run, now));
            // It ends with its last unit, and each unit is due by itself.
            // This only makes one that lost its outbox visible again.
            if run.status.is_active() && run.units_total.is_none() {
                let message = Message::RunAccepted {
                    project: project.clone(),
                    run: id,
                };
                app.queue.send(&[message]).await?;
            }
            saved(app.store.save_run(&run.postponed(now + CHECK_AGAIN)).await)
        }
        None => Err(Failure::Setup("a due run has an unknown key")),
    }
}

fn saved(result: Result<(), StoreError>) -> Result<(), Failure> {
    match result {
        // Somebody changed it meanwhile, and when it is due with it.
        Ok(()) | Err(StoreError::Conflict) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Stops what an ended run has under way at providers. Its audio goes with its
/// units (see `room`).
async fn close(app: &App, run: &Run, deadline: Deadline) -> Result<(), Failure> {
    if stop_units(app, run, deadline).await? {
        saved(app.store.save_run(&run.closed()).await)
    } else {
        saved(
            app.store
                .save_run(&run.postponed(Timestamp::now() + Duration::from_secs(5)))
                .await,
        )
    }
}

/// Stops the units of a run that has ended. True when none is under way.
pub(crate) async fn stop_units(app: &App, run: &Run, deadline: Deadline) -> Result<bool, Failure> {
    let mut all = true;
    for unit in app.store.units_of(&run.project, run.id).await? {
        // Units of a retry that this copy of the run does not know are not its.
        if unit.is_done() || !run.left_behind(unit.generation) {
            continue;
        }
        if !deadline.allows(super::NEEDED) {
            return Ok(false);
        }
        all &= match stop_unit(app, run, &unit).await {
            Ok(stopped) => stopped,
            Err(error) => {
                tracing::warn!(run_id = %unit.run, unit_id = %unit.key, %error, "a unit was not stopped and will be again");
                false
            }
        };
    }
    Ok(all)
}

/// Stops one unit. False when that takes more time.
async fn stop_unit(app: &App, run: &Run, unit: &Unit) -> Result<bool, Failure> {
    let patience = run.waits_for_batches_to_stop(Timestamp::now(), &app.config.policy);
    match &unit.state {
        UnitState::Cancelling { batch } => {
            let unit = cancel(app, unit, batch, patience).await?;
            let stopped = save(app, &unit, Event::Stopped).await?;
            return Ok(stopped.is_some());
        }
        // A batch may exist that nobody knows: the search must come first.
        UnitState::Creating { .. } => return Ok(false),
        // Its outcomes may be written already, so it is counted to the end.
        UnitState::Collecting { .. } if run.counts(unit.key) => return Ok(false),
        _ => {}
    }
    let Some(next) = save(app, unit, Event::Cancel).await? else {
        return Ok(false);
    };
    if let UnitState::Cancelling { batch } = &next.state {
        let next = cancel(app, &next, batch, patience).await?;
        return Ok(save(app, &next, Event::Stopped).await?.is_some());
    }
    Ok(next.is_done())
}

/// Looks at a due item of table `files`.
pub(crate) async fn file(app: &App, pk: &str, sk: &str) -> Result<(), Failure> {
    let project = project(pk)?;
    let Some((id, deleting)) = Store::parse_file_key(sk) else {
        return Err(Failure::Setup("a due file has an unknown key"));
    };
    if deleting {
        return match app.store.deleting_file(&project, id).await? {
            Some(file) if file.is_settled(Timestamp::now()) => clear::file(app, &file).await,
            _ => Ok(()),
        };
    }
    let now = Timestamp::now();
    let Some(file) = app.store.file(&project, id).await? else {
        return Ok(());
    };
    if file.status != FileStatus::Uploading || file.due_at.is_none_or(|due| due > now) {
        return Ok(());
    }
    match register_upload(&app.store, &app.objects, &project, id, now).await? {
        Registered::Done(_) | Registered::Nothing => Ok(()),
        Registered::Missing => {
            let give_up = file
                .upload_expires_at
                .map_or(now, |expires| expires + app.config.bounds.upload_margin);
            let next = if now >= give_up {
                file.expired(now)
            } else {
                Some(File {
                    due_at: Some(give_up),
                    rev: file.rev + 1,
                    ..file
                })
            };
            match next {
                Some(next) => saved(app.store.save_file(&next).await),
                None => Ok(()),
            }
        }
    }
}
