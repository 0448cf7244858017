//! Finding work: what is due, by shard, without a scan.

use super::row::{self, n, s};
use super::{Store, StoreError};
use crate::domain::Timestamp;

/// Key of an item that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// Partition key: a project, or something that starts with one.
    pub pk: String,
    /// Sort key.
    pub sk: String,
    /// Since when.
    pub at: Timestamp,
}

/// Tables that have a due index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DueTable {
    /// Uploads that never came, files to delete.
    Files,
    /// Unsealed leftovers, deletions.
    Datasets,
    /// Outbox, cancellations, deletions, runs that should have ended.
    Runs,
    /// Units and poll tasks.
    Units,
}

impl Store {
    /// What is due at `now`, the oldest of each shard first, up to `limit` per
    /// shard.
    pub async fn due(
        &self,
        table: DueTable,
        now: Timestamp,
        limit: i32,
    ) -> Result<Vec<Due>, StoreError> {
        let name = match table {
            DueTable::Files => &self.tables.files,
            DueTable::Datasets => &self.tables.datasets,
            DueTable::Runs => &self.tables.runs,
            DueTable::Units => &self.tables.units,
        };
        let queries = row::due_shards().map(|shard| {
            self.db
                .query()
                .table_name(name)
                .index_name("due")
                .key_condition_expression("due_shard = :shard AND due_at <= :now")
                .expression_attribute_values(":shard", s(shard))
                .expression_attribute_values(":now", n(now.millis()))
                .limit(limit)
                .send()
        });
        let mut due = Vec::new();
        for answer in futures::future::join_all(queries).await {
            for item in answer?.items.unwrap_or_default() {
                let (Some(pk), Some(sk)) = (row::text(&item, "pk"), row::text(&item, "sk")) else {
                    continue;
                };
                let at = row::number(&item, "due_at").and_then(|m| i64::try_from(m).ok());
                due.push(Due {
                    pk: pk.to_owned(),
                    sk: sk.to_owned(),
                    at: Timestamp::from_millis(at.unwrap_or_default()),
                });
            }
        }
        due.sort_by_key(|due| due.at);
        Ok(due)
    }
}
