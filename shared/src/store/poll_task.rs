//! Poll tasks (see [`crate::domain::poll_task`]). They lie in table `units`, beside
//! what they are for.

use std::time::Duration;

use super::row::{self, Item, Row, n};
use super::tries::Tries;
use super::txn::{Txn, TxnError};
use super::{Store, StoreError};
use crate::domain::poll_task::PollTask;
use crate::domain::unit::Unit;
use crate::domain::{ProjectId, Timestamp};

/// Sort keys of poll tasks begin with this.
pub(super) const PREFIX: &str = "poll#";

/// Tries of a change of a credential's task.
const TASK_TRIES: u32 = 10;

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
    /// provider is asked for it: at `poll_at` at the latest, or soon after a poll
    /// that is under way.
    pub async fn save_submitted(&self, unit: &Unit, poll_at: Timestamp) -> Result<(), StoreError> {
        let credential = unit.credential.clone().unwrap_or_default();
        let mut tries = Tries::of(TASK_TRIES);
        loop {
            let task = self
                .poll_task(&unit.project, &unit.vendor, &credential)
                .await?;
            let txn = self.put_units(std::slice::from_ref(unit))?;
            match self
                .wake(txn, unit, &credential, task, poll_at)?
                .commit()
                .await
            {
                Ok(()) => return Ok(()),
                // The task is not as it was a moment ago.
                Err(TxnError::Condition { index: 1, .. }) => {
                    if !tries.again().await {
                        return Err(StoreError::Unavailable(
                            "the poll of a credential changes all the time".into(),
                        ));
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Makes the poll task of a unit that was submitted, or wakes it.
    fn wake<'a>(
        &self,
        txn: Txn<'a>,
        unit: &Unit,
        credential: &str,
        task: Option<PollTask>,
        poll_at: Timestamp,
    ) -> Result<Txn<'a>, StoreError> {
        let task = task.unwrap_or_else(|| PollTask::new(&unit.project, &unit.vendor, credential));
        let next = task.woken(poll_at);
        txn.put_rev(&self.tables.units, task_item(&next)?, next.rev)
    }

    /// Makes sure that a credential is polled, and watched for unrecorded batches,
    /// for at least half of `watch` from now. Where that is so already it costs one
    /// small read, so it can be asked for before each batch.
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
            let task = task.unwrap_or_else(|| PollTask::new(project, provider, credential));
            let Some(task) = task.watched(now, watch) else {
                return Ok(());
            };
            match self.save_poll_task(&task).await {
                // Another did the same, or polled: look again.
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

    /// Removes a poll task that is of no more use, unless it changed meanwhile;
    /// gives whether it is gone.
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
