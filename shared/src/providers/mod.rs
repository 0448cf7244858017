//! Speech-to-text providers behind one trait, and the catalogue of their
//! models.
//!
//! Two shapes exist in the field and both fit: a [`BatchProvider`] takes many
//! items at once and answers hours later (Gemini Batch, Sarvam jobs, Amazon
//! Transcribe), a [`SyncProvider`] answers each item in its call (`ElevenLabs`,
//! Deepgram). Nothing here decides about retries of the irreversible step:
//! that is the unit's state machine ([`crate::domain::unit`]).

pub mod catalogue;
pub mod gemini;

use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// Bytes as they arrive from storage or a provider.
pub type ByteStream = BoxStream<'static, std::io::Result<Bytes>>;

/// The ways a provider takes work.
pub enum Provider {
    /// Many items in one job, collected later.
    Batch(Box<dyn BatchProvider>),
    /// One item in one call.
    Sync(Box<dyn SyncProvider>),
}

/// Why a call to a provider did not give what was asked for.
///
/// The line that matters for money is between *definitely not done* and
/// *perhaps done*: only the first may be repeated without looking.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CallError {
    /// The provider refused before anything took effect.
    #[error("the provider refused the call ({status}): {message}")]
    Rejected {
        /// HTTP status.
        status: u16,
        /// What kind of refusal it is.
        kind: Rejection,
        /// The provider's text. For logs only, never for clients.
        message: String,
    },
    /// Time-out, reset, 5xx or an unreadable success: it may have happened.
    #[error("the outcome of the call is unknown: {message}")]
    Ambiguous {
        /// What was seen. For logs only.
        message: String,
    },
    /// Reading our own input (the audio in S3) failed; nothing was submitted.
    #[error("our own input could not be read: {message}")]
    Input {
        /// What was seen. For logs only.
        message: String,
    },
}

/// Kinds of definite refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rejection {
    /// The credentials are wrong, revoked or lack permission.
    Unauthorized,
    /// A rate or quota limit; worth repeating after a pause.
    Quota {
        /// The provider's own advice, when it gave one.
        retry_after: Option<Duration>,
    },
    /// The thing named does not exist (any more).
    NotFound,
    /// The name is taken.
    Exists,
    /// The request itself is wrong and will be wrong again.
    Invalid,
}

/// Provider and key to act with.
#[derive(Debug, Clone)]
pub struct Credential {
    /// Stable id of the credential: part of deterministic names, never the key.
    pub id: String,
    /// The key itself.
    pub secret: SecretString,
}

/// Opens the bytes of an audio object from an offset. Streams, so that no
/// file is ever whole in memory; may be called again to resume.
pub trait AudioSource: Send + Sync {
    /// Length in bytes.
    fn len(&self) -> u64;
    /// True for an empty object.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// SHA-256 of the whole, when it is known without reading it. Used to
    /// tell an input that is at the provider already from another one of the
    /// same length.
    fn sha256(&self) -> Option<[u8; 32]> {
        None
    }
    /// The bytes `[start, end)`.
    fn open(&self, start: u64, end: u64) -> BoxFuture<'_, std::io::Result<ByteStream>>;
}

/// An input kept at the provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StagedInput {
    /// The provider's name of it, for deleting.
    pub name: String,
    /// How requests refer to it.
    pub uri: String,
    /// MIME type it was declared with.
    pub mime_type: String,
    /// After this it can't be relied on.
    #[serde(with = "time::serde::rfc3339")]
    pub expires_at: OffsetDateTime,
}

/// One item of a batch.
#[derive(Debug, Clone)]
pub struct BatchItem {
    /// Unique within the batch; what the result is joined by.
    pub key: String,
    /// The staged audio.
    pub audio: StagedInput,
    /// BCP-47 tag of the sample.
    pub language: String,
    /// Length of the audio, for output bounds.
    pub duration_seconds: f64,
}

