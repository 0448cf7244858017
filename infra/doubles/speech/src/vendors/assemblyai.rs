//! `AssemblyAI`'s transcripts.
//!
//! A transcript goes from `queued` to `processing` and its end, one step each time it is
//! asked for.

use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Path, Query, State};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use bytes::Bytes;
use http::HeaderMap;
use serde::Deserialize;
use serde_json::{Value, json};

use super::header;
use crate::audio::Audio;
use crate::refusal::{after, before, json as answer};
use crate::sim::Sim;
use crate::words::words;

const VENDOR: &str = "assemblyai";
const MODELS: &[&str] = &["universal-2", "universal-3-5-pro"];
const LANGUAGES: &[&str] = &[
    "as", "bn", "en", "en_us", "gu", "hi", "kn", "ml", "mr", "ne", "pa", "sa", "sd", "ta", "te",
    "ur",
];
/// Every field of a request that is known here; another one is 400.
const FIELDS: &[&str] = &[
    "audio_url",
    "speech_models",
    "language_code",
    "punctuate",
    "format_text",
    "disfluencies",
    "filter_profanity",
    "multichannel",
    "language_detection",
    "keyterms_prompt",
    "webhook_url",
];
/// What formatting makes of spoken numbers.
const DIGITS: &[(&str, &str)] = &[("one", "1"), ("two", "2"), ("three", "3"), ("four", "4")];
/// Fillers, which are left out unless they are asked for.
const FILLERS: &[&str] = &["um ", "uh "];
/// Longest page of the list.
const PAGE: usize = 200;

/// Uploads and transcripts, in order of their making.
#[derive(Debug, Default)]
pub(super) struct Jobs(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    uploads: Vec<Upload>,
    transcripts: Vec<Transcript>,
}

#[derive(Debug)]
struct Upload {
    account: String,
    audio: Audio,
}

#[derive(Debug, Clone)]
struct Transcript {
    account: String,
    id: String,
    request: Value,
    audio: Audio,
    text: String,
    asked: u32,
    /// Why it fails, if it does.
    error: Option<String>,
    deleted: bool,
}

impl Transcript {
    fn status(&self) -> &'static str {
        match self.asked {
            0 => "queued",
            1 => "processing",
            _ if self.error.is_some() => "error",
            _ => "completed",
        }
    }

    fn audio_url(&self) -> Value {
        match self.deleted {
            true => json!("http://deleted_by_user"),
            false => self.request["audio_url"].clone(),
        }
    }

    fn told(&self) -> Value {
        let status = self.status();
        let is_done = status == "completed";
        let text = match self.deleted {
            true => "Deleted by user.",
            false => &*self.text,
        };
        let ms = |seconds: f64| (seconds * 1_000.0).round() as u64;
        let words = words(text, self.audio.seconds).into_iter().map(|word| {
            json!({ "text": word.text, "start": ms(word.start), "end": ms(word.end),
                "confidence": 0.9, "speaker": null })
        });
        let words: Vec<Value> = words.collect();
        json!({ "id": self.id, "status": status, "audio_url": self.audio_url(),
            "language_code": self.request["language_code"],
            "text": is_done.then_some(text), "words": is_done.then_some(words),
            "audio_duration": is_done.then(|| self.audio.seconds.ceil() as u64),
            "speech_model_used": is_done.then(|| self.request["speech_models"][0].clone()),
            "error": self.error })
    }

    fn listed(&self) -> Value {
        let url = format!("https://api.assemblyai.com/v2/transcript/{}", self.id);
        json!({ "id": self.id, "resource_url": url, "status": self.status(),
            "created": "2099-01-01T00:00:00.000000", "completed": null,
            "audio_url": self.audio_url(), "error": self.error })
    }
}

