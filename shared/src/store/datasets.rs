//! Table `datasets`: where a dataset is in its life is told by its sort key.
//!
//! `new#ds_…` unsealed, `ds_…` visible, `del#ds_…` being deleted. So lists and
//! look-ups need no filter, and half a dataset is never seen. `changed#ds_…` tells when a
//! reference was changed last, `fields#ds_…` how often free fields of samples were.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::idempotency::Claim;
use super::row::{self, Item, Row};
use super::txn::{TxnError, beside_transactions};
use super::{Page, Store, StoreError, read_page};
use crate::domain::dataset::{Dataset, DatasetStatus};
use crate::domain::{DatasetId, ProjectId, Timestamp};

const DATASETS: (&str, &str) = ("ds_", "ds_~");

/// Why a dataset was not sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seal {
    /// It is visible now.
    Sealed,
    /// The name belongs to another dataset.
    NameTaken,
}

fn name_key(name: &str) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, name.to_lowercase().as_bytes());
    format!("name#{}", hex::encode(digest))
}

fn sort_key(id: DatasetId, status: DatasetStatus) -> String {
    match status {
        DatasetStatus::Unsealed => format!("new#{id}"),
        DatasetStatus::Sealed => id.to_string(),
        DatasetStatus::Deleting => format!("del#{id}"),
    }
}

/// Beside a dataset, as each change of a reference would else be one of the dataset.
#[derive(Serialize, Deserialize)]
struct Mark {
    at: Timestamp,
}

fn mark_key(id: DatasetId) -> String {
    format!("changed#{id}")
}

/// How often free fields of a dataset's samples were changed, and when that began the last time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct FieldChanges {
    /// How often. Counted before a change is there, and also where it never came to be.
    pub changes: u64,
    /// When the last of them began.
    pub at: Timestamp,
}

fn fields_key(id: DatasetId) -> String {
    format!("fields#{id}")
}

pub(super) fn item(dataset: &Dataset) -> Result<Item, StoreError> {
    let sk = sort_key(dataset.id, dataset.status);
    Ok(Row::new(dataset.project.as_str(), sk, dataset)?
        .due(dataset.due_at)
        .build())
}

impl Store {
    /// Whether a dataset has this name.
    pub async fn dataset_name_taken(
        &self,
        project: &ProjectId,
        name: &str,
    ) -> Result<bool, StoreError> {
        Ok(self
            .get(&self.tables.datasets, project.as_str(), name_key(name))
            .await?
            .is_some())
    }

    /// Begins an unsealed dataset; beginning the same one again is harmless.
    pub async fn begin_dataset(&self, dataset: &Dataset) -> Result<(), StoreError> {
        match self.put_rev(&self.tables.datasets, item(dataset)?, 1).await {
            Err(StoreError::Conflict) => Ok(()),
            other => other,
        }
    }

    /// Makes a dataset visible, takes its name and completes the claim: one
    /// transaction, whatever the size of the dataset.
    pub async fn seal_dataset(
        &self,
        dataset: &Dataset,
        claim: Option<&Claim>,
    ) -> Result<Seal, StoreError> {
        let table = &self.tables.datasets;
        let project = dataset.project.as_str();
        let name = Row::new(
            project,
            name_key(&dataset.name),
            &serde_json::json!({ "dataset_id": dataset.id }),
        )?;
        let made = vec![dataset.id.to_string()];
        let txn = self
            .txn()
            .put_if(table, name.build(), "attribute_not_exists(pk)", None)?
            .delete(
                table,
                (project, &sort_key(dataset.id, DatasetStatus::Unsealed)),
                Some("attribute_exists(pk)"),
                None,
            )?
            .put_if(table, item(dataset)?, "attribute_not_exists(pk)", None)?
            .count(table, project, 1)?
            .complete(&self.tables, &dataset.project, claim, made)?;
        match txn.commit().await {
            Ok(()) => Ok(Seal::Sealed),
            Err(TxnError::Condition { index: 0, .. }) => Ok(Seal::NameTaken),
            Err(error) => Err(error.into()),
        }
    }

    /// A visible dataset.
    pub async fn dataset(
        &self,
        project: &ProjectId,
        id: DatasetId,
    ) -> Result<Option<Dataset>, StoreError> {
        let found = self
            .get(&self.tables.datasets, project.as_str(), id.to_string())
            .await?;
        found.map(row::read).transpose()
    }

    /// A dataset that is unsealed or being deleted.
    pub async fn hidden_dataset(
        &self,
        project: &ProjectId,
        id: DatasetId,
        status: DatasetStatus,
    ) -> Result<Option<Dataset>, StoreError> {
        let key = sort_key(id, status);
        let found = self
            .get(&self.tables.datasets, project.as_str(), key)
            .await?;
        found.map(row::read).transpose()
    }

