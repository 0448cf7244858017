//! Table `access`: models of a project's own. They lie where their credentials would,
//! and are these as well.

use super::row::{self, Row};
use super::txn::TxnError;
use super::{Store, StoreError};
use crate::access::own_models::OwnModelRecord;
use crate::domain::ProjectId;
use crate::domain::endpoint::id;

/// What became of a model that was to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Creation {
    /// It was.
    Made,
    /// There is one of this name.
    Taken,
    /// Others were made, changed or deleted since they were read.
    Meanwhile,
}

fn key(name: &str) -> String {
    format!("cred#{}", id(name))
}

impl Store {
    /// Makes a model. Whether there may be one more is known of what was read before: where
    /// that matters, `beside` is the first of those, which goes to its next revision in the
    /// same transaction. So of two that are made at once one reads again.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn create_own_model(
        &self,
        project: &ProjectId,
        record: &OwnModelRecord,
        beside: Option<&OwnModelRecord>,
        claim: Option<&super::idempotency::Claim>,
    ) -> Result<Creation, StoreError> {
        let row = |of: &OwnModelRecord| Row::new(project.as_str(), key(&of.endpoint.name), of);
        let table = &self.tables.access;
        let mut txn = self.txn().put_rev(table, row(record)?.build(), 1)?;
        if let Some(other) = beside {
            let next = OwnModelRecord {
                rev: other.rev + 1,
                ..other.clone()
            };
            txn = txn.put_rev(table, row(&next)?.build(), next.rev)?;
        }
        let made = vec![record.endpoint.name.clone()];
        let txn = txn.complete(&self.tables, project, claim, made)?;
        match txn.commit().await {
            Ok(()) => Ok(Creation::Made),
            Err(TxnError::Condition { index: 0, .. }) => Ok(Creation::Taken),
            Err(TxnError::Condition { index: 1, .. }) if beside.is_some() => {
                Ok(Creation::Meanwhile)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Writes a model's next revision.
    ///
    /// # Errors
    /// `Conflict` when it was changed or deleted meanwhile.
    pub async fn save_own_model(
        &self,
        project: &ProjectId,
        record: &OwnModelRecord,
    ) -> Result<(), StoreError> {
        let row = Row::new(project.as_str(), key(&record.endpoint.name), record)?;
        self.put_rev(&self.tables.access, row.build(), record.rev)
            .await
    }

    /// A model.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    pub async fn own_model(
        &self,
        project: &ProjectId,
        name: &str,
    ) -> Result<Option<OwnModelRecord>, StoreError> {
        let found = self
            .get(&self.tables.access, project.as_str(), key(name))
            .await?;
        found.map(row::read).transpose()
    }

    /// All models of a project, by name.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`.
    pub async fn own_models(&self, project: &ProjectId) -> Result<Vec<OwnModelRecord>, StoreError> {
        let (first, last) = (key(""), key("~"));
        let items = self
            .all(&self.tables.access, project.as_str(), (&first, &last))
            .await?;
        items.into_iter().map(row::read).collect()
    }

    /// Forgets a model and its key. False when there was none.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn delete_own_model(
        &self,
        project: &ProjectId,
        name: &str,
    ) -> Result<bool, StoreError> {
        self.delete_credential(project, &id(name)).await
    }
}
