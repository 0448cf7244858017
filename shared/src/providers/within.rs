//! Vendors whose calls end before an invocation does.
//!
//! What waits for a call beyond that is cut off, and leaves no trace that it
//! was tried. So every call that is made for an invocation gets the time that is
//! left of it, less what recording its outcome takes, or less where the vendor's
//! client has a bound of its own. [`crate::App::within`] gives such vendors.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::{StreamExt as _, stream};
use time::OffsetDateTime;

use super::audio::{AudioSource, ByteStream, StagedInput};
use super::calls::{CallAnswer, CallItem, Calls};
use super::consult::Consult;
use super::credential::Credential;
use super::error::{CallError, Rejection};
use super::jobs::{
    AudioName, AudioStore, BatchStatus, Found, JobName, Jobs, KeptFile, Ledger, Listing, NewJob,
    Prepared, Sought,
};
use super::lines::{Measured, OutputLine, ReadsLines};
use crate::deadline::Deadline;
use crate::domain::transcribe::ModelConfig;

/// What a call leaves of the invocation: a few writes.
const TO_RECORD: Duration = Duration::from_secs(5);

/// The same client, with calls that end before the deadline.
pub(super) fn within<P: ?Sized>(inner: &Arc<P>, deadline: Deadline) -> Arc<Within<P>> {
    Arc::new(Within {
        inner: Arc::clone(inner),
        deadline,
    })
}

/// A client whose calls end before a deadline.
pub(super) struct Within<P: ?Sized> {
    inner: Arc<P>,
    deadline: Deadline,
}

impl<P: ?Sized> Within<P> {
    /// A call, cut short if need be. One for which no time is left is not made.
    async fn short<T>(
        &self,
        call: impl Future<Output = Result<T, CallError>>,
    ) -> Result<T, CallError> {
        let left = self.deadline.left(TO_RECORD);
        if left.is_zero() {
            let message = "no time is left for a call; nothing was sent";
            return Err(CallError::not_sent(Rejection::Unreachable, message));
        }
        match tokio::time::timeout(left, call).await {
            Ok(answer) => answer,
            Err(_) => Err(CallError::Ambiguous {
                message: "no answer while the function lived".to_owned(),
            }),
        }
    }
}

/// What is answered in place of a capability that the vendor has not. It is
/// not offered then, so nothing comes here.
fn lacking() -> CallError {
    let message = "the vendor has nothing of the kind; nothing was sent";
    CallError::not_sent(Rejection::Invalid, message)
}

/// The same bytes, with an error in place of those that come too late: a stream
/// that simply ended would look whole.
fn short(bytes: ByteStream, deadline: Deadline) -> ByteStream {
    stream::unfold(Some(bytes), move |bytes| async move {
        let mut bytes = bytes?;
        match tokio::time::timeout(deadline.left(TO_RECORD), bytes.next()).await {
            Ok(piece) => Some((piece?, Some(bytes))),
            Err(_) => {
                let late = io::Error::new(
                    io::ErrorKind::TimedOut,
                    "the output did not come while the function lived",
                );
                Some((Err(late), None))
            }
        }
    })
    .boxed()
}

impl<P: ReadsLines + ?Sized> ReadsLines for Within<P> {
    fn read_line(&self, line: &[u8]) -> OutputLine {
        self.inner.read_line(line)
    }

    fn measured(&self, line: &[u8]) -> Measured {
        self.inner.measured(line)
    }
}

#[async_trait]
impl<P: Consult + ?Sized> Consult for Within<P> {
    async fn check_credential(&self, credential: &Credential) -> Result<(), CallError> {
        self.short(self.inner.check_credential(credential)).await
    }

    fn queued_tokens(&self, config: &ModelConfig, language: &str, duration_seconds: f64) -> u64 {
        self.inner.queued_tokens(config, language, duration_seconds)
    }

    fn most_output_tokens(&self, config: &ModelConfig, duration_seconds: f64) -> u64 {
        self.inner.most_output_tokens(config, duration_seconds)
    }

    fn is_free(&self, config: &ModelConfig) -> bool {
        self.inner.is_free(config)
    }
}

#[async_trait]
impl Jobs for Within<dyn Jobs> {
    fn spell(&self, job: &JobName<'_>) -> String {
        self.inner.spell(job)
    }

    async fn prepare(
        &self,
        credential: &Credential,
        job: &NewJob<'_>,
    ) -> Result<Prepared, CallError> {
        self.short(self.inner.prepare(credential, job)).await
    }

    async fn start(
        &self,
        credential: &Credential,
        job: &NewJob<'_>,
        prepared: &Prepared,
    ) -> Result<String, CallError> {
        self.short(self.inner.start(credential, job, prepared))
            .await
    }

    async fn find(&self, credential: &Credential, sought: &Sought<'_>) -> Result<Found, CallError> {
        self.short(self.inner.find(credential, sought)).await
    }

    async fn get(&self, credential: &Credential, job: &str) -> Result<BatchStatus, CallError> {
        self.short(self.inner.get(credential, job)).await
    }

    async fn cancel(&self, credential: &Credential, job: &str) -> Result<(), CallError> {
        self.short(self.inner.cancel(credential, job)).await
    }

    async fn output(&self, credential: &Credential, output: &str) -> Result<ByteStream, CallError> {
        let opened = self.short(self.inner.output(credential, output)).await;
        Ok(short(opened?, self.deadline))
    }

