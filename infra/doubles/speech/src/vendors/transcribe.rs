//! Amazon Transcribe's jobs, which read and write a bucket.
//!
//! A job goes from `QUEUED` to `IN_PROGRESS` and its end, one step each time it is asked
//! for; its transcript is in the bucket before it is told to be over. A name is taken for
//! as long as its job is kept.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::State;
use axum::response::Response;
use axum::routing::post;
use axum::{Extension, Router};
use bytes::Bytes;
use http::HeaderMap;
use serde_json::{Value, json};

use super::header;
use crate::audio::Audio;
use crate::refusal::{after, before, json as answer};
use crate::sim::Sim;
use crate::words::{signs, words};

const VENDOR: &str = "aws";
const MODEL: &str = "transcribe";
const TARGET: &str = "Transcribe.";
const LANGUAGES: &[&str] = &[
    "bn-IN", "en-IN", "en-US", "gu-IN", "hi-IN", "kn-IN", "ml-IN", "mr-IN", "ne-NP", "or-IN",
    "pa-IN", "ta-IN", "te-IN",
];
const FORMATS: &[&str] = &["amr", "flac", "m4a", "mp3", "mp4", "ogg", "wav", "webm"];
/// Every field of a start that is known here.
const FIELDS: &[&str] = &[
    "TranscriptionJobName",
    "LanguageCode",
    "MediaFormat",
    "Media",
    "OutputBucketName",
    "OutputKey",
    "Settings",
];

/// Jobs by account and name.
#[derive(Debug, Default)]
pub(super) struct Jobs(Mutex<BTreeMap<(String, String), Job>>);

#[derive(Debug, Clone)]
struct Job {
    request: Value,
    text: String,
    seconds: f64,
    asked: u32,
    /// Why it fails, if it does.
    failure: Option<String>,
}

impl Job {
    fn status(&self) -> &'static str {
        match self.asked {
            0 => "QUEUED",
            1 => "IN_PROGRESS",
            _ if self.failure.is_some() => "FAILED",
            _ => "COMPLETED",
        }
    }

    fn told(&self) -> Value {
        let mut job = json!({ "TranscriptionJobName": self.request["TranscriptionJobName"],
            "TranscriptionJobStatus": self.status(), "LanguageCode": self.request["LanguageCode"],
            "Media": self.request["Media"], "MediaFormat": self.request["MediaFormat"],
            "CreationTime": 1_795_000_000.5 });
        if let (Some(failure), "FAILED") = (&self.failure, self.status()) {
            job["FailureReason"] = json!(failure);
        }
        json!({ "TranscriptionJob": job })
    }

    /// What it leaves in the bucket.
    fn transcript(&self) -> Value {
        let items = words(&self.text, self.seconds)
            .into_iter()
            .flat_map(|word| {
                let (bare, signs) = signs(word.text);
                let (start, end) = (format!("{:.3}", word.start), format!("{:.3}", word.end));
                let said = json!({ "type": "pronunciation", "start_time": start, "end_time": end,
                "alternatives": [{ "confidence": "0.9", "content": bare }] });
                let sign = json!({ "type": "punctuation",
                "alternatives": [{ "confidence": "0.0", "content": signs }] });
                [Some(said), Some(sign).filter(|_| !signs.is_empty())]
            });
        let items: Vec<Value> = items.flatten().collect();
        let mut whole = json!({ "jobName": self.request["TranscriptionJobName"],
            "accountId": "123456789012", "status": "COMPLETED" });
        // Of silence there is nothing but that it is over.
        if !self.text.is_empty() {
            whole["results"] =
                json!({ "transcripts": [{ "transcript": self.text }], "items": items });
        }
        whole
    }
}

