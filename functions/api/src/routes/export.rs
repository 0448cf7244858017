//! `/runs/{id}/export`.

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use http::header::{CACHE_CONTROL, HeaderValue, LOCATION, RETRY_AFTER};
use stt_eval_shared::App;
use stt_eval_shared::domain::RunId;
use stt_eval_shared::wire::envelope::Envelope;
use stt_eval_shared::wire::export::{Export, ExportFormat, ExportUnderWay, Exported};
use utoipa::IntoParams;

use crate::http::auth::AsViewer;
use crate::http::envelope::{ok, one};
use crate::http::error::Answer;
use crate::http::id::PathId;
use crate::http::query::{FromQuery, Pairs, Params};
use crate::refusal::Refusal;
use crate::routes::gather::{Gather, handlers};
use crate::services::report::export;

/// The route of exports.
pub fn routes<R: Gather>() -> R {
    R::default().with(handlers!(show))
}

/// What a run is exported as.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ExportQuery {
    /// The format; `csv` when it is absent.
    #[param(inline)]
    format: Option<ExportFormat>,
    /// Answer with 303 to the file instead of telling where it is.
    #[param(value_type = Option<bool>)]
    redirect: bool,
}

impl FromQuery for ExportQuery {
    const NAMES: &'static [&'static str] = &["format", "redirect"];

    fn read(pairs: &Pairs) -> Result<Self, Refusal> {
        let words = ExportFormat::ALL.map(|format| (format.name(), format));
        Ok(Self {
            format: pairs.choice("format", &words)?,
            redirect: pairs.flag("redirect", false)?,
        })
    }
}

/// Gives a run as a file, by a URL that works for 15 minutes.
///
/// Every sample is in it, with what each model heard. `csv` is safe to open in a
/// spreadsheet; `csv` and `jsonl` also tell scores, by which normaliser and scorer and against
/// which version of the reference they were found (`scored_by`), failures, what reviewers find,
/// each of them in `reviews`, and the references that they propose (`proposed_references`; in
/// `csv` both are a line each of one cell), and
/// keep the markup of references, which other tools get as plain text. `trn` has a line
/// for every reference; where a model failed its line is empty. A file is made once for a
/// state of the run; of a run under way it tells how things stand, and is given again for
/// some seconds. One that takes long is answered with 202 and `Retry-After`: the next
/// request goes on with it. As with reports, two of a project are worked out at a time,
/// and a third is refused with 429.
#[utoipa::path(get, path = "/runs/{id}/export", tag = "runs", operation_id = "export_run",
    params(("id" = RunId, Path, description = "Id of the run"), ExportQuery),
    responses(
        (status = 200, description = "Where the file is", body = Envelope<Export>),
        (status = 202, description = "It is being made", body = Envelope<ExportUnderWay>,
            headers(("Retry-After" = u32, description = "Seconds"))),
        (status = 303, description = "With `redirect=true`: the file is at `Location`",
            headers(("Location" = String, description = "Where the file is")))))]
async fn show(
    State(app): State<App>,
    AsViewer(caller): AsViewer,
    Params(query): Params<ExportQuery>,
    id: PathId<RunId>,
) -> Answer {
    let format = query.format.unwrap_or(ExportFormat::Csv);
    match export::export(&app, &caller.actor, id.get()?, format).await? {
        Exported::UnderWay(told) => {
            let mut answer = one(StatusCode::ACCEPTED, told)?;
            answer
                .headers_mut()
                .insert(RETRY_AFTER, HeaderValue::from_static("1"));
            Ok(answer)
        }
        Exported::Made(file) if query.redirect => elsewhere(&file.url),
        Exported::Made(file) => ok(file),
    }
}

/// The address alone is enough to read the file, so it is not to be kept.
fn elsewhere(url: &str) -> Answer {
    let to = HeaderValue::from_str(url)
        .map_err(|_| Refusal::internal("a signed URL is no value of a header"))?;
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = StatusCode::SEE_OTHER;
    let headers = answer.headers_mut();
    headers.insert(LOCATION, to);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(answer)
}
