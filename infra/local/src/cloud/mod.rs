//! DynamoDB, S3 and SQS in this process, with the real AWS wire protocols.
//!
//! The official clients (the Rust SDK, boto3, the aws command) talk to it
//! unchanged. What AWS does between its services is here as well:
//!
//! - [`Cloud`] serves the three endpoints on 127.0.0.1 and sends S3 events to
//!   a queue (objects of the bucket can be reached by a [`Bucket`] elsewhere too); or it stands for the same services at an address elsewhere;
//! - [`pump::sqs`] is the Lambda event source mapping of a queue;
//! - [`pump::schedule`] is `EventBridge` Scheduler;
//! - [`front::serve`] is API Gateway (HTTP API, payload 2.0).
//!
//! # What differs from AWS
//!
//! - SQS messages do not survive a restart; tables and objects do.
//! - DynamoDB never refuses transactions that meet (`TransactionConflict`;
//!   `tests/src/collide.rs` does, for tests), and checks that a request is
//!   signed but not the signature. SQS and S3 check signatures.
//! - Objects are plain files: a key has no empty, `.` or `..` segment (S3 takes
//!   those; `tests/tests/reliability/dropped.rs` tries them on a double), a segment has at most 255 bytes, `a` and `a/b` cannot both exist, and keys
//!   are shorter than in S3 (see [`CloudConfig::max_key_bytes`]).
//! - One unversioned bucket; IAM, encryption, tags and lifecycle rules are not
//!   there; the machine lets old reports go by itself ([`crate::expiry`]).
//! - A message that the function did not take comes again after a second; in AWS
//!   when its visibility timeout ends, which `register` shortens.

mod bucket;
mod capacity;
mod config;
mod counts;
mod draining;
mod dynamodb;
mod elsewhere;
mod embedded;
pub mod front;
mod invoke;
pub mod pump;
mod s3;
mod sdk;
mod serving;
mod sqs;

pub use bucket::Bucket;
pub use config::{CloudConfig, CloudError, DeadLetters, Ports, QueueSpec, TableSpec};
pub use counts::Traffic;
pub use embedded::Cloud;

/// The account that owns everything here; it shows in ARNs and queue URLs.
pub const ACCOUNT_ID: &str = "000000000000";

/// Filter directives for `tracing_subscriber::filter::Targets`.
///
/// The emulators log every refused request as an error, with its headers; this
/// keeps them quiet. What matters of it is logged by this crate.
pub const LOG_DIRECTIVES: &str = "s3s=off,s3s_fs=off,dynoxide=error,rustack_sqs_core=error,rustack_sqs_http=error,rustack_auth=off";
