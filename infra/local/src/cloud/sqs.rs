//! SQS: rustack in memory.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::service::{Service as _, service_fn};
use rustack_auth::StaticCredentialProvider;
use rustack_sqs_core::config::SqsConfig;
use rustack_sqs_core::handler::RustackSqsHandler;
use rustack_sqs_core::provider::RustackSqs;
use rustack_sqs_http::service::{SqsHttpConfig, SqsHttpService};
use rustack_sqs_model::input::{CreateQueueInput, SendMessageInput};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::ACCOUNT_ID;
use super::config::{CloudConfig, CloudError, QueueSpec};
use super::counts::{Counts, Seen, target_operation};
use super::serving;

const SERVICE: &str = "sqs";

/// The ARN of a queue.
pub(super) fn arn(region: &str, name: &str) -> String {
    format!("arn:aws:sqs:{region}:{ACCOUNT_ID}:{name}")
}

/// The queues a specification means, dead letters first, with their attributes.
pub(super) fn creations<'a>(
    spec: &'a QueueSpec,
    region: &str,
) -> Vec<(&'a str, HashMap<String, String>)> {
    let mut made = Vec::new();
    let mut attributes = HashMap::from([(
        "VisibilityTimeout".to_owned(),
        spec.visibility_timeout_seconds.to_string(),
    )]);
    if let Some(dead) = &spec.dead_letters {
        // AWS advises the longest retention for dead letters.
        let retention = ("MessageRetentionPeriod".to_owned(), "1209600".to_owned());
        made.push((&*dead.queue, HashMap::from([retention])));
        let policy = serde_json::json!({
            "deadLetterTargetArn": arn(region, &dead.queue),
            "maxReceiveCount": dead.max_receive_count,
        });
        attributes.insert("RedrivePolicy".to_owned(), policy.to_string());
    }
    made.push((&*spec.name, attributes));
    made
}

/// The queues.
#[derive(Clone, Debug)]
pub(super) struct Queues {
    provider: Arc<RustackSqs>,
    region: String,
}

impl Queues {
    pub fn new(config: &CloudConfig, address: SocketAddr) -> Self {
        let provider = RustackSqs::new(SqsConfig {
            skip_signature_validation: false,
            default_region: config.region.clone(),
            account_id: ACCOUNT_ID.to_owned(),
            host: address.ip().to_string(),
            port: address.port(),
        });
        Self {
            provider: Arc::new(provider),
            region: config.region.clone(),
        }
    }

    /// Makes a queue after its dead letter queue; both may exist already.
    pub async fn create(&self, spec: &QueueSpec) -> Result<(), CloudError> {
        for (name, attributes) in creations(spec, &self.region) {
            self.make(name, attributes).await?;
        }
        Ok(())
    }

    async fn make(
        &self,
        name: &str,
        attributes: HashMap<String, String>,
    ) -> Result<(), CloudError> {
        let input = CreateQueueInput {
            queue_name: name.to_owned(),
            attributes,
            tags: HashMap::new(),
        };
        self.provider
            .create_queue(input)
            .await
            .map(drop)
            .map_err(|error| CloudError::service(SERVICE, format!("queue {name}: {error:?}")))
    }

    /// Sends from inside, as AWS services do among themselves: not counted.
    pub async fn send(&self, queue_url: &str, body: String) -> Result<(), String> {
        let input = SendMessageInput {
            queue_url: queue_url.to_owned(),
            message_body: body,
            ..SendMessageInput::default()
        };
        self.provider
            .send_message(input)
            .await
            .map(drop)
            .map_err(|error| format!("{error:?}"))
    }

    /// Serves the public port.
    pub async fn serve(
        self,
        listener: TcpListener,
        keys: (String, String),
        counts: Counts,
        stop: CancellationToken,
        grace: Duration,
    ) {
        let http = SqsHttpConfig {
            skip_signature_validation: false,
            region: self.region.clone(),
            credential_provider: Some(Arc::new(StaticCredentialProvider::new([keys]))),
        };
        let handler = Arc::new(RustackSqsHandler::new(Arc::clone(&self.provider)));
        let inner = SqsHttpService::new(handler, http);
        let service = move |_peer| {
            let inner = inner.clone();
            let counts = counts.clone();
            service_fn(move |request| {
                let seen = Seen::new(SERVICE, target_operation(request.headers()), &request);
                let counts = counts.clone();
                let answer = inner.call(request);
                async move {
                    let response = answer.await?;
                    counts.record(seen, &response);
                    Ok::<_, std::convert::Infallible>(response)
                }
            })
        };
        serving::serve(listener, service, stop, grace).await;
    }

    /// Ends the queues' tasks, and with them every long poll.
    pub async fn shutdown(&self) {
        self.provider.shutdown_all().await;
    }
}
