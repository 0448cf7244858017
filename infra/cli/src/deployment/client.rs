//! Requests and answers.

use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use stt_eval_wire::envelope::{Cursor, Envelope, ListEnvelope};
use stt_eval_wire::paths::{API_KEY_HEADER, IDEMPOTENCY_HEADER};

use super::errors::{refused, unreachable, unreadable};
use super::http;
use super::retry::Pause;
use super::trace::told;
use crate::failure::{Exit, Failure};
use crate::profiles::Target;

/// Longest wait for one answer.
const ANSWER: Duration = Duration::from_secs(60);

/// A request.
#[derive(Debug, Clone)]
pub struct Request {
    method: Method,
    path: String,
    query: Vec<(String, String)>,
    body: Option<Vec<u8>>,
    idempotency: Option<String>,
    is_repeatable: bool,
    patience: Option<Duration>,
}

impl Request {
    fn new(method: Method, path: String) -> Self {
        let is_repeatable = matches!(method, Method::GET | Method::PUT);
        Self {
            method,
            path,
            query: Vec::new(),
            body: None,
            idempotency: None,
            is_repeatable,
            patience: None,
        }
    }

    /// GET.
    pub fn get(path: String) -> Self {
        Self::new(Method::GET, path)
    }

    /// DELETE. It is sent once.
    pub fn delete(path: String) -> Self {
        Self::new(Method::DELETE, path)
    }

    /// PUT of JSON.
    pub fn put<B: Serialize>(path: String, body: &B) -> Result<Self, Failure> {
        Self::new(Method::PUT, path).json(body)
    }

    /// POST of JSON. It is sent once, unless it has a key of idempotency.
    pub fn post<B: Serialize>(path: String, body: &B) -> Result<Self, Failure> {
        Self::new(Method::POST, path).json(body)
    }

    /// POST without a body. It is sent once.
    pub fn post_nothing(path: String) -> Self {
        Self::new(Method::POST, path)
    }

    fn json<B: Serialize>(mut self, body: &B) -> Result<Self, Failure> {
        let bytes = serde_json::to_vec(body)
            .map_err(|error| Failure::new(Exit::Failed, "request", error.to_string()))?;
        self.body = Some(bytes);
        Ok(self)
    }

    /// With a parameter.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.query.push((name.to_owned(), value.to_string()));
        self
    }

    /// With a parameter, if there is one.
    #[must_use]
    pub fn with_some(self, name: &str, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// Safe to be sent again, under this key.
    #[must_use]
    pub fn once(mut self, key: &str) -> Self {
        self.idempotency = Some(key.to_owned());
        self.is_repeatable = true;
        self
    }

    /// Safe to be sent again as it is: it changes nothing.
    #[must_use]
    pub fn repeatable(mut self) -> Self {
        self.is_repeatable = true;
        self
    }

    /// With this much patience in place of the usual one.
    #[must_use]
    pub fn patiently(mut self, patience: Duration) -> Self {
        self.patience = Some(patience);
        self
    }
}

/// What one try brought.
enum Tried {
    Answer(Vec<u8>),
    Again(Failure, Option<Duration>),
    Never(Failure),
}

/// A deployment.
#[derive(Debug, Clone)]
pub struct Deployment {
    http: reqwest::Client,
    /// Where it is, and the key.
    pub target: Target,
    /// How long is gone on when it does not answer.
    pub patience: Duration,
}

impl Deployment {
    /// Makes no request yet.
    ///
    /// # Errors
    /// See [`http`].
    pub fn new(target: Target, patience: Duration) -> Result<Self, Failure> {
        Ok(Self {
            http: http()?,
            target,
            patience,
        })
    }

    /// The client, for addresses that are signed.
    pub fn http(&self) -> &reqwest::Client {
        &self.http
    }

    /// Asks for one thing.
    ///
    /// # Errors
    /// What is refused, or can't be reached.
    pub async fn ask<T: DeserializeOwned>(&self, request: &Request) -> Result<T, Failure> {
        let bytes = self.send(request).await?;
        let answer: Envelope<T> =
            serde_json::from_slice(&bytes).map_err(|_| unreadable(&self.target))?;
        Ok(answer.data)
    }

    /// Asks for one thing of which a part is paged, and where its next page begins.
    ///
    /// # Errors
    /// What is refused, or can't be reached.
    pub async fn ask_paged<T: DeserializeOwned>(
        &self,
        request: &Request,
    ) -> Result<(T, Option<Cursor>), Failure> {
        let bytes = self.send(request).await?;
        let answer: Envelope<T> =
            serde_json::from_slice(&bytes).map_err(|_| unreadable(&self.target))?;
        let next = answer.metadata.and_then(|page| page.next_cursor);
        Ok((answer.data, next))
    }

