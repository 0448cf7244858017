//! Reading request bodies, never more of them than allowed.

use axum::body::Body;
use bytes::Bytes;
use http::HeaderMap;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http_body_util::{BodyExt, LengthLimitError, Limited};

use crate::refusal::Refusal;

/// Largest JSON body in bytes.
pub const MAX_JSON: usize = 1024 * 1024;

/// Reads a body of at most `most` bytes; `advice` says what to do instead.
pub async fn read(
    headers: &HeaderMap,
    body: Body,
    most: usize,
    advice: &str,
) -> Result<Bytes, Refusal> {
    let too_large = || Refusal::too_large(format!("the body is larger than {advice}"));
    let announced = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.parse::<u64>().ok());
    if announced.is_some_and(|length| length > most as u64) {
        return Err(too_large());
    }
    match Limited::new(body, most).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.downcast_ref::<LengthLimitError>().is_some() => Err(too_large()),
        Err(error) => Err(Refusal {
            cause: Some(error.to_string()),
            ..Refusal::malformed("the body could not be read to its end")
        }),
    }
}

/// The type of a body without its parameters, in lower case.
pub fn media_type(headers: &HeaderMap) -> String {
    let text = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    text.split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase()
}
