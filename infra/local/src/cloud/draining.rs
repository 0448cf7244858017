//! Being polite to a client whose body is not wanted.
//!
//! To close a connection that has unread data resets it, and the client may
//! lose the answer. So the rest of a refused body is read and thrown away, for
//! a while; a client that asked before sending is answered at once. Where a
//! body is left unread the connection ends after the answer, and the answer
//! says so: else the client sends its next request into a closed connection.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http::header::EXPECT;
use http_body_util::BodyExt as _;
use hyper::body::{Body, Frame, Incoming, SizeHint};

/// How much of an unwanted body is read.
const MAX_BYTES: usize = 64 * 1024 * 1024;
/// How long that may take.
const MAX_TIME: Duration = Duration::from_secs(5);

/// Whether the client waits for leave to send its body.
pub(super) fn wants_answer_first(headers: &HeaderMap) -> bool {
    headers.contains_key(EXPECT)
}

/// Reads the rest of a body, within limits.
pub(super) async fn drain(body: &mut Incoming) {
    let reading = async {
        let mut read = 0;
        while let Some(Ok(frame)) = body.frame().await {
            read += frame.data_ref().map_or(0, Bytes::len);
            if read > MAX_BYTES {
                break;
            }
        }
    };
    let _ = tokio::time::timeout(MAX_TIME, reading).await;
}

/// Where a [`Lent`] body comes back to.
pub(super) type Home = Arc<Mutex<Option<Incoming>>>;

/// A body that comes back when its reader is done with it, read or not.
pub(super) struct Lent {
    body: Option<Incoming>,
    home: Home,
}

impl Lent {
    pub fn new(body: Incoming) -> (Self, Home) {
        let home = Home::default();
        let lent = Self {
            body: Some(body),
            home: Arc::clone(&home),
        };
        (lent, home)
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        *self.home.lock().unwrap_or_else(PoisonError::into_inner) = self.body.take();
    }
}

impl Body for Lent {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match &mut self.get_mut().body {
            Some(body) => Pin::new(body).poll_frame(cx),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body
            .as_ref()
            .map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

/// Whether something is left of what came back. With `drains`, it is read first.
pub(super) async fn is_left(home: &Home, drains: bool) -> bool {
    let returned = home.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some(mut body) = returned else {
        return false;
    };
    if drains && !body.is_end_stream() {
        drain(&mut body).await;
    }
    !body.is_end_stream()
}
