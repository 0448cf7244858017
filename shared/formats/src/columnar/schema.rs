//! Which columns of a Parquet file are what.

use std::collections::{BTreeMap, BTreeSet};

use parquet::basic::{ConvertedType, LogicalType, TimeUnit, Type};
use parquet::file::metadata::ParquetMetaData;
use parquet::schema::types::ColumnDescriptor;
use serde_json::Value;

use crate::problem::{Code, Problem};
use crate::table::{Role, role_of};

/// A column whose cells are single values.
pub(super) struct Fact {
    /// Its place among the leaves.
    pub(super) leaf: usize,
    pub(super) name: String,
    /// Names of the numbers in it, where the file has them.
    pub(super) labels: Vec<String>,
    /// What its numbers are, where they are none.
    pub(super) counts: Counts,
}

/// What a number stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counts {
    /// Itself.
    Nothing,
    /// Days from 1970-01-01 on.
    Days,
    /// Parts of a second from then on, so many of them in one.
    Moments(i64),
}

impl Counts {
    fn of(column: &ColumnDescriptor) -> Self {
        match (column.logical_type_ref(), column.converted_type()) {
            (Some(LogicalType::Date), _) | (_, ConvertedType::DATE) => Self::Days,
            (Some(LogicalType::Timestamp(of)), _) => Self::Moments(match of.unit {
                TimeUnit::MILLIS => 1_000,
                TimeUnit::MICROS => 1_000_000,
                TimeUnit::NANOS => 1_000_000_000,
            }),
            (_, ConvertedType::TIMESTAMP_MILLIS) => Self::Moments(1_000),
            (_, ConvertedType::TIMESTAMP_MICROS) => Self::Moments(1_000_000),
            _ => Self::Nothing,
        }
    }
}

/// The column of the recordings.
pub(super) struct AudioColumn {
    pub(super) name: String,
    /// The leaf of their bytes.
    pub(super) bytes: usize,
    /// The leaf of what they were called.
    pub(super) path: Option<usize>,
}

/// What a file consists of.
pub(super) struct Schema {
    pub(super) audio: Option<AudioColumn>,
    pub(super) facts: Vec<Fact>,
    /// Names of columns that are not read.
    pub(super) left_out: Vec<String>,
}

/// What the file says of itself under `huggingface`: features by column.
fn features(metadata: &ParquetMetaData) -> BTreeMap<String, Value> {
    let all = metadata.file_metadata().key_value_metadata();
    let entry = all.and_then(|all| all.iter().find(|one| one.key == "huggingface"));
    let text = entry.and_then(|entry| entry.value.as_deref());
    let told = text.and_then(|text| serde_json::from_str::<Value>(text).ok());
    let features = told
        .as_ref()
        .and_then(|told| told.pointer("/info/features"));
    let features = features.and_then(Value::as_object);
    features
        .map(|all| all.iter().map(|(name, one)| (name.clone(), one.clone())))
        .into_iter()
        .flatten()
        .collect()
}

fn is_text(column: &ColumnDescriptor) -> bool {
    matches!(
        column.converted_type(),
        ConvertedType::UTF8 | ConvertedType::ENUM | ConvertedType::JSON
    )
}

fn is_bytes(column: &ColumnDescriptor) -> bool {
    column.physical_type() == Type::BYTE_ARRAY && column.max_rep_level() == 0
}

impl Schema {
    /// Columns by what they hold; `asked` is the one of the recordings, if it was named.
    pub(super) fn of(metadata: &ParquetMetaData, asked: Option<&str>) -> Result<Self, Problem> {
        let features = features(metadata);
        let leaves = metadata.file_metadata().schema_descr().columns();
        let audio = audio(leaves, &features, asked)?;
        let (mut facts, mut left_out) = (Vec::new(), BTreeSet::new());
        for (leaf, column) in leaves.iter().enumerate() {
            let parts = column.path().parts();
            let root = parts.first().map(String::as_str).unwrap_or_default();
            // The index of pandas says nothing of a recording.
            if audio.as_ref().is_some_and(|audio| audio.name == root)
                || root.starts_with("__index_level_")
            {
                continue;
            }
            let is_value = column.max_rep_level() == 0
                && column.converted_type() != ConvertedType::DECIMAL
                && match column.physical_type() {
                    Type::BYTE_ARRAY => is_text(column) || features.is_empty(),
                    Type::INT96 | Type::FIXED_LEN_BYTE_ARRAY => false,
                    _ => true,
                };
            if !is_value {
                left_out.insert(root.to_owned());
                continue;
            }
            let names = features.get(root).and_then(|one| one.get("names"));
            let names = names.and_then(Value::as_array).into_iter().flatten();
            facts.push(Fact {
                leaf,
                name: parts.join("."),
                labels: names.filter_map(Value::as_str).map(str::to_owned).collect(),
                counts: Counts::of(column),
            });
        }
        Ok(Self {
            audio,
            facts,
            left_out: left_out.into_iter().collect(),
        })
    }
}

type Leaves = [std::sync::Arc<ColumnDescriptor>];

/// The column of the recordings: what the file says, else a struct with bytes, else bytes
/// in a column with a known name. None where recordings are beside the file.
fn audio(
    leaves: &Leaves,
    features: &BTreeMap<String, Value>,
    asked: Option<&str>,
) -> Result<Option<AudioColumn>, Problem> {
    let mut found: Vec<AudioColumn> = Vec::new();
    for (leaf, column) in leaves.iter().enumerate().filter(|(_, one)| is_bytes(one)) {
        let parts: Vec<&str> = column.path().parts().iter().map(String::as_str).collect();
        let (name, is_audio) = match parts.as_slice() {
            [name, "bytes"] => (*name, true),
            [name] => (*name, !is_text(column) && role_of(name) == Role::Audio),
            _ => continue,
        };
        let kind = features.get(name).and_then(|one| one.get("_type"));
        let is_audio = match kind.and_then(Value::as_str) {
            Some("Audio") => true,
            // Pictures are such structs too.
            Some(_) => false,
            None => is_audio,
        };
        if !is_audio && asked != Some(name) {
            continue;
        }
        let path = leaves.iter().position(|other| {
            let parts = other.path().parts();
            is_bytes(other) && matches!(parts, [own, path] if own == name && path == "path")
        });
        found.push(AudioColumn {
            name: name.to_owned(),
            bytes: leaf,
            path,
        });
    }
    if let Some(asked) = asked {
        // One that is no column of bytes may hold paths.
        return Ok(found.into_iter().find(|one| one.name == asked));
    }
    if found.len() > 1 {
        let names: Vec<&str> = found.iter().map(|one| one.name.as_str()).collect();
        let message = format!("several columns hold recordings: {}", names.join(", "));
        let hint = format!("choose: --audio-column {}", names.first().unwrap_or(&""));
        return Err(Problem::new(Code::ChooseColumn, message).hint(hint));
    }
    Ok(found.pop())
}
