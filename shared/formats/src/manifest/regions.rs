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

/// The text of a field that has none for itself: regions, each with its text; and, where the
/// object is one of Label Studio, texts. Elsewhere several texts can be readings of one.
pub(super) fn of_field(value: &Value, is_of_label_studio: bool) -> Option<String> {
    let list = value.as_array().filter(|list| !list.is_empty())?;
    let is_region = |one: &Value| one.get("start").is_some() && one.get("text").is_some();
    let is_read = list.iter().all(is_region)
        || (is_of_label_studio || list.len() == 1) && list.iter().all(Value::is_string);
    is_read.then(|| joined(list.iter().collect()))
}

/// Whether a path is one that Label Studio has for a recording.
pub(super) fn is_of_label_studio(path: &str) -> bool {
    ["/data/upload/", "/data/local-files/"]
        .iter()
        .any(|place| path.contains(place))
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
