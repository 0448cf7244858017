//! SQS → provider batches: plans a run's units and submits them one by one.
//!
//! Every message is a pointer. What is to be done is read from the tables, so a
//! message that comes twice, late or out of order does nothing it should not.

mod admission;
mod allowed;
mod by_credential;
mod calls;
mod create;
mod held;
pub mod lossless;
mod outgoing;
mod plan;
mod stage;
mod submit;
mod taken;
mod turn;
mod work;

use std::time::Duration;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use futures::future::BoxFuture;
use stt_eval_shared::domain::unit::UnitKey;
use stt_eval_shared::domain::{ProjectId, RunId};
use stt_eval_shared::queue::Message;
use stt_eval_shared::{App, Deadline};
use tracing::Instrument;
use tracing::field::Empty;

pub use stt_eval_shared::work::Failure;

/// Least time that must be left to begin with a message.
const NEEDED: Duration = Duration::from_secs(5);

/// Handles a batch of messages. A message that fails comes again; the others
/// are done.
pub async fn handle(event: SqsEvent, app: &App, deadline: Deadline) -> SqsBatchResponse {
    // No call of a provider lasts beyond this invocation.
    let app = &app.within(deadline);
    let mut response = SqsBatchResponse::default();
    for message in &event.records {
        let id = message.message_id.clone().unwrap_or_default();
        if !deadline.allows(NEEDED) {
            response.add_failure(id);
            continue;
        }
        let span = tracing::info_span!(
            "message",
            message_id = %id,
            project_id = Empty,
            run_id = Empty,
            unit_id = Empty,
        );
        let work = async {
            if let Err(error) = handle_message(message, app, deadline).await {
                tracing::warn!(%error, "a message failed and will come again");
                response.add_failure(id);
            }
        };
        work.instrument(span).await;
    }
    response
}

/// Gives every further line about a message the ids that it names.
fn about(project: &ProjectId, run: RunId, unit: Option<UnitKey>) {
    let span = tracing::Span::current();
    span.record("project_id", tracing::field::display(project));
    span.record("run_id", tracing::field::display(run));
    if let Some(unit) = unit {
        span.record("unit_id", tracing::field::display(unit));
    }
}

/// In a box that hides what it is: the type of a submission is so deep that
/// the compiler gives up on it.
fn handle_message<'a>(
    message: &'a SqsMessage,
    app: &'a App,
    deadline: Deadline,
) -> BoxFuture<'a, Result<(), Failure>> {
    Box::pin(understand(message, app, deadline))
}

async fn understand(message: &SqsMessage, app: &App, deadline: Deadline) -> Result<(), Failure> {
    let body = message.body.as_deref().unwrap_or_default();
    match serde_json::from_str(body) {
        Ok(Message::RunAccepted { project, run }) => {
            about(&project, run, None);
            plan::plan(app, &project, run).await
        }
        Ok(Message::SubmitUnit { project, run, unit }) => {
            about(&project, run, Some(unit));
            submit::submit(app, &project, run, unit, deadline).await
        }
        Ok(Message::MoreUnits {
            project,
            run,
            round,
            chunk,
            chunks,
        }) => {
            about(&project, run, None);
            plan::more(app, &project, run, round, chunk..chunks).await
        }
        Ok(Message::CredentialReplaced { project, vendor }) => {
            tracing::Span::current().record("project_id", tracing::field::display(&project));
            by_credential::wake(app, &project, &vendor, deadline).await
        }
        Err(error) => {
            // Coming again would not make it readable. Nothing is lost: what
            // it pointed at is found by the sweeper.
            tracing::error!(%error, bytes = body.len(), "an unreadable message was dropped");
            Ok(())
        }
    }
}
