//! Which columns of a table have what systems heard.

use std::collections::BTreeSet;

use stt_eval_domain::imported;

use super::entry::{ReadOptions, Side};
use crate::manifest::Cells;
use crate::problem::{Code, Problem};
use crate::table::{Columns, PREDICTED, Role, error_of, is_fact, is_right, key};

/// The columns of a system.
pub(crate) struct OfSystem {
    pub(crate) name: String,
    /// What it heard.
    pub(crate) text: usize,
    /// Why it failed, where it did.
    pub(crate) error: Option<usize>,
}

impl OfSystem {
    /// One of a table; in our own exports it has a column for failures as well.
    pub(crate) fn new(columns: &Columns, name: &str, text: usize) -> Self {
        let column = columns.name(text);
        let own = [of_column(column), column].map(|system| key(&error_of(system)));
        let is_own = |one: &String| own.contains(&key(one));
        // A column that is called as hypotheses are has one that is called as errors are.
        let is_plain = |one: &String| !column.starts_with(PREDICTED) && key(one) == "error";
        let mut names = columns.names().iter();
        let mut error = names.position(is_own);
        if error.is_none() && crate::table::role_of(column) == Role::Hypothesis {
            error = columns.names().iter().position(is_plain);
        }
        Self {
            name: name.to_owned(),
            text,
            error,
        }
    }

    /// Why it heard nothing of a row, where it failed there.
    pub(crate) fn failed(&self, table: &Cells, row: usize, text: Option<&str>) -> Option<String> {
        let told = table.text(row, self.error)?;
        imported::reason(&told, text).map(str::to_owned)
    }

    fn of_column(columns: &Columns, text: usize) -> Self {
        Self::new(columns, of_column(columns.name(text)), text)
    }
}

/// Columns with what was heard.
#[derive(Default)]
pub(super) struct Heard {
    /// Those that are called as their systems.
    pub(super) systems: Vec<OfSystem>,
    /// The one that is of the system that the whole table is of.
    pub(super) lone: Option<usize>,
    /// What was found out by looking, to be told.
    pub(super) remark: Option<String>,
}

/// Finds the columns of a table, of which one may be the `id`: those that were asked for, those that are called so, the
/// only text, and those that can be nothing else.
pub(super) fn heard(
    table: &Cells,
    name: &str,
    (side, id): (Side, Option<usize>),
    wanted: &ReadOptions,
) -> Result<Heard, Problem> {
    let columns = &table.columns;
    let mut found: Vec<OfSystem> = Vec::new();
    for system in &wanted.hypotheses {
        match columns.of_system(system) {
            // One that is named twice is one.
            Some(column) if found.iter().any(|other| other.text == column) => {}
            Some(column) => found.push(OfSystem::new(columns, system, column)),
            // Of several tables another one may have it.
            None if side == Side::Hypotheses => {}
            None => return Err(no_column(system, name, columns.names(), "--hyp")),
        }
    }
    if found.is_empty() {
        let called = columns.all(Role::Hypothesis).into_iter();
        let called = called.map(|column| OfSystem::of_column(columns, column));
        found = called.collect();
        let errors: BTreeSet<usize> = found.iter().filter_map(|one| one.error).collect();
        found.retain(|one| !errors.contains(&one.text));
    }
    let remark = called_the_same(&mut found, name);
    if found.is_empty() {
        found = scored(columns);
    }
    if side == Side::References || !found.is_empty() {
        return Ok(Heard {
            lone: found.first().map(|system| system.text),
            systems: found,
            remark,
        });
    }
    only_heard(table, name, id)
}

/// A column is called as its system, or so with `pred_text_` before it.
fn of_column(name: &str) -> &str {
    name.strip_prefix(PREDICTED).unwrap_or(name)
}

/// Of columns with one name the first counts, and that is told.
fn called_the_same(found: &mut Vec<OfSystem>, file: &str) -> Option<String> {
    let mut names = BTreeSet::new();
    let mut again: Option<String> = None;
    found.retain(|system| {
        let is_first = names.insert(system.name.clone());
        if !is_first {
            again.get_or_insert_with(|| system.name.clone());
        }
        is_first
    });
    again.map(|name| format!("{file}: several columns are called {name}; the first is taken"))
}

/// Columns that have their error rates beside them, as in our own exports.
fn scored(columns: &Columns) -> Vec<OfSystem> {
    let names = columns.names();
    let has = |name: String| names.contains(&name);
    let is_scored = |column: &usize| {
        let name = columns.name(*column);
        has(format!("{name} wer")) && has(format!("{name} cer"))
    };
    let found = (0..names.len()).filter(is_scored);
    found
        .map(|column| OfSystem::of_column(columns, column))
        .collect()
}

