//! Answers of pages.

use axum::Json;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue, LOCATION};
use stt_eval_html::RenderError;

use crate::http::error::{Answer, status};
use crate::refusal::Refusal;

/// Type of a page.
pub const HTML: &str = "text/html; charset=utf-8";

/// A page that was written.
pub fn written(page: Result<String, RenderError>) -> Answer {
    let text = page.map_err(|error| Refusal::internal(error.to_string()))?;
    let mut response = Response::new(text.into());
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(HTML));
    Ok(response)
}

/// A page that scripts put into the one that is there: they take nothing else for one.
pub fn fragment(page: Answer) -> Answer {
    let mut response = page?;
    let name = HeaderName::from_static("x-fragment");
    response
        .headers_mut()
        .insert(name, HeaderValue::from_static("1"));
    Ok(response)
}

/// What scripts are told of a refusal; a failure is told as a page.
pub fn told_scripts(refusal: Refusal) -> Answer {
    if refusal.kind.is_failure() {
        return Err(refusal);
    }
    let told = serde_json::json!({ "error": refusal.message });
    Ok((status(refusal.kind), Json(told)).into_response())
}

/// An answer that leads elsewhere.
#[must_use]
pub fn redirect(to: &str) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    let to = HeaderValue::from_str(to).unwrap_or(HeaderValue::from_static("/"));
    response.headers_mut().insert(LOCATION, to);
    response
}
