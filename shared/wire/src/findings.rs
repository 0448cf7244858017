//! What is found in a table of samples, as pages tell it.

use serde::{Deserialize, Serialize};

/// What a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    /// A row's recording is not among those that were uploaded.
    MissingAudio,
    /// No row names a recording.
    WithoutRow,
    /// Something is there more than once.
    Twice,
    /// A row has no text.
    EmptyText,
    /// A text is in another script than that of its language.
    WrongScript,
    /// A recording can't be used.
    Recording,
    /// A row can't be used.
    Row,
    /// Not every model takes a recording.
    Models,
    /// Anything else.
    Other,
}
