//! `/runs`.

use axum::extract::State;
use http::StatusCode;
use stt_eval_shared::App;
use stt_eval_shared::domain::run::RunStatus;
use stt_eval_shared::domain::{DatasetId, RunId};
use stt_eval_shared::store::runs::RunFilter;
use stt_eval_shared::wire;
use stt_eval_shared::wire::envelope::{Deleted, Envelope, ListEnvelope};
use stt_eval_shared::wire::estimate::Estimate;
use stt_eval_shared::wire::runs::{NewRun, Retry};
use stt_eval_shared::wire::transcripts::AddedTranscripts;
use utoipa::IntoParams;

use crate::actor::Actor;
use crate::http::auth::{AsEditor, AsViewer};
use crate::http::envelope::{ok, paged};
use crate::http::error::Answer;
use crate::http::id::PathId;
use crate::http::idempotency::{Idempotency, IdempotencyHeader, Making, first};
use crate::http::json::{JsonBody, MaybeBody, NoBody};
use crate::http::paging::Pager;
use crate::http::query::{FromQuery, NoQuery, Paging, Pairs, Params};
use crate::refusal::Refusal;
use crate::routes::gather::{Gather, handlers};
use crate::services::attempt::Attempt;
use crate::services::results::{Selection, by_sample, show as show_results};
use crate::services::transcripts::add::add;
use crate::services::{about_run, deletion, estimate, runs};
use crate::views;

/// The routes of runs.
pub fn routes<R: Gather>() -> R {
    R::default()
        .with(handlers!(index, create))
        .with(handlers!(estimate))
        .with(handlers!(show, delete))
        .with(handlers!(cancel))
        .with(handlers!(retry))
        .with(handlers!(add_transcripts))
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

    fn read(pairs: &Pairs) -> Result<Self, Refusal> {
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

    fn read(pairs: &Pairs) -> Result<Self, Refusal> {
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
    responses((status = 200, description = "A page of runs", body = ListEnvelope<wire::runs::Run>)))]
async fn index(
    State(app): State<App>,
    AsViewer(caller): AsViewer,
    Params(query): Params<RunsQuery>,
) -> Answer {
    let dataset = query
        .dataset_id
        .map(|id| id.to_string())
        .unwrap_or_default();
    let status = query.status.map_or("", RunStatus::as_str);
    let paging = Paging {
        limit: query.limit,
        cursor: query.cursor,
    };
    let pager = Pager::new(&caller, "runs", &[&dataset, status], paging)?;
    let filter = RunFilter {
        dataset: query.dataset_id,
        status: query.status,
    };
    let project = &caller.actor.project;
    let found = app
        .store
        .list_runs(project, filter, pager.from(), pager.limit);
    pager.answer(found.await?, |run| views::runs::brief(&run))
}

/// Starts a run of several models over a dataset.
///
/// Answers at once, whatever its size; results appear as they come in.
#[utoipa::path(post, path = "/runs", tag = "runs", operation_id = "create_run",
    params(IdempotencyHeader), request_body = NewRun,
    responses((status = 202, description = "The run was accepted", body = Envelope<wire::runs::Run>)))]
async fn create(
    State(app): State<App>,
    AsEditor(caller): AsEditor,
    Params(NoQuery): Params<NoQuery>,
    idempotency: Idempotency,
    JsonBody { value, bytes }: JsonBody<NewRun>,
) -> Answer {
    let (app, actor) = (&app, &caller.actor);
    let making = Making::new(app, &actor.project, &bytes, StatusCode::ACCEPTED).in_steps();
    let make = async |attempt: Attempt| {
        let run = runs::accept(app, actor, &attempt, value).await?;
        Ok(views::runs::run(&run, None))
    };
    let show = async |ids: Vec<RunId>| made_before(app, actor, first(&ids)?).await;
    idempotency.once(making, make, show).await
}

/// Tells what a run would take: audio hours, cost, usual time, and what a model can't
/// take. Writes nothing, and needs no credentials of providers.
#[utoipa::path(post, path = "/runs/estimate", tag = "runs", operation_id = "estimate_run",
    request_body = NewRun,
    responses((status = 200, description = "The estimate", body = Envelope<Estimate>)))]
async fn estimate(
    State(app): State<App>,
    AsViewer(caller): AsViewer,
    Params(NoQuery): Params<NoQuery>,
    JsonBody { value, .. }: JsonBody<NewRun>,
) -> Answer {
    ok(estimate::estimate(&app, &caller.actor, value).await?)
}

/// The run of an earlier request.
pub async fn made_before(
    app: &App,
    actor: &Actor,
    id: RunId,
) -> Result<Option<wire::runs::Run>, Refusal> {
    about_run(id);
    let run = app.store.run(&actor.project, id).await?;
    Ok(run.map(|run| views::runs::run(&run, None)))
}

/// Shows a run, with a page of its results if asked for.
#[utoipa::path(get, path = "/runs/{id}", tag = "runs", operation_id = "get_run",
    params(("id" = RunId, Path, description = "Id of the run"), RunQuery),
    responses((status = 200, description = "The run", body = Envelope<wire::runs::Run>)))]
