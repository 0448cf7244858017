//! The name of the operation that an S3 request asks for.

use http::{Method, Request, Uri};

/// The name in AWS's words; for counting only.
pub(super) fn name<B>(request: &Request<B>) -> String {
    let method = request.method();
    let query = Query(request.uri());
    let copies = request.headers().contains_key("x-amz-copy-source");
    let name = match depth(request.uri()) {
        Depth::Service if method == Method::GET => "ListBuckets",
        Depth::Service => "Unknown",
        Depth::Bucket => bucket(method, &query),
        Depth::Object => object(method, &query, copies),
    };
    name.to_owned()
}

fn bucket(method: &Method, query: &Query<'_>) -> &'static str {
    match method.as_str() {
        "OPTIONS" => "Preflight",
        "HEAD" => "HeadBucket",
        "PUT" => "CreateBucket",
        "DELETE" => "DeleteBucket",
        "POST" if query.has("delete") => "DeleteObjects",
        "POST" => "PostObject",
        "GET" if query.has("uploads") => "ListMultipartUploads",
        "GET" if query.has("versions") => "ListObjectVersions",
        "GET" if query.has("location") => "GetBucketLocation",
        "GET" if query.has("list-type") => "ListObjectsV2",
        "GET" => "ListObjects",
        _ => "Unknown",
    }
}

fn object(method: &Method, query: &Query<'_>, copies: bool) -> &'static str {
    match method.as_str() {
        "OPTIONS" => "Preflight",
        "HEAD" => "HeadObject",
        "GET" if query.has("uploadId") => "ListParts",
        "GET" => "GetObject",
        "PUT" if query.has("partNumber") && copies => "UploadPartCopy",
        "PUT" if query.has("partNumber") => "UploadPart",
        "PUT" if copies => "CopyObject",
        "PUT" => "PutObject",
        "POST" if query.has("uploads") => "CreateMultipartUpload",
        "POST" if query.has("uploadId") => "CompleteMultipartUpload",
        "DELETE" if query.has("uploadId") => "AbortMultipartUpload",
        "DELETE" => "DeleteObject",
        _ => "Unknown",
    }
}

enum Depth {
    Service,
    Bucket,
    Object,
}

fn depth(uri: &Uri) -> Depth {
    match uri.path().trim_start_matches('/').split_once('/') {
        None if uri.path().trim_matches('/').is_empty() => Depth::Service,
        None | Some((_, "")) => Depth::Bucket,
        Some(_) => Depth::Object,
    }
}

struct Query<'a>(&'a Uri);

impl Query<'_> {
    fn has(&self, name: &str) -> bool {
        self.0
            .query()
            .unwrap_or_default()
            .split('&')
            .any(|pair| pair.split('=').next() == Some(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_named_as_aws_names_them() {
        let cases = [
            ("GET", "/", "ListBuckets"),
            ("GET", "/b?list-type=2&prefix=x", "ListObjectsV2"),
            ("POST", "/b/?delete=", "DeleteObjects"),
            ("POST", "/b", "PostObject"),
            ("PUT", "/b/k?X-Amz-Signature=1", "PutObject"),
            ("PUT", "/b/k/l?partNumber=1&uploadId=2", "UploadPart"),
            ("POST", "/b/k?uploads", "CreateMultipartUpload"),
            ("POST", "/b/k?uploadId=2", "CompleteMultipartUpload"),
            ("HEAD", "/b/k", "HeadObject"),
        ];
        for (method, uri, expected) in cases {
            let request = Request::builder().method(method).uri(uri).body(());
            assert_eq!(name(&request.unwrap()), expected, "{method} {uri}");
        }
    }
}
