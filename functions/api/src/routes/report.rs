//! `/runs/{id}/report` and `/runs/{id}/rescore`.

use axum::extract::{FromRequest, Request, State};
use bytes::Bytes;
use http::StatusCode;
use stt_eval_shared::App;
use stt_eval_shared::domain::RunId;
use utoipa::IntoParams;

use crate::auth::{AsEditor, AsViewer};
use crate::body::{self, MAX_JSON};
use crate::dto::report::{NewScoring, ReportView};
use crate::dto::runs::RunView;
use crate::envelope::{Envelope, ok, one};
use crate::error::{Answer, ApiError};
use crate::handlers;
use crate::id::PathId;
use crate::idempotency::{Begun, Idempotency, IdempotencyHeader, deleted_since, made_ids};
use crate::json::JsonBody;
use crate::query::{FromQuery, NoQuery, Pairs, Params};
use crate::routes::gather::Gather;
use crate::services::report::{self, Wanted};
use crate::services::rescore;

/// The routes of reports.
pub fn routes<R: Gather>() -> R {
    R::default().with(handlers!(show)).with(handlers!(again))
}

/// Longest name of a metadata field, as datasets take it.
const MAX_FIELD: usize = 255;

/// What a report is of.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ReportQuery {
    /// Metadata field whose samples belong together (such as `speaker`): they
    /// are resampled as one.
    block_by: Option<String>,
    /// Metadata field to break the figures down by; its 20 most frequent
    /// values, the rest as one.
    group_by: Option<String>,
    /// Of the scoring with this normaliser, the latest where there are several.
    #[param(example = "indic-v1")]
    normalizer: Option<String>,
    /// Of the scoring with this number.
    #[param(minimum = 1)]
    scoring: Option<u16>,
}

fn field(pairs: &Pairs, name: &str) -> Result<Option<String>, ApiError> {
    match pairs.text(name) {
        None => Ok(None),
        Some(text) if text.is_empty() || text.chars().count() > MAX_FIELD => {
            let message =
                format!("must be the name of a metadata field, 1 to {MAX_FIELD} characters");
            Err(ApiError::invalid_field(name, message))
        }
        Some(text) => Ok(Some(text.to_owned())),
    }
}

impl FromQuery for ReportQuery {
    const NAMES: &'static [&'static str] = &["block_by", "group_by", "normalizer", "scoring"];

    fn read(pairs: &Pairs) -> Result<Self, ApiError> {
        let query = Self {
            block_by: field(pairs, "block_by")?,
            group_by: field(pairs, "group_by")?,
            normalizer: pairs.text("normalizer").map(str::to_owned),
            scoring: pairs.parsed("scoring", "the number of a scoring")?,
        };
        if query.normalizer.is_some() && query.scoring.is_some() {
            return Err(ApiError::invalid_field(
                "scoring",
                "give normalizer or scoring, not both",
            ));
        }
        Ok(query)
    }
}

/// Reports on a run: every model with its figures and how far they can be
/// trusted, how they compare, and what goes wrong.
///
/// Works on a run that is still going on too (`complete: false`). The report
/// of a large run may take several requests: 503 with `Retry-After` says how
/// far it is, and the next request goes on from there.
#[utoipa::path(get, path = "/runs/{id}/report", tag = "runs", operation_id = "get_report",
    params(("id" = RunId, Path, description = "Id of the run"), ReportQuery),
    responses((status = 200, description = "The report", body = Envelope<ReportView>)))]
async fn show(
    State(app): State<App>,
    AsViewer(tenant): AsViewer,
    Params(query): Params<ReportQuery>,
    id: PathId<RunId>,
) -> Answer {
    let wanted = Wanted {
        block_by: query.block_by,
        group_by: query.group_by,
        normalizer: query.normalizer,
        scoring: query.scoring,
    };
    ok(report::report(&app, &tenant.project, id.get()?, &wanted).await?)
}

/// A body that may be left out.
struct NewScoringBody {
    value: NewScoring,
    bytes: Bytes,
}

impl<S: Sync> FromRequest<S> for NewScoringBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let (parts, given) = request.into_parts();
        let bytes = body::read(&parts.headers, given, MAX_JSON, "1 MiB").await?;
        if bytes.is_empty() {
            return Ok(Self {
                value: NewScoring::default(),
                bytes,
            });
        }
        let request = Request::from_parts(parts, axum::body::Body::from(bytes));
        let JsonBody { value, bytes } = JsonBody::from_request(request, state).await?;
        Ok(Self { value, bytes })
    }
}

/// Scores a run again, without asking a provider: against the references as
/// they are now, with the same or another normaliser.
///
/// Old scores are kept. The run and its results show the new ones, all at
/// once, when the scoring is complete (`scorings` of the run).
#[utoipa::path(post, path = "/runs/{id}/rescore", tag = "runs", operation_id = "rescore_run",
    params(("id" = RunId, Path, description = "Id of the run"), IdempotencyHeader),
    request_body = Option<NewScoring>,
    responses((status = 202, description = "The run", body = Envelope<RunView>)))]
async fn again(
    State(app): State<App>,
    AsEditor(tenant): AsEditor,
    Params(NoQuery): Params<NoQuery>,
    idempotency: Idempotency,
    id: PathId<RunId>,
    NewScoringBody { value, bytes }: NewScoringBody,
) -> Answer {
    let id = id.get()?;
    let normalizer = rescore::check(&value)?;
    let project = &tenant.project;
    let attempt = match idempotency.begin(&app, project, &bytes).await? {
        Begun::Go(attempt) => attempt,
        Begun::Again { status, made } => {
            let ids: Vec<RunId> = made_ids(&made)?;
            let id = ids.first().ok_or_else(deleted_since)?;
            let run = app
                .store
                .run(project, *id)
                .await?
                .ok_or_else(deleted_since)?;
            return one(status, RunView::new(&run, None));
        }
    };
    let begun = rescore::begin(&app, project, id, normalizer.as_deref(), &attempt).await;
    let run = attempt.settle(&app, begun).await?;
    one(StatusCode::ACCEPTED, RunView::new(&run, None))
}
