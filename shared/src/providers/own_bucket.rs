//! The deployment's own bucket, for vendors that read audio there and leave results
//! there.
//!
//! A trait, because the bucket's module knows what audio is here, and not the other way
//! round.

use bytes::Bytes;
use futures::future::BoxFuture;

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
    fn copy<'a>(
        &'a self,
        key: &'a str,
        version: Option<&'a str>,
        to: &'a str,
    ) -> BoxFuture<'a, Result<(), CallError>>;

    /// What lies under a key, up to so many bytes.
    fn left<'a>(&'a self, key: &'a str, most: u64) -> BoxFuture<'a, Result<Left, CallError>>;

    /// How many bytes lie under a key, if any.
    fn size<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<u64>, CallError>>;

    /// Deletes what lies under a key. What is gone is no error.
    fn delete<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), CallError>>;
}
