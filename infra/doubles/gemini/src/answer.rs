//! From what is asked to a `GenerateContentResponse`.

use serde_json::{Value, json};

use crate::ask::{Ask, Audio, AudioRef, file_id};
use crate::clock::unique_id;
use crate::file_record::FileState;
use crate::owner::Owner;
use crate::recordings::{Recording, Recordings};
use crate::store::State;
use crate::wire::{RpcStatus, no_file_message};

const NOT_FOUND: i32 = 5;
const PERMISSION: i32 = 7;
const PRECONDITION: i32 = 9;

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
