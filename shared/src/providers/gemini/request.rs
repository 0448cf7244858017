//! The request document of a batch: JSON lines, one item each.
//!
//! Shape: `PROTOCOL.md` §2.2 and §3.2. Snake case, because the parser of
//! this file is the one that was reported to insist on it; prompt and audio in
//! one content with role `user`; only `key` beside the request.

use std::collections::HashSet;

use bytes::Bytes;
use serde_json::{Value, json};

use super::super::{CallError, ModelConfig, StagedInput};
use super::errors;
use super::models::{MAX_OUTPUT_TOKENS, Thinking};
use super::prompt;

/// One item of a batch.
#[derive(Debug, Clone)]
pub struct BatchItem {
    /// Unique within the batch; what the result is joined by.
    pub key: String,
    /// The staged audio.
    pub audio: StagedInput,
    /// BCP-47 tag of the sample.
    pub language: String,
    /// Length of the audio in seconds, for output bounds.
    pub duration_seconds: f64,
}

/// Type of the document. The short `jsonl` of some pages was refused for a
/// time (`PROTOCOL.md` §1.6).
pub(super) const MIME_TYPE: &str = "application/jsonl";

/// Tokens that speech is allowed to be written in, per second. Fast speech in
/// the scripts that take most tokens stays below; a model that repeats itself
/// for ever is stopped.
const MAX_TOKENS_PER_SECOND: f64 = 32.0;

/// Tokens allowed however short the audio is.
const MIN_TOKENS: f64 = 256.0;

/// Room for reasoning, of models the catalogue does not have.
const DEFAULT_ALLOWANCE: u32 = 4096;

/// Categories of the safety filter; transcribing is not the model's own speech.
const CATEGORIES: [&str; 4] = [
    "HARM_CATEGORY_HARASSMENT",
    "HARM_CATEGORY_HATE_SPEECH",
    "HARM_CATEGORY_SEXUALLY_EXPLICIT",
    "HARM_CATEGORY_DANGEROUS_CONTENT",
];

/// The document for these items, in their order.
pub(super) fn document(items: &[BatchItem], config: &ModelConfig) -> Result<Bytes, CallError> {
    if items.is_empty() {
        return Err(errors::refused_here("a batch needs items"));
    }
    let mut keys = HashSet::new();
    let mut out = Vec::new();
    for item in items {
        // Results are joined by key.
        if item.key.is_empty() || !keys.insert(item.key.as_str()) {
            return Err(errors::refused_here("keys of a batch must be unique"));
        }
        out.extend_from_slice(line(item, config).to_string().as_bytes());
        out.push(b'\n');
    }
    Ok(Bytes::from(out))
}

fn thinking(config: &ModelConfig) -> Option<Thinking> {
    // With or without the `models/` of resource names.
    let model = config.model.strip_prefix("models/");
    Thinking::of(model.unwrap_or(&config.model))
}

/// Most tokens that an answer may have for so many seconds of audio, as they are asked
/// for.
pub(super) fn output_limit(config: &ModelConfig, seconds: f64) -> u32 {
    let allowance = thinking(config).map_or(DEFAULT_ALLOWANCE, Thinking::allowance);
    max_output_tokens(seconds, allowance, MAX_OUTPUT_TOKENS)
}

fn line(item: &BatchItem, config: &ModelConfig) -> Value {
    let thinking = thinking(config);
    let limit = output_limit(config, item.duration_seconds);
    let mut generation = json!({ "max_output_tokens": limit });
    if let Some(asked) = config.temperature {
        generation["temperature"] = json!(temperature(asked));
    }
    match thinking {
        Some(Thinking::Budget(budget)) => {
            generation["thinking_config"] = json!({"thinking_budget": budget});
        }
        Some(Thinking::Level { level, .. }) => {
            generation["thinking_config"] = json!({"thinking_level": level});
        }
        // A setting of another generation is an error: none.
        None => {}
    }
    let template = config.prompt.as_deref().unwrap_or(prompt::DEFAULT_PROMPT);
    json!({
        "key": item.key,
        "request": {
            "contents": [{
                "role": "user",
                "parts": [
                    {"text": prompt::render(template, &item.language)},
                    {"file_data": {
                        "file_uri": item.audio.uri,
                        "mime_type": item.audio.mime_type,
                    }},
                ],
            }],
            "generation_config": generation,
            "safety_settings": CATEGORIES.map(|category| {
                json!({"category": category, "threshold": "OFF"})
            }),
        },
    })
}

/// A number JSON can hold, in the range Google takes.
fn temperature(asked: f64) -> f64 {
    if asked.is_finite() {
        asked.clamp(0.0, 2.0)
    } else {
        0.0
    }
}

