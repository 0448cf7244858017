//! Values of the columns beside the recordings.

use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, DataType};
use parquet::errors::Result;
use parquet::file::reader::{FileReader, RowGroupReader};
use serde_json::{Number, Value};

use super::guard::guarded;
use super::opened::{Opened, broken};
use super::schema::{Counts, Fact};
use crate::days::civil;
use crate::files::{MAX_FILE_BYTES, base};
use crate::problem::{Code, Problem};
use crate::table::MAX_COLUMNS;

/// What a file says of its rows, its recordings aside.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    /// Names of the columns; that of the recordings is one of them.
    pub(crate) names: Vec<String>,
    /// Cells of each row; `None` where nothing is known.
    pub(crate) rows: Vec<Vec<Option<Value>>>,
    /// The column of the recordings: what they are called, or where they are.
    pub(crate) audio: Option<usize>,
    /// Whether the recording of a row is in the file.
    pub(crate) is_inside: Vec<bool>,
    /// Columns that are left out: lists, and what has no text.
    pub(crate) left_out: Vec<String>,
}

/// Values that are read at once.
const BATCH: usize = 1_024;

/// Reads all rows.
pub(super) fn read(opened: &Opened, name: &str) -> std::result::Result<Facts, Problem> {
    let schema = &opened.schema;
    let columns = schema.facts.len();
    if columns > MAX_COLUMNS {
        let message = format!("has {columns} columns; at most {MAX_COLUMNS} are read");
        return Err(Problem::new(Code::Malformed, message).file(name));
    }
    let mut made = Facts {
        names: schema.facts.iter().map(|fact| fact.name.clone()).collect(),
        left_out: schema.left_out.clone(),
        ..Facts::default()
    };
    if let Some(audio) = &schema.audio {
        made.audio = Some(made.names.len());
        made.names.push(audio.name.clone());
    }
    let mut bytes = 0_usize;
    for group in 0..opened.reader.num_row_groups() {
        let group =
            guarded(|| opened.reader.get_row_group(group)).map_err(|error| broken(name, &error))?;
        let rows = usize::try_from(group.metadata().num_rows()).unwrap_or_default();
        let first = made.rows.len();
        made.rows
            .resize_with(first + rows, || vec![None; schema.facts.len()]);
        for (place, fact) in schema.facts.iter().enumerate() {
            let cells = guarded(|| cells(&*group, fact.leaf, rows))
                .map_err(|error| broken(name, &error))?;
            for (row, cell) in made.rows.iter_mut().skip(first).zip(cells) {
                let cell = cell.map(|cell| shown(cell, fact));
                bytes += cell.as_ref().and_then(Value::as_str).map_or(8, str::len);
                if let Some(own) = row.get_mut(place) {
                    *own = cell;
                }
            }
            if bytes > MAX_FILE_BYTES {
                let message = "has more than 64 MiB of texts";
                return Err(Problem::new(Code::TooLarge, message).file(name));
            }
        }
        let Some(audio) = &schema.audio else {
            continue;
        };
        let paths = match audio.path {
            Some(leaf) => {
                guarded(|| cells(&*group, leaf, rows)).map_err(|error| broken(name, &error))?
            }
            None => vec![None; rows],
        };
        let inside =
            guarded(|| filled(&*group, audio.bytes, rows)).map_err(|error| broken(name, &error))?;
        let own = made.rows.iter_mut().zip(1_usize..).skip(first);
        for (((row, number), path), is_inside) in own.zip(paths).zip(inside) {
            let path = path.as_ref().and_then(Value::as_str);
            row.push(if is_inside {
                Some(Value::String(called(name, number, path)))
            } else {
                path.map(|path| Value::String(path.to_owned()))
            });
            made.is_inside.push(is_inside);
        }
        made.is_inside.resize(first + rows, false);
    }
    // A group may have fewer values than it claims rows.
    let width = made.names.len();
    made.rows.iter_mut().for_each(|row| row.resize(width, None));
    made.is_inside.resize(made.rows.len(), false);
    Ok(made)
}

/// A number as what it stands for: a name that the file has for it, a day, a moment.
fn shown(cell: Value, fact: &Fact) -> Value {
    let Some(number) = cell.as_i64() else {
        return cell;
    };
    let at = usize::try_from(number).ok();
    if let Some(label) = at.and_then(|at| fact.labels.get(at)) {
        return Value::String(label.clone());
    }
    let text = match fact.counts {
        Counts::Nothing => None,
        Counts::Days => day(number),
        Counts::Moments(parts) => moment(number, parts),
    };
    text.map_or(cell, Value::String)
}

/// A day by its number from 1970-01-01 on; `None` for one that no calendar has.
fn day(number: i64) -> Option<String> {
    const LAST: i64 = 2_932_896;
    (-LAST..=LAST).contains(&number).then(|| {
        let (year, month, day) = civil(number);
        format!("{year:04}-{month:02}-{day:02}")
    })
}

/// A moment in UTC, by the parts of a second from then on.
fn moment(number: i64, parts: i64) -> Option<String> {
    let (seconds, part) = (number.div_euclid(parts), number.rem_euclid(parts));
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (hour, minute) = (second / 3_600, second / 60 % 60);
    let mut text = format!("{} {hour:02}:{minute:02}:{:02}", day(days)?, second % 60);
    if part > 0 {
        let digits = parts.ilog10() as usize;
        let part = format!(".{part:0digits$}");
        text += part.trim_end_matches('0');
    }
    Some(text)
}

