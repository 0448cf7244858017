//! Style and scripts. What is at an address never changes, so it is kept for good, and
//! compressed when it is asked for: a browser asks once.

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use http::HeaderName;
use http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, HeaderValue, VARY};

use super::around::takes_gzip;
use super::packing::packed;
use crate::http::error::Answer;
use crate::refusal::Refusal;

/// A year, in seconds.
const FOR_GOOD: &str = "public, max-age=31536000, immutable";

/// Serves an asset.
pub async fn serve(request: Request) -> Answer {
    let asset = stt_eval_html::assets::find(request.uri().path());
    let asset = asset.ok_or_else(|| Refusal::no_such("file"))?;
    let takes_gzip = takes_gzip(request.headers());
    let body =
        match takes_gzip {
            true => Body::from(packed(asset.plain.as_bytes()).map_err(|e| {
                Refusal::internal(format!("{} can't be compressed: {e}", asset.name))
            })?),
            false => Body::from(asset.plain),
        };
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    if takes_gzip {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    for (name, value) in [
        (CONTENT_TYPE, asset.content_type),
        (CACHE_CONTROL, FOR_GOOD),
        (VARY, "accept-encoding"),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    Ok(response)
}
