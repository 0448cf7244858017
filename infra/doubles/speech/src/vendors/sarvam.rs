//! Sarvam's batch transcription.
//!
//! A job goes from `Accepted` by its start to `Pending`, `Running` and its end, one step
//! each time it is asked for. A second start runs and charges it a second time: what the
//! service does is not known, so nothing may rely on better.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{get, post, put};
use axum::{Extension, Json, Router};
use bytes::Bytes;
use http::HeaderMap;
use serde_json::{Value, json};

use super::header;
use crate::audio::Audio;
use crate::refusal::{after, before, json as answer};
use crate::sim::Sim;

const VENDOR: &str = "sarvam";
const FILES: usize = 20;
const MODELS: &[&str] = &["saaras:v3", "saaras:v4"];
const MODES: &[&str] = &["transcribe", "translate", "verbatim", "translit", "codemix"];
const LANGUAGES: &[&str] = &[
    "unknown", "hi-IN", "bn-IN", "kn-IN", "ml-IN", "mr-IN", "od-IN", "pa-IN", "ta-IN", "te-IN",
    "en-IN", "gu-IN", "as-IN", "ur-IN", "ne-IN", "kok-IN", "ks-IN", "sd-IN", "sa-IN", "sat-IN",
    "mni-IN", "brx-IN", "mai-IN", "doi-IN",
];
/// Every parameter of a job, as the service's own client has them.
const PARAMETERS: &[&str] = &[
    "language_code",
    "model",
    "mode",
    "with_timestamps",
    "with_diarization",
    "num_speakers",
    "input_audio_codec",
    "keyterms",
];
/// What the mode `transcribe` writes for spoken numbers.
const DIGITS: &[(&str, &str)] = &[("one", "1"), ("two", "2"), ("three", "3"), ("four", "4")];

/// Its jobs, by id.
#[derive(Debug, Default)]
pub(super) struct Jobs(Mutex<BTreeMap<String, Job>>);

#[derive(Debug, Clone)]
struct Job {
    account: String,
    model: String,
    mode: String,
    language: String,
    files: BTreeMap<String, Option<Audio>>,
    /// How often it was asked for since its start.
    asked: Option<u32>,
    /// Files that fail, and how.
    failed: BTreeMap<String, String>,
}

impl Job {
    fn state(&self) -> &'static str {
        match self.asked {
            None => "Accepted",
            Some(0) => "Pending",
            Some(1) => "Running",
            Some(_) if self.failed.is_empty() => "Completed",
            Some(_) if self.failed.len() == self.files.len() => "Failed",
            // Not in the list of the service's client.
            Some(_) => "PartiallyCompleted",
        }
    }

    fn status(&self, id: &str) -> Value {
        let over = self.asked.is_some_and(|asked| asked > 1);
        let details = self.files.keys().enumerate().map(|(number, name)| {
            let input = json!([{ "file_name": name, "file_id": number.to_string() }]);
            match self.failed.get(name) {
                Some(why) => json!({ "inputs": input, "outputs": null, "state": why,
                    "error_message": "the file was not transcribed", "exception_name": "E" }),
                None => json!({ "inputs": input, "state": "Success", "error_message": null,
                    "outputs": [{ "file_name": format!("{number}.json"), "file_id": number.to_string() }] }),
            }
        });
        let details: Option<Vec<Value>> = over.then(|| details.collect());
        json!({ "job_state": self.state(), "created_at": "2026-01-01T00:00:00Z",
            "updated_at": "2026-01-01T00:00:00Z", "job_id": id, "total_files": self.files.len(),
            "successful_files_count": self.files.len() - self.failed.len(),
            "failed_files_count": self.failed.len(), "storage_container_type": "Azure",
            "error_message": null, "job_details": details })
    }
}

