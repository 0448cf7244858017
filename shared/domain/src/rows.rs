//! Reading tables that people send: CSV, TSV or JSON lines, row by row, with bounds
//! that hold before work is done. What the columns mean is the caller's affair.

use std::cell::Cell as Shared;
use std::collections::HashSet;
use std::io::Read;
use std::rc::Rc;

use super::dataset::{MAX_METADATA_FIELDS, MAX_SAMPLES};
use super::validate::Errors;

#[path = "rows_json.rs"]
mod json;

/// Most columns of a table, and fields of an object in JSON lines. Looked at
/// before columns are compared with each other.
pub const MAX_COLUMNS: usize = 64;
/// Longest line, in bytes: of JSON lines, and a record of a table (which may go
/// over several lines). Looked at before a line is parsed, so that what parsing
/// takes does not grow with what is sent.
pub const MAX_LINE_BYTES: usize = 64 * 1024;

/// Formats of a table.
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

/// What stands in a column of a row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell {
    /// Nothing but blanks, in a table, which can't tell an empty text from none.
    Blank,
    /// A text; of JSON also a number or truth value. Maybe empty in JSON.
    Text(String),
    /// An object of JSON: its fields, `None` for what is no scalar.
    Fields(Vec<(String, Option<String>)>),
    /// What is of no use.
    Other,
}

/// A row, before anything is made of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Record {
    /// Line it begins on, from 1.
    pub(crate) line: u64,
    /// What it has, by column.
    pub(crate) cells: Vec<(String, Cell)>,
}

/// What kind of table it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kind {
    /// Whether a header has the columns that are needed; an error says which.
    pub(crate) header: fn(&[String]) -> Result<(), String>,
    /// What to do with more than a line may hold; ends a sentence.
    pub(crate) too_long: &'static str,
}

/// Reads the rows of a table; each is made into something at once.
///
/// # Errors
/// What is wrong with the table as a whole. What is wrong with lines is in `errors`,
/// up to a bound.
pub(crate) fn read<T>(
    bytes: &[u8],
    format: Format,
    kind: &Kind,
    errors: &mut Errors,
    make: &mut dyn FnMut(Record, &mut Errors) -> T,
) -> Result<Vec<T>, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        format!(
            "the manifest is not UTF-8 (from byte {})",
            error.valid_up_to()
        )
    })?;
    // Spreadsheets put a byte order mark in front.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let rows = match format {
        Format::Csv => table(text, b',', kind, errors, make),
        Format::Tsv => table(text, b'\t', kind, errors, make),
        Format::Jsonl => Ok(json_lines(text, kind, errors, make)),
    }?;
    if rows.len() > MAX_SAMPLES {
        return Err(format!("has more than {MAX_SAMPLES} rows"));
    }
    Ok(rows)
}

fn too_long_record(kind: &Kind) -> String {
    format!(
        "is longer than 64 KiB, or a quote in it is not closed; {}",
        kind.too_long
    )
}

/// The line a record begins on. After CRLF the reader stands between the two:
/// it has yet to count the line that the LF ends.
fn line_of(text: &str, position: Option<&csv::Position>) -> u64 {
    let Some(position) = position else { return 0 };
    let at = usize::try_from(position.byte()).ok();
    let before_lf = at.and_then(|at| text.as_bytes().get(at)) == Some(&b'\n');
    position.line() + u64::from(before_lf)
}

/// Gives a reader its text up to a mark, so that one record can't make it take
/// in more than a line may have.
struct Bounded<'a> {
    text: &'a [u8],
    given: usize,
    mark: Rc<Shared<usize>>,
}

impl Read for Bounded<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let rest = self.text.get(self.given..).unwrap_or_default();
        let allowed = self.mark.get().saturating_sub(self.given);
        if !rest.is_empty() && allowed == 0 {
            return Err(std::io::Error::other("a record is too long"));
        }
        let size = rest.len().min(allowed).min(buffer.len());
        for (to, from) in buffer.iter_mut().zip(&rest[..size]) {
            *to = *from;
        }
        self.given += size;
        Ok(size)
    }
}

fn byte_of(position: &csv::Position) -> usize {
    usize::try_from(position.byte()).unwrap_or(usize::MAX)
}

/// A mark that a record of the greatest length ends before, with its line break
/// and what is left of the one before.
fn mark_after(position: &csv::Position) -> usize {
    byte_of(position).saturating_add(MAX_LINE_BYTES + "\n".len() + "\r\n".len())
}

/// What lies between two positions.
fn between<'a>(text: &'a str, from: &csv::Position, to: &csv::Position) -> &'a [u8] {
    let between = text.as_bytes().get(byte_of(from)..byte_of(to));
    between.unwrap_or_default()
}

/// Whether what lies between two positions is longer than a line may be.
fn is_long(text: &str, from: &csv::Position, to: &csv::Position) -> bool {
    let record = between(text, from, to);
    let breaks = |byte: &u8| matches!(byte, b'\r' | b'\n');
    let before = record.iter().take_while(|byte| breaks(byte)).count();
    let behind = record.iter().rev().take_while(|byte| breaks(byte)).count();
    record.len().saturating_sub(before + behind) > MAX_LINE_BYTES
}

