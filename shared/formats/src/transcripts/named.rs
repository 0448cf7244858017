//! Which column of a table names its samples, where no name of the lists says so.

use std::collections::HashSet;

use super::entry::ReadOptions;
use crate::manifest::Cells;
use crate::table::{Role, key, role_of};

/// What such columns are called, as names are compared; the likeliest first.
const NAMES: [&str; 29] = [
    "utt",
    "utterance",
    "uttname",
    "utterancename",
    "clipid",
    "clipname",
    "segmentid",
    "segmentname",
    "recordingid",
    "recordid",
    "recid",
    "callid",
    "itemid",
    "rowid",
    "exampleid",
    "sampleno",
    "samplename",
    "sampleindex",
    "sample",
    "uid",
    "uuid",
    "guid",
    "identifier",
    "key",
    "name",
    "idx",
    "index",
    "taskid",
    "sentenceid",
];

/// The column that names samples although it is in no list: one of these names, and no two rows
/// have the same there. What is asked for as a text is none.
pub(super) fn named(table: &Cells, wanted: &ReadOptions) -> Option<usize> {
    let columns = &table.columns;
    if columns.first(Role::Id).is_some() || columns.first(Role::Audio).is_some() {
        return None;
    }
    let asked = wanted.hypotheses.iter().chain(&wanted.text_column);
    let asked: Vec<Option<usize>> = asked.map(|name| columns.of_system(name)).collect();
    let own = |wanted: &str| {
        let is_own = |name: &String| role_of(name) == Role::Other && key(name) == wanted;
        let column = columns.names().iter().position(is_own);
        column.filter(|column| !asked.contains(&Some(*column)))
    };
    let mut all = NAMES.iter().filter_map(|name| own(name));
    let named = all.find(|column| is_unique(table, *column));
    named.or_else(|| index(table))
}

/// The index of pandas, where rows were sorted or drawn since: it tells which row one was. (Where it
/// still counts them, it is no column.)
fn index(table: &Cells) -> Option<usize> {
    let is_unnamed = matches!(table.columns.name(0), "" | "Unnamed: 0");
    let is_number = |row| {
        let text = table.text(row, Some(0)).unwrap_or_default();
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
    };
    let is = is_unnamed && table.columns.names().len() > 1 && is_unique(table, 0);
    (is && (0..table.rows.len()).all(is_number)).then_some(0)
}

/// Whether each row has something there, and no two the same.
fn is_unique(table: &Cells, column: usize) -> bool {
    let mut seen = HashSet::with_capacity(table.rows.len());
    let mut all = (0..table.rows.len()).map(|row| table.text(row, Some(column)));
    !table.rows.is_empty() && all.all(|id| id.is_some_and(|id| seen.insert(id)))
}
