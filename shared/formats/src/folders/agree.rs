//! Whether two readings of one folder say the same.

use std::collections::HashMap;

use crate::layout::Layout;
use crate::manifest::{Reading, Row};
use crate::paths::stem_as_written;
use crate::problem::{Code, Problem, counted};

/// Two manifests of one folder that say different things: one has to be chosen.
pub(crate) fn agree(
    (one, first): (&Layout, &Reading),
    (other, second): (&Layout, &Reading),
) -> Result<(), Problem> {
    let texts = |reading: &Reading| -> HashMap<String, Option<String>> {
        let rows = reading.rows.iter();
        let key = |row: &Row| {
            row.audio
                .as_deref()
                .map_or_else(|| row.id.clone(), |path| stem_as_written(path).to_owned())
        };
        rows.map(|row| (key(row), row.said.text().map(str::to_owned)))
            .collect()
    };
    let (a, b) = (texts(first), texts(second));
    // Recordings of several folders may have one name.
    let are_unique = a.len() == first.rows.len() && b.len() == second.rows.len();
    // Ids may be others in each, but then all texts are the same; other recordings are not.
    let is_known = |keys: &HashMap<String, Option<String>>| keys.values().any(Option::is_some);
    let same_keys = a.keys().all(|key| b.contains_key(key));
    let by_key = (same_keys && are_unique) || !is_known(&a) || !is_known(&b);
    let same_text = match by_key {
        true => a.iter().all(|(key, text)| match (text, b.get(key)) {
            (Some(text), Some(Some(other))) => text.trim() == other.trim(),
            _ => true,
        }),
        false => all_texts(first) == all_texts(second),
    };
    if first.rows.len() == second.rows.len() && same_text {
        return Ok(());
    }
    let named = |layout: &Layout, rows: usize| {
        let file = layout.files.first().map_or("", String::as_str);
        format!(
            "{} ({file}, {})",
            layout.format.name(),
            counted(rows, "utterance", "utterances")
        )
    };
    let message = format!(
        "two manifests do not agree: {} and {}",
        named(one, first.rows.len()),
        named(other, second.rows.len())
    );
    let hint = if one.format == other.format {
        "name the file instead of the folder".to_owned()
    } else {
        format!(
            "choose: --format {} or --format {}",
            one.format, other.format
        )
    };
    Err(Problem::new(Code::Ambiguous, message).hint(hint))
}

/// All texts, in an order that ids have no part in.
fn all_texts(reading: &Reading) -> Vec<&str> {
    let mut all: Vec<&str> = reading
        .rows
        .iter()
        .filter_map(|row| row.said.text())
        .map(str::trim)
        .collect();
    all.sort_unstable();
    all
}
