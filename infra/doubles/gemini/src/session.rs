//! Upload sessions: what has arrived so far.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Body;
use axum::response::Response;
use futures::StreamExt;
use http::{HeaderName, HeaderValue};
use ring::digest;
use tokio::fs::File;
use tokio::io::AsyncWriteExt;

use crate::owner::Owner;
use crate::wire::ApiError;

pub(crate) const STATUS: HeaderName = HeaderName::from_static("x-goog-upload-status");
const RECEIVED: HeaderName = HeaderName::from_static("x-goog-upload-size-received");

/// All uploads under way.
#[derive(Default)]
pub(crate) struct Sessions(Mutex<HashMap<String, Arc<Session>>>);

/// One upload: what is fixed at its start, and its progress.
pub(crate) struct Session {
    pub key: String,
    pub display_name: Option<String>,
    pub owner: Owner,
    pub mime_type: String,
    pub declared: Option<u64>,
    pub id: String,
    pub progress: tokio::sync::Mutex<Progress>,
}

/// What has arrived of an upload.
pub(crate) struct Progress {
    pub received: u64,
    pub hash: digest::Context,
    /// The bytes, where they are kept: audio is only hashed.
    pub sink: Option<(PathBuf, File)>,
    pub status: Status,
}

impl Progress {
    /// Ends the upload without a file and forgets its bytes.
    pub(crate) fn cancel(&mut self) {
        self.status = Status::Cancelled;
        if let Some((path, _)) = self.sink.take() {
            let _ = std::fs::remove_file(path);
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Status {
    Active,
    Final,
    Cancelled,
}

impl Status {
    pub(crate) fn header(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Active => "active",
            Self::Final => "final",
            Self::Cancelled => "cancelled",
        })
    }
}

impl Sessions {
    pub(crate) fn map(&self) -> MutexGuard<'_, HashMap<String, Arc<Session>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn get(&self, id: &str) -> Option<Arc<Session>> {
        self.map().get(id).cloned()
    }
}

/// Reads a body to its end, so that an early answer reaches the sender.
pub(crate) async fn drain(body: Body) {
    let mut stream = body.into_data_stream();
    while let Some(Ok(_)) = stream.next().await {}
}

/// What became of the bytes of a chunk.
pub(crate) enum Received {
    All,
    Dropped,
    TooMuch,
}

/// Takes the bytes of a chunk as they come; what arrived before a broken
/// connection stays, as `query` will say.
pub(crate) async fn receive(
    progress: &mut Progress,
    body: Body,
    limit: u64,
    drop_after: Option<u64>,
    read: &mut u64,
) -> Result<Received, ApiError> {
    let mut room = drop_after.unwrap_or(u64::MAX);
    let mut stream = body.into_data_stream();
    if room == 0 {
        return Ok(Received::Dropped);
    }
    while let Some(frame) = stream.next().await {
        let frame = frame.map_err(|e| ApiError::invalid(format!("The body broke off: {e}")))?;
        *read += frame.len() as u64;
        let take = usize::try_from(room).map_or(frame.len(), |room| room.min(frame.len()));
        let bytes = &frame[..take];
        if progress.received + take as u64 > limit {
            while let Some(Ok(frame)) = stream.next().await {
                *read += frame.len() as u64;
            }
            return Ok(Received::TooMuch);
        }
        if let Some((_, file)) = &mut progress.sink {
            file.write_all(bytes).await.map_err(ApiError::internal)?;
        }
        progress.hash.update(bytes);
        progress.received += take as u64;
        room -= take as u64;
        if room == 0 && drop_after.is_some() {
            break;
        }
    }
    Ok(match drop_after {
        Some(_) => Received::Dropped,
        None => Received::All,
    })
}

/// Adds the progress to a reply.
pub(crate) fn with_progress(mut response: Response, progress: &Progress) -> Response {
    let headers = response.headers_mut();
    headers.insert(STATUS, progress.status.header());
    headers.insert(RECEIVED, HeaderValue::from(progress.received));
    response
}

/// Refuses a step of an upload.
pub(crate) fn refuse(progress: &Progress, message: &str) -> Response {
    with_progress(ApiError::invalid(message).response(), progress)
}
