//! A sample before it is one: its recording, its words and its fields, checked.

use stt_eval_shared::domain::dataset::{
    MAX_GROUND_TRUTH_CHARS, MAX_METADATA_FIELDS, MAX_METADATA_VALUE_CHARS, MAX_SAMPLE_BYTES,
    Metadata,
};
use stt_eval_shared::domain::validate::{self, Errors, FieldError};
use stt_eval_shared::domain::{FileId, language};
use stt_eval_shared::scoring::validate_reference;
use stt_eval_shared::wire::datasets::NewMetadata;

/// A sample on its way into a dataset.
#[derive(Debug, Clone)]
pub struct Draft {
    /// How errors name it: `samples[3]`, `line 7`.
    pub place: String,
    /// How errors name its recording: `samples[3].file_id`, `line 7: file_id`.
    pub file_field: String,
    /// Its recording.
    pub file: FileId,
    /// What is said in it.
    pub ground_truth: Option<String>,
    /// Canonical tag.
    pub language: String,
    /// Free fields.
    pub metadata: Metadata,
}

/// Checks a language tag and makes it canonical.
pub fn language_tag(field: &str, tag: &str) -> Result<String, FieldError> {
    match language::resolve(tag.trim()) {
        Ok(found) => Ok(found.tag),
        Err(error) => Err(FieldError::new(field, error.to_string())),
    }
}

/// Checks a reference.
pub fn reference(field: &str, text: &str) -> Result<String, FieldError> {
    let text = validate::text(field, text, MAX_GROUND_TRUTH_CHARS)?;
    validate_reference(&text).map_err(|error| FieldError::new(field, error.to_string()))?;
    Ok(text)
}

/// Checks free fields. Numbers and true/false become text.
pub fn metadata(field: &str, given: &NewMetadata, errors: &mut Errors) -> Metadata {
    let mut fields = Metadata::new();
    if given.len() > MAX_METADATA_FIELDS {
        errors.push(
            field,
            format!("at most {MAX_METADATA_FIELDS} fields, has {}", given.len()),
        );
        return fields;
    }
    for (name, value) in given {
        let shown: String = name.chars().take(60).collect();
        let at = format!("{field}.{shown}");
        let Some(clean) = errors.keep(validate::name(&at, name)) else {
            continue;
        };
        let text = match value {
            serde_json::Value::String(text) => text.clone(),
            serde_json::Value::Number(number) => number.to_string(),
            serde_json::Value::Bool(flag) => flag.to_string(),
            // As if it were not there.
            serde_json::Value::Null => continue,
            _ => {
                errors.push(at, "must be text, a number, or true or false");
                continue;
            }
        };
        if let Some(text) = errors.keep(validate::text(&at, &text, MAX_METADATA_VALUE_CHARS)) {
            fields.insert(clean, text);
        }
    }
    fields
}

/// Checks that a sample fits where it is kept.
pub fn size(
    field: &str,
    ground_truth: Option<&str>,
    metadata: &Metadata,
) -> Result<(), FieldError> {
    let texts = metadata
        .iter()
        .map(|(name, value)| name.len() + value.len())
        .sum::<usize>();
    let bytes = texts + ground_truth.map_or(0, str::len);
    if bytes > MAX_SAMPLE_BYTES {
        return Err(FieldError::new(
            field,
            format!(
                "reference and metadata together have {bytes} bytes; at most {MAX_SAMPLE_BYTES} are taken"
            ),
        ));
    }
    Ok(())
}
