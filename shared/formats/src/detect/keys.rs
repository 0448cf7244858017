//! What a file of JSON is, by the names of its fields.

use crate::format::Format;
use crate::transcripts::services::is_service;

/// What a text of JSON is, by the fields of its first object.
pub(super) fn format_of(text: &str, whole: bool, name: &str) -> Format {
    let keys = first_keys(text);
    let has = |key: &str| keys.iter().any(|one| one == key);
    let curly = text.contains("\u{201c}audio_filepath\u{201d}");
    if (has("annotations") || has("completions")) && has("data")
        || has("annotation_id")
        || (has("data") && has("predictions"))
    {
        return Format::LabelStudio;
    }
    if has("supervisions")
        || (has("sources") && has("sampling_rate"))
        || (has("recording_id") && has("duration") && has("start"))
    {
        return Format::Lhotse;
    }
    if has("session_id") && has("words") && !has("text") {
        return Format::SegLst;
    }
    let audio = ["audio_filepath", "audio_filename", "context"];
    if curly
        || (audio.iter().any(|key| has(key))
            && (has("duration") || has("text") || has("pred_text")))
    {
        return Format::Nemo;
    }
    if (has("verbatim") || has("normalized")) && has("speaker_id") && is_single(text, whole) {
        return Format::IndicVoices;
    }
    let one = !text.starts_with('[') && !name.ends_with(".jsonl");
    if one && (is_service(&keys) || keys.is_empty()) && is_single(text, whole) {
        return Format::Service;
    }
    Format::Jsonl
}

/// Names of the fields of the first object: of itself, not of what is inside it.
pub(crate) fn first_keys(text: &str) -> Vec<String> {
    let mut keys = Vec::new();
    let (mut depth, mut base) = (0_usize, None);
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '{' => {
                depth += 1;
                base.get_or_insert(depth);
            }
            '[' => depth += 1,
            '}' | ']' => {
                if base == Some(depth) {
                    break;
                }
                depth = depth.saturating_sub(1);
            }
            '"' => {
                let mut escaped = false;
                let end = loop {
                    match chars.next() {
                        Some((_, _)) if escaped => escaped = false,
                        Some((_, '\\')) => escaped = true,
                        Some((end, '"')) => break end,
                        Some(_) => {}
                        None => return keys,
                    }
                };
                let behind = text.get(end + 1..).unwrap_or_default().trim_start();
                if base == Some(depth) && behind.starts_with(':') {
                    keys.push(text.get(at + 1..end).unwrap_or_default().to_owned());
                }
            }
            _ => {}
        }
    }
    keys
}

/// Whether a text is one object and not a line of several.
fn is_single(text: &str, whole: bool) -> bool {
    if whole {
        return serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
    }
    let first = text.lines().next().unwrap_or_default();
    serde_json::from_str::<serde::de::IgnoredAny>(first).is_err()
}
