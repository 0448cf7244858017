//! In which column a row has its text. Tables have one for all rows; of `NeMo` each line has its
//! own: it looks for `text`, then for a file with the text, then for what is normalised.

use serde_json::Value;

use super::cells::Cells;
use super::grid::Cell;
use super::reader::Reader;
use crate::decode::Decoded;
use crate::files::{self, parent};
use crate::format::Format;
use crate::paths::{begins_at_top, name_inside, path_outside};
use crate::problem::counted;
use crate::table::Columns;

/// The column of files that hold texts.
const IN_FILE: &str = "text_filepath";
/// What `NeMo` takes where a line has neither a text nor a file.
const NORMALISED: &str = "normalized_text";

/// Columns in which a row may have its text, the first of them first.
pub(crate) struct SaidIn {
    order: [Option<usize>; 3],
    in_file: Option<usize>,
}

impl SaidIn {
    /// Of a table of which `taken` is the column of the text, as nothing else was asked for.
    pub(crate) fn of(
        columns: &Columns,
        format: Format,
        taken: Option<usize>,
        is_heard: impl Fn(&usize) -> bool,
    ) -> Self {
        let in_file = columns.named(IN_FILE).filter(|column| !is_heard(column));
        let normalised = columns.named(NORMALISED).filter(|_| format == Format::Nemo);
        let normalised = normalised.filter(|column| !is_heard(column));
        let order = match taken == normalised {
            true => [in_file, normalised, None],
            false => [taken, in_file, normalised],
        };
        Self { order, in_file }
    }

    /// The one that was asked for, or found, and no other.
    pub(crate) fn alone(columns: &Columns, column: Option<usize>) -> Self {
        Self {
            order: [column, None, None],
            in_file: columns.named(IN_FILE),
        }
    }

    /// The first of them.
    pub(crate) fn first(&self) -> Option<usize> {
        self.order.into_iter().flatten().next()
    }

    /// The first that has texts, and no names of files.
    pub(crate) fn text(&self) -> Option<usize> {
        let mut all = self.order.into_iter().flatten();
        all.find(|column| !self.is_file(*column))
    }

    /// Whether a column has names of files that hold texts.
    pub(crate) fn is_file(&self, column: usize) -> bool {
        self.in_file == Some(column)
    }

    fn is_there(&self, table: &Cells, row: usize, column: usize) -> bool {
        match table.cell(row, Some(column)) {
            None | Some(Cell::Value(Value::Null)) => false,
            Some(cell) if self.is_file(column) => {
                cell.text().is_some_and(|name| !name.trim().is_empty())
            }
            Some(_) => true,
        }
    }

    /// The column in which a row has its text; `None` where it has none.
    pub(crate) fn of_row(&self, table: &Cells, row: usize) -> Option<usize> {
        let mut all = self.order.into_iter().flatten();
        all.find(|column| self.is_there(table, row, *column))
    }

    /// Whether another column could be the text as well: one that is only looked into where the
    /// others have nothing is no second one, unless a row has both.
    pub(crate) fn is_second(&self, table: &Cells, column: usize) -> bool {
        let mut rows = 0..table.rows.len();
        !self.order.contains(&Some(column))
            || rows.any(|row| {
                self.is_there(table, row, column) && self.of_row(table, row) != Some(column)
            })
    }

    /// What is to be told of rows that have their texts in another column than the first.
    pub(crate) fn told(&self, columns: &Columns, file: &str, column: usize, rows: usize) -> String {
        let first = self.first().map_or("", |first| columns.name(first));
        let rows = counted(rows, "row has", "rows have");
        let other = columns.name(column);
        format!("{file}: {rows} no {first}, and {other} is taken there, as NeMo does")
    }
}

/// The text that a row of a list names by its file; or why it has none.
pub(super) fn text_in_file(reader: &Reader<'_>, list: &str, path: &str) -> Result<String, String> {
    let why = |what: &str| format!("the text of this row is in {path}, {what}");
    let (files, folder) = (reader.files, parent(list));
    let inside = name_inside(path, folder, files.place());
    let there = inside.clone().filter(|name| reader.has(name));
    let outside = || path_outside(path, folder, files);
    let is_allowed = reader.options.allow_outside;
    let Some(name) = there.or_else(|| is_allowed.then(outside).flatten()) else {
        return Err(why(match inside {
            Some(_) => "which is not there",
            None if !is_allowed && outside().is_some() => {
                "which is outside of the folder, and is not read (--allow-outside)"
            }
            None if begins_at_top(path) => "which is not in this folder",
            None if is_allowed => "which is not there",
            None => "which is outside of the folder, and is not read",
        }));
    };
    match files::text(files, &name) {
        Ok(Decoded { text, .. }) => Ok(text.trim_end_matches('\n').to_owned()),
        Err(problem) => Err(why(&format!("which can't be read: {}", problem.message))),
    }
}
