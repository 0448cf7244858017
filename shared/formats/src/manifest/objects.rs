//! JSON lines and arrays as cells: fields of objects are columns.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::cells::Cells;
use super::grid::Grid;
use super::reader::Reader;
use super::regions;
use crate::finding::FindingKind;
use crate::json;
use crate::problem::Problem;
use crate::table::{Columns, MAX_COLUMNS, PREDICTED, Role, error_of, role_of};

/// Our own lines have the texts of systems under `hypotheses`, and under `results` what else
/// is known of each: texts become columns, and so do failures.
fn take_systems(fields: &mut Map<String, Value>) {
    let is_texts = |heard: &Map<String, Value>| {
        let mut all = heard.values();
        !heard.is_empty() && all.all(|text| text.is_string() || text.is_null())
    };
    let Some(Value::Object(heard)) = fields.get("hypotheses") else {
        return;
    };
    if !is_texts(heard) {
        return;
    }
    let results = fields.remove("results");
    let Some(Value::Object(heard)) = fields.remove("hypotheses") else {
        return;
    };
    for (system, text) in heard {
        let error = results
            .as_ref()
            .and_then(|all| all.get(&system)?.get("error"));
        if let Some(error @ Value::String(_)) = error {
            fields.insert(error_of(&system), error.clone());
        }
        fields.insert(format!("{PREDICTED}{system}"), text);
    }
}

/// Label Studio writes several regions of one recording as a list.
fn take_regions(fields: &mut Map<String, Value>, asked: Option<&str>) {
    let mut all = fields.values().filter_map(Value::as_str);
    let is_own = all.any(regions::is_of_label_studio);
    for (name, value) in fields {
        let is_text = matches!(role_of(name), Role::Text | Role::Hypothesis);
        if (is_text || Some(name.as_str()) == asked)
            && let Some(text) = regions::of_field(value, is_own)
        {
            *value = Value::String(text);
        }
    }
}

/// Most values of a list that are told by their number.
pub(super) const MOST_LISTED: usize = 8;

/// Takes out of lists and objects what is in them: times of words and the like are many. What
/// is left tells that there is something, and no text.
fn hollow(value: &mut Value) {
    match value {
        Value::Array(list) => *value = vec![Value::Null; list.len().min(MOST_LISTED)].into(),
        #[cfg(feature = "folders")]
        Value::Object(fields) => {
            // The one thing that is looked for inside: `audiofolder` nests names of files.
            let named = fields.remove_entry("file_name");
            let named = named.filter(|(_, name)| name.is_string());
            *value = named.into_iter().collect::<Map<String, Value>>().into();
        }
        #[cfg(not(feature = "folders"))]
        Value::Object(_) => *value = Map::new().into(),
        _ => {}
    }
}

/// Fields of objects as columns. Those inside `metadata` count as if they stood outside.
pub(super) fn json_table(
    reader: &mut Reader<'_>,
    name: &str,
    text: &str,
) -> Result<Cells, Problem> {
    let mut order: BTreeMap<String, usize> = BTreeMap::new();
    let mut rows = Grid::of_json();
    let options = reader.options;
    let chosen = options.chosen();
    json::each(text, name, &mut |line, row| {
        let mut fields = match row {
            Ok(Value::Object(fields)) => fields,
            Ok(_) => return Ok(()),
            Err(reason) => {
                let kind = FindingKind::BadRow;
                reader.findings.of_line(kind, name, line, reason);
                return Ok(());
            }
        };
        if let Some(Value::Object(inner)) = fields.remove("metadata") {
            for (key, value) in inner {
                fields.entry(key).or_insert(value);
            }
        }
        take_systems(&mut fields);
        take_regions(&mut fields, options.text_column.as_deref());
        for (key, value) in &mut fields {
            if role_of(key) == Role::Other && !chosen.contains(&key.as_str()) {
                hollow(value);
            }
        }
        // A failure without a reason is none, as in an empty cell of a table.
        let is_blank = |value: &Value| value.as_str().is_some_and(|text| text.trim().is_empty());
        fields.retain(|key, value| !key.ends_with(&error_of("")) || !is_blank(value));
        let mut cells: Vec<Option<Value>> = Vec::new();
        for (key, value) in fields {
            let column = match order.get(&key) {
                Some(column) => *column,
                None if order.len() < MAX_COLUMNS => {
                    order.insert(key, order.len());
                    order.len() - 1
                }
                None => continue,
            };
            if cells.len() <= column {
                cells.resize_with(column + 1, || None);
            }
            if let Some(cell) = cells.get_mut(column) {
                *cell = Some(value);
            }
        }
        rows.push_values(line, cells.into_iter(), name)
    })?;
    let mut order: Vec<(String, usize)> = order.into_iter().collect();
    order.sort_unstable_by_key(|(_, column)| *column);
    let order = order.into_iter().map(|(key, _)| key).collect();
    Ok(Cells {
        columns: Columns::new(order),
        rows,
        audio: None,
        is_last_apart: false,
    })
}
