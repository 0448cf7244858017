//! `/datasets`.

use axum::extract::State;
use http::StatusCode;
use stt_eval_shared::App;
use stt_eval_shared::domain::DatasetId;
use stt_eval_shared::wire;
use stt_eval_shared::wire::datasets::NewDataset;
use stt_eval_shared::wire::envelope::{Deleted, Envelope, ListEnvelope};
use utoipa::IntoParams;

use crate::http::auth::{AsEditor, AsViewer};
use crate::http::envelope::{ok, paged};
use crate::http::error::Answer;
use crate::http::id::PathId;
use crate::http::idempotency::{Idempotency, IdempotencyHeader, Making, first};
use crate::http::json::JsonBody;
use crate::http::paging::Pager;
use crate::http::query::{FromQuery, NoQuery, Paging, Pairs, Params};
use crate::refusal::Refusal;
use crate::routes::gather::{Gather, handlers};
use crate::services::attempt::Attempt;
use crate::services::datasets::check::check;
use crate::services::datasets::create::create as write;
use crate::services::{deletion, samples};
use crate::views;

/// The routes of datasets.
pub fn routes<R: Gather>() -> R {
    R::default()
        .with(handlers!(index, create))
        .with(handlers!(show, delete))
}

/// What to show of a dataset.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DatasetQuery {
    /// With a page of its samples.
    #[param(value_type = Option<bool>)]
    include_samples: bool,
    /// Samples with playback URLs.
    #[param(value_type = Option<bool>)]
    include_signed_url: bool,
    /// Most samples of the page.
    #[param(value_type = Option<u64>, minimum = 1, maximum = 100, default = 50)]
    limit: usize,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

impl FromQuery for DatasetQuery {
    const NAMES: &'static [&'static str] =
        &["include_samples", "include_signed_url", "limit", "cursor"];

    fn read(pairs: &Pairs) -> Result<Self, Refusal> {
        let Paging { limit, cursor } = pairs.paging()?;
        Ok(Self {
            include_samples: pairs.flag("include_samples", false)?,
            include_signed_url: pairs.flag("include_signed_url", false)?,
            limit,
            cursor,
        })
    }
}

/// Lists datasets, newest first.
#[utoipa::path(get, path = "/datasets", tag = "datasets", operation_id = "list_datasets", params(Paging),
    responses((status = 200, description = "A page of datasets", body = ListEnvelope<wire::datasets::Dataset>)))]
async fn index(
    State(app): State<App>,
    AsViewer(caller): AsViewer,
    Params(paging): Params<Paging>,
) -> Answer {
    let pager = Pager::new(&caller, "datasets", &[], paging)?;
    let project = &caller.actor.project;
    let found = app.store.list_datasets(project, pager.from(), pager.limit);
    pager.answer(found.await?, |dataset| {
        views::datasets::dataset(dataset, None)
    })
}

/// Makes a dataset: all of it, or nothing.
#[utoipa::path(post, path = "/datasets", tag = "datasets", operation_id = "create_dataset",
    params(IdempotencyHeader), request_body = NewDataset,
    responses((status = 201, description = "The dataset", body = Envelope<wire::datasets::Dataset>)))]
async fn create(
    State(app): State<App>,
    AsEditor(caller): AsEditor,
    Params(NoQuery): Params<NoQuery>,
    idempotency: Idempotency,
    JsonBody { value, bytes }: JsonBody<NewDataset>,
) -> Answer {
    let (app, actor) = (&app, &caller.actor);
    let making = Making::new(app, &actor.project, &bytes, StatusCode::CREATED);
    let make = async |attempt: Attempt| {
        let checked = check(app, actor, "", value).await?;
        let dataset = write(app, actor, &attempt, &checked, true).await?;
        let splits = Some(checked.splits).filter(|splits| !splits.is_empty());
        Ok(wire::datasets::Dataset {
            splits,
            ..views::datasets::dataset(dataset, None)
        })
    };
    let show = async |ids: Vec<DatasetId>| {
        let dataset = app.store.dataset(&actor.project, first(&ids)?).await?;
        Ok(dataset.map(|dataset| views::datasets::dataset(dataset, None)))
    };
    idempotency.once(making, make, show).await
}

/// Shows a dataset, with a page of its samples if asked for.
#[utoipa::path(get, path = "/datasets/{id}", tag = "datasets", operation_id = "get_dataset",
    params(("id" = DatasetId, Path, description = "Id of the dataset"), DatasetQuery),
    responses((status = 200, description = "The dataset", body = Envelope<wire::datasets::Dataset>)))]
async fn show(
    State(app): State<App>,
    AsViewer(caller): AsViewer,
    Params(query): Params<DatasetQuery>,
    id: PathId<DatasetId>,
) -> Answer {
    let id = id.get()?;
    let project = &caller.actor.project;
    let found = app.store.dataset(project, id).await?;
    let dataset = found.ok_or_else(|| Refusal::no_such("dataset"))?;
    let paging = Paging {
        limit: query.limit,
        cursor: query.cursor,
    };
    // A cursor that is none is refused, also where it would be of no use.
    let pager = Pager::new(&caller, "samples", &[&id.to_string()], paging)?;
    if !query.include_samples {
        return ok(views::datasets::dataset(dataset, None));
    }
    let page = app
        .store
        .list_samples(project, id, pager.from(), pager.limit)
        .await?;
    let total = u64::from(dataset.sample_count);
    let (samples, next) = samples::show(&app, page, query.include_signed_url).await;
    let meta = pager.meta(total, next.as_deref());
    paged(views::datasets::dataset(dataset, Some(samples)), meta)
}

/// Deletes a dataset with its samples, runs, results, and the audio that
/// nothing else uses. It is gone at once; what is left is cleared away.
#[utoipa::path(delete, path = "/datasets/{id}", tag = "datasets", operation_id = "delete_dataset",
    params(("id" = DatasetId, Path, description = "Id of the dataset")),
    responses((status = 200, description = "It is gone", body = Envelope<Deleted<DatasetId>>)))]
async fn delete(
    State(app): State<App>,
    AsEditor(caller): AsEditor,
    Params(NoQuery): Params<NoQuery>,
    id: PathId<DatasetId>,
) -> Answer {
    let id = id.get()?;
    deletion::dataset(&app, &caller.actor.project, id).await?;
    ok(Deleted { id, deleted: true })
}
