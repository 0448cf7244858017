//! Which requests are let in: those that are signed, with today's signatures.

use http::HeaderMap;
use http::header::AUTHORIZATION;
use s3s::access::{S3Access, S3AccessContext};
use s3s::dto::PostObjectInput;
use s3s::{S3Error, S3Request, S3Result, s3_error};

/// Refuses anonymous requests, and signatures of version 2.
///
/// AWS takes version 2 for no bucket made since 2020. `s3s` takes it, and it
/// covers neither the length nor the conditions of an upload. (boto3 makes
/// presigned URLs with it by default in `us-east-1`.)
pub(super) struct SignedOnly;

#[async_trait::async_trait]
impl S3Access for SignedOnly {
    async fn check(&self, request: &mut S3AccessContext<'_>) -> S3Result<()> {
        if request.credentials().is_none() {
            return Err(s3_error!(AccessDenied, "Access Denied"));
        }
        let query = request.uri().query().unwrap_or_default();
        if is_version_2(request.headers(), query) {
            return Err(outdated());
        }
        Ok(())
    }

    async fn post_object(&self, request: &mut S3Request<PostObjectInput>) -> S3Result<()> {
        // Only the signatures of version 4 name a region.
        match request.region {
            Some(_) => Ok(()),
            None => Err(outdated()),
        }
    }
}

fn is_version_2(headers: &HeaderMap, query: &str) -> bool {
    headers
        .get(AUTHORIZATION)
        .is_some_and(|value| value.as_bytes().starts_with(b"AWS "))
        || query
            .split('&')
            .any(|pair| pair.split('=').next() == Some("AWSAccessKeyId"))
}

fn outdated() -> S3Error {
    s3_error!(
        InvalidRequest,
        "The authorization mechanism you have provided is not supported. \
         Please use AWS4-HMAC-SHA256."
    )
}
