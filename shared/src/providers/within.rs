//! Vendors whose calls end before an invocation does.
//!
//! What waits for a call beyond that is cut off, and leaves no trace that it
//! was tried. So every call that is made for an invocation gets the time that is
//! left of it, less what recording its outcome takes, or less where the vendor's
//! client has a bound of its own. [`crate::App::within`] gives such vendors.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use futures::{FutureExt as _, StreamExt as _, stream};
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
    fn short<'a, T: Send + 'a>(
        &self,
        call: BoxFuture<'a, Result<T, CallError>>,
    ) -> BoxFuture<'a, Result<T, CallError>> {
        let left = self.deadline.left(TO_RECORD);
        async move {
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
        .boxed()
    }
}

/// What is answered in place of a capability that the vendor has not. It is
/// not offered then, so nothing comes here.
fn lacking<'a, T: Send + 'a>() -> BoxFuture<'a, Result<T, CallError>> {
    let message = "the vendor has nothing of the kind; nothing was sent";
    let error = CallError::not_sent(Rejection::Invalid, message);
    std::future::ready(Err(error)).boxed()
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

impl<P: Consult + ?Sized> Consult for Within<P> {
    fn check_credential<'a>(
        &'a self,
        credential: &'a Credential,
    ) -> BoxFuture<'a, Result<(), CallError>> {
        self.short(self.inner.check_credential(credential))
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

impl Jobs for Within<dyn Jobs> {
    fn spell(&self, job: &JobName<'_>) -> String {
        self.inner.spell(job)
    }

    fn prepare<'a>(
        &'a self,
        credential: &'a Credential,
        job: &'a NewJob<'a>,
    ) -> BoxFuture<'a, Result<Prepared, CallError>> {
        self.short(self.inner.prepare(credential, job))
    }

    fn start<'a>(
        &'a self,
        credential: &'a Credential,
        job: &'a NewJob<'a>,
        prepared: &'a Prepared,
    ) -> BoxFuture<'a, Result<String, CallError>> {
        self.short(self.inner.start(credential, job, prepared))
    }

    fn find<'a>(
        &'a self,
        credential: &'a Credential,
        sought: &'a Sought<'a>,
    ) -> BoxFuture<'a, Result<Found, CallError>> {
        self.short(self.inner.find(credential, sought))
    }

    fn get<'a>(
        &'a self,
        credential: &'a Credential,
        job: &'a str,
    ) -> BoxFuture<'a, Result<BatchStatus, CallError>> {
        self.short(self.inner.get(credential, job))
    }

    fn cancel<'a>(
        &'a self,
        credential: &'a Credential,
        job: &'a str,
    ) -> BoxFuture<'a, Result<(), CallError>> {
        self.short(self.inner.cancel(credential, job))
    }

    fn output<'a>(
        &'a self,
        credential: &'a Credential,
        output: &'a str,
    ) -> BoxFuture<'a, Result<ByteStream, CallError>> {
        let deadline = self.deadline;
        let opened = self.short(self.inner.output(credential, output));
        async move { Ok(short(opened.await?, deadline)) }.boxed()
    }

    fn discard_output<'a>(
        &'a self,
        credential: &'a Credential,
        output: &'a str,
    ) -> BoxFuture<'a, Result<(), CallError>> {
        self.short(self.inner.discard_output(credential, output))
    }

    fn discard_prepared<'a>(
        &'a self,
        credential: &'a Credential,
        prepared: &'a str,
    ) -> BoxFuture<'a, Result<(), CallError>> {
        self.short(self.inner.discard_prepared(credential, prepared))
    }

    fn discard<'a>(
        &'a self,
        credential: &'a Credential,
        job: &'a str,
    ) -> BoxFuture<'a, Result<(), CallError>> {
        self.short(self.inner.discard(credential, job))
    }

    fn ledger(&self) -> Option<&dyn Ledger> {
        self.inner.ledger().is_some().then_some(self)
    }

    fn audio_store(&self) -> Option<&dyn AudioStore> {
        self.inner.audio_store().is_some().then_some(self)
    }
}

impl Ledger for Within<dyn Jobs> {
    fn list<'a>(
        &'a self,
        credential: &'a Credential,
        since: OffsetDateTime,
    ) -> BoxFuture<'a, Result<Listing, CallError>> {
        match self.inner.ledger() {
            Some(ledger) => self.short(ledger.list(credential, since)),
            None => lacking(),
        }
    }

    fn look_for<'a>(
        &'a self,
        credential: &'a Credential,
        names: &'a [&'a str],
    ) -> BoxFuture<'a, Result<Listing, CallError>> {
        match self.inner.ledger() {
            Some(ledger) => self.short(ledger.look_for(credential, names)),
            None => lacking(),
        }
    }

    fn prepared<'a>(
        &'a self,
        credential: &'a Credential,
        prefix: &'a str,
    ) -> BoxFuture<'a, Result<Vec<KeptFile>, CallError>> {
        match self.inner.ledger() {
            Some(ledger) => self.short(ledger.prepared(credential, prefix)),
            None => lacking(),
        }
    }
}

impl AudioStore for Within<dyn Jobs> {
    fn spell(&self, audio: &AudioName<'_>) -> String {
        let store = self.inner.audio_store();
        store.map_or_else(|| audio.nonce.to_owned(), |store| store.spell(audio))
    }

    fn stage<'a>(
        &'a self,
        credential: &'a Credential,
        name: &'a str,
        mime_type: &'a str,
        source: &'a dyn AudioSource,
    ) -> BoxFuture<'a, Result<StagedInput, CallError>> {
        match self.inner.audio_store() {
            Some(store) => self.short(store.stage(credential, name, mime_type, source)),
            None => lacking(),
        }
    }

    fn names_of(&self, name: &str) -> Vec<String> {
        let store = self.inner.audio_store();
        store.map_or_else(Vec::new, |store| store.names_of(name))
    }

    fn delete<'a>(
        &'a self,
        credential: &'a Credential,
        name: &'a str,
    ) -> BoxFuture<'a, Result<(), CallError>> {
        match self.inner.audio_store() {
            Some(store) => self.short(store.delete(credential, name)),
            None => lacking(),
        }
    }
}

impl Calls for Within<dyn Calls> {
    fn call<'a>(
        &'a self,
        credential: &'a Credential,
        item: &'a CallItem<'a>,
        config: &'a ModelConfig,
    ) -> BoxFuture<'a, Result<CallAnswer, CallError>> {
        self.short(self.inner.call(credential, item, config))
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

    impl Consult for Silent {
        fn check_credential<'a>(
            &'a self,
            _: &'a Credential,
        ) -> BoxFuture<'a, Result<(), CallError>> {
            std::future::pending().boxed()
        }
    }

    impl Calls for Silent {
        fn call<'a>(
            &'a self,
            _: &'a Credential,
            _: &'a CallItem<'a>,
            _: &'a ModelConfig,
        ) -> BoxFuture<'a, Result<CallAnswer, CallError>> {
            std::future::pending().boxed()
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
