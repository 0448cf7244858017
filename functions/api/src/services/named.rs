//! What ids are called in sentences, and ids inside requests.

use std::str::FromStr;

use stt_eval_shared::domain::validate::FieldError;
use stt_eval_shared::domain::{DatasetId, FileId, KeyId, ResultId, RunId, SampleId, SessionId};

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
    SessionId => "session",
);

/// An id inside a body, or the error of its field.
pub fn in_body<T: Named>(field: &str, text: &str) -> Result<T, FieldError> {
    let message = || format!("is not the id of a {}", T::NOUN);
    text.parse().map_err(|_| FieldError::new(field, message()))
}
