//! Which of several columns names the recordings, and rows that name theirs in another one.

use serde_json::Value;

use super::cells::Cells;
use super::grid::Cell;
use super::reader::Reader;
use super::table::is_ours;
use crate::files::parent;
use crate::format::Format;
use crate::paths::{Resolved, Resolver};
use crate::table::{Columns, Role};

/// Rows that are looked at.
const LOOKED_AT: usize = 50;

/// Of several columns that could name recordings the one that leads to most: a `file_id` may be of
/// a database. `None` where one column alone is called so, or none leads to any.
pub(super) fn there(reader: &Reader<'_>, table: &Cells, name: &str) -> Option<usize> {
    let all = table.columns.all(Role::Audio);
    let first = *all.first().filter(|_| all.len() > 1)?;
    let rows = || 0..table.rows.len().min(LOOKED_AT);
    if rows().any(|row| table.text(row, Some(first)).is_some_and(|id| is_ours(&id))) {
        return None;
    }
    let resolver = Resolver::new(reader.files);
    let is_there = |path: &str| {
        let outside = reader.options.allow_outside;
        let found = resolver.resolve(path, parent(name), reader.files, outside);
        matches!(found, Resolved::Found(..))
    };
    let found = |column: usize| {
        let paths = rows().filter_map(|row| table.path(row, Some(column)));
        paths.filter(|path| is_there(path)).count()
    };
    let mut best = (0, None);
    for column in all {
        let count = found(column);
        if count > best.0 {
            best = (count, Some(column));
        }
    }
    best.1
}

/// The column of objects with the name of a file, as `audiofolder` may nest it.
pub(super) fn nested(table: &Cells) -> Option<usize> {
    let has_name = |column: &usize| {
        let mut rows = 0..table.rows.len().min(LOOKED_AT);
        rows.any(|row| {
            let cell = table.cell(row, Some(*column));
            matches!(cell, Some(Cell::Value(Value::Object(one))) if one.contains_key("file_name"))
        })
    };
    (0..table.columns.names().len()).find(has_name)
}

/// Columns in which rows of `NeMo` may name their recordings: it looks for one name after the other
/// in each line.
pub(crate) fn of_lines(columns: &Columns, format: Format) -> Vec<usize> {
    if format != Format::Nemo {
        return Vec::new();
    }
    let names = ["audio_filename", "audio_filepath", "context"];
    names
        .iter()
        .filter_map(|name| columns.named(name))
        .collect()
}

/// The column in which a row names its recording: the one that is taken, or another of these.
pub(crate) fn of_row(
    table: &Cells,
    row: usize,
    taken: Option<usize>,
    others: &[usize],
) -> Option<usize> {
    let is_there = |column: &usize| table.cell(row, Some(*column)).is_some();
    let own = taken.filter(is_there);
    own.or_else(|| others.iter().copied().find(is_there))
        .or(taken)
}
