//! Deleting for good: in steps, each of which may be done again.

use std::time::Duration;

use stt_eval_shared::domain::dataset::{Dataset, DatasetStatus};
use stt_eval_shared::domain::file::File;
use stt_eval_shared::domain::run::Run;
use stt_eval_shared::domain::{ProjectId, RunId, Timestamp};
use stt_eval_shared::objects::{run_prefix, snapshot_key};
use stt_eval_shared::store::{Store, StoreError};
use stt_eval_shared::{App, Deadline};

use super::{Failure, client, credential, discard, project, rescore, room, sweep};

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
    if !sweep::stop_units(app, &run, deadline).await?
        || !room::clear_run(app, &run, deadline).await?
    {
        return postpone_run(app, &run, Timestamp::now() + LATER).await;
    }
    // What takes no notice of being stopped is left to the audit in the end.
    let patient = run.waits_for_batches_to_stop(Timestamp::now(), &app.config.policy);
    if !discard_batches(app, &run, deadline).await? && patient {
        return postpone_run(app, &run, Timestamp::now() + LATER).await;
    }
    if !rescore::stop(app, project, id).await? {
        return postpone_run(app, &run, Timestamp::now() + LATER).await;
    }
    app.objects.delete_prefix(&run_prefix(project, id)).await?;
    while app.store.delete_some_results(project, id).await? {
        if !deadline.allows(super::NEEDED) {
            return postpone_run(app, &run, Timestamp::now() + LATER).await;
        }
    }
    // A collector that was stopped in the middle may still write what it has in
    // hand. Once its lease is over nobody does, and this comes by once more.
    let settled = run.updated_at + app.config.policy.collect_lease;
    if Timestamp::now() < settled {
        return postpone_run(app, &run, settled).await;
    }
    let units = app.store.units_of(project, id).await?;
    app.store
        .delete_units(project, id, units.into_iter().map(|unit| unit.key))
        .await?;
    app.store.forget_run(project, id).await?;
    tracing::info!(run_id = %id, project_id = %project, "a run was deleted");
    Ok(())
}

/// Deletes what is left of a run's batches. True when nothing is.
async fn discard_batches(app: &App, run: &Run, deadline: Deadline) -> Result<bool, Failure> {
    let mut all = true;
    for unit in app.store.units_of(&run.project, run.id).await? {
        if !deadline.allows(super::NEEDED) {
            return Ok(false);
        }
        all &= discard::all_of(app, &unit).await?;
    }
    Ok(all)
}

async fn postpone_run(app: &App, run: &Run, until: Timestamp) -> Result<(), Failure> {
    match app.store.save_run(&run.postponed(until)).await {
        Ok(()) | Err(StoreError::Conflict) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Looks at a due dataset: an unsealed leftover, or one being deleted.
pub(crate) async fn dataset(
    app: &App,
    pk: &str,
    sk: &str,
    deadline: Deadline,
) -> Result<(), Failure> {
    let project = project(pk)?;
    let Some((id, status)) = Store::parse_dataset_key(sk) else {
        return Err(Failure::Setup("a due dataset has an unknown key"));
    };
    let Some(dataset) = app.store.hidden_dataset(&project, id, status).await? else {
        return Ok(());
    };
    let now = Timestamp::now();
    if dataset.due_at.is_none_or(|due| due > now) {
        return Ok(());
    }
    match status {
        DatasetStatus::Unsealed => match app.store.abandon_dataset(&dataset, now).await {
            Ok(()) | Err(StoreError::Conflict) => Ok(()),
            Err(error) => Err(error.into()),
        },
        DatasetStatus::Sealed | DatasetStatus::Deleting => {
            delete_dataset(app, &dataset, deadline).await
        }
    }
}

async fn delete_dataset(app: &App, dataset: &Dataset, deadline: Deadline) -> Result<(), Failure> {
    let project = &dataset.project;
    let later = || {
        app.store
            .postpone_dataset(dataset, Timestamp::now() + LATER)
    };
    let runs = app.store.runs_of(project, dataset.id).await?;
    for (id, deleting) in &runs {
        if *deleting {
            continue;
        }
        if let Some(run) = app.store.run(project, *id).await?
            && let Some(gone) = run.deleted(Timestamp::now())
        {
            match app.store.begin_delete_run(&gone).await {
                Ok(()) | Err(StoreError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    // Runs read the samples to release their audio, so they go first.
    if !runs.is_empty() {
        return Ok(later().await?);
    }
    loop {
        let samples = app.store.some_samples(project, dataset.id).await?;
        if samples.is_empty() {
            break;
        }
        let files: Vec<_> = samples.iter().map(|(_, file)| *file).collect();
        let unused = app.store.release_files(project, dataset.id, &files).await?;
        if !dataset.keep_files {
            for unused in unused {
                match app.store.begin_delete_file(&unused, Timestamp::now()).await {
                    Ok(gone) => file(app, &gone).await?,
                    // Another dataset took it at this very moment.
                    Err(StoreError::Conflict) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
        let ids: Vec<_> = samples.into_iter().map(|(id, _)| id).collect();
        app.store.delete_samples(project, &ids).await?;
        if !deadline.allows(super::NEEDED) {
            return Ok(later().await?);
        }
    }
    app.objects
        .delete(&snapshot_key(project, dataset.id))
        .await?;
    app.store.forget_dataset(dataset).await?;
    tracing::info!(dataset_id = %dataset.id, project_id = %project, "a dataset was cleared away");
    Ok(())
}

/// Clears a deleted file away: at providers, in the bucket, in the table.
pub(crate) async fn file(app: &App, file: &File) -> Result<(), Failure> {
    let project = &file.project;
    for upload in app.store.uploads_of(project, file.id).await? {
        // Whoever began to send it may not have given up yet.
        if upload.is_under_way(Timestamp::now(), app.config.bounds.staging_lease) {
            return Ok(());
        }
        let credential = credential(app, project, &upload.provider, &upload.credential).await?;
        room::erase(client(app, &upload.provider)?, credential.as_ref(), &upload).await?;
        app.store.drop_upload(project, &upload).await?;
    }
    app.objects
        .delete_file(&file.object_key, file.object_version.as_deref())
        .await?;
    Ok(app.store.forget_file(file).await?)
}
