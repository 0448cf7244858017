//! The kinds of failure.

use serde::{Deserialize, Serialize};

use crate::route::Route;

/// Where the error of a failed result line is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorMember {
    /// Under `error`, as recorded.
    #[default]
    Error,
    /// Under `status`, as one project reads it.
    Status,
}

/// How a result line is broken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MalformedForm {
    /// Cut in the middle.
    #[default]
    Truncated,
    /// Text that is no JSON.
    NotJson,
    /// JSON, but a list.
    NotObject,
    /// Bytes that are no UTF-8 within the text.
    BadUtf8,
    /// An object with neither key nor response.
    Empty,
}

/// One kind of failure.
///
/// In JSON the name is `type` in `snake_case`: `{"type":"status","code":503}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    // A request, on any route.
    /// Answer this status; `after_commit` carries the request out first.
    Status {
        /// The HTTP status.
        code: u16,
        /// The message; a plausible one without it.
        #[serde(default)]
        message: Option<String>,
        /// Carry the request out before failing.
        #[serde(default)]
        after_commit: bool,
        /// The `Retry-After` header.
        #[serde(default)]
        retry_after: Option<u32>,
    },
    /// Close the connection without doing anything.
    DropRequest,
    /// Carry the request out, then close the connection without a reply.
    LoseReply,
    /// Wait before anything is done.
    Delay {
        /// How long.
        millis: u64,
    },
    /// Wait between carrying the request out and answering.
    DelayReply {
        /// How long.
        millis: u64,
    },
    /// Answer 200 with an HTML page.
    Html {
        /// Carry the request out first.
        #[serde(default)]
        after_commit: bool,
    },
    /// Carry the request out, then break the reply off after so many bytes of body.
    CutReply {
        /// Bytes that are sent.
        bytes: u64,
    },

    /// Refuse `fields`, as Google refuses a mask that it can't expand.
    RefuseFields {
        /// Only one that names members of an operation's metadata or response.
        #[serde(default)]
        inside: bool,
    },
    /// Answer in full, whatever `fields` asks for.
    IgnoreFields,

    // Uploads and files.
    /// Close the connection after so many bytes of a chunk have been kept.
    DropChunk {
        /// Bytes of the chunk that are kept; all of the sent ones at most.
        #[serde(default)]
        keep_bytes: u64,
    },
    /// Refuse the type `jsonl`.
    StrictMime,
    /// The uploaded file is `PROCESSING` for a while, then `ACTIVE`.
    FileProcessing {
        /// How long.
        millis: u64,
    },
    /// The uploaded file is `PROCESSING` for a while, then `FAILED`.
    FileFailed {
        /// How long it is `PROCESSING`.
        #[serde(default)]
        millis: u64,
        /// The message of its error.
        message: String,
    },
    /// The uploaded file expires early.
    FileExpired {
        /// How long it lives.
        #[serde(default)]
        millis: u64,
    },

    // Batches.
    /// The create call gets no reply, and the batch comes into being later.
    LateAcceptance {
        /// How much later.
        millis: u64,
    },
    /// The new batch is missing from lists, though a get finds it.
    StaleList {
        /// It shows up after so many lists of its owner…
        #[serde(default)]
        lists: u32,
        /// …and not before this time.
        #[serde(default)]
        millis: u64,
    },
    /// The batch carries answers of this length inside it, half of them in
    /// `metadata` and half in `response`, as one that was made inline does.
    Inlined {
        /// How long, in bytes.
        bytes: usize,
    },
    /// The batch can't be read in a list: a page with its metadata is answered
    /// 500.
    Poison {
        /// The page is answered, with metadata that is no object.
        #[serde(default)]
        malformed: bool,
        /// Nor by its name.
        #[serde(default)]
        by_name: bool,
    },
    /// The batch takes longer.
    Slow {
        /// How much longer.
        millis: u64,
    },
    /// The batch stays in this state until it expires or faults are cleared.
    Stuck {
        /// `PENDING` or `RUNNING`.
        state: String,
    },
    /// The batch shows this state.
    UnknownState {
        /// The state, as shown.
        state: String,
        /// For so many gets and lists; without it, for ever.
        #[serde(default)]
        polls: Option<u32>,
    },
    /// The batch ends otherwise than `SUCCEEDED`.
    End {
        /// `FAILED`, `EXPIRED` or `CANCELLED`.
        state: String,
        /// The code of its error.
        #[serde(default)]
        code: i32,
        /// The message of its error.
        #[serde(default)]
        message: String,
        /// Whether there is output all the same.
        #[serde(default)]
        with_output: bool,
    },
    /// A cancelled batch carries its output all the same.
    CancelWithOutput,
    /// A cancel call is answered but has no effect.
    CancelIgnored,
    /// The batch counts as open for so long after it was cancelled, deleted or not.
    QuotaFreedLate {
        /// For so long.
        millis: u64,
    },
    /// The batch has succeeded but shows no output.
    OutputLate {
        /// For so many gets and lists.
        polls: u32,
    },
    /// The list tells that the batch is over, but not of its output; asked for
    /// by its name it does.
    BareList {
        /// In so many lists; without it, in all.
        #[serde(default)]
        lists: Option<u32>,
    },
    /// The batch names its output, and there is no such file for a while.
    FileLate {
        /// How long.
        millis: u64,
    },
    /// The operation has no `updateTime`.
    NoUpdateTime,
    /// The result lines come in another order.
    Shuffle {
        /// Chooses the order.
        #[serde(default)]
        seed: u64,
    },
    /// The result file ends with these lines, too.
    ExtraLines {
        /// The lines, verbatim.
        lines: Vec<String>,
    },
    /// The result file holds these bytes instead.
    ReplaceOutput {
        /// The bytes, base64.
        base64: String,
    },

    // Single results; of one line the first rule that matches is applied.
    /// The line is missing.
    ItemMissing,
    /// The line comes twice.
    ItemDuplicate {
        /// What the second one says; the same without it.
        #[serde(default)]
        text: Option<String>,
    },
    /// The line cannot be parsed.
    ItemMalformed {
        /// How it is broken.
        #[serde(default)]
        form: MalformedForm,
    },
    /// The line has another key.
    ItemUnknownKey {
        /// That key.
        key: String,
    },
    /// The item failed.
    ItemError {
        /// Where the error is.
        #[serde(default)]
        member: ErrorMember,
        /// Its code.
        code: i32,
        /// Its message.
        message: String,
    },
    /// No candidates and no reason.
    ItemNoCandidates,
    /// The prompt was blocked.
    ItemBlocked {
        /// `SAFETY`, `PROHIBITED_CONTENT`, ….
        reason: String,
    },
    /// Another finish reason: `MAX_TOKENS`, `RECITATION`, `SAFETY`, ….
    ItemFinish {
        /// The reason.
        reason: String,
        /// The text; none without it.
        #[serde(default)]
        text: Option<String>,
    },
    /// The only part is a thought.
    ItemThoughtOnly,
    /// A thought, the text in two parts, and a part with a signature only.
    ItemParts,
    /// Another text.
    ItemText {
        /// The text.
        text: String,
    },
    /// No `usageMetadata`, `modelVersion` and `responseId`.
    ItemNoUsage,
}

