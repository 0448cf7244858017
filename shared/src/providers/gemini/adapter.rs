//! Gemini as a vendor: its batches are jobs, the Files API is its audio store.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
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

impl Consult for Gemini {
    fn check_credential<'a>(
        &'a self,
        credential: &'a Credential,
    ) -> BoxFuture<'a, Result<(), CallError>> {
        Gemini::check_credential(self, credential).boxed()
    }

    fn queued_tokens(&self, config: &ModelConfig, language: &str, duration_seconds: f64) -> u64 {
        let template = config.prompt.as_deref().unwrap_or(prompt::DEFAULT_PROMPT);
        prompt::queued_tokens(template, language, duration_seconds)
    }

    fn most_output_tokens(&self, config: &ModelConfig, duration_seconds: f64) -> u64 {
        u64::from(request::output_limit(config, duration_seconds))
    }
}

impl Jobs for Gemini {
    fn prepare<'a>(
        &'a self,
        credential: &'a Credential,
        job: &'a NewJob<'a>,
    ) -> BoxFuture<'a, Result<Prepared, CallError>> {
        async move {
            let items = job.items.iter().map(batch_item);
            let items = items.collect::<Result<Vec<_>, _>>()?;
            let (name, label) = (document_name(&job.name), job.name.label());
            let staged = self
                .stage_batch(credential, &name, &label, &items, job.config)
                .await?;
            Ok(Prepared { name: staged.name })
        }
        .boxed()
    }

    fn start<'a>(
        &'a self,
        credential: &'a Credential,
        job: &'a NewJob<'a>,
        prepared: &'a Prepared,
    ) -> BoxFuture<'a, Result<String, CallError>> {
        async move {
            let (model, label) = (&job.config.model, job.name.label());
            self.create(credential, model, &prepared.name, &label).await
        }
        .boxed()
    }

    fn find<'a>(
        &'a self,
        credential: &'a Credential,
        sought: &'a Sought<'a>,
    ) -> BoxFuture<'a, Result<Found, CallError>> {
        async move {
            let listed = Gemini::list(self, credential, sought.since).await?;
            let mut batches = listed.batches;
            batches.retain(|batch| batch.display_name == sought.name);
            batches.sort_by_key(|batch| batch.created_at);
            Ok(Found::Jobs {
                names: batches.into_iter().map(|batch| batch.name).collect(),
                unread: listed.unread,
            })
        }
        .boxed()
    }

    fn get<'a>(
        &'a self,
        credential: &'a Credential,
        job: &'a str,
    ) -> BoxFuture<'a, Result<BatchStatus, CallError>> {
        Gemini::get(self, credential, job).boxed()
    }

    fn cancel<'a>(
        &'a self,
        credential: &'a Credential,
        job: &'a str,
    ) -> BoxFuture<'a, Result<(), CallError>> {
        Gemini::cancel(self, credential, job).boxed()
    }

    fn output<'a>(
        &'a self,
        credential: &'a Credential,
        output: &'a str,
    ) -> BoxFuture<'a, Result<ByteStream, CallError>> {
        self.download(credential, output).boxed()
    }

    fn discard_output<'a>(
        &'a self,
        credential: &'a Credential,
        output: &'a str,
    ) -> BoxFuture<'a, Result<(), CallError>> {
        self.delete_file(credential, output).boxed()
    }

    fn discard_prepared<'a>(
        &'a self,
        credential: &'a Credential,
        prepared: &'a str,
    ) -> BoxFuture<'a, Result<(), CallError>> {
        self.delete_file(credential, prepared).boxed()
    }

    fn discard<'a>(
        &'a self,
        credential: &'a Credential,
        job: &'a str,
    ) -> BoxFuture<'a, Result<(), CallError>> {
        self.delete_batch(credential, job).boxed()
    }

    fn ledger(&self) -> Option<&dyn Ledger> {
        Some(self)
    }

    fn audio_store(&self) -> Option<&dyn AudioStore> {
        Some(self)
    }
}

impl Ledger for Gemini {
    fn list<'a>(
        &'a self,
        credential: &'a Credential,
        since: OffsetDateTime,
    ) -> BoxFuture<'a, Result<Listing, CallError>> {
        Gemini::list(self, credential, since).boxed()
    }

    fn look_for<'a>(
        &'a self,
        credential: &'a Credential,
        names: &'a [&'a str],
    ) -> BoxFuture<'a, Result<Listing, CallError>> {
        Gemini::look_for(self, credential, names).boxed()
    }

    fn prepared<'a>(
        &'a self,
        credential: &'a Credential,
        prefix: &'a str,
    ) -> BoxFuture<'a, Result<Vec<KeptFile>, CallError>> {
        self.list_files(credential, prefix).boxed()
    }
}

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

    fn stage<'a>(
        &'a self,
        credential: &'a Credential,
        name: &'a str,
        mime_type: &'a str,
        source: &'a dyn AudioSource,
    ) -> BoxFuture<'a, Result<StagedInput, CallError>> {
        self.stage_audio(credential, name, mime_type, source)
            .boxed()
    }

    fn names_of(&self, name: &str) -> Vec<String> {
        Gemini::names_of(self, name)
    }

    fn delete<'a>(
        &'a self,
        credential: &'a Credential,
        name: &'a str,
    ) -> BoxFuture<'a, Result<(), CallError>> {
        self.delete_file(credential, name).boxed()
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
