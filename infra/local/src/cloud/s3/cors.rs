//! Cross-origin requests, as a bucket's CORS configuration answers them.

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, CONTENT_TYPE, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use s3s::{Body, HttpResponse};

const METHODS: &str = "GET, HEAD, PUT, POST";
const EXPOSED: &str = "ETag, Content-Range, x-amz-checksum-sha256, x-amz-request-id";
const MAX_AGE: &str = "3600";
const VARIES: &str = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method";

/// One rule: these origins, reading and writing objects, every header.
#[derive(Debug)]
pub(super) struct Cors {
    origins: Vec<String>,
}

impl Cors {
    pub fn new(origins: Vec<String>) -> Self {
        Self { origins }
    }

    /// What `Access-Control-Allow-Origin` says to this origin, if anything.
    fn allowed(&self, origin: &HeaderValue) -> Option<HeaderValue> {
        if self.origins.iter().any(|allowed| allowed == "*") {
            return Some(HeaderValue::from_static("*"));
        }
        self.origins
            .iter()
            .any(|allowed| allowed.as_bytes() == origin.as_bytes())
            .then(|| origin.clone())
    }

    /// Answers a preflight request; it is never signed.
    pub fn preflight(&self, asked: &HeaderMap) -> HttpResponse {
        let method = asked
            .get(ACCESS_CONTROL_REQUEST_METHOD)
            .and_then(|method| method.to_str().ok())
            .filter(|method| METHODS.split(", ").any(|allowed| allowed == *method));
        let origin = asked.get(ORIGIN).and_then(|origin| self.allowed(origin));
        let (Some(origin), Some(_)) = (origin, method) else {
            return refusal();
        };
        let mut response = Response::new(Body::empty());
        let headers = response.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(
            ACCESS_CONTROL_ALLOW_METHODS,
            HeaderValue::from_static(METHODS),
        );
        if let Some(names) = asked.get(ACCESS_CONTROL_REQUEST_HEADERS) {
            headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, names.clone());
        }
        headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(MAX_AGE));
        headers.insert(VARY, HeaderValue::from_static(VARIES));
        response
    }

    /// Lets a page of an allowed origin read the answer.
    pub fn decorate(&self, origin: &HeaderValue, method: &Method, headers: &mut HeaderMap) {
        let known = METHODS
            .split(", ")
            .any(|allowed| allowed == method.as_str());
        if let Some(origin) = self.allowed(origin).filter(|_| known) {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            headers.insert(
                ACCESS_CONTROL_EXPOSE_HEADERS,
                HeaderValue::from_static(EXPOSED),
            );
        }
        headers.append(VARY, HeaderValue::from_static(VARIES));
    }
}

fn refusal() -> HttpResponse {
    let body = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>AccessForbidden</Code>\
                <Message>CORSResponse: This CORS request is not allowed.</Message></Error>";
    let mut response = Response::new(Body::from(body.to_owned()));
    *response.status_mut() = StatusCode::FORBIDDEN;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    response
}
