//! Datasets that are due: leftovers that were never sealed, and those that are being
//! deleted, in steps, each of which may be done again.

use std::time::Duration;

use stt_eval_shared::domain::Timestamp;
use stt_eval_shared::domain::dataset::{Dataset, DatasetStatus};
use stt_eval_shared::objects::snapshot_key;
use stt_eval_shared::store::{Store, StoreError};
use stt_eval_shared::{App, Deadline};

use super::failure::{Failure, NEEDED, project};
use super::files;

/// Pause before looking again at what is not done yet.
const LATER: Duration = Duration::from_secs(5);

/// Looks at a due dataset: an unsealed leftover, or one being deleted.
pub(crate) async fn due(app: &App, pk: &str, sk: &str, deadline: Deadline) -> Result<(), Failure> {
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
        DatasetStatus::Unsealed => match app.store.begin_delete_unsealed(&dataset, now).await {
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
                    Ok(gone) => files::delete(app, &gone).await?,
                    // Another dataset took it at this very moment.
                    Err(StoreError::Conflict) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
        let ids: Vec<_> = samples.into_iter().map(|(id, _)| id).collect();
        app.store.delete_samples(project, &ids).await?;
        if !deadline.allows(NEEDED) {
            return Ok(later().await?);
        }
    }
    app.store.delete_wordings(project, dataset.id).await?;
    app.objects
        .delete(&snapshot_key(project, dataset.id))
        .await?;
    app.store.finish_delete_dataset(dataset).await?;
    tracing::info!(dataset_id = %dataset.id, project_id = %project, "a dataset was cleared away");
    Ok(())
}
