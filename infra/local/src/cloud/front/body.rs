//! Reading a body up to a limit, and being polite beyond it.

use std::io;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http::header::CONTENT_LENGTH;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use serde_json::Value;

use super::super::draining::{drain, wants_answer_first};

/// How long a client may take to send a body.
const READ_TIMEOUT: Duration = Duration::from_secs(30);
/// Why there is no body.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum BodyError {
    TooLong,
    Slow,
    Broken,
}

/// Reads the whole body if it can fit into `limit` bytes of JSON.
///
/// Of a longer one no more than the limit is ever held; the rest is drained.
pub(super) async fn read(
    headers: &HeaderMap,
    mut body: Incoming,
    limit: usize,
    encoded: bool,
) -> Result<Bytes, BodyError> {
    // Base64 makes four bytes of three.
    let limit = if encoded { limit / 4 * 3 } else { limit };
    let announced: Option<usize> = headers
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok())
        .and_then(|length| length.parse().ok());
    if announced.is_some_and(|length| length > limit) {
        if !wants_answer_first(headers) {
            drain(&mut body).await;
        }
        return Err(BodyError::TooLong);
    }
    let reading = tokio::time::timeout(READ_TIMEOUT, async {
        let mut read = BytesMut::with_capacity(announced.unwrap_or_default());
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| BodyError::Broken)?;
            let Ok(data) = frame.into_data() else {
                continue;
            };
            if read.len() + data.len() > limit {
                return Err(BodyError::TooLong);
            }
            read.extend_from_slice(&data);
        }
        Ok(read.freeze())
    });
    let result = reading.await.unwrap_or(Err(BodyError::Slow));
    if matches!(result, Err(BodyError::TooLong)) {
        drain(&mut body).await;
    }
    result
}

/// The length of a value as JSON, without writing it anywhere.
pub(super) fn json_size(value: &Value) -> usize {
    struct Counter(usize);
    impl io::Write for Counter {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut counter = Counter(0);
    match serde_json::to_writer(&mut counter, value) {
        Ok(()) => counter.0,
        Err(_) => usize::MAX,
    }
}
