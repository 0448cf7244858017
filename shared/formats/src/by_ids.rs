//! Tables that name no recordings, but whose ids do: `id,text` beside `<id>.wav`.

use crate::files::{Files, parent};
use crate::manifest::{Options, Reading, Row};
use crate::paths::{Resolved, Resolver};

/// Takes ids for the names of recordings where a table has texts and no column of recordings,
/// and most of its ids are names of some that are there.
pub(crate) fn by_ids(
    reading: &mut Reading,
    files: &dyn Files,
    resolver: &Resolver<'_>,
    options: &Options,
) -> bool {
    let (None, Some(_), Some(column)) = (
        &reading.audio_column,
        &reading.text_column,
        &reading.id_column,
    ) else {
        return false;
    };
    let is_there = |row: &&Row| {
        let folder = parent(&row.file);
        let found = resolver.resolve(&row.id, folder, files, options.allow_outside);
        row.audio.is_none() && matches!(found, Resolved::Found(..))
    };
    let there = reading.rows.iter().filter(is_there).count();
    if there == 0 || there * 2 < reading.rows.len() {
        return false;
    }
    reading.remarks.push(format!(
        "no column names recordings: those are taken that {column} is the name of"
    ));
    for row in &mut reading.rows {
        row.audio = Some(row.id.clone());
    }
    true
}