/// Whether each quoted cell of a record is closed, and one that goes over a line break is
/// followed by the next cell: otherwise a quote that nothing closes has taken in the rows
/// behind it. Within a line, text behind a closing quote is what people write.
fn is_closed(record: &[u8], delimiter: u8) -> bool {
    let breaks = |byte: u8| matches!(byte, b'\r' | b'\n');
    let mut bytes = record.iter().copied().peekable();
    let mut begins = true;
    while let Some(byte) = bytes.next() {
        if !begins || byte != b'"' {
            begins = byte == delimiter || breaks(byte);
            continue;
        }
        let mut goes_over = false;
        loop {
            match bytes.next() {
                None => return false,
                Some(b'"') if bytes.peek() == Some(&b'"') => {
                    bytes.next();
                }
                Some(b'"') => break,
                Some(byte) => goes_over |= breaks(byte),
            }
        }
        begins = false;
        let ends = bytes
            .peek()
            .is_none_or(|next| *next == delimiter || breaks(*next));
        if goes_over && !ends {
            return false;
        }
    }
    true
}

fn table<T>(
    text: &str,
    delimiter: u8,
    kind: &Kind,
    errors: &mut Errors,
    make: &mut dyn FnMut(Record, &mut Errors) -> T,
) -> Result<Vec<T>, String> {
    let mark = Rc::new(Shared::new(mark_after(&csv::Position::new())));
    let bounded = Bounded {
        text: text.as_bytes(),
        given: 0,
        mark: Rc::clone(&mark),
    };
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .quoting(true)
        .flexible(false)
        .from_reader(bounded);
    let too_long = too_long_record(kind);
    let header = match reader.headers() {
        Ok(header) => header.clone(),
        Err(error) if error.is_io_error() => return Err(format!("line 1 {too_long}")),
        Err(error) => return Err(format!("the header can't be read: {error}")),
    };
    if is_long(text, &csv::Position::new(), reader.position()) {
        return Err(format!("line 1 {too_long}"));
    }
    if header.len() > MAX_COLUMNS {
        let found = header.len();
        return Err(format!(
            "must have at most {MAX_COLUMNS} columns, has {found}"
        ));
    }
    let columns: Vec<String> = header.iter().map(|name| name.trim().to_owned()).collect();
    let mut seen = HashSet::new();
    if let Some(twice) = columns.iter().find(|name| !seen.insert(name.as_str())) {
        return Err(format!("the column {twice:?} is there twice"));
    }
    (kind.header)(&columns)?;
    let mut rows = Vec::new();
    let mut record = csv::StringRecord::new();
    loop {
        if rows.len() > MAX_SAMPLES || errors.is_full() {
            break;
        }
        let begins = reader.position().clone();
        mark.set(mark_after(&begins));
        match reader.read_record(&mut record) {
            Ok(false) => break,
            Ok(true) if is_long(text, &begins, reader.position()) => {
                let line = line_of(text, record.position());
                errors.push(format!("line {line}"), &*too_long);
            }
            Ok(true) if !is_closed(between(text, &begins, reader.position()), delimiter) => {
                let line = line_of(text, record.position());
                errors.push(format!("line {line}"), "a quote in it is not closed");
            }
            Ok(true) => {
                let named = columns.iter().zip(record.iter());
                let cells =
                    named
                        .filter(|(column, _)| !column.is_empty())
                        .map(|(column, value)| {
                            let cell = if value.trim().is_empty() {
                                Cell::Blank
                            } else {
                                Cell::Text(value.to_owned())
                            };
                            (column.clone(), cell)
                        });
                let row = Record {
                    line: line_of(text, record.position()),
                    cells: cells.collect(),
                };
                rows.push(make(row, errors));
            }
            // Where the next record begins is not known.
            Err(error) if error.is_io_error() => {
                let line = line_of(text, Some(&begins));
                errors.push(format!("line {line}"), &*too_long);
                break;
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
    Ok(rows)
}

fn json_lines<T>(
    text: &str,
    kind: &Kind,
    errors: &mut Errors,
    make: &mut dyn FnMut(Record, &mut Errors) -> T,
) -> Vec<T> {
    let mut rows = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let number = number as u64 + 1;
        if line.trim().is_empty() {
            continue;
        }
        if rows.len() > MAX_SAMPLES || errors.is_full() {
            break;
        }
        if line.len() > MAX_LINE_BYTES {
            let message = format!("is longer than 64 KiB; {}", kind.too_long);
            errors.push(format!("line {number}"), message);
            continue;
        }
        let Ok(fields) = json::object(line) else {
            errors.push(format!("line {number}"), "is not a JSON object");
            continue;
        };
        let Some(fields) = fields else {
            errors.push(format!("line {number}"), json::TOO_MANY);
            continue;
        };
        let mut seen = HashSet::new();
        if let Some((twice, _)) = fields.iter().find(|(name, _)| !seen.insert(name.as_str())) {
            errors.push(
                format!("line {number}"),
                format!("the field {twice:?} is there twice"),
            );
            continue;
        }
        let cells = fields.into_iter().filter_map(|(column, value)| {
            let cell = match value {
                json::Value::Nothing => return None,
                json::Value::Text(text) => Cell::Text(text),
                json::Value::Fields(fields) => {
                    let scalar = |(name, value)| match value {
                        json::Value::Text(text) => (name, Some(text)),
                        _ => (name, None),
                    };
                    Cell::Fields(fields.into_iter().map(scalar).collect())
                }
                json::Value::Other => Cell::Other,
            };
            Some((column, cell))
        });
        let row = Record {
            line: number,
            cells: cells.collect(),
        };
        rows.push(make(row, errors));
    }
    rows
}

/// What is told of an object where only so many scalars make sense.
pub(crate) fn no_object() -> String {
    format!("must be an object with at most {MAX_METADATA_FIELDS} fields")
}
