//! The frame around every JSON answer.

use std::fmt;

use serde::{Deserialize, Serialize};
use stt_eval_domain::validate::FieldError;
use utoipa::ToSchema;

/// An answer with one thing in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Envelope<T> {
    /// True.
    #[schema(example = true)]
    pub success: bool,
    /// The thing.
    pub data: T,
    /// Null.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub error: (),
    /// About the page, where part of the answer is paged.
    pub metadata: Option<PageMeta>,
}

impl<T> Envelope<T> {
    /// An answer with a thing, and about the page where part of it is paged.
    ///
    /// ```
    /// let answer = stt_eval_wire::envelope::Envelope::of(7, None);
    /// assert_eq!(
    ///     serde_json::to_string(&answer)?,
    ///     r#"{"success":true,"data":7,"error":null,"metadata":null}"#
    /// );
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn of(data: T, metadata: Option<PageMeta>) -> Self {
        Self {
            success: true,
            data,
            error: (),
            metadata,
        }
    }
}

/// An answer with a page of a list in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ListEnvelope<T> {
    /// True.
    #[schema(example = true)]
    pub success: bool,
    /// The page.
    pub data: Vec<T>,
    /// Null.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub error: (),
    /// About the page.
    pub metadata: PageMeta,
}

impl<T> ListEnvelope<T> {
    /// An answer with a page, and about it.
    pub fn of(data: Vec<T>, metadata: PageMeta) -> Self {
        Self {
            success: true,
            data,
            error: (),
            metadata,
        }
    }
}

/// About a page of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PageMeta {
    /// How many there are in all.
    pub total: u64,
    /// Most that this page may have.
    pub limit: u64,
    /// Where the next page begins; null on the last one. A page may be shorter
    /// than `limit` and still have a next one.
    #[schema(value_type = Option<String>)]
    pub next_cursor: Option<Cursor>,
}

/// Where a page begins: text that only the server reads. A client sends it back as
/// it came, with the same filters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cursor(pub String);

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An answer that something went wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = ErrorEnvelope)]
pub struct Refused {
    /// False.
    #[schema(example = false)]
    pub success: bool,
    /// Null.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub data: (),
    /// One sentence.
    #[schema(example = "samples[3].file_id: there is no such file")]
    pub error: String,
    /// The fields that are wrong, where it is about fields.
    pub errors: Option<Vec<FieldError>>,
    /// What finds the request in the logs.
    pub metadata: RefusedMeta,
}

/// What finds a request in the logs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = ErrorMeta)]
pub struct RefusedMeta {
    /// Id of the request.
    pub request_id: String,
    /// Only for failures on which a program should act: what it is about.
    #[schema(example = "provider_unreachable")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

/// That something is gone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Deleted<T> {
    /// What it was called.
    pub id: T,
    /// True.
    #[schema(example = true)]
    pub deleted: bool,
}
