//! The bucket as vendors see it that read audio there and leave results there.

use async_trait::async_trait;

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

#[async_trait]
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

    async fn copy(&self, key: &str, version: Option<&str>, to: &str) -> Result<(), CallError> {
        let size = self.head(key, version).await.map_err(unread)?.size;
        let audio = self.audio(key.to_owned(), version.map(str::to_owned), size);
        let bytes = audio.open(0, size).await.map_err(unread)?;
        self.put_stream(to, COPY, bytes).await.map_err(unread)?;
        Ok(())
    }

    async fn left(&self, key: &str, most: u64) -> Result<Left, CallError> {
        match self.size(key).await? {
            None => Ok(Left::Nothing),
            Some(size) if size > most => Ok(Left::TooLarge(size)),
            Some(_) => Ok(Left::Bytes(self.get(key).await.map_err(unknown)?)),
        }
    }

    async fn size(&self, key: &str) -> Result<Option<u64>, CallError> {
        match self.head(key, None).await {
            Ok(head) => Ok(Some(head.size)),
            Err(ObjectError::Missing) => Ok(None),
            Err(error) => Err(unknown(error)),
        }
    }

    async fn delete(&self, key: &str) -> Result<(), CallError> {
        Objects::delete(self, key).await.map_err(unknown)
    }
}
