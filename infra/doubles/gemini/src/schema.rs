//! Which fields requests may have, in camelCase or `snake_case`.
//!
//! Google parses bodies and JSONL lines as proto-JSON: both spellings of a
//! field are one field, `null` is absence, an unknown name is an error.

use serde_json::{Map, Value};

/// What a field holds.
pub(crate) enum Shape {
    /// Anything; passed on untouched.
    Any,
    /// A message with exactly these fields.
    Message(&'static [Field]),
    /// A list of such messages.
    List(&'static [Field]),
}

/// A field: its camelCase name and what it holds.
pub(crate) type Field = (&'static str, Shape);

use Shape::{Any, List, Message};

const BLOB: &[Field] = &[("mimeType", Any), ("data", Any)];
const FILE_DATA: &[Field] = &[("mimeType", Any), ("fileUri", Any)];

const PART: &[Field] = &[
    ("text", Any),
    ("inlineData", Message(BLOB)),
    ("fileData", Message(FILE_DATA)),
    ("thought", Any),
    ("thoughtSignature", Any),
    ("functionCall", Any),
    ("functionResponse", Any),
    ("executableCode", Any),
    ("codeExecutionResult", Any),
    ("videoMetadata", Any),
    ("mediaResolution", Any),
    ("partMetadata", Any),
];

const CONTENT: &[Field] = &[("role", Any), ("parts", List(PART))];

const THINKING: &[Field] = &[
    ("includeThoughts", Any),
    ("thinkingBudget", Any),
    ("thinkingLevel", Any),
];

const GENERATION_CONFIG: &[Field] = &[
    ("candidateCount", Any),
    ("stopSequences", Any),
    ("maxOutputTokens", Any),
    ("temperature", Any),
    ("topP", Any),
    ("topK", Any),
    ("seed", Any),
    ("responseMimeType", Any),
    ("responseSchema", Any),
    ("responseJsonSchema", Any),
    ("presencePenalty", Any),
    ("frequencyPenalty", Any),
    ("responseLogprobs", Any),
    ("logprobs", Any),
    ("enableEnhancedCivicAnswers", Any),
    ("responseModalities", Any),
    ("speechConfig", Any),
    ("thinkingConfig", Message(THINKING)),
    ("imageConfig", Any),
    ("mediaResolution", Any),
];

const SAFETY_SETTING: &[Field] = &[("category", Any), ("threshold", Any)];

/// `GenerateContentRequest`.
pub(crate) const GENERATE_CONTENT: &[Field] = &[
    ("model", Any),
    ("contents", List(CONTENT)),
    ("systemInstruction", Message(CONTENT)),
    ("tools", Any),
    ("toolConfig", Any),
    ("safetySettings", List(SAFETY_SETTING)),
    ("generationConfig", Message(GENERATION_CONFIG)),
    ("cachedContent", Any),
    ("serviceTier", Any),
];

/// One line of a JSONL input file.
pub(crate) const JSONL_LINE: &[Field] = &[("key", Any), ("request", Message(GENERATE_CONTENT))];

const INLINED_REQUEST: &[Field] = &[("request", Message(GENERATE_CONTENT)), ("metadata", Any)];
const INLINED_REQUESTS: &[Field] = &[("requests", List(INLINED_REQUEST))];

const INPUT_CONFIG: &[Field] = &[("fileName", Any), ("requests", Message(INLINED_REQUESTS))];

const BATCH: &[Field] = &[
    ("name", Any),
    ("model", Any),
    ("displayName", Any),
    ("inputConfig", Message(INPUT_CONFIG)),
    ("priority", Any),
    ("webhookConfig", Any),
];

/// The body of `batchGenerateContent`.
pub(crate) const CREATE_BATCH: &[Field] = &[("batch", Message(BATCH))];

const FILE: &[Field] = &[
    ("name", Any),
    ("displayName", Any),
    ("mimeType", Any),
    ("sizeBytes", Any),
    ("createTime", Any),
    ("updateTime", Any),
    ("expirationTime", Any),
    ("sha256Hash", Any),
    ("uri", Any),
    ("downloadUri", Any),
    ("state", Any),
    ("source", Any),
    ("error", Any),
    ("videoMetadata", Any),
];

/// The body of an upload start.
pub(crate) const CREATE_FILE: &[Field] = &[("file", Message(FILE))];

/// Rewrites a value to camelCase names; the error names the unknown field.
pub(crate) fn normalise(value: Value, fields: &[Field]) -> Result<Map<String, Value>, String> {
    message(value, fields, "")
}

fn message(value: Value, fields: &[Field], path: &str) -> Result<Map<String, Value>, String> {
    let Value::Object(map) = value else {
        return Err(invalid(path, "an object"));
    };
    let mut out = Map::new();
    for (name, value) in map {
        if value.is_null() {
            continue;
        }
        let camel = to_camel(&name);
        let Some((_, shape)) = fields.iter().find(|(field, _)| *field == camel) else {
            let place = if path.is_empty() {
                String::new()
            } else {
                format!(" at '{path}'")
            };
            return Err(format!(
                "Invalid JSON payload received. Unknown name \"{name}\"{place}: Cannot find field."
            ));
        };
        let inner = if path.is_empty() {
            name.clone()
        } else {
            format!("{path}.{name}")
        };
        let value = match shape {
            Any => value,
            Message(fields) => Value::Object(message(value, fields, &inner)?),
            List(fields) => {
                let Value::Array(items) = value else {
                    return Err(invalid(&inner, "a list"));
                };
                let mut list = Vec::with_capacity(items.len());
                for (index, item) in items.into_iter().enumerate() {
                    let place = format!("{inner}[{index}]");
                    list.push(Value::Object(message(item, fields, &place)?));
                }
                Value::Array(list)
            }
        };
        if out.insert(camel, value).is_some() {
            return Err(format!(
                "Invalid JSON payload received. Field \"{name}\" is given twice at '{path}'."
            ));
        }
    }
    Ok(out)
}

fn invalid(path: &str, wanted: &str) -> String {
    format!("Invalid value at '{path}': expected {wanted}.")
}

fn to_camel(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut upper = false;
    for c in name.chars() {
        if c == '_' {
            upper = true;
        } else if upper {
            out.extend(c.to_uppercase());
            upper = false;
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn both_spellings_are_one_field() {
        let snake = json!({"key": "a", "request": {"contents": [{"parts": [
            {"file_data": {"file_uri": "u", "mime_type": "audio/wav"}}]}],
            "generation_config": {"max_output_tokens": 1, "thinking_config": {"thinking_level": "LOW"}}}});
        let camel = json!({"key": "a", "request": {"contents": [{"parts": [
            {"fileData": {"fileUri": "u", "mimeType": "audio/wav"}}]}],
            "generationConfig": {"maxOutputTokens": 1, "thinkingConfig": {"thinkingLevel": "LOW"}}}});
        let (a, b) = (
            normalise(snake, JSONL_LINE),
            normalise(camel.clone(), JSONL_LINE),
        );
        assert_eq!(a, b);
        assert_eq!(Value::Object(a.unwrap()), camel);
    }

    #[test]
    fn unknown_and_doubled_names_are_refused_with_their_place() {
        let wrong = json!({"key": "a", "request": {"thinking_config": {}}});
        let error = normalise(wrong, JSONL_LINE).unwrap_err();
        assert!(
            error.contains("Unknown name \"thinking_config\" at 'request'"),
            "{error}"
        );
        let twice = json!({"batch": {"displayName": "a", "display_name": "b"}});
        assert!(
            normalise(twice, CREATE_BATCH)
                .unwrap_err()
                .contains("twice")
        );
        assert!(normalise(json!([]), CREATE_BATCH).is_err());
        assert!(normalise(json!({"batch": {"displayName": null}}), CREATE_BATCH).is_ok());
    }
}
