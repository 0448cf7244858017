//! What the README promises of documents, held against documents.

use std::collections::BTreeSet;

use serde_json::Value;

const README: &str = include_str!("../../README.md");

/// Rows of the table of fields: a place, as `score.systems[]`, and what is there.
fn rows() -> Vec<(&'static str, BTreeSet<&'static str>)> {
    let table = README
        .split_once("\n| in documents of | fields |\n")
        .unwrap()
        .1;
    let rows = table
        .lines()
        .skip(1)
        .take_while(|line| line.starts_with('|'));
    let row = |line: &'static str| {
        let (place, fields) = line.trim_matches('|').split_once('|').unwrap();
        let fields = fields.split('`').skip(1).step_by(2).collect();
        (place.trim().trim_matches('`'), fields)
    };
    rows.map(row).collect()
}

/// Objects at a place of a document: below names, in each element behind `[]`.
fn at<'a>(document: &'a Value, path: &str) -> Vec<&'a Value> {
    let mut found = vec![document];
    for part in path.split('.').filter(|part| !part.is_empty()) {
        let (name, is_list) = match part.strip_suffix("[]") {
            Some(name) => (name, true),
            None => (part, false),
        };
        let inner = found.into_iter().filter_map(|one| one.get(name));
        found = match is_list {
            true => inner.filter_map(Value::as_array).flatten().collect(),
            false => inner.filter(|one| !one.is_null()).collect(),
        };
    }
    found
}

/// Holds what stands in documents of a command, all of them together, against the README:
/// nothing is missing on either side.
pub fn holds(command: &str, documents: &[Value]) {
    let mut wrong = Vec::new();
    let mut places = 0;
    for (place, promised) in rows() {
        let Some(path) = place.strip_prefix(command) else {
            continue;
        };
        if !(path.is_empty() || path.starts_with('.')) {
            continue;
        }
        places += 1;
        let objects = documents.iter().flat_map(|one| at(one, path));
        let told = objects
            .filter_map(Value::as_object)
            .flat_map(|one| one.keys());
        let mut told: BTreeSet<&str> = told.map(String::as_str).collect();
        if path.is_empty() {
            for frame in ["schema", "ok", "error"] {
                assert!(told.remove(frame), "{place}: no {frame}");
            }
        }
        if told != promised {
            let fields: Vec<String> = told.iter().map(|field| format!("`{field}`")).collect();
            wrong.push(format!("| `{place}` | {} |", fields.join(", ")));
        }
    }
    assert!(places > 0, "README has no row of {command}");
    assert!(wrong.is_empty(), "README should say\n{}", wrong.join("\n"));
}
