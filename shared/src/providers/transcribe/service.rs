//! What is asked of the service, by whichever client.
//!
//! The client proper is behind this, so that a function which asks nothing has no SDK of
//! the service in it.

use async_trait::async_trait;

use crate::providers::error::CallError;

/// A job that is to be started. What is not here is left out: each setting that the
/// service has besides changes what is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    /// What the job is called.
    pub(super) name: &'a str,
    /// Our bucket, for audio and transcript.
    pub(super) bucket: &'a str,
    /// Key of the audio.
    pub(super) audio: &'a str,
    /// The service's name of its format.
    pub(super) format: &'a str,
    /// The service's name of its language.
    pub(super) language: &'a str,
    /// Key of the transcript.
    pub(super) output: &'a str,
}

/// What a job is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum State {
    Queued,
    Running,
    Completed,
    /// With the service's reason.
    Failed(String),
    /// One that is not known here.
    Other(String),
}

/// The service.
#[async_trait]
pub(super) trait Service: Send + Sync {
    /// Starts a job: one request, repeated by nothing. `Exists` when there is one of the
    /// name.
    async fn start(&self, asked: &Asked<'_>) -> Result<(), CallError>;

    /// What a job is doing. `NotFound` when there is none.
    async fn state(&self, name: &str) -> Result<State, CallError>;

    /// Deletes a job that is over, and not what it left. What is gone is no error.
    async fn delete(&self, name: &str) -> Result<(), CallError>;
}
