//! `/runs`.

use axum::extract::State;
use http::StatusCode;
use stt_eval_shared::App;
use stt_eval_shared::domain::run::{Run, RunStatus};
use stt_eval_shared::domain::{DatasetId, RunId};
use stt_eval_shared::store::runs::RunFilter;
use utoipa::IntoParams;

use super::{page_meta, split, start};
use crate::auth::{AsEditor, AsViewer, Tenant};
use crate::dto::runs::{NewRun, RunView};
use crate::envelope::{Deleted, Envelope, ListEnvelope, list, ok, one, paged};
use crate::error::{Answer, ApiError};
use crate::handlers;
use crate::id::PathId;
use crate::idempotency::{Begun, Idempotency, IdempotencyHeader, deleted_since, made_ids};
use crate::json::{JsonBody, NoBody};
use crate::observe::about_run;
use crate::query::{FromQuery, NoQuery, Paging, Pairs, Params};
use crate::routes::gather::Gather;
use crate::services::results::{Selection, show as show_results};
use crate::services::{deletion, results_by_sample, runs};

/// The routes of runs.
pub fn routes<R: Gather>() -> R {
    R::default()
        .with(handlers!(index, create))
        .with(handlers!(show, delete))
        .with(handlers!(cancel))
        .with(handlers!(retry))
}

/// Which runs.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct RunsQuery {
    /// Of one dataset.
    dataset_id: Option<DatasetId>,
    /// In one state.
    #[param(inline)]
    status: Option<RunStatus>,
    /// Most items of the page.
    #[param(value_type = Option<u64>, minimum = 1, maximum = 100, default = 50)]
    limit: usize,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

impl FromQuery for RunsQuery {
    const NAMES: &'static [&'static str] = &["dataset_id", "status", "limit", "cursor"];

    fn read(pairs: &Pairs) -> Result<Self, ApiError> {
        let Paging { limit, cursor } = pairs.paging()?;
        Ok(Self {
            dataset_id: pairs.parsed("dataset_id", "the id of a dataset")?,
            status: pairs.choice("status", &RunStatus::ALL.map(|s| (s.as_str(), s)))?,
            limit,
            cursor,
        })
    }
}

/// What to show of a run.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct RunQuery {
    /// With a page of its results, in the order of samples.
    #[param(value_type = Option<bool>)]
    include_results: bool,
    /// Most results of the page.
    #[param(value_type = Option<u64>, minimum = 1, maximum = 100, default = 50)]
    limit: usize,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

impl FromQuery for RunQuery {
    const NAMES: &'static [&'static str] = &["include_results", "limit", "cursor"];

    fn read(pairs: &Pairs) -> Result<Self, ApiError> {
        let Paging { limit, cursor } = pairs.paging()?;
        Ok(Self {
            include_results: pairs.flag("include_results", false)?,
            limit,
            cursor,
        })
    }
}

/// Lists runs, newest first.
#[utoipa::path(get, path = "/runs", tag = "runs", operation_id = "list_runs", params(RunsQuery),
    responses((status = 200, description = "A page of runs", body = ListEnvelope<RunView>)))]
async fn index(
    State(app): State<App>,
    AsViewer(tenant): AsViewer,
    Params(query): Params<RunsQuery>,
) -> Answer {
    let dataset = query
        .dataset_id
        .map(|id| id.to_string())
        .unwrap_or_default();
    let status = query.status.map_or("", RunStatus::as_str);
    let cursors = tenant.cursors("runs", &[&dataset, status]);
    let paging = Paging {
        limit: query.limit,
        cursor: query.cursor,
    };
    let after = start(&cursors, &paging)?;
    let filter = RunFilter {
        dataset: query.dataset_id,
        status: query.status,
    };
    let found = app
        .store
        .list_runs(&tenant.project, filter, after.as_deref(), paging.limit)
        .await?;
    let (runs, meta) = split(&cursors, &paging, found);
    list(runs.iter().map(RunView::brief).collect(), meta)
}

/// Starts a run of several models over a dataset.
///
/// Answers at once, whatever its size; results appear as they come in.
#[utoipa::path(post, path = "/runs", tag = "runs", operation_id = "create_run",
    params(IdempotencyHeader), request_body = NewRun,
    responses((status = 202, description = "The run was accepted", body = Envelope<RunView>)))]
async fn create(
    State(app): State<App>,
    AsEditor(tenant): AsEditor,
    Params(NoQuery): Params<NoQuery>,
    idempotency: Idempotency,
    JsonBody { value, bytes }: JsonBody<NewRun>,
) -> Answer {
    let attempt = match idempotency.begin(&app, &tenant.project, &bytes).await? {
        Begun::Go(attempt) => attempt,
        Begun::Again { status, made } => return again(&app, &tenant, status, &made).await,
    };
    let accepted = runs::accept(&app, &tenant, &attempt, value).await;
    let run = attempt.settle_refused(&app, accepted).await?;
    one(StatusCode::ACCEPTED, RunView::new(&run, None))
}

