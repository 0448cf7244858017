//! Manifests: tables that list the samples of a dataset.
//!
//! CSV, TSV or JSON lines; columns `file_id` or `filename`, `ground_truth`,
//! `language`, and any other as metadata. All errors are told with the line.

use super::FileId;
use super::dataset::{
    MAX_GROUND_TRUTH_CHARS, MAX_METADATA_FIELDS, MAX_METADATA_VALUE_CHARS, Metadata,
};
use super::rows::{self, Cell, Kind, Record};
use super::validate::{Errors, FieldError};

pub use super::rows::{Format, MAX_COLUMNS, MAX_LINE_BYTES};

const NO_SCALAR: &str = "must be text, a number or true/false";
const KIND: Kind = Kind {
    header: |columns| {
        if columns.iter().any(|c| c == "file_id" || c == "filename") {
            return Ok(());
        }
        Err("the header needs a column file_id or filename".to_owned())
    },
    too_long: "a longer ground_truth fits in the samples of POST /datasets",
};

/// How a row names its recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileRef {
    /// By the id of its file.
    Id(FileId),
    /// By the name it was uploaded with.
    Name(String),
}

/// One row: a sample to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Line it begins on, from 1.
    pub line: u64,
    /// Which file its recording is.
    pub file: FileRef,
    /// What is said in it. An empty cell means "not given": a table can't tell
    /// it apart from "nothing is said"; JSON lines can, with `""`.
    pub ground_truth: Option<String>,
    /// BCP-47 tag, as written.
    pub language: Option<String>,
    /// All other columns that are not empty.
    pub metadata: Metadata,
}

/// A row before its checks.
#[derive(Default)]
struct Draft {
    line: u64,
    file_id: Option<String>,
    filename: Option<String>,
    ground_truth: Option<String>,
    language: Option<String>,
    metadata: Metadata,
}

impl Draft {
    fn of(record: Record, errors: &mut Errors) -> Self {
        let mut draft = Self {
            line: record.line,
            ..Self::default()
        };
        let at = |column: &str| format!("line {}: {column}", record.line);
        for (column, cell) in record.cells {
            match cell {
                Cell::Blank => {}
                Cell::Text(text) => draft.set(&column, text),
                Cell::Fields(fields) if column == "metadata" => {
                    for (name, value) in fields {
                        match value {
                            Some(text) => {
                                draft.metadata.insert(name, text);
                            }
                            None => errors.push(at(&format!("metadata.{name}")), NO_SCALAR),
                        }
                    }
                }
                Cell::Other if column == "metadata" => {
                    errors.push(at("metadata"), rows::no_object());
                }
                Cell::Fields(_) | Cell::Other => errors.push(at(&column), NO_SCALAR),
            }
        }
        draft
    }

    fn set(&mut self, column: &str, value: String) {
        match column {
            "file_id" => self.file_id = Some(value),
            "filename" => self.filename = Some(value),
            "ground_truth" => self.ground_truth = Some(value),
            "language" => self.language = Some(value),
            other => {
                self.metadata.insert(other.to_owned(), value);
            }
        }
    }

    fn check(self, errors: &mut Errors) -> Option<Row> {
        let field = |column: &str| format!("line {}: {column}", self.line);
        let file = match (self.file_id, self.filename) {
            (Some(id), _) => match id.trim().parse() {
                Ok(id) => FileRef::Id(id),
                Err(_) => {
                    errors.push(field("file_id"), "is not a file id");
                    return None;
                }
            },
            (None, Some(name)) => FileRef::Name(name),
            (None, None) => {
                errors.push(field("file_id"), "give file_id or filename");
                return None;
            }
        };
        if let Some(text) = &self.ground_truth {
            let length = text.chars().count();
            if length > MAX_GROUND_TRUTH_CHARS {
                let message =
                    format!("must have at most {MAX_GROUND_TRUTH_CHARS} characters, has {length}");
                errors.push(field("ground_truth"), message);
                return None;
            }
        }
        if self.metadata.len() > MAX_METADATA_FIELDS {
            errors.push(
                field("metadata"),
                format!("at most {MAX_METADATA_FIELDS} columns"),
            );
            return None;
        }
        for (name, value) in &self.metadata {
            if value.chars().count() > MAX_METADATA_VALUE_CHARS {
                let message = format!("must have at most {MAX_METADATA_VALUE_CHARS} characters");
                errors.push(field(name), message);
                return None;
            }
        }
        Some(Row {
            line: self.line,
            file,
            ground_truth: self.ground_truth,
            language: self.language,
            metadata: self.metadata,
        })
    }
}

/// Reads a manifest.
///
/// # Errors
/// Every line that can't be used (up to a bound), a missing column, no rows or
/// too many.
pub fn parse(bytes: &[u8], format: Format) -> Result<Vec<Row>, Vec<FieldError>> {
    let whole = |message: String| vec![FieldError::new("manifest_file_id", message)];
    let mut errors = Errors::new();
    let drafts = rows::read(bytes, format, &KIND, &mut errors, &mut Draft::of).map_err(whole)?;
    let rows: Vec<Row> = drafts
        .into_iter()
        .filter_map(|draft| draft.check(&mut errors))
        .collect();
    errors.finish()?;
    if rows.is_empty() {
        return Err(whole("the manifest has no rows".to_owned()));
    }
    Ok(rows)
}

#[cfg(test)]
#[path = "manifest_tests.rs"]
mod tests;
