//! Items: a record of the domain, plus keys and index attributes.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::StoreError;
use crate::domain::Timestamp;

/// An item as DynamoDB has it.
pub type Item = HashMap<String, AttributeValue>;

/// Version of the item layout, in every item.
const SCHEMA_VERSION: u32 = 1;
/// Shards of every due index: enough that no single partition takes all
/// writes, few enough that a sweep is a handful of queries.
pub const DUE_SHARDS: u8 = 4;

/// A string attribute.
pub fn s(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

/// A number attribute.
pub fn n(number: impl ToString) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

/// Names of the shards of a due index.
pub fn due_shards() -> impl Iterator<Item = String> {
    (0..DUE_SHARDS).map(|shard| format!("d{shard}"))
}

/// Builds an item: the one way to write a record.
pub struct Row(Item);

impl Row {
    /// A record under its keys.
    pub fn new<T: Serialize>(
        pk: impl Into<String>,
        sk: impl Into<String>,
        record: &T,
    ) -> Result<Self, StoreError> {
        let mut item: Item = serde_dynamo::aws_sdk_dynamodb_1::to_item(record)
            .map_err(|e| StoreError::Corrupt(e.to_string()))?;
        // An absent value and an explicit NULL would be two spellings of one
        // thing, and a NULL can't be a key of a sparse index.
        item.retain(|_, value| !matches!(value, AttributeValue::Null(_)));
        item.remove("due_at");
        item.insert("pk".into(), s(pk));
        item.insert("sk".into(), s(sk));
        item.insert("v".into(), n(SCHEMA_VERSION));
        Ok(Self(item))
    }

    /// Adds an attribute.
    #[must_use]
    pub fn with(mut self, name: &str, value: AttributeValue) -> Self {
        self.0.insert(name.into(), value);
        self
    }

    /// Enters it into the due index, or leaves it out.
    #[must_use]
    pub fn due(mut self, due_at: Option<Timestamp>) -> Self {
        if let Some(at) = due_at {
            let mut hasher = DefaultHasher::new();
            for key in ["pk", "sk"] {
                self.0
                    .get(key)
                    .and_then(|v| v.as_s().ok())
                    .hash(&mut hasher);
            }
            let shard = hasher.finish() % u64::from(DUE_SHARDS);
            self.0.insert("due_shard".into(), s(format!("d{shard}")));
            self.0.insert("due_at".into(), n(at.millis()));
        }
        self
    }

    /// The item.
    #[must_use]
    pub fn build(self) -> Item {
        self.0
    }
}

/// Reads a record from an item.
pub fn read<T: DeserializeOwned>(mut item: Item) -> Result<T, StoreError> {
    // In items the time is a number, because it is a key of the index.
    if let Some(AttributeValue::N(millis)) = item.get("due_at") {
        let millis: i64 = millis
            .parse()
            .map_err(|_| StoreError::Corrupt("due_at is not a number".into()))?;
        item.insert(
            "due_at".into(),
            s(Timestamp::from_millis(millis).to_string()),
        );
    }
    serde_dynamo::aws_sdk_dynamodb_1::from_item(item)
        .map_err(|e| StoreError::Corrupt(e.to_string()))
}

/// A string attribute of an item.
pub fn text<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name)
        .and_then(|value| value.as_s().ok())
        .map(String::as_str)
}

/// A number attribute of an item.
pub fn number(item: &Item, name: &str) -> Option<u64> {
    item.get(name)
        .and_then(|value| value.as_n().ok())
        .and_then(|text| text.parse().ok())
}