/// Answers about the run of an earlier request.
async fn again(app: &App, tenant: &Tenant, status: StatusCode, made: &[String]) -> Answer {
    let ids: Vec<RunId> = made_ids(made)?;
    let id = ids.first().ok_or_else(deleted_since)?;
    about_run(*id);
    let run = app
        .store
        .run(&tenant.project, *id)
        .await?
        .ok_or_else(deleted_since)?;
    one(status, RunView::new(&run, None))
}

async fn find(app: &App, tenant: &Tenant, id: RunId) -> Result<Run, ApiError> {
    let found = app.store.run(&tenant.project, id).await?;
    found.ok_or_else(|| ApiError::no_such("run"))
}

/// Shows a run, with a page of its results if asked for.
#[utoipa::path(get, path = "/runs/{id}", tag = "runs", operation_id = "get_run",
    params(("id" = RunId, Path, description = "Id of the run"), RunQuery),
    responses((status = 200, description = "The run", body = Envelope<RunView>)))]
async fn show(
    State(app): State<App>,
    AsViewer(tenant): AsViewer,
    Params(query): Params<RunQuery>,
    id: PathId<RunId>,
) -> Answer {
    let id = id.get()?;
    let run = find(&app, &tenant, id).await?;
    let cursors = tenant.cursors("run", &[&id.to_string()]);
    let paging = Paging {
        limit: query.limit,
        cursor: query.cursor,
    };
    // A cursor that is none is refused, also where it would be of no use.
    let from = start(&cursors, &paging)?;
    let waiting = runs::waiting(&app, &run).await?;
    if !query.include_results {
        return ok(RunView::new(&run, None).waiting(waiting));
    }
    let selection = Selection::all_of(&run);
    let project = &tenant.project;
    let found = results_by_sample::page(
        &app,
        project,
        &run,
        &selection,
        from.as_deref(),
        paging.limit,
    )
    .await?;
    let (results, next) = show_results(&app, project, &run, &selection, found).await?;
    let meta = page_meta(&cursors, &paging, selection.total(&run), next.as_deref());
    paged(RunView::new(&run, Some(results)).waiting(waiting), meta)
}

/// Stops a run: no more work is given to providers.
#[utoipa::path(post, path = "/runs/{id}/cancel", tag = "runs", operation_id = "cancel_run",
    params(("id" = RunId, Path, description = "Id of the run")),
    responses((status = 200, description = "The run", body = Envelope<RunView>)))]
async fn cancel(
    State(app): State<App>,
    AsEditor(tenant): AsEditor,
    Params(NoQuery): Params<NoQuery>,
    id: PathId<RunId>,
    NoBody: NoBody,
) -> Answer {
    let run = runs::cancel(&app, &tenant.project, id.get()?).await?;
    ok(RunView::new(&run, None))
}

/// Submits the failed items of a run again (of a cancelled run also those
/// without an outcome).
#[utoipa::path(post, path = "/runs/{id}/retry", tag = "runs", operation_id = "retry_run",
    params(("id" = RunId, Path, description = "Id of the run"), IdempotencyHeader),
    responses((status = 202, description = "The run", body = Envelope<RunView>)))]
async fn retry(
    State(app): State<App>,
    AsEditor(tenant): AsEditor,
    Params(NoQuery): Params<NoQuery>,
    idempotency: Idempotency,
    id: PathId<RunId>,
    NoBody: NoBody,
) -> Answer {
    let id = id.get()?;
    let attempt = match idempotency.begin(&app, &tenant.project, b"").await? {
        Begun::Go(attempt) => attempt,
        Begun::Again { status, made } => return again(&app, &tenant, status, &made).await,
    };
    let retried = runs::retry(&app, &tenant.project, id, &attempt).await;
    let run = attempt.settle(&app, retried).await?;
    one(StatusCode::ACCEPTED, RunView::new(&run, None))
}

/// Deletes a run with its results. It is gone at once; what is left, at
/// providers too, is cleared away.
#[utoipa::path(delete, path = "/runs/{id}", tag = "runs", operation_id = "delete_run",
    params(("id" = RunId, Path, description = "Id of the run")),
    responses((status = 200, description = "It is gone", body = Envelope<Deleted<RunId>>)))]
async fn delete(
    State(app): State<App>,
    AsEditor(tenant): AsEditor,
    Params(NoQuery): Params<NoQuery>,
    id: PathId<RunId>,
) -> Answer {
    let id = id.get()?;
    deletion::run(&app, &tenant.project, id).await?;
    ok(Deleted { id, deleted: true })
}
