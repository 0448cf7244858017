//! What a request with audio asks for.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::clock::sha256_hex;
use crate::wire::RpcStatus;

const INVALID: i32 = 3;

/// What one request asks, reduced to what the answer depends on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Ask {
    pub audio: AudioRef,
    /// Characters of text in the prompt, for the token count.
    pub text_chars: u64,
}

/// Where a request has its audio: in a File, by its URI, or in itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum AudioRef {
    File(String),
    Inline(Audio),
}

/// Audio that was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Audio {
    pub sha256: String,
    pub size: u64,
    pub mime_type: String,
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
pub(crate) fn file_id(uri: &str) -> Result<&str, RpcStatus> {
    let is_url = uri.starts_with("https://") || uri.starts_with("http://");
    match uri.rsplit_once("/files/") {
        Some((_, id)) if is_url && !id.is_empty() && !id.contains('/') => Ok(id),
        _ => Err(RpcStatus::new(
            INVALID,
            format!("Cannot fetch content from the provided URL: {uri} is not the uri of a File."),
        )),
    }
}
