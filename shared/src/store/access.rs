//! Table `access`: projects, API keys, sessions, provider credentials.

use aws_sdk_dynamodb::types::Select;

use super::row::{self, Item, Row, n, s};
use super::txn::{Txn, TxnError};
use super::{Page, Store, StoreError, read_page};
use crate::access::credentials::SealedCredential;
use crate::access::keys::{KeyRecord, Verifier};
use crate::access::project::Project;
use crate::access::sessions::{ListedSession, Session};
use crate::domain::{KeyId, ProjectId, SessionId};

const KEYS: (&str, &str) = ("key_", "key_~");
/// After every session of a project's list.
const SESSIONS_END: &str = "ses_~";

fn verifier_key(id: KeyId) -> String {
    format!("key#{id}")
}

fn session_key(id: SessionId) -> String {
    format!("session#{id}")
}

/// Whether there was something to remove.
fn was_there(done: Result<(), TxnError>) -> Result<bool, StoreError> {
    match done {
        Ok(()) => Ok(true),
        Err(TxnError::Condition { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
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
            .without(project, &id.to_string(), (&verifier_key(id), "verifier"))?
            .count(table, project.as_str(), -1)?;
        was_there(txn.commit().await)
    }

    /// The keys of the project among some: those that were revoked are left out.
    pub async fn keys_of(
        &self,
        project: &ProjectId,
        ids: impl IntoIterator<Item = KeyId>,
    ) -> Result<Vec<KeyRecord>, StoreError> {
        let keys = ids
            .into_iter()
            .map(|id| (project.to_string(), id.to_string()));
        let items = self.get_many(&self.tables.access, keys).await?;
        items.into_iter().map(row::read).collect()
    }

    /// Keeps a session that begins, and puts it on the list of its project. Both vanish
    /// some time after its end; that it has ended is for readers to see.
    pub async fn create_session(&self, session: &Session) -> Result<(), StoreError> {
        let table = &self.tables.access;
        let ttl = n(session.expires_at.seconds());
        let kept = Row::new(session_key(session.id), "session", session)?
            .with("ttl", ttl.clone())
            .build();
        let listed = session.listed();
        let listed = Row::new(session.project.as_str(), listed.id.to_string(), &listed)?
            .with("ttl", ttl)
            .build();
        let txn = self.txn().put_rev(table, kept, 1)?;
        Ok(txn.put_rev(table, listed, 1)?.commit().await?)
    }

    /// Sessions of the project, newest first, from one id on (`oldest`). Those of keys
    /// that were revoked since are among them.
    pub async fn list_sessions(
        &self,
        project: &ProjectId,
        oldest: SessionId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<ListedSession>, StoreError> {
        let oldest = oldest.to_string();
        // DynamoDB refuses to start outside of the range, where a cursor comes to point
        // as time goes by: nothing that is left is older.
        if after.is_some_and(|after| after < oldest.as_str()) {
            return Ok(Page {
                items: Vec::new(),
                next: None,
            });
        }
        let range = (oldest.as_str(), SESSIONS_END);
        let table = &self.tables.access;
        read_page(
            self.page(table, project.as_str(), range, after, limit, true)
                .await?,
        )
    }

    /// How many sessions of a project began at `oldest` or later.
    ///
    /// # Errors
    /// When the table can't be read.
    pub async fn count_sessions(
        &self,
        project: &ProjectId,
        oldest: SessionId,
    ) -> Result<u64, StoreError> {
        let (mut count, mut start) = (0, None);
        loop {
            let answer = self
                .db
                .query()
                .table_name(&self.tables.access)
                .key_condition_expression("pk = :pk AND sk BETWEEN :from AND :to")
                .expression_attribute_values(":pk", s(project.as_str()))
                .expression_attribute_values(":from", s(oldest.to_string()))
                .expression_attribute_values(":to", s(SESSIONS_END))
                .select(Select::Count)
                .set_exclusive_start_key(start)
                .send()
                .await?;
            count += u64::try_from(answer.count).unwrap_or(0);
            start = answer.last_evaluated_key.filter(|key| !key.is_empty());
            if start.is_none() {
                return Ok(count);
            }
        }
    }

    /// A session and what its key is checked against, in one read; `None` unless both
    /// are there.
    pub async fn session(
        &self,
        id: SessionId,
        key: KeyId,
    ) -> Result<Option<(Session, Verifier)>, StoreError> {
        let keys = [
            (session_key(id), "session".to_owned()),
            (verifier_key(key), "verifier".to_owned()),
        ];
        let (mut session, mut verifier) = (None, None);
        for item in self.get_many(&self.tables.access, keys).await? {
            // Answers come in no order.
            match item
                .get("sk")
                .and_then(|sk| sk.as_s().ok())
                .map(String::as_str)
            {
                Some("session") => session = Some(row::read(item)?),
                _ => verifier = Some(row::read(item)?),
            }
        }
        Ok(session.zip(verifier))
    }

    /// Ends the session that asks for it. One that has ended already is no error, nor one
    /// that is on no list.
    pub async fn delete_session(
        &self,
        project: &ProjectId,
        id: SessionId,
    ) -> Result<(), StoreError> {
        let table = &self.tables.access;
        let txn = self
            .txn()
            .delete(table, (&session_key(id), "session"), None, None)?
            .delete(table, (project.as_str(), &id.to_string()), None, None)?;
        Ok(txn.commit().await?)
    }

    /// Ends a session of the project's list: it is good for nothing from this moment.
    /// False when the list has no such session; then nothing is ended, whosever it is.
    pub async fn end_session(
        &self,
        project: &ProjectId,
        id: SessionId,
    ) -> Result<bool, StoreError> {
        let txn = self.without(project, &id.to_string(), (&session_key(id), "session"))?;
        was_there(txn.commit().await)
    }

    /// Removes a row of the project's list, if it is there, with the row that is read when
    /// what it stands for is used.
    fn without(
        &self,
        project: &ProjectId,
        listed: &str,
        used: (&str, &str),
    ) -> Result<Txn<'_>, StoreError> {
        let table = &self.tables.access;
        let is_there = Some("attribute_exists(pk)");
        self.txn()
            .delete(table, (project.as_str(), listed), is_there, None)?
            .delete(table, used, None, None)
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