    async fn discard_output(&self, credential: &Credential, output: &str) -> Result<(), CallError> {
        self.short(self.inner.discard_output(credential, output))
            .await
    }

    async fn discard_prepared(
        &self,
        credential: &Credential,
        prepared: &str,
    ) -> Result<(), CallError> {
        self.short(self.inner.discard_prepared(credential, prepared))
            .await
    }

    async fn discard(&self, credential: &Credential, job: &str) -> Result<(), CallError> {
        self.short(self.inner.discard(credential, job)).await
    }

    fn ledger(&self) -> Option<&dyn Ledger> {
        self.inner.ledger().is_some().then_some(self)
    }

    fn audio_store(&self) -> Option<&dyn AudioStore> {
        self.inner.audio_store().is_some().then_some(self)
    }
}

#[async_trait]
impl Ledger for Within<dyn Jobs> {
    async fn list(
        &self,
        credential: &Credential,
        since: OffsetDateTime,
    ) -> Result<Listing, CallError> {
        let ledger = self.inner.ledger().ok_or_else(lacking)?;
        self.short(ledger.list(credential, since)).await
    }

    async fn look_for(
        &self,
        credential: &Credential,
        names: &[&str],
    ) -> Result<Listing, CallError> {
        let ledger = self.inner.ledger().ok_or_else(lacking)?;
        self.short(ledger.look_for(credential, names)).await
    }

    async fn prepared(
        &self,
        credential: &Credential,
        prefix: &str,
    ) -> Result<Vec<KeptFile>, CallError> {
        let ledger = self.inner.ledger().ok_or_else(lacking)?;
        self.short(ledger.prepared(credential, prefix)).await
    }
}

#[async_trait]
impl AudioStore for Within<dyn Jobs> {
    fn spell(&self, audio: &AudioName<'_>) -> String {
        let store = self.inner.audio_store();
        store.map_or_else(|| audio.nonce.to_owned(), |store| store.spell(audio))
    }

    async fn stage(
        &self,
        credential: &Credential,
        name: &str,
        mime_type: &str,
        source: &dyn AudioSource,
    ) -> Result<StagedInput, CallError> {
        let store = self.inner.audio_store().ok_or_else(lacking)?;
        self.short(store.stage(credential, name, mime_type, source))
            .await
    }

    fn names_of(&self, name: &str) -> Vec<String> {
        let store = self.inner.audio_store();
        store.map_or_else(Vec::new, |store| store.names_of(name))
    }

    async fn delete(&self, credential: &Credential, name: &str) -> Result<(), CallError> {
        let store = self.inner.audio_store().ok_or_else(lacking)?;
        self.short(store.delete(credential, name)).await
    }
}

#[async_trait]
impl Calls for Within<dyn Calls> {
    async fn call(
        &self,
        credential: &Credential,
        item: &CallItem<'_>,
        config: &ModelConfig,
    ) -> Result<CallAnswer, CallError> {
        self.short(self.inner.call(credential, item, config)).await
    }

    fn shortest_time_out(&self) -> Duration {
        self.inner.shortest_time_out()
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    /// A vendor that never answers.
    struct Silent;

    fn silent(left: Duration) -> Arc<Within<dyn Calls>> {
        let inner: Arc<dyn Calls> = Arc::new(Silent);
        within(&inner, Deadline::after(left))
    }

    impl ReadsLines for Silent {
        fn read_line(&self, _: &[u8]) -> OutputLine {
            OutputLine::Blank
        }
    }

    #[async_trait]
    impl Consult for Silent {
        async fn check_credential(&self, _: &Credential) -> Result<(), CallError> {
            std::future::pending().await
        }
    }

    #[async_trait]
    impl Calls for Silent {
        async fn call(
            &self,
            _: &Credential,
            _: &CallItem<'_>,
            _: &ModelConfig,
        ) -> Result<CallAnswer, CallError> {
            std::future::pending().await
        }
    }

    fn credential() -> Credential {
        Credential {
            id: "c".to_owned(),
            secret: "s".into(),
        }
    }

    #[tokio::test]
    async fn a_call_ends_before_its_invocation() {
        let credential = credential();
        let soon = silent(TO_RECORD + Duration::from_millis(50));
        let cut = soon.check_credential(&credential).await;
        assert!(matches!(cut, Err(CallError::Ambiguous { .. })), "{cut:?}");
        // What was never sent had no effect.
        let late = silent(TO_RECORD - Duration::from_secs(1));
        let refused = late.check_credential(&credential).await;
        let unreachable = matches!(
            refused,
            Err(CallError::Rejected {
                kind: Rejection::Unreachable,
                ..
            })
        );
        assert!(unreachable, "{refused:?}");
    }

    #[tokio::test]
    async fn bytes_that_come_too_late_are_an_error_and_no_end() {
        let piece = |text: &'static str| Ok(Bytes::from_static(text.as_bytes()));
        let endless = stream::iter([piece("a")]).chain(stream::pending()).boxed();
        let deadline = Deadline::after(TO_RECORD + Duration::from_millis(50));
        let read: Vec<io::Result<Bytes>> = short(endless, deadline).collect().await;
        assert_eq!(read.len(), 2);
        assert_eq!(
            read[1].as_ref().unwrap_err().kind(),
            io::ErrorKind::TimedOut
        );
        let whole = stream::iter([piece("a"), piece("b")]).boxed();
        let read: Vec<io::Result<Bytes>> = short(whole, deadline).collect().await;
        assert!(read.iter().take(1).all(Result::is_ok));
    }
}
