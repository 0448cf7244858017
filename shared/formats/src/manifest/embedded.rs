//! Parquet: recordings and facts in one file.

use super::cells::Cells;
#[cfg(feature = "parquet")]
use super::grid::Grid;
use super::reader::Reader;
#[cfg(feature = "parquet")]
use super::table;
#[cfg(feature = "parquet")]
use crate::finding::FindingKind;
use crate::layout::Layout;
use crate::problem::Problem;
#[cfg(feature = "parquet")]
use crate::table::Columns;

/// What the path of a recording ends in that has no name.
#[cfg(feature = "parquet")]
const NAMELESS: &str = "/audio";

/// Reads the rows of Parquet files; the line of a row is its number from 1 on.
#[cfg(feature = "parquet")]
pub(super) fn read(reader: &mut Reader<'_>, layout: &Layout) -> Result<(), Problem> {
    for name in &layout.files {
        let (cells, is_inside) = cells(reader, name)?;
        let before = reader.reading.rows.len();
        table::rows(reader, layout, name, &cells)?;
        for row in reader.reading.rows.iter_mut().skip(before) {
            let at = usize::try_from(row.line).unwrap_or(usize::MAX) - 1;
            row.is_embedded = is_inside.get(at) == Some(&true);
            // A recording without a name of its own is told by its row.
            let has_name = |audio: &str| !audio.ends_with(NAMELESS);
            if row.is_embedded && row.id == "audio" && !row.audio.as_deref().is_some_and(has_name) {
                row.id = row.line.to_string();
            }
        }
    }
    Ok(())
}

/// Everything of a file but its recordings; and which of these are inside of it.
#[cfg(feature = "parquet")]
pub(super) fn cells(reader: &mut Reader<'_>, name: &str) -> Result<(Cells, Vec<bool>), Problem> {
    let asked = reader.options.audio_column.as_deref();
    let facts = crate::columnar::facts(reader.files, name, asked)?;
    reader.reading.files.push(name.to_owned());
    if !facts.left_out.is_empty() {
        let left_out = facts.left_out.join(", ");
        let message = format!("columns that are no texts or numbers are left out: {left_out}");
        reader
            .findings
            .of_line(FindingKind::LossySource, name, 1, message);
    }
    let mut rows = Grid::of_json();
    for (line, cells) in (1_u64..).zip(facts.rows) {
        rows.push_values(line, cells.into_iter(), name)?;
    }
    let cells = Cells {
        columns: Columns::new(facts.names),
        rows,
        audio: facts.audio,
        is_last_apart: false,
    };
    Ok((cells, facts.is_inside))
}

/// Without the feature Parquet is known, and not read.
#[cfg(not(feature = "parquet"))]
pub(super) fn read(reader: &mut Reader<'_>, layout: &Layout) -> Result<(), Problem> {
    let name = layout.files.first().map_or("", String::as_str);
    cells(reader, name).map(|_| ())
}

/// The same for one that is named as a table.
#[cfg(not(feature = "parquet"))]
pub(super) fn cells(_: &mut Reader<'_>, name: &str) -> Result<(Cells, Vec<bool>), Problem> {
    use crate::problem::Code;

    let problem = Problem::new(Code::Unsupported, "is Parquet, which is not read here");
    Err(problem
        .file(name)
        .hint("write it as audio files with a table"))
}
