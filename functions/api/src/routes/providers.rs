//! `/providers` and `/languages`: the catalogue.

use axum::extract::State;
use stt_eval_shared::App;
use stt_eval_shared::domain::language;
use stt_eval_shared::providers::Model;
use stt_eval_shared::wire;
use stt_eval_shared::wire::envelope::ListEnvelope;

use crate::http::auth::AsViewer;
use crate::http::envelope::whole_list;
use crate::http::error::Answer;
use crate::http::query::{NoQuery, Params};
use crate::routes::gather::{Gather, handlers};
use crate::services::catalogue;
use crate::views;

/// The routes of the catalogue.
pub fn routes<R: Gather>() -> R {
    R::default()
        .with(handlers!(providers))
        .with(handlers!(languages))
}

/// Lists the models that runs can use, all of them: those of the catalogue, then those of
/// the project's own.
#[utoipa::path(get, path = "/providers", tag = "catalogue", operation_id = "list_providers",
    responses((status = 200, description = "The models", body = ListEnvelope<wire::catalogue::Model>)))]
async fn providers(
    State(app): State<App>,
    AsViewer(caller): AsViewer,
    Params(NoQuery): Params<NoQuery>,
) -> Answer {
    whole_list(catalogue::models(&app, &caller.actor.project).await?)
}

/// Lists the languages that samples can be in, all of them.
#[utoipa::path(get, path = "/languages", tag = "catalogue", operation_id = "list_languages",
    responses((status = 200, description = "The languages", body = ListEnvelope<wire::catalogue::Language>)))]
async fn languages(
    State(app): State<App>,
    _caller: AsViewer,
    Params(NoQuery): Params<NoQuery>,
) -> Answer {
    let models: Vec<&Model> = app.models().collect();
    whole_list(
        language::all()
            .iter()
            .map(|l| views::catalogue::language(l, &models))
            .collect(),
    )
}
