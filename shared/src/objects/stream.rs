//! Streaming in and out: objects of any length, a bounded part in memory.

use async_trait::async_trait;
use aws_sdk_s3::primitives::ByteStream as SdkStream;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use ring::digest;

use super::{ObjectError, Objects, Parts, failed};
use crate::providers::{AudioSource, ByteStream};

/// Bytes of a part of a streamed upload; S3 wants at least 5 MiB.
const PART: usize = 8 * 1024 * 1024;

impl Objects {
    /// Streams an object of unknown length; at most two parts are in memory.
    /// Gives its length, the SHA-256 of what went through here, and its bytes when
    /// they fit one part, so that reading them next asks for nothing. S3 verifies
    /// what it is sent: an object of one part against that very hash, which
    /// `head` tells from then on, and each part of a longer one against its own.
    pub async fn put_stream(
        &self,
        key: &str,
        content_type: &str,
        mut body: ByteStream,
    ) -> Result<Streamed, ObjectError> {
        let mut part = BytesMut::new();
        let mut multipart: Option<Parts> = None;
        let mut length = 0u64;
        let mut hash = digest::Context::new(&digest::SHA256);
        loop {
            let chunk = body
                .next()
                .await
                .transpose()
                .map_err(|e| ObjectError::Unavailable(e.to_string()));
            let chunk = match chunk {
                Ok(chunk) => chunk,
                Err(error) => {
                    if let Some(parts) = multipart {
                        self.drop_parts(key, parts).await;
                    }
                    return Err(error);
                }
            };
            let last = chunk.is_none();
            if let Some(chunk) = chunk {
                length += chunk.len() as u64;
                hash.update(&chunk);
                part.extend_from_slice(&chunk);
            }
            if last && multipart.is_none() {
                let (sha256, whole) = (hash.finish(), part.freeze());
                self.put_hashed(key, content_type, whole.clone(), sha256.as_ref())
                    .await?;
                return Ok(Streamed::new(length, sha256.as_ref(), Some(whole)));
            }
            if part.len() >= PART || (last && !part.is_empty()) {
                let mut parts = match multipart.take() {
                    Some(parts) => parts,
                    None => self.begin_parts(key, content_type).await?,
                };
                let body = part.split().freeze();
                if let Err(error) = self.put_part(key, &mut parts, body).await {
                    self.drop_parts(key, parts).await;
                    return Err(error);
                }
                multipart = Some(parts);
            }
            if last && let Some(parts) = multipart {
                self.join_parts(key, parts).await?;
                return Ok(Streamed::new(length, hash.finish().as_ref(), None));
            }
        }
    }

    async fn put_hashed(
        &self,
        key: &str,
        content_type: &str,
        body: Bytes,
        sha256: &[u8],
    ) -> Result<(), ObjectError> {
        self.client
            .put_object()
            .bucket(&*self.bucket)
            .key(key)
            .content_type(content_type)
            .checksum_sha256(STANDARD.encode(sha256))
            .body(SdkStream::from(body))
            .send()
            .await
            .map_err(failed)?;
        Ok(())
    }
}

/// What was streamed into an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Streamed {
    /// Its length in bytes.
    pub length: u64,
    /// Its SHA-256, hex.
    pub sha256: String,
    /// All of it, if it is small.
    pub whole: Option<Bytes>,
}

impl Streamed {
    fn new(length: u64, sha256: &[u8], whole: Option<Bytes>) -> Self {
        Self {
            length,
            sha256: hex::encode(sha256),
            whole,
        }
    }
}

/// A recording in the bucket.
#[derive(Debug, Clone)]
pub struct StoredAudio {
    pub(super) objects: Objects,
    pub(super) key: String,
    pub(super) version: Option<String>,
    pub(super) size: u64,
}

#[async_trait]
impl AudioSource for StoredAudio {
    fn len(&self) -> u64 {
        self.size
    }

    async fn open(&self, start: u64, end: u64) -> std::io::Result<ByteStream> {
        let body = self
            .objects
            .open(&self.key, self.version.as_deref(), Some((start, end)))
            .await
            .map_err(std::io::Error::other)?;
        let stream = futures::stream::unfold(body, |mut body| async move {
            let chunk = body.next().await?;
            Some((chunk.map_err(std::io::Error::other), body))
        });
        Ok(stream.boxed())
    }
}
