//! Deleting a run for good: in steps, each of which may be done again.

use std::time::Duration;

use stt_eval_shared::domain::run::Run;
use stt_eval_shared::domain::unit::UnitKind;
use stt_eval_shared::domain::{ProjectId, RunId, Timestamp};
use stt_eval_shared::objects::{import_prefix, report_prefix, run_prefix};
use stt_eval_shared::{App, Deadline};

use super::rescore;
use crate::account::audio;
use crate::discard;
use crate::failure::{Failure, NEEDED, unless_changed};
use crate::units::stop::stop_units;

/// Pause before looking again at what is not done yet.
const LATER: Duration = Duration::from_secs(5);

/// Clears a deleted run away: batches and audio at providers, raw outputs,
/// results, units, and last of all the run.
pub(crate) async fn run(
    app: &App,
    project: &ProjectId,
    id: RunId,
    deadline: Deadline,
) -> Result<(), Failure> {
    let Some(run) = app.store.deleting_run(project, id).await? else {
        return Ok(());
    };
    if !stop_units(app, &run, deadline).await?
        || !audio::discard_of_run(app, &run, deadline).await?
    {
        return postpone_run(app, &run, Timestamp::now() + LATER).await;
    }
    // A batch that does not stop when told to is left to the audit in the end.
    let patient = run.waits_for_batches_to_stop(Timestamp::now(), &app.config.policy);
    if !discard_batches(app, &run, deadline).await? && patient {
        return postpone_run(app, &run, Timestamp::now() + LATER).await;
    }
    if !rescore::stop(app, project, id).await? {
        return postpone_run(app, &run, Timestamp::now() + LATER).await;
    }
    app.objects.delete_prefix(&run_prefix(project, id)).await?;
    app.objects
        .delete_prefix(&import_prefix(project, id))
        .await?;
    app.objects
        .delete_prefix(&report_prefix(project, id))
        .await?;
    while app.store.delete_some_results(project, id).await? {
        if !deadline.allows(NEEDED) {
            return postpone_run(app, &run, Timestamp::now() + LATER).await;
        }
    }
    // A collector that was stopped in the middle may still write what it has in
    // hand. Once its lease is over none does, and this comes by once more.
    let settled = run.updated_at + app.config.policy.collect_lease;
    if Timestamp::now() < settled {
        return postpone_run(app, &run, settled).await;
    }
    let units = app.store.units_of(project, id).await?;
    if units.iter().any(|unit| unit.kind == UnitKind::Calls) {
        app.store.delete_calls(project, id).await?;
    }
    app.store
        .delete_units(project, id, units.into_iter().map(|unit| unit.key))
        .await?;
    app.store.finish_delete_run(project, id).await?;
    tracing::info!(run_id = %id, project_id = %project, "a run was deleted");
    Ok(())
}

/// Deletes what is left of a run's batches. True when nothing is.
async fn discard_batches(app: &App, run: &Run, deadline: Deadline) -> Result<bool, Failure> {
    let mut all = true;
    for unit in app.store.units_of(&run.project, run.id).await? {
        if !deadline.allows(NEEDED) {
            return Ok(false);
        }
        all &= discard::all_of(app, &unit).await?;
    }
    Ok(all)
}

async fn postpone_run(app: &App, run: &Run, until: Timestamp) -> Result<(), Failure> {
    unless_changed(app.store.save_run(&run.postponed(until)).await)
}