/// Bound of an answer: by the length of the audio, and room for reasoning,
/// which counts against it.
fn max_output_tokens(seconds: f64, allowance: u32, limit: u32) -> u32 {
    let seconds = if seconds.is_finite() {
        seconds.max(0.0)
    } else {
        0.0
    };
    let speech = (MIN_TOKENS + seconds * MAX_TOKENS_PER_SECOND).ceil();
    let speech = speech.min(f64::from(limit)) as u32;
    speech.saturating_add(allowance).min(limit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::gemini::DEFAULT_PROMPT;
    use time::macros::datetime;

    fn item(key: &str, language: &str, seconds: f64) -> BatchItem {
        BatchItem {
            key: key.to_owned(),
            audio: StagedInput {
                name: "files/a".to_owned(),
                uri: "https://generativelanguage.googleapis.com/v1beta/files/a".to_owned(),
                mime_type: "audio/wav".to_owned(),
                expires_at: datetime!(2026-11-25 00:00 UTC),
            },
            language: language.to_owned(),
            duration_seconds: seconds,
        }
    }

    fn config(model: &str) -> ModelConfig {
        ModelConfig {
            model: model.to_owned(),
            prompt: Some(DEFAULT_PROMPT.to_owned()),
            temperature: Some(0.0),
            prompt_version: Some("v".to_owned()),
            endpoint: None,
        }
    }

    fn lines(document: &[u8]) -> Vec<Value> {
        let text = std::str::from_utf8(document).unwrap();
        assert!(text.ends_with('\n'));
        text.lines()
            .map(|l| serde_json::from_str(l).unwrap())
            .collect()
    }

    #[test]
    fn a_line_is_exactly_this() {
        let items = [item("smp_1", "ta-IN", 10.0)];
        let mut short = config("gemini-2.5-flash");
        short.prompt = Some("In {language}, {script}:\n\"go\"".to_owned());
        let document = document(&items, &short).unwrap();
        let safety =
            |c: &str| json!({"category": format!("HARM_CATEGORY_{c}"), "threshold": "OFF"});
        assert_eq!(
            lines(&document),
            [json!({
                "key": "smp_1",
                "request": {
                    "contents": [{"role": "user", "parts": [
                        {"text": "In Tamil, Tamil:\n\"go\""},
                        {"file_data": {
                            "file_uri": "https://generativelanguage.googleapis.com/v1beta/files/a",
                            "mime_type": "audio/wav",
                        }},
                    ]}],
                    "generation_config": {
                        "temperature": 0.0,
                        "max_output_tokens": 576,
                        "thinking_config": {"thinking_budget": 0},
                    },
                    "safety_settings": [
                        safety("HARASSMENT"), safety("HATE_SPEECH"),
                        safety("SEXUALLY_EXPLICIT"), safety("DANGEROUS_CONTENT"),
                    ],
                },
            })]
        );
    }

    #[test]
    fn reasoning_by_generation() {
        let of = |model: &str| {
            let lines = lines(&document(&[item("a", "hi", 1.0)], &config(model)).unwrap());
            lines[0]["request"]["generation_config"].clone()
        };
        assert_eq!(
            of("gemini-2.5-pro")["thinking_config"],
            json!({"thinking_budget": 128})
        );
        assert_eq!(of("gemini-2.5-pro")["max_output_tokens"], 256 + 32 + 128);
        assert_eq!(
            of("gemini-3.8-flash")["thinking_config"],
            json!({"thinking_level": "LOW"})
        );
        assert_eq!(of("gemini-3.8-flash")["max_output_tokens"], 256 + 32 + 4096);
        assert_eq!(of("gemini-9-new").get("thinking_config"), None);
    }

    #[test]
    fn documents_that_would_mix_up_results_are_refused() {
        let config = config("gemini-2.5-flash");
        let twice = [item("a", "hi", 1.0), item("a", "hi", 1.0)];
        assert!(document(&twice, &config).is_err());
        assert!(document(&[item("", "hi", 1.0)], &config).is_err());
        assert!(document(&[], &config).is_err());
        let many: Vec<_> = (0..100)
            .map(|i| item(&format!("k{i}"), "hi", 5.0))
            .collect();
        assert_eq!(lines(&document(&many, &config).unwrap()).len(), 100);
    }

    #[test]
    fn bounds_hold_for_any_number() {
        for seconds in [f64::NAN, f64::INFINITY, -5.0, 0.0] {
            assert_eq!(max_output_tokens(seconds, 0, 65_536), 256);
        }
        assert_eq!(max_output_tokens(1e300, 4096, 65_536), 65_536);
        assert_eq!(temperature(f64::NAN), 0.0);
        assert_eq!(temperature(9.0), 2.0);
    }
}