/// Of a table of hypotheses whose columns have no name that says so.
fn only_heard(table: &Cells, name: &str, id: Option<usize>) -> Result<Heard, Problem> {
    let columns = &table.columns;
    let texts = columns.all(Role::Text);
    let is_named_right = |column: &&usize| is_right(columns.name(**column));
    let text = texts.iter().find(|column| !is_named_right(column)).copied();
    let (likely, facts) = likely(table, id);
    if let Some(text) = text {
        // Rows of one table can be of several systems.
        let is_long = columns.first(Role::Model).is_some();
        let systems = is_long.then(|| OfSystem::new(columns, columns.name(text), text));
        let remark = (!likely.is_empty()).then(|| {
            format!(
                "{name}: {} is taken as what was heard, and not {} (--hyp chooses)",
                columns.name(text),
                listed(table, &likely)
            )
        });
        return Ok(Heard {
            systems: systems.into_iter().collect(),
            lone: Some(text),
            remark,
        });
    }
    let Some(first) = likely.first().copied() else {
        // References that are scored against themselves.
        if let Some(text) = texts.first().copied() {
            return Ok(Heard {
                lone: Some(text),
                ..Heard::default()
            });
        }
        let message = format!(
            "no column could be a hypothesis; {}",
            there(columns.names())
        );
        return Err(Problem::new(Code::ChooseColumn, message)
            .file(name)
            .hint("--hyp with one of these, or with several: A,B"));
    };
    let left_out = match facts.as_slice() {
        [] => String::new(),
        facts => format!(", and not {}", listed(table, facts)),
    };
    let remark = format!(
        "{name}: taken as what systems heard: {}{left_out} (--hyp chooses)",
        listed(table, &likely)
    );
    let system = |column: &usize| OfSystem::of_column(columns, *column);
    Ok(Heard {
        systems: likely.iter().map(system).collect(),
        lone: Some(first),
        remark: Some(remark),
    })
}

/// Columns that are none of those a table has beside texts; and those that are left out, for
/// they tell facts or have nothing but numbers.
fn likely(table: &Cells, id: Option<usize>) -> (Vec<usize>, Vec<usize>) {
    let columns = &table.columns;
    let others = (0..columns.names().len()).filter(|column| {
        let name = columns.name(*column);
        !name.is_empty() && Some(*column) != id && crate::table::role_of(name) == Role::Other
    });
    let (likely, mut facts): (Vec<usize>, Vec<usize>) = others.partition(|column| {
        !is_fact(columns.name(*column)) && !columns.is_fact_of_another(*column)
    });
    let (numbers, texts): (Vec<usize>, Vec<usize>) = likely
        .into_iter()
        .partition(|column| has_numbers_alone(table, *column));
    if texts.is_empty() {
        // Where only digits are said, nothing else is heard.
        return (numbers, facts);
    }
    facts.extend(numbers);
    facts.sort_unstable();
    (texts, facts)
}

/// Tells of columns that were asked for and have nothing but numbers, where the reference has
/// words.
pub(crate) fn of_numbers(
    table: &Cells,
    name: &str,
    asked: &[OfSystem],
    reference: Option<usize>,
) -> Option<String> {
    if reference.is_some_and(|column| has_numbers_alone(table, column)) {
        return None;
    }
    let columns = asked.iter().map(|system| system.text);
    let numbers: Vec<usize> = columns
        .filter(|column| has_numbers_alone(table, *column))
        .collect();
    (!numbers.is_empty()).then(|| {
        let listed = listed(table, &numbers);
        format!("{name}: taken as what was heard, and nothing but numbers: {listed}")
    })
}

/// Empty cells are results as well, and a system may have heard nothing at all.
fn has_numbers_alone(table: &Cells, column: usize) -> bool {
    let rows = 0..table.rows.len();
    let mut filled = rows
        .filter_map(|row| table.text(row, Some(column)))
        .peekable();
    filled.peek().is_some() && filled.all(|text| text.trim().parse::<f64>().is_ok())
}

fn listed(table: &Cells, columns: &[usize]) -> String {
    let names = columns.iter().map(|column| table.columns.name(*column));
    names.collect::<Vec<_>>().join(", ")
}

/// Which columns there are, for messages.
pub(super) fn there(names: &[String]) -> String {
    match names {
        [] => "it has none".to_owned(),
        [one] => format!("there is {one}"),
        names => format!("there are {}", names.join(", ")),
    }
}

/// A column that was asked for and is not there.
pub(crate) fn no_column(asked: &str, file: &str, there: &[String], option: &str) -> Problem {
    let message = format!("has no column {asked:?}; {}", self::there(there));
    Problem::new(Code::ChooseColumn, message)
        .file(file)
        .hint(format!("{option} with one of these"))
}

/// What `--hyp` could be asked for in a table that has references as well.
pub(super) fn offered(table: &Cells, id: Option<usize>) -> Vec<String> {
    let (likely, _) = likely(table, id);
    let names = likely.iter().map(|column| table.columns.name(*column));
    names.map(str::to_owned).collect()
}