/// What a fault is applied to, and so which rules are asked when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    Request,
    File,
    Batch,
    Item,
}

impl Fault {
    pub(crate) fn class(&self) -> Class {
        match self {
            Self::Status { .. }
            | Self::DropRequest
            | Self::LoseReply
            | Self::Delay { .. }
            | Self::DelayReply { .. }
            | Self::Html { .. }
            | Self::CutReply { .. }
            | Self::RefuseFields { .. }
            | Self::IgnoreFields
            | Self::DropChunk { .. }
            | Self::StrictMime
            | Self::LateAcceptance { .. } => Class::Request,
            Self::FileProcessing { .. } | Self::FileFailed { .. } | Self::FileExpired { .. } => {
                Class::File
            }
            Self::StaleList { .. }
            | Self::Inlined { .. }
            | Self::Poison { .. }
            | Self::Slow { .. }
            | Self::Stuck { .. }
            | Self::UnknownState { .. }
            | Self::End { .. }
            | Self::CancelWithOutput
            | Self::CancelIgnored
            | Self::QuotaFreedLate { .. }
            | Self::OutputLate { .. }
            | Self::BareList { .. }
            | Self::FileLate { .. }
            | Self::NoUpdateTime
            | Self::Shuffle { .. }
            | Self::ExtraLines { .. }
            | Self::ReplaceOutput { .. } => Class::Batch,
            _ => Class::Item,
        }
    }

    /// The only route the fault makes sense on.
    pub(crate) fn home(&self) -> Option<Route> {
        match self {
            Self::DropChunk { .. } => Some(Route::UploadChunk),
            Self::StrictMime => Some(Route::UploadStart),
            Self::LateAcceptance { .. } => Some(Route::BatchCreate),
            _ => None,
        }
    }

    pub(crate) fn name(&self) -> String {
        match serde_json::to_value(self) {
            Ok(value) => value["type"].as_str().unwrap_or_default().to_owned(),
            Err(_) => String::new(),
        }
    }
}