async fn show(
    State(app): State<App>,
    AsViewer(caller): AsViewer,
    Params(query): Params<RunQuery>,
    id: PathId<RunId>,
) -> Answer {
    let id = id.get()?;
    let project = &caller.actor.project;
    let run = runs::find(&app, project, id).await?;
    let paging = Paging {
        limit: query.limit,
        cursor: query.cursor,
    };
    // A cursor that is none is refused, also where it would be of no use.
    let pager = Pager::new(&caller, "run", &[&id.to_string()], paging)?;
    let waiting = runs::waiting(&app, &run).await?;
    if !query.include_results {
        return ok(views::runs::whole(&run, waiting, None));
    }
    let selection = Selection::all_of(&run);
    let found = by_sample::page(&app, project, &run, &selection, pager.from(), pager.limit).await?;
    let (results, next) = show_results(&app, project, &run, &selection, found).await?;
    let meta = pager.meta(selection.total(&run), next.as_deref());
    paged(views::runs::whole(&run, waiting, Some(results)), meta)
}

/// Stops a run: no more work is given to providers.
#[utoipa::path(post, path = "/runs/{id}/cancel", tag = "runs", operation_id = "cancel_run",
    params(("id" = RunId, Path, description = "Id of the run")),
    responses((status = 200, description = "The run", body = Envelope<wire::runs::Run>)))]
async fn cancel(
    State(app): State<App>,
    AsEditor(caller): AsEditor,
    Params(NoQuery): Params<NoQuery>,
    id: PathId<RunId>,
    NoBody: NoBody,
) -> Answer {
    let run = runs::cancel(&app, &caller.actor.project, id.get()?).await?;
    ok(views::runs::run(&run, None))
}

/// Submits the failed items of a run again (of a cancelled run also those
/// without an outcome). The body may be left out.
#[utoipa::path(post, path = "/runs/{id}/retry", tag = "runs", operation_id = "retry_run",
    params(("id" = RunId, Path, description = "Id of the run"), IdempotencyHeader),
    request_body = Option<Retry>,
    responses((status = 202, description = "The run", body = Envelope<wire::runs::Run>)))]
async fn retry(
    State(app): State<App>,
    AsEditor(caller): AsEditor,
    Params(NoQuery): Params<NoQuery>,
    idempotency: Idempotency,
    id: PathId<RunId>,
    MaybeBody { value, bytes }: MaybeBody<Retry>,
) -> Answer {
    let id = id.get()?;
    let (app, actor) = (&app, &caller.actor);
    let making = Making::new(app, &actor.project, &bytes, StatusCode::ACCEPTED);
    let make = async |attempt: Attempt| {
        let run = runs::retry(app, &actor.project, id, &value, &attempt).await?;
        Ok(views::runs::run(&run, None))
    };
    let show = async |ids: Vec<RunId>| made_before(app, actor, first(&ids)?).await;
    idempotency.once(making, make, show).await
}

/// Adds transcripts that were made elsewhere to a run that has ended.
///
/// Each list becomes a model `imported/<name>` of the run; reviews and all else stay
/// as they are. The same name with the same content again changes nothing.
#[utoipa::path(post, path = "/runs/{id}/transcripts", tag = "runs",
    operation_id = "add_transcripts",
    params(("id" = RunId, Path, description = "Id of the run"), IdempotencyHeader),
    request_body = AddedTranscripts,
    responses((status = 202, description = "The run", body = Envelope<wire::runs::Run>)))]
async fn add_transcripts(
    State(app): State<App>,
    AsEditor(caller): AsEditor,
    Params(NoQuery): Params<NoQuery>,
    idempotency: Idempotency,
    id: PathId<RunId>,
    JsonBody { value, bytes }: JsonBody<AddedTranscripts>,
) -> Answer {
    let id = id.get()?;
    let (app, actor) = (&app, &caller.actor);
    let making = Making::new(app, &actor.project, &bytes, StatusCode::ACCEPTED);
    let make = async |attempt: Attempt| {
        let run = add(app, actor, id, &attempt, value).await?;
        Ok(views::runs::run(&run, None))
    };
    let show = async |ids: Vec<RunId>| made_before(app, actor, first(&ids)?).await;
    idempotency.once(making, make, show).await
}

/// Deletes a run with its results. It is gone at once; what is left, at
/// providers too, is cleared away.
#[utoipa::path(delete, path = "/runs/{id}", tag = "runs", operation_id = "delete_run",
    params(("id" = RunId, Path, description = "Id of the run")),
    responses((status = 200, description = "It is gone", body = Envelope<Deleted<RunId>>)))]
async fn delete(
    State(app): State<App>,
    AsEditor(caller): AsEditor,
    Params(NoQuery): Params<NoQuery>,
    id: PathId<RunId>,
) -> Answer {
    let id = id.get()?;
    deletion::run(&app, &caller.actor.project, id).await?;
    ok(Deleted { id, deleted: true })
}
