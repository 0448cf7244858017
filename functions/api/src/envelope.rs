//! The frame around every JSON answer.

use axum::body::Body;
use axum::response::Response;
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderValue};
use serde::Serialize;
use stt_eval_shared::domain::validate::FieldError;
use utoipa::ToSchema;

use crate::error::{Answer, ApiError};

/// An answer with one thing in it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Envelope<T> {
    /// True.
    #[schema(example = true)]
    pub success: bool,
    /// The thing.
    pub data: T,
    /// Null.
    #[schema(value_type = Option<String>)]
    pub error: (),
    /// About the page, where part of the answer is paged.
    pub metadata: Option<PageMeta>,
}

/// An answer with a page of a list in it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ListEnvelope<T> {
    /// True.
    #[schema(example = true)]
    pub success: bool,
    /// The page.
    pub data: Vec<T>,
    /// Null.
    #[schema(value_type = Option<String>)]
    pub error: (),
    /// About the page.
    pub metadata: PageMeta,
}

/// About a page of a list.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PageMeta {
    /// How many there are in all.
    pub total: u64,
    /// Most that this page may have.
    pub limit: u64,
    /// Where the next page begins; null on the last one. A page may be shorter
    /// than `limit` and still have a next one.
    pub next_cursor: Option<String>,
}

/// An answer that something went wrong.
#[derive(Debug, Serialize, ToSchema)]
pub struct ErrorEnvelope<'a> {
    /// False.
    #[schema(example = false)]
    pub success: bool,
    /// Null.
    #[schema(value_type = Option<Object>)]
    pub data: (),
    /// One sentence.
    #[schema(example = "samples[3].file_id: there is no such file")]
    pub error: &'a str,
    /// The fields that are wrong, where it is about fields.
    #[schema(value_type = Option<Vec<FieldError>>)]
    pub errors: Option<&'a [FieldError]>,
    /// What finds the request in the logs.
    pub metadata: ErrorMeta<'a>,
}

/// What finds a request in the logs.
#[derive(Debug, Serialize, ToSchema)]
pub struct ErrorMeta<'a> {
    /// Id of the request.
    pub request_id: &'a str,
}

/// That something is gone.
#[derive(Debug, Serialize, ToSchema)]
pub struct Deleted<T> {
    /// What it was called.
    pub id: T,
    /// True.
    #[schema(example = true)]
    pub deleted: bool,
}

/// A JSON response.
pub fn json<T: Serialize>(status: StatusCode, body: &T) -> Answer {
    let text = serde_json::to_vec(body)
        .map_err(|e| ApiError::internal(format!("an answer can't be written: {e}")))?;
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

/// One thing, with a status.
pub fn one<T: Serialize>(status: StatusCode, data: T) -> Answer {
    json(
        status,
        &Envelope {
            success: true,
            data,
            error: (),
            metadata: None,
        },
    )
}

/// One thing.
pub fn ok<T: Serialize>(data: T) -> Answer {
    one(StatusCode::OK, data)
}

/// One thing with a paged list inside.
pub fn paged<T: Serialize>(data: T, metadata: PageMeta) -> Answer {
    json(
        StatusCode::OK,
        &Envelope {
            success: true,
            data,
            error: (),
            metadata: Some(metadata),
        },
    )
}

/// A page of a list.
pub fn list<T: Serialize>(data: Vec<T>, metadata: PageMeta) -> Answer {
    json(
        StatusCode::OK,
        &ListEnvelope {
            success: true,
            data,
            error: (),
            metadata,
        },
    )
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
