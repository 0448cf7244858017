//! Resumable upload: start a session, send chunks, ask where it stands when a
//! chunk fails, go on from there.
//!
//! Protocol: `PROTOCOL.md` §1.1 and §1.2; the `query` command is that of
//! Google's resumable uploads in general. A chunk is streamed from the source,
//! so a file is never whole in memory.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures::{StreamExt, TryStreamExt, stream};
use reqwest::header::{CONTENT_LENGTH, HeaderMap, HeaderName};
use reqwest::{Method, Url};
use serde_json::json;

use super::super::{AudioSource, ByteStream, CallError, Credential, Rejection};
use super::client::{Call, Client, Reply, VERSION};
use super::errors::{self, About};
use super::wire;
use crate::providers::http::{is_transient, scrub};

const COMMAND: &str = "x-goog-upload-command";
const OFFSET: &str = "x-goog-upload-offset";
const STATUS: HeaderName = HeaderName::from_static("x-goog-upload-status");
const RECEIVED: HeaderName = HeaderName::from_static("x-goog-upload-size-received");
const GRANULARITY: HeaderName = HeaderName::from_static("x-goog-upload-chunk-granularity");
const SESSION_URL: HeaderName = HeaderName::from_static("x-goog-upload-url");

/// Largest multiple a server may ask chunks to be of.
const MAX_GRANULARITY: u64 = 64 * 1024 * 1024;

/// One upload.
pub(super) struct Transfer<'a> {
    pub client: &'a Client,
    pub credential: &'a Credential,
    /// `files/<id>`, chosen by us.
    pub name: &'a str,
    /// What lists show it as.
    pub display_name: &'a str,
    pub mime_type: &'a str,
    pub source: &'a dyn AudioSource,
}

struct Session {
    url: Url,
    chunk_size: u64,
}

/// Where an upload stands after a request.
#[derive(Debug)]
enum Progress {
    /// The server has the bytes before this offset.
    Received(u64),
    /// It has all and has made the file; its description, when it was readable.
    Final(Option<Box<wire::File>>),
}

/// Why a session did not end with a file.
enum Interrupted {
    /// The session is gone; a new one can be started.
    SessionLost(CallError),
    /// It makes no sense to go on.
    Stop(CallError),
}

