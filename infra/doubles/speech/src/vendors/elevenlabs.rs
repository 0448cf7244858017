//! `ElevenLabs` Scribe.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Multipart, State};
use axum::response::Response;
use axum::routing::{get, post};
use http::HeaderMap;
use serde_json::{Value, json};

use super::form::Form;
use super::header;
use crate::refusal::json as answer;
use crate::sim::Sim;
use crate::words::words;

const MODELS: &[&str] = &["scribe_v1", "scribe_v2"];

/// Every part that the service knows, as its own client has them; another one is 422.
const PARTS: &[&str] = &[
    "model_id",
    "language_code",
    "secondary_language_codes",
    "numbers_format",
    "transcript_edit",
    "tag_audio_events",
    "num_speakers",
    "timestamps_granularity",
    "diarize",
    "diarization_threshold",
    "additional_formats",
    "file_format",
    "cloud_storage_url",
    "source_url",
    "webhook",
    "webhook_id",
    "temperature",
    "seed",
    "use_multi_channel",
    "multichannel_output_style",
    "webhook_metadata",
    "entity_detection",
    "no_verbatim",
    "use_speaker_library",
    "detect_speaker_roles",
    "entity_redaction",
    "entity_redaction_mode",
    "keyterms",
];

pub(super) fn router() -> Router<Arc<Sim>> {
    Router::new()
        .route("/elevenlabs/v1/speech-to-text", post(transcribe))
        .route("/elevenlabs/v1/models", get(models))
}

fn refuse(status: u16, kind: &str, message: &str) -> Response {
    answer(
        status,
        &json!({ "detail": { "status": kind, "message": message } }),
    )
}

fn account(headers: &HeaderMap) -> Option<String> {
    let key = header(headers, "xi-api-key")?;
    (!key.is_empty() && key != "wrong-key").then(|| key.to_owned())
}

fn wrong_key() -> Response {
    refuse(401, "invalid_api_key", "Invalid API key")
}

async fn models(headers: HeaderMap) -> Response {
    match account(&headers) {
        Some(_) => answer(200, &json!([])),
        None => wrong_key(),
    }
}

fn problem(form: &Form) -> Option<Response> {
    let field = |name: &str, message: &str| {
        let detail = json!([{ "loc": ["body", name], "msg": message, "type": "value_error" }]);
        Some(answer(422, &json!({ "detail": detail })))
    };
    let get = |name: &str| form.fields.get(name).map(String::as_str);
    if let Some(unknown) = form.fields.keys().find(|name| !PARTS.contains(&&***name)) {
        return field(unknown, "Extra inputs are not permitted");
    }
    match get("model_id") {
        None => return field("model_id", "Field required"),
        Some(model) if !MODELS.contains(&model) => {
            return Some(refuse(400, "invalid_model_id", "no such model"));
        }
        Some(_) => {}
    }
    let language = get("language_code").unwrap_or("en");
    if !(2..=3).contains(&language.len()) || !language.bytes().all(|b| b.is_ascii_lowercase()) {
        return Some(refuse(
            400,
            "unsupported_language",
            "Language is not supported",
        ));
    }
    if get("timestamps_granularity").is_some_and(|g| !["none", "word", "character"].contains(&g)) {
        return field("timestamps_granularity", "none, word or character");
    }
    match get("temperature").map(str::parse::<f64>) {
        Some(Ok(t)) if !(0.0..=2.0).contains(&t) => field("temperature", "from 0 to 2"),
        Some(Err(_)) => field("temperature", "not a number"),
        Some(Ok(_)) | None => None,
    }
}

async fn transcribe(State(sim): State<Arc<Sim>>, headers: HeaderMap, form: Multipart) -> Response {
    let Some(account) = account(&headers) else {
        return wrong_key();
    };
    let form = match Form::read(form).await {
        Ok(form) => form,
        Err(message) => return refuse(400, "invalid_request", &message),
    };
    if let Some(refusal) = problem(&form) {
        return refusal;
    }
    let Some(file) = &form.file else {
        return refuse(400, "invalid_request", "Either file or a URL must be given");
    };
    // On unless it is switched off, as the service has it.
    let tags = form
        .fields
        .get("tag_audio_events")
        .is_none_or(|value| value != "false");
    let granularity = form.fields.get("timestamps_granularity");
    let is_timed = granularity.is_none_or(|value| value != "none");
    let model = form.fields.get("model_id").cloned().unwrap_or_default();
    sim.work(("elevenlabs", &account, &model), &file.audio, |text| {
        let text = if tags { format!("{text} (laughter)") } else { text };
        let words = words(&text, file.audio.seconds).into_iter();
        let words = words.enumerate().flat_map(|(index, word)| {
            let spacing = json!({ "text": " ", "start": word.start, "end": word.start,
                "type": "spacing", "logprob": 0.0 });
            let said = json!({ "text": word.text, "start": word.start, "end": word.end,
                "type": "word", "logprob": -0.1 });
            [(index > 0).then_some(spacing), Some(said)]
        });
        let words: Vec<Value> = words.flatten().filter(|_| is_timed).collect();
        answer(
            200,
            &json!({ "language_code": "eng", "language_probability": 0.98, "text": text, "words": words,
                "transcription_id": "t1", "audio_duration_secs": file.audio.seconds }),
        )
    })
    .await
}
