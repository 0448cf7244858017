//! Tables of which no column is known to name samples, and a column of one name that does.

use std::borrow::Cow;
use std::collections::HashMap;

use super::in_order::only_counts;
use super::same::{folded, has_ids};
use super::transcripts::Transcripts;

type Heard<'a> = [(Transcripts, &'a str)];

/// Whether nothing but an order would bring two tables together.
fn are_open(right: &Transcripts, other: &Transcripts) -> bool {
    let is_open = |source: &Transcripts| source.entries.len() > 1 && only_counts(source);
    let is_bare = |source: &Transcripts| !has_ids(&source.entries);
    is_open(right) && is_open(other) && (is_bare(right) || is_bare(other))
}

/// Names of columns that two tables have which nothing else brings together. One of these may tell
/// which rows belong together: they are read for that.
pub(super) fn candidates(right: &Transcripts, heard: &Heard<'_>) -> Vec<String> {
    let is_shared = |name: &&String| {
        let mut all = heard.iter();
        all.any(|(other, _)| are_open(right, other) && other.columns.contains(name))
    };
    let all = right.columns.iter().filter(|name| !name.is_empty());
    all.filter(is_shared).cloned().collect()
}

/// Values of a column and the rows that have them, where each row has one of its own that is not
/// its text.
fn values<'a>(source: &'a Transcripts, column: &str) -> Option<HashMap<Cow<'a, str>, usize>> {
    let mut all = HashMap::with_capacity(source.entries.len());
    for (row, entry) in source.entries.iter().enumerate() {
        let value = entry.fields.get(column)?.trim();
        let is_text = |text: &str| text.trim() == value;
        let said = entry.text.as_deref().is_some_and(is_text);
        if value.is_empty() || said || entry.hypotheses.values().any(is_text) {
            return None;
        }
        all.insert(folded(value), row);
    }
    (all.len() == source.entries.len()).then_some(all)
}

/// Whether a value looks like a name that is given to one thing, and not like a measure or a text.
fn is_name(value: &str) -> bool {
    value.chars().any(char::is_alphabetic) && !value.contains(char::is_whitespace)
}

/// How a column brings a table to the references: which row of it belongs to each of theirs.
/// `None` where it does not: all values of the smaller table are in the other, or, of names, most.
fn pairing(right: &Transcripts, other: &Transcripts, column: &str) -> Option<Vec<Option<usize>>> {
    let (own, others) = (values(right, column)?, values(other, column)?);
    let common = own.keys().filter(|key| others.contains_key(*key)).count();
    let least = own.len().min(others.len());
    let are_names = || own.keys().chain(others.keys()).all(|value| is_name(value));
    if common < least && (common * 2 < least || common == 0 || !are_names()) {
        return None;
    }
    let mut places = vec![None; right.entries.len()];
    for (value, row) in own {
        if let Some(place) = places.get_mut(row) {
            *place = others.get(&value).copied();
        }
    }
    Some(places)
}

/// A column, and what it makes of each table of hypotheses.
struct Joins<'a> {
    column: &'a str,
    pairings: Vec<Option<Vec<Option<usize>>>>,
}

impl<'a> Joins<'a> {
    fn of(right: &Transcripts, heard: &Heard<'_>, column: &'a str) -> Self {
        let one = |(source, _): &(Transcripts, &str)| {
            let is = are_open(right, source) && source.columns.iter().any(|name| name == column);
            is.then(|| pairing(right, source, column)).flatten()
        };
        Self {
            column,
            pairings: heard.iter().map(one).collect(),
        }
    }

    fn tables(&self) -> usize {
        self.pairings.iter().flatten().count()
    }

    /// Whether it says more than the order of rows. One that does not may be a label of rows.
    fn says_more(&self) -> bool {
        let mut all = self.pairings.iter().flatten();
        all.any(|places| !places.iter().flatten().is_sorted())
    }
}

/// Takes the column by which rows belong together for their ids, if there is one. Returns what is
/// to be told of it.
pub(super) fn joined(
    right: &mut Transcripts,
    heard: &mut Heard<'_>,
    name: &str,
    candidates: &[String],
) -> Option<String> {
    let all = candidates.iter().map(|one| Joins::of(right, heard, one));
    let mut all: Vec<Joins<'_>> = all.filter(|joins| joins.tables() > 0).collect();
    // That which joins most tables, and of several one that is no label of rows.
    all.sort_by_key(|joins| (std::cmp::Reverse(joins.tables()), !joins.says_more()));
    let (first, others) = all.split_first()?;
    // What has ids of its own would not find them any more.
    let is_lost = |((source, _), pairing): (&(Transcripts, &str), &Option<_>)| {
        pairing.is_none() && has_ids(&source.entries)
    };
    if heard.iter().zip(&first.pairings).any(is_lost) {
        return None;
    }
    let column = first.column;
    let differs = |other: &&Joins<'_>| {
        let mut both = first.pairings.iter().zip(&other.pairings);
        both.any(|(one, other)| one.is_some() && other.is_some() && one != other)
    };
    let otherwise = others.iter().find(differs);
    let otherwise = otherwise.map_or_else(String::new, |other| {
        format!("; {:?} would pair them otherwise", other.column)
    });
    let joined = heard.iter().zip(&first.pairings);
    let joined = joined.filter(|(_, pairing)| pairing.is_some());
    let shown: Vec<&str> = joined.map(|((_, shown), _)| *shown).collect();
    let shown = shown.join(", ");
    let sources = heard.iter_mut().zip(&first.pairings);
    let sources = sources.filter(|(_, pairing)| pairing.is_some());
    let sources = sources.map(|((source, _), _)| source);
    for entry in std::iter::once(right)
        .chain(sources)
        .flat_map(|source| &mut source.entries)
    {
        entry.id = entry.fields.get(column).map(|id| id.trim().to_owned());
    }
    Some(format!(
        "no column of {name} and {shown} is known to name samples: rows are paired by {column:?}, \
         which has the same values in each{otherwise}"
    ))
}
