//! `/samples`.

use axum::extract::State;
use stt_eval_shared::App;
use stt_eval_shared::domain::SampleId;
use stt_eval_shared::wire;
use stt_eval_shared::wire::datasets::SamplePatch;
use stt_eval_shared::wire::envelope::Envelope;

use crate::http::auth::{AsEditor, AsViewer};
use crate::http::envelope::ok;
use crate::http::error::Answer;
use crate::http::id::PathId;
use crate::http::json::JsonBody;
use crate::http::query::{NoQuery, Params};
use crate::routes::gather::{Gather, handlers};
use crate::services::samples;
use crate::views;

/// The routes of samples.
pub fn routes<R: Gather>() -> R {
    R::default().with(handlers!(show, update))
}

/// A sample, with the latest earlier wordings of its reference.
#[utoipa::path(get, path = "/samples/{id}", tag = "datasets", operation_id = "get_sample",
    params(("id" = SampleId, Path, description = "Id of the sample")),
    responses((status = 200, description = "The sample", body = Envelope<wire::datasets::Sample>)))]
async fn show(
    State(app): State<App>,
    AsViewer(caller): AsViewer,
    Params(NoQuery): Params<NoQuery>,
    id: PathId<SampleId>,
) -> Answer {
    let project = &caller.actor.project;
    let (_, sample) = samples::find(&app, project, id.get()?).await?;
    let wordings = samples::wordings(&app, project, &sample).await?;
    ok(views::datasets::sample_with(sample, wordings))
}

/// Changes the reference, language or metadata of a sample.
///
/// References are versioned: results keep the one they were scored against.
#[utoipa::path(patch, path = "/samples/{id}", tag = "datasets", operation_id = "update_sample",
    params(("id" = SampleId, Path, description = "Id of the sample")), request_body = SamplePatch,
    responses((status = 200, description = "The sample", body = Envelope<wire::datasets::Sample>)))]
async fn update(
    State(app): State<App>,
    AsEditor(caller): AsEditor,
    Params(NoQuery): Params<NoQuery>,
    id: PathId<SampleId>,
    JsonBody { value, .. }: JsonBody<SamplePatch>,
) -> Answer {
    let change = samples::check(value)?;
    let sample = samples::update(&app, &caller.actor, id.get()?, &change).await?;
    ok(views::datasets::sample(sample, None))
}
