//! `/runs/{id}/report` and `/runs/{id}/rescore`.

use axum::extract::State;
use http::StatusCode;
use stt_eval_shared::App;
use stt_eval_shared::domain::RunId;
use stt_eval_shared::wire;
use stt_eval_shared::wire::envelope::Envelope;
use stt_eval_shared::wire::report::NewScoring;
use utoipa::IntoParams;

use crate::http::auth::{AsEditor, AsViewer};
use crate::http::envelope::ok;
use crate::http::error::Answer;
use crate::http::id::PathId;
use crate::http::idempotency::{Idempotency, IdempotencyHeader, Making, first};
use crate::http::json::MaybeBody;
use crate::http::query::{FromQuery, NoQuery, Pairs, Params};
use crate::refusal::Refusal;
use crate::routes::gather::{Gather, handlers};
use crate::routes::runs::made_before;
use crate::services::attempt::Attempt;
use crate::services::report::{self, ReportQuestion};
use crate::services::runs::rescore;
use crate::views;

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

/// The name of a metadata field.
pub(super) fn field(pairs: &Pairs, name: &str) -> Result<Option<String>, Refusal> {
    match pairs.text(name) {
        None => Ok(None),
        Some(text) if text.is_empty() || text.chars().count() > MAX_FIELD => {
            let message =
                format!("must be the name of a metadata field, 1 to {MAX_FIELD} characters");
            Err(Refusal::invalid_field(name, message))
        }
        Some(text) => Ok(Some(text.to_owned())),
    }
}

impl FromQuery for ReportQuery {
    const NAMES: &'static [&'static str] = &["block_by", "group_by", "normalizer", "scoring"];

    fn read(pairs: &Pairs) -> Result<Self, Refusal> {
        let query = Self {
            block_by: field(pairs, "block_by")?,
            group_by: field(pairs, "group_by")?,
            normalizer: pairs.text("normalizer").map(str::to_owned),
            scoring: pairs.parsed("scoring", "the number of a scoring")?,
        };
        if query.normalizer.is_some() && query.scoring.is_some() {
            return Err(Refusal::invalid_field(
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
/// Works on a run that is still going on too (`complete: false`); such a report
/// is shown again for some seconds, for up to a minute if it took long to make.
/// The report of a large run may take several requests: 503 with `Retry-After`
/// says in its message how far it is, and the next request goes on from there.
/// While two reports of a project are being worked out, a third is refused with
/// 429 and `Retry-After`; one that was made before is shown all the same.
#[utoipa::path(get, path = "/runs/{id}/report", tag = "runs", operation_id = "get_report",
    params(("id" = RunId, Path, description = "Id of the run"), ReportQuery),
    responses((status = 200, description = "The report", body = Envelope<wire::report::Report>)))]
async fn show(
    State(app): State<App>,
    AsViewer(caller): AsViewer,
    Params(query): Params<ReportQuery>,
    id: PathId<RunId>,
) -> Answer {
    let wanted = ReportQuestion {
        block_by: query.block_by,
        group_by: query.group_by,
        normalizer: query.normalizer,
        scoring: query.scoring,
    };
    let report = report::report(&app, &caller.actor.project, id.get()?, &wanted).await?;
    // Every release has told its fields in alphabetical order, which a client may
    // compare to the byte.
    let report = serde_json::to_value(report)
        .map_err(|e| Refusal::internal(format!("an answer can't be written: {e}")))?;
    ok(report)
}

/// Scores a run again, without asking a provider: against the references as
/// they are now, with the same or another normaliser.
///
/// Old scores are kept. The run and its results show the new ones, all at
/// once, when the scoring is complete (`scorings` of the run).
#[utoipa::path(post, path = "/runs/{id}/rescore", tag = "runs", operation_id = "rescore_run",
    params(("id" = RunId, Path, description = "Id of the run"), IdempotencyHeader),
    request_body = Option<NewScoring>,
    responses((status = 202, description = "The run", body = Envelope<wire::runs::Run>)))]
async fn again(
    State(app): State<App>,
    AsEditor(caller): AsEditor,
    Params(NoQuery): Params<NoQuery>,
    idempotency: Idempotency,
    id: PathId<RunId>,
    MaybeBody { value, bytes }: MaybeBody<NewScoring>,
) -> Answer {
    let id = id.get()?;
    let normalizer = rescore::check(&value)?;
    let (app, actor) = (&app, &caller.actor);
    let making = Making::new(app, &actor.project, &bytes, StatusCode::ACCEPTED);
    let make = async |attempt: Attempt| {
        let name = normalizer.as_deref();
        let run = rescore::begin(app, &actor.project, id, name, &attempt).await?;
        Ok(views::runs::run(&run, None))
    };
    let show = async |ids: Vec<RunId>| made_before(app, actor, first(&ids)?).await;
    idempotency.once(making, make, show).await
}
