//! Objects that are put together from parts, by one request or by several.

use aws_sdk_s3::primitives::ByteStream as SdkStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use ring::digest;
use serde::{Deserialize, Serialize};

use super::{ObjectError, Objects, failed};

/// A part that is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Part {
    etag: Option<String>,
    sha256: String,
}

/// An object under way: nothing of it can be read before [`Objects::join_parts`]. It can be
/// written down and gone on with; what is not, a rule of the bucket removes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parts {
    upload: String,
    sent: Vec<Part>,
}

impl Objects {
    /// Begins an object.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn begin_parts(&self, key: &str, content_type: &str) -> Result<Parts, ObjectError> {
        let begun = self
            .client
            .create_multipart_upload()
            .bucket(&*self.bucket)
            .key(key)
            .content_type(content_type)
            .checksum_algorithm(ChecksumAlgorithm::Sha256)
            .send()
            .await
            .map_err(failed)?;
        let upload = begun
            .upload_id
            .ok_or_else(|| ObjectError::Unavailable("a multipart upload without an id".into()))?;
        Ok(Parts {
            upload,
            sent: Vec::new(),
        })
    }

    /// Sends the next part: at least 5 MiB, the last one apart. S3 verifies its hash.
    ///
    /// # Errors
    /// `Missing` when what was under way is gone.
    pub async fn put_part(
        &self,
        key: &str,
        parts: &mut Parts,
        body: Bytes,
    ) -> Result<(), ObjectError> {
        let number = i32::try_from(parts.sent.len() + 1).unwrap_or(i32::MAX);
        let sha256 = STANDARD.encode(digest::digest(&digest::SHA256, &body));
        let sent = self
            .client
            .upload_part()
            .bucket(&*self.bucket)
            .key(key)
            .upload_id(&parts.upload)
            .part_number(number)
            .checksum_sha256(&sha256)
            .body(SdkStream::from(body))
            .send()
            .await
            .map_err(failed)?;
        parts.sent.push(Part {
            etag: sent.e_tag,
            sha256,
        });
        Ok(())
    }

    /// Makes the object of its parts.
    ///
    /// # Errors
    /// `Missing` when what was under way is gone.
    pub async fn join_parts(&self, key: &str, parts: Parts) -> Result<(), ObjectError> {
        let numbered = (1..).zip(parts.sent).map(|(number, part)| {
            CompletedPart::builder()
                .part_number(number)
                .set_e_tag(part.etag)
                .checksum_sha256(part.sha256)
                .build()
        });
        let all = CompletedMultipartUpload::builder()
            .set_parts(Some(numbered.collect()))
            .build();
        self.client
            .complete_multipart_upload()
            .bucket(&*self.bucket)
            .key(key)
            .upload_id(&parts.upload)
            .multipart_upload(all)
            .send()
            .await
            .map_err(failed)?;
        Ok(())
    }

    /// Lets go of what was sent. Best effort: the bucket's lifecycle removes what is
    /// left behind.
    pub(super) async fn drop_parts(&self, key: &str, parts: Parts) {
        let aborted = self
            .client
            .abort_multipart_upload()
            .bucket(&*self.bucket)
            .key(key)
            .upload_id(&parts.upload)
            .send()
            .await;
        if let Err(error) = aborted {
            tracing::warn!(error = %failed(error), "a multipart upload was not aborted");
        }
    }
}
