//! Tables and JSON lines as cells, with their lines.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::embedded;
use super::grid::{Cell, Grid};
use super::objects::{MOST_LISTED, json_table};
use super::reader::Reader;
use super::row::Said;
use crate::files;
use crate::finding::FindingKind;
use crate::json;
use crate::problem::{Code, Problem, counted};
#[cfg(feature = "sheets")]
use crate::table::MAX_RECORD_BYTES;
use crate::table::{Columns, MAX_COLUMNS, Record, RecordError, Records, Role, dialect};

/// What to do about a table without a header.
pub(crate) const NO_HEADER: &str = "put a line like `file_name,text` in front";

/// What is told of a record whose quotes are not those of CSV.
const LOOSE: &str = "a quote inside a text is not doubled, as CSV asks for; all quotes of it are \
     kept: look at what it became";

impl<'a> Cell<'a> {
    /// It as text; `None` for a blank one and what is no scalar.
    pub(super) fn text(self) -> Option<Cow<'a, str>> {
        self.any_text().filter(|text| {
            let is_blank = matches!(self, Self::Plain(_)) && text.trim().is_empty();
            !is_blank
        })
    }

    /// It as text that may be empty.
    fn any_text(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Plain(text) | Self::Said(text) => Some(Cow::Borrowed(text)),
            Self::Value(value) => json::scalar(value).map(Cow::Owned),
        }
    }

    pub(super) fn number(self) -> Option<f64> {
        match self {
            Self::Plain(text) | Self::Said(text) => text
                .trim()
                .parse()
                .ok()
                .filter(|number: &f64| number.is_finite()),
            Self::Value(value) => json::number(value),
        }
    }

    /// What it is that can't be taken as a text, and is not blank.
    pub(crate) fn no_text(self) -> Option<String> {
        match self {
            Self::Value(Value::Array(list)) if !list.is_empty() => {
                let of = match list.len() {
                    MOST_LISTED.. => "values".to_owned(),
                    few => counted(few, "value", "values"),
                };
                Some(format!(
                    "is a list of {of} and no text: which of them is meant is not known (--format \
                     label_studio joins them)"
                ))
            }
            Self::Value(Value::Object(_)) => Some("is an object and no text".to_owned()),
            _ => None,
        }
    }

    pub(super) fn said(self) -> Said {
        match self {
            Self::Plain(text) => Said::of_cell(text),
            cell => match cell.any_text() {
                Some(text) => Said::Text(text.into_owned()),
                None => Said::Absent,
            },
        }
    }
}

/// A table with its header, whatever it was written in.
#[derive(Debug)]
pub(crate) struct Cells {
    /// Names of the columns.
    pub(crate) columns: Columns,
    /// Its rows.
    pub(crate) rows: Grid,
    /// The column of the recordings, where that is known without its name.
    pub(crate) audio: Option<usize>,
    /// Whether an empty row stands before the last one.
    pub(crate) is_last_apart: bool,
}

impl Cells {
    /// A cell as text; `None` for blank ones and what is no scalar.
    pub(crate) fn text(&self, row: usize, column: Option<usize>) -> Option<Cow<'_, str>> {
        self.cell(row, column)?.text()
    }

    /// The same as a text of its own.
    pub(crate) fn own_text(&self, row: usize, column: Option<usize>) -> Option<String> {
        self.text(row, column).map(Cow::into_owned)
    }

    /// A recording's path: a text, or that of an object that has the sound as well.
    pub(crate) fn path(&self, row: usize, column: Option<usize>) -> Option<String> {
        match self.cell(row, column)? {
            Cell::Value(Value::Object(audio)) => path_in(audio),
            cell => cell.text().map(Cow::into_owned),
        }
    }

    /// A cell as text that may be empty; `None` where there is no cell.
    pub(crate) fn any_text(&self, row: usize, column: Option<usize>) -> Option<String> {
        self.cell(row, column)?.any_text().map(Cow::into_owned)
    }

    /// A cell as what is said; `None` where that is not known.
    pub(crate) fn said(&self, row: usize, column: Option<usize>) -> Option<String> {
        match self.cell(row, column)?.said() {
            Said::Text(text) => Some(text),
            Said::Absent | Said::EmptyCell => None,
        }
    }

    pub(crate) fn cell(&self, row: usize, column: Option<usize>) -> Option<Cell<'_>> {
        self.rows.cell(row, column?)
    }
}

/// The path in an object: of sound that is inside, or of a file, as `audiofolder` nests it.
pub(super) fn path_in(audio: &Map<String, Value>) -> Option<String> {
    let path = audio.get("path").or_else(|| audio.get("file_name"))?;
    json::scalar(path)
}