impl Jobs {
    fn with<T>(&self, use_it: impl FnOnce(&mut BTreeMap<(String, String), Job>) -> T) -> T {
        use_it(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

pub(super) fn router() -> Router<Arc<Sim>> {
    Router::new()
        .route("/aws", post(serve))
        .route("/aws/", post(serve))
        .layer(Extension(Arc::<Jobs>::default()))
}

fn refuse(status: u16, kind: &str, message: &str) -> Response {
    answer(status, &json!({ "__type": kind, "Message": message }))
}

fn bad(message: &str) -> Response {
    refuse(400, "BadRequestException", message)
}

/// Who asks: the access key of the signature, which nothing here verifies.
fn account(headers: &HeaderMap) -> Option<String> {
    let (_, key) = header(headers, "authorization")?.split_once("Credential=")?;
    key.split_once('/').map(|(key, _)| key.to_owned())
}

async fn serve(
    State(sim): State<Arc<Sim>>,
    Extension(jobs): Extension<Arc<Jobs>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Some(account) = account(&headers) else {
        let kind = "MissingAuthenticationTokenException";
        return refuse(403, kind, "Missing Authentication Token");
    };
    let target = header(&headers, "x-amz-target").unwrap_or_default();
    let Ok(body) = serde_json::from_slice::<Value>(&body) else {
        return refuse(400, "SerializationException", "no JSON");
    };
    let operation = target.strip_prefix(TARGET).unwrap_or_default();
    sim.book.request(format!("AWS {operation}"));
    let name = body["TranscriptionJobName"].as_str().unwrap_or_default();
    let key = (account, name.to_owned());
    match operation {
        "StartTranscriptionJob" => start(&sim, &jobs, key, body).await,
        "GetTranscriptionJob" => get(&sim, &jobs, key).await,
        "DeleteTranscriptionJob" => delete(&sim, &jobs, key).await,
        _ => refuse(400, "UnknownOperationException", "no such operation"),
    }
}

fn is_name(name: &str) -> bool {
    let of_name = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    (1..=200).contains(&name.len()) && name.bytes().all(of_name) && name != "." && name != ".."
}

fn problem(body: &Value) -> Option<&'static str> {
    let Some(fields) = body.as_object() else {
        return Some("no object");
    };
    let has = |field: &str, known: &[&str]| {
        let value = body[field].as_str();
        value.is_some_and(|value| known.contains(&value))
    };
    if fields.keys().any(|field| !FIELDS.contains(&&**field)) {
        Some("a field that is not known")
    } else if !is_name(body["TranscriptionJobName"].as_str().unwrap_or_default()) {
        Some("TranscriptionJobName must satisfy the pattern ^[0-9a-zA-Z._-]+")
    } else if !has("LanguageCode", LANGUAGES) {
        Some("LanguageCode is not supported")
    } else if !has("MediaFormat", FORMATS) {
        Some("MediaFormat is not supported")
    } else if body["OutputBucketName"].as_str().is_none() || body["OutputKey"].as_str().is_none() {
        Some("the double leaves transcripts in a bucket of the caller's only")
    } else {
        None
    }
}

/// The request that costs money.
async fn start(sim: &Sim, jobs: &Jobs, key: (String, String), body: Value) -> Response {
    if let Some(problem) = problem(&body) {
        return bad(problem);
    }
    let uri = body["Media"]["MediaFileUri"].as_str().unwrap_or_default();
    let place = uri.strip_prefix("s3://").and_then(|at| at.split_once('/'));
    let audio = match (&sim.bucket, place) {
        (Some(bucket), Some((name, object))) => bucket.read(name, object).await,
        _ => None,
    };
    let Some(audio) = audio else {
        return bad(
            "The S3 URI that you provided can't be accessed. Make sure that you have read \
             permission and try your request again.",
        );
    };
    let audio = Audio::of(&audio);
    let fault = sim.faults.next(VENDOR);
    if let Some(response) = before(fault.as_ref()) {
        return response;
    }
    let failure = sim.faults.next("aws/file").and_then(|fault| fault.body());
    let job = Job {
        text: sim.recordings.hear(&audio),
        seconds: audio.seconds,
        request: body,
        asked: 0,
        failure,
    };
    let told = job.told();
    let account = key.0.clone();
    let is_new = jobs.with(|jobs| {
        let is_new = !jobs.contains_key(&key);
        jobs.entry(key).or_insert(job);
        is_new
    });
    if !is_new {
        let message = "The requested job name already exists.";
        return refuse(400, "ConflictException", message);
    }
    // Whether what fails is billed is not told: so it is.
    sim.charge(VENDOR, &account, MODEL, &audio);
    after(fault).await.unwrap_or_else(|| answer(200, &told))
}

fn unknown() -> Response {
    bad("The requested job couldn't be found. Check the job name and try your request again.")
}

async fn get(sim: &Sim, jobs: &Jobs, key: (String, String)) -> Response {
    sim.played((VENDOR, "get"), async {
        let found = jobs.with(|jobs| {
            let job = jobs.get_mut(&key)?;
            job.asked += 1;
            Some(job.clone())
        });
        let Some(job) = found else {
            return unknown();
        };
        // Once, as soon as it is over.
        let bucket = sim.bucket.as_ref().filter(|_| job.asked == 2);
        if let (Some(bucket), "COMPLETED") = (bucket, job.status()) {
            let at = |field: &str| job.request[field].as_str().unwrap_or_default();
            let (name, object) = (at("OutputBucketName"), at("OutputKey"));
            if !bucket.write(name, object, job.transcript()).await {
                return refuse(500, "InternalFailureException", "the bucket took nothing");
            }
        }
        answer(200, &job.told())
    })
    .await
}

async fn delete(sim: &Sim, jobs: &Jobs, key: (String, String)) -> Response {
    sim.played((VENDOR, "delete"), async {
        let gone = jobs.with(|jobs| match jobs.get(&key) {
            None => Some(false),
            Some(job) if job.asked < 2 => None,
            Some(_) => Some(jobs.remove(&key).is_some()),
        });
        match gone {
            Some(true) => answer(200, &json!({})),
            Some(false) => unknown(),
            None => bad("The requested job couldn't be deleted: it is in progress."),
        }
    })
    .await
}
