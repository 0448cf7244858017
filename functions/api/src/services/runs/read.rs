//! Reading runs.

use stt_eval_shared::App;
use stt_eval_shared::domain::run::Run;
use stt_eval_shared::domain::unit::Waiting;
use stt_eval_shared::domain::{ProjectId, RunId, Timestamp};
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
    /// Whether one was changed since the run was scored by them.
    pub changed: bool,
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
    Ok(References {
        missing: missing.into(),
        changed: changed.is_some_and(|at| was_scored_before(run, at)),
    })
}

/// Whether the figures of a run are of references before a moment.
#[must_use]
pub fn was_scored_before(run: &Run, at: Timestamp) -> bool {
    let mut scorings = run.all_scorings().into_iter();
    let scored = scorings.find(|scoring| scoring.id == run.scorings.current);
    scored.is_some_and(|scored| at > scored.inserted_at)
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
