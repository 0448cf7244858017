//! SQS → provider batches: plans a run's units and submits them one by one.
//!
//! Every message is a pointer. What is to be done is read from the tables, so a
//! message that comes twice, late or out of order does nothing it should not.

mod admission;
mod plan;
mod stage;
mod submit;

use std::time::Duration;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use stt_eval_shared::access::NoRandomness;
use stt_eval_shared::access::credentials::VaultError;
use stt_eval_shared::queue::{Message, QueueError};
use stt_eval_shared::store::StoreError;
use stt_eval_shared::{App, Deadline};

/// Work could not be done now; its message comes again.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The tables.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The queue.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// The vault.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// No claims can be made.
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
    /// The function is not set up for it.
    #[error("{0}")]
    Setup(&'static str),
}

/// Least time that must be left to begin with a message.
const NEEDED: Duration = Duration::from_secs(5);

/// Handles a batch of messages. A message that fails comes again; the others
/// are done.
pub async fn handle(event: SqsEvent, app: &App, deadline: Deadline) -> SqsBatchResponse {
    let mut response = SqsBatchResponse::default();
    for message in &event.records {
        let id = message.message_id.clone().unwrap_or_default();
        if !deadline.allows(NEEDED) {
            response.add_failure(id);
            continue;
        }
        if let Err(error) = handle_message(message, app, deadline).await {
            tracing::warn!(message_id = %id, %error, "a message failed and will come again");
            response.add_failure(id);
        }
    }
    response
}

async fn handle_message(
    message: &SqsMessage,
    app: &App,
    deadline: Deadline,
) -> Result<(), Failure> {
    let body = message.body.as_deref().unwrap_or_default();
    match serde_json::from_str(body) {
        Ok(Message::RunAccepted { project, run }) => plan::plan(app, &project, run).await,
        Ok(Message::SubmitUnit { project, run, unit }) => {
            submit::submit(app, &project, run, unit, deadline).await
        }
        Err(error) => {
            // Coming again would not make it readable. Nothing is lost: what
            // it pointed at is found by the sweeper.
            tracing::error!(%error, bytes = body.len(), "an unreadable message was dropped");
            Ok(())
        }
    }
}
