//! The event source mapping between a queue and a Lambda function.

use std::collections::HashSet;
use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::DisplayErrorContext;
use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry, Message,
    MessageAttributeValue, MessageSystemAttributeName,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::super::invoke::invoke;

/// The longest wait after the queue could not be asked.
const MAX_PAUSE: Duration = Duration::from_secs(5);

/// A queue, and how its messages are handed over.
#[derive(Clone, Debug)]
pub struct SqsSource {
    /// The client to ask with.
    pub client: Client,
    /// URL of the queue.
    pub queue_url: String,
    /// Its ARN, which is in every event.
    pub queue_arn: String,
    /// Messages in one call, 1 to 10.
    pub batch_size: u8,
    /// Calls at the same time, at least 1.
    pub max_concurrency: usize,
    /// When a failed message is delivered again, in whole seconds. In AWS that
    /// is when its visibility timeout ends.
    pub retry_after: Duration,
    /// How long the function may take.
    pub handler_timeout: Duration,
}

impl SqsSource {
    /// Batches of 10, two at a time, failed messages again after a second.
    #[must_use]
    pub fn new(client: Client, queue_url: impl Into<String>, queue_arn: impl Into<String>) -> Self {
        Self {
            client,
            queue_url: queue_url.into(),
            queue_arn: queue_arn.into(),
            batch_size: 10,
            max_concurrency: 2,
            retry_after: Duration::from_secs(1),
            handler_timeout: Duration::from_secs(60),
        }
    }
}

/// Hands the messages of a queue to `handler` until `stop`.
///
/// Messages that the response does not name as failed are deleted; the others
/// come again, and go to the dead letter queue after as many receives as the
/// queue allows. If the handler fails, panics, takes too long or names a
/// message that it was not given, the whole batch has failed. `stop` lets
/// running calls end.
pub async fn sqs<H, F, E>(source: SqsSource, handler: H, stop: CancellationToken)
where
    H: Fn(SqsEvent) -> F + Send + Sync + 'static,
    F: Future<Output = Result<SqsBatchResponse, E>> + Send + 'static,
    E: Display + Send + 'static,
{
    let shared = Arc::new((source, handler));
    let slots = Arc::new(Semaphore::new(shared.0.max_concurrency.max(1)));
    let calls = TaskTracker::new();
    let mut failures = 0;
    loop {
        let slot = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            slot = Arc::clone(&slots).acquire_owned() => slot,
        };
        let Ok(slot) = slot else { break };
        let received = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            received = receive(&shared.0) => received,
        };
        match received {
            Ok(messages) if messages.is_empty() => failures = 0,
            Ok(messages) => {
                failures = 0;
                let shared = Arc::clone(&shared);
                calls.spawn(async move {
                    let _slot = slot;
                    hand_over(&shared.0, &shared.1, messages).await;
                });
            }
            Err(error) => {
                failures += 1;
                let pause = MAX_PAUSE.min(Duration::from_millis(100) * failures);
                tracing::warn!(queue = shared.0.queue_url, error, "a queue does not answer");
                tokio::select! {
                    () = stop.cancelled() => break,
                    () = tokio::time::sleep(pause) => {}
                }
            }
        }
    }
    calls.close();
    calls.wait().await;
}

async fn receive(source: &SqsSource) -> Result<Vec<Message>, String> {
    source
        .client
        .receive_message()
        .queue_url(&source.queue_url)
        .max_number_of_messages(source.batch_size.clamp(1, 10).into())
        .wait_time_seconds(20)
        .message_system_attribute_names(MessageSystemAttributeName::All)
        .message_attribute_names("All")
        .send()
        .await
        .map(|received| received.messages.unwrap_or_default())
        .map_err(|error| DisplayErrorContext(error).to_string())
}