    /// Says that a reference of a dataset changes: figures that were worked out before are of
    /// other references. A later moment that was told already stays.
    pub async fn mark_references(
        &self,
        project: &ProjectId,
        id: DatasetId,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let mark = Row::new(project.as_str(), mark_key(id), &Mark { at })?;
        let put = self
            .db
            .put_item()
            .table_name(&self.tables.datasets)
            .set_item(Some(mark.build()))
            // As text they are in the order of time.
            .condition_expression("attribute_not_exists(pk) OR #at < :at")
            .expression_attribute_names("#at", "at")
            .expression_attribute_values(":at", row::s(at.to_string()));
        match put.send().await.map_err(StoreError::from) {
            Ok(_) | Err(StoreError::Conflict) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// When a reference of a dataset was changed last; `None` if none was.
    pub async fn references_changed(
        &self,
        project: &ProjectId,
        id: DatasetId,
    ) -> Result<Option<Timestamp>, StoreError> {
        let found = self
            .get(&self.tables.datasets, project.as_str(), mark_key(id))
            .await?;
        let mark: Option<Mark> = found.map(row::read).transpose()?;
        Ok(mark.map(|mark| mark.at))
    }

    /// Counts a change of the free fields of a sample that is about to be made.
    pub async fn count_field_change(
        &self,
        project: &ProjectId,
        id: DatasetId,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let update = self
            .db
            .update_item()
            .table_name(&self.tables.datasets)
            .key("pk", row::s(project.as_str()))
            .key("sk", row::s(fields_key(id)))
            .update_expression("SET #at = :at ADD changes :one")
            .expression_attribute_names("#at", "at")
            .expression_attribute_values(":at", row::s(at.to_string()))
            .expression_attribute_values(":one", row::n(1));
        beside_transactions(|| update.clone().send()).await?;
        Ok(())
    }

    /// How often free fields were changed; `None` if never.
    pub async fn field_changes(
        &self,
        project: &ProjectId,
        id: DatasetId,
    ) -> Result<Option<FieldChanges>, StoreError> {
        let found = self
            .get(&self.tables.datasets, project.as_str(), fields_key(id))
            .await?;
        found.map(row::read).transpose()
    }

    /// A visible dataset, and when a reference of it was changed last: one request.
    pub async fn dataset_and_change(
        &self,
        project: &ProjectId,
        id: DatasetId,
    ) -> Result<(Option<Dataset>, Option<Timestamp>), StoreError> {
        let keys = [id.to_string(), mark_key(id)].map(|sk| (project.as_str().to_owned(), sk));
        let (mut dataset, mut changed) = (None, None);
        for item in self.get_many(&self.tables.datasets, keys).await? {
            let sk = item.get("sk").and_then(|sk| sk.as_s().ok());
            if sk == Some(&mark_key(id)) {
                changed = Some(row::read::<Mark>(item)?.at);
            } else {
                dataset = Some(row::read(item)?);
            }
        }
        Ok((dataset, changed))
    }

    /// Visible datasets newest first, and how many there are.
    pub async fn list_datasets(
        &self,
        project: &ProjectId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<(Page<Dataset>, u64), StoreError> {
        let table = &self.tables.datasets;
        let (page, total) = futures::future::try_join(
            self.page(table, project.as_str(), DATASETS, after, limit, true),
            self.count(table, project.as_str()),
        )
        .await?;
        Ok((read_page(page)?, total))
    }

    /// Writes a visible dataset's next revision.
    pub async fn save_dataset(&self, dataset: &Dataset) -> Result<(), StoreError> {
        self.put_rev(&self.tables.datasets, item(dataset)?, dataset.rev)
            .await
    }

    /// Makes a visible dataset unreachable and frees its name; the rest is
    /// cleared away afterwards.
    pub async fn begin_delete_dataset(
        &self,
        dataset: &Dataset,
        now: Timestamp,
        index_lag: Duration,
    ) -> Result<(), StoreError> {
        let table = &self.tables.datasets;
        let project = dataset.project.as_str();
        let gone = Dataset {
            status: DatasetStatus::Deleting,
            // No run is accepted any more; one that just was is in the index then.
            due_at: Some(now + index_lag),
            updated_at: now,
            rev: dataset.rev + 1,
            ..dataset.clone()
        };
        let txn = self
            .txn()
            .delete(
                table,
                (project, &dataset.id.to_string()),
                Some("rev = :rev"),
                Some(Item::from([(":rev".into(), row::n(dataset.rev))])),
            )?
            .delete(table, (project, &name_key(&dataset.name)), None, None)?
            .put(table, item(&gone)?)?
            .count(table, project, -1)?;
        Ok(txn.commit().await?)
    }

    /// Turns an unsealed leftover into a deletion.
    pub async fn begin_delete_unsealed(
        &self,
        dataset: &Dataset,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let table = &self.tables.datasets;
        let gone = Dataset {
            status: DatasetStatus::Deleting,
            keep_files: true,
            due_at: Some(now),
            updated_at: now,
            rev: dataset.rev + 1,
            ..dataset.clone()
        };
        let txn = self
            .txn()
            .delete(
                table,
                (
                    dataset.project.as_str(),
                    &sort_key(dataset.id, DatasetStatus::Unsealed),
                ),
                Some("attribute_exists(pk)"),
                None,
            )?
            .put(table, item(&gone)?)?;
        Ok(txn.commit().await?)
    }

    /// Looks at a deletion again later.
    pub async fn postpone_dataset(
        &self,
        dataset: &Dataset,
        until: Timestamp,
    ) -> Result<(), StoreError> {
        let next = Dataset {
            due_at: Some(until),
            rev: dataset.rev + 1,
            ..dataset.clone()
        };
        self.put_rev(&self.tables.datasets, item(&next)?, next.rev)
            .await
    }

    /// Removes what is left of a deleted dataset.
    pub async fn finish_delete_dataset(&self, dataset: &Dataset) -> Result<(), StoreError> {
        let project = dataset.project.as_str();
        for beside in [mark_key(dataset.id), fields_key(dataset.id)] {
            self.delete(&self.tables.datasets, project, beside).await?;
        }
        let key = sort_key(dataset.id, DatasetStatus::Deleting);
        self.delete(&self.tables.datasets, project, key).await
    }

    /// The dataset a due item of this table stands for.
    #[must_use]
    pub fn parse_dataset_key(sk: &str) -> Option<(DatasetId, DatasetStatus)> {
        if let Some(id) = sk.strip_prefix("new#") {
            return id.parse().ok().map(|id| (id, DatasetStatus::Unsealed));
        }
        let id = sk.strip_prefix("del#")?;
        id.parse().ok().map(|id| (id, DatasetStatus::Deleting))
    }
}
