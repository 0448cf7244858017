//! Requests to Google: one place where they are made, sent, repeated and read.
//!
//! The key travels in a header and nowhere else. Redirects are not followed
//! (the header would go along) but by `download`, to the same server.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures::{Stream, StreamExt};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, LOCATION};
use reqwest::{Method, Url};
use serde_json::Value;
use time::OffsetDateTime;
use tokio::sync::Semaphore;

use super::super::{CallError, Credential};
use super::config::{ConfigError, GeminiConfig};
use super::errors::{self, About};
use super::sieve::{Keep, Sieve};
pub(super) use crate::providers::http::Reply;
use crate::providers::http::{
    BaseUrl, Http, key_header, lost, of_reqwest, read_answer, read_body, slow,
};

/// Version of the API in paths. Pinned: the default of Google's clients moved.
pub(super) const VERSION: &str = "v1beta";

const API_KEY: HeaderName = HeaderName::from_static("x-goog-api-key");

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
    /// What of a successful answer is kept; without it all, up to a length.
    pub keep: Option<&'static Keep>,
    /// Not while another such call of the process is under way.
    pub alone: bool,
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
            keep: None,
            alone: false,
        }
    }

    /// Keeps this much of the answer, and drops the rest while it arrives.
    pub fn sifted(mut self, keep: &'static Keep) -> Self {
        self.keep = Some(keep);
        self
    }

    /// Waits for its turn among all such calls.
    pub fn alone(mut self) -> Self {
        self.alone = true;
        self
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

/// What an answer that is a stream begins with.
#[derive(Debug)]
pub(super) enum Opened {
    /// The stream.
    Here(reqwest::Response),
    /// It is at another path of the same server, below the base URL.
    Elsewhere(String),
}

/// The HTTP side of the provider.
#[derive(Debug, Clone)]
pub(super) struct Client {
    pub config: GeminiConfig,
    base: BaseUrl,
    http: Http,
    /// For calls that are made alone: whatever their answers hold, there is one
    /// at a time, over all credentials.
    turn: Arc<Semaphore>,
    /// Which of the masks of a listing Google took last.
    mask: Arc<AtomicUsize>,
}

impl Client {
    pub fn new(config: GeminiConfig) -> Result<Self, ConfigError> {
        let base = BaseUrl::parse(&config.base_url).map_err(ConfigError::BaseUrl)?;
        if config.chunk_size == 0 {
            return Err(ConfigError::Setting("chunk_size"));
        }
        if config.retry.attempts == 0 {
            return Err(ConfigError::Setting("retry.attempts"));
        }
        Ok(Self {
            base,
            http: Http::new(config.connect_timeout),
            turn: Arc::new(Semaphore::new(1)),
            mask: Arc::default(),
            config,
        })
    }

    /// Which mask of a listing is tried first.
    pub fn mask(&self) -> usize {
        self.mask.load(Ordering::Relaxed)
    }

    /// Remembers which mask of a listing works.
    pub fn remember_mask(&self, mask: usize) {
        self.mask.store(mask, Ordering::Relaxed);
    }

    /// Makes a call that may be repeated, until it succeeds, is refused, or
    /// the attempts are used up.
    pub async fn call(&self, credential: &Credential, call: &Call) -> Result<Reply, CallError> {
        let mut attempt = 1;
        loop {
            let request = self.request(self.http.pooled()?, credential, call)?;
            let timeout = self.config.request_timeout;
            let sent = {
                // Not over the pauses in between. The semaphore is never closed.
                let _turn = match call.alone {
                    true => self.turn.acquire().await.ok(),
                    false => None,
                };
                let request = request.timeout(timeout);
                self.answer(credential, request, call.about, call.keep)
                    .await
            };
            let error = match sent {
                Ok(reply) => return Ok(reply),
                Err(error) => error,
            };
            let Some(pause) = self.config.retry.after(attempt, &error) else {
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
        let request = self.request(self.http.fresh()?, credential, call)?;
        self.send(credential, request, timeout, call.about).await
    }

    /// Begins a call whose answer is a stream.
    pub async fn open(&self, credential: &Credential, call: &Call) -> Result<Opened, CallError> {
        let request = self.request(self.http.pooled()?, credential, call)?;
        let head = tokio::time::timeout(self.config.read_timeout, request.send());
        let response = match head.await {
            Ok(Ok(response)) => response,
            Ok(Err(e)) => return Err(lost(&credential.secret, e)),
            Err(_) => return Err(slow(self.config.read_timeout)),
        };
        if response.status().is_success() {
            return Ok(Opened::Here(response));
        }
        if response.status().is_redirection()
            && let Some(path) = self.elsewhere(&response)
        {
            return Ok(Opened::Elsewhere(path));
        }
        let reading = self.read(credential, response, call.about, None);
        match tokio::time::timeout(self.config.request_timeout, reading).await {
            Ok(Err(error)) => Err(error),
            Ok(Ok(_)) => Err(errors::unreadable("its status changed")),
            Err(_) => Err(slow(self.config.request_timeout)),
        }
    }

    /// Where a redirection leads, if that is a path of the same server. Its query
    /// is not taken over: what is asked for is known, and a key could be in it.
    fn elsewhere(&self, response: &reqwest::Response) -> Option<String> {
        let location = response.headers().get(LOCATION)?.to_str().ok()?;
        self.base.below(&response.url().join(location).ok()?)
    }

    /// A request to a URL that Google gave us (an upload session). Without the
    /// key: the URL itself is the permission.
    pub fn session_request(&self, url: &Url) -> Result<reqwest::RequestBuilder, CallError> {
        Ok(self.http.pooled()?.post(url.clone()))
    }

    /// Sends a request and reads its answer, within a time.
    pub async fn send(
        &self,
        credential: &Credential,
        request: reqwest::RequestBuilder,
        timeout: Duration,
        about: About,
    ) -> Result<Reply, CallError> {
        self.answer(credential, request.timeout(timeout), about, None)
            .await
    }

    async fn answer(
        &self,
        credential: &Credential,
        request: reqwest::RequestBuilder,
        about: About,
        keep: Option<&'static Keep>,
    ) -> Result<Reply, CallError> {
        match request.send().await {
            Ok(response) => self.read(credential, response, about, keep).await,
            Err(e) => Err(lost(&credential.secret, e)),
        }
    }

    /// Whether a URL that Google gave us may be used: not less protected than
    /// the base URL.
    pub fn is_acceptable(&self, url: &Url) -> bool {
        self.base.allows(url)
    }

    fn request(
        &self,
        client: &reqwest::Client,
        credential: &Credential,
        call: &Call,
    ) -> Result<reqwest::RequestBuilder, CallError> {
        let url = self.base.join(&call.path, &call.query)?;
        let mut request = client
            .request(call.method.clone(), url)
            .header(API_KEY, key_header("", &credential.secret)?);
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
        keep: Option<&'static Keep>,
    ) -> Result<Reply, CallError> {
        let keep = |response: reqwest::Response| async move {
            match keep {
                Some(keep) => sifted(response.bytes_stream(), keep).await,
                None => read_body(response).await,
            }
        };
        let classify = |status, headers: &HeaderMap, body: &[u8]| {
            errors::classify(status, headers, body, about, OffsetDateTime::now_utc())
        };
        read_answer(&credential.secret, response, keep, classify).await
    }
}

/// Of a body of any length what is wanted.
async fn sifted(
    mut body: impl Stream<Item = reqwest::Result<Bytes>> + Unpin,
    keep: &'static Keep,
) -> Result<Bytes, String> {
    let mut sieve = Sieve::new(keep);
    while let Some(piece) = body.next().await {
        let piece = piece.map_err(|e| of_reqwest(e).1)?;
        sieve.feed(&piece)?;
    }
    Ok(sieve.finish()?.into())
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
        assert!(with_base("https://h/prefix/").is_ok());
        for bad in ["", "ftp://h", "https://u:p@h", "https://h?key=x"] {
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
}
