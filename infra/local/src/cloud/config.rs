//! What the embedded cloud is made of.

use std::path::PathBuf;

use aws_sdk_dynamodb::operation::create_table::builders::CreateTableInputBuilder;

/// Everything [`Cloud::start`](super::Cloud::start) needs to know.
#[derive(Clone, Debug)]
pub struct CloudConfig {
    /// Where tables and objects are kept. Made if missing; used by one process at a time.
    pub data_dir: PathBuf,
    /// The bucket, made if missing.
    pub bucket: String,
    /// The region in ARNs, events and signatures.
    pub region: String,
    /// The only access key that is accepted.
    pub access_key: String,
    /// The secret that belongs to it.
    pub secret_key: String,
    /// Tables to make if they do not exist; existing ones are left as they are.
    pub tables: Vec<TableSpec>,
    /// Queues to make if they do not exist.
    pub queues: Vec<QueueSpec>,
    /// The queue that receives S3 events; one of [`queues`](Self::queues).
    pub event_queue: String,
    /// Key prefixes whose new objects are announced, such as `audio/`.
    pub event_prefixes: Vec<String>,
    /// Origins that browsers may use the bucket from; `*` allows every origin.
    pub cors_origins: Vec<String>,
    /// Ports of the three endpoints.
    pub ports: Ports,
    /// Whether DynamoDB is asked what each request costs; see
    /// [`Traffic::half_units`](super::Traffic::half_units).
    pub metered: bool,
}

impl CloudConfig {
    /// One bucket, no tables, one event queue named `events`, free ports.
    #[must_use]
    pub fn new(data_dir: impl Into<PathBuf>, bucket: impl Into<String>) -> Self {
        Self {
            data_dir: data_dir.into(),
            bucket: bucket.into(),
            region: "us-east-1".to_owned(),
            access_key: "local".to_owned(),
            secret_key: "local-secret".to_owned(),
            tables: Vec::new(),
            queues: vec![QueueSpec::new("events")],
            event_queue: "events".to_owned(),
            event_prefixes: vec!["audio/".to_owned(), "incoming/".to_owned()],
            cors_origins: Vec::new(),
            ports: Ports::default(),
            metered: false,
        }
    }

    /// The longest object key that fits, in bytes.
    ///
    /// The bucket's and the object's name, in base64, are part of one file name
    /// of at most 255 bytes. Longer keys are refused with `KeyTooLongError`.
    #[must_use]
    pub fn max_key_bytes(&self) -> usize {
        super::s3::files::max_key_bytes(&self.bucket)
    }
}

/// Ports on 127.0.0.1; 0 takes a free one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ports {
    /// The DynamoDB endpoint.
    pub dynamodb: u16,
    /// The S3 endpoint.
    pub s3: u16,
    /// The SQS endpoint.
    pub sqs: u16,
}

/// One table.
#[derive(Clone, Debug)]
pub struct TableSpec {
    /// The `CreateTable` call.
    pub create: CreateTableInputBuilder,
    /// The attribute that holds the expiry time, in epoch seconds.
    pub ttl_attribute: Option<String>,
}

/// One queue and, if it has one, its dead letter queue.
#[derive(Clone, Debug)]
pub struct QueueSpec {
    /// The queue's name.
    pub name: String,
    /// How long a received message stays invisible.
    pub visibility_timeout_seconds: u32,
    /// Where messages go that were received too often; made before the queue.
    pub dead_letters: Option<DeadLetters>,
}

/// The redrive policy of a queue.
#[derive(Clone, Debug)]
pub struct DeadLetters {
    /// The dead letter queue's name.
    pub queue: String,
    /// How often a message is delivered before it goes there.
    pub max_receive_count: u32,
}

impl QueueSpec {
    /// A queue with the visibility timeout of 30 s that SQS gives, without dead letters.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            visibility_timeout_seconds: 30,
            dead_letters: None,
        }
    }

    /// The same with another visibility timeout.
    #[must_use]
    pub fn visibility_timeout(mut self, seconds: u32) -> Self {
        self.visibility_timeout_seconds = seconds;
        self
    }

    /// The same with a dead letter queue.
    #[must_use]
    pub fn dead_letters(mut self, queue: impl Into<String>, max_receive_count: u32) -> Self {
        self.dead_letters = Some(DeadLetters {
            queue: queue.into(),
            max_receive_count,
        });
        self
    }
}

/// Why the embedded cloud could not start or stop.
#[derive(Debug, thiserror::Error)]
pub enum CloudError {
    /// The configuration contradicts itself.
    #[error("configuration: {0}")]
    Config(String),
    /// Another process works in the data directory.
    #[error("{} is in use by another process", .0.display())]
    InUse(PathBuf),
    /// A file or a socket.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// One of the three services.
    #[error("{service}: {message}")]
    Service {
        /// `dynamodb`, `s3` or `sqs`.
        service: &'static str,
        /// What it said.
        message: String,
    },
}

impl CloudError {
    pub(super) fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }

    pub(super) fn service(service: &'static str, error: impl std::fmt::Display) -> Self {
        Self::Service {
            service,
            message: error.to_string(),
        }
    }
}
