//! Columns that look like what other systems heard: which of them are chosen changes nothing of
//! an utterance, so they are no facts of it.

use std::collections::BTreeSet;

use super::cells::Cells;
use crate::table::{Role, is_fact, role_of};
use crate::transcripts::OfSystem;

/// Rows that are looked at.
const LOOKED_AT: usize = 1_000;

/// Words as they are compared.
fn words(text: &str) -> impl Iterator<Item = String> {
    let is_mark = |c: char| c.is_ascii_punctuation() || c == '।';
    let words = text.split_whitespace();
    let words = words.map(move |word| word.trim_matches(is_mark).to_lowercase());
    words.filter(|word| !word.is_empty())
}

/// Whether a text has a third of the words of a reference.
fn is_alike(heard: &str, reference: &str) -> bool {
    let heard: BTreeSet<String> = words(heard).collect();
    let (mut all, mut shared) = (0, 0);
    for word in words(reference) {
        all += 1;
        shared += usize::from(heard.contains(&word));
    }
    shared * 3 >= all && shared > 0
}

/// Whether most cells of a column have words of the reference beside them.
fn is_heard(table: &Cells, column: usize, reference: usize) -> bool {
    let rows = 0..table.rows.len().min(LOOKED_AT);
    let (mut filled, mut alike) = (0, 0);
    for row in rows {
        let beside = table.text(row, Some(column));
        if let (Some(heard), Some(said)) = (beside, table.text(row, Some(reference))) {
            filled += 1;
            alike += usize::from(is_alike(&heard, &said));
        }
    }
    alike * 2 > filled
}

/// Columns of texts and failures of systems that were not asked for, where others were: those
/// that are called so, and those whose texts are like the reference.
pub(super) fn not_asked(table: &Cells, asked: &[OfSystem], reference: Option<usize>) -> Vec<usize> {
    if asked.is_empty() {
        return Vec::new();
    }
    let columns = &table.columns;
    let mut found = columns.all(Role::Hypothesis);
    let is_text = |column: &usize| {
        let name = columns.name(*column);
        !name.is_empty()
            && role_of(name) == Role::Other
            && !is_fact(name)
            && !columns.is_fact_of_another(*column)
            && reference != Some(*column)
            && reference.is_some_and(|reference| is_heard(table, *column, reference))
    };
    found.extend((0..columns.names().len()).filter(is_text));
    let failures = found.iter().filter_map(|column| {
        let name = columns.name(*column);
        OfSystem::new(columns, name, *column).error
    });
    let failures: Vec<usize> = failures.collect();
    found.extend(failures);
    found
}
