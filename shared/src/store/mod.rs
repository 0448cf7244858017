//! DynamoDB: one module per table.
//!
//! Every function takes the project first: a partition key starts with it, so
//! that no query can reach another tenant's items. Nothing scans, and every
//! write is conditional or may be repeated without harm.

pub mod access;
pub mod datasets;
pub mod due;
pub mod files;
pub mod idempotency;
pub mod poll_task;
pub mod rescoring;
pub mod results;
pub mod room;
pub mod row;
pub mod runs;
pub mod samples;
pub mod schema;
pub mod txn;
pub mod units;
pub mod uploads;

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, WriteRequest};

use crate::access::random;
use row::{Item, n, s};
use txn::beside_transactions;

/// Attribute by which a conditional write knows itself again.
const WRITE_MARK: &str = "w";

/// Names of the tables in this deployment.
#[derive(Debug, Clone)]
pub struct Tables {
    /// Files, their names, and what is staged at providers.
    pub files: String,
    /// Datasets and their names.
    pub datasets: String,
    /// Samples.
    pub samples: String,
    /// Runs, idempotency records, outbox.
    pub runs: String,
    /// Units and poll tasks.
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

/// Why the store could not do it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The item is not in the state the caller saw: somebody else was faster.
    #[error("the item has changed meanwhile")]
    Conflict,
    /// An item can't be read by this version.
    #[error("an item can't be read: {0}")]
    Corrupt(String),
    /// DynamoDB could not be reached, or refused. For logs only.
    #[error("DynamoDB: {0}")]
    Unavailable(String),
}

impl<E> From<SdkError<E>> for StoreError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    fn from(error: SdkError<E>) -> Self {
        if error.code() == Some("ConditionalCheckFailedException") {
            return Self::Conflict;
        }
        Self::Unavailable(aws_sdk_dynamodb::error::DisplayErrorContext(&error).to_string())
    }
}

impl From<aws_sdk_dynamodb::error::BuildError> for StoreError {
    fn from(error: aws_sdk_dynamodb::error::BuildError) -> Self {
        Self::Corrupt(error.to_string())
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
    tables: Tables,
}

/// Sort key of the item that counts a project's records of a table.
const COUNT: &str = "#count";

/// Pause before trying again what collided or was throttled: exponential with
/// full jitter.
pub async fn pause(attempt: u32) {
    let ceiling = 20u64 << attempt.min(6);
    let nanos = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |d| u64::from(d.subsec_nanos()));
    tokio::time::sleep(Duration::from_millis(nanos % ceiling + 1)).await;
}

impl Store {
    /// Over a client and the deployment's tables.
    #[must_use]
    pub fn new(db: Client, tables: Tables) -> Self {
        Self { db, tables }
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
        let mut attempt = 0;
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
            if wanted.as_ref().is_some_and(|keys| !keys.is_empty()) {
                attempt += 1;
                if attempt > 10 {
                    return Err(StoreError::Unavailable("reads stay throttled".into()));
                }
                pause(attempt).await;
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
        let mut attempt = 0;
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
            if !wanted.is_empty() {
                attempt += 1;
                if attempt > 10 {
                    return Err(StoreError::Unavailable("writes stay throttled".into()));
                }
                pause(attempt).await;
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

    /// Number of a project's records in a table.
    async fn count(&self, table: &str, pk: &str) -> Result<u64, StoreError> {
        let item = self.get(table, pk, COUNT).await?;
        Ok(item.and_then(|item| row::number(&item, "n")).unwrap_or(0))
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