async fn hand_over<H, F, E>(source: &SqsSource, handler: &H, messages: Vec<Message>)
where
    H: Fn(SqsEvent) -> F,
    F: Future<Output = Result<SqsBatchResponse, E>> + Send + 'static,
    E: Display,
{
    let queue = &source.queue_url;
    let result = match serde_json::from_value::<SqsEvent>(event(&source.queue_arn, &messages)) {
        Ok(event) => invoke(handler(event), source.handler_timeout)
            .await
            .map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    let failed = match result {
        Ok(response) => failed_ids(&messages, &response),
        Err(error) => {
            tracing::error!(queue, error, "a batch failed");
            all_ids(&messages)
        }
    };
    let (failed, done): (Vec<_>, Vec<_>) = messages
        .into_iter()
        .partition(|message| message.message_id().is_none_or(|id| failed.contains(id)));
    if let Err(error) = settle(source, &done, &failed).await {
        // They come again when their visibility timeout ends.
        tracing::warn!(queue, error, "messages could not be settled");
    }
}

fn all_ids(messages: &[Message]) -> HashSet<String> {
    let ids = messages.iter().filter_map(Message::message_id);
    ids.map(str::to_owned).collect()
}

/// The messages that failed; all of them if the response names an unknown one.
fn failed_ids(messages: &[Message], response: &SqsBatchResponse) -> HashSet<String> {
    let all = all_ids(messages);
    let failures = response.batch_item_failures.iter();
    let failed: HashSet<String> = failures
        .map(|failure| failure.item_identifier.clone())
        .collect();
    if failed.is_subset(&all) { failed } else { all }
}

async fn settle(source: &SqsSource, done: &[Message], failed: &[Message]) -> Result<(), String> {
    let (client, queue) = (&source.client, &source.queue_url);
    if !done.is_empty() {
        let mut delete = client.delete_message_batch().queue_url(queue);
        for (at, message) in done.iter().enumerate() {
            let entry = DeleteMessageBatchRequestEntry::builder()
                .id(at.to_string())
                .receipt_handle(message.receipt_handle().unwrap_or_default());
            delete = delete.entries(entry.build().map_err(|error| error.to_string())?);
        }
        let deleted = delete.send().await;
        let deleted = deleted.map_err(|error| DisplayErrorContext(error).to_string())?;
        for entry in deleted.failed() {
            tracing::warn!(queue, code = entry.code(), "a message could not be deleted");
        }
    }
    if !failed.is_empty() {
        let millis = source.retry_after.as_millis();
        let seconds = i32::try_from(millis.div_ceil(1000)).unwrap_or(i32::MAX);
        let mut change = client.change_message_visibility_batch().queue_url(queue);
        for (at, message) in failed.iter().enumerate() {
            let entry = ChangeMessageVisibilityBatchRequestEntry::builder()
                .id(at.to_string())
                .receipt_handle(message.receipt_handle().unwrap_or_default())
                .visibility_timeout(seconds);
            change = change.entries(entry.build().map_err(|error| error.to_string())?);
        }
        let changed = change.send().await;
        changed.map_err(|error| DisplayErrorContext(error).to_string())?;
    }
    Ok(())
}

/// The event as Lambda sends it.
fn event(arn: &str, messages: &[Message]) -> Value {
    let region = arn.split(':').nth(3).unwrap_or_default();
    let records: Vec<Value> = messages
        .iter()
        .map(|message| record(arn, region, message))
        .collect();
    json!({"Records": records})
}

fn record(arn: &str, region: &str, message: &Message) -> Value {
    let system = message.attributes().into_iter().flatten();
    let attributes: Map<String, Value> = system
        .map(|(name, value)| (name.as_str().to_owned(), json!(value)))
        .collect();
    let named = message.message_attributes().into_iter().flatten();
    let message_attributes: Map<String, Value> = named
        .map(|(name, value)| (name.clone(), attribute(value)))
        .collect();
    let mut record = json!({
        "messageId": message.message_id(),
        "receiptHandle": message.receipt_handle(),
        "body": message.body(),
        "attributes": attributes,
        "messageAttributes": message_attributes,
        "md5OfBody": message.md5_of_body(),
        "eventSource": "aws:sqs",
        "eventSourceARN": arn,
        "awsRegion": region,
    });
    if let Some(md5) = message.md5_of_message_attributes() {
        record["md5OfMessageAttributes"] = json!(md5);
    }
    record
}

fn attribute(value: &MessageAttributeValue) -> Value {
    let mut attribute = json!({
        "dataType": value.data_type(),
        "stringListValues": [],
        "binaryListValues": [],
    });
    if let Some(text) = value.string_value() {
        attribute["stringValue"] = json!(text);
    }
    if let Some(bytes) = value.binary_value() {
        attribute["binaryValue"] = json!(STANDARD.encode(bytes));
    }
    attribute
}
