//! The api function: HTTP routes of stt-eval, as `http-api.md` promises them.
//!
//! [`router`] is all of them over an [`App`]; [`Handler`] answers events of API
//! Gateway with it, in Lambda and in the embedded cloud alike.

mod auth;
mod body;
mod cursor;
mod dto;
mod envelope;
mod error;
mod handler;
mod id;
mod idempotency;
mod json;
mod observe;
mod openapi;
mod query;
mod routes;
mod services;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use http::StatusCode;
use stt_eval_shared::App;

pub use handler::Handler;

use error::ApiError;

/// All routes over an app.
pub fn router(app: App) -> Router {
    routes::all::<Router<App>>()
        .route(
            &format!("{}/openapi.json", routes::BASE),
            axum::routing::get(routes::meta::document),
        )
        .fallback(async || ApiError::new(StatusCode::NOT_FOUND, "there is no such route"))
        .method_not_allowed_fallback(async || {
            ApiError::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "this route does not take this method",
            )
        })
        // Bodies are read by `body::read`, with a bound for each route.
        .layer(DefaultBodyLimit::disable())
        .layer(axum::middleware::from_fn(observe::observe))
        .with_state(app)
}

/// The OpenAPI 3.1 document made from the code. The function serves the file
/// `openapi.json`, which a test compares with it.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    openapi::document()
}
