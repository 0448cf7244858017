//! The service by its SDK.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_transcribe::Client;
use aws_sdk_transcribe::config::retry::RetryConfig;
use aws_sdk_transcribe::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_transcribe::types::{LanguageCode, Media, MediaFormat, TranscriptionJobStatus};
use aws_types::SdkConfig;
use futures::FutureExt as _;

use super::refusal;
use super::service::{Asked, Service, State};
use crate::aws::Lazy;
use crate::providers::error::CallError;
use crate::providers::http::{RetryPolicy, repeated, unreadable};

/// Longest time of a request that is paid for: giving up early makes a slow success
/// unknown.
const START: Duration = Duration::from_secs(15);
/// Longest time of a request that is free.
const FREE: Duration = Duration::from_secs(15);

/// The service, with a client that is made for the first request.
pub(super) struct Sdk {
    client: Lazy<Client>,
    start_timeout: Duration,
}

impl Sdk {
    /// By the configuration of all clients of AWS. Nothing is repeated by the SDK: what
    /// may be is repeated here.
    pub(super) fn new(aws: &SdkConfig, endpoint: Option<String>, grace: Duration) -> Self {
        let aws = aws.clone();
        let client = move || {
            let mut config = aws_sdk_transcribe::config::Builder::from(&aws)
                .retry_config(RetryConfig::disabled());
            if endpoint.is_some() {
                config.set_endpoint_url(endpoint);
            }
            Client::from_conf(config.build())
        };
        Self {
            client: Lazy::new(client),
            start_timeout: START.min(grace.mul_f64(0.6)),
        }
    }

    async fn asked(&self, name: &str) -> Result<State, CallError> {
        let request = self
            .client
            .get_transcription_job()
            .transcription_job_name(name)
            .send();
        let answer = in_time(FREE, request).await?;
        let job = answer.transcription_job;
        let own = job.filter(|job| job.transcription_job_name() == Some(name));
        let job = own.ok_or_else(|| unreadable("a job that is none, or another"))?;
        let reason = job.failure_reason().unwrap_or_default().to_owned();
        let status = job.transcription_job_status;
        match status.ok_or_else(|| unreadable("a job without a status"))? {
            TranscriptionJobStatus::Queued => Ok(State::Queued),
            TranscriptionJobStatus::InProgress => Ok(State::Running),
            TranscriptionJobStatus::Completed => Ok(State::Completed),
            TranscriptionJobStatus::Failed => Ok(State::Failed(reason)),
            other => Ok(State::Other(other.as_str().to_owned())),
        }
    }

    async fn deleted(&self, name: &str) -> Result<(), CallError> {
        let request = self
            .client
            .delete_transcription_job()
            .transcription_job_name(name)
            .send();
        match in_time(FREE, request).await {
            Err(error) if error.is_unknown() => Ok(()),
            deleted => deleted.map(drop),
        }
    }
}

/// The answer to a request, if it comes in time.
async fn in_time<T, E>(
    time: Duration,
    request: impl Future<Output = Result<T, SdkError<E>>>,
) -> Result<T, CallError>
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    match tokio::time::timeout(time, request).await {
        Ok(answer) => answer.map_err(|error| refusal::of(&error)),
        Err(_) => Err(CallError::Ambiguous {
            message: "no answer in time".to_owned(),
        }),
    }
}

#[async_trait]
impl Service for Sdk {
    async fn start(&self, asked: &Asked<'_>) -> Result<(), CallError> {
        let uri = format!("s3://{}/{}", asked.bucket, asked.audio);
        let request = self
            .client
            .start_transcription_job()
            .transcription_job_name(asked.name)
            .language_code(LanguageCode::from(asked.language))
            .media_format(MediaFormat::from(asked.format))
            .media(Media::builder().media_file_uri(uri).build())
            .output_bucket_name(asked.bucket)
            .output_key(asked.output)
            .send();
        let answer = in_time(self.start_timeout, request).await?;
        let job = answer.transcription_job;
        let told = job.and_then(|job| job.transcription_job_name);
        match told.as_deref() == Some(asked.name) {
            true => Ok(()),
            false => Err(unreadable("a job that is none, or another")),
        }
    }

    async fn state(&self, name: &str) -> Result<State, CallError> {
        repeated(&RetryPolicy::default(), || self.asked(name).boxed()).await
    }

    async fn delete(&self, name: &str) -> Result<(), CallError> {
        repeated(&RetryPolicy::default(), || self.deleted(name).boxed()).await
    }
}
