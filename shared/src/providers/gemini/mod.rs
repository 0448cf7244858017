//! Gemini by its Files and Batch APIs.
//!
//! One concept a file: [`config`] settings · `client` requests, over
//! [`http`](super::http) · [`errors`] what an answer means · `names` · `upload` the resumable protocol · `files`
//! staging and deletion · [`prompt`] · `request` the batch document · `batch` ·
//! `listing` of batches · `sieve` what of an answer is kept · `download` · [`output`] result lines · `wire` what Google's JSON looks like ·
//! `models` data of the catalogue · `adapter` all of it as a vendor. [`Gemini`]
//! is in Google's terms; what the functions work with is in those of the seam.
//!
//! The protocol, with the evidence for each part, is `PROTOCOL.md`.
//! Nothing of it was tried against Google itself. What is sent and received is
//! people's speech: none of it is logged, and error texts hold neither bodies
//! nor keys nor the queries of URLs.

mod adapter;
mod batch;
mod client;
pub mod config;
mod download;
pub mod errors;
mod fields;
mod files;
mod listing;
#[cfg(test)]
mod listing_tests;
mod models;
mod names;
pub mod output;
pub mod prompt;
mod request;
mod sieve;
#[cfg(test)]
mod stub;
#[cfg(test)]
mod stub_tests;
mod upload;
mod wire;

use time::OffsetDateTime;

pub use crate::providers::http::RetryPolicy;
pub use adapter::{CLIENT, VENDOR};
pub use config::{ConfigError, GeminiConfig};
pub use files::MAX_FILE_BYTES;
pub use names::file_name;
pub use output::parse_line;
pub use prompt::{DEFAULT_PROMPT, DEFAULT_PROMPT_VERSION, NO_SPEECH};
pub use request::BatchItem;

use super::audio::{AudioSource, ByteStream, StagedInput};
use super::credential::Credential;
use super::error::CallError;
use super::jobs::{BatchStatus, KeptFile, Listing};
use crate::domain::transcribe::ModelConfig;

/// The Gemini API. Cheap to clone; make one a process.
#[derive(Debug, Clone)]
pub struct Gemini {
    client: client::Client,
}

impl Gemini {
    /// A client with these settings. Makes no request.
    pub fn new(config: GeminiConfig) -> Result<Self, ConfigError> {
        Ok(Self {
            client: client::Client::new(config)?,
        })
    }

    /// Puts audio at Google under a name of the caller's. An input that is there
    /// already under that name is checked and adopted.
    pub async fn stage_audio(
        &self,
        credential: &Credential,
        name: &str,
        mime_type: &str,
        source: &dyn AudioSource,
    ) -> Result<StagedInput, CallError> {
        let what = files::Input {
            name,
            display_name: None,
            mime_type,
            source,
        };
        files::stage(&self.client, credential, &what).await
    }

    /// Every name under which [`stage_audio`](Self::stage_audio) may have put
    /// what it was to put under a name. A name that can't be chosen was never used.
    #[must_use]
    pub fn names_of(&self, name: &str) -> Vec<String> {
        names::chosen_file(name)
            .map(|wanted| files::candidates(&wanted).collect())
            .unwrap_or_default()
    }

    /// Puts a batch's request document at Google under a deterministic name. By
    /// the display name a document is known for what it is, should it be left
    /// behind.
    pub async fn stage_batch(
        &self,
        credential: &Credential,
        name: &str,
        display_name: &str,
        items: &[BatchItem],
        config: &ModelConfig,
    ) -> Result<StagedInput, CallError> {
        let bytes = request::document(items, config)?;
        let source = files::Memory { bytes };
        let what = files::Input {
            name,
            display_name: Some(display_name),
            mime_type: request::MIME_TYPE,
            source: &source,
        };
        files::stage(&self.client, credential, &what).await
    }

    /// Creates a batch of a request document, by its name: one request, never
    /// repeated. Gives Google's name of the batch.
    pub async fn create(
        &self,
        credential: &Credential,
        model: &str,
        document: &str,
        display_name: &str,
    ) -> Result<String, CallError> {
        batch::create(&self.client, credential, model, document, display_name).await
    }

    /// Every batch of the credential created at or after `since`, all pages.
    pub async fn list(
        &self,
        credential: &Credential,
        since: OffsetDateTime,
    ) -> Result<Listing, CallError> {
        listing::whole(&self.client, credential, since).await
    }

    /// The list of the credential's batches, as far as it must be read to see
    /// these.
    pub async fn look_for(
        &self,
        credential: &Credential,
        names: &[&str],
    ) -> Result<Listing, CallError> {
        listing::find(&self.client, credential, names).await
    }

    /// One batch by Google's name.
    pub async fn get(
        &self,
        credential: &Credential,
        batch: &str,
    ) -> Result<BatchStatus, CallError> {
        batch::get(&self.client, credential, batch).await
    }

    /// Asks to stop a batch; one that is over or gone is stopped.
    pub async fn cancel(&self, credential: &Credential, batch: &str) -> Result<(), CallError> {
        batch::cancel(&self.client, credential, batch).await
    }

    /// Streams a file's content.
    pub async fn download(
        &self,
        credential: &Credential,
        file: &str,
    ) -> Result<ByteStream, CallError> {
        download::open(&self.client, credential, file).await
    }

    /// Deletes a file; one that is gone is deleted.
    pub async fn delete_file(&self, credential: &Credential, name: &str) -> Result<(), CallError> {
        files::delete(&self.client, credential, name).await
    }

    /// Files that were sent with the credential and whose display name begins
    /// like this, all pages.
    pub async fn list_files(
        &self,
        credential: &Credential,
        prefix: &str,
    ) -> Result<Vec<KeptFile>, CallError> {
        files::list(&self.client, credential, prefix).await
    }

    /// Forgets a batch, without stopping it; one that is gone is forgotten.
    pub async fn delete_batch(
        &self,
        credential: &Credential,
        batch: &str,
    ) -> Result<(), CallError> {
        batch::delete(&self.client, credential, batch).await
    }

    /// Whether the credential is accepted. `Rejected{Unauthorized}` when not.
    pub async fn check_credential(&self, credential: &Credential) -> Result<(), CallError> {
        files::check_key(&self.client, credential).await
    }
}
