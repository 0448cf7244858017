//! Columns of what systems heard, where they are asked for by name.

use super::cells::Cells;
use super::reader::Reader;
use super::row::Row;
#[cfg(feature = "folders")]
use super::{Layout, Options, Reading, no_column, no_columns};
#[cfg(feature = "folders")]
use crate::format::Format;
use crate::problem::Problem;
use crate::transcripts::OfSystem;
#[cfg(feature = "folders")]
use crate::transcripts::{are_texts, of_both_sides};

/// What asks for them.
#[cfg(feature = "folders")]
const OPTION: &str = "--hyp";

/// The columns that are asked for, each once.
#[cfg(feature = "folders")]
pub(super) fn asked_for(
    reader: &Reader<'_>,
    table: &Cells,
    file: &str,
) -> Result<Vec<OfSystem>, Problem> {
    let columns = &table.columns;
    let mut found: Vec<OfSystem> = Vec::new();
    for asked in &reader.options.hypotheses {
        let Some(text) = columns.of_system(asked) else {
            return Err(no_column(asked, file, columns.names(), OPTION));
        };
        if found.iter().all(|other| other.text != text) {
            found.push(OfSystem::new(columns, asked, text));
        }
    }
    if reader.options.text_column.is_none() {
        of_both_sides(table, file, &found)?;
    }
    are_texts(table, file, found.iter().map(|system| system.text))?;
    Ok(found)
}

/// Only the command line asks.
#[cfg(not(feature = "folders"))]
pub(super) const fn asked_for(
    _: &Reader<'_>,
    _: &Cells,
    _: &str,
) -> Result<Vec<OfSystem>, Problem> {
    Ok(Vec::new())
}

/// Refuses a column that is the recording or the text as well.
#[cfg(feature = "folders")]
pub(super) fn are_nothing_else(
    asked: &[OfSystem],
    table: &Cells,
    file: &str,
    others: [Option<usize>; 2],
) -> Result<(), Problem> {
    use crate::problem::Code;

    let is_other = |system: &&OfSystem| others.contains(&Some(system.text));
    let Some(system) = asked.iter().find(is_other) else {
        return Ok(());
    };
    let name = table.columns.name(system.text);
    let message = format!("the column {name:?} is taken as the recording or the reference");
    let problem = Problem::new(Code::ChooseColumn, message).file(file);
    Err(problem.hint(format!("{OPTION} names columns of what systems heard")))
}

/// Nothing is asked for.
#[cfg(not(feature = "folders"))]
pub(super) const fn are_nothing_else(
    _: &[OfSystem],
    _: &Cells,
    _: &str,
    _: [Option<usize>; 2],
) -> Result<(), Problem> {
    Ok(())
}

/// What systems heard of a row, and what services failed at.
pub(super) fn of_row(row: &mut Row, table: &Cells, index: usize, asked: &[OfSystem]) {
    for system in asked {
        let text = table.any_text(index, Some(system.text));
        if let Some(reason) = system.failed(table, index, text.as_deref()) {
            row.failures.insert(&system.name, &reason);
        } else if let Some(text) = text {
            row.hypotheses.insert(&system.name, &text);
        }
    }
}

/// Refuses columns that are asked for of what has none.
#[cfg(feature = "folders")]
pub(super) fn can_be_there(
    layout: &Layout,
    options: &Options,
    is_list: bool,
) -> Result<(), Problem> {
    match options.hypotheses.first() {
        Some(asked) if is_list || layout.format == Format::SideFiles => {
            Err(no_columns(layout, asked, OPTION))
        }
        _ => Ok(()),
    }
}

/// Of predictions beside annotations, keeps those of the models that are asked for.
#[cfg(feature = "folders")]
pub(super) fn of_models(
    reading: &mut Reading,
    layout: &Layout,
    options: &Options,
) -> Result<(), Problem> {
    use std::collections::BTreeSet;

    if layout.format != Format::LabelStudio || options.hypotheses.is_empty() {
        return Ok(());
    }
    let heard = reading.rows.iter().flat_map(|row| row.hypotheses.names());
    let models: BTreeSet<String> = heard.map(str::to_owned).collect();
    if let Some(asked) = options.hypotheses.iter().find(|one| !models.contains(*one)) {
        let models: Vec<String> = models.into_iter().collect();
        let file = layout.files.first().map_or("", String::as_str);
        return Err(no_column(asked, file, &models, OPTION));
    }
    for row in &mut reading.rows {
        let is_asked = |model: &str| options.hypotheses.iter().any(|one| one == model);
        row.hypotheses.retain(is_asked);
    }
    Ok(())
}
