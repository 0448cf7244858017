//! Gemini as a vendor: its batches are jobs, the Files API is its audio store.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use time::OffsetDateTime;

use super::models::MODELS;
use super::{
    BatchItem, ConfigError, Gemini, GeminiConfig, errors, file_name, output, prompt, request,
};
use crate::domain::transcribe::ModelConfig;
use crate::providers::audio::{AudioBy, AudioSource, ByteStream, ItemAudio, StagedInput};
use crate::providers::consult::Consult;
use crate::providers::credential::{Credential, Field};
use crate::providers::error::CallError;
use crate::providers::jobs::{
    AudioName, AudioStore, BatchStatus, Found, JobItem, JobName, Jobs, KeptFile, Ledger, Listing,
    NewJob, Prepared, Sought,
};
use crate::providers::lines::{OutputLine, ReadsLines};
use crate::providers::vendor::{
    Adapter, Client, Limits, Settings, SetupError, Timing, UnitLimits, Vendor, Works,
};

const fn minutes(number: u64) -> Duration {
    Duration::from_secs(60 * number)
}

const fn hours(number: u64) -> Duration {
    minutes(60 * number)
}

/// Google, by the Gemini API.
pub static VENDOR: Vendor = Vendor {
    name: "google",
    title: "Google",
    models: MODELS,
    credential: &[Field::API_KEY],
    audio: AudioBy::Staged,
    unit: UnitLimits {
        samples: 100,
        bytes: 1024 * 1024 * 1024,
    },
    // Google's limits for the first paid tier, with a margin for what others do
    // with the same key.
    limits: Limits {
        open_units: 90,
        stored_bytes: 18_000_000_000,
        queued_tokens: 2_850_000,
        calls_at_once: 0,
    },
    timing: Timing {
        // As long as Google has a batch: it may come to an end until then.
        deadline: hours(48),
        grace: minutes(10),
        settle: minutes(30),
        keeps_inputs: hours(48),
        // A batch reads its audio late; or as long as a batch may take.
        reuses_inputs: hours(30),
        quota_hold: hours(1),
        poll_pauses: &[minutes(1), minutes(2), minutes(5), minutes(10)],
    },
    works: Works::Jobs,
    consult: |settings| Ok(Arc::new(made(settings)?)),
};

/// Google and its client.
pub static CLIENT: Client = Client {
    vendor: &VENDOR,
    connect: |settings| Ok(Adapter::Jobs(Arc::new(made(settings)?))),
};

fn made(settings: &Settings) -> Result<Gemini, SetupError> {
    let mut config = GeminiConfig::default();
    if let Some(url) = &settings.base_url {
        config.base_url.clone_from(url);
    }
    config.create_timeout = config.create_timeout.min(settings.grace.mul_f64(0.6));
    Gemini::new(config).map_err(|error| match error {
        ConfigError::BaseUrl(problem) => SetupError::BaseUrl(problem),
        ConfigError::Setting(_) => SetupError::Setting(error.to_string()),
    })
}

/// What the request document of a job is called.
fn document_name(job: &JobName<'_>) -> String {
    file_name(&[
        job.deployment,
        &job.run.to_string(),
        &job.unit.to_string(),
        &job.attempt.to_string(),
        job.credential,
    ])
}

fn batch_item(item: &JobItem) -> Result<BatchItem, CallError> {
    let ItemAudio::Staged(audio) = &item.audio else {
        return Err(errors::refused_here("audio must be staged first"));
    };
    Ok(BatchItem {
        key: item.key.clone(),
        audio: audio.clone(),
        language: item.language.clone(),
        duration_seconds: item.duration_seconds,
    })
}

impl ReadsLines for Gemini {
    fn read_line(&self, line: &[u8]) -> OutputLine {
        output::parse_line(line)
    }
}

#[async_trait]
impl Consult for Gemini {
    async fn check_credential(&self, credential: &Credential) -> Result<(), CallError> {
        Gemini::check_credential(self, credential).await
    }

    fn queued_tokens(&self, config: &ModelConfig, language: &str, duration_seconds: f64) -> u64 {
        let template = config.prompt.as_deref().unwrap_or(prompt::DEFAULT_PROMPT);
        prompt::queued_tokens(template, language, duration_seconds)
    }

    fn most_output_tokens(&self, config: &ModelConfig, duration_seconds: f64) -> u64 {
        u64::from(request::output_limit(config, duration_seconds))
    }
}

#[async_trait]
impl Jobs for Gemini {
    async fn prepare(
        &self,
        credential: &Credential,
        job: &NewJob<'_>,
    ) -> Result<Prepared, CallError> {
        let items = job.items.iter().map(batch_item);
        let items = items.collect::<Result<Vec<_>, _>>()?;
        let (name, label) = (document_name(&job.name), job.name.label());
        let staged = self
            .stage_batch(credential, &name, &label, &items, job.config)
            .await?;
        Ok(Prepared { name: staged.name })
    }

