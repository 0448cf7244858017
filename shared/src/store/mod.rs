//! DynamoDB: one module per table.
//!
//! Every function takes the project first, or a record that carries it: a
//! partition key starts with it, so that no query can reach another tenant's
//! items. Nothing scans, and every write is conditional or may be repeated without
//! harm.
//!
//! # Errors
//! What is not there is `None`, never an error. [`StoreError::Conflict`] is a
//! condition that did not hold: the record changed since it was read, or is there
//! already. Nothing was written; the caller reads again and decides again; to
//! repeat the same write is always wrong. Transactions tell which of their
//! conditions it was ([`txn::TxnError`]), and a few functions have an answer of
//! their own in its place. [`StoreError::Unavailable`] says that DynamoDB was not
//! reached, refused, or stayed throttled, after the SDK's attempts and, of writes that
//! meet in one item and of batches, some more here. A write may have been done all the
//! same: doing it again is harmless, and the next delivery of the message, or the
//! sweeper, does. [`StoreError::Corrupt`] is an item that this release can't read;
//! trying again does not help.

pub mod access;
pub mod admission;
pub mod allowance;
pub mod calls;
mod counts;
pub mod datasets;
pub mod due;
mod error;
mod file_entries;
pub mod files;
pub mod idempotency;
pub mod own_models;
pub mod poll_task;
pub mod rescoring;
pub mod results;
pub mod row;
pub mod runs;
pub mod samples;
pub mod schema;
pub mod tries;
pub mod turns;
pub mod txn;
pub mod units;
pub mod uploads;

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, WriteRequest};

use crate::crypto::random;
pub use error::StoreError;
use row::{Item, n, s};
use tries::Tries;
use txn::beside_transactions;

/// Attribute by which a conditional write knows itself again.
const WRITE_MARK: &str = "w";

/// Tries of a batch of which something stays undone, as DynamoDB is busy.
const BATCH_TRIES: u32 = 11;

/// Names of the tables in this deployment.
#[derive(Debug, Clone)]
pub struct Tables {
    /// Files, their names, and what is staged at providers.
    pub files: String,
    /// Datasets and their names.
    pub datasets: String,
    /// Samples, by dataset and position.
    pub samples: String,
    /// Runs, idempotency records, outbox.
    pub runs: String,
    /// Units; poll tasks and what each credential has at its provider.
    pub units: String,
    /// Outcomes and reviews.
    pub results: String,
    /// Projects, API keys, credentials.
    pub access: String,
}

impl Tables {
    /// The table of a name in [`schema::TABLES`].
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&str> {
        Some(match name {
            "files" => &self.files,
            "datasets" => &self.datasets,
            "samples" => &self.samples,
            "runs" => &self.runs,
            "units" => &self.units,
            "results" => &self.results,
            "access" => &self.access,
            _ => return None,
        })
    }
}

/// A page of a list.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// Sort key to go on after, when there may be more.
    pub next: Option<String>,
}

/// The tables, through one client.
#[derive(Debug, Clone)]
pub struct Store {
    db: Client,
    tables: Arc<Tables>,
    /// How long after a change the sweep is asked to fold a count.
    count_fold: Duration,
}

impl Store {
    /// Over a client and the deployment's tables. `count_fold`: how long after one of
    /// a burst of changes a count is folded, where nobody reads it meanwhile.
    #[must_use]
    pub fn new(db: Client, tables: Tables, count_fold: Duration) -> Self {
        Self {
            db,
            tables: Arc::new(tables),
            count_fold,
        }
    }

    async fn get(
        &self,
        table: &str,
        pk: impl Into<String>,
        sk: impl Into<String>,
    ) -> Result<Option<Item>, StoreError> {
        let answer = self
            .db
            .get_item()
            .table_name(table)
            .key("pk", s(pk))
            .key("sk", s(sk))
            .consistent_read(true)
            .send()
            .await?;
        Ok(answer.item)
    }

    /// Writes an item if it is new, or still at the revision before.
    ///
    /// The SDK repeats a request whose answer was lost; the repeat finds its
    /// own write. That is told by a mark every write leaves: two callers that
    /// write the same thing in the same millisecond must not both have won.
    async fn put_rev(&self, table: &str, item: Item, rev: u64) -> Result<(), StoreError> {
        self.put_rev_of(table, item, rev, "").await
    }

