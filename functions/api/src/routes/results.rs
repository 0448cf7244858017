//! `/runs/{id}/results` and `/results`.

use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use http::header::{ETAG, HeaderValue};
use stt_eval_shared::App;
use stt_eval_shared::domain::result::ResultStatus;
use stt_eval_shared::domain::run::Run;
use stt_eval_shared::domain::{ResultId, RunId};
use utoipa::{IntoParams, ToSchema};

use super::{page_meta, start};
use crate::auth::{AsReviewer, AsViewer};
use crate::dto::results::{ResultPatch, ResultView};
use crate::envelope::{Envelope, ListEnvelope, list, ok};
use crate::error::{Answer, ApiError};
use crate::handlers;
use crate::id::PathId;
use crate::json::JsonBody;
use crate::query::{FromQuery, NoQuery, Paging, Pairs, Params};
use crate::routes::gather::Gather;
use crate::services::results::{Found, Item, Selection, current, exists, show as show_results};
use crate::services::{results_by_sample, results_by_wer, reviews};

/// The routes of results.
pub fn routes<R: Gather>() -> R {
    R::default()
        .with(handlers!(index))
        .with(handlers!(show, update))
}

/// Orders of a list of results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ToSchema)]
pub enum Sort {
    /// By sample, models side by side.
    #[schema(rename = "sample")]
    Sample,
    /// Scored results, best first.
    #[schema(rename = "wer")]
    Best,
    /// Scored results, worst first.
    #[schema(rename = "-wer")]
    Worst,
}

const SORTS: [(&str, Sort); 3] = [
    ("sample", Sort::Sample),
    ("wer", Sort::Best),
    ("-wer", Sort::Worst),
];
const STATUSES: [(&str, ResultStatus); 3] = [
    ("pending", ResultStatus::Pending),
    ("completed", ResultStatus::Completed),
    ("failed", ResultStatus::Failed),
];
const JUDGEMENTS: [(&str, Option<bool>); 3] =
    [("true", Some(true)), ("false", Some(false)), ("null", None)];

/// Which results, and what to show of them.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ResultsQuery {
    /// Of one model of the run.
    #[param(example = "gemini-2.5-pro")]
    provider: Option<String>,
    /// In one state.
    #[param(inline)]
    status: Option<ResultStatus>,
    /// Judged so by reviewers: `true`, `false`, or `null` for not judged.
    #[param(value_type = Option<String>, pattern = "^(true|false|null)$")]
    is_correct: Option<Option<bool>>,
    /// Order: `sample` (every item), or `wer` and `-wer` (scored results only,
    /// best or worst first).
    #[param(value_type = Option<String>, pattern = "^(sample|wer|-wer)$", default = "sample")]
    sort: Sort,
    /// With words of reference and transcription side by side.
    #[param(value_type = Option<bool>)]
    include_alignment: bool,
    /// With playback URLs.
    #[param(value_type = Option<bool>)]
    include_signed_url: bool,
    /// Most items of the page.
    #[param(value_type = Option<u64>, minimum = 1, maximum = 100, default = 50)]
    limit: usize,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

impl FromQuery for ResultsQuery {
    const NAMES: &'static [&'static str] = &[
        "provider",
        "status",
        "is_correct",
        "sort",
        "include_alignment",
        "include_signed_url",
        "limit",
        "cursor",
    ];

    fn read(pairs: &Pairs) -> Result<Self, ApiError> {
        let Paging { limit, cursor } = pairs.paging()?;
        Ok(Self {
            provider: pairs.text("provider").map(str::to_owned),
            status: pairs.choice("status", &STATUSES)?,
            is_correct: pairs.choice("is_correct", &JUDGEMENTS)?,
            sort: pairs.choice("sort", &SORTS)?.unwrap_or(Sort::Sample),
            include_alignment: pairs.flag("include_alignment", false)?,
            include_signed_url: pairs.flag("include_signed_url", false)?,
            limit,
            cursor,
        })
    }
}

/// What to show of a result.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ResultQuery {
    /// With words of reference and transcription side by side.
    #[param(value_type = Option<bool>)]
    include_alignment: bool,
    /// With a playback URL.
    #[param(value_type = Option<bool>)]
    include_signed_url: bool,
}

impl FromQuery for ResultQuery {
    const NAMES: &'static [&'static str] = &["include_alignment", "include_signed_url"];

    fn read(pairs: &Pairs) -> Result<Self, ApiError> {
        Ok(Self {
            include_alignment: pairs.flag("include_alignment", false)?,
            include_signed_url: pairs.flag("include_signed_url", false)?,
        })
    }
}

