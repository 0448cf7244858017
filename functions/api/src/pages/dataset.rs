//! One dataset: its clips, its runs, and its deletion.

use axum::extract::{RawQuery, State};
use stt_eval_html::dataset::{self as html, Shown};
use stt_eval_html::layout::Section;
use stt_eval_shared::App;
use stt_eval_shared::access::keys::Role;
use stt_eval_shared::domain::dataset::Dataset;
use stt_eval_shared::domain::run::RunStatus;
use stt_eval_shared::domain::{DatasetId, ProjectId};
use stt_eval_shared::store::runs::RunFilter;

use super::answer::{redirect, written};
use super::session::Visit;
use crate::http::error::Answer;
use crate::http::id::PathId;
use crate::http::paging::Pager;
use crate::http::query::{Paging, Pairs, encoded};
use crate::refusal::Refusal;
use crate::services::{deletion, samples};
use crate::views;

/// Clips of a page: each has a player and a form.
const CLIPS: usize = 25;
/// Runs that are shown with it.
const RUNS: usize = 10;

async fn find(app: &App, project: &ProjectId, id: DatasetId) -> Result<Dataset, Refusal> {
    let found = app.store.dataset(project, id).await?;
    found.ok_or_else(|| Refusal::no_such("dataset"))
}

/// The runs of a dataset, or those in one state.
const fn of_dataset(id: DatasetId, status: Option<RunStatus>) -> RunFilter {
    RunFilter {
        dataset: Some(id),
        status,
    }
}

/// Shows a dataset with a page of its clips.
pub async fn show(
    State(app): State<App>,
    visit: Visit,
    id: PathId<DatasetId>,
    RawQuery(query): RawQuery,
) -> Answer {
    let id = id.get()?;
    let query = Pairs::any(query.as_deref().unwrap_or_default());
    let cursor = query.text("cursor").unwrap_or_default();
    let project = &visit.caller.actor.project;
    let dataset = find(&app, project, id).await?;
    // The list of the JSON route, whose cursors are good here as well.
    let paging = Paging {
        limit: CLIPS,
        cursor: query.text("cursor").map(str::to_owned),
    };
    let pager = Pager::new(&visit.caller, "samples", &[&id.to_string()], paging)?;
    let clips = async {
        let found = app
            .store
            .list_samples(project, id, pager.from(), pager.limit);
        Ok::<_, Refusal>(samples::show(&app, found.await?, false).await)
    };
    let runs = async {
        let found = app
            .store
            .list_runs(project, of_dataset(id, None), None, RUNS);
        Ok::<_, Refusal>(found.await?)
    };
    let ((clips, next), (runs, run_count)) = futures::future::try_join(clips, runs).await?;
    let meta = pager.meta(u64::from(dataset.sample_count), next.as_deref());
    let more = meta
        .next_cursor
        .map(|cursor| format!("/datasets/{id}?cursor={}", encoded(&cursor.to_string())));
    let runs: Vec<_> = runs.items.iter().map(views::runs::brief).collect();
    let dataset = views::datasets::dataset(dataset, None);
    let of = Shown {
        dataset: &dataset,
        samples: &clips,
        cursor,
        more: more.as_deref(),
        edit: query.text("edit"),
        runs: &runs,
        run_count,
        may_edit: visit.may(Role::Editor),
        saved_in: query.text("saved").map(|_| project.as_str()),
    };
    written(html::page(
        visit.frame(&dataset.name, Section::Datasets),
        of,
    ))
}

/// Asks whether a dataset is really to be deleted.
pub async fn ask(State(app): State<App>, visit: Visit, id: PathId<DatasetId>) -> Answer {
    visit.needs(Role::Editor)?;
    let (id, project) = (id.get()?, &visit.caller.actor.project);
    let dataset = find(&app, project, id).await?;
    let count = |status| app.store.count_runs(project, of_dataset(id, status));
    let (all, pending, processing) = futures::future::try_join3(
        count(None),
        count(Some(RunStatus::Pending)),
        count(Some(RunStatus::Processing)),
    )
    .await?;
    let dataset = views::datasets::dataset(dataset, None);
    let frame = visit.frame(&dataset.name, Section::Datasets).part("Delete");
    written(html::delete(frame, &dataset, all, pending + processing))
}

/// Deletes a dataset with all that hangs on it; the list then tells which it was.
pub async fn delete(State(app): State<App>, visit: Visit, id: PathId<DatasetId>) -> Answer {
    visit.needs(Role::Editor)?;
    let (id, project) = (id.get()?, &visit.caller.actor.project);
    let dataset = find(&app, project, id).await?;
    deletion::dataset(&app, project, id).await?;
    Ok(redirect(&format!(
        "/datasets?deleted={}",
        encoded(&dataset.name)
    )))
}
