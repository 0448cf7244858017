//! HTTP to Google: one place where requests are made, sent, repeated and read.
//!
//! The key travels in a header and nowhere else. Redirects are not followed
//! (the header would go along), nothing is repeated behind our back.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};
use secrecy::ExposeSecret;
use serde::de::DeserializeOwned;
use serde_json::Value;
use time::OffsetDateTime;

use super::super::{CallError, Credential, Rejection};
use super::config::{ConfigError, GeminiConfig, random};
use super::errors::{self, About};

/// Version of the API in paths. Pinned: the default of Google's clients moved.
pub(super) const VERSION: &str = "v1beta";

const API_KEY: HeaderName = HeaderName::from_static("x-goog-api-key");

/// Longest answer that is read into memory. Lists can hold the inline results
/// of other people's batches.
const MAX_BODY: usize = 32 * 1024 * 1024;

/// A call, as data, so that it can be made again.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub method: Method,
    /// Path below the base URL, from parts that were checked.
    pub path: String,
    pub query: Vec<(&'static str, String)>,
    pub headers: Vec<(&'static str, String)>,
    pub body: Option<Value>,
    pub about: About,
}

impl Call {
    pub fn new(method: Method, path: String, about: About) -> Self {
        Self {
            method,
            path,
            query: Vec::new(),
            headers: Vec::new(),
            body: None,
            about,
        }
    }

    pub fn query(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub fn body(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }
}

/// A successful answer.
#[derive(Debug)]
pub(super) struct Reply {
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Reply {
    /// The body as a JSON object; [`CallError::Ambiguous`] when it is not.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, CallError> {
        let length = self.body.len();
        // serde would take an array for a structure, by position.
        if self.body.trim_ascii_start().first() != Some(&b'{') {
            return Err(errors::unreadable(&format!(
                "{length} bytes that are no object"
            )));
        }
        serde_json::from_slice(&self.body).map_err(|e| {
            // The position only: the text of a serde error can quote the body.
            let (kind, line, column) = (e.classify(), e.line(), e.column());
            errors::unreadable(&format!(
                "{length} bytes that are not what was expected ({kind:?} at {line}:{column})"
            ))
        })
    }
}

/// The HTTP side of the provider.
#[derive(Debug, Clone)]
pub(super) struct Client {
    pub config: GeminiConfig,
    /// Base URL without a slash at its end.
    base: String,
    http: Arc<OnceLock<Http>>,
}

/// What sends requests. Built for the first one: it reads the TLS roots, which
/// takes long, and many a process never asks Google anything.
#[derive(Debug)]
struct Http {
    pooled: reqwest::Client,
    /// Opens a connection for each call.
    fresh: reqwest::Client,
}

impl Http {
    fn build(config: &GeminiConfig) -> Result<Self, reqwest::Error> {
        // Whoever comes first in the process installs it; it is the same one
        // everywhere, so that losing the race is fine.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let build = |idle: usize| {
            reqwest::Client::builder()
                .user_agent(concat!("stt-eval/", env!("CARGO_PKG_VERSION")))
                .redirect(reqwest::redirect::Policy::none())
                .retry(reqwest::retry::never())
                .connect_timeout(config.connect_timeout)
                .pool_idle_timeout(Duration::from_secs(60))
                .pool_max_idle_per_host(idle)
                .build()
        };
        Ok(Self {
            pooled: build(8)?,
            fresh: build(0)?,
        })
    }
}

impl Client {
    pub fn new(config: GeminiConfig) -> Result<Self, ConfigError> {
        let url = Url::parse(&config.base_url).map_err(|e| ConfigError::BaseUrl(e.to_string()))?;
        let plain = matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        if !plain {
            let wanted = "expected http(s)://host, without credentials or query";
            return Err(ConfigError::BaseUrl(wanted.to_owned()));
        }
        if config.chunk_size == 0 {
            return Err(ConfigError::Setting("chunk_size"));
        }
        if config.retry.attempts == 0 {
            return Err(ConfigError::Setting("retry.attempts"));
        }
        Ok(Self {
            base: url.as_str().trim_end_matches('/').to_owned(),
            http: Arc::default(),
            config,
        })
    }

    /// Nothing can be sent from a machine without TLS roots: as from one
    /// without a network.
    fn http(&self) -> Result<&Http, CallError> {
        if let Some(http) = self.http.get() {
            return Ok(http);
        }
        let built = Http::build(&self.config).map_err(|e| {
            let (_, message) = errors::of_reqwest(e);
            errors::transport(errors::Failure::Connect, message)
        })?;
        Ok(self.http.get_or_init(|| built))
    }

    /// Makes a call that may be repeated, until it succeeds, is refused, or
    /// the attempts are used up.
    pub async fn call(&self, credential: &Credential, call: &Call) -> Result<Reply, CallError> {
        let mut attempt = 1;
        loop {
            let request = self.request(&self.http()?.pooled, credential, call)?;
            let timeout = self.config.request_timeout;
            let error = match self.send(credential, request, timeout, call.about).await {
                Ok(reply) => return Ok(reply),
                Err(error) => error,
            };
            let pause = errors::is_transient(&error)
                .and_then(|advice| self.config.retry.pause(attempt, advice, random()));
            let Some(pause) = pause else {
                return Err(error);
            };
            tracing::warn!(credential = %credential.id, method = %call.method, attempt, %error, "Gemini call is repeated");
            tokio::time::sleep(pause).await;
            attempt += 1;
        }
    }

    /// Makes a call exactly once, on a connection of its own.
    pub async fn call_once(
        &self,
        credential: &Credential,
        call: &Call,
        timeout: Duration,
    ) -> Result<Reply, CallError> {
        let request = self.request(&self.http()?.fresh, credential, call)?;
        self.send(credential, request, timeout, call.about).await
    }

    /// Begins a call whose answer is a stream.
    pub async fn open(
        &self,
        credential: &Credential,
        call: &Call,
    ) -> Result<reqwest::Response, CallError> {
        let request = self.request(&self.http()?.pooled, credential, call)?;
        let head = tokio::time::timeout(self.config.read_timeout, request.send());
        let response = match head.await {
            Ok(Ok(response)) => response,
            Ok(Err(e)) => return Err(lost(credential, e)),
            Err(_) => return Err(slow(self.config.read_timeout)),
        };
        if response.status().is_success() {
            return Ok(response);
        }
        let reading = self.read(credential, response, call.about);
        match tokio::time::timeout(self.config.request_timeout, reading).await {
            Ok(Err(error)) => Err(error),
            Ok(Ok(_)) => Err(errors::unreadable("its status changed")),
            Err(_) => Err(slow(self.config.request_timeout)),
        }
    }

    /// A request to a URL that Google gave us (an upload session). Without the
    /// key: the URL itself is the permission.
    pub fn session_request(&self, url: &Url) -> Result<reqwest::RequestBuilder, CallError> {
        Ok(self.http()?.pooled.post(url.clone()))
    }

    /// Sends a request and reads its answer, within a time.
    pub async fn send(
        &self,
        credential: &Credential,
        request: reqwest::RequestBuilder,
        timeout: Duration,
        about: About,
    ) -> Result<Reply, CallError> {
        match request.timeout(timeout).send().await {
            Ok(response) => self.read(credential, response, about).await,
            Err(e) => Err(lost(credential, e)),
        }
    }

    /// Whether a URL that Google gave us may be used: not less protected than
    /// the base URL.
    pub fn is_acceptable(&self, url: &Url) -> bool {
        url.has_host()
            && (url.scheme() == "https"
                || (url.scheme() == "http" && self.base.starts_with("http://")))
    }

    fn request(
        &self,
        client: &reqwest::Client,
        credential: &Credential,
        call: &Call,
    ) -> Result<reqwest::RequestBuilder, CallError> {
        let mut url = Url::parse(&format!("{}{}", self.base, call.path))
            .map_err(|_| errors::refused_here("the path is not usable in a URL"))?;
        if !call.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&call.query);
        }
        let mut request = client
            .request(call.method.clone(), url)
            .header(API_KEY, key_header(credential)?);
        for (name, value) in &call.headers {
            request = request.header(*name, value);
        }
        Ok(match &call.body {
            Some(body) => request
                .header(CONTENT_TYPE, "application/json")
                .body(body.to_string()),
            None => request,
        })
    }

    async fn read(
        &self,
        credential: &Credential,
        response: reqwest::Response,
        about: About,
    ) -> Result<Reply, CallError> {
        let status = response.status();
        let headers = response.headers().clone();
        let mut body = BytesMut::new();
        let mut stream = response.bytes_stream();
        let mut broken = None;
        while let Some(piece) = stream.next().await {
            match piece {
                Ok(piece) if body.len() + piece.len() <= MAX_BODY => {
                    body.extend_from_slice(&piece);
                }
                Ok(_) => {
                    broken = Some(format!("its body is longer than {MAX_BODY} bytes"));
                    break;
                }
                Err(e) => {
                    broken = Some(errors::of_reqwest(e).1);
                    break;
                }
            }
        }
        // The status of a refusal counts even when its text got lost.
        let error = match (status.is_success(), broken) {
            (true, None) => {
                return Ok(Reply {
                    headers,
                    body: body.freeze(),
                });
            }
            (true, Some(why)) => errors::unreadable(&why),
            (false, _) => {
                let now = OffsetDateTime::now_utc();
                errors::classify(status.as_u16(), &headers, &body, about, now)
            }
        };
        Err(errors::scrubbed(error, &credential.secret))
    }
}

