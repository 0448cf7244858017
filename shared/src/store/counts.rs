//! How many records a project has in a table, for the totals of lists.
//!
//! One item that every registration counts up would be in hundreds of
//! transactions at once, and DynamoDB refuses all of them but one
//! (`TransactionConflict`). So a transaction writes its change as an item of its
//! own, so that no two meet in one. Changes are added up when they are read, and
//! now and then folded into a base, by readers and by the sweep: one transaction
//! deletes them and adds their sum, so none is counted twice or lost, whatever
//! breaks off. Two that fold at once may collide; one of them has done it.
//!
//! They lie in a partition beside the project's. The count of release 0.1.0 (an
//! item of the project's own partition) stays where it is and is added.

use super::row::{self, Item, Row, n};
use super::txn::{Txn, TxnError};
use super::{Store, StoreError};
use crate::crypto::random;
use crate::domain::Timestamp;

/// Sort key of the item that release 0.1.0 counted in.
const EARLIER: &str = "#count";
/// Ends the partition key of a project's changes.
const PARTITION: &str = "#count";
/// Sort key of what was folded. Before those of changes.
const BASE: &str = "base";
/// Sort keys of changes.
const CHANGES: (&str, &str) = ("d#", "d#~");
/// Changes folded by one transaction, which has room for 100 writes.
const FOLDED: usize = 98;
/// A reader that finds more changes than this folds them.
const MANY: usize = 200;
/// Transactions that a reader folds by, at most.
const READER_FOLDS: usize = 4;
/// Transactions that a sweep folds by, at most.
const SWEEP_FOLDS: usize = 200;
/// How often a total is read again because changes were folded meanwhile.
const READS: usize = 4;
/// One change in this many asks the sweep to fold: the sweep is not for lists
/// that people look at, but for what is written and never listed.
const ASKS: u8 = 64;

fn partition(project: &str) -> String {
    format!("{project}{PARTITION}")
}

/// What is counted in the partition of changes.
#[derive(Debug, Default)]
struct Counted {
    /// Folded, and how often.
    base: (i64, u64),
    /// Sum and number of changes.
    changes: (i64, usize),
}

fn signed(item: &Item, name: &str) -> i64 {
    item.get(name)
        .and_then(|value| value.as_n().ok())
        .and_then(|text| text.parse().ok())
        .unwrap_or(0)
}

impl Txn<'_> {
    /// Changes the count of a project's records: by an item of its own, so that
    /// no two transactions meet. Safe against repeats: the transaction carries a
    /// token, and its other writes are conditional.
    pub fn count(self, table: &str, project: &str, change: i64) -> Result<Self, StoreError> {
        let name = random::<12>().map_err(|e| StoreError::Unavailable(e.to_string()))?;
        let sk = format!("{}{}", CHANGES.0, hex::encode(name));
        // Only this table is written without any reader (drops under `incoming/`).
        let asks = table == self.files_table() && name.last().is_some_and(|b| b % ASKS == 0);
        let fold = self.count_fold();
        let item = Row::new(partition(project), sk, &serde_json::json!({ "n": change }))?
            .due(asks.then(|| Timestamp::now() + fold))
            .build();
        self.put(table, item)
    }
}

impl Store {
    /// Number of a project's records in a table. Exact, unless others fold at
    /// every attempt to read it: then what is just being folded may be missing.
    pub(super) async fn count(&self, table: &str, project: &str) -> Result<u64, StoreError> {
        let pk = partition(project);
        let (earlier, counted) =
            futures::future::try_join(self.get(table, project, EARLIER), async {
                let mut counted = self.counted(table, &pk).await?;
                for _ in 1..READS {
                    // Until nothing was folded between the base and the last change.
                    let base = self.base(table, &pk).await?;
                    if base == counted.base {
                        break;
                    }
                    counted = self.counted(table, &pk).await?;
                }
                Ok::<_, StoreError>(counted)
            })
            .await?;
        if counted.changes.1 > MANY
            && let Err(error) = self.fold(table, project, READER_FOLDS).await
        {
            tracing::debug!(%error, "changes of a count are folded later");
        }
        let earlier = earlier.map_or(0, |item| signed(&item, "n"));
        let total = earlier + counted.base.0 + counted.changes.0;
        Ok(u64::try_from(total).unwrap_or(0))
    }

    async fn base(&self, table: &str, pk: &str) -> Result<(i64, u64), StoreError> {
        let base = self.get(table, pk, BASE).await?;
        Ok(base.map_or((0, 0), |item| folded(&item)))
    }

    async fn counted(&self, table: &str, pk: &str) -> Result<Counted, StoreError> {
        let mut counted = Counted::default();
        // Of a consistent read the base comes first, being the first key.
        for item in self.all(table, pk, (BASE, CHANGES.1)).await? {
            if row::text(&item, "sk") == Some(BASE) {
                counted.base = folded(&item);
            } else {
                counted.changes.0 += signed(&item, "n");
                counted.changes.1 += 1;
            }
        }
        Ok(counted)
    }

    /// Folds changes into the base, by `most` transactions at most. Gives up where
    /// another fold is under way.
    pub(super) async fn fold(
        &self,
        table: &str,
        project: &str,
        most: usize,
    ) -> Result<(), StoreError> {
        let pk = partition(project);
        for _ in 0..most {
            let page = self.page(table, &pk, CHANGES, None, FOLDED, false).await?;
            if page.items.is_empty() {
                return Ok(());
            }
            let sum: i64 = page.items.iter().map(|item| signed(item, "n")).sum();
            let mut txn = self.txn();
            for item in &page.items {
                let sk = row::text(item, "sk").unwrap_or_default();
                txn = txn.delete(table, (&*pk, sk), Some("attribute_exists(pk)"), None)?;
            }
            let folded = txn.update(
                table,
                (&*pk, BASE),
                "ADD n :sum, folds :one",
                None,
                &[],
                Item::from([(":sum".into(), n(sum)), (":one".into(), n(1))]),
            )?;
            match folded.commit_once().await {
                Ok(()) => {}
                Err(TxnError::Condition { .. }) => return Ok(()),
                Err(TxnError::Store(error)) => return Err(error),
            }
            if page.next.is_none() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Folds what was counted of a project's files. For the sweep.
    pub async fn fold_files(&self, project: &str) -> Result<(), StoreError> {
        let table = &self.tables.files;
        self.fold(table, project, SWEEP_FOLDS).await
    }

    /// The project whose count a due item is a change of.
    #[must_use]
    pub fn counted_project(pk: &str) -> Option<&str> {
        pk.strip_suffix(PARTITION)
    }
}

/// Sum and number of what was folded.
fn folded(base: &Item) -> (i64, u64) {
    (signed(base, "n"), row::number(base, "folds").unwrap_or(0))
}
