//! Answers that are no success, and none at all.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use doubles_serving::dropped;
use futures::StreamExt;
use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::Value;

use crate::fault::Fault;

/// A JSON answer.
pub(crate) fn json(status: u16, value: &Value) -> Response {
    raw(status, value.to_string())
}

/// An answer with this body, said to be JSON.
pub(crate) fn raw(status: u16, body: String) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::IM_A_TEAPOT);
    let json = HeaderValue::from_static("application/json");
    response
        .headers_mut()
        .insert(http::header::CONTENT_TYPE, json);
    response
}

/// A body that comes a byte a second.
fn dripping(body: String) -> Body {
    let bytes = futures::stream::iter(body.into_bytes());
    let drops = bytes.then(async |byte| {
        tokio::time::sleep(Duration::from_secs(1)).await;
        Ok::<_, Infallible>(vec![byte])
    });
    Body::from_stream(drops)
}

/// What a fault does before the work, if it does anything then.
pub(crate) fn before(fault: Option<&Fault>) -> Option<Response> {
    match fault? {
        Fault::LostRequest => Some(dropped()),
        Fault::Refuse {
            status,
            headers,
            body,
        } => {
            let mut response = raw(*status, body.clone());
            for (name, value) in headers {
                let name = HeaderName::from_bytes(name.as_bytes());
                if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value)) {
                    response.headers_mut().insert(name, value);
                }
            }
            Some(response)
        }
        Fault::LostReply | Fault::Silence | Fault::Lie { .. } | Fault::Drip { .. } => None,
    }
}

/// What a fault does in place of the answer to work that was done.
pub(crate) async fn after(fault: Option<Fault>) -> Option<Response> {
    match fault? {
        Fault::LostReply => Some(dropped()),
        Fault::Silence => std::future::pending().await,
        Fault::Lie { body } => Some(raw(200, body)),
        Fault::Drip { body } => {
            let mut response = raw(200, String::new());
            *response.body_mut() = dripping(body);
            Some(response)
        }
        Fault::LostRequest | Fault::Refuse { .. } => None,
    }
}
