//! Ids in paths.
//!
//! An id that can't be one is answered like one that does not exist, and only
//! after everything else of the request was read: nothing about a request
//! tells a malformed id, an unknown one and one of another project apart.

use axum::extract::{FromRequestParts, Path};
use http::request::Parts;

use crate::refusal::Refusal;
use crate::services::named::Named;

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

/// Two words in the path; empty ones when they are not UTF-8.
#[derive(Debug)]
pub struct PathTexts(pub String, pub String);

impl<S: Send + Sync> FromRequestParts<S> for PathTexts {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let texts = Path::<(String, String)>::from_request_parts(parts, state).await;
        let (first, second) = texts.map(|Path(texts)| texts).unwrap_or_default();
        Ok(Self(first, second))
    }
}

/// The id in the path.
#[derive(Debug)]
pub struct PathId<T>(Option<T>);

impl<T: Named> PathId<T> {
    /// The id, or 404.
    pub fn get(self) -> Result<T, Refusal> {
        self.0.ok_or_else(|| Refusal::no_such(T::NOUN))
    }
}

impl<S: Send + Sync, T: Named> FromRequestParts<S> for PathId<T> {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let PathText(text) = PathText::from_request_parts(parts, state).await?;
        Ok(Self(text.and_then(|text| text.parse().ok())))
    }
}
