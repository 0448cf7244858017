//! Reading runs.

use stt_eval_shared::App;
use stt_eval_shared::domain::run::Run;
use stt_eval_shared::domain::unit::Waiting;
use stt_eval_shared::domain::{DatasetId, ProjectId, RunId, Timestamp};
use stt_eval_shared::wire;

use crate::refusal::Refusal;
use crate::views;

/// A run of the project.
///
/// # Errors
/// When there is no such run.
pub async fn find(app: &App, project: &ProjectId, id: RunId) -> Result<Run, Refusal> {
    let found = app.store.run(project, id).await?;
    found.ok_or_else(|| Refusal::no_such("run"))
}

/// References of the dataset of a run that has ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct References {
    /// Clips that have none.
    pub missing: u64,
    /// Those that were changed since the run was scored by them.
    pub changed: Option<Changed>,
}

/// Clips whose references were changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Changed {
    /// How many were found; none while the first is about to be.
    pub clips: u64,
    /// There may be more: they are looked for no further.
    pub or_more: bool,
}

/// The clips whose references were changed since a moment.
///
/// # Errors
/// When they can't be read.
pub async fn changed_since(
    app: &App,
    project: &ProjectId,
    dataset: DatasetId,
    at: Timestamp,
) -> Result<Changed, Refusal> {
    let (clips, or_more) = app.store.changed_since(project, dataset, at).await?;
    Ok(Changed { clips, or_more })
}

/// How the references of a run stand.
///
/// # Errors
/// When the dataset can't be read.
pub async fn references(app: &App, run: &Run) -> Result<References, Refusal> {
    let found = app.store.dataset_and_change(&run.project, run.dataset);
    let (dataset, changed) = found.await?;
    let missing = dataset.map_or(0, |dataset| {
        dataset
            .sample_count
            .saturating_sub(dataset.has_ground_truth_count)
    });
    let scored = scored_at(run).filter(|scored| changed.is_some_and(|at| at > *scored));
    let changed = match scored {
        Some(scored) => Some(changed_since(app, &run.project, run.dataset, scored).await?),
        None => None,
    };
    Ok(References {
        missing: missing.into(),
        changed,
    })
}

/// When the figures of a run were begun: they are of the references of that time.
fn scored_at(run: &Run) -> Option<Timestamp> {
    let mut scorings = run.all_scorings().into_iter();
    let scored = scorings.find(|scoring| scoring.id == run.scorings.current);
    Some(scored?.inserted_at)
}

/// Whether the figures of a run are of references before a moment.
#[must_use]
pub fn was_scored_before(run: &Run, at: Timestamp) -> bool {
    scored_at(run).is_some_and(|scored| at > scored)
}

/// What a run waits for. One that has ended waits for nothing, and costs
/// nothing to tell.
pub async fn waiting(app: &App, run: &Run) -> Result<Vec<wire::runs::Waiting>, Refusal> {
    if !run.status.is_active() {
        return Ok(Vec::new());
    }
    let units = app.store.waiting_units(&run.project, run.id).await?;
    let waiting = Waiting::of(run, &units, Timestamp::now(), &app.config.policy);
    Ok(views::runs::waiting(run, waiting))
}
