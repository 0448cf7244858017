//! Transactions: all or nothing, repeated when they collide.

use std::collections::HashMap;
use std::future::Future;
use std::time::Duration;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    CancellationReason, ConditionCheck, Delete, Put, ReturnValuesOnConditionCheckFailure,
    TransactWriteItem, Update,
};

use super::Store;
use super::error::StoreError;
use super::row::{Item, n, s};
use super::tries::Tries;

/// Tries of a transaction, or of a write that collides with one.
const TRIES: u32 = 13;

/// Sends a write of one item, again while a transaction holds that item: DynamoDB
/// refuses it for a moment then, and the SDK does not try again by itself.
pub(super) async fn beside_transactions<T, E, F>(send: impl Fn() -> F) -> Result<T, SdkError<E>>
where
    E: ProvideErrorMetadata,
    F: Future<Output = Result<T, SdkError<E>>>,
{
    let mut tries = Tries::of(TRIES);
    loop {
        let sent = send().await;
        let held =
            matches!(&sent, Err(error) if error.code() == Some("TransactionConflictException"));
        if !held || !tries.again().await {
            return sent;
        }
    }
}

/// Names of an expression; an empty map is refused.
fn owned(names: &[(&str, &str)]) -> Option<HashMap<String, String>> {
    let owned = |(name, attribute): &(&str, &str)| ((*name).to_owned(), (*attribute).to_owned());
    (!names.is_empty()).then(|| names.iter().map(owned).collect())
}

/// Why a transaction was not done.
#[derive(Debug)]
pub enum TxnError {
    /// A condition did not hold: number of the write, and what is stored.
    Condition {
        /// Number of the first write whose condition failed.
        index: usize,
        /// What is stored there.
        stored: Option<Item>,
    },
    /// Something else.
    Store(StoreError),
}

impl From<TxnError> for StoreError {
    fn from(error: TxnError) -> Self {
        match error {
            TxnError::Condition { .. } => Self::Conflict,
            TxnError::Store(error) => error,
        }
    }
}

impl From<StoreError> for TxnError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Writes to be done together.
pub struct Txn<'a> {
    store: &'a Store,
    writes: Vec<TransactWriteItem>,
}

impl Store {
    /// Starts a transaction.
    #[must_use]
    pub(super) fn txn(&self) -> Txn<'_> {
        Txn {
            store: self,
            writes: Vec::new(),
        }
    }
}

impl Txn<'_> {
    /// The table of files.
    pub(super) fn files_table(&self) -> &str {
        &self.store.tables.files
    }

    /// How long after a change the sweep is asked to fold a count.
    pub(super) fn count_fold(&self) -> Duration {
        self.store.count_fold
    }

    /// Whether nothing is to be written.
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }

    /// An item that must be new (`rev` 1) or at the revision before.
    pub fn put_rev(self, table: &str, item: Item, rev: u64) -> Result<Self, StoreError> {
        let condition = if rev <= 1 {
            "attribute_not_exists(pk)"
        } else {
            "rev = :rev"
        };
        let values = (rev > 1).then(|| Item::from([(":rev".into(), n(rev - 1))]));
        self.put_if(table, item, condition, values)
    }

    /// An item under a condition.
    pub fn put_if(
        mut self,
        table: &str,
        item: Item,
        condition: &str,
        values: Option<Item>,
    ) -> Result<Self, StoreError> {
        let put = Put::builder()
            .table_name(table)
            .set_item(Some(item))
            .condition_expression(condition)
            .set_expression_attribute_values(values)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()?;
        self.writes
            .push(TransactWriteItem::builder().put(put).build());
        Ok(self)
    }

    /// An item, whatever is there.
    pub fn put(mut self, table: &str, item: Item) -> Result<Self, StoreError> {
        let put = Put::builder()
            .table_name(table)
            .set_item(Some(item))
            .build()?;
        self.writes
            .push(TransactWriteItem::builder().put(put).build());
        Ok(self)
    }

    /// An update, with or without a condition.
    pub fn update(
        mut self,
        table: &str,
        (pk, sk): (&str, &str),
        expression: &str,
        condition: Option<&str>,
        names: &[(&str, &str)],
        values: Item,
    ) -> Result<Self, StoreError> {
        let update = Update::builder()
            .table_name(table)
            .key("pk", s(pk))
            .key("sk", s(sk))
            .update_expression(expression)
            .set_condition_expression(condition.map(str::to_owned))
            .set_expression_attribute_names(owned(names))
            .set_expression_attribute_values((!values.is_empty()).then_some(values))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()?;
        self.writes
            .push(TransactWriteItem::builder().update(update).build());
        Ok(self)
    }

    /// Deletes an item, with or without a condition.
    pub fn delete(
        mut self,
        table: &str,
        (pk, sk): (&str, &str),
        condition: Option<&str>,
        values: Option<Item>,
    ) -> Result<Self, StoreError> {
        let delete = Delete::builder()
            .table_name(table)
            .key("pk", s(pk))
            .key("sk", s(sk))
            .set_condition_expression(condition.map(str::to_owned))
            .set_expression_attribute_values(values)
            .build()?;
        self.writes
            .push(TransactWriteItem::builder().delete(delete).build());
        Ok(self)
    }

    /// Requires something of an item without changing it.
    pub fn check(
        mut self,
        table: &str,
        (pk, sk): (&str, &str),
        condition: &str,
        names: &[(&str, &str)],
        values: Item,
    ) -> Result<Self, StoreError> {
        let check = ConditionCheck::builder()
            .table_name(table)
            .key("pk", s(pk))
            .key("sk", s(sk))
            .condition_expression(condition)
            .set_expression_attribute_names(owned(names))
            .set_expression_attribute_values((!values.is_empty()).then_some(values))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()?;
        self.writes
            .push(TransactWriteItem::builder().condition_check(check).build());
        Ok(self)
    }

    /// Does it. Collisions with other transactions are tried again; a failed
    /// condition is told with its number.
    pub async fn commit(self) -> Result<(), TxnError> {
        self.commit_within(Tries::of(TRIES)).await
    }

    /// The same, given up at the first collision: for what the other transaction
    /// does as well.
    pub(super) async fn commit_once(self) -> Result<(), TxnError> {
        self.commit_within(Tries::of(1)).await
    }

    async fn commit_within(self, mut tries: Tries) -> Result<(), TxnError> {
        loop {
            let sent = self
                .store
                .db
                .transact_write_items()
                .set_transact_items(Some(self.writes.clone()))
                .send()
                .await;
            let Err(error) = sent else { return Ok(()) };
            let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) =
                error.as_service_error()
            else {
                return Err(StoreError::from(error).into());
            };
            let reasons = cancelled.cancellation_reasons();
            if let Some((index, reason)) = first(reasons, "ConditionalCheckFailed") {
                return Err(TxnError::Condition {
                    index,
                    stored: reason.item().filter(|item| !item.is_empty()).cloned(),
                });
            }
            let collided = [
                "TransactionConflict",
                "ThrottlingError",
                "ProvisionedThroughputExceeded",
            ]
            .iter()
            .any(|code| first(reasons, code).is_some());
            if !collided || !tries.again().await {
                return Err(StoreError::from(error).into());
            }
        }
    }
}

fn first<'a>(
    reasons: &'a [CancellationReason],
    code: &str,
) -> Option<(usize, &'a CancellationReason)> {
    reasons
        .iter()
        .enumerate()
        .find(|(_, reason)| reason.code() == Some(code))
}