impl Transfer<'_> {
    /// Uploads all of it. `None` when it is done but the answer was not
    /// readable: the file can be looked up by its name. A name that is taken
    /// is [`Rejection::Exists`], from the start or from the end.
    pub async fn run(&self) -> Result<Option<Box<wire::File>>, CallError> {
        let retry = &self.client.config.retry;
        let mut attempt = 1;
        loop {
            let session = self.start().await?;
            match self.send_all(&session).await {
                Ok(file) => return Ok(file),
                Err(Interrupted::Stop(error)) => return Err(error),
                Err(Interrupted::SessionLost(error)) => {
                    let Some(pause) = retry.advised(attempt, None) else {
                        return Err(error);
                    };
                    tracing::warn!(file = %self.name, attempt, %error, "upload session lost, starting again");
                    tokio::time::sleep(pause).await;
                    attempt += 1;
                }
            }
        }
    }

    /// Starts a session. May be repeated: one that is not used just ends.
    async fn start(&self) -> Result<Session, CallError> {
        let total = self.source.len();
        let path = format!("/upload/{VERSION}/files");
        // 403 here is about the key: no file is asked for.
        let call = Call::new(Method::POST, path, About::Other)
            .header("x-goog-upload-protocol", "resumable")
            .header(COMMAND, "start")
            .header("x-goog-upload-header-content-length", total.to_string())
            .header("x-goog-upload-header-content-type", self.mime_type)
            .body(json!({"file": {
                "name": self.name,
                "display_name": self.display_name,
                "mime_type": self.mime_type,
                "size_bytes": total,
            }}));
        let reply = self.client.call(self.credential, &call).await?;
        let url = header(&reply.headers, &SESSION_URL)
            .and_then(|url| Url::parse(url).ok())
            .filter(|url| self.client.is_acceptable(url))
            .ok_or_else(|| errors::unreadable("no usable upload URL in the answer"))?;
        let granularity = number(&reply.headers, &GRANULARITY).unwrap_or(1);
        Ok(Session {
            url,
            chunk_size: chunk_size(self.client.config.chunk_size, granularity),
        })
    }

    async fn send_all(&self, session: &Session) -> Result<Option<Box<wire::File>>, Interrupted> {
        let total = self.source.len();
        let retry = &self.client.config.retry;
        let mut offset: u64 = 0;
        // Only getting further than ever before counts as progress, so that
        // this ends whatever a server answers.
        let mut furthest = 0;
        let mut failures = 0;
        loop {
            let end = offset.saturating_add(session.chunk_size).min(total);
            let error = match self.send_chunk(session, offset, end).await {
                Ok(Progress::Final(file)) if end == total => return Ok(file),
                Ok(Progress::Final(_)) => {
                    let error = errors::unreadable("an upload was ended before its last chunk");
                    return Err(Interrupted::SessionLost(error));
                }
                Ok(Progress::Received(next)) if end < total => {
                    offset = next;
                    if offset > furthest {
                        furthest = offset;
                        failures = 0;
                    }
                    continue;
                }
                Ok(Progress::Received(_)) => errors::unreadable("the upload was not finished"),
                Err(error) => error,
            };
            let Some(advice) = resumable(&error) else {
                return Err(stop_or_lost(error));
            };
            failures += 1;
            let Some(pause) = retry.advised(failures, advice) else {
                return Err(Interrupted::Stop(error));
            };
            tracing::warn!(file = %self.name, offset, failures, %error, "chunk failed, asking where the upload stands");
            tokio::time::sleep(pause).await;
            let received = match self.query(session).await? {
                Progress::Final(file) => return Ok(file),
                Progress::Received(received) => received,
            };
            let in_step = received == offset;
            if in_step && is_refusal(&error) {
                return Err(Interrupted::Stop(error));
            }
            if received > total {
                let error = errors::unreadable("more bytes received than sent");
                return Err(Interrupted::SessionLost(error));
            }
            offset = received;
            if offset > furthest {
                furthest = offset;
                failures = 0;
            }
        }
    }

    /// Sends the bytes `[start, end)`; the last chunk also ends the upload.
    async fn send_chunk(
        &self,
        session: &Session,
        start: u64,
        end: u64,
    ) -> Result<Progress, CallError> {
        let last = end == self.source.len();
        let command = if last { "upload, finalize" } else { "upload" };
        let failed = Arc::new(OnceLock::new());
        let body = if start == end {
            reqwest::Body::from("")
        } else {
            let opened = self.source.open(start, end).await;
            let bytes = opened.map_err(|e| input_error(&e.to_string()))?;
            exactly(bytes, end - start, Arc::clone(&failed))
        };
        let request = self
            .client
            .session_request(&session.url)?
            .header(COMMAND, command)
            .header(OFFSET, start.to_string())
            .header(CONTENT_LENGTH, (end - start).to_string())
            .body(body);
        let timeout = self.client.config.chunk_timeout;
        let reply = self.send(request, timeout).await;
        match reply {
            Ok(reply) => progress(&reply, end, last),
            // The request failed because of our own bytes: say so.
            Err(error) => Err(failed.get().map_or(error, |why: &String| input_error(why))),
        }
    }

    /// Asks how far the upload is. May be repeated.
    async fn query(&self, session: &Session) -> Result<Progress, Interrupted> {
        let mut attempt = 1;
        loop {
            let request = self
                .client
                .session_request(&session.url)
                .map_err(stop_or_lost)?
                .header(COMMAND, "query")
                .header(CONTENT_LENGTH, "0");
            let timeout = self.client.config.request_timeout;
            let error = match self.send(request, timeout).await {
                Ok(reply) => return standing(&reply).map_err(Interrupted::SessionLost),
                Err(error) => error,
            };
            let Some(pause) = self.client.config.retry.after(attempt, &error) else {
                return Err(stop_or_lost(error));
            };
            tokio::time::sleep(pause).await;
            attempt += 1;
        }
    }

    async fn send(
        &self,
        request: reqwest::RequestBuilder,
        timeout: Duration,
    ) -> Result<Reply, CallError> {
        self.client
            .send(self.credential, request, timeout, About::Other)
            .await
    }
}

