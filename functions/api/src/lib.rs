//! The api function: HTTP routes of stt-eval, as `CONTRACT.md` beside the sources promises them,
//! and the pages for people.
//!
//! [`router`] is all of them over an [`App`]; [`Handler`] answers events of API
//! Gateway with it, in Lambda and in the embedded cloud alike.

mod actor;
mod handler;
mod http;
mod openapi;
mod pages;
mod refusal;
mod routes;
mod services;
mod views;

use axum::Router;
use stt_eval_shared::App;

pub use handler::Handler;

use crate::http::observe;
use crate::routes::gather::{Gather as _, Served};

/// All routes over an app.
pub fn router(app: App) -> Router {
    routes::all::<Served>()
        .route(
            &format!("{}/openapi.json", stt_eval_shared::wire::paths::BASE),
            axum::routing::get(routes::meta::document),
        )
        .and(pages::routes(&app))
        .router()
        .fallback_service(pages::nowhere(&app))
        .method_not_allowed_fallback(pages::not_by_this_method)
        .layer(axum::middleware::from_fn(observe::observe))
        .with_state(app)
}

/// The OpenAPI 3.1 document made from the code. The function serves the file
/// `openapi.json`, which a test compares with it.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    openapi::document()
}
