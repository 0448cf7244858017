//! The tables, described once. The embedded cloud makes them from here, and a
//! test proves that `template.yaml` says the same.

use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::operation::create_table::builders::CreateTableInputBuilder;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType,
};

/// An index of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Index {
    /// Its name, in code and template.
    pub name: &'static str,
    /// Partition key (a string).
    pub hash: &'static str,
    /// Attribute that is the sort key; an item without it is not in the index.
    pub range: &'static str,
    /// Whether the sort key is a number instead of a string.
    pub numeric_range: bool,
    /// Attributes it carries besides the keys.
    pub include: &'static [&'static str],
}

/// A table. Its keys are always the strings `pk` and `sk`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Table {
    /// What it is called in configuration: `TABLE_<NAME>`.
    pub name: &'static str,
    /// Its indexes.
    pub indexes: &'static [Index],
    /// Attribute after whose time an item may vanish.
    pub ttl: Option<&'static str>,
}

/// What is due, in shards: the only way work is found. Sparse: an item without
/// `due_shard` is not in it.
const DUE: Index = Index {
    name: "due",
    hash: "due_shard",
    range: "due_at",
    numeric_range: true,
    include: &[],
};

/// Every table.
pub const TABLES: [Table; 7] = [
    Table {
        name: "files",
        indexes: &[DUE],
        ttl: Some("ttl"),
    },
    Table {
        name: "datasets",
        indexes: &[DUE],
        ttl: None,
    },
    Table {
        name: "samples",
        indexes: &[],
        ttl: None,
    },
    Table {
        name: "runs",
        indexes: &[
            DUE,
            Index {
                name: "by_dataset",
                hash: "dataset_key",
                range: "sk",
                numeric_range: false,
                include: &["status"],
            },
            Index {
                name: "by_status",
                hash: "status_key",
                range: "sk",
                numeric_range: false,
                include: &[],
            },
        ],
        ttl: Some("ttl"),
    },
    Table {
        name: "units",
        indexes: &[
            DUE,
            // What is at a provider, per credential: one Query beside one LIST.
            Index {
                name: "open",
                hash: "open_key",
                range: "sk",
                numeric_range: false,
                include: &["batch"],
            },
        ],
        ttl: None,
    },
    Table {
        name: "results",
        indexes: &[Index {
            name: "by_wer",
            hash: "wer_key",
            range: "wer_sort",
            numeric_range: false,
            include: &[],
        }],
        ttl: None,
    },
    Table {
        name: "access",
        indexes: &[],
        ttl: Some("ttl"),
    },
];

fn key(name: &str, kind: KeyType) -> Result<KeySchemaElement, BuildError> {
    KeySchemaElement::builder()
        .attribute_name(name)
        .key_type(kind)
        .build()
}

fn attribute(name: &str, numeric: bool) -> Result<AttributeDefinition, BuildError> {
    let kind = if numeric {
        ScalarAttributeType::N
    } else {
        ScalarAttributeType::S
    };
    AttributeDefinition::builder()
        .attribute_name(name)
        .attribute_type(kind)
        .build()
}

impl Table {
    /// The request that makes the table under a name of the caller's.
    ///
    /// # Errors
    /// Never in practice: the SDK's builders report missing fields.
    pub fn create(&self, name: &str) -> Result<CreateTableInputBuilder, BuildError> {
        let mut input = CreateTableInputBuilder::default()
            .table_name(name)
            .billing_mode(BillingMode::PayPerRequest)
            .key_schema(key("pk", KeyType::Hash)?)
            .key_schema(key("sk", KeyType::Range)?);
        let mut attributes = vec![("pk", false), ("sk", false)];
        for index in self.indexes {
            for attribute in [(index.hash, false), (index.range, index.numeric_range)] {
                if !attributes.contains(&attribute) {
                    attributes.push(attribute);
                }
            }
            let projection = if index.include.is_empty() {
                Projection::builder().projection_type(ProjectionType::KeysOnly)
            } else {
                Projection::builder()
                    .projection_type(ProjectionType::Include)
                    .set_non_key_attributes(Some(
                        index.include.iter().map(|a| (*a).to_owned()).collect(),
                    ))
            };
            input = input.global_secondary_indexes(
                GlobalSecondaryIndex::builder()
                    .index_name(index.name)
                    .key_schema(key(index.hash, KeyType::Hash)?)
                    .key_schema(key(index.range, KeyType::Range)?)
                    .projection(projection.build())
                    .build()?,
            );
        }
        for (name, numeric) in attributes {
            input = input.attribute_definitions(attribute(name, numeric)?);
        }
        Ok(input)
    }
}
