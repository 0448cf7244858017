//! One attempt at a request that makes something.
//!
//! The ids of what a request makes are derived from its claim, so a request that
//! died half-way and comes again makes the same things, not more.

use ring::digest::{SHA256, digest};
use stt_eval_shared::App;
use stt_eval_shared::crypto::random;
use stt_eval_shared::domain::{DatasetId, FileId, KeyId, ProjectId, RunId, Timestamp};
use stt_eval_shared::store::idempotency::Claim;

use crate::refusal::{Kind, Refusal};

/// One attempt at a request that makes something.
#[derive(Debug, Clone)]
pub struct Attempt {
    project: ProjectId,
    claim: Option<Claim>,
    /// When it began.
    pub now: Timestamp,
}

impl Attempt {
    /// An attempt that begins now, with the claim of its key if it has one.
    #[must_use]
    pub fn new(project: ProjectId, claim: Option<Claim>, now: Timestamp) -> Self {
        Self {
            project,
            claim,
            now,
        }
    }

    /// The claim, to be completed together with the effect.
    #[must_use]
    pub fn claim(&self) -> Option<&Claim> {
        self.claim.as_ref()
    }

    /// When the first attempt began, if this is not it.
    #[must_use]
    pub fn repeats(&self) -> Option<Timestamp> {
        self.claim
            .as_ref()
            .filter(|claim| claim.rev > 1)
            .map(|claim| claim.first_at)
    }

    fn seed(&self, kind: &str, index: usize) -> Result<(u64, [u8; 10]), Refusal> {
        let Some(claim) = &self.claim else {
            return Ok((self.now.millis().try_into().unwrap_or(0), random()?));
        };
        let text = format!("id/1\n{}\n{}\n{kind}\n{index}", self.project, claim.key);
        let hash = digest(&SHA256, text.as_bytes());
        let mut entropy = [0u8; 10];
        for (byte, from) in entropy.iter_mut().zip(hash.as_ref()) {
            *byte = *from;
        }
        Ok((claim.first_at.millis().try_into().unwrap_or(0), entropy))
    }

    /// Id of a file this request makes.
    pub fn file_id(&self, index: usize) -> Result<FileId, Refusal> {
        self.seed("file", index)
            .map(|(millis, entropy)| FileId::mint(millis, entropy))
    }

    /// Id of the dataset this request makes.
    pub fn dataset_id(&self) -> Result<DatasetId, Refusal> {
        self.seed("dataset", 0)
            .map(|(millis, entropy)| DatasetId::mint(millis, entropy))
    }

    /// Id of the run this request makes.
    pub fn run_id(&self) -> Result<RunId, Refusal> {
        self.seed("run", 0)
            .map(|(millis, entropy)| RunId::mint(millis, entropy))
    }

    /// Id of the API key this request makes.
    pub fn key_id(&self) -> Result<KeyId, Refusal> {
        self.seed("key", 0)
            .map(|(millis, entropy)| KeyId::mint(millis, entropy))
    }

    /// Completes the claim by itself, for effects that are not one
    /// transaction.
    pub async fn complete(&self, app: &App, made: Vec<String>) -> Result<(), Refusal> {
        match &self.claim {
            None => Ok(()),
            Some(claim) => Ok(app
                .store
                .complete_idempotent(&self.project, claim, made)
                .await?),
        }
    }

    /// Gives the claim back when the request was not done, so that it can be
    /// sent again at once, corrected or not.
    ///
    /// Safe even when the outcome of a write is unknown: what completes the
    /// claim is part of the write, so either the claim is completed and stays,
    /// or the write can't be done any more once the claim is gone.
    pub async fn settle<T>(&self, app: &App, outcome: Result<T, Refusal>) -> Result<T, Refusal> {
        if let (Err(_), Some(claim)) = (&outcome, &self.claim)
            && let Err(error) = app.store.release_idempotent(&self.project, claim).await
        {
            tracing::warn!(%error, "a claim of an Idempotency-Key was not given back; it lapses by itself");
        }
        outcome
    }

    /// As [`Attempt::settle`], unless it was a failure: then the claim stays, so
    /// that the next attempt goes on with the same ids.
    pub async fn settle_refused<T>(
        &self,
        app: &App,
        outcome: Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        match outcome {
            Err(error) if error.kind.is_failure() => Err(error),
            outcome => self.settle(app, outcome).await,
        }
    }
}

/// What an earlier request made is gone.
#[must_use]
pub fn deleted_since() -> Refusal {
    Refusal::new(
        Kind::NoSuch,
        "what the first request with this Idempotency-Key made has been deleted since",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(project: &str, key: Option<&str>, first_at: i64, now: i64) -> Attempt {
        Attempt {
            project: project.parse().unwrap(),
            claim: key.map(|key| Claim {
                key: key.into(),
                payload: String::new(),
                first_at: Timestamp::from_millis(first_at),
                claimed_at: Timestamp::from_millis(now),
                answer: 201,
                status: None,
                made: Vec::new(),
                rev: 2,
            }),
            now: Timestamp::from_millis(now),
        }
    }

    #[test]
    fn a_claim_always_makes_the_same_ids() {
        let first = attempt("demo", Some("k"), 1_000, 1_000);
        let again = attempt("demo", Some("k"), 1_000, 90_000);
        assert_eq!(first.file_id(0).unwrap(), again.file_id(0).unwrap());
        assert_eq!(first.dataset_id().unwrap(), again.dataset_id().unwrap());
        assert_eq!(first.run_id().unwrap(), again.run_id().unwrap());
        assert_ne!(first.file_id(0).unwrap(), first.file_id(1).unwrap());
        for other in [
            attempt("demo2", Some("k"), 1_000, 1_000),
            attempt("demo", Some("l"), 1_000, 1_000),
            attempt("demo", Some("k"), 2_000, 2_000),
            attempt("demo", None, 1_000, 1_000),
        ] {
            assert_ne!(first.file_id(0).unwrap(), other.file_id(0).unwrap());
        }
        assert_eq!(again.repeats(), Some(Timestamp::from_millis(1_000)));
    }
}
