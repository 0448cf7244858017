//! `Idempotency-Key`: the same request again gives the same answer again.
//!
//! A record is claimed before anything is done and completed in the very
//! transaction that does it. The ids of what is made are derived from the
//! record, so a request that died half-way is done again, not twice.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::row::{self, Item, Row, n, s};
use super::txn::{Txn, beside_transactions};
use super::{Store, StoreError};
use crate::domain::{ProjectId, Timestamp};

/// How long records are kept.
const KEPT: Duration = Duration::from_secs(48 * 3_600);
/// A claim older than this has no request behind it any more (the function's
/// timeout is 30 s).
const CLAIM: Duration = Duration::from_secs(60);

/// A claimed record.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Claim {
    /// Hash of the key given by the client.
    pub key: String,
    /// Hash of route and body.
    pub payload: String,
    /// When the first request with this key came. Part of derived ids.
    pub first_at: Timestamp,
    /// When this attempt began.
    pub claimed_at: Timestamp,
    /// What the request is answered with once it is done: a number that only the
    /// caller understands. Stored as `status` when it is.
    #[serde(skip)]
    pub answer: u16,
    /// The number of the answer, once done.
    pub status: Option<u16>,
    /// Ids of what was made, once done.
    #[serde(default)]
    pub made: Vec<String>,
    /// Revision, for conditional writes.
    pub rev: u64,
}

/// What a key stands for.
#[derive(Debug, Clone)]
pub enum Begin {
    /// Nothing was done yet; go on with this claim.
    Claimed(Claim),
    /// It was done: what was made, and what was answered.
    Done {
        /// The number that the claim was begun with.
        status: u16,
        /// Ids of what was made.
        made: Vec<String>,
    },
    /// The same request is under way.
    Running,
    /// The key was used with another request.
    Mismatch,
}

impl Claim {
    fn item(&self, project: &ProjectId) -> Result<Item, StoreError> {
        Ok(
            Row::new(project.as_str(), format!("idem#{}", self.key), self)?
                .with("ttl", n((self.first_at + KEPT).seconds()))
                .build(),
        )
    }

    fn completed(&self, made: Vec<String>) -> Self {
        Self {
            status: Some(self.answer),
            made,
            rev: self.rev + 1,
            ..self.clone()
        }
    }
}

impl Store {
    /// Claims a key, or tells what it stands for. `answer` is kept with the claim
    /// and told when the same request comes again.
    pub async fn begin_idempotent(
        &self,
        project: &ProjectId,
        key: &str,
        payload: &str,
        answer: u16,
        now: Timestamp,
    ) -> Result<Begin, StoreError> {
        let fresh = Claim {
            key: key.to_owned(),
            payload: payload.to_owned(),
            first_at: now,
            claimed_at: now,
            answer,
            status: None,
            made: Vec::new(),
            rev: 1,
        };
        match self
            .put_rev(&self.tables.runs, fresh.item(project)?, 1)
            .await
        {
            Ok(()) => return Ok(Begin::Claimed(fresh)),
            Err(StoreError::Conflict) => {}
            Err(error) => return Err(error),
        }
        let stored = self
            .get(&self.tables.runs, project.as_str(), format!("idem#{key}"))
            .await?;
        // Gone between the two calls: its time was up this very moment.
        let Some(stored) = stored else {
            return Ok(Begin::Running);
        };
        let stored: Claim = row::read(stored)?;
        if stored.payload != payload {
            return Ok(Begin::Mismatch);
        }
        if let Some(status) = stored.status {
            return Ok(Begin::Done {
                status,
                made: stored.made,
            });
        }
        if now.since(stored.claimed_at) < CLAIM {
            return Ok(Begin::Running);
        }
        let again = Claim {
            claimed_at: now,
            answer,
            rev: stored.rev + 1,
            ..stored
        };
        match self
            .put_rev(&self.tables.runs, again.item(project)?, again.rev)
            .await
        {
            Ok(()) => Ok(Begin::Claimed(again)),
            Err(StoreError::Conflict) => Ok(Begin::Running),
            Err(error) => Err(error),
        }
    }

    /// Completes a claim by itself, for effects that are not one transaction.
    pub async fn complete_idempotent(
        &self,
        project: &ProjectId,
        claim: &Claim,
        made: Vec<String>,
    ) -> Result<(), StoreError> {
        let done = claim.completed(made);
        self.put_rev(&self.tables.runs, done.item(project)?, done.rev)
            .await
    }

    /// Gives a claim back: the request was refused and may be corrected.
    pub async fn release_idempotent(
        &self,
        project: &ProjectId,
        claim: &Claim,
    ) -> Result<(), StoreError> {
        let delete = self
            .db
            .delete_item()
            .table_name(&self.tables.runs)
            .key("pk", s(project.as_str()))
            .key("sk", s(format!("idem#{}", claim.key)))
            .condition_expression("rev = :rev")
            .expression_attribute_values(":rev", n(claim.rev));
        let deleted = beside_transactions(|| delete.clone().send()).await;
        match deleted.map_err(StoreError::from) {
            Ok(_) | Err(StoreError::Conflict) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

impl Txn<'_> {
    /// Completes a claim together with the effect.
    pub(super) fn complete(
        self,
        tables: &super::Tables,
        project: &ProjectId,
        claim: Option<&Claim>,
        made: Vec<String>,
    ) -> Result<Self, StoreError> {
        let Some(claim) = claim else { return Ok(self) };
        let done = claim.completed(made);
        self.put_rev(&tables.runs, done.item(project)?, done.rev)
    }
}
