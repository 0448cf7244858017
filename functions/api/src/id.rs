//! Ids in paths.
//!
//! An id that can't be one is answered like one that does not exist, and only
//! after everything else of the request was read: nothing about a request
//! tells a malformed id, an unknown one and one of another project apart.

use std::str::FromStr;

use axum::extract::{FromRequestParts, Path};
use http::request::Parts;
use stt_eval_shared::domain::{DatasetId, FileId, KeyId, ResultId, RunId, SampleId};

use crate::error::ApiError;

/// What ids of a kind name.
pub trait Named: FromStr {
    /// The word for it in sentences.
    const NOUN: &'static str;
}

macro_rules! named {
    ($($id:ty => $noun:literal),* $(,)?) => {
        $(impl Named for $id { const NOUN: &'static str = $noun; })*
    };
}
named!(
    FileId => "file",
    DatasetId => "dataset",
    SampleId => "sample",
    RunId => "run",
    ResultId => "result",
    KeyId => "API key",
);

/// A word in the path; nothing when it is not UTF-8.
#[derive(Debug)]
pub struct PathText(pub Option<String>);

impl<S: Send + Sync> FromRequestParts<S> for PathText {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let text = Path::<String>::from_request_parts(parts, state).await;
        Ok(Self(text.ok().map(|Path(text)| text)))
    }
}

/// The id in the path.
#[derive(Debug)]
pub struct PathId<T>(Option<T>);

impl<T: Named> PathId<T> {
    /// The id, or 404.
    pub fn get(self) -> Result<T, ApiError> {
        self.0.ok_or_else(|| ApiError::no_such(T::NOUN))
    }
}

impl<S: Send + Sync, T: Named> FromRequestParts<S> for PathId<T> {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let PathText(text) = PathText::from_request_parts(parts, state).await?;
        Ok(Self(text.and_then(|text| text.parse().ok())))
    }
}

/// An id inside a body, or the error of its field.
pub fn in_body<T: Named>(
    field: &str,
    text: &str,
) -> Result<T, stt_eval_shared::domain::validate::FieldError> {
    text.parse().map_err(|_| {
        stt_eval_shared::domain::validate::FieldError::new(
            field,
            format!("is not the id of a {}", T::NOUN),
        )
    })
}
