//! `/models`: models of the project's own.

use axum::extract::State;
use http::StatusCode;
use stt_eval_shared::App;
use stt_eval_shared::wire;
use stt_eval_shared::wire::envelope::{Deleted, Envelope, ListEnvelope};
use stt_eval_shared::wire::models::{ModelChange, NewModel};

use crate::http::auth::{AsAdmin, AsViewer};
use crate::http::envelope::{ok, whole_list};
use crate::http::error::Answer;
use crate::http::id::PathText;
use crate::http::idempotency::{Idempotency, IdempotencyHeader, Making};
use crate::http::json::JsonBody;
use crate::http::query::{NoQuery, Params};
use crate::routes::gather::{Gather, handlers};
use crate::services::attempt::Attempt;
use crate::services::models;
use crate::views;

/// The routes of models of the project's own.
pub fn routes<R: Gather>() -> R {
    R::default()
        .with(handlers!(index, create))
        .with(handlers!(show, change, delete))
}

/// Lists the models of the project's own, all of them, by name.
#[utoipa::path(get, path = "/models", tag = "catalogue", operation_id = "list_models",
    responses((status = 200, description = "The models", body = ListEnvelope<wire::models::OwnModel>)))]
async fn index(
    State(app): State<App>,
    AsViewer(caller): AsViewer,
    Params(NoQuery): Params<NoQuery>,
) -> Answer {
    let found = app.store.own_models(&caller.actor.project).await?;
    whole_list(found.into_iter().map(views::models::own).collect())
}

/// Makes a model of the project's own: an endpoint that speaks the dialect of `OpenAI`'s
/// transcriptions. Runs call it `custom/<name>`. A project has about 100 at most:
/// requests of the same moment are not counted for each other.
///
/// Addresses that are private, or local to a machine or a network, are refused: here
/// where that is known at once, and else with each connection.
#[utoipa::path(post, path = "/models", tag = "catalogue", operation_id = "create_model",
    params(IdempotencyHeader), request_body = NewModel,
    responses((status = 201, description = "The model", body = Envelope<wire::models::OwnModel>)))]
async fn create(
    State(app): State<App>,
    AsAdmin(caller): AsAdmin,
    Params(NoQuery): Params<NoQuery>,
    idempotency: Idempotency,
    JsonBody { value, bytes }: JsonBody<NewModel>,
) -> Answer {
    let (app, project) = (&app, &caller.actor.project);
    let making = Making::new(app, project, &bytes, StatusCode::CREATED);
    let make = async |attempt: Attempt| {
        let made = models::make(app, project, &attempt, value).await?;
        Ok(views::models::own(made))
    };
    let show = async |names: Vec<String>| {
        let name = names.into_iter().next().unwrap_or_default();
        let found = app.store.own_model(project, &name).await?;
        Ok(found.map(views::models::own))
    };
    idempotency.once(making, make, show).await
}

/// Shows a model of the project's own.
#[utoipa::path(get, path = "/models/{name}", tag = "catalogue", operation_id = "get_model",
    params(("name" = String, Path, description = "Name of the model", example = "whisper-large")),
    responses((status = 200, description = "The model", body = Envelope<wire::models::OwnModel>)))]
async fn show(
    State(app): State<App>,
    AsViewer(caller): AsViewer,
    Params(NoQuery): Params<NoQuery>,
    name: PathText,
) -> Answer {
    let name = name.0.unwrap_or_default();
    let found = models::find(&app, &caller.actor.project, &name).await?;
    ok(views::models::own(found))
}

/// Changes a model of the project's own: its key, what it takes, what it costs.
///
/// What is not given stays. Runs that are there keep what they began with, but for the
/// key.
#[utoipa::path(put, path = "/models/{name}", tag = "catalogue", operation_id = "change_model",
    params(("name" = String, Path, description = "Name of the model", example = "whisper-large")),
    request_body = ModelChange,
    responses((status = 200, description = "The model", body = Envelope<wire::models::OwnModel>)))]
async fn change(
    State(app): State<App>,
    AsAdmin(caller): AsAdmin,
    Params(NoQuery): Params<NoQuery>,
    name: PathText,
    JsonBody { value, .. }: JsonBody<ModelChange>,
) -> Answer {
    let name = name.0.unwrap_or_default();
    let changed = models::change(&app, &caller.actor.project, &name, value).await?;
    ok(views::models::own(changed))
}

/// Deletes a model of the project's own and its key; 409 while a run that has not ended
/// uses it. Runs that have ended go on showing it.
#[utoipa::path(delete, path = "/models/{name}", tag = "catalogue", operation_id = "delete_model",
    params(("name" = String, Path, description = "Name of the model", example = "whisper-large")),
    responses((status = 200, description = "It is gone", body = Envelope<Deleted<String>>)))]
async fn delete(
    State(app): State<App>,
    AsAdmin(caller): AsAdmin,
    Params(NoQuery): Params<NoQuery>,
    name: PathText,
) -> Answer {
    let name = name.0.unwrap_or_default();
    models::delete(&app, &caller.actor.project, &name).await?;
    ok(Deleted {
        id: name,
        deleted: true,
    })
}
