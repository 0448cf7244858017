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

/// A message is not done and comes again; after five times it is a dead letter.
/// Why has been told.
struct ComesAgain;

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

/// A message fails for itself alone: the others of its batch are done, and so
/// are the other records in it.
async fn handle_message(message: &SqsMessage, app: &App) -> Result<(), ComesAgain> {
    let body = message.body.as_deref().unwrap_or_default();
    let message_id = message.message_id.as_deref();
    let event = match serde_json::from_str::<S3Event>(body) {
        Ok(event) => event,
        Err(_) if is_test_event(body) => {
            tracing::info!(message_id, "the bucket announces uploads from now on");
            return Ok(());
        }
        // Coming again does not make it readable, but dropping it could lose an
        // upload under incoming/, which nobody else knows of: as a dead letter
        // it sets off an alarm, and can be read by a release that knows it.
        // Of the error only the place: its text may quote what was sent.
        Err(error) => {
            let (line, column) = (error.line(), error.column());
            let bytes = body.len();
            tracing::error!(
                message_id,
                bytes,
                line,
                column,
                "a message is no upload event"
            );
            return Err(ComesAgain);
        }
    };
    let mut done = Ok(());
    for record in event.records {
        let created = record.event_name.as_deref().unwrap_or_default();
        if !created.contains("ObjectCreated") {
            continue;
        }
        let Some(key) = record.s3.object.key.as_deref() else {
            tracing::error!(message_id, "an upload event names no object");
            done = Err(ComesAgain);
            continue;
        };
        let key = decode(key);
        let registering = async {
            if let Err(error) = register(&key, app).await {
                tracing::warn!(%error, "an upload event failed and will come again");
                done = Err(ComesAgain);
            }
        };
        registering.instrument(span(message, &key)).await;
    }
    done
}

/// What S3 sends when notifications are set up.
fn is_test_event(body: &str) -> bool {
    serde_json::from_str::<serde_json::Value>(body)
        .is_ok_and(|value| value["Event"] == "s3:TestEvent")
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

    #[test]
    fn only_a_test_event_is_one() {
        assert!(is_test_event(
            r#"{"Service":"Amazon S3","Event":"s3:TestEvent"}"#
        ));
        for other in [
            "",
            "{",
            "null",
            "[]",
            r#""s3:TestEvent""#,
            r#"{"Event":"s3:Other"}"#,
        ] {
            assert!(!is_test_event(other), "{other}");
        }
    }
}
