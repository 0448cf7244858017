//! What is wrong with rows of lists that are read for their texts alone.

use std::collections::HashMap;

use crate::finding::{Finding, Findings};
use crate::manifest::{Cell, Cells};
use crate::problem::{Code, Problem, counted};

/// Tells what was found about the rows of a list, the same of several once. A row that can't be
/// read is a text that would be missing: the list is refused.
pub(super) fn tell(
    findings: &Findings,
    name: &str,
    remarks: &mut Vec<String>,
) -> Result<(), Problem> {
    let mut all = findings.kept().iter();
    if let Some(bad) = all.find(|found| found.kind.is_error()) {
        let file = bad.file.as_deref().unwrap_or(name);
        let problem = Problem::new(Code::Malformed, bad.message.clone()).file(file);
        return Err(problem.line(bad.line.unwrap_or(1)));
    }
    let mut told: Vec<(&Finding, usize)> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for found in findings.kept() {
        let said = said_of(found, name);
        match places.get(said).and_then(|at| told.get_mut(*at)) {
            Some((_, more)) => *more += 1,
            None => {
                places.insert(said, told.len());
                told.push((found, 0));
            }
        }
    }
    remarks.extend(told.into_iter().map(|(found, more)| {
        let file = found.file.as_deref().unwrap_or(name);
        // What is about a whole file stands on its first line.
        let place = match found.line {
            Some(line) if line > 1 => format!("{file} line {line}"),
            _ => file.to_owned(),
        };
        let more = match more {
            0 => String::new(),
            more => {
                let more = counted(more, "further one is", "further ones are");
                format!(" ({more} so)")
            }
        };
        format!("{place}: {}{more}", said_of(found, name))
    }));
    Ok(())
}

/// What is said of a file, without its name before it.
fn said_of<'a>(found: &'a Finding, name: &str) -> &'a str {
    let file = found.file.as_deref().unwrap_or(name);
    let own = found.message.strip_prefix(file);
    let said = own.and_then(|rest| rest.strip_prefix(": "));
    said.unwrap_or(&found.message)
}

/// Refuses columns of texts with what is none: it would count as nothing.
pub(crate) fn are_texts(
    table: &Cells,
    name: &str,
    columns: impl Iterator<Item = usize>,
) -> Result<(), Problem> {
    for column in columns {
        let of_row = |row| {
            let reason = table.cell(row, Some(column)).and_then(Cell::no_text)?;
            let line = table.rows.line(row)?;
            Some((line, format!("{} {reason}", table.columns.name(column))))
        };
        if let Some((line, message)) = (0..table.rows.len()).find_map(of_row) {
            return Err(Problem::new(Code::Malformed, message).file(name).line(line));
        }
    }
    Ok(())
}
