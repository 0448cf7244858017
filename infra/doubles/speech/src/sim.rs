//! What the vendors' handlers share.

use axum::response::Response;

use crate::audio::{Audio, Recordings};
use crate::bucket::Bucket;
use crate::fault::Faults;
use crate::ledger::{Book, Charge};
use crate::refusal::{after, before};

/// Everything the handlers share.
#[derive(Debug, Default)]
pub(crate) struct Sim {
    pub faults: Faults,
    pub book: Book,
    pub recordings: Recordings,
    /// What Amazon Transcribe reads and writes, where there is one.
    pub bucket: Option<Bucket>,
    /// Where it listens.
    pub url: String,
}

impl Sim {
    /// Where it listens, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Writes down that audio was worked on, and is billed.
    pub fn charge(&self, vendor: &str, account: &str, model: &str, audio: &Audio) {
        self.book.charge(Charge {
            vendor: vendor.to_owned(),
            account: account.to_owned(),
            model: model.to_owned(),
            audio: audio.sha256.clone(),
        });
    }

    /// Answers a request that is free; a fault may be played for it, by the vendor and the
    /// step. Whoever has no account is refused before.
    pub async fn free(
        &self,
        step: (&str, &str),
        account: Result<String, Box<Response>>,
        work: impl FnOnce(&str) -> Response,
    ) -> Response {
        match account {
            Ok(account) => self.played(step, async { work(&account) }).await,
            Err(refusal) => *refusal,
        }
    }

    /// Does something that a fault may be played for, by the vendor and the step.
    pub async fn played(
        &self,
        (vendor, step): (&str, &str),
        work: impl Future<Output = Response>,
    ) -> Response {
        let fault = self.faults.next(&format!("{vendor}/{step}"));
        if let Some(response) = before(fault.as_ref()) {
            return response;
        }
        let response = work.await;
        after(fault).await.unwrap_or(response)
    }

    /// Does what costs money: charges for the audio and answers with what is heard,
    /// unless a fault is to be played.
    pub async fn work(
        &self,
        (vendor, account, model): (&str, &str, &str),
        audio: &Audio,
        answer: impl FnOnce(String) -> Response,
    ) -> Response {
        let fault = self.faults.next(vendor);
        if let Some(response) = before(fault.as_ref()) {
            return response;
        }
        self.charge(vendor, account, model, audio);
        match after(fault).await {
            Some(response) => response,
            None => answer(self.recordings.hear(audio)),
        }
    }
}
