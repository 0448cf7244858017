//! Result lines: of which item each is, and what became of it.
//!
//! Shapes: `PROTOCOL.md` §2.5 and §3.3. A line is hostile until read: any
//! bytes give an [`OutputLine`], nothing panics, and no text of the line
//! leaves except the transcript and the version of the model.

use serde_json::Value;

use super::super::{ItemOutcome, OutputLine, Usage};
use super::prompt;
use super::wire::as_u64;
use crate::domain::failure::{FailureCode, gemini};
use crate::domain::word_times::WordTimes;

/// Longest line that is read.
pub const MAX_LINE: usize = 16 * 1024 * 1024;

/// Longest key and version taken over.
const MAX_NAME: usize = 256;

/// Reads one line.
pub fn parse_line(line: &[u8]) -> OutputLine {
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
    let line = line.trim_ascii();
    if line.is_empty() {
        return OutputLine::Blank;
    }
    if line.len() > MAX_LINE {
        return malformed(format!("a line of {} bytes", line.len()));
    }
    let value: Value = match serde_json::from_slice(line) {
        Ok(value) => value,
        // The position only: the text of the error can quote the line.
        Err(e) => {
            let (kind, at) = (e.classify(), e.column());
            return malformed(format!(
                "not JSON ({kind:?} at byte {at} of {})",
                line.len()
            ));
        }
    };
    let Some(object) = value.as_object() else {
        return malformed("not a JSON object".to_owned());
    };
    // Files have it beside the answer, inline results in `metadata`.
    let inner = object.get("metadata").and_then(|m| m.get("key"));
    let mut keys = [object.get("key"), inner].into_iter().flatten();
    let key = keys.find_map(|k| k.as_str().filter(|k| (1..=MAX_NAME).contains(&k.len())));
    let Some(key) = key else {
        return malformed("no usable key".to_owned());
    };
    OutputLine::Item {
        key: key.to_owned(),
        outcome: outcome(&value),
    }
}

fn malformed(reason: String) -> OutputLine {
    OutputLine::Malformed { reason }
}

/// What became of an item, from the whole line.
fn outcome(line: &Value) -> ItemOutcome {
    let response = line.get("response").filter(|r| !r.is_null());
    // Google's pages speak of a status object, its own code reads `error`.
    let error = [line.get("error"), line.get("status")]
        .into_iter()
        .flatten()
        .find_map(|e| error_fault(e, response.is_some()));
    let Some(response) = response else {
        return ItemOutcome::failed(
            error.unwrap_or(FailureCode::ProviderMalformed),
            Usage::default(),
            None,
        );
    };
    let usage = usage(member(response, "usageMetadata", "usage_metadata"));
    let version = member(response, "modelVersion", "model_version")
        .and_then(Value::as_str)
        .filter(|v| !v.is_empty() && v.len() <= MAX_NAME && !v.contains(char::is_control))
        .map(str::to_owned);
    let read = match error {
        Some(fault) => Err(fault),
        None if response.is_object() => transcript(response),
        None => Err(FailureCode::ProviderMalformed),
    };
    match read {
        Ok(text) => ItemOutcome::Transcribed {
            text,
            word_times: WordTimes::default(),
            model_version: version,
            usage,
        },
        Err(FailureCode::MaxTokens) => stopped(usage, version),
        Err(fault) => ItemOutcome::failed(fault, usage, version),
    }
}

/// An answer that was stopped at its bound. Reasoning counts against it; where that
/// took most of the room it is not the transcript that was too long, and another
/// try may reason less.
fn stopped(usage: Usage, version: Option<String>) -> ItemOutcome {
    let (thought, wrote) = (usage.thinking_tokens, usage.output_tokens);
    if thought == 0 {
        return ItemOutcome::failed(FailureCode::MaxTokens, usage, version);
    }
    let all = thought.saturating_add(wrote);
    let told = if thought > wrote {
        "The model's reasoning took the room for its answer"
    } else {
        "The model wrote more than this length of audio can hold and was stopped"
    };
    ItemOutcome::Failed {
        code: FailureCode::MaxTokens.into(),
        message: format!("{told}: {thought} of its {all} tokens were reasoning."),
        retryable: thought > wrote,
        usage,
        model_version: version,
    }
}

/// The text of a `GenerateContentResponse`, or why there is none.
fn transcript(response: &Value) -> Result<String, FailureCode> {
    let candidates = response.get("candidates").filter(|c| !c.is_null());
    let candidate = match candidates {
        None => None,
        Some(Value::Array(list)) => list.first(),
        Some(_) => return Err(FailureCode::ProviderMalformed),
    };
    let Some(candidate) = candidate else {
        return Err(blocked(response).unwrap_or(FailureCode::EmptyOutput));
    };
    if !candidate.is_object() {
        return Err(FailureCode::ProviderMalformed);
    }
    let reason = member(candidate, "finishReason", "finish_reason");
    match reason.map(Value::as_str) {
        Some(Some(reason)) => {
            if let Some(failure) = gemini::of_finish(reason) {
                return Err(failure);
            }
        }
        Some(None) => return Err(FailureCode::ProviderMalformed),
        // Absent is the default value of the enumeration, which is not STOP.
        None => return Err(blocked(response).unwrap_or(FailureCode::IncompleteOutput)),
    }
    let text = text(candidate)?;
    let text = text.trim();
    if text.is_empty() {
        Err(blocked(response).unwrap_or(FailureCode::EmptyOutput))
    } else if prompt::is_no_speech(text) {
        Ok(String::new())
    } else {
        Ok(text.to_owned())
    }
}