fn word<T: PartialEq>(words: &[(&'static str, T)], value: &T) -> &'static str {
    words
        .iter()
        .find(|(_, known)| known == value)
        .map_or("", |(word, _)| *word)
}

fn selection(query: &ResultsQuery, run: &Run) -> Result<Selection, ApiError> {
    let mut selection = Selection {
        status: query.status,
        is_correct: query.is_correct,
        alignment: query.include_alignment,
        signed_url: query.include_signed_url,
        ..Selection::all_of(run)
    };
    if let Some(wanted) = &query.provider {
        let index = run
            .providers
            .iter()
            .position(|provider| provider.model == *wanted);
        let Some(index) = index.and_then(|index| u8::try_from(index).ok()) else {
            let known: Vec<&str> = run.providers.iter().map(|p| &*p.model).collect();
            let message = format!("is not in this run; its providers are {}", known.join(", "));
            return Err(ApiError::invalid_field("provider", message));
        };
        selection.providers = vec![index];
    }
    Ok(selection)
}

/// Lists the results of a run.
///
/// Items without an outcome are listed as `pending` (not with `sort=wer`). A
/// page may be shorter than `limit` and still have a `next_cursor`.
/// `total` comes from the run's counters; with `sort=wer` and `is_correct` it
/// is an upper bound.
#[utoipa::path(get, path = "/runs/{id}/results", tag = "results", operation_id = "list_results",
    params(("id" = RunId, Path, description = "Id of the run"), ResultsQuery),
    responses((status = 200, description = "A page of results", body = ListEnvelope<ResultView>)))]
async fn index(
    State(app): State<App>,
    AsViewer(tenant): AsViewer,
    Params(query): Params<ResultsQuery>,
    id: PathId<RunId>,
) -> Answer {
    let id = id.get()?;
    let project = &tenant.project;
    let run = app
        .store
        .run(project, id)
        .await?
        .ok_or_else(|| ApiError::no_such("run"))?;
    let selection = selection(&query, &run)?;
    let cursors = tenant.cursors(
        "results",
        &[
            &id.to_string(),
            query.provider.as_deref().unwrap_or_default(),
            query.status.map_or("", |status| word(&STATUSES, &status)),
            query
                .is_correct
                .map_or("", |judged| word(&JUDGEMENTS, &judged)),
            word(&SORTS, &query.sort),
        ],
    );
    let paging = Paging {
        limit: query.limit,
        cursor: query.cursor,
    };
    let from = start(&cursors, &paging)?;
    let limit = paging.limit;
    let (found, total) = match query.sort {
        Sort::Sample => (
            results_by_sample::page(&app, project, &run, &selection, from.as_deref(), limit)
                .await?,
            selection.total(&run),
        ),
        Sort::Best | Sort::Worst => {
            let worst_first = query.sort == Sort::Worst;
            let found =
                results_by_wer::page(&app, project, &run, &selection, worst_first, from, limit);
            (found.await?, selection.total_scored(&run))
        }
    };
    let (views, next) = show_results(&app, project, &run, &selection, found).await?;
    list(views, page_meta(&cursors, &paging, total, next.as_deref()))
}

/// An answer about one result, with its tag in the header.
fn tagged(view: ResultView) -> Result<Response, ApiError> {
    let tag = HeaderValue::from_str(&format!("\"{}\"", view.etag));
    let mut response = ok(view)?;
    if let Ok(tag) = tag {
        response.headers_mut().insert(ETAG, tag);
    }
    Ok(response)
}

/// Shows a result.
#[utoipa::path(get, path = "/results/{id}", tag = "results", operation_id = "get_result",
    params(("id" = ResultId, Path, description = "Id of the result"), ResultQuery),
    responses((status = 200, description = "The result", body = Envelope<ResultView>,
        headers(("ETag" = String, description = "The field `etag`, quoted")))))]
async fn show(
    State(app): State<App>,
    AsViewer(tenant): AsViewer,
    Params(query): Params<ResultQuery>,
    id: PathId<ResultId>,
) -> Answer {
    let no_such = || ApiError::no_such("result");
    let id = id.get()?;
    let project = &tenant.project;
    let run = app
        .store
        .run(project, id.run())
        .await?
        .ok_or_else(no_such)?;
    if !exists(&run, id) {
        return Err(no_such());
    }
    let entry = app.store.result(project, id).await?;
    let item = match entry.and_then(|entry| current(&run, entry)) {
        Some(entry) => Item::Done(Box::new(entry)),
        None => Item::Pending(id),
    };
    let selection = Selection {
        alignment: query.include_alignment,
        signed_url: query.include_signed_url,
        ..Selection::default()
    };
    let found = Found {
        items: vec![(item, String::new())],
        next: None,
    };
    let (mut views, _) = show_results(&app, project, &run, &selection, found).await?;
    tagged(views.pop().ok_or_else(no_such)?)
}

/// Gives, changes or clears feedback on a completed result.
#[utoipa::path(patch, path = "/results/{id}", tag = "results", operation_id = "update_result",
    params(
        ("id" = ResultId, Path, description = "Id of the result"),
        ("If-Match" = Option<String>, Header, description = "The `etag` that was read: 412 when the result has changed since"),
    ),
    request_body = ResultPatch,
    responses((status = 200, description = "The result", body = Envelope<ResultView>,
            headers(("ETag" = String, description = "The field `etag`, quoted"))),
        (status = 412, description = "The result has changed since it was read", body = crate::envelope::ErrorEnvelope<'_>)))]
async fn update(
    State(app): State<App>,
    AsReviewer(tenant): AsReviewer,
    Params(NoQuery): Params<NoQuery>,
    headers: HeaderMap,
    id: PathId<ResultId>,
    JsonBody { value, .. }: JsonBody<ResultPatch>,
) -> Answer {
    let change = reviews::check(value)?;
    let id = id.get()?;
    let (run, entry) = reviews::save(&app, &tenant, id, &headers, &change).await?;
    tagged(ResultView::done(
        &run,
        entry.outcome,
        entry.review,
        false,
        None,
    ))
}
