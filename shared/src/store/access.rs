//! Table `access`: projects, API keys, provider credentials.

use serde::{Deserialize, Serialize};

use super::row::{self, Item, Row, s};
use super::txn::TxnError;
use super::{Page, Store, StoreError, read_page};
use crate::access::credentials::SealedCredential;
use crate::access::keys::{KeyRecord, Verifier};
use crate::domain::{KeyId, ProjectId, Timestamp};

const KEYS: (&str, &str) = ("key_", "key_~");

/// A project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Project {
    /// Identity.
    pub id: ProjectId,
    /// Secret that cursors of this project are signed with, hex.
    pub cursor_secret: String,
    /// When it was made.
    pub inserted_at: Timestamp,
}

fn verifier_key(id: KeyId) -> String {
    format!("key#{id}")
}

impl Store {
    /// Makes a project; gives the one that exists when there is one.
    pub async fn create_project(&self, project: &Project) -> Result<Project, StoreError> {
        let item = Row::new(project.id.as_str(), "project", project)?.build();
        match self.put_rev(&self.tables.access, item, 1).await {
            Ok(()) => Ok(project.clone()),
            Err(StoreError::Conflict) => {
                self.project(&project.id).await?.ok_or(StoreError::Conflict)
            }
            Err(error) => Err(error),
        }
    }

    /// A project.
    pub async fn project(&self, id: &ProjectId) -> Result<Option<Project>, StoreError> {
        let found = self
            .get(&self.tables.access, id.as_str(), "project")
            .await?;
        found.map(row::read).transpose()
    }

    /// Whether there is such a project. Asks for a key of the item and nothing
    /// else: `register` may read no more of this table.
    pub async fn has_project(&self, id: &ProjectId) -> Result<bool, StoreError> {
        let answer = self
            .db
            .get_item()
            .table_name(&self.tables.access)
            .key("pk", s(id.as_str()))
            .key("sk", s("project"))
            .projection_expression("pk")
            .consistent_read(true)
            .send()
            .await?;
        Ok(answer.item.is_some())
    }

    /// Makes an API key.
    pub async fn create_key(
        &self,
        record: &KeyRecord,
        verifier: &Verifier,
        claim: Option<&super::idempotency::Claim>,
    ) -> Result<(), StoreError> {
        let table = &self.tables.access;
        let project = record.project.as_str();
        let txn = self
            .txn()
            .put_rev(
                table,
                Row::new(project, record.id.to_string(), record)?.build(),
                1,
            )?
            .put_rev(
                table,
                Row::new(verifier_key(record.id), "verifier", verifier)?.build(),
                1,
            )?
            .count(table, project, 1)?
            .complete(
                &self.tables,
                &record.project,
                claim,
                201,
                vec![record.id.to_string()],
            )?;
        Ok(txn.commit().await?)
    }

    /// What a presented key is checked against: one read for each request.
    pub async fn verifier(&self, id: KeyId) -> Result<Option<Verifier>, StoreError> {
        let found = self
            .get(&self.tables.access, verifier_key(id), "verifier")
            .await?;
        found.map(row::read).transpose()
    }

    /// A key of the project.
    pub async fn key(
        &self,
        project: &ProjectId,
        id: KeyId,
    ) -> Result<Option<KeyRecord>, StoreError> {
        let found = self
            .get(&self.tables.access, project.as_str(), id.to_string())
            .await?;
        found.map(row::read).transpose()
    }

    /// Keys newest first, and how many there are.
    pub async fn list_keys(
        &self,
        project: &ProjectId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<(Page<KeyRecord>, u64), StoreError> {
        let table = &self.tables.access;
        let (page, total) = futures::future::try_join(
            self.page(table, project.as_str(), KEYS, after, limit, true),
            self.count(table, project.as_str()),
        )
        .await?;
        Ok((read_page(page)?, total))
    }

    /// Revokes a key: it works no more from this moment. False when there is
    /// no such key.
    pub async fn revoke_key(&self, project: &ProjectId, id: KeyId) -> Result<bool, StoreError> {
        let table = &self.tables.access;
        let txn = self
            .txn()
            .delete(
                table,
                (project.as_str(), &id.to_string()),
                Some("attribute_exists(pk)"),
                None,
            )?
            .delete(table, (&verifier_key(id), "verifier"), None, None)?
            .count(table, project.as_str(), -1)?;
        match txn.commit().await {
            Ok(()) => Ok(true),
            Err(TxnError::Condition { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Keeps a provider credential, in place of an older one.
    pub async fn save_credential(
        &self,
        project: &ProjectId,
        credential: &SealedCredential,
    ) -> Result<(), StoreError> {
        let sk = format!("cred#{}", credential.provider);
        let item: Item = Row::new(project.as_str(), sk, credential)?.build();
        self.db
            .put_item()
            .table_name(&self.tables.access)
            .set_item(Some(item))
            .send()
            .await?;
        Ok(())
    }

    /// The sealed credential for a provider.
    pub async fn credential(
        &self,
        project: &ProjectId,
        provider: &str,
    ) -> Result<Option<SealedCredential>, StoreError> {
        let sk = format!("cred#{provider}");
        let found = self.get(&self.tables.access, project.as_str(), sk).await?;
        found.map(row::read).transpose()
    }

    /// Providers the project has credentials for.
    pub async fn credentials(
        &self,
        project: &ProjectId,
    ) -> Result<Vec<SealedCredential>, StoreError> {
        let range = ("cred#", "cred#~");
        let items = self
            .all(&self.tables.access, project.as_str(), range)
            .await?;
        items.into_iter().map(row::read).collect()
    }

    /// Forgets a credential. False when there was none.
    pub async fn delete_credential(
        &self,
        project: &ProjectId,
        provider: &str,
    ) -> Result<bool, StoreError> {
        let sk = format!("cred#{provider}");
        let known = self.credential(project, provider).await?.is_some();
        self.delete(&self.tables.access, project.as_str(), sk)
            .await?;
        Ok(known)
    }
}
