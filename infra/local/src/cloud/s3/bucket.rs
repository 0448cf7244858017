//! How the bucket stores: as `s3s-fs` does, with AWS's manners.

use std::path::Path;
use std::sync::Arc;

use s3s::dto::{ETag, ETagCondition, PutObjectInput, PutObjectOutput, StreamingBlob};
use s3s::{S3 as _, S3Request, S3Response, S3Result, TrailingHeaders, s3_error};
use s3s_fs::FileSystem;
use tokio::sync::Semaphore;

use super::event::{Cause, Created, Notifier};
use super::files::{Layout, check_key};
use super::verify::{Outcome, Promise, announced_trailer, verified};

/// `s3s-fs` with checked uploads and events.
pub(super) struct Bucket {
    pub(super) files: FileSystem,
    pub(super) layout: Layout,
    notifier: Notifier,
    /// One upload takes effect at a time.
    pub(super) turn: Arc<Semaphore>,
}

impl Bucket {
    pub fn open(root: &Path, notifier: Notifier) -> Result<Self, s3s_fs::Error> {
        Ok(Self {
            files: FileSystem::new(root)?,
            layout: Layout::new(root),
            notifier,
            turn: Arc::new(Semaphore::new(1)),
        })
    }

    /// Whether a path is a folder only because keys below it exist.
    pub(super) async fn is_folder(&self, bucket: &str, key: &str) -> bool {
        let found = tokio::fs::metadata(self.layout.object(bucket, key)).await;
        !key.ends_with('/') && found.is_ok_and(|found| found.is_dir())
    }

    /// The object must be readable: its key is one, and it is no folder.
    pub(super) async fn check_object(&self, bucket: &str, key: &str) -> S3Result<()> {
        if check_key(bucket, key).is_err() || self.is_folder(bucket, key).await {
            return Err(s3_error!(NoSuchKey, "The specified key does not exist."));
        }
        Ok(())
    }

    /// The key must be free for an object.
    pub(super) async fn check_target(&self, bucket: &str, key: &str) -> S3Result<()> {
        check_key(bucket, key)?;
        if !self.layout.object(bucket, "").is_dir() {
            return Err(s3_error!(NoSuchBucket));
        }
        let file_above = Path::new(key)
            .ancestors()
            .skip(1)
            .filter(|above| !above.as_os_str().is_empty())
            .any(|above| self.layout.object(bucket, "").join(above).is_file());
        if file_above || self.is_folder(bucket, key).await {
            return Err(s3_error!(
                InvalidRequest,
                "This store cannot hold an object and objects below it"
            ));
        }
        Ok(())
    }

    pub(super) async fn store(
        &self,
        mut request: S3Request<PutObjectInput>,
        cause: Cause,
    ) -> S3Result<S3Response<PutObjectOutput>> {
        let input = &mut request.input;
        let (bucket, key) = (input.bucket.clone(), input.key.clone());
        self.check_target(&bucket, &key).await?;
        let length = input
            .content_length
            .and_then(|length| length.try_into().ok());
        // A form's length is that of the form; its policy has been checked.
        let length = match cause {
            Cause::Post => None,
            _ if length.is_none() => return Err(s3_error!(MissingContentLength)),
            _ => length,
        };
        let create_only = input
            .if_none_match
            .as_ref()
            .is_some_and(ETagCondition::is_any);
        let promise = Promise {
            length,
            content_md5: input.content_md5.clone(),
            checksums: given([
                ("crc32", &input.checksum_crc32),
                ("crc32c", &input.checksum_crc32c),
                ("crc64nvme", &input.checksum_crc64nvme),
                ("sha1", &input.checksum_sha1),
                ("sha256", &input.checksum_sha256),
            ]),
            trailing: trailing(&request.headers, request.trailing_headers.as_ref()),
            absent: create_only.then(|| self.layout.object(&bucket, &key)),
        };
        let outcome = self.wrap(&mut request.input.body, promise);
        let result = self.files.put_object(request).await;
        outcome.release();
        let response = result.map_err(|error| outcome.explain(error))?;
        let etag = response.output.e_tag.as_ref().map_or("", ETag::value);
        self.notifier.announce(Created {
            cause,
            bucket: &bucket,
            key: &key,
            size: outcome.length(),
            etag,
        });
        Ok(response)
    }

    pub(super) fn wrap(&self, body: &mut Option<StreamingBlob>, promise: Promise) -> Outcome {
        let Some(inner) = body.take() else {
            return Outcome::default();
        };
        let (stream, outcome) = verified(inner, promise, Arc::clone(&self.turn));
        *body = Some(stream);
        outcome
    }

    pub(super) async fn announce(
        &self,
        cause: Cause,
        bucket: &str,
        key: &str,
        etag: Option<&ETag>,
    ) {
        let found = tokio::fs::metadata(self.layout.object(bucket, key)).await;
        self.notifier.announce(Created {
            cause,
            bucket,
            key,
            size: found.map_or(0, |found| found.len()),
            etag: etag.map_or("", ETag::value),
        });
    }
}

/// The checksums that are there.
pub(super) fn given(
    checksums: [(&'static str, &Option<String>); 5],
) -> Vec<(&'static str, String)> {
    checksums
        .into_iter()
        .filter_map(|(name, value)| Some((name, value.clone()?)))
        .collect()
}

/// The checksum that follows the body.
pub(super) fn trailing(
    headers: &http::HeaderMap,
    trailers: Option<&TrailingHeaders>,
) -> Option<(String, TrailingHeaders)> {
    Some((announced_trailer(headers)?, trailers?.clone()))
}
