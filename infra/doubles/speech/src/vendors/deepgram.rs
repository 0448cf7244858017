//! Deepgram's prerecorded transcription.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::{get, post};
use bytes::Bytes;
use http::HeaderMap;
use serde_json::{Value, json};

use super::header;
use crate::audio::Audio;
use crate::refusal::json as answer;
use crate::sim::Sim;
use crate::words::{signs, words};

const LANGUAGES: &[&str] = &[
    "bn", "de", "en", "es", "fr", "gu", "hi", "kn", "mr", "multi", "ne", "pa", "ta", "te", "ur",
];

pub(super) fn router() -> Router<Arc<Sim>> {
    Router::new()
        .route("/deepgram/v1/listen", post(listen))
        .route("/deepgram/v1/projects", get(projects))
}

fn refuse(status: u16, code: &str, message: &str) -> Response {
    answer(
        status,
        &json!({ "err_code": code, "err_msg": message, "request_id": "r1" }),
    )
}

fn account(headers: &HeaderMap) -> Option<String> {
    let value = header(headers, "authorization")?;
    // The service takes both: `Token`, and `Bearer` for short-lived tokens.
    let key = value
        .strip_prefix("Token ")
        .or(value.strip_prefix("token "))?;
    (!key.is_empty() && key != "wrong-key").then(|| key.to_owned())
}

fn wrong_key() -> Response {
    refuse(401, "INVALID_AUTH", "Invalid credentials.")
}

async fn projects(headers: HeaderMap) -> Response {
    match account(&headers) {
        Some(_) => answer(
            200,
            &json!({ "projects": [{ "project_id": "p1", "name": "p" }] }),
        ),
        None => wrong_key(),
    }
}

async fn listen(
    State(sim): State<Arc<Sim>>,
    Query(query): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Some(account) = account(&headers) else {
        return wrong_key();
    };
    let corrupt = || {
        refuse(
            400,
            "Bad Request",
            "failed to process audio: corrupt or unsupported data",
        )
    };
    if body.is_empty() || header(&headers, "content-type").is_some_and(|kind| kind.contains("json"))
    {
        return corrupt();
    }
    if header(&headers, "content-length").is_none() {
        return corrupt();
    }
    // Without them an old model listens for English.
    let model = query.get("model").map_or("base", String::as_str);
    let language = query.get("language").map_or("en", String::as_str);
    if model == "nova-3" && !LANGUAGES.contains(&language) {
        return refuse(
            400,
            "Bad Request",
            "No such model/language/tier combination found.",
        );
    }
    let smart = query
        .get("smart_format")
        .is_some_and(|value| value == "true");
    let audio = Audio::of(&body);
    sim.work(("deepgram", &account, model), &audio, |text| {
        let text = match (model, smart) {
            ("nova-3", false) => text,
            _ => format!("{text} $1"),
        };
        let words = words(&text, audio.seconds).into_iter().map(|word| {
            let bare = signs(word.text).0.to_lowercase();
            json!({ "word": bare, "start": word.start, "end": word.end, "confidence": 0.9,
                "punctuated_word": word.text })
        });
        let words: Vec<Value> = words.collect();
        let alternatives = json!([{ "transcript": text, "confidence": 0.9, "words": words }]);
        answer(
            200,
            &json!({ "metadata": { "transaction_key": "deprecated", "request_id": "r1", "sha256": audio.sha256,
                "created": "2026-11-26T00:00:00.000Z", "duration": audio.seconds, "channels": 1,
                "models": ["m1"], "model_info": { "m1": { "name": "general", "version": "1", "arch": model } } },
                "results": { "channels": [{ "alternatives": alternatives }] } }),
        )
    })
    .await
}
