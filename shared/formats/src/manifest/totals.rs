//! The row that ends a sheet with its totals: `Total,,0.12`. It names no recording and has no
//! text. Its label alone tells nothing: an utterance may be called so, and people write it in any
//! language; so it is told by what the other rows have and it has not.

use super::cells::Cells;
use super::grid::Cell;
use crate::paths::has_audio_extension;

/// What a last row has that sums others up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Totals {
    /// What it is called, if anything.
    pub(crate) label: String,
    /// Whether it is set off by an empty row, or has nothing but numbers: no utterance is like that
    /// by chance.
    pub(crate) is_sure: bool,
}

/// What a table tells of its samples.
pub(crate) struct Told<'a> {
    /// Columns that name them: ids and recordings.
    pub(crate) names: [Option<usize>; 2],
    /// The column of the text.
    pub(crate) text: Option<usize>,
    /// Columns of what systems heard.
    pub(crate) heard: &'a [usize],
}

fn cell(table: &Cells, row: usize, column: usize) -> &str {
    match table.cell(row, Some(column)) {
        Some(Cell::Plain(text)) => text.trim(),
        _ => "",
    }
}

/// `12`, `0.12`, `1,234`, `12.5 %`.
fn is_number(text: &str) -> bool {
    let digits = text.trim_end_matches(['%', ' ']).replace(',', "");
    digits.parse::<f64>().is_ok()
}

/// Whether a name is one that samples have: names of files, and what is counted.
fn is_of_sample(name: &str) -> bool {
    has_audio_extension(name) || name.contains(['/', '\\']) || name.contains(char::is_numeric)
}

/// The last row of a table, where it names no sample as the others do, has no text, and beside
/// them nothing but numbers.
pub(crate) fn totals(table: &Cells, told: &Told<'_>) -> Option<Totals> {
    let last = table.rows.len().checked_sub(1).filter(|last| *last > 0)?;
    let text = told.text?;
    let is_plain = |one: Option<Cell<'_>>| !matches!(one, Some(Cell::Said(_) | Cell::Value(_)));
    let all: Vec<usize> = told.names.into_iter().flatten().collect();
    if all.is_empty()
        || !table.rows.cells(last).all(is_plain)
        || !cell(table, last, text).is_empty()
    {
        return None;
    }
    let named = |row: usize| all.iter().map(move |column| cell(table, row, *column));
    if named(last).any(is_of_sample) {
        return None;
    }
    let label = named(last).find(|name| !name.is_empty());
    let are_apart = (0..last).all(|row| named(row).any(is_of_sample));
    let mut numbers = 0;
    for column in
        (0..table.rows.cells(last).count()).filter(|one| *one != text && !all.contains(one))
    {
        let own = cell(table, last, column);
        if own.is_empty() {
            continue;
        }
        // Where digits are said, digits are heard.
        let is_said = told.heard.contains(&column)
            && (0..last).any(|row| is_number(cell(table, row, column)));
        if !is_number(own) || is_said {
            return None;
        }
        numbers += 1;
    }
    let is_told_apart = label.is_none() || are_apart;
    if !is_told_apart && !table.is_last_apart {
        return None;
    }
    Some(Totals {
        label: label.unwrap_or_default().to_owned(),
        is_sure: table.is_last_apart || numbers > 0,
    })
}

impl Totals {
    /// What is told of it, whatever comes of it.
    pub(crate) fn message(&self) -> String {
        let label = match self.label.as_str() {
            "" => String::new(),
            label => format!(" (“{label}” is none)"),
        };
        format!("the last row has neither a recording{label} nor a text")
    }
}
