//! S3: keys, presigned URLs, streaming. No object is ever whole in memory
//! unless its size is bounded first.
//!
//! # Errors
//! [`ObjectError::Missing`] is a definite answer: there is no object of this key and
//! version. [`ObjectError::Unavailable`] is everything else, after the SDK's attempts,
//! a body that broke off among it, which nothing repeats: a reader begins anew. There
//! are no conflicts: of two writes to a key of ours the last one counts, and writing or
//! deleting it again is harmless. An object that is streamed in is there whole or not at
//! all; when its source fails, that is `Unavailable` too. Only what an upload URL admits
//! is written once.

mod delete;
mod keys;
mod own_bucket;
mod parts;
mod stream;

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::ByteStream as SdkStream;
use aws_sdk_s3::types::ChecksumMode;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use crate::aws::Lazy;
use crate::sdk_error::told_briefly;

pub use keys::{
    INCOMING, ObjectKey, audio_key, import_key, import_prefix, left_prefix, parse_key, raw_key,
    report_prefix, run_prefix, snapshot_key,
};
pub use parts::Parts;
pub use stream::{StoredAudio, Streamed};

/// How long an upload URL works.
pub const UPLOAD_TTL: Duration = Duration::from_secs(15 * 60);
/// How long a playback URL works.
pub const PLAYBACK_TTL: Duration = Duration::from_secs(15 * 60);

/// S3 could not do it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ObjectError {
    /// There is no such object.
    #[error("no such object")]
    Missing,
    /// Not reached, refused, or broke off. For logs only.
    #[error("S3: {0}")]
    Unavailable(String),
}

fn failed<E>(error: SdkError<E>) -> ObjectError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let missing = matches!(
        error.code(),
        // Of parts: another request wrote over one, so what was told to be there is not.
        Some("NoSuchKey" | "NotFound" | "NoSuchVersion" | "InvalidPart")
    ) || error
        .raw_response()
        .is_some_and(|r| r.status().as_u16() == 404);
    if missing {
        return ObjectError::Missing;
    }
    ObjectError::Unavailable(told_briefly(&error))
}

/// A signed request, to be made by a client without credentials of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presigned {
    /// Method PUT, with everything of the signature in it: a secret until it expires.
    pub url: String,
    /// Headers that must be sent exactly so.
    pub headers: Vec<(String, String)>,
}

/// What is known of an object without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Length in bytes.
    pub size: u64,
    /// Version, where the bucket has versions.
    pub version: Option<String>,
    /// Entity tag, in quotes; of a multipart upload no digest.
    pub etag: Option<String>,
    /// SHA-256 that S3 verified at upload, hex.
    pub sha256: Option<String>,
    /// MIME type as declared at the upload, never looked at.
    pub content_type: Option<String>,
}

/// The bucket.
#[derive(Debug, Clone)]
pub struct Objects {
    client: Lazy<Client>,
    /// Signs URLs for others.
    signer: Lazy<Client>,
    bucket: Arc<str>,
    versioned: bool,
}

impl Objects {
    /// Over a client and a bucket. `versioned` tells whether deleting must
    /// remove versions one by one.
    #[must_use]
    pub fn new(client: Lazy<Client>, bucket: String, versioned: bool) -> Self {
        Self {
            signer: client.clone(),
            client,
            bucket: bucket.into(),
            versioned,
        }
    }

    /// The same with URLs that lead to where another client asks.
    #[must_use]
    pub fn signed_by(self, signer: Lazy<Client>) -> Self {
        Self { signer, ..self }
    }

    /// Signs a PUT that admits exactly this length, type and (if given)
    /// checksum, once.
    pub async fn presign_put(
        &self,
        key: &str,
        content_type: &str,
        size: u64,
        sha256_hex: Option<&str>,
    ) -> Result<Presigned, ObjectError> {
        let checksum = sha256_hex.and_then(|text| hex::decode(text).ok());
        let config = presigning(UPLOAD_TTL)?;
        let signed = self
            .signer
            .put_object()
            .bucket(&*self.bucket)
            .key(key)
            .content_type(content_type)
            .content_length(i64::try_from(size).unwrap_or(i64::MAX))
            .if_none_match("*")
            .set_checksum_sha256(checksum.map(|bytes| STANDARD.encode(bytes)))
            .presigned(config)
            .await
            .map_err(failed)?;
        let headers = signed
            .headers()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        Ok(Presigned {
            url: signed.uri().to_owned(),
            headers,
        })
    }

