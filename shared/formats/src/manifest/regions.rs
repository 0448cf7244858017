//! Regions of Label Studio: pieces of a recording with their texts.

use serde_json::Value;

use crate::json;

/// The text of a cell that holds regions: a text, texts, or objects with times.
pub(super) fn of_cell(value: &Value) -> Option<String> {
    match value {
        Value::Array(list) => Some(joined(list.iter().collect())),
        other => json::scalar(other),
    }
}

/// Texts of regions, in order of their start.
pub(super) fn joined(mut regions: Vec<&Value>) -> String {
    let start = |one: &Value| one.get("start").and_then(json::number).unwrap_or(0.0);
    regions.sort_by(|a, b| start(a).total_cmp(&start(b)));
    let texts = regions.into_iter().flat_map(|one| match one.get("text") {
        Some(Value::Array(lines)) => lines.iter().filter_map(json::scalar).collect(),
        Some(text) => json::scalar(text).into_iter().collect(),
        None => json::scalar(one).into_iter().collect::<Vec<String>>(),
    });
    let texts: Vec<String> = texts.collect();
    texts.join(" ")
}
