//! Gemini by its Files and Batch APIs.
//!
//! One concept a file: [`config`] settings · `client` HTTP · [`errors`] what
//! an answer means · `names` · `upload` the resumable protocol · `files`
//! staging and deletion · [`prompt`] · `request` the batch document · `batch` ·
//! `download` · [`output`] result lines · `wire` what Google's JSON looks like ·
//! `models` data of the catalogue.
//!
//! The protocol, with the evidence for each part, is `design/gemini.md`.
//! Nothing of it was tried against Google itself. What is sent and received is
//! people's speech: none of it is logged, and error texts hold neither bodies
//! nor keys nor the queries of URLs.

mod batch;
mod client;
pub mod config;
mod download;
pub mod errors;
mod files;
pub(super) mod models;
mod names;
pub mod output;
pub mod prompt;
mod request;
#[cfg(test)]
mod stub;
#[cfg(test)]
mod stub_tests;
mod upload;
mod wire;

use futures::FutureExt;
use futures::future::BoxFuture;
use time::OffsetDateTime;

pub use config::{ConfigError, GeminiConfig, RetryPolicy};
pub use files::MAX_FILE_BYTES;
pub use names::file_name;
pub use output::parse_line;
pub use prompt::{DEFAULT_PROMPT, DEFAULT_PROMPT_VERSION, NO_SPEECH};

use super::{
    AudioSource, BatchItem, BatchProvider, BatchStatus, ByteStream, CallError, Credential,
    KeptFile, OutputLine, StagedInput, TranscribeConfig,
};

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
}

impl BatchProvider for Gemini {
    fn stage_audio<'a>(
        &'a self,
        credential: &'a Credential,
        name: &'a str,
        mime_type: &'a str,
        source: &'a dyn AudioSource,
    ) -> BoxFuture<'a, Result<StagedInput, CallError>> {
        async move {
            let what = files::Input {
                name,
                display_name: None,
                mime_type,
                source,
            };
            files::stage(&self.client, credential, &what).await
        }
        .boxed()
    }

    fn names_of(&self, name: &str) -> Vec<String> {
        // A name that can't be chosen was never used.
        names::chosen_file(name)
            .map(|wanted| files::candidates(&wanted).collect())
            .unwrap_or_default()
    }

    fn stage_batch<'a>(
        &'a self,
        credential: &'a Credential,
        name: &'a str,
        display_name: &'a str,
        items: &'a [BatchItem],
        config: &'a TranscribeConfig,
    ) -> BoxFuture<'a, Result<StagedInput, CallError>> {
        async move {
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
        .boxed()
    }

    fn create<'a>(
        &'a self,
        credential: &'a Credential,
        model: &'a str,
        input: &'a StagedInput,
        display_name: &'a str,
    ) -> BoxFuture<'a, Result<String, CallError>> {
        batch::create(&self.client, credential, model, &input.name, display_name).boxed()
    }

    fn list<'a>(
        &'a self,
        credential: &'a Credential,
        since: OffsetDateTime,
    ) -> BoxFuture<'a, Result<Vec<BatchStatus>, CallError>> {
        batch::list(&self.client, credential, since).boxed()
    }

    fn get<'a>(
        &'a self,
        credential: &'a Credential,
        batch: &'a str,
    ) -> BoxFuture<'a, Result<BatchStatus, CallError>> {
        batch::get(&self.client, credential, batch).boxed()
    }

    fn cancel<'a>(
        &'a self,
        credential: &'a Credential,
        batch: &'a str,
    ) -> BoxFuture<'a, Result<(), CallError>> {
        batch::cancel(&self.client, credential, batch).boxed()
    }

    fn download<'a>(
        &'a self,
        credential: &'a Credential,
        output: &'a str,
    ) -> BoxFuture<'a, Result<ByteStream, CallError>> {
        download::open(&self.client, credential, output).boxed()
    }

    fn parse_line(&self, line: &[u8]) -> OutputLine {
        output::parse_line(line)
    }

    fn delete_file<'a>(
        &'a self,
        credential: &'a Credential,
        name: &'a str,
    ) -> BoxFuture<'a, Result<(), CallError>> {
        files::delete(&self.client, credential, name).boxed()
    }

    fn list_files<'a>(
        &'a self,
        credential: &'a Credential,
        prefix: &'a str,
    ) -> BoxFuture<'a, Result<Vec<KeptFile>, CallError>> {
        files::list(&self.client, credential, prefix).boxed()
    }

    fn delete_batch<'a>(
        &'a self,
        credential: &'a Credential,
        batch: &'a str,
    ) -> BoxFuture<'a, Result<(), CallError>> {
        batch::delete(&self.client, credential, batch).boxed()
    }

    fn check_credential<'a>(
        &'a self,
        credential: &'a Credential,
    ) -> BoxFuture<'a, Result<(), CallError>> {
        files::check_key(&self.client, credential).boxed()
    }
}
