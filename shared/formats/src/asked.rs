//! Whether what options ask of references and hypotheses is there.

use super::format::Format;
use super::idle::is_marked;
use super::problem::{Code, Problem};
use super::table::Columns;
use super::transcripts::{Entry, ReadOptions, Transcripts, no_column};

/// Whether each column that was asked for is in a source of hypotheses.
pub(super) fn all_there(
    heard: &[(Transcripts, &str)],
    wanted: &ReadOptions,
) -> Result<(), Problem> {
    let is_in = |asked: &str, source: &Transcripts| {
        let columns = Columns::new(source.columns.clone());
        columns.of_system(asked).is_some()
    };
    let mut all = wanted.hypotheses.iter();
    let missing = all.find(|asked| !heard.iter().any(|(source, _)| is_in(asked, source)));
    let (Some(asked), Some((first, shown))) = (missing, heard.first()) else {
        return Ok(());
    };
    if heard.len() == 1 && !first.columns.is_empty() {
        return Err(no_column(asked, shown, &first.columns, "--hyp"));
    }
    let names: Vec<&str> = heard.iter().map(|(_, shown)| *shown).collect();
    let message = format!("no column {asked:?} is in {}", names.join(", "));
    Err(Problem::new(Code::ChooseColumn, message)
        .hint("--hyp names columns of tables; other sources are one system each"))
}

/// Whether each model that was asked for is beside the references, where these are no table.
pub(super) fn of_models(
    right: &Transcripts,
    wanted: &ReadOptions,
    shown: &str,
) -> Result<(), Problem> {
    let columns = Columns::new(right.columns.clone());
    let mut all = wanted.hypotheses.iter();
    let missing = all.find(|asked| columns.of_system(asked).is_none());
    match missing {
        Some(asked) if !right.columns.is_empty() => {
            Err(no_column(asked, shown, &right.columns, "--hyp"))
        }
        _ => Ok(()),
    }
}

/// Whether any reference has markup that could be read in one way or another.
pub(super) fn are_marked(right: &Transcripts) -> bool {
    let mut entries = right.entries.iter();
    let of_entry = |entry: &Entry| entry.text.as_ref().is_some_and(|text| is_marked(text));
    right.lines.are_marked() || entries.any(of_entry)
}

/// Whether there is anything of which the column of the text could be chosen: a table, a
/// manifest, or annotations with their tiers.
pub(super) fn columns_there(
    right: &Transcripts,
    heard: &[(Transcripts, &str)],
    wanted: &ReadOptions,
    shown: &str,
) -> Result<(), Problem> {
    let Some(asked) = &wanted.text_column else {
        return Ok(());
    };
    let has_tiers = |source: &Transcripts| matches!(source.format, Format::Elan | Format::TextGrid);
    // A table of hypotheses has no column of the reference.
    let has_columns = right.format.is_manifest() && right.format != Format::SideFiles;
    if has_columns || has_tiers(right) || heard.iter().any(|(source, _)| has_tiers(source)) {
        return Ok(());
    }
    let message = format!(
        "no column {asked:?} is in {shown}, which is read as {}",
        right.format.title()
    );
    Err(Problem::new(Code::ChooseColumn, message).hint("--text-column names a column of a table"))
}
