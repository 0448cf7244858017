//! A bucket with versions, in memory, as S3 answers for one.
//!
//! The embedded store keeps no versions and takes no keys with empty segments or
//! dots. Reads only; whatever is no read of an object goes to the client behind it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;

type Versions = Vec<(String, Vec<u8>)>;

/// The bucket.
#[derive(Debug, Default)]
pub struct Versioned {
    objects: Mutex<(BTreeMap<String, Versions>, bool)>,
}

impl Versioned {
    /// Writes an object; gives the version.
    pub fn put(&self, key: &str, bytes: &[u8]) -> String {
        let mut guard = self.objects.lock().unwrap_or_else(PoisonError::into_inner);
        let versions = guard.0.entry(key.to_owned()).or_default();
        let version = format!("v{}", versions.len() + 1);
        versions.push((version.clone(), bytes.to_vec()));
        version
    }

    /// From now on every read is refused, in S3's words.
    pub fn refuse(&self) {
        let mut guard = self.objects.lock().unwrap_or_else(PoisonError::into_inner);
        guard.1 = true;
    }

    /// Puts the bucket before an HTTP client of the SDK.
    #[must_use]
    pub fn before(self: &Arc<Self>, client: SharedHttpClient) -> SharedHttpClient {
        SharedHttpClient::new(Layer(self.clone(), client))
    }

    fn answer(&self, request: &HttpRequest) -> HttpResponse {
        let uri = request.uri();
        let rest = uri.split_once("://").map_or(uri, |(_, rest)| rest);
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        // Host, bucket, and all of the key: its slashes and dots as they are.
        let key = unescape(path.splitn(3, '/').nth(2).unwrap_or_default());
        let version = query
            .split('&')
            .find_map(|pair| pair.strip_prefix("versionId="));
        let guard = self.objects.lock().unwrap_or_else(PoisonError::into_inner);
        if guard.1 {
            let body = format!(
                "<Error><Code>InternalError</Code><Message>at {key}</Message><Key>{key}</Key></Error>"
            );
            return respond(500, &[], body.into_bytes());
        }
        let versions = guard.0.get(&key);
        let found = versions.and_then(|versions| match version {
            Some(wanted) => versions.iter().find(|(version, _)| version == wanted),
            None => versions.last(),
        });
        let Some((version, bytes)) = found else {
            return respond(404, &[], b"<Error><Code>NoSuchKey</Code></Error>".to_vec());
        };
        let all = bytes.len();
        let range = request.headers().get("range").and_then(|range| {
            let (from, to) = range.strip_prefix("bytes=")?.split_once('-')?;
            Some((from.parse::<usize>().ok()?, to.parse::<usize>().ok()? + 1))
        });
        let (from, to) = range.unwrap_or((0, all));
        let part = bytes[from.min(all)..to.min(all)].to_vec();
        let headers = [
            ("x-amz-version-id", version.clone()),
            ("etag", format!("\"{version}\"")),
            ("content-length", part.len().to_string()),
        ];
        match request.method() {
            "HEAD" => respond(200, &headers, Vec::new()),
            _ => respond(if range.is_some() { 206 } else { 200 }, &headers, part),
        }
    }
}

fn unescape(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let hex = (*first == b'%').then(|| behind.get(..2)).flatten();
        let code = hex.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        rest = if code.is_some() { &behind[2..] } else { behind };
        bytes.push(code.unwrap_or(*first));
    }
    String::from_utf8(bytes).unwrap()
}

fn respond(status: u16, headers: &[(&'static str, String)], body: Vec<u8>) -> HttpResponse {
    let status = StatusCode::try_from(status).unwrap();
    let mut response = HttpResponse::new(status, SdkBody::from(body));
    for (name, value) in headers {
        response.headers_mut().insert(*name, value.clone());
    }
    response
}

#[derive(Debug)]
struct Layer(Arc<Versioned>, SharedHttpClient);

impl HttpClient for Layer {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Connector(
            self.0.clone(),
            self.1.http_connector(settings, components),
        ))
    }
}

#[derive(Debug)]
struct Connector(Arc<Versioned>, SharedHttpConnector);

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let reads = matches!(request.method(), "GET" | "HEAD");
        if reads && request.headers().get("x-amz-target").is_none() {
            return HttpConnectorFuture::ready(Ok(self.0.answer(&request)));
        }
        self.1.call(request)
    }
}
