//! From a request with audio to a `GenerateContentResponse`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::clock::{sha256_hex, unique_id};
use crate::files::FileState;
use crate::recordings::{Recording, Recordings};
use crate::store::{Owner, State};
use crate::wire::{RpcStatus, no_file_message};

const INVALID: i32 = 3;
const NOT_FOUND: i32 = 5;
const PERMISSION: i32 = 7;
const PRECONDITION: i32 = 9;

/// What one request asks, reduced to what the answer depends on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Ask {
    audio: AudioRef,
    /// Characters of text in the prompt, for the token count.
    text_chars: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum AudioRef {
    File(String),
    Inline(Audio),
}

/// Audio that was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Audio {
    sha256: String,
    size: u64,
    mime_type: String,
}

/// Reads a request whose names are normalised; an error fails this item only.
pub(crate) fn ask(model: &str, request: &Map<String, Value>) -> Result<Ask, RpcStatus> {
    check_config(model, request)?;
    let empty = Vec::new();
    let contents = match request.get("contents") {
        Some(Value::Array(contents)) => contents,
        _ => &empty,
    };
    if contents.len() > 1 && contents.iter().any(|c| c.get("role").is_none()) {
        return Err(RpcStatus::new(
            INVALID,
            "Request contains an invalid argument: incorrect format (several contents, one without role).",
        ));
    }
    let mut audio = Vec::new();
    let mut text_chars = 0;
    let instruction = request.get("systemInstruction");
    for content in contents.iter().chain(instruction) {
        let Some(Value::Array(parts)) = content.get("parts") else {
            continue;
        };
        for part in parts {
            if let Some(text) = part.get("text").and_then(Value::as_str) {
                text_chars += text.chars().count() as u64;
            }
            if let Some(data) = part.get("fileData") {
                audio.push(AudioRef::File(string(data, "fileUri")?));
            }
            if let Some(data) = part.get("inlineData") {
                audio.push(AudioRef::Inline(inline(data)?));
            }
        }
    }
    let mut audio = audio.into_iter();
    match (audio.next(), audio.next()) {
        (Some(audio), None) => Ok(Ask { audio, text_chars }),
        (None, _) => Err(RpcStatus::new(
            INVALID,
            "gemini-sim answers audio only, and this request has no audio part.",
        )),
        (Some(_), Some(_)) => Err(RpcStatus::new(
            INVALID,
            "gemini-sim answers exactly one audio part a request.",
        )),
    }
}

fn check_config(model: &str, request: &Map<String, Value>) -> Result<(), RpcStatus> {
    let Some(config) = request.get("generationConfig") else {
        return Ok(());
    };
    let level = config
        .pointer("/thinkingConfig/thinkingLevel")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if model == "gemini-3.7-flash" && level.eq_ignore_ascii_case("minimal") {
        let message = format!("Thinking level MINIMAL is not supported for models/{model}.");
        return Err(RpcStatus::new(INVALID, message));
    }
    match config.get("maxOutputTokens").map(Value::as_u64) {
        None | Some(Some(1..=65_536)) => Ok(()),
        Some(_) => Err(RpcStatus::new(
            INVALID,
            "max_output_tokens must be from 1 to 65536.",
        )),
    }
}

fn string(data: &Value, name: &str) -> Result<String, RpcStatus> {
    match data.get(name).and_then(Value::as_str) {
        Some(text) if !text.is_empty() => Ok(text.to_owned()),
        _ => Err(RpcStatus::new(
            INVALID,
            format!("{name} must be a non-empty string."),
        )),
    }
}

fn inline(data: &Value) -> Result<Audio, RpcStatus> {
    let mime_type = string(data, "mimeType")?;
    let bytes = STANDARD
        .decode(string(data, "data")?)
        .map_err(|e| RpcStatus::new(INVALID, format!("Base64 decoding failed: {e}")))?;
    Ok(Audio {
        sha256: sha256_hex(&bytes),
        size: bytes.len() as u64,
        mime_type,
    })
}

/// The file id of a full file URI.
fn file_id(uri: &str) -> Result<&str, RpcStatus> {
    let is_url = uri.starts_with("https://") || uri.starts_with("http://");
    match uri.rsplit_once("/files/") {
        Some((_, id)) if is_url && !id.is_empty() && !id.contains('/') => Ok(id),
        _ => Err(RpcStatus::new(
            INVALID,
            format!("Cannot fetch content from the provided URL: {uri} is not the uri of a File."),
        )),
    }
}