fn lost(credential: &Credential, error: reqwest::Error) -> CallError {
    let (failure, message) = errors::of_reqwest(error);
    errors::scrubbed(errors::transport(failure, message), &credential.secret)
}

fn slow(limit: Duration) -> CallError {
    CallError::Ambiguous {
        message: format!("no answer within {limit:?}"),
    }
}

fn key_header(credential: &Credential) -> Result<HeaderValue, CallError> {
    let key = credential.secret.expose_secret();
    let value = HeaderValue::from_str(key).ok().filter(|v| !v.is_empty());
    let mut value = value.ok_or_else(|| CallError::Rejected {
        status: errors::NOT_SENT,
        kind: Rejection::Unauthorized,
        message: "the key has characters that no key has; nothing was sent".to_owned(),
    })?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_base(base_url: &str) -> Result<Client, ConfigError> {
        Client::new(GeminiConfig {
            base_url: base_url.to_owned(),
            ..GeminiConfig::default()
        })
    }

    #[test]
    fn base_urls() {
        for good in ["http://127.0.0.1:80", "https://h/", "https://h/prefix/"] {
            let client = with_base(good).unwrap();
            assert!(!client.base.ends_with('/'));
        }
        for bad in [
            "",
            "h",
            "ftp://h",
            "https://",
            "https://u:p@h",
            "https://h?key=x",
            "file:///x",
        ] {
            assert!(
                matches!(with_base(bad), Err(ConfigError::BaseUrl(_))),
                "{bad}"
            );
        }
    }

    #[test]
    fn settings_that_cannot_work() {
        let mut config = GeminiConfig {
            chunk_size: 0,
            ..GeminiConfig::default()
        };
        assert!(Client::new(config.clone()).is_err());
        config.chunk_size = 1;
        config.retry.attempts = 0;
        assert!(Client::new(config).is_err());
    }

    #[test]
    fn keys_that_cannot_be_sent() {
        for key in ["", "a\nb", "a\0"] {
            let credential = Credential {
                id: "c".to_owned(),
                secret: key.into(),
            };
            let error = key_header(&credential).unwrap_err();
            assert!(matches!(
                error,
                CallError::Rejected {
                    kind: Rejection::Unauthorized,
                    ..
                }
            ));
        }
    }

    #[test]
    fn session_urls_are_not_less_protected() {
        let https = with_base("https://h").unwrap();
        let http = with_base("http://h").unwrap();
        let url = |u: &str| Url::parse(u).unwrap();
        assert!(https.is_acceptable(&url("https://other/x?y=z")));
        assert!(!https.is_acceptable(&url("http://h/x")));
        assert!(http.is_acceptable(&url("http://h/x")) && http.is_acceptable(&url("https://h/x")));
        assert!(!http.is_acceptable(&url("file:///x")));
    }
}
