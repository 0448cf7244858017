//! S3: keys, presigned URLs, streaming. No object is ever whole in memory
//! unless its size is bounded first.

use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::ByteStream as SdkStream;
use aws_sdk_s3::types::{
    ChecksumMode, CompletedMultipartUpload, CompletedPart, Delete, ObjectIdentifier,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use futures::future::BoxFuture;

use crate::domain::{DatasetId, FileId, ProjectId, RunId};
use crate::providers::{AudioSource, ByteStream};

/// How long an upload URL works.
pub const UPLOAD_TTL: Duration = Duration::from_secs(15 * 60);
/// How long a playback URL works.
pub const PLAYBACK_TTL: Duration = Duration::from_secs(15 * 60);
/// Bytes of a part of a streamed upload; S3 wants at least 5 MiB.
const PART: usize = 8 * 1024 * 1024;

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
        Some("NoSuchKey" | "NotFound" | "NoSuchVersion")
    ) || error
        .raw_response()
        .is_some_and(|r| r.status().as_u16() == 404);
    if missing {
        return ObjectError::Missing;
    }
    ObjectError::Unavailable(aws_sdk_s3::error::DisplayErrorContext(&error).to_string())
}

/// Key of an uploaded file.
#[must_use]
pub fn audio_key(project: &ProjectId, file: FileId) -> String {
    format!("audio/{project}/{file}")
}

/// Prefix under which people may drop objects themselves.
pub const INCOMING: &str = "incoming/";

/// Prefix of a run's raw provider outputs.
#[must_use]
pub fn run_prefix(project: &ProjectId, run: RunId) -> String {
    format!("runs/{project}/{run}/")
}

/// Key of a dataset's table of samples.
#[must_use]
pub fn snapshot_key(project: &ProjectId, dataset: DatasetId) -> String {
    format!("datasets/{project}/{dataset}/samples.csv")
}

/// Whose an object is, read from its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ObjectKey {
    /// An upload that was announced.
    Audio(ProjectId, FileId),
    /// Dropped by people: project and path.
    Incoming(ProjectId, String),
}

/// Reads a (decoded) object key. `None` for keys that stand for no file.
#[must_use]
pub fn parse_key(key: &str) -> Option<ObjectKey> {
    if let Some(rest) = key.strip_prefix("audio/") {
        let (project, file) = rest.split_once('/')?;
        return Some(ObjectKey::Audio(project.parse().ok()?, file.parse().ok()?));
    }
    let (project, path) = key.strip_prefix(INCOMING)?.split_once('/')?;
    if path.is_empty() || path.ends_with('/') {
        return None;
    }
    Some(ObjectKey::Incoming(project.parse().ok()?, path.to_owned()))
}

/// A signed request somebody else may make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presigned {
    /// Where.
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
    /// Entity tag.
    pub etag: Option<String>,
    /// SHA-256 that S3 verified at upload, hex.
    pub sha256: Option<String>,
    /// Declared type.
    pub content_type: Option<String>,
}

/// The bucket.
#[derive(Debug, Clone)]
pub struct Objects {
    client: Client,
    bucket: String,
    versioned: bool,
}

impl Objects {
    /// Over a client and a bucket. `versioned` tells whether deleting must
    /// remove versions one by one.
    #[must_use]
    pub fn new(client: Client, bucket: String, versioned: bool) -> Self {
        Self {
            client,
            bucket,
            versioned,
        }
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
            .client
            .put_object()
            .bucket(&self.bucket)
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
            .client
            .get_object()
            .bucket(&self.bucket)
            .key(key)
            .set_version_id(version.map(str::to_owned))
            .response_content_type(content_type)
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
            .bucket(&self.bucket)
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
            .bucket(&self.bucket)
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
            .bucket(&self.bucket)
            .key(key)
            .content_type(content_type)
            .body(SdkStream::from(body))
            .send()
            .await
            .map_err(failed)?;
        Ok(())
    }

