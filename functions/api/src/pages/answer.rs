//! Answers of pages.

use axum::body::Body;
use axum::response::Response;
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderValue, LOCATION};
use stt_eval_html::RenderError;

use crate::http::error::Answer;
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

/// An answer that leads elsewhere.
#[must_use]
pub fn redirect(to: &str) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    let to = HeaderValue::from_str(to).unwrap_or(HeaderValue::from_static("/"));
    response.headers_mut().insert(LOCATION, to);
    response
}
