//! Tables of which no column is known to name samples, and a column of one name that does.

use std::collections::HashSet;

use super::same::{folded, has_ids};
use super::transcripts::{Entry, Transcripts};

type Heard<'a> = [(Transcripts, &'a str)];

/// Names of columns that all tables have, where none of them has ids. One of these may tell which
/// rows belong together: they are read for that.
pub(super) fn candidates(right: &Transcripts, heard: &Heard<'_>) -> Vec<String> {
    let is_open = |source: &Transcripts| !has_ids(&source.entries) && source.entries.len() > 1;
    if heard.is_empty() || !is_open(right) || !heard.iter().all(|(source, _)| is_open(source)) {
        return Vec::new();
    }
    let is_in_all = |name: &&String| heard.iter().all(|(other, _)| other.columns.contains(name));
    let all = right.columns.iter().filter(|name| !name.is_empty());
    all.filter(is_in_all).cloned().collect()
}

/// Values of a column, where each row has one of its own that is not its text.
fn values<'a>(source: &'a Transcripts, column: &str) -> Option<HashSet<std::borrow::Cow<'a, str>>> {
    let mut all = HashSet::with_capacity(source.entries.len());
    for entry in &source.entries {
        let value = entry.fields.get(column)?.trim();
        let is_text = |text: &str| text.trim() == value;
        let said = entry.text.as_deref().is_some_and(is_text);
        if value.is_empty() || said || entry.hypotheses.values().any(|text| is_text(text)) {
            return None;
        }
        all.insert(folded(value));
    }
    (all.len() == source.entries.len()).then_some(all)
}

/// Whether values only count rows, from 0 or 1 on: each table may be counted anew.
fn only_counts(source: &Transcripts, column: &str) -> bool {
    let number = |entry: &Entry| entry.fields.get(column)?.trim().parse::<usize>().ok();
    let mut all = source.entries.iter().enumerate();
    let first = source.entries.first().and_then(number);
    first
        .is_some_and(|first| first <= 1 && all.all(|(at, entry)| number(entry) == Some(at + first)))
}

/// Takes the column by which rows belong together for their ids, if there is one: in each table
/// its values differ from row to row, and the tables with fewer rows have no others. Returns what
/// is to be told of it.
pub(super) fn joined(
    right: &mut Transcripts,
    heard: &mut Heard<'_>,
    name: &str,
    candidates: &[String],
) -> Option<String> {
    let joins = |column: &&String| {
        let Some(own) = values(right, column) else {
            return false;
        };
        heard.iter().all(|(source, _)| {
            values(source, column).is_some_and(|other| match other.len() <= own.len() {
                true => other.is_subset(&own),
                false => own.is_subset(&other),
            })
        })
    };
    let mut all: Vec<&String> = candidates.iter().filter(joins).collect();
    // Of several, one that does not only count.
    all.sort_by_key(|column| only_counts(right, column));
    let column = (*all.first()?).clone();
    let others = heard.iter_mut().map(|(source, _)| source);
    for entry in std::iter::once(right)
        .chain(others)
        .flat_map(|source| &mut source.entries)
    {
        entry.id = entry.fields.get(&column).map(|id| id.trim().to_owned());
    }
    let shown: Vec<&str> = heard.iter().map(|(_, shown)| *shown).collect();
    Some(format!(
        "no column of {name} and {} is known to name samples: rows are paired by {column:?}, which \
         has the same values in each",
        shown.join(", ")
    ))
}