    async fn start(
        &self,
        credential: &Credential,
        job: &NewJob<'_>,
        prepared: &Prepared,
    ) -> Result<String, CallError> {
        let (model, label) = (&job.config.model, job.name.label());
        self.create(credential, model, &prepared.name, &label).await
    }

    async fn find(&self, credential: &Credential, sought: &Sought<'_>) -> Result<Found, CallError> {
        let listed = Gemini::list(self, credential, sought.since).await?;
        let mut batches = listed.batches;
        batches.retain(|batch| batch.display_name == sought.name);
        batches.sort_by_key(|batch| batch.created_at);
        Ok(Found::Jobs {
            names: batches.into_iter().map(|batch| batch.name).collect(),
            unread: listed.unread,
        })
    }

    async fn get(&self, credential: &Credential, job: &str) -> Result<BatchStatus, CallError> {
        Gemini::get(self, credential, job).await
    }

    async fn cancel(&self, credential: &Credential, job: &str) -> Result<(), CallError> {
        Gemini::cancel(self, credential, job).await
    }

    async fn output(&self, credential: &Credential, output: &str) -> Result<ByteStream, CallError> {
        self.download(credential, output).await
    }

    async fn discard_output(&self, credential: &Credential, output: &str) -> Result<(), CallError> {
        self.delete_file(credential, output).await
    }

    async fn discard_prepared(
        &self,
        credential: &Credential,
        prepared: &str,
    ) -> Result<(), CallError> {
        self.delete_file(credential, prepared).await
    }

    async fn discard(&self, credential: &Credential, job: &str) -> Result<(), CallError> {
        self.delete_batch(credential, job).await
    }

    fn ledger(&self) -> Option<&dyn Ledger> {
        Some(self)
    }

    fn audio_store(&self) -> Option<&dyn AudioStore> {
        Some(self)
    }
}

#[async_trait]
impl Ledger for Gemini {
    async fn list(
        &self,
        credential: &Credential,
        since: OffsetDateTime,
    ) -> Result<Listing, CallError> {
        Gemini::list(self, credential, since).await
    }

    async fn look_for(
        &self,
        credential: &Credential,
        names: &[&str],
    ) -> Result<Listing, CallError> {
        Gemini::look_for(self, credential, names).await
    }

    async fn prepared(
        &self,
        credential: &Credential,
        prefix: &str,
    ) -> Result<Vec<KeptFile>, CallError> {
        self.list_files(credential, prefix).await
    }
}

#[async_trait]
impl AudioStore for Gemini {
    fn spell(&self, audio: &AudioName<'_>) -> String {
        file_name(&[
            audio.deployment,
            audio.project.as_str(),
            &audio.file.to_string(),
            audio.credential,
            audio.nonce,
        ])
    }

    async fn stage(
        &self,
        credential: &Credential,
        name: &str,
        mime_type: &str,
        source: &dyn AudioSource,
    ) -> Result<StagedInput, CallError> {
        self.stage_audio(credential, name, mime_type, source).await
    }

    fn names_of(&self, name: &str) -> Vec<String> {
        Gemini::names_of(self, name)
    }

    async fn delete(&self, credential: &Credential, name: &str) -> Result<(), CallError> {
        self.delete_file(credential, name).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::unit::UnitKey;
    use crate::domain::{FileId, RunId};

    /// Names that releases before the seam gave: what was begun by one of them is
    /// found again under the same.
    #[test]
    fn names_are_spelled_as_ever() {
        let project = "demo".parse().unwrap();
        let run = RunId::mint(1_800_000_000_000, [7; 10]);
        let unit = UnitKey {
            model: 0,
            round: 1,
            chunk: 2,
        };
        let job = JobName {
            deployment: "d-1",
            project: &project,
            run,
            unit,
            attempt: 3,
            credential: "0a1b2c",
        };
        let parts = ["d-1", &run.to_string(), "p00-r01-c0002", "3", "0a1b2c"];
        assert_eq!(document_name(&job), file_name(&parts));
        assert_eq!(job.label(), format!("d-1/demo/{run}-p00-r01-c0002-a3"));
        let gemini = Gemini::new(GeminiConfig::default()).unwrap();
        assert_eq!(Jobs::spell(&gemini, &job), job.label());
        let file = FileId::mint(1_800_000_000_000, [7; 10]);
        let audio = AudioName {
            deployment: "d-1",
            project: &project,
            file,
            credential: "0a1b2c",
            nonce: "00ff",
        };
        let parts = ["d-1", "demo", &file.to_string(), "0a1b2c", "00ff"];
        assert_eq!(AudioStore::spell(&gemini, &audio), file_name(&parts));
    }
}