    /// The same, and the item must still be of a name, unless that is empty:
    /// for items whose revisions begin anew.
    async fn put_rev_of(
        &self,
        table: &str,
        mut item: Item,
        rev: u64,
        name: &str,
    ) -> Result<(), StoreError> {
        let mark = random::<12>().map_err(|e| StoreError::Unavailable(e.to_string()))?;
        let mark = AttributeValue::B(aws_sdk_dynamodb::primitives::Blob::new(mark));
        item.insert(WRITE_MARK.into(), mark.clone());
        let put = self
            .db
            .put_item()
            .table_name(table)
            .set_item(Some(item))
            .return_values_on_condition_check_failure(
                aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld,
            );
        let put = if rev <= 1 {
            put.condition_expression("attribute_not_exists(pk)")
        } else {
            put.condition_expression("rev = :rev")
                .expression_attribute_values(":rev", n(rev - 1))
        };
        let put = if name.is_empty() || rev <= 1 {
            put
        } else {
            put.condition_expression("rev = :rev AND #name = :name")
                .expression_attribute_names("#name", "name")
                .expression_attribute_values(":name", s(name))
        };
        let Err(error) = beside_transactions(|| put.clone().send()).await else {
            return Ok(());
        };
        if let Some(PutItemError::ConditionalCheckFailedException(failed)) =
            error.as_service_error()
            && failed.item().and_then(|stored| stored.get(WRITE_MARK)) == Some(&mark)
        {
            return Ok(());
        }
        Err(error.into())
    }

    async fn delete(
        &self,
        table: &str,
        pk: impl Into<String>,
        sk: impl Into<String>,
    ) -> Result<(), StoreError> {
        let delete = self
            .db
            .delete_item()
            .table_name(table)
            .key("pk", s(pk))
            .key("sk", s(sk));
        beside_transactions(|| delete.clone().send()).await?;
        Ok(())
    }

