//! What every function works with, built once when its process starts.

use std::sync::Arc;
use std::time::Duration;

use aws_types::SdkConfig;
use secrecy::SecretBox;

use crate::access::credentials::{DataKeys, Vault};
use crate::aws::{self, Later};
use crate::config::{Config, ConfigError, KeySource};
use crate::domain::Timestamp;
use crate::objects::Objects;
use crate::providers::gemini::{self, Gemini, GeminiConfig};
use crate::providers::{BatchProvider, CallError, Provider};
use crate::queue::Queue;
use crate::store::Store;

/// The process can't start. One line for its log.
#[derive(thiserror::Error)]
#[error("{0}")]
pub struct StartError(pub String);

/// The same line: it is what a `main` that returns an error prints of it.
impl std::fmt::Debug for StartError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A variable whose value turns out to be wrong only when it is used.
fn odd(variable: &str, problem: impl Into<String>) -> StartError {
    let error = ConfigError {
        variable: variable.to_owned(),
        problem: problem.into(),
    };
    StartError(error.to_string())
}

/// Clients and configuration.
#[derive(Clone)]
pub struct App {
    /// Configuration.
    pub config: Arc<Config>,
    /// Tables.
    pub store: Store,
    /// Bucket.
    pub objects: Objects,
    /// Submission queue.
    pub queue: Queue,
    /// Provider credentials.
    pub vault: Option<Vault>,
    gemini: Arc<Provider>,
}

/// What a call of a provider leaves of an invocation, to write what came of it.
const TO_RECORD: Duration = Duration::from_secs(20);

/// Time left for an invocation. Work that can't be finished in it is left for
/// the next one instead of being cut off in the middle.
#[derive(Debug, Clone, Copy)]
pub struct Deadline(Timestamp);

impl Deadline {
    /// Ends at a time.
    #[must_use]
    pub fn at(end: Timestamp) -> Self {
        Self(end)
    }

    /// Ends after a while.
    #[must_use]
    pub fn after(while_: Duration) -> Self {
        Self(Timestamp::now() + while_)
    }

    /// Whether at least `needed` is left.
    #[must_use]
    pub fn allows(self, needed: Duration) -> bool {
        self.0.since(Timestamp::now()) >= needed
    }

    /// A call of a provider, given up shortly before the end: whoever waits for
    /// it would die with it, and nobody would know that it was tried.
    pub async fn cut_short<T>(
        self,
        call: impl Future<Output = Result<T, CallError>>,
    ) -> Result<T, CallError> {
        let left = self.0.since(Timestamp::now()).saturating_sub(TO_RECORD);
        match tokio::time::timeout(left, call).await {
            Ok(answer) => answer,
            Err(_) => Err(CallError::Ambiguous {
                message: "no answer while the function lived".to_owned(),
            }),
        }
    }
}

impl App {
    /// Builds the clients. `path_style` is for endpoints without a host name
    /// for each bucket.
    pub fn build(config: Config, aws: &SdkConfig, path_style: bool) -> Result<Self, StartError> {
        // reqwest takes the process's TLS provider. A second call in one
        // process (the embedded cloud) finds it installed: just as good.
        if rustls::crypto::CryptoProvider::get_default().is_none()
            && rustls::crypto::ring::default_provider()
                .install_default()
                .is_err()
        {
            tracing::debug!("a TLS provider was installed meanwhile");
        }
        let conf = aws.clone();
        let s3 = Later::new(move || {
            let conf = aws_sdk_s3::config::Builder::from(&conf)
                .force_path_style(path_style)
                // A checksum of our own choice is signed into upload URLs; one
                // that the SDK adds would be of the empty body it signs.
                .request_checksum_calculation(
                    aws_sdk_s3::config::RequestChecksumCalculation::WhenRequired,
                )
                .response_checksum_validation(
                    aws_sdk_s3::config::ResponseChecksumValidation::WhenRequired,
                )
                .build();
            aws_sdk_s3::Client::from_conf(conf)
        });
        let conf = aws.clone();
        let sqs = Later::new(move || aws_sdk_sqs::Client::new(&conf));
        let vault = match &config.keys {
            None => None,
            Some(KeySource::Kms(key_id)) => Some(Vault::new(DataKeys::Kms {
                client: {
                    let conf = aws.clone();
                    Later::new(move || aws_sdk_kms::Client::new(&conf))
                },
                key_id: key_id.clone(),
            })),
            Some(KeySource::File(path)) => {
                let text = std::fs::read_to_string(path)
                    .map_err(|e| odd("KEY_FILE", format!("can't be read: {e}")))?;
                let bytes: [u8; 32] = hex::decode(text.trim())
                    .ok()
                    .and_then(|bytes| bytes.try_into().ok())
                    .ok_or_else(|| odd("KEY_FILE", "must be a file of 64 hex digits"))?;
                Some(Vault::new(DataKeys::File(Arc::new(SecretBox::new(
                    Box::new(bytes),
                )))))
            }
        };
        let mut gemini = GeminiConfig::default();
        if let Some(url) = &config.gemini_url {
            gemini.base_url.clone_from(url);
        }
        // Past the grace nobody may still be creating: the call must have ended
        // before, and been recorded.
        gemini.create_timeout = gemini.create_timeout.min(config.policy.grace.mul_f64(0.6));
        let gemini = Gemini::new(gemini).map_err(|e| match e {
            gemini::ConfigError::BaseUrl(problem) => odd("GEMINI_BASE_URL", problem),
            gemini::ConfigError::Setting(_) => {
                StartError(format!("the Gemini client can't be built: {e}"))
            }
        })?;
        Ok(Self {
            store: Store::new(aws_sdk_dynamodb::Client::new(aws), config.tables.clone()),
            objects: Objects::new(s3, config.bucket.clone(), config.bucket_versioned),
            queue: Queue::new(sqs, config.submit_queue.clone()),
            vault,
            gemini: Arc::new(Provider::Batch(Box::new(gemini))),
            config: Arc::new(config),
        })
    }

    /// Builds everything from the environment of a Lambda function.
    pub fn from_env() -> Result<Self, StartError> {
        Self::start(Config::from_env().and_then(Config::with_keys))
    }

    /// The same for a function that has nothing to do with credentials.
    pub fn from_env_without_keys() -> Result<Self, StartError> {
        Self::start(Config::from_env())
    }

    fn start(config: Result<Config, ConfigError>) -> Result<Self, StartError> {
        let config = config.map_err(|e| StartError(e.to_string()))?;
        aws::preload_roots();
        let aws = aws::config()
            .map_err(|name| StartError(format!("environment variable {name}: is not set")))?;
        Self::build(config, &aws, false)
    }

    /// A provider by the name that credentials are kept for.
    #[must_use]
    pub fn provider(&self, name: &str) -> Option<&Provider> {
        (name == "google").then_some(&*self.gemini)
    }

    /// A provider that takes batches.
    #[must_use]
    pub fn batch_provider(&self, name: &str) -> Option<&dyn BatchProvider> {
        match self.provider(name)? {
            Provider::Batch(provider) => Some(&**provider),
            Provider::Sync(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_call_is_given_up_before_its_function_ends() {
        let soon = Deadline::after(TO_RECORD + Duration::from_millis(20));
        let never = std::future::pending::<Result<(), CallError>>();
        let cut = soon.cut_short(never).await;
        assert!(matches!(cut, Err(CallError::Ambiguous { .. })), "{cut:?}");
        let at_once = soon.cut_short(std::future::ready(Ok(7))).await;
        assert_eq!(at_once, Ok(7));
    }
}
