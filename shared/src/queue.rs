//! The submission queue. A message points at work, it never carries any: what
//! is to be done is read from the tables when it arrives, so repeats and late
//! deliveries are harmless.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use serde::{Deserialize, Serialize};

use crate::aws::Lazy;
use crate::domain::unit::{Unit, UnitKey};
use crate::domain::{ProjectId, RunId};
use crate::sdk_error::told;

/// Longest delay of a message.
const MAX_DELAY_SECONDS: u128 = 900;

/// What is to be done. The `type` and its fields are a contract between
/// releases: add, never change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Message {
    /// Plan a run's units.
    RunAccepted {
        /// Project of the run.
        project: ProjectId,
        /// The run, as it stands in its table.
        run: RunId,
    },
    /// Submit one unit.
    SubmitUnit {
        /// Project of the run.
        project: ProjectId,
        /// Run of the unit.
        run: RunId,
        /// The unit, as it stands in its table.
        unit: UnitKey,
    },
    /// Ask for the next units of a run, once those before it have been taken
    /// from the queue: one run never fills the queue.
    MoreUnits {
        /// Project of the run.
        project: ProjectId,
        /// Run of the units.
        run: RunId,
        /// Round that is being submitted.
        round: u16,
        /// Chunk to go on with, from 0.
        chunk: u16,
        /// Number of chunks of the round.
        chunks: u16,
    },
    /// Try again at once what waits for a person to act at a vendor: its credential
    /// was replaced.
    CredentialReplaced {
        /// Project of the credential.
        project: ProjectId,
        /// The vendor, by the name that credentials are kept for.
        vendor: String,
    },
}

impl Message {
    /// The project that it is for.
    ///
    /// As the message group this makes the queue fair: on a standard queue SQS serves
    /// other groups first while one of them keeps the consumers busy, and promises no
    /// order within a group.
    fn project(&self) -> &ProjectId {
        match self {
            Self::RunAccepted { project, .. }
            | Self::SubmitUnit { project, .. }
            | Self::MoreUnits { project, .. }
            | Self::CredentialReplaced { project, .. } => project,
        }
    }
}

/// The queue could not be reached, or refused. For logs only.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("SQS: {0}")]
pub struct QueueError(pub String);

/// A queue: of submissions, or of upload events.
#[derive(Debug, Clone)]
pub struct Queue {
    client: Lazy<Client>,
    url: Arc<str>,
}

fn failed<E>(error: aws_sdk_sqs::error::SdkError<E>) -> QueueError
where
    E: aws_sdk_sqs::error::ProvideErrorMetadata + std::error::Error + 'static,
{
    QueueError(told(&error))
}

fn body(message: &Message) -> Result<String, QueueError> {
    serde_json::to_string(message).map_err(|e| QueueError(e.to_string()))
}

/// A pause in whole seconds.
fn delay(pause: Duration) -> i32 {
    let seconds = pause.as_millis().div_ceil(1_000).min(MAX_DELAY_SECONDS);
    i32::try_from(seconds).unwrap_or(0)
}

fn entry(
    number: usize,
    message: &Message,
    delay: i32,
) -> Result<SendMessageBatchRequestEntry, QueueError> {
    SendMessageBatchRequestEntry::builder()
        .id(number.to_string())
        .message_body(body(message)?)
        .message_group_id(message.project().as_str())
        .delay_seconds(delay)
        .build()
        .map_err(|e| QueueError(e.to_string()))
}

impl Queue {
    /// Over a client and the queue's URL.
    #[must_use]
    pub fn new(client: Lazy<Client>, url: String) -> Self {
        Self {
            client,
            url: url.into(),
        }
    }

    /// Sends messages, ten to a request.
    ///
    /// # Errors
    /// When any was not taken. Nothing is lost by that: the sweeper sends
    /// again whatever nothing came of.
    pub async fn send(&self, messages: &[Message]) -> Result<(), QueueError> {
        self.send_after(messages, Duration::ZERO).await
    }

    /// Sends one message, which arrives after a pause, rounded up to seconds; at most the 15
    /// minutes that SQS allows. For functions that never send several: they need not know how.
    ///
    /// # Errors
    /// When it was not taken; see [`Self::send`].
    pub async fn send_one(&self, message: &Message, pause: Duration) -> Result<(), QueueError> {
        self.client
            .send_message()
            .queue_url(&*self.url)
            .message_body(body(message)?)
            .message_group_id(message.project().as_str())
            .delay_seconds(delay(pause))
            .send()
            .await
            .map_err(failed)?;
        Ok(())
    }

    /// Asks for a unit to be submitted.
    ///
    /// # Errors
    /// As for [`Self::send`].
    pub async fn submit_unit(&self, unit: &Unit) -> Result<(), QueueError> {
        self.send(&[Message::SubmitUnit {
            project: unit.project.clone(),
            run: unit.run,
            unit: unit.key,
        }])
        .await
    }

    /// Has a message that was received come again after a pause, rounded up to
    /// seconds, instead of at the end of the queue's own timeout.
    ///
    /// # Errors
    /// Then it comes at the end of that.
    pub async fn show_again(&self, receipt: &str, pause: Duration) -> Result<(), QueueError> {
        let seconds = pause.as_millis().div_ceil(1_000);
        self.client
            .change_message_visibility()
            .queue_url(&*self.url)
            .receipt_handle(receipt)
            .visibility_timeout(i32::try_from(seconds).unwrap_or(i32::MAX))
            .send()
            .await
            .map_err(failed)?;
        Ok(())
    }

    /// Sends messages that arrive after a pause, rounded up to seconds; at most
    /// the 15 minutes that SQS allows.
    ///
    /// # Errors
    /// As for [`Queue::send`].
    pub async fn send_after(
        &self,
        messages: &[Message],
        pause: Duration,
    ) -> Result<(), QueueError> {
        let delay = delay(pause);
        for part in messages.chunks(10) {
            let mut entries = Vec::with_capacity(part.len());
            for (number, message) in part.iter().enumerate() {
                let entry = entry(number, message, delay)?;
                entries.push(entry);
            }
            let answer = self
                .client
                .send_message_batch()
                .queue_url(&*self.url)
                .set_entries(Some(entries))
                .send()
                .await
                .map_err(failed)?;
            if let Some(first) = answer.failed().first() {
                return Err(QueueError(format!(
                    "{} of {} messages were refused, the first with {}",
                    answer.failed().len(),
                    part.len(),
                    first.code()
                )));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_grouped_by_project() {
        let message = Message::RunAccepted {
            project: "demo".parse().unwrap(),
            run: RunId::mint(1, [1; 10]),
        };
        let entry = entry(0, &message, 0).unwrap();
        assert_eq!(entry.message_group_id(), Some("demo"));
    }

    #[test]
    fn messages_of_earlier_releases_are_understood() {
        let text = r#"{"type":"submit_unit","project":"demo","run":"run_01KAR8F3V4N7C3Q8Z5W2Y0H6M1",
            "unit":{"provider":1,"round":1,"chunk":0}}"#;
        assert!(matches!(
            serde_json::from_str::<Message>(text),
            Ok(Message::SubmitUnit {
                unit: UnitKey {
                    model: 1,
                    round: 1,
                    chunk: 0
                },
                ..
            })
        ));
    }
}
