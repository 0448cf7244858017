//! SQS: rustack in memory.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use http::Response;
use hyper::service::{Service as _, service_fn};
use rustack_auth::StaticCredentialProvider;
use rustack_sqs_core::config::SqsConfig;
use rustack_sqs_core::handler::RustackSqsHandler;
use rustack_sqs_core::provider::RustackSqs;
use rustack_sqs_http::body::SqsResponseBody;
use rustack_sqs_http::dispatch::SqsHandler;
use rustack_sqs_http::service::{SqsHttpConfig, SqsHttpService};
use rustack_sqs_model::error::SqsError;
use rustack_sqs_model::input::{CreateQueueInput, SendMessageInput};
use rustack_sqs_model::operations::SqsOperation;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::ACCOUNT_ID;
use super::config::{CloudConfig, CloudError, QueueSpec};
use super::counts::{Counts, Seen, target_operation};
use super::serving;

const SERVICE: &str = "sqs";
/// The member of a message that names its group.
const GROUP: &str = "MessageGroupId";

type Handled = BoxFuture<'static, Result<Response<SqsResponseBody>, SqsError>>;

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

/// Takes message groups off what is sent to standard queues. AWS takes them
/// since July 2025 (fair queues); rustack still refuses them. Its queues stay
/// first come, first served.
#[derive(Debug)]
struct Ungrouped<H>(H);

impl<H: SqsHandler> SqsHandler for Ungrouped<H> {
    fn handle_operation(&self, op: SqsOperation, body: Bytes) -> Handled {
        let body = match op {
            SqsOperation::SendMessage | SqsOperation::SendMessageBatch => ungrouped(&body),
            _ => None,
        }
        .unwrap_or(body);
        self.0.handle_operation(op, body)
    }
}

/// The same request without groups; `None` when it is to stay as it is.
fn ungrouped(body: &[u8]) -> Option<Bytes> {
    let mut request: Value = serde_json::from_slice(body).ok()?;
    let queue = request.get("QueueUrl")?.as_str()?;
    if queue.ends_with(".fifo") {
        return None;
    }
    let entries = request.get_mut("Entries").and_then(Value::as_array_mut);
    for entry in entries.into_iter().flatten() {
        entry.as_object_mut()?.remove(GROUP);
    }
    request.as_object_mut()?.remove(GROUP);
    serde_json::to_vec(&request).ok().map(Bytes::from)
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
        let handler = Arc::new(Ungrouped(RustackSqsHandler::new(Arc::clone(
            &self.provider,
        ))));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_taken_off_what_goes_to_standard_queues() {
        let sent = |queue: &str| {
            let request = serde_json::json!({
                "QueueUrl": format!("http://h/0/{queue}"), "MessageGroupId": "demo",
                "Entries": [{ "Id": "0", "MessageBody": "b", "MessageGroupId": "demo" }],
            });
            let bytes = ungrouped(request.to_string().as_bytes())?;
            serde_json::from_slice::<Value>(&bytes).ok()
        };
        let plain = serde_json::json!({
            "QueueUrl": "http://h/0/q", "Entries": [{ "Id": "0", "MessageBody": "b" }],
        });
        assert_eq!(sent("q"), Some(plain));
        assert_eq!(sent("q.fifo"), None, "there they mean an order");
    }
}
