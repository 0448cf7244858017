//! The operations of the bucket, each with what `s3s-fs` leaves out.

use std::sync::Arc;

use bytes::Bytes;
use futures::stream;
use futures::{Stream, StreamExt as _};
use s3s::dto::*;
use s3s::{S3, S3Request, S3Response, S3Result, StdError, s3_error};

use super::bucket::{Bucket, given, trailing};
use super::event::Cause;
use super::files::check_key;
use super::listing;
use super::verify::Promise;

#[async_trait::async_trait]
impl S3 for Bucket {
    async fn put_object(
        &self,
        request: S3Request<PutObjectInput>,
    ) -> S3Result<S3Response<PutObjectOutput>> {
        // A form upload comes here too, by the default `post_object`.
        let cause = match request.method {
            http::Method::POST => Cause::Post,
            _ => Cause::Put,
        };
        self.store(request, cause).await
    }

    async fn copy_object(
        &self,
        request: S3Request<CopyObjectInput>,
    ) -> S3Result<S3Response<CopyObjectOutput>> {
        let input = &request.input;
        if let CopySource::Bucket { bucket, key, .. } = &input.copy_source {
            self.check_object(bucket, key).await?;
        }
        let (bucket, key) = (input.bucket.clone(), input.key.clone());
        self.check_target(&bucket, &key).await?;
        let turn = Arc::clone(&self.turn).acquire_owned().await;
        let response = self.files.copy_object(request).await?;
        drop(turn);
        let copied = response.output.copy_object_result.as_ref();
        let etag = copied.and_then(|copied| copied.e_tag.as_ref());
        self.announce(Cause::Copy, &bucket, &key, etag).await;
        Ok(response)
    }

