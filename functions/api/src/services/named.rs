//! What ids are called in sentences, ids inside requests, and names that are paths.

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

/// The last part of a name that is a path of another machine.
#[must_use]
pub fn last_part(name: &str) -> &str {
    name.rsplit(['/', '\\']).next().unwrap_or(name)
}