/// The frozen configuration of a run for one model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TranscribeConfig {
    /// Model name as the provider knows it.
    pub model: String,
    /// Prompt template; `{language}` and `{script}` are filled in per sample.
    pub prompt: String,
    /// Sampling temperature, 0 to 2.
    pub temperature: f64,
    /// Version of the prompt template, so that a run can be reproduced.
    pub prompt_version: String,
}

/// State of a batch at the provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BatchState {
    /// Waiting at the provider.
    Pending,
    /// Being worked on.
    Running,
    /// Done; items may still have failed one by one.
    Succeeded,
    /// The batch as a whole failed.
    Failed,
    /// Cancelled; finished items may have results.
    Cancelled,
    /// Not processed in the provider's time; nothing to collect.
    Expired,
    /// A state this version does not know: keep polling, raise an alarm.
    Unknown(String),
}

impl BatchState {
    /// Whether nothing changes any more. A state that is not known may be
    /// anything.
    #[must_use]
    pub fn is_over(&self) -> bool {
        match self {
            Self::Succeeded | Self::Failed | Self::Cancelled | Self::Expired => true,
            Self::Pending | Self::Running | Self::Unknown(_) => false,
        }
    }
}

/// A file that the provider keeps for us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptFile {
    /// The provider's name of it.
    pub name: String,
    /// Our name of it, as given when it was sent.
    pub display_name: String,
}

/// What the provider says of one batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchStatus {
    /// The provider's name of the batch.
    pub name: String,
    /// Our name of it, as given at creation.
    pub display_name: String,
    /// State.
    pub state: BatchState,
    /// Reference of the output, when there is one.
    pub output: Option<String>,
    /// The request document it was made of, as far as the provider tells.
    pub input: Option<String>,
    /// When it was created, by the provider's clock.
    pub created_at: Option<OffsetDateTime>,
    /// Reason of a failed batch. For logs only.
    pub error: Option<String>,
}

/// Usage and cost of one item.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Usage {
    /// Tokens of audio read.
    pub audio_input_tokens: u64,
    /// Tokens of text read.
    pub text_input_tokens: u64,
    /// Tokens written.
    pub output_tokens: u64,
    /// Tokens of reasoning, billed as output.
    pub thinking_tokens: u64,
}

/// What became of one item.
#[derive(Debug, Clone, PartialEq)]
pub enum ItemOutcome {
    /// A transcription.
    Transcribed {
        /// The text, trimmed; never empty unless the model said "nothing spoken".
        text: String,
        /// Exact model that answered.
        model_version: Option<String>,
        /// What it used.
        usage: Usage,
    },
    /// No transcription.
    Failed {
        /// Stable code, e.g. `blocked_safety`, `max_tokens`, `empty_output`,
        /// `provider_error`, `provider_malformed`.
        code: String,
        /// A sentence for people, without upstream text.
        message: String,
        /// Whether asking again could help.
        retryable: bool,
        /// What it used; failures are billed too.
        usage: Usage,
        /// Exact model that answered, when one did.
        model_version: Option<String>,
    },
}

/// One line of a provider's output.
#[derive(Debug, Clone, PartialEq)]
pub enum OutputLine {
    /// The outcome of the item with this key.
    Item {
        /// Key of the item.
        key: String,
        /// What became of it.
        outcome: ItemOutcome,
    },
    /// Nothing on it (blank line).
    Blank,
    /// It could not be attributed to any item. For logs and metrics.
    Malformed {
        /// What was wrong, without the line's content.
        reason: String,
    },
}

