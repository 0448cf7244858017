//! S3 upload event → registered file.
//!
//! The bucket tells a queue of every object that arrives; this function looks
//! each one up and registers it. Events repeat, come late and in any order:
//! what counts is what is in the bucket and in the table.

use std::time::Duration;

use aws_lambda_events::event::s3::S3Event;
use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use stt_eval_shared::App;
use stt_eval_shared::domain::Timestamp;
use stt_eval_shared::objects::{ObjectKey, parse_key};
use stt_eval_shared::registration::{
    Dropped, RegisterError, Registered, register_incoming, register_upload,
};
use tracing::Instrument;

/// A message is not done and comes again; after eight times it is a dead letter.
/// Why has been told.
struct ComesAgain;

/// After how many seconds a message comes again that failed once, twice and so
/// on. What failed is most often over in a moment (a collision, a service that
/// was busy), and people wait for the file; the queue's own timeout is for an
/// invocation that died, and for what keeps failing.
const PAUSES: [u32; 4] = [5, 20, 90, 300];

/// When a message comes again; `None` leaves that to the queue.
fn pause(message: &SqsMessage) -> Option<Duration> {
    let received = message.attributes.get("ApproximateReceiveCount");
    let received: usize = received.and_then(|n| n.parse().ok()).unwrap_or(1);
    let seconds = f64::from(*PAUSES.get(received.max(1) - 1)?);
    // What failed together shall not come together.
    let id = message.message_id.as_deref().unwrap_or_default();
    let spread = id.bytes().map(u32::from).sum::<u32>() % 16;
    Some(Duration::from_secs_f64(
        seconds * (1.0 + f64::from(spread) / 32.0),
    ))
}

async fn come_again(message: &SqsMessage, app: &App) {
    let (Some(queue), Some(receipt), Some(pause)) = (
        &app.events,
        message.receipt_handle.as_deref(),
        pause(message),
    ) else {
        return;
    };
    if let Err(error) = queue.show_again(receipt, pause).await {
        tracing::warn!(%error, "a message comes again later than it could");
    }
}

/// Handles a batch of messages. A message that fails comes again; the others
/// are done.
pub async fn handle(event: SqsEvent, app: &App) -> SqsBatchResponse {
    let mut response = SqsBatchResponse::default();
    let handled = event.records.iter().map(|message| async move {
        let result = handle_message(message, app).await;
        if result.is_err() {
            come_again(message, app).await;
        }
        (message.message_id.clone().unwrap_or_default(), result)
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
        // upload under incoming/, which nothing else tells of: as a dead letter
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
        // `null` is what an object has from before the bucket had versions.
        let version = record.s3.object.version_id.as_deref();
        let version = version.filter(|version| !matches!(*version, "" | "null"));
        let registering = async {
            if let Err(error) = register(&key, version, app).await {
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

async fn register(key: &str, version: Option<&str>, app: &App) -> Result<(), RegisterError> {
    let now = Timestamp::now();
    let (store, objects) = (&app.store, &app.objects);
    let registered = match parse_key(key) {
        Some(ObjectKey::Audio(project, file)) => {
            register_upload(store, objects, &project, file, now).await?
        }
        Some(ObjectKey::Incoming(project, path)) => {
            let dropped = Dropped {
                project: &project,
                path: &path,
                key,
                version,
            };
            register_incoming(store, objects, dropped, now).await?
        }
        None => {
            tracing::warn!("an object was left alone: its key is of no file, or no URL can say it");
            Registered::Nothing
        }
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
    fn what_failed_comes_again_soon_and_later_each_time() {
        let failed = |times: &str, id: &str| {
            let mut message = SqsMessage::default();
            message.message_id = Some(id.to_owned());
            message
                .attributes
                .insert("ApproximateReceiveCount".into(), times.to_owned());
            pause(&message).map(|pause| pause.as_secs())
        };
        for (times, least, most) in [("1", 5, 8), ("2", 20, 30), ("3", 90, 135), ("4", 300, 450)] {
            for id in ["a", "b", "c", "0f3e", ""] {
                let seconds = failed(times, id).unwrap();
                assert!((least..most).contains(&seconds), "{times} {id}: {seconds}");
            }
        }
        // Together, or nearly so, is how they fail; not how they come again.
        assert_ne!(failed("4", "a"), failed("4", "b"));
        assert_eq!(failed("5", "a"), None);
        assert_eq!(pause(&SqsMessage::default()), Some(Duration::from_secs(5)));
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