    /// Asks for a page of a list, and where the next one begins.
    ///
    /// # Errors
    /// What is refused, or can't be reached.
    pub async fn page<T: DeserializeOwned>(
        &self,
        request: &Request,
    ) -> Result<(Vec<T>, Option<Cursor>), Failure> {
        let bytes = self.send(request).await?;
        let answer: ListEnvelope<T> =
            serde_json::from_slice(&bytes).map_err(|_| unreadable(&self.target))?;
        Ok((answer.data, answer.metadata.next_cursor))
    }

    /// Asks for a list, up to so many.
    ///
    /// # Errors
    /// What is refused, or can't be reached.
    pub async fn list<T: DeserializeOwned>(
        &self,
        request: &Request,
        most: usize,
    ) -> Result<Vec<T>, Failure> {
        Ok(self.some(request, most).await?.0)
    }

    /// Asks for a list, up to so many, and whether there are more.
    ///
    /// # Errors
    /// What is refused, or can't be reached.
    pub async fn some<T: DeserializeOwned>(
        &self,
        request: &Request,
        most: usize,
    ) -> Result<(Vec<T>, bool), Failure> {
        let mut all: Vec<T> = Vec::new();
        let mut cursor: Option<Cursor> = None;
        while all.len() < most {
            let limit = (most - all.len()).min(100);
            // A cursor is good for the limit it was made with or any other.
            let page = request
                .clone()
                .with("limit", limit)
                .with_some("cursor", cursor);
            let (more, next) = self.page(&page).await?;
            all.extend(more);
            match next {
                Some(next) => cursor = Some(next),
                None => return Ok((all, false)),
            }
        }
        Ok((all, true))
    }

    /// Asks for a list that has no pages.
    ///
    /// # Errors
    /// What is refused, or can't be reached.
    pub async fn ask_list<T: DeserializeOwned>(&self, path: String) -> Result<Vec<T>, Failure> {
        self.ask(&Request::get(path)).await
    }

    /// Sends a request, again where that is safe.
    async fn send(&self, request: &Request) -> Result<Vec<u8>, Failure> {
        let mut pause = Pause::within(request.patience.unwrap_or(self.patience));
        let begun = Instant::now();
        loop {
            let (failure, asked) = match self.once(request, begun).await {
                Tried::Answer(bytes) => return Ok(bytes),
                Tried::Never(failure) => return Err(failure),
                Tried::Again(failure, asked) => (failure, asked),
            };
            match pause.next(asked) {
                Some(wait) => tokio::time::sleep(wait).await,
                None => return Err(failure),
            }
        }
    }

    async fn once(&self, request: &Request, begun: Instant) -> Tried {
        let url = format!("{}{}", self.target.url, request.path);
        let Ok(mut url) = reqwest::Url::parse(&url) else {
            return Tried::Never(Failure::usage("the address of the deployment is no URL"));
        };
        if !request.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&request.query);
        }
        let Ok(mut key) = reqwest::header::HeaderValue::from_str(self.target.key.expose()) else {
            return Tried::Never(Failure::new(Exit::Access, "no_key", "the key is none"));
        };
        key.set_sensitive(true);
        let mut sent = self
            .http
            .request(request.method.clone(), url)
            .timeout(ANSWER)
            .header(API_KEY_HEADER, key);
        if let Some(idempotency) = &request.idempotency {
            sent = sent.header(IDEMPOTENCY_HEADER, idempotency);
        }
        if let Some(body) = &request.body {
            sent = sent
                .header(reqwest::header::CONTENT_TYPE, "application/json")
                .body(body.clone());
        }
        let sent_at = Instant::now();
        let sent = sent.send().await;
        let status = sent.as_ref().ok().map(|answer| answer.status().as_u16());
        told(request.method.as_str(), &request.path, status, sent_at);
        let answer = match sent {
            Ok(answer) => answer,
            Err(error) => {
                let failure = unreachable(&self.target, &error);
                // What never connected has done nothing.
                let again = request.is_repeatable || error.is_connect();
                return if again {
                    Tried::Again(failure, None)
                } else {
                    Tried::Never(failure)
                };
            }
        };
        let status = answer.status();
        let asked = retry_after(&answer);
        let bytes = match answer.bytes().await {
            Ok(bytes) => bytes.to_vec(),
            Err(error) => {
                let failure = unreachable(&self.target, &error);
                return if request.is_repeatable {
                    Tried::Again(failure, None)
                } else {
                    Tried::Never(failure)
                };
            }
        };
        if status.is_success() {
            return Tried::Answer(bytes);
        }
        let failure = refused(&self.target, status, &bytes, begun.elapsed());
        let nothing_done = status == StatusCode::TOO_MANY_REQUESTS;
        let may_pass = match status {
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => true,
            // The same request is still under way.
            StatusCode::CONFLICT => asked.is_some(),
            _ => status.is_server_error() && failure.code != "provider_unreachable",
        };
        if may_pass && (request.is_repeatable || nothing_done) {
            Tried::Again(failure, asked)
        } else {
            Tried::Never(failure)
        }
    }
}

fn retry_after(answer: &reqwest::Response) -> Option<Duration> {
    let value = answer.headers().get(reqwest::header::RETRY_AFTER)?;
    let seconds = value.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}