/// The text parts joined, without the model's thoughts.
fn text(candidate: &Value) -> Result<String, FailureCode> {
    let parts = candidate.get("content").and_then(|c| c.get("parts"));
    let parts = match parts {
        None | Some(Value::Null) => return Ok(String::new()),
        Some(Value::Array(parts)) => parts,
        Some(_) => return Err(FailureCode::ProviderMalformed),
    };
    let mut out = String::new();
    for part in parts {
        let is_thought = part.get("thought").and_then(Value::as_bool) == Some(true);
        match part.get("text") {
            Some(Value::String(text)) if !is_thought => out.push_str(text),
            // Thoughts, and parts with just a signature.
            None | Some(Value::Null | Value::String(_)) => {}
            Some(_) => return Err(FailureCode::ProviderMalformed),
        }
    }
    Ok(out)
}

/// Why the prompt itself was blocked.
fn blocked(response: &Value) -> Option<FailureCode> {
    let feedback = member(response, "promptFeedback", "prompt_feedback")?;
    let reason = member(feedback, "blockReason", "block_reason")?;
    Some(gemini::of_block(reason.as_str().unwrap_or_default()))
}

/// The fault that an `error` or `status` member tells, if it tells one. With a
/// response beside it, an empty one or one of code 0 tells nothing.
fn error_fault(error: &Value, has_response: bool) -> Option<FailureCode> {
    let code = match error {
        Value::Null => return None,
        Value::String(text) if text.is_empty() || has_response => return None,
        Value::Object(members) => match members.get("code") {
            Some(code) => as_u64(code),
            None if has_response && members.get("message").is_none() => return None,
            None => None,
        },
        _ => None,
    };
    Some(match code {
        Some(0) => return None,
        // `google.rpc.Code`, or the HTTP status of the same.
        Some(1 | 499) => FailureCode::ProviderCancelled,
        Some(3 | 9 | 11 | 12 | 400 | 501) => FailureCode::ProviderRejected,
        // How the absence of a file is answered: it lives 48 hours.
        Some(5 | 7 | 403 | 404) => FailureCode::InputUnavailable,
        Some(8 | 429) => FailureCode::ProviderQuota,
        Some(16 | 401) => FailureCode::ProviderUnauthorized,
        _ => FailureCode::ProviderError,
    })
}

/// Usage of an item. Prompt tokens that are not told apart are counted as
/// audio, which is nearly all of them and never the cheaper.
fn usage(metadata: Option<&Value>) -> Usage {
    let Some(metadata) = metadata else {
        return Usage::default();
    };
    let count = |camel, snake| member(metadata, camel, snake).and_then(as_u64);
    let details = member(metadata, "promptTokensDetails", "prompt_tokens_details");
    let details = details.and_then(Value::as_array);
    let (mut audio, mut other) = (0_u64, 0_u64);
    for detail in details.into_iter().flatten() {
        let tokens = member(detail, "tokenCount", "token_count").and_then(as_u64);
        let kind = detail.get("modality").and_then(Value::as_str);
        let sum = if kind == Some("AUDIO") {
            &mut audio
        } else {
            &mut other
        };
        *sum = sum.saturating_add(tokens.unwrap_or(0));
    }
    let (audio, text) = match count("promptTokenCount", "prompt_token_count") {
        Some(prompt) if audio == 0 && other == 0 => (prompt, 0),
        Some(prompt) => (audio, prompt.saturating_sub(audio).max(other)),
        None => (audio, other),
    };
    Usage {
        audio_input_tokens: audio,
        text_input_tokens: text,
        output_tokens: count("candidatesTokenCount", "candidates_token_count").unwrap_or(0),
        thinking_tokens: count("thoughtsTokenCount", "thoughts_token_count").unwrap_or(0),
        cached_input_tokens: count("cachedContentTokenCount", "cached_content_token_count")
            .unwrap_or(0),
        ..Usage::default()
    }
}

/// A member under either of its names; `null` counts as absent.
fn member<'v>(value: &'v Value, camel: &str, snake: &str) -> Option<&'v Value> {
    let found = value.get(camel).or_else(|| value.get(snake));
    found.filter(|v| !v.is_null())
}

#[cfg(test)]
#[path = "output_tests.rs"]
mod tests;
