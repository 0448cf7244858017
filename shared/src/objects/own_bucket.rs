//! The bucket as vendors see it that read audio there and leave results there.

use futures::FutureExt as _;
use futures::future::BoxFuture;

use super::{INCOMING, ObjectError, Objects, left_prefix};
use crate::domain::{ProjectId, RunId};
use crate::providers::{AudioSource as _, CallError, Left, OwnBucket};

/// Of the copy of a recording, whose type is not used.
const COPY: &str = "application/octet-stream";

fn unread(error: impl std::fmt::Display) -> CallError {
    CallError::Input {
        message: error.to_string(),
    }
}

fn unknown(error: ObjectError) -> CallError {
    CallError::Ambiguous {
        message: error.to_string(),
    }
}

impl OwnBucket for Objects {
    fn name(&self) -> &str {
        &self.bucket
    }

    fn left_prefix(&self, project: &ProjectId, run: RunId) -> String {
        left_prefix(project, run)
    }

    fn may_change(&self, key: &str) -> bool {
        // All other keys are ours, and written once.
        key.starts_with(INCOMING)
    }

    fn copy<'a>(
        &'a self,
        key: &'a str,
        version: Option<&'a str>,
        to: &'a str,
    ) -> BoxFuture<'a, Result<(), CallError>> {
        async move {
            let size = self.head(key, version).await.map_err(unread)?.size;
            let audio = self.audio(key.to_owned(), version.map(str::to_owned), size);
            let bytes = audio.open(0, size).await.map_err(unread)?;
            self.put_stream(to, COPY, bytes).await.map_err(unread)?;
            Ok(())
        }
        .boxed()
    }

    fn left<'a>(&'a self, key: &'a str, most: u64) -> BoxFuture<'a, Result<Left, CallError>> {
        async move {
            match self.size(key).await? {
                None => Ok(Left::Nothing),
                Some(size) if size > most => Ok(Left::TooLarge(size)),
                Some(_) => Ok(Left::Bytes(self.get(key).await.map_err(unknown)?)),
            }
        }
        .boxed()
    }

    fn size<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<u64>, CallError>> {
        async move {
            match self.head(key, None).await {
                Ok(head) => Ok(Some(head.size)),
                Err(ObjectError::Missing) => Ok(None),
                Err(error) => Err(unknown(error)),
            }
        }
        .boxed()
    }

    fn delete<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), CallError>> {
        async move { Objects::delete(self, key).await.map_err(unknown) }.boxed()
    }
}
