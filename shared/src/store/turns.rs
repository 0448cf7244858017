//! Turns: how many of a costly kind of request a project has under way, counted
//! over all instances of a function.
//!
//! A place is an item that is taken by a conditional write and given back by
//! deleting it. One that a crash leaves behind is free when its time is up.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;

use super::row::{n, s};
use super::txn::beside_transactions;
use super::{Store, StoreError};
use crate::crypto::random;
use crate::domain::{ProjectId, Timestamp};

/// A place that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    place: String,
    holder: String,
}

impl Store {
    /// Takes one of a project's places for a kind of work, for as long as `lease`
    /// at most; `None` when all are taken.
    pub async fn take_turn(
        &self,
        project: &ProjectId,
        kind: &str,
        places: u8,
        now: Timestamp,
        lease: Duration,
    ) -> Result<Option<Turn>, StoreError> {
        let mark = random::<8>().map_err(|e| StoreError::Unavailable(e.to_string()))?;
        let holder = hex::encode(mark);
        let until = now + lease;
        for number in 0..places {
            let place = format!("turn#{kind}#{number}");
            let put = self
                .db
                .put_item()
                .table_name(&self.tables.runs)
                .item("pk", s(project.as_str()))
                .item("sk", s(&*place))
                .item("holder", s(&*holder))
                .item("until", n(until.millis()))
                .item("ttl", n((until + lease).seconds()))
                // The SDK repeats a write whose answer was lost: it is ours then.
                .condition_expression(
                    "attribute_not_exists(pk) OR #until < :now OR holder = :holder",
                )
                .expression_attribute_names("#until", "until")
                .expression_attribute_values(":now", n(now.millis()))
                .expression_attribute_values(":holder", AttributeValue::S(holder.clone()));
            match beside_transactions(|| put.clone().send())
                .await
                .map_err(StoreError::from)
            {
                Ok(_) => return Ok(Some(Turn { place, holder })),
                Err(StoreError::Conflict) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// Gives a place back, unless its time was up and it was taken again.
    pub async fn end_turn(&self, project: &ProjectId, turn: &Turn) -> Result<(), StoreError> {
        let delete = self
            .db
            .delete_item()
            .table_name(&self.tables.runs)
            .key("pk", s(project.as_str()))
            .key("sk", s(&*turn.place))
            .condition_expression("holder = :holder")
            .expression_attribute_values(":holder", s(&*turn.holder));
        let deleted = beside_transactions(|| delete.clone().send()).await;
        match deleted.map_err(StoreError::from) {
            Ok(_) | Err(StoreError::Conflict) => Ok(()),
            Err(error) => Err(error),
        }
    }
}