impl Jobs {
    fn with<T>(&self, use_it: impl FnOnce(&mut BTreeMap<String, Job>) -> T) -> T {
        use_it(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A job of the account.
    fn of(&self, account: &str, id: &str) -> Option<Job> {
        self.with(|jobs| jobs.get(id).filter(|job| job.account == account).cloned())
    }
}

pub(super) fn router() -> Router<Arc<Sim>> {
    let jobs = "/sarvam/speech-to-text/job/v1";
    Router::new()
        .route(jobs, post(make))
        .route(&format!("{jobs}/upload-files"), post(upload_urls))
        .route(&format!("{jobs}/download-files"), post(download_urls))
        .route(&format!("{jobs}/{{id}}/start"), post(start))
        .route(&format!("{jobs}/{{id}}/status"), get(status))
        .route("/sarvam-blobs/{id}/{name}", put(put_blob).get(get_blob))
        .layer(Extension(Arc::<Jobs>::default()))
}

fn refuse(status: u16, code: &str, message: &str) -> Response {
    answer(
        status,
        &json!({ "error": { "message": message, "code": code, "request_id": "r1" } }),
    )
}

fn unknown() -> Response {
    refuse(404, "not_found_error", "Job not found")
}

fn invalid(message: &str) -> Response {
    refuse(400, "invalid_request_error", message)
}

/// The key of a request; an error is its refusal.
fn account(headers: &HeaderMap) -> Result<String, Box<Response>> {
    let bearer = header(headers, "authorization").and_then(|value| value.strip_prefix("Bearer "));
    let key = header(headers, "api-subscription-key").or(bearer);
    match key.filter(|key| !key.is_empty() && *key != "wrong-key") {
        Some(key) => Ok(key.to_owned()),
        // Not 401.
        None => Err(Box::new(refuse(
            403,
            "invalid_api_key_error",
            "Invalid API key",
        ))),
    }
}

async fn make(
    State(sim): State<Arc<Sim>>,
    Extension(jobs): Extension<Arc<Jobs>>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    sim.free((VENDOR, "make"), account(&headers), |account| {
        let parameters = &body["job_parameters"];
        let Some(given) = parameters.as_object() else {
            return refuse(422, "unprocessable_entity_error", "job_parameters");
        };
        if let Some(odd) = given.keys().find(|name| !PARAMETERS.contains(&&***name)) {
            return invalid(&format!("unknown parameter {odd}"));
        }
        let text =
            |name: &str, default: &str| parameters[name].as_str().unwrap_or(default).to_owned();
        let (model, mode) = (text("model", "saaras:v3"), text("mode", "transcribe"));
        let language = text("language_code", "unknown");
        if !MODELS.contains(&&*model)
            || !MODES.contains(&&*mode)
            || !LANGUAGES.contains(&&*language)
        {
            return invalid("model, mode or language_code");
        }
        let id = jobs.with(|jobs| {
            let id = format!("00000000-0000-4000-8000-{:012}", jobs.len() + 1);
            let job = Job {
                account: account.to_owned(),
                model,
                mode,
                language,
                files: BTreeMap::new(),
                asked: None,
                failed: BTreeMap::new(),
            };
            jobs.insert(id.clone(), job);
            id
        });
        answer(
            202,
            &json!({ "job_id": id, "storage_container_type": "Azure",
                "job_parameters": parameters, "job_state": "Accepted" }),
        )
    })
    .await
}

/// Id of the job and names of the files in the body of a request.
fn files(body: &Value) -> Option<(String, Vec<String>)> {
    let names = body["files"].as_array()?.iter();
    let names: Option<Vec<String>> = names.map(|name| Some(name.as_str()?.to_owned())).collect();
    Some((body["job_id"].as_str()?.to_owned(), names?))
}

fn urls(sim: &Sim, id: &str, names: &[String]) -> Value {
    let url = |name: &String| format!("{}/sarvam-blobs/{id}/{name}?sig=s", sim.url());
    let urls = names
        .iter()
        .map(|name| (name.clone(), json!({ "file_url": url(name) })));
    Value::Object(urls.collect())
}

async fn upload_urls(
    State(sim): State<Arc<Sim>>,
    Extension(jobs): Extension<Arc<Jobs>>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    sim.free((VENDOR, "upload-files"), account(&headers), |account| {
        let Some((id, names)) = files(&body) else {
            return refuse(422, "unprocessable_entity_error", "job_id, files");
        };
        let told = jobs.with(|jobs| {
            let job = jobs.get_mut(&id).filter(|job| job.account == account)?;
            for name in &names {
                // A name that is announced again is the same file.
                job.files.entry(name.clone()).or_default();
            }
            let fits = (1..=FILES).contains(&job.files.len());
            Some(job.asked.is_none() && fits)
        });
        match told {
            None => unknown(),
            Some(false) => invalid("1 to 20 files, before the start"),
            Some(true) => answer(
                200,
                &json!({ "job_id": id, "job_state": "Accepted", "storage_container_type": "Azure",
                    "upload_urls": urls(&sim, &id, &names) }),
            ),
        }
    })
    .await
}

async fn download_urls(
    State(sim): State<Arc<Sim>>,
    Extension(jobs): Extension<Arc<Jobs>>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    sim.free((VENDOR, "download-files"), account(&headers), |account| {
        let Some((id, names)) = files(&body) else {
            return refuse(422, "unprocessable_entity_error", "job_id, files");
        };
        match jobs.of(account, &id) {
            None => unknown(),
            Some(job) => answer(
                200,
                &json!({ "job_id": id, "job_state": job.state(), "storage_container_type": "Azure",
                    "download_urls": urls(&sim, &id, &names) }),
            ),
        }
    })
    .await
}

/// The request that costs money: every file is charged.
async fn start(
    State(sim): State<Arc<Sim>>,
    Extension(jobs): Extension<Arc<Jobs>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let account = match account(&headers) {
        Ok(account) => account,
        Err(refusal) => return *refusal,
    };
    let Some(job) = jobs.of(&account, &id) else {
        return unknown();
    };
    if job.files.is_empty() || job.files.values().any(Option::is_none) {
        return invalid("files were announced and not uploaded");
    }
    let fault = sim.faults.next(VENDOR);
    if let Some(response) = before(fault.as_ref()) {
        return response;
    }
    let mut failed = BTreeMap::new();
    for (name, audio) in &job.files {
        // Whether failed files are billed is not known; none is charged here twice.
        if let Some(Some(trouble)) = sim.faults.next("sarvam/file").map(|f| f.body()) {
            failed.insert(name.clone(), trouble);
        }
        if let Some(audio) = audio {
            sim.charge(VENDOR, &account, &job.model, audio);
        }
    }
    let status = jobs.with(|jobs| {
        let job = jobs.get_mut(&id)?;
        job.asked = Some(0);
        job.failed = failed;
        Some(job.status(&id))
    });
    match (after(fault).await, status) {
        (Some(response), _) => response,
        (None, Some(status)) => answer(200, &status),
        (None, None) => unknown(),
    }
}

async fn status(
    State(sim): State<Arc<Sim>>,
    Extension(jobs): Extension<Arc<Jobs>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    sim.free((VENDOR, "status"), account(&headers), |account| {
        let told = jobs.with(|jobs| {
            let job = jobs.get_mut(&id).filter(|job| job.account == account)?;
            let status = job.status(&id);
            job.asked = job.asked.map(|asked| asked + 1);
            Some(status)
        });
        told.map_or_else(unknown, |status| answer(200, &status))
    })
    .await
}

/// Azure's store: a signed URL is all it asks for, and the key has no business there.
fn is_signed(headers: &HeaderMap, query: Option<&str>) -> bool {
    query == Some("sig=s") && header(headers, "api-subscription-key").is_none()
}

async fn put_blob(
    State(sim): State<Arc<Sim>>,
    Extension(jobs): Extension<Arc<Jobs>>,
    Path((id, name)): Path<(String, String)>,
    uri: http::Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let fault = sim.faults.next("sarvam/put");
    if let Some(response) = before(fault.as_ref()) {
        return response;
    }
    if !is_signed(&headers, uri.query()) {
        return answer(403, &json!("AuthenticationFailed"));
    }
    if header(&headers, "x-ms-blob-type") != Some("BlockBlob") {
        return answer(400, &json!("InvalidHeaderValue"));
    }
    let kept = jobs.with(|jobs| {
        let file = jobs.get_mut(&id)?.files.get_mut(&name)?;
        *file = Some(Audio::of(&body));
        Some(())
    });
    let status = if kept.is_some() { 201 } else { 404 };
    after(fault)
        .await
        .unwrap_or_else(|| answer(status, &Value::Null))
}

async fn get_blob(
    State(sim): State<Arc<Sim>>,
    Extension(jobs): Extension<Arc<Jobs>>,
    Path((id, name)): Path<(String, String)>,
    uri: http::Uri,
    headers: HeaderMap,
) -> Response {
    let fault = sim.faults.next("sarvam/get");
    if let Some(response) = before(fault.as_ref()) {
        return response;
    }
    if !is_signed(&headers, uri.query()) {
        return answer(403, &json!("AuthenticationFailed"));
    }
    let number = name.strip_suffix(".json").and_then(|n| n.parse().ok());
    let job = jobs.with(|jobs| jobs.get(&id).cloned());
    let over = job.filter(|job| job.asked.is_some_and(|asked| asked > 1));
    let found = over.and_then(|job| {
        let audio = job.files.values().nth(number?)?.clone()?;
        Some((audio, job))
    });
    let Some((audio, job)) = found else {
        return answer(404, &json!("BlobNotFound"));
    };
    let mut text = sim.recordings.hear(&audio);
    if job.mode == "transcribe" {
        for (word, digit) in DIGITS {
            text = text.replace(word, digit);
        }
    }
    let heard = json!({ "request_id": "r1", "transcript": text, "language_code": job.language,
        "timestamps": { "words": [text], "start_time_seconds": [0.0],
            "end_time_seconds": [audio.seconds] } });
    after(fault).await.unwrap_or_else(|| answer(200, &heard))
}
