//! The message that S3 sends about a new object.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::macros::format_description;
use tokio::sync::mpsc;
use ulid::Ulid;

use super::super::ACCOUNT_ID;
use super::super::sqs::Queues;

/// How often a message is tried before it is given up.
const ATTEMPTS: u32 = 3;

/// What made the object.
#[derive(Clone, Copy, Debug)]
pub(super) enum Cause {
    Put,
    Post,
    Copy,
    CompleteMultipartUpload,
}

impl Cause {
    fn event_name(self) -> &'static str {
        match self {
            Self::Put => "ObjectCreated:Put",
            Self::Post => "ObjectCreated:Post",
            Self::Copy => "ObjectCreated:Copy",
            Self::CompleteMultipartUpload => "ObjectCreated:CompleteMultipartUpload",
        }
    }
}

/// An object that has just come to be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Created<'a> {
    pub cause: Cause,
    pub bucket: &'a str,
    pub key: &'a str,
    pub size: u64,
    pub etag: &'a str,
}

/// Announces new objects without holding up the request that made them.
#[derive(Clone, Debug)]
pub(in crate::cloud) struct Notifier {
    prefixes: Arc<[String]>,
    region: Arc<str>,
    sequence: Arc<AtomicU64>,
    outbox: mpsc::UnboundedSender<String>,
}

impl Notifier {
    /// The notifier, and the task that delivers; it ends after the last
    /// notifier is dropped and its messages are sent.
    pub fn new(
        region: &str,
        prefixes: &[String],
        queues: Queues,
        queue_url: String,
    ) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let (outbox, messages) = mpsc::unbounded_channel();
        let notifier = Self {
            prefixes: prefixes.into(),
            region: region.into(),
            sequence: Arc::default(),
            outbox,
        };
        (notifier, deliver(messages, queues, queue_url))
    }

    pub(super) fn announce(&self, created: Created<'_>) {
        let wanted = self
            .prefixes
            .iter()
            .any(|prefix| created.key.starts_with(prefix.as_str()));
        if !wanted {
            return;
        }
        let event = event(&created, &self.region, self.next_sequence());
        if self.outbox.send(event.to_string()).is_err() {
            tracing::error!("an S3 event was lost: the queue is closed");
        }
    }

    /// Larger than every one before, also before the last restart.
    fn next_sequence(&self) -> u64 {
        let nanos = OffsetDateTime::now_utc().unix_timestamp_nanos();
        let now = u64::try_from(nanos).unwrap_or_default();
        let next = |last: u64| now.max(last + 1);
        let updated = self
            .sequence
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| {
                Some(next(last))
            });
        next(updated.unwrap_or_default())
    }
}

async fn deliver(mut messages: mpsc::UnboundedReceiver<String>, queues: Queues, url: String) {
    while let Some(message) = messages.recv().await {
        let mut attempt = 1;
        while let Err(error) = queues.send(&url, message.clone()).await {
            if attempt == ATTEMPTS {
                // The uploader has its answer; the sweeper finds the object.
                tracing::error!(error, "an S3 event could not be sent");
                break;
            }
            tokio::time::sleep(Duration::from_millis(100) * attempt).await;
            attempt += 1;
        }
    }
}

fn event(created: &Created<'_>, region: &str, sequence: u64) -> Value {
    let format =
        format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
    let now = OffsetDateTime::now_utc().format(format).unwrap_or_default();
    json!({"Records": [{
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": region,
        "eventTime": now,
        "eventName": created.cause.event_name(),
        "userIdentity": {"principalId": format!("AWS:{ACCOUNT_ID}")},
        "requestParameters": {"sourceIPAddress": "127.0.0.1"},
        "responseElements": {
            "x-amz-request-id": Ulid::generate().to_string(),
            "x-amz-id-2": Ulid::generate().to_string(),
        },
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "object-created",
            "bucket": {
                "name": created.bucket,
                "ownerIdentity": {"principalId": ACCOUNT_ID},
                "arn": format!("arn:aws:s3:::{}", created.bucket),
            },
            "object": {
                "key": form_encoded(created.key),
                "size": created.size,
                "eTag": created.etag,
                "sequencer": format!("00{sequence:016X}"),
            },
        },
    }]})
}

/// Keys travel form-encoded: a space is `+`, only slashes stay as they are.
pub(super) fn form_encoded(key: &str) -> String {
    let encode = |segment: &str| form_urlencoded::byte_serialize(segment.as_bytes()).collect();
    let segments: Vec<String> = key.split('/').map(encode).collect();
    segments.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_encoded_as_aws_encodes_them() {
        assert_eq!(
            form_encoded("incoming/p/My File+1 (é).wav"),
            "incoming/p/My+File%2B1+%28%C3%A9%29.wav"
        );
    }

    #[test]
    fn the_event_is_what_the_lambda_types_read() {
        let created = Created {
            cause: Cause::CompleteMultipartUpload,
            bucket: "b",
            key: "audio/x y",
            size: 7,
            etag: "abc-2",
        };
        let event = event(&created, "eu-central-1", 0x1D);
        let parsed: aws_lambda_events::event::s3::S3Event =
            serde_json::from_value(event).expect("an S3 event");
        let record = &parsed.records[0];
        assert_eq!(record.event_version.as_deref(), Some("2.1"));
        let object = &record.s3.object;
        assert_eq!(object.key.as_deref(), Some("audio/x+y"));
        assert_eq!(object.sequencer.as_deref(), Some("00000000000000001D"));
    }
}