    /// Streams an object of unknown length; at most two parts are in memory.
    /// Gives its length.
    pub async fn put_stream(
        &self,
        key: &str,
        content_type: &str,
        mut body: ByteStream,
    ) -> Result<u64, ObjectError> {
        let mut part = BytesMut::new();
        let mut multipart: Option<Multipart<'_>> = None;
        let mut length = 0u64;
        loop {
            let chunk = body
                .next()
                .await
                .transpose()
                .map_err(|e| ObjectError::Unavailable(e.to_string()));
            let chunk = match chunk {
                Ok(chunk) => chunk,
                Err(error) => {
                    if let Some(upload) = multipart {
                        upload.abort().await;
                    }
                    return Err(error);
                }
            };
            let last = chunk.is_none();
            if let Some(chunk) = chunk {
                length += chunk.len() as u64;
                part.extend_from_slice(&chunk);
            }
            if last && multipart.is_none() {
                self.put(key, content_type, part.freeze()).await?;
                return Ok(length);
            }
            if part.len() >= PART || (last && !part.is_empty()) {
                let mut upload = match multipart.take() {
                    Some(upload) => upload,
                    None => Multipart::begin(self, key, content_type).await?,
                };
                let body = part.split().freeze();
                if let Err(error) = upload.part(body).await {
                    upload.abort().await;
                    return Err(error);
                }
                multipart = Some(upload);
            }
            if last && let Some(upload) = multipart {
                upload.complete().await?;
                return Ok(length);
            }
        }
    }

    /// Deletes an object with all its versions. Deleting what is gone is no
    /// error.
    pub async fn delete(&self, key: &str) -> Result<(), ObjectError> {
        if self.versioned {
            return self.delete_versions(key, Some(key)).await;
        }
        self.client
            .delete_object()
            .bucket(&self.bucket)
            .key(key)
            .send()
            .await
            .map_err(failed)?;
        Ok(())
    }

    /// Deletes the object behind a file. Under `incoming/` people write a key
    /// as often as they like, and each version is a file of its own: only that
    /// one goes. Any other key is ours and was written once.
    pub async fn delete_file(&self, key: &str, version: Option<&str>) -> Result<(), ObjectError> {
        let Some(version) = version.filter(|_| key.starts_with(INCOMING)) else {
            return self.delete(key).await;
        };
        self.client
            .delete_object()
            .bucket(&self.bucket)
            .key(key)
            .version_id(version)
            .send()
            .await
            .map_err(failed)?;
        Ok(())
    }

    /// Deletes everything under a prefix, with all versions.
    pub async fn delete_prefix(&self, prefix: &str) -> Result<(), ObjectError> {
        if self.versioned {
            return self.delete_versions(prefix, None).await;
        }
        loop {
            let page = self
                .client
                .list_objects_v2()
                .bucket(&self.bucket)
                .prefix(prefix)
                .send()
                .await
                .map_err(failed)?;
            let objects = page
                .contents()
                .iter()
                .filter_map(|object| object.key())
                .map(|key| identifier(key, None))
                .collect::<Result<Vec<_>, _>>()?;
            if objects.is_empty() {
                return Ok(());
            }
            self.delete_objects(objects).await?;
        }
    }

    /// Deletes versions under a prefix; of one key only, where it is given.
    async fn delete_versions(&self, prefix: &str, only: Option<&str>) -> Result<(), ObjectError> {
        let (mut key_marker, mut version_marker) = (None, None);
        loop {
            let page = self
                .client
                .list_object_versions()
                .bucket(&self.bucket)
                .prefix(prefix)
                .set_key_marker(key_marker)
                .set_version_id_marker(version_marker)
                .send()
                .await
                .map_err(failed)?;
            let versions = page.versions().iter().map(|v| (v.key(), v.version_id()));
            let markers = page
                .delete_markers()
                .iter()
                .map(|v| (v.key(), v.version_id()));
            let objects = versions
                .chain(markers)
                .filter_map(|(key, version)| Some((key?, version)))
                .filter(|(key, _)| only.is_none_or(|only| only == *key))
                .map(|(key, version)| identifier(key, version))
                .collect::<Result<Vec<_>, _>>()?;
            if !objects.is_empty() {
                self.delete_objects(objects).await?;
            }
            if !page.is_truncated().unwrap_or(false) {
                return Ok(());
            }
            key_marker = page.next_key_marker().map(str::to_owned);
            version_marker = page.next_version_id_marker().map(str::to_owned);
        }
    }