/// What the answer to a chunk says.
fn progress(reply: &Reply, end: u64, last: bool) -> Result<Progress, CallError> {
    let file = || described(reply);
    match header(&reply.headers, &STATUS) {
        Some("final") => Ok(Progress::Final(file())),
        Some("active") => Ok(Progress::Received(end)),
        Some("cancelled") => Err(CallError::Rejected {
            status: 200,
            kind: Rejection::NotFound,
            message: "the upload was cancelled by the server".to_owned(),
        }),
        // A proxy that drops headers: the file itself is proof enough.
        _ if last => match file() {
            Some(file) if file.name.is_some() => Ok(Progress::Final(Some(file))),
            _ => Err(errors::unreadable("no status of the upload")),
        },
        _ => Err(errors::unreadable("no status of the upload")),
    }
}

/// The file that an answer describes.
fn described(reply: &Reply) -> Option<Box<wire::File>> {
    let uploaded = reply.json::<wire::Uploaded>().ok()?;
    uploaded.file.map(Box::new)
}

/// What the answer to a query says.
fn standing(reply: &Reply) -> Result<Progress, CallError> {
    match header(&reply.headers, &STATUS) {
        Some("final") => Ok(Progress::Final(described(reply))),
        Some("active") => number(&reply.headers, &RECEIVED)
            .map(Progress::Received)
            .ok_or_else(|| errors::unreadable("no size received")),
        _ => Err(errors::unreadable("the upload is not active")),
    }
}

/// Whether it is worth asking where the upload stands, and when. A chunk that
/// is refused as wrong may just be out of step with the server.
fn resumable(error: &CallError) -> Option<Option<Duration>> {
    match error {
        CallError::Input { .. } => Some(None),
        error if is_refusal(error) => Some(None),
        error => is_transient(error),
    }
}

fn is_refusal(error: &CallError) -> bool {
    matches!(
        error,
        CallError::Rejected {
            kind: Rejection::Invalid,
            status: 400..,
            ..
        }
    )
}

fn stop_or_lost(error: CallError) -> Interrupted {
    match error {
        CallError::Rejected {
            kind: Rejection::NotFound,
            ..
        } => Interrupted::SessionLost(error),
        error => Interrupted::Stop(error),
    }
}

/// A body of exactly so many bytes of a source. What goes wrong on our side
/// is left in `failed`, because the HTTP client reports it as its own.
fn exactly(bytes: ByteStream, length: u64, failed: Arc<OnceLock<String>>) -> reqwest::Body {
    let checked = stream::try_unfold((bytes, length), |(mut bytes, left)| async move {
        let wrong = |what: &str| Err(std::io::Error::other(what.to_owned()));
        match bytes.next().await {
            Some(Ok(piece)) => match left.checked_sub(piece.len() as u64) {
                Some(left) => Ok(Some((piece, (bytes, left)))),
                None => wrong("the source gave more bytes than asked for"),
            },
            Some(Err(e)) => Err(e),
            None if left == 0 => Ok(None),
            None => wrong("the source ended early"),
        }
    });
    reqwest::Body::wrap_stream(checked.inspect_err(move |e| {
        let _ = failed.set(e.to_string());
    }))
}

fn input_error(why: &str) -> CallError {
    CallError::Input {
        message: scrub(why, ""),
    }
}

/// The configured size, as a multiple of what the server asks for.
fn chunk_size(configured: u64, granularity: u64) -> u64 {
    if !(1..=MAX_GRANULARITY).contains(&granularity) {
        return configured;
    }
    (configured - configured % granularity).max(granularity)
}

fn header<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

fn number(headers: &HeaderMap, name: &HeaderName) -> Option<u64> {
    header(headers, name)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_multiples_of_what_the_server_asks() {
        let mib = 1024 * 1024;
        assert_eq!(chunk_size(8 * mib, 256 * 1024), 8 * mib);
        assert_eq!(chunk_size(8 * mib, 3 * mib), 6 * mib);
        assert_eq!(chunk_size(1000, 256 * 1024), 256 * 1024);
        assert_eq!(chunk_size(1000, 0), 1000);
        assert_eq!(chunk_size(1000, u64::MAX), 1000);
    }
}
