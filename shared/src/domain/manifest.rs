//! Manifests: tables that list the samples of a dataset.
//!
//! CSV, TSV or JSON lines; columns `file_id` or `filename`, `ground_truth`,
//! `language`, and any other as metadata. All errors are told with the line.

use super::FileId;
use super::dataset::{
    MAX_GROUND_TRUTH_CHARS, MAX_METADATA_FIELDS, MAX_METADATA_VALUE_CHARS, MAX_SAMPLES, Metadata,
};
use super::validate::{Errors, FieldError};

/// How a row names its recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileRef {
    /// By id.
    Id(FileId),
    /// By the name it was uploaded with.
    Name(String),
}

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Line it begins on, from 1.
    pub line: u64,
    /// Its recording.
    pub file: FileRef,
    /// What is said in it. An empty cell means "not given": a table can't tell
    /// it apart from "nothing is said"; JSON lines can, with `""`.
    pub ground_truth: Option<String>,
    /// BCP-47 tag, as written.
    pub language: Option<String>,
    /// All other columns that are not empty.
    pub metadata: Metadata,
}

/// Formats of a manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated.
    Csv,
    /// Tab-separated.
    Tsv,
    /// One JSON object to a line.
    Jsonl,
}

impl Format {
    /// By content type.
    #[must_use]
    pub fn from_content_type(content_type: &str) -> Option<Self> {
        match content_type {
            "text/csv" => Some(Self::Csv),
            "text/tab-separated-values" => Some(Self::Tsv),
            "application/jsonl" => Some(Self::Jsonl),
            _ => None,
        }
    }
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
    let text = std::str::from_utf8(bytes).map_err(|error| {
        whole(format!(
            "the manifest is not UTF-8 (from byte {})",
            error.valid_up_to()
        ))
    })?;
    // Spreadsheets put a byte order mark in front.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut errors = Errors::new();
    let drafts = match format {
        Format::Csv => table(text, b',', &mut errors),
        Format::Tsv => table(text, b'\t', &mut errors),
        Format::Jsonl => Ok(json_lines(text, &mut errors)),
    }
    .map_err(whole)?;
    if drafts.len() > MAX_SAMPLES {
        return Err(whole(format!("has more than {MAX_SAMPLES} rows")));
    }
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

/// The line a record begins on. After CRLF the reader stands between the two:
/// it has yet to count the line that the LF ends.
fn line_of(text: &str, position: Option<&csv::Position>) -> u64 {
    let Some(position) = position else { return 0 };
    let at = usize::try_from(position.byte()).ok();
    let before_lf = at.and_then(|at| text.as_bytes().get(at)) == Some(&b'\n');
    position.line() + u64::from(before_lf)
}

fn table(text: &str, delimiter: u8, errors: &mut Errors) -> Result<Vec<Draft>, String> {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .quoting(true)
        .flexible(false)
        .from_reader(text.as_bytes());
    let header = reader
        .headers()
        .map_err(|e| format!("the header can't be read: {e}"))?
        .clone();
    let columns: Vec<String> = header.iter().map(|name| name.trim().to_owned()).collect();
    if let Some(twice) = columns
        .iter()
        .enumerate()
        .find(|(i, c)| columns[..*i].contains(c))
    {
        return Err(format!("the column {:?} is there twice", twice.1));
    }
    if !columns.iter().any(|c| c == "file_id" || c == "filename") {
        return Err("the header needs a column file_id or filename".to_owned());
    }
    let mut drafts = Vec::new();
    for record in reader.records() {
        if drafts.len() > MAX_SAMPLES {
            break;
        }
        match record {
            Ok(record) => {
                let line = line_of(text, record.position());
                let mut draft = Draft {
                    line,
                    ..Draft::default()
                };
                for (column, value) in columns.iter().zip(record.iter()) {
                    if !value.trim().is_empty() && !column.is_empty() {
                        draft.set(column, value.to_owned());
                    }
                }
                drafts.push(draft);
            }
            Err(error) => {
                let line = line_of(text, error.position());
                errors.push(
                    format!("line {line}"),
                    "has another number of columns than the header",
                );
            }
        }
    }
    Ok(drafts)
}

fn json_lines(text: &str, errors: &mut Errors) -> Vec<Draft> {
    let mut drafts = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let number = number as u64 + 1;
        if line.trim().is_empty() {
            continue;
        }
        if drafts.len() > MAX_SAMPLES {
            break;
        }
        let object: serde_json::Map<String, serde_json::Value> = match serde_json::from_str(line) {
            Ok(object) => object,
            Err(_) => {
                errors.push(format!("line {number}"), "is not a JSON object");
                continue;
            }
        };
        let mut draft = Draft {
            line: number,
            ..Draft::default()
        };
        for (column, value) in object {
            match value {
                serde_json::Value::Null => {}
                serde_json::Value::String(text) => draft.set(&column, text),
                serde_json::Value::Object(fields) if column == "metadata" => {
                    for (name, value) in fields {
                        if let Some(text) = scalar(&value) {
                            draft.metadata.insert(name, text);
                        } else {
                            errors.push(
                                format!("line {number}: metadata.{name}"),
                                "must be text, a number or true/false",
                            );
                        }
                    }
                }
                other => match scalar(&other) {
                    Some(text) => draft.set(&column, text),
                    None => errors.push(
                        format!("line {number}: {column}"),
                        "must be text, a number or true/false",
                    ),
                },
            }
        }
        drafts.push(draft);
    }
    drafts
}

