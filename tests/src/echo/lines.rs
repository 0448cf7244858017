//! Its output: `{"key": …, "text": …}`, a line for each item.

use serde_json::{Value, json};
use stt_eval_shared::domain::failure::FailureCode;
use stt_eval_shared::domain::word_times::WordTimes;
use stt_eval_shared::providers::{ItemOutcome, OutputLine, Usage};

/// The line of an item.
pub(super) fn written(key: &str, text: &str) -> String {
    json!({ "key": key, "text": text }).to_string()
}

/// Reads a line.
pub(super) fn read(line: &[u8]) -> OutputLine {
    if line.trim_ascii().is_empty() {
        return OutputLine::Blank;
    }
    let Ok(value) = serde_json::from_slice::<Value>(line) else {
        return OutputLine::Malformed {
            reason: "not JSON".to_owned(),
        };
    };
    let Some(key) = value["key"].as_str() else {
        return OutputLine::Malformed {
            reason: "no key".to_owned(),
        };
    };
    let outcome = match value["text"].as_str() {
        Some(text) => ItemOutcome::Transcribed {
            text: text.to_owned(),
            word_times: WordTimes::default(),
            model_version: Some("echo-1.0".to_owned()),
            usage: Usage::default(),
        },
        None => ItemOutcome::failed(FailureCode::ProviderMalformed, Usage::default(), None),
    };
    OutputLine::Item {
        key: key.to_owned(),
        outcome,
    }
}
