//! The frame around every JSON answer.

use axum::body::Body;
use axum::response::Response;
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderValue};
use serde::Serialize;
use stt_eval_shared::wire::envelope::{Envelope, ListEnvelope, PageMeta};

use crate::http::error::Answer;
use crate::refusal::Refusal;

/// A JSON response.
pub fn json<T: Serialize>(status: StatusCode, body: &T) -> Answer {
    let text = serde_json::to_vec(body)
        .map_err(|e| Refusal::internal(format!("an answer can't be written: {e}")))?;
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

/// One thing, with a status.
pub fn one<T: Serialize>(status: StatusCode, data: T) -> Answer {
    json(status, &Envelope::of(data, None))
}

/// One thing.
pub fn ok<T: Serialize>(data: T) -> Answer {
    one(StatusCode::OK, data)
}

/// One thing with a paged list inside.
pub fn paged<T: Serialize>(data: T, metadata: PageMeta) -> Answer {
    json(StatusCode::OK, &Envelope::of(data, Some(metadata)))
}

/// A page of a list.
pub fn list<T: Serialize>(data: Vec<T>, metadata: PageMeta) -> Answer {
    json(StatusCode::OK, &ListEnvelope::of(data, metadata))
}

/// The whole of a short, fixed list.
pub fn whole_list<T: Serialize>(data: Vec<T>) -> Answer {
    let count = data.len() as u64;
    list(
        data,
        PageMeta {
            total: count,
            limit: count,
            next_cursor: None,
        },
    )
}
