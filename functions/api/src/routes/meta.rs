//! `/healthz` and `/openapi.json`.

use axum::body::Body;
use axum::response::Response;
use http::header::{CONTENT_TYPE, HeaderValue};
use stt_eval_shared::wire::envelope::Envelope;
use stt_eval_shared::wire::meta::Health;

use crate::http::envelope::ok;
use crate::http::error::Answer;
use crate::http::query::{NoQuery, Params};
use crate::routes::gather::{Gather, handlers};

/// `openapi.json`, which `stt-eval-local openapi` makes from the code, without the blanks that
/// people read it with: it is half of the file.
const DOCUMENT: &str = include_str!(concat!(env!("OUT_DIR"), "/openapi.json"));

/// The routes about the service itself.
pub fn routes<R: Gather>() -> R {
    R::default()
        .with(handlers!(health))
        .with(handlers!(document))
}

/// Tells that the service answers. Needs no key.
#[utoipa::path(get, path = "/healthz", tag = "service", operation_id = "health", security(()),
    responses((status = 200, description = "It does", body = Envelope<Health>)))]
async fn health(Params(NoQuery): Params<NoQuery>) -> Answer {
    ok(Health {
        status: "ok".to_owned(),
    })
}

/// The description of this API (OpenAPI 3.1). Needs no key.
#[utoipa::path(get, path = "/openapi.json", tag = "service", operation_id = "openapi", security(()),
    responses((status = 200, description = "The document", body = Object)))]
pub async fn document(Params(NoQuery): Params<NoQuery>) -> Answer {
    let mut response = Response::new(Body::from(DOCUMENT));
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}
