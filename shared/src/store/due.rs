//! Finding work: what is due, by shard, without a scan.

use super::row::{self, Item, n, s};
use super::{Store, StoreError};
use crate::domain::Timestamp;

/// Key of an item that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// Partition key: a project, or something that starts with one.
    pub pk: String,
    /// Sort key; its beginning says what kind of work it is.
    pub sk: String,
    /// When it became due.
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

/// Where a look at one shard goes on.
#[derive(Debug, Clone, PartialEq)]
pub struct DuePosition(Item);

impl Store {
    /// What is due at `now` in one shard, the oldest first: a page, and where
    /// to go on when there may be more.
    pub async fn due(
        &self,
        table: DueTable,
        shard: &str,
        now: Timestamp,
        limit: i32,
        after: Option<DuePosition>,
    ) -> Result<(Vec<Due>, Option<DuePosition>), StoreError> {
        let name = match table {
            DueTable::Files => &self.tables.files,
            DueTable::Datasets => &self.tables.datasets,
            DueTable::Runs => &self.tables.runs,
            DueTable::Units => &self.tables.units,
        };
        let answer = self
            .db
            .query()
            .table_name(name)
            .index_name("due")
            .key_condition_expression("due_shard = :shard AND due_at <= :now")
            .expression_attribute_values(":shard", s(shard))
            .expression_attribute_values(":now", n(now.millis()))
            .limit(limit)
            .set_exclusive_start_key(after.map(|position| position.0))
            .send()
            .await?;
        let due = answer
            .items
            .unwrap_or_default()
            .into_iter()
            .filter_map(|item| {
                let at = row::number(&item, "due_at").and_then(|m| i64::try_from(m).ok());
                Some(Due {
                    pk: row::text(&item, "pk")?.to_owned(),
                    sk: row::text(&item, "sk")?.to_owned(),
                    at: Timestamp::from_millis(at.unwrap_or_default()),
                })
            });
        let next = answer
            .last_evaluated_key
            .filter(|key| !key.is_empty())
            .map(DuePosition);
        Ok((due.collect(), next))
    }
}
