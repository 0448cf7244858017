//! `/healthz` and `/openapi.json`.

use std::sync::OnceLock;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use stt_eval_shared::wire::envelope::Envelope;
use stt_eval_shared::wire::meta::Health;

use crate::http::envelope::ok;
use crate::http::error::Answer;
use crate::http::query::{NoQuery, Params};
use crate::refusal::Refusal;
use crate::routes::gather::{Gather, handlers};

/// Made from the code by `stt-eval-local openapi`.
const FILE: &str = include_str!("../../openapi.json");

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
    // As people read it in the file; without the blanks it is a third.
    static DOCUMENT: OnceLock<Bytes> = OnceLock::new();
    let text = match DOCUMENT.get() {
        Some(text) => text.clone(),
        None => {
            let text = serde_json::from_str::<serde_json::Value>(FILE)
                .map_err(|e| Refusal::internal(format!("the document can't be read: {e}")))?
                .to_string();
            DOCUMENT.get_or_init(|| text.into()).clone()
        }
    };
    let mut response = Response::new(Body::from(text));
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}