    /// Signs a GET for playing a recording.
    pub async fn presign_get(
        &self,
        key: &str,
        version: Option<&str>,
        content_type: &str,
    ) -> Result<String, ObjectError> {
        let signed = self
            .signer
            .get_object()
            .bucket(&*self.bucket)
            .key(key)
            .set_version_id(version.map(str::to_owned))
            .response_content_type(content_type)
            .presigned(presigning(PLAYBACK_TTL)?)
            .await
            .map_err(failed)?;
        Ok(signed.uri().to_owned())
    }

    /// Signs a GET for keeping an object as a file of this name, which has no quotes.
    pub async fn presign_file(&self, key: &str, name: &str) -> Result<String, ObjectError> {
        let signed = self
            .signer
            .get_object()
            .bucket(&*self.bucket)
            .key(key)
            .response_content_disposition(format!("attachment; filename=\"{name}\""))
            .presigned(presigning(PLAYBACK_TTL)?)
            .await
            .map_err(failed)?;
        Ok(signed.uri().to_owned())
    }

    /// What is known of an object.
    pub async fn head(&self, key: &str, version: Option<&str>) -> Result<Head, ObjectError> {
        let head = self
            .client
            .head_object()
            .bucket(&*self.bucket)
            .key(key)
            .set_version_id(version.map(str::to_owned))
            .checksum_mode(ChecksumMode::Enabled)
            .send()
            .await
            .map_err(failed)?;
        let sha256 = head
            .checksum_sha256()
            .and_then(|text| STANDARD.decode(text).ok())
            .filter(|bytes| bytes.len() == 32)
            .map(hex::encode);
        Ok(Head {
            size: head
                .content_length()
                .and_then(|n| u64::try_from(n).ok())
                .unwrap_or(0),
            version: head
                .version_id()
                .filter(|v| *v != "null")
                .map(str::to_owned),
            etag: head.e_tag().map(str::to_owned),
            sha256,
            content_type: head.content_type().map(str::to_owned),
        })
    }

    /// The bytes `start..end`.
    pub async fn range(
        &self,
        key: &str,
        version: Option<&str>,
        start: u64,
        end: u64,
    ) -> Result<Bytes, ObjectError> {
        let object = self.open(key, version, Some((start, end))).await?;
        let bytes = object.collect().await.map_err(broken)?;
        Ok(bytes.into_bytes())
    }

    async fn open(
        &self,
        key: &str,
        version: Option<&str>,
        range: Option<(u64, u64)>,
    ) -> Result<SdkStream, ObjectError> {
        let range = range.map(|(start, end)| format!("bytes={start}-{}", end.saturating_sub(1)));
        let object = self
            .client
            .get_object()
            .bucket(&*self.bucket)
            .key(key)
            .set_version_id(version.map(str::to_owned))
            .set_range(range)
            .send()
            .await
            .map_err(failed)?;
        Ok(object.body)
    }

    /// A small object, whole.
    pub async fn get(&self, key: &str) -> Result<Bytes, ObjectError> {
        let object = self.open(key, None, None).await?;
        let bytes = object.collect().await.map_err(broken)?;
        Ok(bytes.into_bytes())
    }

    /// Reads an object line by line.
    pub async fn reader(
        &self,
        key: &str,
    ) -> Result<impl tokio::io::AsyncBufRead + Unpin + Send, ObjectError> {
        Ok(self.open(key, None, None).await?.into_async_read())
    }

    /// SHA-256 of an object, hex, by streaming through it.
    pub async fn sha256(&self, key: &str, version: Option<&str>) -> Result<String, ObjectError> {
        let mut body = self.open(key, version, None).await?;
        let mut digest = ring::digest::Context::new(&ring::digest::SHA256);
        while let Some(chunk) = body.next().await {
            digest.update(&chunk.map_err(broken)?);
        }
        Ok(hex::encode(digest.finish()))
    }

    /// Writes a small object.
    pub async fn put(&self, key: &str, content_type: &str, body: Bytes) -> Result<(), ObjectError> {
        self.client
            .put_object()
            .bucket(&*self.bucket)
            .key(key)
            .content_type(content_type)
            .body(SdkStream::from(body))
            .send()
            .await
            .map_err(failed)?;
        Ok(())
    }

    /// A recording, to be streamed to a provider.
    #[must_use]
    pub fn audio(&self, key: String, version: Option<String>, size: u64) -> StoredAudio {
        StoredAudio {
            objects: self.clone(),
            key,
            version,
            size,
        }
    }
}

fn presigning(ttl: Duration) -> Result<PresigningConfig, ObjectError> {
    PresigningConfig::expires_in(ttl).map_err(|e| ObjectError::Unavailable(e.to_string()))
}

fn broken(error: impl std::error::Error) -> ObjectError {
    ObjectError::Unavailable(error.to_string())
}
