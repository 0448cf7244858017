//! Deleting: unreachable at once, cleared away afterwards. What is not done
//! here, or breaks off, the sweeper finds by the due index.

use futures::StreamExt;
use stt_eval_shared::App;
use stt_eval_shared::domain::file::{File, FileStatus};
use stt_eval_shared::domain::{DatasetId, FileId, ProjectId, RunId, Timestamp};
use stt_eval_shared::store::tries::Tries;

use crate::refusal::{Kind, Refusal};

/// Most runs of a dataset that are deleted within its own request.
const MOST_RUNS: usize = 500;

/// Deletes a file that no dataset uses.
pub async fn file(app: &App, project: &ProjectId, id: FileId) -> Result<(), Refusal> {
    let mut tries = Tries::default();
    loop {
        let file = app
            .store
            .file(project, id)
            .await?
            .filter(|file| file.status != FileStatus::Deleting)
            .ok_or_else(|| Refusal::no_such("file"))?;
        if let Some(dataset) = file.datasets.first() {
            return Err(in_use(app, project, *dataset, file.datasets.len()).await?);
        }
        match app.store.begin_delete_file(&file, Timestamp::now()).await {
            Ok(gone) => {
                if let Err(error) = delete_bytes(app, project, &gone).await {
                    tracing::warn!(file_id = %id, error = ?error.cause, "a deleted file is left to the sweeper");
                }
                return Ok(());
            }
            // Registered or taken by a dataset meanwhile.
            Err(error) => tries.after(error).await?,
        }
    }
}

async fn in_use(
    app: &App,
    project: &ProjectId,
    dataset: DatasetId,
    count: usize,
) -> Result<Refusal, Refusal> {
    let more = match count {
        0 | 1 => String::new(),
        count => format!(" and {} more", count - 1),
    };
    Ok(Refusal::conflict(
        match app.store.dataset(project, dataset).await? {
            Some(found) => format!(
                "the file is used by the dataset \"{}\" ({dataset}){more}; delete that first",
                found.name
            ),
            None => format!(
                "the file is used by a dataset that is being made or deleted ({dataset}){more}; try again in a moment"
            ),
        },
    ))
}

/// Clears a deleted file away, unless a provider has a copy: taking that back
/// needs credentials that this function can't open.
async fn delete_bytes(app: &App, project: &ProjectId, gone: &File) -> Result<(), Refusal> {
    if !app.store.uploads_of(project, gone.id).await?.is_empty() {
        return Ok(());
    }
    app.objects
        .delete_file(&gone.object_key, gone.object_version.as_deref())
        .await?;
    if !gone.is_settled(Timestamp::now()) {
        return Ok(());
    }
    Ok(app.store.finish_delete_file(gone).await?)
}

/// Deletes a run.
pub async fn run(app: &App, project: &ProjectId, id: RunId) -> Result<(), Refusal> {
    let mut tries = Tries::default();
    loop {
        let run = app
            .store
            .run(project, id)
            .await?
            .ok_or_else(|| Refusal::no_such("run"))?;
        let Some(gone) = run.deleted(Timestamp::now()) else {
            return Err(Refusal::no_such("run"));
        };
        match app.store.begin_delete_run(&gone).await {
            Ok(()) => return Ok(()),
            Err(error) => tries.after(error).await?,
        }
    }
}

/// Deletes a dataset and its runs.
pub async fn dataset(app: &App, project: &ProjectId, id: DatasetId) -> Result<(), Refusal> {
    let mut tries = Tries::default();
    loop {
        let dataset = app
            .store
            .dataset(project, id)
            .await?
            .ok_or_else(|| Refusal::no_such("dataset"))?;
        match app
            .store
            .begin_delete_dataset(&dataset, Timestamp::now(), app.config.bounds.index_lag)
            .await
        {
            Ok(()) => break,
            // A sample was edited meanwhile.
            Err(error) => tries.after(error).await?,
        }
    }
    // From here on the dataset is gone, whatever happens: no new run can begin
    // on it, and the sweeper deletes the runs that are left.
    let runs = match app.store.runs_of(project, id).await {
        Ok(runs) => runs,
        Err(error) => {
            tracing::warn!(dataset_id = %id, %error, "runs of a deleted dataset are left to the sweeper");
            return Ok(());
        }
    };
    let deletions = runs
        .into_iter()
        .filter(|(_, deleting)| !deleting)
        .take(MOST_RUNS)
        .map(|(run_id, _)| async move { (run_id, run(app, project, run_id).await) });
    let outcomes: Vec<_> = futures::stream::iter(deletions)
        .buffer_unordered(8)
        .collect()
        .await;
    for (run_id, outcome) in outcomes {
        if let Err(error) = outcome
            && error.kind != Kind::NoSuch
        {
            tracing::warn!(%run_id, error = ?error.cause, "a run of a deleted dataset is left to the sweeper");
        }
    }
    Ok(())
}