    /// Reads up to any number of items by key, 100 to a request.
    async fn get_many(
        &self,
        table: &str,
        keys: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Vec<Item>, StoreError> {
        let keys: Vec<Item> = keys
            .into_iter()
            .map(|(pk, sk)| Item::from([("pk".into(), s(pk)), ("sk".into(), s(sk))]))
            .collect();
        let batches = keys
            .chunks(100)
            .map(|chunk| self.get_chunk(table, chunk.to_vec()));
        let batches: Vec<_> = batches.collect();
        use futures::stream::{StreamExt, TryStreamExt};
        let parts: Vec<Vec<Item>> = futures::stream::iter(batches)
            .buffered(8)
            .try_collect()
            .await?;
        Ok(parts.into_iter().flatten().collect())
    }

    async fn get_chunk(&self, table: &str, keys: Vec<Item>) -> Result<Vec<Item>, StoreError> {
        let mut found = Vec::with_capacity(keys.len());
        let mut wanted = Some(keys);
        let mut tries = Tries::of(BATCH_TRIES);
        while let Some(keys) = wanted.take().filter(|keys| !keys.is_empty()) {
            let request = KeysAndAttributes::builder()
                .set_keys(Some(keys))
                .consistent_read(true)
                .build()?;
            let answer = self
                .db
                .batch_get_item()
                .request_items(table, request)
                .send()
                .await?;
            if let Some(mut tables) = answer.responses {
                found.extend(tables.remove(table).unwrap_or_default());
            }
            wanted = answer
                .unprocessed_keys
                .and_then(|mut rest| rest.remove(table))
                .map(|rest| rest.keys().to_vec());
            if wanted.as_ref().is_some_and(|keys| !keys.is_empty()) && !tries.again().await {
                return Err(StoreError::Unavailable("reads stay throttled".into()));
            }
        }
        Ok(found)
    }

    /// Writes or deletes any number of items, 25 to a request. Only for writes
    /// that may be repeated.
    async fn write_many(&self, table: &str, writes: Vec<WriteRequest>) -> Result<(), StoreError> {
        use futures::stream::{StreamExt, TryStreamExt};
        let batches = writes
            .chunks(25)
            .map(|chunk| self.write_chunk(table, chunk.to_vec()));
        let batches: Vec<_> = batches.collect();
        futures::stream::iter(batches)
            .buffer_unordered(8)
            .try_collect::<Vec<()>>()
            .await?;
        Ok(())
    }

    async fn write_chunk(&self, table: &str, writes: Vec<WriteRequest>) -> Result<(), StoreError> {
        let mut wanted = writes;
        let mut tries = Tries::of(BATCH_TRIES);
        while !wanted.is_empty() {
            let answer = self
                .db
                .batch_write_item()
                .request_items(table, wanted)
                .send()
                .await?;
            wanted = answer
                .unprocessed_items
                .and_then(|mut rest| rest.remove(table))
                .unwrap_or_default();
            if !wanted.is_empty() && !tries.again().await {
                return Err(StoreError::Unavailable("writes stay throttled".into()));
            }
        }
        Ok(())
    }

    /// Deletes items by key.
    async fn delete_many(
        &self,
        table: &str,
        keys: impl IntoIterator<Item = (String, String)>,
    ) -> Result<(), StoreError> {
        let writes = keys
            .into_iter()
            .map(|(pk, sk)| {
                let delete = aws_sdk_dynamodb::types::DeleteRequest::builder()
                    .key("pk", s(pk))
                    .key("sk", s(sk))
                    .build()?;
                Ok(WriteRequest::builder().delete_request(delete).build())
            })
            .collect::<Result<Vec<_>, StoreError>>()?;
        self.write_many(table, writes).await
    }

    /// One page of a partition: sort keys in `from..=to`, after `after`.
    async fn page(
        &self,
        table: &str,
        pk: &str,
        (from, to): (&str, &str),
        after: Option<&str>,
        limit: usize,
        newest_first: bool,
    ) -> Result<Page<Item>, StoreError> {
        let mut items: Vec<Item> = Vec::new();
        let mut start = after.map(|sk| Item::from([("pk".into(), s(pk)), ("sk".into(), s(sk))]));
        loop {
            let answer = self
                .db
                .query()
                .table_name(table)
                .key_condition_expression("pk = :pk AND sk BETWEEN :from AND :to")
                .expression_attribute_values(":pk", s(pk))
                .expression_attribute_values(":from", s(from))
                .expression_attribute_values(":to", s(to))
                .scan_index_forward(!newest_first)
                .consistent_read(true)
                .limit(i32::try_from(limit - items.len()).unwrap_or(i32::MAX))
                .set_exclusive_start_key(start)
                .send()
                .await?;
            items.extend(answer.items.unwrap_or_default());
            start = answer.last_evaluated_key.filter(|key| !key.is_empty());
            if start.is_none() || items.len() >= limit {
                break;
            }
        }
        let next = start.and_then(|key| row::text(&key, "sk").map(str::to_owned));
        Ok(Page { items, next })
    }

    /// Every item of a partition with sort keys in `from..=to`.
    async fn all(
        &self,
        table: &str,
        pk: &str,
        range: (&str, &str),
    ) -> Result<Vec<Item>, StoreError> {
        let mut items = Vec::new();
        let mut after = None;
        loop {
            let page = self
                .page(table, pk, range, after.as_deref(), 1_000, false)
                .await?;
            items.extend(page.items);
            after = page.next;
            if after.is_none() {
                return Ok(items);
            }
        }
    }
}

/// Reads the items of a page into records.
fn read_page<T: serde::de::DeserializeOwned>(page: Page<Item>) -> Result<Page<T>, StoreError> {
    let items = page
        .items
        .into_iter()
        .map(row::read)
        .collect::<Result<_, _>>()?;
    Ok(Page {
        items,
        next: page.next,
    })
}

/// The attribute of a put in a batch.
fn put_request(item: Item) -> Result<WriteRequest, StoreError> {
    let put = aws_sdk_dynamodb::types::PutRequest::builder()
        .set_item(Some(item))
        .build()?;
    Ok(WriteRequest::builder().put_request(put).build())
}

/// A set of strings as an attribute.
fn string_set<T: ToString>(items: impl IntoIterator<Item = T>) -> AttributeValue {
    AttributeValue::Ss(items.into_iter().map(|item| item.to_string()).collect())
}