/// Cells of a column of one group, one to a row.
fn cells(group: &dyn RowGroupReader, leaf: usize, rows: usize) -> Result<Vec<Option<Value>>> {
    let level = group.metadata().column(leaf).column_descr().max_def_level();
    let float = |value: f64| Number::from_f64(value).map(Value::Number);
    let text = |value: &ByteArray| {
        let text = std::str::from_utf8(value.data()).ok()?;
        Some(Value::String(text.to_owned()))
    };
    match group.get_column_reader(leaf)? {
        ColumnReader::BoolColumnReader(reader) => {
            values(reader, rows, level, |value| Some(Value::Bool(*value)))
        }
        ColumnReader::Int32ColumnReader(reader) => {
            values(reader, rows, level, |value| Some((*value).into()))
        }
        ColumnReader::Int64ColumnReader(reader) => {
            values(reader, rows, level, |value| Some((*value).into()))
        }
        ColumnReader::FloatColumnReader(reader) => {
            // 0.1 is 0.1 and not 0.10000000149.
            values(reader, rows, level, |value| {
                value.to_string().parse().ok().and_then(float)
            })
        }
        ColumnReader::DoubleColumnReader(reader) => {
            values(reader, rows, level, |value| float(*value))
        }
        ColumnReader::ByteArrayColumnReader(reader) => values(reader, rows, level, text),
        _ => Ok(vec![None; rows]),
    }
}

fn values<T: DataType>(
    mut reader: ColumnReaderImpl<T>,
    rows: usize,
    level: i16,
    turned: impl Fn(&T::T) -> Option<Value>,
) -> Result<Vec<Option<Value>>> {
    let mut cells = Vec::new();
    let (mut levels, mut read) = (Vec::new(), Vec::new());
    while cells.len() < rows {
        levels.clear();
        read.clear();
        let wanted = BATCH.min(rows - cells.len());
        let nullable = (level > 0).then_some(&mut levels);
        let (records, _, _) = reader.read_records(wanted, nullable, None, &mut read)?;
        if records == 0 {
            break;
        }
        if level == 0 {
            cells.extend(read.iter().map(&turned));
            continue;
        }
        let mut values = read.iter();
        cells.extend(levels.iter().map(|one| {
            let value = (*one == level).then(|| values.next());
            value.flatten().and_then(&turned)
        }));
    }
    Ok(cells)
}

/// Which rows of a column have a value. Where the file counts none that has not, nothing
/// is read for it.
fn filled(group: &dyn RowGroupReader, leaf: usize, rows: usize) -> Result<Vec<bool>> {
    let column = group.metadata().column(leaf);
    let level = column.column_descr().max_def_level();
    let nulls = column.statistics().and_then(|known| known.null_count_opt());
    if level == 0 || nulls == Some(0) {
        return Ok(vec![true; rows]);
    }
    let mut filled = Vec::new();
    if let ColumnReader::ByteArrayColumnReader(mut reader) = group.get_column_reader(leaf)? {
        let (mut levels, mut read) = (Vec::new(), Vec::new());
        while filled.len() < rows {
            levels.clear();
            read.clear();
            let (records, _, _) = reader.read_records(1, Some(&mut levels), None, &mut read)?;
            if records == 0 {
                break;
            }
            filled.push(levels.first() == Some(&level));
        }
    }
    filled.resize(rows, false);
    Ok(filled)
}

/// What the recording of a row is called; rows count from 1.
fn called(file: &str, row: usize, path: Option<&str>) -> String {
    let own = path.map(|path| base(path).rsplit('\\').next().unwrap_or_default());
    let own = own.filter(|own| {
        !own.is_empty() && !matches!(*own, "." | "..") && !own.chars().any(char::is_control)
    });
    format!("{file}/{row}/{}", own.unwrap_or("audio"))
}

#[cfg(test)]
mod tests {
    use super::{called, day, moment};

    #[test]
    fn days_and_moments_are_those_of_the_calendar() {
        assert_eq!(day(18_262).as_deref(), Some("2020-01-01"));
        assert_eq!(day(-1).as_deref(), Some("1969-12-31"));
        assert_eq!((day(i64::MAX), moment(i64::MIN, 1_000)), (None, None));
        let shown = moment(1_577_836_800_050, 1_000);
        assert_eq!(shown.as_deref(), Some("2020-01-01 00:00:00.05"));
        let shown = moment(-1_000_000, 1_000_000);
        assert_eq!(shown.as_deref(), Some("1969-12-31 23:59:59"));
    }

    #[test]
    fn names_stay_inside() {
        let name = |path| called("a/x.parquet", 3, path);
        assert_eq!(name(Some("C:\\x\\हाँ.wav")), "a/x.parquet/3/हाँ.wav");
        assert_eq!(name(Some("../../b.flac")), "a/x.parquet/3/b.flac");
        for path in [None, Some(""), Some(".."), Some("a/"), Some("a\0b")] {
            assert_eq!(name(path), "a/x.parquet/3/audio", "{path:?}");
        }
    }
}
