//! Which columns of a table have what systems heard.

use super::entry::{ReadOptions, Side};
use crate::manifest::Cells;
use crate::problem::{Code, Problem};
use crate::table::{Role, is_fact, is_right};

/// Columns with what was heard.
#[derive(Default)]
pub(super) struct Heard {
    /// Those that are called as their systems.
    pub(super) systems: Vec<(String, usize)>,
    /// The one that is of the system that the whole table is of.
    pub(super) lone: Option<usize>,
    /// What was found out by looking, to be told.
    pub(super) remark: Option<String>,
}

/// Finds the columns of a table: those that were asked for, those that are called so, the
/// only text, and those that can be nothing else.
pub(super) fn heard(
    table: &Cells,
    name: &str,
    side: Side,
    wanted: &ReadOptions,
) -> Result<Heard, Problem> {
    let columns = &table.columns;
    let mut found = Vec::new();
    for system in &wanted.hypotheses {
        match columns.named(system) {
            Some(column) => found.push((system.clone(), column)),
            // Of several tables another one may have it.
            None if side == Side::Hypotheses => {}
            None => return Err(no_column(system, name, columns.names(), "--hyp")),
        }
    }
    if found.is_empty() {
        let called = columns.all(Role::Hypothesis).into_iter();
        let system = |column: usize| (of_column(columns.name(column)).to_owned(), column);
        found = called.map(system).collect();
    }
    if side == Side::References || !found.is_empty() {
        return Ok(Heard {
            lone: found.first().map(|(_, column)| *column),
            systems: found,
            remark: None,
        });
    }
    only_heard(table, name)
}

/// A column is called as its system, or so with `pred_text_` before it.
fn of_column(name: &str) -> &str {
    name.strip_prefix("pred_text_").unwrap_or(name)
}

/// Of a table of hypotheses whose columns have no name that says so.
fn only_heard(table: &Cells, name: &str) -> Result<Heard, Problem> {
    let columns = &table.columns;
    let texts = columns.all(Role::Text);
    let is_named_right = |column: &&usize| is_right(columns.name(**column));
    let text = texts.iter().find(|column| !is_named_right(column)).copied();
    let (likely, facts) = likely(table);
    if let Some(text) = text {
        // Rows of one table can be of several systems.
        let is_long = columns.first(Role::Model).is_some();
        let systems = is_long.then(|| (columns.name(text).to_owned(), text));
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
            "no column could be a hypothesis; there are {}",
            columns.names().join(", ")
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
    let system = |column: &usize| (of_column(columns.name(*column)).to_owned(), *column);
    Ok(Heard {
        systems: likely.iter().map(system).collect(),
        lone: Some(first),
        remark: Some(remark),
    })
}

/// Columns that are none of those a table has beside texts; and those that are left out, for
/// they tell facts or have nothing but numbers.
fn likely(table: &Cells) -> (Vec<usize>, Vec<usize>) {
    let columns = &table.columns;
    let others = (0..columns.names().len()).filter(|column| {
        let name = columns.name(*column);
        !name.is_empty() && crate::table::role_of(name) == Role::Other
    });
    let (likely, mut facts): (Vec<usize>, Vec<usize>) =
        others.partition(|column| !is_fact(columns.name(*column)));
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

/// A column that was asked for and is not there.
pub(crate) fn no_column(asked: &str, file: &str, there: &[String], option: &str) -> Problem {
    let message = format!("has no column {asked:?}; there are {}", there.join(", "));
    Problem::new(Code::ChooseColumn, message)
        .file(file)
        .hint(format!("{option} with one of these"))
}

/// What `--hyp` could be asked for in a table that has references as well.
pub(super) fn offered(table: &Cells) -> Vec<String> {
    let (likely, _) = likely(table);
    let names = likely.iter().map(|column| table.columns.name(*column));
    names.map(str::to_owned).collect()
}
