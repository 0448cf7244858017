//! `/datasets`.

use axum::extract::State;
use http::StatusCode;
use stt_eval_shared::App;
use stt_eval_shared::domain::DatasetId;
use stt_eval_shared::domain::dataset::Sample;
use stt_eval_shared::store::{Page, Store};
use utoipa::IntoParams;

use super::{page_meta, split, start};
use crate::auth::{AsEditor, AsViewer};
use crate::dto::datasets::{DatasetView, NewDataset, SampleView};
use crate::envelope::{Deleted, Envelope, ListEnvelope, list, ok, one, paged};
use crate::error::{Answer, ApiError};
use crate::handlers;
use crate::id::PathId;
use crate::idempotency::{Begun, Idempotency, IdempotencyHeader, deleted_since, made_ids};
use crate::json::JsonBody;
use crate::query::{FromQuery, NoQuery, Paging, Pairs, Params};
use crate::routes::gather::Gather;
use crate::services::{MAX_PAGE_BYTES, dataset_checks, datasets, deletion, signing};

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

    fn read(pairs: &Pairs) -> Result<Self, ApiError> {
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
    responses((status = 200, description = "A page of datasets", body = ListEnvelope<DatasetView>)))]
async fn index(
    State(app): State<App>,
    AsViewer(tenant): AsViewer,
    Params(paging): Params<Paging>,
) -> Answer {
    let cursors = tenant.cursors("datasets", &[]);
    let after = start(&cursors, &paging)?;
    let found = app
        .store
        .list_datasets(&tenant.project, after.as_deref(), paging.limit)
        .await?;
    let (datasets, meta) = split(&cursors, &paging, found);
    list(
        datasets
            .into_iter()
            .map(|dataset| DatasetView::new(dataset, None))
            .collect(),
        meta,
    )
}

/// Makes a dataset: all of it, or nothing.
#[utoipa::path(post, path = "/datasets", tag = "datasets", operation_id = "create_dataset",
    params(IdempotencyHeader), request_body = NewDataset,
    responses((status = 201, description = "The dataset", body = Envelope<DatasetView>)))]
async fn create(
    State(app): State<App>,
    AsEditor(tenant): AsEditor,
    Params(NoQuery): Params<NoQuery>,
    idempotency: Idempotency,
    JsonBody { value, bytes }: JsonBody<NewDataset>,
) -> Answer {
    let attempt = match idempotency.begin(&app, &tenant.project, &bytes).await? {
        Begun::Go(attempt) => attempt,
        Begun::Again { status, made } => {
            let ids: Vec<DatasetId> = made_ids(&made)?;
            let id = ids.first().ok_or_else(deleted_since)?;
            let dataset = app.store.dataset(&tenant.project, *id).await?;
            let dataset = dataset.ok_or_else(deleted_since)?;
            return one(status, DatasetView::new(dataset, None));
        }
    };
    let made = async {
        let checked = dataset_checks::check(&app, &tenant, "", value).await?;
        datasets::create(&app, &tenant, &attempt, &checked, true).await
    };
    let dataset = attempt.settle(&app, made.await).await?;
    one(StatusCode::CREATED, DatasetView::new(dataset, None))
}

/// The samples of a page, as many as fit into an answer, and where the next
/// page begins.
async fn sample_views(
    app: &App,
    page: Page<Sample>,
    signed: bool,
) -> (Vec<SampleView>, Option<String>) {
    let mut views = Vec::with_capacity(page.items.len());
    let mut bytes = 0;
    let mut samples = page.items.into_iter();
    while let Some(sample) = samples.next() {
        let place = Store::sample_place(&sample);
        let url = signing::sample_url(app, &sample, signed).await;
        let view = SampleView::new(sample, url);
        bytes += view.weight();
        views.push(view);
        if bytes > MAX_PAGE_BYTES && samples.len() > 0 {
            return (views, Some(place));
        }
    }
    (views, page.next)
}

/// Shows a dataset, with a page of its samples if asked for.
#[utoipa::path(get, path = "/datasets/{id}", tag = "datasets", operation_id = "get_dataset",
    params(("id" = DatasetId, Path, description = "Id of the dataset"), DatasetQuery),
    responses((status = 200, description = "The dataset", body = Envelope<DatasetView>)))]
async fn show(
    State(app): State<App>,
    AsViewer(tenant): AsViewer,
    Params(query): Params<DatasetQuery>,
    id: PathId<DatasetId>,
) -> Answer {
    let id = id.get()?;
    let found = app.store.dataset(&tenant.project, id).await?;
    let dataset = found.ok_or_else(|| ApiError::no_such("dataset"))?;
    let cursors = tenant.cursors("samples", &[&id.to_string()]);
    let paging = Paging {
        limit: query.limit,
        cursor: query.cursor,
    };
    // A cursor that is none is refused, also where it would be of no use.
    let after = start(&cursors, &paging)?;
    if !query.include_samples {
        return ok(DatasetView::new(dataset, None));
    }
    let page = app
        .store
        .list_samples(&tenant.project, id, after.as_deref(), paging.limit)
        .await?;
    let total = u64::from(dataset.sample_count);
    let (samples, next) = sample_views(&app, page, query.include_signed_url).await;
    let meta = page_meta(&cursors, &paging, total, next.as_deref());
    paged(DatasetView::new(dataset, Some(samples)), meta)
}

/// Deletes a dataset with its samples, runs, results, and the audio that
/// nothing else uses. It is gone at once; what is left is cleared away.
#[utoipa::path(delete, path = "/datasets/{id}", tag = "datasets", operation_id = "delete_dataset",
    params(("id" = DatasetId, Path, description = "Id of the dataset")),
    responses((status = 200, description = "It is gone", body = Envelope<Deleted<DatasetId>>)))]
async fn delete(
    State(app): State<App>,
    AsEditor(tenant): AsEditor,
    Params(NoQuery): Params<NoQuery>,
    id: PathId<DatasetId>,
) -> Answer {
    let id = id.get()?;
    deletion::dataset(&app, &tenant.project, id).await?;
    ok(Deleted { id, deleted: true })
}
