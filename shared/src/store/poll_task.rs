//! Poll tasks: the work of asking a provider, with one credential, for its
//! batches. They lie in table `units`, beside what they are for.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::row::{self, Item, Row, n};
use super::txn::{Txn, TxnError};
use super::{Store, StoreError, pause};
use crate::domain::unit::Unit;
use crate::domain::{ProjectId, Timestamp};

/// Sort keys of poll tasks begin with this.
pub(super) const PREFIX: &str = "poll#";

/// How often those who change the task of a credential may collide.
const TASK_TRIES: u32 = 10;

/// The work of asking one provider, with one credential, for its batches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PollTask {
    /// Owner.
    pub project: ProjectId,
    /// Provider.
    pub provider: String,
    /// Id of the credential.
    pub credential: String,
    /// Polls since something last changed: the pause grows with it.
    #[serde(default)]
    pub quiet: u32,
    /// When batches that nobody recorded were last looked for.
    #[serde(default)]
    pub audited_at: Option<Timestamp>,
    /// When every open batch was last asked for.
    #[serde(default)]
    pub asked_at: Option<Timestamp>,
    /// Whether somebody holds the task; if they crash, until it is due again.
    #[serde(default)]
    pub busy: bool,
    /// Until then the credential is watched for batches that nobody recorded,
    /// whether or not it has open ones: a creation of unknown outcome may take
    /// effect late.
    #[serde(default)]
    pub watch_until: Option<Timestamp>,
    /// When to poll next.
    pub due_at: Option<Timestamp>,
    /// Revision, for conditional writes.
    #[serde(default)]
    pub rev: u64,
}

impl PollTask {
    /// A task that is not written yet.
    fn new(project: &ProjectId, provider: &str, credential: &str) -> Self {
        Self {
            project: project.clone(),
            provider: provider.to_owned(),
            credential: credential.to_owned(),
            quiet: 0,
            audited_at: None,
            asked_at: None,
            busy: false,
            watch_until: None,
            due_at: None,
            rev: 0,
        }
    }
}

fn sort_key(provider: &str, credential: &str) -> String {
    format!("{PREFIX}{provider}#{credential}")
}

fn task_item(task: &PollTask) -> Result<Item, StoreError> {
    let sk = sort_key(&task.provider, &task.credential);
    Ok(Row::new(task.project.as_str(), sk, task)?
        .due(task.due_at)
        .build())
}

impl Store {
    /// Writes a unit that now is at its provider, and makes sure that the
    /// provider is asked for it, at the latest at a time, or as soon as whoever
    /// asks it now has ended.
    pub async fn save_submitted(&self, unit: &Unit, poll_at: Timestamp) -> Result<(), StoreError> {
        let credential = unit.credential.clone().unwrap_or_default();
        for attempt in 1..=TASK_TRIES {
            let task = self
                .poll_task(&unit.project, &unit.provider, &credential)
                .await?;
            let txn = self.put_units(std::slice::from_ref(unit))?;
            match self
                .wake(txn, unit, &credential, task, poll_at)?
                .commit()
                .await
            {
                Ok(()) => return Ok(()),
                // The task is not as it was a moment ago.
                Err(TxnError::Condition { index: 1, .. }) => pause(attempt).await,
                Err(error) => return Err(error.into()),
            }
        }
        Err(StoreError::Unavailable(
            "the poll of a credential changes all the time".into(),
        ))
    }

    /// Makes the poll task of a unit that was submitted, or due earlier. Never
    /// later: steady submissions would put the poll off for good. Nor while
    /// somebody holds it: they see to it when they are done.
    fn wake<'a>(
        &self,
        txn: Txn<'a>,
        unit: &Unit,
        credential: &str,
        task: Option<PollTask>,
        poll_at: Timestamp,
    ) -> Result<Txn<'a>, StoreError> {
        let task = task.unwrap_or_else(|| PollTask::new(&unit.project, &unit.provider, credential));
        let due_at = match task.due_at {
            Some(due_at) if task.busy || due_at <= poll_at => due_at,
            _ => poll_at,
        };
        let next = PollTask {
            quiet: 0,
            due_at: Some(due_at),
            rev: task.rev + 1,
            ..task
        };
        txn.put_rev(&self.tables.units, task_item(&next)?, next.rev)
    }

    /// Makes sure that a credential is polled, and watched for batches that
    /// nobody recorded, for at least half of `watch` from now. That is one small
    /// read as long as it is, so it can be asked for before each batch.
    pub async fn watch(
        &self,
        project: &ProjectId,
        provider: &str,
        credential: &str,
        now: Timestamp,
        watch: Duration,
    ) -> Result<(), StoreError> {
        for _ in 0..TASK_TRIES {
            let task = self.poll_task(project, provider, credential).await?;
            let watched = task.as_ref().and_then(|task| task.watch_until);
            if watched.is_some_and(|until| until >= now + watch / 2) {
                return Ok(());
            }
            let task = task.unwrap_or_else(|| PollTask::new(project, provider, credential));
            let task = PollTask {
                watch_until: Some(now + watch),
                due_at: task.due_at.or(Some(now)),
                rev: task.rev + 1,
                ..task
            };
            match self.save_poll_task(&task).await {
                // Somebody did the same, or polled: look again.
                Err(StoreError::Conflict) => {}
                saved => return saved,
            }
        }
        Err(StoreError::Conflict)
    }

    /// A poll task.
    pub async fn poll_task(
        &self,
        project: &ProjectId,
        provider: &str,
        credential: &str,
    ) -> Result<Option<PollTask>, StoreError> {
        let key = sort_key(provider, credential);
        let found = self.get(&self.tables.units, project.as_str(), key).await?;
        found.map(row::read).transpose()
    }

    /// Writes a poll task's next revision: a claim, or its next time.
    pub async fn save_poll_task(&self, task: &PollTask) -> Result<(), StoreError> {
        self.put_rev(&self.tables.units, task_item(task)?, task.rev)
            .await
    }

    /// Removes a poll task nobody needs, unless somebody did meanwhile; gives
    /// whether it is gone.
    pub async fn delete_poll_task(&self, task: &PollTask) -> Result<bool, StoreError> {
        let sk = sort_key(&task.provider, &task.credential);
        let txn = self.txn().delete(
            &self.tables.units,
            (task.project.as_str(), &sk),
            Some("rev = :rev"),
            Some(Item::from([(":rev".into(), n(task.rev))])),
        )?;
        match txn.commit().await.map_err(StoreError::from) {
            Ok(()) => Ok(true),
            Err(StoreError::Conflict) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