    async fn delete_objects(&self, objects: Vec<ObjectIdentifier>) -> Result<(), ObjectError> {
        for part in objects.chunks(1_000) {
            let delete = Delete::builder()
                .set_objects(Some(part.to_vec()))
                .quiet(true)
                .build()
                .map_err(|e| ObjectError::Unavailable(e.to_string()))?;
            let answer = self
                .client
                .delete_objects()
                .bucket(&self.bucket)
                .delete(delete)
                .send()
                .await
                .map_err(failed)?;
            if let Some(error) = answer.errors().first() {
                let code = error.code().unwrap_or("unknown").to_owned();
                return Err(ObjectError::Unavailable(format!(
                    "an object was not deleted: {code}"
                )));
            }
        }
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

fn identifier(key: &str, version: Option<&str>) -> Result<ObjectIdentifier, ObjectError> {
    ObjectIdentifier::builder()
        .key(key)
        .set_version_id(version.map(str::to_owned))
        .build()
        .map_err(|e| ObjectError::Unavailable(e.to_string()))
}

fn presigning(ttl: Duration) -> Result<PresigningConfig, ObjectError> {
    PresigningConfig::expires_in(ttl).map_err(|e| ObjectError::Unavailable(e.to_string()))
}

fn broken(error: impl std::error::Error) -> ObjectError {
    ObjectError::Unavailable(error.to_string())
}

/// A streamed upload under way.
struct Multipart<'a> {
    objects: &'a Objects,
    key: &'a str,
    id: String,
    parts: Vec<CompletedPart>,
}

impl<'a> Multipart<'a> {
    async fn begin(
        objects: &'a Objects,
        key: &'a str,
        content_type: &str,
    ) -> Result<Self, ObjectError> {
        let begun = objects
            .client
            .create_multipart_upload()
            .bucket(&objects.bucket)
            .key(key)
            .content_type(content_type)
            .send()
            .await
            .map_err(failed)?;
        let id = begun
            .upload_id
            .ok_or_else(|| ObjectError::Unavailable("a multipart upload without an id".into()))?;
        Ok(Self {
            objects,
            key,
            id,
            parts: Vec::new(),
        })
    }

    async fn part(&mut self, body: Bytes) -> Result<(), ObjectError> {
        let number = i32::try_from(self.parts.len() + 1).unwrap_or(i32::MAX);
        let sent = self
            .objects
            .client
            .upload_part()
            .bucket(&self.objects.bucket)
            .key(self.key)
            .upload_id(&self.id)
            .part_number(number)
            .body(SdkStream::from(body))
            .send()
            .await
            .map_err(failed)?;
        let part = CompletedPart::builder()
            .part_number(number)
            .set_e_tag(sent.e_tag)
            .build();
        self.parts.push(part);
        Ok(())
    }

    async fn complete(self) -> Result<(), ObjectError> {
        let parts = CompletedMultipartUpload::builder()
            .set_parts(Some(self.parts))
            .build();
        self.objects
            .client
            .complete_multipart_upload()
            .bucket(&self.objects.bucket)
            .key(self.key)
            .upload_id(&self.id)
            .multipart_upload(parts)
            .send()
            .await
            .map_err(failed)?;
        Ok(())
    }

    /// Best effort: the bucket's lifecycle removes what is left behind.
    async fn abort(self) {
        let aborted = self
            .objects
            .client
            .abort_multipart_upload()
            .bucket(&self.objects.bucket)
            .key(self.key)
            .upload_id(&self.id)
            .send()
            .await;
        if let Err(error) = aborted {
            tracing::warn!(error = %failed(error), "a multipart upload was not aborted");
        }
    }
}

/// A recording in the bucket.
#[derive(Debug, Clone)]
pub struct StoredAudio {
    objects: Objects,
    key: String,
    version: Option<String>,
    size: u64,
}

impl AudioSource for StoredAudio {
    fn len(&self) -> u64 {
        self.size
    }

    fn open(&self, start: u64, end: u64) -> BoxFuture<'_, std::io::Result<ByteStream>> {
        Box::pin(async move {
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
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_tell_whose_an_object_is() {
        let file = FileId::mint(5, [1; 10]);
        let project: ProjectId = "demo".parse().unwrap();
        assert_eq!(
            parse_key(&audio_key(&project, file)),
            Some(ObjectKey::Audio(project.clone(), file))
        );
        assert_eq!(
            parse_key("incoming/demo/a b/ஒலி.wav"),
            Some(ObjectKey::Incoming(project, "a b/ஒலி.wav".into()))
        );
        for other in [
            "incoming/demo/",
            "incoming/demo",
            "runs/demo/x",
            "audio/demo/x",
            "incoming/D/x",
        ] {
            assert_eq!(parse_key(other), None, "{other}");
        }
    }
}