/// A provider that takes many items at once.
///
/// No method retries a call whose repetition could cost money; `create` makes
/// exactly one request.
pub trait BatchProvider: Send + Sync {
    /// Puts audio at the provider under a name of the caller's. An input that is
    /// there already under that name is checked and adopted.
    fn stage_audio<'a>(
        &'a self,
        credential: &'a Credential,
        name: &'a str,
        mime_type: &'a str,
        source: &'a dyn AudioSource,
    ) -> BoxFuture<'a, Result<StagedInput, CallError>>;

    /// Every name under which [`stage_audio`](Self::stage_audio) may have put
    /// what it was to put under a name.
    fn names_of(&self, name: &str) -> Vec<String> {
        vec![name.to_owned()]
    }

    /// Puts the batch's request document at the provider under a
    /// deterministic name. By the display name a document is known for what it
    /// is, should it be left behind.
    fn stage_batch<'a>(
        &'a self,
        credential: &'a Credential,
        name: &'a str,
        display_name: &'a str,
        items: &'a [BatchItem],
        config: &'a TranscribeConfig,
    ) -> BoxFuture<'a, Result<StagedInput, CallError>>;

    /// Creates the batch: one request, never repeated. Gives the provider's
    /// name of the batch.
    fn create<'a>(
        &'a self,
        credential: &'a Credential,
        model: &'a str,
        input: &'a StagedInput,
        display_name: &'a str,
    ) -> BoxFuture<'a, Result<String, CallError>>;

    /// Every batch of the credential created at or after `since`, all pages.
    fn list<'a>(
        &'a self,
        credential: &'a Credential,
        since: OffsetDateTime,
    ) -> BoxFuture<'a, Result<Vec<BatchStatus>, CallError>>;

    /// One batch by the provider's name.
    fn get<'a>(
        &'a self,
        credential: &'a Credential,
        batch: &'a str,
    ) -> BoxFuture<'a, Result<BatchStatus, CallError>>;

    /// Asks the provider to stop a batch. Cancelling a finished or unknown
    /// batch is no error.
    fn cancel<'a>(
        &'a self,
        credential: &'a Credential,
        batch: &'a str,
    ) -> BoxFuture<'a, Result<(), CallError>>;

    /// Streams the raw output.
    fn download<'a>(
        &'a self,
        credential: &'a Credential,
        output: &'a str,
    ) -> BoxFuture<'a, Result<ByteStream, CallError>>;

    /// Reads one line of raw output. Never panics, never fails as a whole.
    fn parse_line(&self, line: &[u8]) -> OutputLine;

    /// Forgets an input or output. Deleting what is gone is no error.
    fn delete_file<'a>(
        &'a self,
        credential: &'a Credential,
        name: &'a str,
    ) -> BoxFuture<'a, Result<(), CallError>>;

    /// Files that were sent with the credential and whose display name begins
    /// like this, all pages. None for providers that keep nothing.
    fn list_files<'a>(
        &'a self,
        _credential: &'a Credential,
        _prefix: &'a str,
    ) -> BoxFuture<'a, Result<Vec<KeptFile>, CallError>> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }

    /// Forgets a batch, without stopping it. Deleting what is gone is no
    /// error. For providers that keep nothing this does nothing.
    fn delete_batch<'a>(
        &'a self,
        _credential: &'a Credential,
        _batch: &'a str,
    ) -> BoxFuture<'a, Result<(), CallError>> {
        Box::pin(std::future::ready(Ok(())))
    }

    /// Whether the credential is accepted. `Rejected{Unauthorized}` when not.
    fn check_credential<'a>(
        &'a self,
        credential: &'a Credential,
    ) -> BoxFuture<'a, Result<(), CallError>>;
}

/// A provider that answers each item in its call.
pub trait SyncProvider: Send + Sync {
    /// Transcribes one audio object.
    fn transcribe<'a>(
        &'a self,
        credential: &'a Credential,
        mime_type: &'a str,
        source: &'a dyn AudioSource,
        language: &'a str,
        config: &'a TranscribeConfig,
    ) -> BoxFuture<'a, Result<ItemOutcome, CallError>>;

    /// Whether the credential is accepted.
    fn check_credential<'a>(
        &'a self,
        credential: &'a Credential,
    ) -> BoxFuture<'a, Result<(), CallError>>;
}