/// Finds the audio of a request among the files of its owner.
pub(crate) fn find_audio(
    state: &State,
    owner: &Owner,
    ask: &Ask,
    now: time::OffsetDateTime,
) -> Result<Audio, RpcStatus> {
    let uri = match &ask.audio {
        AudioRef::Inline(audio) => return Ok(audio.clone()),
        AudioRef::File(uri) => uri,
    };
    let id = file_id(uri)?;
    let file = state
        .file(owner, id, now)
        .ok_or_else(|| RpcStatus::new(PERMISSION, no_file_message(id)))?;
    if file.state(now) != FileState::Active {
        return Err(RpcStatus::new(
            PRECONDITION,
            format!("The File {id} is not in an ACTIVE state and usage is not allowed."),
        ));
    }
    Ok(Audio {
        sha256: file.sha256.clone(),
        size: file.size,
        mime_type: file.mime_type.clone(),
    })
}

/// The recording of an audio, or the error that there is none.
pub(crate) fn lookup(
    recordings: &Recordings,
    model: &str,
    audio: &Audio,
) -> Result<Recording, RpcStatus> {
    recordings.get(&audio.sha256, model).ok_or_else(|| {
        RpcStatus::new(
            NOT_FOUND,
            format!(
                "gemini-sim holds no recording of this audio (sha256 {}) for model {model}",
                audio.sha256
            ),
        )
    })
}

/// The token counts of one answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Usage {
    audio: u64,
    text: u64,
    output: u64,
    thoughts: u64,
}

/// 32 tokens a second of audio and one token per four characters of text.
pub(crate) fn usage(ask: &Ask, audio: &Audio, recording: &Recording) -> Usage {
    let seconds = recording.duration_seconds.unwrap_or_else(|| {
        let rate = match audio.mime_type.as_str() {
            "audio/wav" | "audio/x-wav" | "audio/wave" => 32_000.0,
            "audio/flac" | "audio/x-flac" => 16_000.0,
            _ => 8_000.0,
        };
        audio.size as f64 / rate
    });
    Usage {
        audio: ((seconds * 32.0).ceil() as u64).max(1),
        text: ask.text_chars.div_ceil(4),
        output: (recording.text.chars().count() as u64).div_ceil(4),
        thoughts: recording.thoughts_tokens.unwrap_or(0),
    }
}

fn usage_json(usage: Usage) -> Value {
    let prompt = usage.audio + usage.text;
    let mut json = json!({
        "promptTokenCount": prompt,
        "totalTokenCount": prompt + usage.output + usage.thoughts,
        "promptTokensDetails": [{"modality": "AUDIO", "tokenCount": usage.audio}],
        "serviceTier": "SERVICE_TIER_STANDARD",
    });
    if usage.text > 0
        && let Some(details) = json["promptTokensDetails"].as_array_mut()
    {
        details.push(json!({"modality": "TEXT", "tokenCount": usage.text}));
    }
    if usage.output > 0 {
        json["candidatesTokenCount"] = json!(usage.output);
    }
    if usage.thoughts > 0 {
        json["thoughtsTokenCount"] = json!(usage.thoughts);
    }
    json
}

/// Builds the `GenerateContentResponse` of a recording.
pub(crate) fn response(recording: &Recording, version: &str, usage: Usage) -> Value {
    let mut response = json!({
        "modelVersion": version,
        "responseId": unique_id(22),
        "usageMetadata": usage_json(usage),
    });
    if let Some(reason) = &recording.block_reason {
        response["promptFeedback"] = json!({ "blockReason": reason });
        return response;
    }
    let reason = recording.finish_reason.as_deref().unwrap_or("STOP");
    let mut candidate = json!({"finishReason": reason, "index": 0});
    // A blocked candidate has no content at all; silence is an empty text.
    if reason == "STOP" || !recording.text.is_empty() {
        candidate["content"] = json!({"parts": [{"text": recording.text}], "role": "model"});
    }
    response["candidates"] = json!([candidate]);
    response
}
