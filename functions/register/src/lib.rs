//! S3 upload event → registered file.
//!
//! The bucket tells a queue of every object that arrives; this function looks
//! each one up and registers it. Events repeat, come late and in any order:
//! what counts is what is in the bucket and in the table.

use aws_lambda_events::event::s3::S3Event;
use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use stt_eval_shared::App;
use stt_eval_shared::domain::Timestamp;
use stt_eval_shared::objects::{ObjectKey, parse_key};
use stt_eval_shared::registration::{
    RegisterError, Registered, register_incoming, register_upload,
};
use tracing::Instrument;

/// Handles a batch of messages. A message that fails comes again; the others
/// are done.
pub async fn handle(event: SqsEvent, app: &App) -> SqsBatchResponse {
    let mut response = SqsBatchResponse::default();
    let handled = event.records.iter().map(|message| async move {
        (
            message.message_id.clone().unwrap_or_default(),
            handle_message(message, app).await,
        )
    });
    for (id, result) in futures::future::join_all(handled).await {
        if result.is_err() {
            response.add_failure(id);
        }
    }
    response
}

async fn handle_message(message: &SqsMessage, app: &App) -> Result<(), RegisterError> {
    let body = message.body.as_deref().unwrap_or_default();
    let Ok(event) = serde_json::from_str::<S3Event>(body) else {
        // Also what S3 sends when notifications are set up ("s3:TestEvent").
        // Coming again would not make it an event.
        tracing::info!(
            bytes = body.len(),
            "a message that is no upload event was dropped"
        );
        return Ok(());
    };
    for record in event.records {
        if !record
            .event_name
            .as_deref()
            .unwrap_or_default()
            .contains("ObjectCreated")
        {
            continue;
        }
        if let Some(key) = record.s3.object.key.as_deref() {
            let key = decode(key);
            let registering = async {
                register(&key, app).await.inspect_err(|error| {
                    tracing::warn!(%error, "an upload event failed and will come again");
                })
            };
            registering.instrument(span(message, &key)).await?;
        }
    }
    Ok(())
}

/// Gives every line of an upload the ids that it is about. What people call
/// their objects is not for logs.
fn span(message: &SqsMessage, key: &str) -> tracing::Span {
    let (project, file) = match parse_key(key) {
        Some(ObjectKey::Audio(project, file)) => (Some(project), Some(file)),
        Some(ObjectKey::Incoming(project, _)) => (Some(project), None),
        None => (None, None),
    };
    tracing::info_span!(
        "upload",
        message_id = message.message_id.as_deref(),
        project_id = project.map(tracing::field::display),
        file_id = file.map(tracing::field::display),
    )
}

/// Keys in events are form-encoded: `+` is a blank.
fn decode(key: &str) -> String {
    let spaced = key.replace('+', " ");
    percent_encoding::percent_decode_str(&spaced)
        .decode_utf8_lossy()
        .into_owned()
}

async fn register(key: &str, app: &App) -> Result<(), RegisterError> {
    let now = Timestamp::now();
    let (store, objects) = (&app.store, &app.objects);
    let registered = match parse_key(key) {
        Some(ObjectKey::Audio(project, file)) => {
            register_upload(store, objects, &project, file, now).await?
        }
        Some(ObjectKey::Incoming(project, path)) => {
            register_incoming(store, objects, &project, &path, key, now).await?
        }
        None => Registered::Nothing,
    };
    match registered {
        Registered::Done(file) => tracing::info!(
            file_id = %file.id,
            project_id = %file.project,
            status = ?file.status,
            "a file was registered"
        ),
        Registered::Nothing | Registered::Missing => {
            tracing::debug!("an upload event brought nothing new");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_form_decoded() {
        assert_eq!(
            decode("incoming/demo/a+b%2Bc/%E0%A4%95.wav"),
            "incoming/demo/a b+c/क.wav"
        );
        assert_eq!(decode("%ff"), "\u{fffd}");
    }
}