    async fn create_multipart_upload(
        &self,
        request: S3Request<CreateMultipartUploadInput>,
    ) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
        let (bucket, key) = (&request.input.bucket, &request.input.key);
        self.check_target(bucket, key).await?;
        self.files.create_multipart_upload(request).await
    }

    async fn upload_part(
        &self,
        mut request: S3Request<UploadPartInput>,
    ) -> S3Result<S3Response<UploadPartOutput>> {
        let input = &mut request.input;
        let length = input
            .content_length
            .and_then(|length| length.try_into().ok());
        let checksums = [
            ("crc32", &input.checksum_crc32),
            ("crc32c", &input.checksum_crc32c),
            ("crc64nvme", &input.checksum_crc64nvme),
            ("sha1", &input.checksum_sha1),
            ("sha256", &input.checksum_sha256),
        ];
        let promise = Promise {
            length: Some(length.ok_or_else(|| s3_error!(MissingContentLength))?),
            content_md5: input.content_md5.clone(),
            checksums: given(checksums),
            trailing: trailing(&request.headers, request.trailing_headers.as_ref()),
            absent: None,
        };
        let outcome = self.wrap(&mut request.input.body, promise);
        let result = self.files.upload_part(request).await;
        outcome.release();
        result.map_err(|error| outcome.explain(error))
    }

    async fn upload_part_copy(
        &self,
        request: S3Request<UploadPartCopyInput>,
    ) -> S3Result<S3Response<UploadPartCopyOutput>> {
        if let CopySource::Bucket { bucket, key, .. } = &request.input.copy_source {
            self.check_object(bucket, key).await?;
        }
        self.files.upload_part_copy(request).await
    }

    async fn list_parts(
        &self,
        request: S3Request<ListPartsInput>,
    ) -> S3Result<S3Response<ListPartsOutput>> {
        self.files.list_parts(request).await
    }

    async fn complete_multipart_upload(
        &self,
        request: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        let (bucket, key) = (request.input.bucket.clone(), request.input.key.clone());
        self.check_target(&bucket, &key).await?;
        let turn = Arc::clone(&self.turn).acquire_owned().await;
        let mut response = self.files.complete_multipart_upload(request).await?;
        let forgotten = self.layout.forget_checksums(&bucket, &key).await;
        drop(turn);
        forgotten.map_err(|error| s3_error!(error, InternalError))?;
        // The object is in place; nothing is left to wait for.
        if let Some(output) = response.output.future.take() {
            response.output = output.await?;
        }
        let etag = response.output.e_tag.as_ref();
        self.announce(Cause::CompleteMultipartUpload, &bucket, &key, etag)
            .await;
        Ok(response)
    }

    async fn abort_multipart_upload(
        &self,
        request: S3Request<AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        self.files.abort_multipart_upload(request).await
    }

    async fn get_object(
        &self,
        request: S3Request<GetObjectInput>,
    ) -> S3Result<S3Response<GetObjectOutput>> {
        self.check_object(&request.input.bucket, &request.input.key)
            .await?;
        let mut response = self.files.get_object(request).await?;
        let length = response.output.content_length.unwrap_or_default();
        response.output.body = response
            .output
            .body
            .map(|body| StreamingBlob::wrap(cut(body, length)));
        response.output.accept_ranges = Some("bytes".to_owned());
        Ok(response)
    }

    async fn head_object(
        &self,
        request: S3Request<HeadObjectInput>,
    ) -> S3Result<S3Response<HeadObjectOutput>> {
        self.check_object(&request.input.bucket, &request.input.key)
            .await?;
        let mut response = self.files.head_object(request).await?;
        response.output.accept_ranges = Some("bytes".to_owned());
        Ok(response)
    }

    async fn delete_object(
        &self,
        request: S3Request<DeleteObjectInput>,
    ) -> S3Result<S3Response<DeleteObjectOutput>> {
        let (bucket, key) = (request.input.bucket.clone(), request.input.key.clone());
        if self.check_object(&bucket, &key).await.is_err() {
            // What cannot be there is gone: deleting is idempotent.
            return Ok(S3Response::new(DeleteObjectOutput::default()));
        }
        let _turn = Arc::clone(&self.turn).acquire_owned().await;
        let response = self.files.delete_object(request).await?;
        self.layout.forget(&bucket, &key).await;
        Ok(response)
    }

    async fn delete_objects(
        &self,
        mut request: S3Request<DeleteObjectsInput>,
    ) -> S3Result<S3Response<DeleteObjectsOutput>> {
        let bucket = request.input.bucket.clone();
        let mut absent = Vec::new();
        let mut present = Vec::new();
        for object in std::mem::take(&mut request.input.delete.objects) {
            if self.check_object(&bucket, &object.key).await.is_ok() {
                present.push(object);
            } else {
                absent.push(DeletedObject {
                    key: Some(object.key),
                    ..DeletedObject::default()
                });
            }
        }
        let keys: Vec<String> = present.iter().map(|object| object.key.clone()).collect();
        let quiet = request.input.delete.quiet.unwrap_or_default();
        request.input.delete.objects = present;
        let turn = Arc::clone(&self.turn).acquire_owned().await;
        let mut response = self.files.delete_objects(request).await?;
        for key in keys {
            self.layout.forget(&bucket, &key).await;
        }
        drop(turn);
        let deleted = response.output.deleted.get_or_insert_default();
        deleted.append(&mut absent);
        if quiet {
            response.output.deleted = None;
        }
        Ok(response)
    }

    async fn list_objects(
        &self,
        request: S3Request<ListObjectsInput>,
    ) -> S3Result<S3Response<ListObjectsOutput>> {
        let mut request = request;
        listing::cap(&mut request.input.max_keys);
        let mut response = self.files.list_objects(request).await?;
        listing::add_etags(&self.layout, &mut response.output).await;
        listing::encode(&mut response.output);
        Ok(response)
    }

    async fn list_objects_v2(
        &self,
        mut request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        listing::cap(&mut request.input.max_keys);
        let mut response = self.files.list_objects_v2(request).await?;
        listing::add_etags(&self.layout, &mut response.output).await;
        listing::encode(&mut response.output);
        Ok(response)
    }

    /// Every object has one version, `null`: the bucket is unversioned.
    async fn list_object_versions(
        &self,
        request: S3Request<ListObjectVersionsInput>,
    ) -> S3Result<S3Response<ListObjectVersionsOutput>> {
        let listed = request.map_input(listing::without_versions);
        let response = self.list_objects_v2(listed).await?;
        Ok(response.map_output(listing::with_versions))
    }

    async fn list_buckets(
        &self,
        request: S3Request<ListBucketsInput>,
    ) -> S3Result<S3Response<ListBucketsOutput>> {
        self.files.list_buckets(request).await
    }

    async fn head_bucket(
        &self,
        request: S3Request<HeadBucketInput>,
    ) -> S3Result<S3Response<HeadBucketOutput>> {
        self.files.head_bucket(request).await
    }

    async fn get_bucket_location(
        &self,
        request: S3Request<GetBucketLocationInput>,
    ) -> S3Result<S3Response<GetBucketLocationOutput>> {
        self.files.get_bucket_location(request).await
    }

    async fn create_bucket(
        &self,
        request: S3Request<CreateBucketInput>,
    ) -> S3Result<S3Response<CreateBucketOutput>> {
        check_key(&request.input.bucket, "k")?;
        self.files.create_bucket(request).await
    }
}

/// Ends a body after `length` bytes; `s3s-fs` would read the file to its end.
fn cut(
    body: StreamingBlob,
    length: i64,
) -> impl Stream<Item = Result<Bytes, std::io::Error>> + Send + Sync {
    stream::unfold((body, length), |(mut body, left)| async move {
        if left <= 0 {
            return None;
        }
        let chunk = body
            .next()
            .await?
            .map_err(|error: StdError| std::io::Error::other(error.to_string()));
        let taken = chunk.as_ref().map_or(left, |chunk| chunk.len() as i64);
        Some((chunk, (body, left - taken)))
    })
}
