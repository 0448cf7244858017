//! `/healthz` and `/openapi.json`.

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use serde::Serialize;
use std::sync::OnceLock;
use stt_eval_shared::App;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::envelope::{Envelope, ok};
use crate::error::{Answer, ApiError};
use crate::query::{NoQuery, Params};

/// The routes about the service itself.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .routes(routes!(health))
        .routes(routes!(document))
}

/// That the service answers.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// `ok`.
    #[schema(example = "ok")]
    status: &'static str,
}

/// Tells that the service answers. Needs no key.
#[utoipa::path(get, path = "/healthz", tag = "service", operation_id = "health", security(()),
    responses((status = 200, description = "It does", body = Envelope<Health>)))]
async fn health(Params(NoQuery): Params<NoQuery>) -> Answer {
    ok(Health { status: "ok" })
}

/// The description of this API (OpenAPI 3.1). Needs no key.
#[utoipa::path(get, path = "/openapi.json", tag = "service", operation_id = "openapi", security(()),
    responses((status = 200, description = "The document", body = Object)))]
pub async fn document(Params(NoQuery): Params<NoQuery>) -> Answer {
    static DOCUMENT: OnceLock<Bytes> = OnceLock::new();
    let text = match DOCUMENT.get() {
        Some(text) => text.clone(),
        None => {
            let text = crate::openapi()
                .to_json()
                .map_err(|e| ApiError::internal(format!("the document can't be written: {e}")))?;
            DOCUMENT.get_or_init(|| text.into()).clone()
        }
    };
    let mut response = Response::new(Body::from(text));
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}
