//! The objects of the bucket behind another door than that of S3.

use http::{Method, Request};
use hyper::body::Incoming;
use s3s::HttpResponse;

use super::s3::Store;

/// One bucket, open to those who have a signed URL and to nobody else.
#[derive(Clone)]
pub struct Bucket {
    /// What all paths of its objects begin with.
    path: String,
    store: Store,
}

impl std::fmt::Debug for Bucket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Bucket").field(&self.path).finish()
    }
}

impl Bucket {
    pub(super) fn new(name: &str, store: Store) -> Self {
        Self {
            path: format!("/{name}/"),
            store,
        }
    }

    /// Whether a request reads or writes one object by a signed URL.
    pub(super) fn takes<B>(&self, request: &Request<B>) -> bool {
        let is_object = |key: &str| !key.is_empty();
        let query = request.uri().query().unwrap_or_default();
        matches!(*request.method(), Method::GET | Method::HEAD | Method::PUT)
            && query.contains("X-Amz-Signature=")
            && request
                .uri()
                .path()
                .strip_prefix(&self.path)
                .is_some_and(is_object)
    }

    /// Answers a request that it takes.
    pub(super) async fn answer(
        &self,
        request: Request<Incoming>,
    ) -> Result<HttpResponse, s3s::HttpError> {
        self.store.answer(request).await
    }
}