/// Reads a table, JSON lines or a sheet. What is wrong with rows is told.
pub(crate) fn table_of(reader: &mut Reader<'_>, name: &str) -> Result<Cells, Problem> {
    let head = files::head(reader.files, name);
    if head.starts_with(b"PK\x03\x04") {
        return sheet(reader, name);
    }
    if head.starts_with(b"PAR1") {
        return embedded::cells(reader, name).map(|(cells, _)| cells);
    }
    let text = reader.text(name)?;
    let begins = text.trim_start();
    if begins.starts_with('{') || begins.starts_with('[') {
        return json_table(reader, name, &text);
    }
    let likely = if name.ends_with(".tsv") { b'\t' } else { b',' };
    let dialect = dialect(&text, likely);
    of_records(
        reader,
        name,
        Some(dialect.delimiter),
        Records::new(&text, dialect),
    )
}

/// Rows of the first sheet of Excel that can be seen.
#[cfg(feature = "sheets")]
fn sheet(reader: &mut Reader<'_>, name: &str) -> Result<Cells, Problem> {
    let bytes = files::bytes(reader.files, name)?;
    let sheet = crate::sheet::read(&bytes).map_err(|problem| problem.inside(name))?;
    reader.reading.files.push(name.to_owned());
    for remark in sheet.remarks {
        reader
            .findings
            .of_line(FindingKind::LossySource, name, 1, remark);
    }
    // A sheet leaves out the empty cells at the end of a row, a table does not.
    let width = sheet.rows.first().map_or(0, |(_, cells)| cells.len());
    let records = sheet.rows.into_iter().map(|(line, mut cells)| {
        let length: usize = cells.iter().map(String::len).sum();
        if length > MAX_RECORD_BYTES {
            return Err(RecordError::TooLong { line });
        }
        if cells.len() < width {
            cells.resize(width, String::new());
        }
        let cells = cells.into_iter().map(Cow::Owned).collect();
        Ok(Record {
            line,
            cells,
            is_loose: false,
            over: None,
        })
    });
    of_records(reader, name, None, records)
}

/// Without the feature a sheet is known, and not read.
#[cfg(not(feature = "sheets"))]
fn sheet(_: &mut Reader<'_>, name: &str) -> Result<Cells, Problem> {
    let problem = Problem::new(
        Code::Unsupported,
        "is an Excel sheet, which is not read here",
    );
    Err(problem.file(name).hint("save it as CSV UTF-8"))
}

/// A header and the rows below it; with what stands between cells, if anything does.
fn of_records<'a>(
    reader: &mut Reader<'_>,
    name: &str,
    delimiter: Option<u8>,
    mut records: impl Iterator<Item = Result<Record<'a>, RecordError>>,
) -> Result<Cells, Problem> {
    let header = match records.next() {
        Some(Ok(header)) => header,
        Some(Err(error)) => {
            return Err(Problem::new(Code::Malformed, unread(error))
                .file(name)
                .line(error.line()));
        }
        None => return Err(Problem::new(Code::Nothing, "is empty").file(name)),
    };
    let names = names_of(&header, name)?;
    let width = names.len();
    let mut columns = Columns::new(names);
    let mut rows = Grid::default();
    let chosen = reader.options.chosen();
    let is_chosen = chosen.iter().any(|name| columns.named(name).is_some());
    if !columns.is_header() && !is_chosen && reader.options.audio_column.is_none() {
        // Copies of Common Voice and others without a header: what it would be is not
        // known.
        let message = "is no header: no column has a name that is known";
        return Err(Problem::new(Code::ChooseColumn, message)
            .file(name)
            .line(header.line)
            .hint(NO_HEADER));
    }
    let names_samples = columns.first(Role::Id).is_some() || columns.first(Role::Audio).is_some();
    // Empty rows are records or, as blank lines, none.
    let (mut before, mut is_last_apart) = (end(&header), false);
    for record in records {
        let is_gap = matches!(&record, Ok(one) if is_blank(one));
        if let Ok(record) = &record
            && !is_gap
        {
            is_last_apart = record.line > before + 1;
            before = end(record);
        }
        let record = match record {
            // What Excel writes for an empty row. Without a column that names samples it is one
            // of which nothing was heard.
            Ok(_) if names_samples && is_gap => continue,
            Ok(record) => record,
            Err(error) => {
                let message = unread(error);
                reader
                    .findings
                    .of_line(FindingKind::BadRow, name, error.line(), message);
                continue;
            }
        };
        let found = record.cells.len();
        if found != width && !is_padded(&record, width) {
            let message = uneven(&record, (width, header.cells.len()), delimiter);
            reader
                .findings
                .of_line(FindingKind::BadRow, name, record.line, message);
            continue;
        }
        if record.is_loose {
            reader
                .findings
                .of_line(FindingKind::LossySource, name, record.line, LOOSE);
        }
        rows.push(record.line, record.cells.iter().take(width), name)?;
    }
    drop_index(&mut columns, &mut rows);
    Ok(Cells {
        columns,
        rows,
        audio: None,
        is_last_apart,
    })
}

/// The last line of a record.
fn end(record: &Record<'_>) -> u64 {
    record.over.map_or(record.line, |(_, last)| last)
}