fn scalar(value: &serde_json::Value) -> Option<String> {
    match value {
        serde_json::Value::String(text) => Some(text.clone()),
        serde_json::Value::Number(number) => Some(number.to_string()),
        serde_json::Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn spreadsheets_and_json_lines_say_the_same() {
        let csv = "\u{feff}filename,ground_truth,speaker\r\na.wav,\"नमस्ते, आप\",s1\r\nb.wav,,\r\n";
        let tsv = "filename\tground_truth\tspeaker\na.wav\tनमस्ते, आप\ts1\nb.wav\t\t\n";
        let jsonl = "{\"filename\":\"a.wav\",\"ground_truth\":\"नमस्ते, आप\",\"speaker\":\"s1\"}\n{\"filename\":\"b.wav\"}";
        let strip = |rows: Vec<Row>| {
            rows.into_iter()
                .map(|row| Row { line: 0, ..row })
                .collect::<Vec<_>>()
        };
        let rows = strip(parse(csv.as_bytes(), Format::Csv).unwrap());
        assert_eq!(rows[0].ground_truth.as_deref(), Some("नमस्ते, आप"));
        assert_eq!(rows[0].metadata["speaker"], "s1");
        assert_eq!(rows[1].ground_truth, None);
        assert_eq!(rows, strip(parse(tsv.as_bytes(), Format::Tsv).unwrap()));
        assert_eq!(rows, strip(parse(jsonl.as_bytes(), Format::Jsonl).unwrap()));
    }

    #[test]
    fn errors_name_the_line() {
        let bad = parse(b"file_id,x\nfile_1,2\n", Format::Csv).unwrap_err();
        assert_eq!(bad[0].field, "line 2: file_id");
        let bad = parse(b"file_id\r\nx\r\ny\r\n", Format::Csv).unwrap_err();
        assert_eq!(bad[0].field, "line 2: file_id");
        assert_eq!(bad[1].field, "line 3: file_id");
        let bad = parse(b"name\na\n", Format::Csv).unwrap_err();
        assert!(bad[0].message.contains("file_id or filename"));
        assert!(
            parse(b"filename\n", Format::Csv).unwrap_err()[0]
                .message
                .contains("no rows")
        );
        let bad = parse(b"{\"filename\":\"a\"}\n[1]\n", Format::Jsonl).unwrap_err();
        assert_eq!(bad[0].field, "line 2");
        assert!(
            parse(b"\xff\xfe", Format::Csv).unwrap_err()[0]
                .message
                .contains("UTF-8")
        );
        let silent = parse(b"{\"filename\":\"a\",\"ground_truth\":\"\"}", Format::Jsonl).unwrap();
        assert_eq!(silent[0].ground_truth.as_deref(), Some(""));
    }

    proptest! {
        #[test]
        fn never_panics(bytes: Vec<u8>) {
            for format in [Format::Csv, Format::Tsv, Format::Jsonl] {
                let _ = parse(&bytes, format);
            }
        }
    }
}
