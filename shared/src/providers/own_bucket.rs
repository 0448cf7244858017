//! The deployment's own bucket, for vendors that read audio there and leave results
//! there.
//!
//! A trait, because the bucket's module knows what audio is here, and not the other way
//! round.

use async_trait::async_trait;
use bytes::Bytes;

use super::error::CallError;
use crate::domain::{ProjectId, RunId};

/// What is in an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Left {
    /// There is no such object.
    Nothing,
    /// More than was to be read: so many bytes.
    TooLarge(u64),
    /// This.
    Bytes(Bytes),
}

/// The deployment's own bucket.
#[async_trait]
pub trait OwnBucket: Send + Sync {
    /// Its name.
    fn name(&self) -> &str;

    /// What begins the keys of all that vendors leave there for a run. It goes with the
    /// run.
    fn left_prefix(&self, project: &ProjectId, run: RunId) -> String;

    /// Whether something else may come to lie under the key of a recording: then who
    /// reads it later, without its version, may read another recording.
    fn may_change(&self, key: &str) -> bool;

    /// Copies a recording to a key of our own, under which nothing changes.
    async fn copy(&self, key: &str, version: Option<&str>, to: &str) -> Result<(), CallError>;

    /// What lies under a key, up to so many bytes.
    async fn left(&self, key: &str, most: u64) -> Result<Left, CallError>;

    /// How many bytes lie under a key, if any.
    async fn size(&self, key: &str) -> Result<Option<u64>, CallError>;

    /// Deletes what lies under a key. What is gone is no error.
    async fn delete(&self, key: &str) -> Result<(), CallError>;
}