impl Jobs {
    fn with<T>(&self, use_it: impl FnOnce(&mut Kept) -> T) -> T {
        use_it(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

pub(super) fn router() -> Router<Arc<Sim>> {
    Router::new()
        .route("/assemblyai/v2/upload", post(upload))
        .route("/assemblyai/v2/transcript", post(create).get(list))
        .route("/assemblyai/v2/transcript/{id}", get(read).delete(delete))
        .layer(Extension(Arc::<Jobs>::default()))
}

fn refuse(status: u16, message: &str) -> Response {
    answer(status, &json!({ "error": message }))
}

/// The key of a request; an error is its refusal.
fn account(headers: &HeaderMap) -> Result<String, Box<Response>> {
    let key = header(headers, "authorization").filter(|key| {
        // The bare key: with "Bearer" it is another one, which none has.
        !key.is_empty() && *key != "wrong-key" && !key.starts_with("Bearer ")
    });
    key.map(str::to_owned).ok_or_else(|| {
        let message = "Authentication error, API token missing/invalid";
        Box::new(refuse(401, message))
    })
}

fn upload_url(sim: &Sim, number: usize) -> String {
    format!("{}/assemblyai/upload/{number}", sim.url())
}

async fn upload(
    State(sim): State<Arc<Sim>>,
    Extension(jobs): Extension<Arc<Jobs>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    sim.free((VENDOR, "upload"), account(&headers), |account| {
        let number = jobs.with(|kept| {
            kept.uploads.push(Upload {
                account: account.to_owned(),
                audio: Audio::of(&body),
            });
            kept.uploads.len() - 1
        });
        answer(200, &json!({ "upload_url": upload_url(&sim, number) }))
    })
    .await
}

fn problem(body: &Value) -> Option<String> {
    let Some(fields) = body.as_object() else {
        return Some("Invalid body".to_owned());
    };
    if let Some(odd) = fields.keys().find(|name| !FIELDS.contains(&&***name)) {
        return Some(format!("Invalid endpoint schema: {odd}"));
    }
    let models = body["speech_models"].as_array();
    let is_known = |model: &Value| model.as_str().is_some_and(|m| MODELS.contains(&m));
    if !models.is_some_and(|models| !models.is_empty() && models.iter().all(is_known)) {
        return Some("speech_models must name at least one model".to_owned());
    }
    let language = body["language_code"].as_str().unwrap_or("en_us");
    (!LANGUAGES.contains(&language)).then(|| "language_code is not supported".to_owned())
}

/// What is heard, as the settings have it; the defaults change it.
fn written(text: String, body: &Value) -> String {
    let on = |name: &str, default| body[name].as_bool().unwrap_or(default);
    let mut text = text;
    if on("format_text", true) {
        for (word, digit) in DIGITS {
            text = text.replace(word, digit);
        }
    }
    if !on("disfluencies", false) {
        for filler in FILLERS {
            text = text.replace(filler, "");
        }
    }
    text
}

/// The request that costs money.
async fn create(
    State(sim): State<Arc<Sim>>,
    Extension(jobs): Extension<Arc<Jobs>>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    let account = match account(&headers) {
        Ok(account) => account,
        Err(refusal) => return *refusal,
    };
    if let Some(problem) = problem(&body) {
        return refuse(400, &problem);
    }
    let url = body["audio_url"].as_str().unwrap_or_default();
    let audio = jobs.with(|kept| {
        let mut uploads = kept.uploads.iter().enumerate();
        let (_, upload) = uploads.find(|(number, _)| upload_url(&sim, *number) == url)?;
        // Private to the account.
        (upload.account == account).then(|| upload.audio.clone())
    });
    let Some(audio) = audio else {
        return refuse(400, "audio_url is not reachable");
    };
    let fault = sim.faults.next(VENDOR);
    if let Some(response) = before(fault.as_ref()) {
        return response;
    }
    let model = body["speech_models"][0].as_str().unwrap_or_default();
    let error = sim.faults.next("assemblyai/file").and_then(|f| f.body());
    // What fails is not billed.
    if error.is_none() {
        sim.charge(VENDOR, &account, model, &audio);
    }
    let text = written(sim.recordings.hear(&audio), &body);
    let told = jobs.with(|kept| {
        let made = Transcript {
            id: format!("00000000-0000-4000-8000-{:012}", kept.transcripts.len() + 1),
            account,
            request: body,
            audio,
            text,
            asked: 0,
            error,
            deleted: false,
        };
        let told = made.told();
        kept.transcripts.push(made);
        told
    });
    after(fault).await.unwrap_or_else(|| answer(200, &told))
}

async fn read(
    State(sim): State<Arc<Sim>>,
    Extension(jobs): Extension<Arc<Jobs>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    sim.free((VENDOR, "get"), account(&headers), |account| {
        let told = jobs.with(|kept| {
            let mut all = kept.transcripts.iter_mut();
            let found = all.find(|one| one.id == id && one.account == account)?;
            let told = found.told();
            found.asked += 1;
            Some(told)
        });
        told.map_or_else(
            || refuse(404, "Transcript lookup error, transcript id not found"),
            |told| answer(200, &told),
        )
    })
    .await
}

async fn delete(
    State(sim): State<Arc<Sim>>,
    Extension(jobs): Extension<Arc<Jobs>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    sim.free((VENDOR, "delete"), account(&headers), |account| {
        let told = jobs.with(|kept| {
            let mut all = kept.transcripts.iter_mut();
            let found = all.find(|one| one.id == id && one.account == account)?;
            found.deleted = true;
            Some(found.told())
        });
        told.map_or_else(
            || refuse(404, "Transcript lookup error, transcript id not found"),
            |told| answer(200, &told),
        )
    })
    .await
}

#[derive(Deserialize)]
struct Asked {
    limit: Option<usize>,
    before_id: Option<String>,
}

async fn list(
    State(sim): State<Arc<Sim>>,
    Extension(jobs): Extension<Arc<Jobs>>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Response {
    sim.free((VENDOR, "list"), account(&headers), |account| {
        let limit = asked.limit.unwrap_or(10);
        if !(1..=PAGE).contains(&limit) {
            return refuse(400, "limit is from 1 to 200");
        }
        let page: Vec<Value> = jobs.with(|kept| {
            let own = kept.transcripts.iter().rev();
            let own = own.filter(|one| one.account == account);
            let before = asked.before_id.as_deref();
            let from = own.skip_while(|one| before.is_some_and(|id| one.id != id));
            let from = from.skip(usize::from(before.is_some()));
            from.take(limit).map(Transcript::listed).collect()
        });
        let details = json!({ "limit": limit, "result_count": page.len(),
            "current_url": "https://api.assemblyai.com/v2/transcript",
            "prev_url": null, "next_url": null });
        answer(
            200,
            &json!({ "page_details": details, "transcripts": page }),
        )
    })
    .await
}