fn is_blank(record: &Record<'_>) -> bool {
    record.cells.iter().all(|cell| cell.trim().is_empty())
}

/// Why a record is not read.
fn unread(error: RecordError) -> String {
    match error {
        RecordError::TooLong { .. } => "is longer than 64 KiB".to_owned(),
        RecordError::Open { behind: 0, .. } => "a quote in it is not closed".to_owned(),
        RecordError::Open { behind, .. } => format!(
            "a quote in it is not closed: the {} not read",
            several(behind, "line behind it is", "lines behind it are")
        ),
        RecordError::Stray { line, last } => format!(
            "a quote in it meets the next one on line {last}, in the middle of a text: the {} not \
             read. A quote inside a text is doubled, and that text quoted",
            several(last - line, "line behind it is", "lines behind it are")
        ),
    }
}

/// So many, behind "the": a single one needs no number.
fn several(number: u64, one: &str, several: &str) -> String {
    match number {
        1 => one.to_owned(),
        more => counted(usize::try_from(more).unwrap_or(usize::MAX), one, several),
    }
}

fn names_of(header: &Record<'_>, file: &str) -> Result<Vec<String>, Problem> {
    let mut names: Vec<String> = header
        .cells
        .iter()
        .map(|name| name.trim().to_owned())
        .collect();
    // Spreadsheets write empty columns behind the last one.
    while names.len() > 1 && names.last().is_some_and(String::is_empty) {
        names.pop();
    }
    if names.len() > MAX_COLUMNS {
        let message = format!(
            "has {} columns; at most {MAX_COLUMNS} are read",
            names.len()
        );
        return Err(Problem::new(Code::Malformed, message).file(file).line(1));
    }
    Ok(names)
}

/// Whether a record has more cells than the header, all of them empty.
fn is_padded(record: &Record<'_>, width: usize) -> bool {
    let more = record.cells.get(width..).unwrap_or_default();
    !more.is_empty() && more.iter().all(|cell| cell.trim().is_empty())
}

/// Characters of a text that a message shows.
const SHOWN: usize = 24;

/// What is wrong with a record of another width than the columns with a name, of which the header
/// has `written` with those that have none; and with which text, if that can be told: a delimiter is
/// followed by a blank in texts, and hardly anywhere else.
fn uneven(record: &Record<'_>, (width, written): (usize, usize), delimiter: Option<u8>) -> String {
    let found = record.cells.len();
    let mut behind = record.cells.iter().skip(width);
    let told = match behind.position(|cell| !cell.trim().is_empty()) {
        Some(at) if found <= written => {
            let column = width + at + 1;
            format!("column {column} has something, and no name in the header")
        }
        _ => {
            let found = counted(found, "column", "columns");
            let named = match written > width {
                true => format!(", {width} of them with a name"),
                false => String::new(),
            };
            format!("{found}, the header has {written}{named}")
        }
    };
    if let Some((first, last)) = record.over {
        return format!(
            "{told}; a quote on line {first} holds all up to line {last} together: is it not closed?"
        );
    }
    let (mark, name) = match delimiter {
        Some(b',') => (',', "comma"),
        Some(b';') => (';', "semicolon"),
        _ => return told,
    };
    let mut pairs = record.cells.windows(2).filter(|_| found > width);
    let Some([one, other]) = pairs.find(|pair| pair[1].starts_with(' ')) else {
        return told;
    };
    let whole = format!("{one}{mark}{other}");
    let mut text: String = whole.chars().take(SHOWN).collect();
    if text.len() < whole.len() {
        text.push('…');
    }
    format!("{told} (an unquoted {name} in “{text}”?): quote the text, or use a TAB-separated file")
}

/// pandas writes its index as a first column without a name.
fn drop_index(columns: &mut Columns, rows: &mut Grid) {
    let unnamed = matches!(columns.name(0), "" | "Unnamed: 0") && columns.names().len() > 1;
    let counts = (0..rows.len()).all(|row| {
        let first = rows.cell(row, 0);
        matches!(first, Some(Cell::Plain(text)) if *text == row.to_string())
    });
    if !unnamed || !counts {
        return;
    }
    *columns = Columns::new(columns.names().get(1..).unwrap_or_default().to_vec());
    rows.without_first();
}

/// Excel writes long numbers as `8.44425E+14`: the ids are lost, which is told.
pub(crate) fn rounded_ids(table: &Cells, id: Option<usize>) -> Option<String> {
    let lost = (0..table.rows.len()).filter(|row| {
        let text = table.text(*row, id).unwrap_or_default();
        let Some((digits, exponent)) = text.split_once("E+") else {
            return false;
        };
        digits.parse::<f64>().is_ok() && exponent.parse::<u32>().is_ok()
    });
    let lost = Some(lost.count()).filter(|lost| *lost > 0)?;
    Some(format!(
        "{} like 8.44425E+14: a spreadsheet has rounded what was there",
        counted(lost, "id is a number", "ids are numbers")
    ))
}
