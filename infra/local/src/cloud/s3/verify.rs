//! An upload is held against what was promised before it takes effect.
//!
//! `s3s-fs` compares checksums after the object is in place, and looks for an
//! existing object before the upload starts. AWS leaves no trace of a refused
//! upload, and of two conditional writes at once only one succeeds. So the body
//! given to `s3s-fs` ends in an error unless everything is as promised; it ends
//! well only while no other upload takes effect.

use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures::Stream;
use s3s::checksum::ChecksumHasher;
use s3s::crypto::{Checksum as _, Crc32, Crc32c, Crc64Nvme, Md5, Sha1, Sha256};
use s3s::dto::StreamingBlob;
use s3s::{S3Error, S3ErrorCode, StdError, TrailingHeaders};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::PollSemaphore;

/// The checksums S3 knows, by the ending of their header.
const ALGORITHMS: [&str; 5] = ["crc32", "crc32c", "crc64nvme", "sha1", "sha256"];

/// What the client promised about the body.
#[derive(Debug, Default)]
pub(super) struct Promise {
    pub length: Option<u64>,
    pub content_md5: Option<String>,
    /// By algorithm, from headers.
    pub checksums: Vec<(&'static str, String)>,
    /// The algorithm whose checksum follows the body.
    pub trailing: Option<(String, TrailingHeaders)>,
    /// The file that must not exist at the end.
    pub absent: Option<PathBuf>,
}

/// What became of the body; and, while it lives, the right to take effect.
#[derive(Clone, Debug, Default)]
pub(super) struct Outcome(Arc<Mutex<Ending>>);

#[derive(Debug, Default)]
struct Ending {
    length: u64,
    refusal: Option<(S3ErrorCode, String)>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Outcome {
    /// The length of the body so far.
    pub fn length(&self) -> u64 {
        self.lock().length
    }

    /// The reason why the body was refused, in place of what came of it.
    pub fn explain(&self, error: S3Error) -> S3Error {
        match self.lock().refusal.take() {
            Some((code, message)) => S3Error::with_message(code, message),
            None => error,
        }
    }

    /// Lets the next upload take effect.
    pub fn release(&self) {
        self.lock().permit = None;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Ending> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Wraps a body; `turn` has one permit.
pub(super) fn verified(
    body: StreamingBlob,
    promise: Promise,
    turn: Arc<Semaphore>,
) -> (StreamingBlob, Outcome) {
    let outcome = Outcome::default();
    let mut hasher = ChecksumHasher::default();
    let trailing = promise.trailing.as_ref().map(|(name, _)| name.as_str());
    for name in promise
        .checksums
        .iter()
        .map(|(name, _)| *name)
        .chain(trailing)
    {
        match name {
            "crc32" => hasher.crc32 = Some(Crc32::new()),
            "crc32c" => hasher.crc32c = Some(Crc32c::new()),
            "crc64nvme" => hasher.crc64nvme = Some(Crc64Nvme::new()),
            "sha1" => hasher.sha1 = Some(Sha1::new()),
            "sha256" => hasher.sha256 = Some(Sha256::new()),
            _ => {}
        }
    }
    let stream = Verified {
        md5: promise.content_md5.is_some().then(Md5::new),
        hasher: Some(hasher),
        body,
        promise,
        turn: PollSemaphore::new(turn),
        outcome: outcome.clone(),
    };
    (StreamingBlob::wrap(stream), outcome)
}

struct Verified {
    body: StreamingBlob,
    promise: Promise,
    /// Taken at the end of the body.
    hasher: Option<ChecksumHasher>,
    md5: Option<Md5>,
    turn: PollSemaphore,
    outcome: Outcome,
}

/// The body ended differently than promised.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Refused(String);

impl Stream for Verified {
    type Item = Result<Bytes, Refused>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if this.hasher.is_some() {
            match ready!(Pin::new(&mut this.body).poll_next(cx)) {
                Some(Ok(chunk)) => return Poll::Ready(Some(this.take_in(chunk))),
                Some(Err(error)) => return Poll::Ready(Some(Err(this.broken(&error)))),
                None => {}
            }
            if let Err(refused) = this.compare() {
                return Poll::Ready(Some(Err(refused)));
            }
        }
        if this.outcome.lock().permit.is_none() {
            let permit = ready!(this.turn.poll_acquire(cx));
            this.outcome.lock().permit = permit;
            if this
                .promise
                .absent
                .as_ref()
                .is_some_and(|path| path.exists())
            {
                let message = "At least one of the pre-conditions you specified did not hold";
                let refused = this.refuse(S3ErrorCode::PreconditionFailed, message);
                return Poll::Ready(Some(Err(refused)));
            }
        }
        Poll::Ready(None)
    }
}

impl Verified {
    fn take_in(&mut self, chunk: Bytes) -> Result<Bytes, Refused> {
        if let Some(hasher) = &mut self.hasher {
            hasher.update(&chunk);
        }
        if let Some(md5) = &mut self.md5 {
            md5.update(&chunk);
        }
        let length = {
            let mut ending = self.outcome.lock();
            ending.length += chunk.len() as u64;
            ending.length
        };
        if self
            .promise
            .length
            .is_some_and(|promised| length > promised)
        {
            return Err(self.incomplete());
        }
        Ok(chunk)
    }

    /// The connection broke, or a signed chunk was not what was signed.
    fn broken(&self, error: &StdError) -> Refused {
        tracing::debug!(%error, "an upload broke off");
        self.incomplete()
    }

    fn incomplete(&self) -> Refused {
        let message = "You did not provide the number of bytes specified by the \
                       Content-Length HTTP header";
        self.refuse(S3ErrorCode::IncompleteBody, message)
    }

    fn refuse(&self, code: S3ErrorCode, message: &str) -> Refused {
        let mut ending = self.outcome.lock();
        ending.refusal.get_or_insert((code, message.to_owned()));
        ending.permit = None;
        Refused(message.to_owned())
    }

    fn compare(&mut self) -> Result<(), Refused> {
        let length = self.outcome.length();
        if self
            .promise
            .length
            .is_some_and(|promised| promised != length)
        {
            return Err(self.incomplete());
        }
        if let (Some(md5), Some(promised)) = (self.md5.take(), &self.promise.content_md5)
            && STANDARD.encode(md5.finalize()) != *promised
        {
            let message = "The Content-MD5 you specified did not match what we received.";
            return Err(self.refuse(S3ErrorCode::BadDigest, message));
        }
        let found = self.hasher.take().unwrap_or_default().finalize();
        let found = |name: &str| match name {
            "crc32" => found.checksum_crc32.as_deref(),
            "crc32c" => found.checksum_crc32c.as_deref(),
            "crc64nvme" => found.checksum_crc64nvme.as_deref(),
            "sha1" => found.checksum_sha1.as_deref(),
            "sha256" => found.checksum_sha256.as_deref(),
            _ => None,
        };
        let mut wrong = self
            .promise
            .checksums
            .iter()
            .find(|(name, promised)| found(name) != Some(promised))
            .map(|(name, _)| (*name).to_owned());
        if let Some((name, trailers)) = &self.promise.trailing {
            let header = format!("x-amz-checksum-{name}");
            let promised = trailers
                .read(|headers| headers.get(&header)?.to_str().ok().map(str::to_owned))
                .flatten();
            if promised.is_none() || promised.as_deref() != found(name) {
                wrong = Some(name.clone());
            }
        }
        match wrong {
            None => Ok(()),
            Some(name) => {
                let name = name.to_uppercase();
                let message =
                    format!("The {name} you specified did not match the calculated checksum.");
                Err(self.refuse(S3ErrorCode::BadDigest, &message))
            }
        }
    }
}

/// The checksum that the headers say will follow the body.
pub(super) fn announced_trailer(headers: &http::HeaderMap) -> Option<String> {
    headers
        .get_all("x-amz-trailer")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().strip_prefix("x-amz-checksum-"))
        .find(|name| ALGORITHMS.contains(name))
        .map(str::to_owned)
}
