//! Servers of `OpenAI`'s transcription dialect: `OpenAI`, Groq and Mistral, and those that
//! people run themselves or have deployed: vLLM, speaches, whisper.cpp, Azure.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Multipart, RawQuery, State};
use axum::response::Response;
use axum::routing::{get, post};
use http::HeaderMap;
use serde_json::{Value, json};

use super::form::Form;
use super::header;
use crate::audio::Audio;
use crate::refusal::{json as answer, raw};
use crate::sim::Sim;

/// Languages of whisper that matter here, and a few more.
const LANGUAGES: &[&str] = &[
    "as", "bn", "de", "en", "es", "fr", "gu", "hi", "kn", "ml", "mr", "ne", "pa", "sa", "sd", "ta",
    "te", "ur",
];

const EXTENSIONS: &[&str] = &[
    "flac", "mp3", "mp4", "mpeg", "mpga", "m4a", "ogg", "wav", "webm",
];

/// How a server wants to be shown a key.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Key {
    /// As `Authorization: Bearer KEY`.
    Bearer,
    /// As `api-key: KEY`.
    Header,
    /// Not at all; one that is shown is noted.
    Unwanted,
}

/// In what the servers differ.
#[derive(Debug, Clone, Copy)]
struct Server {
    vendor: &'static str,
    base: &'static str,
    path: &'static str,
    key: Key,
    models: &'static [&'static str],
    /// Parts of the form that it knows besides the file.
    parts: &'static [&'static str],
    formats: &'static [&'static str],
    max_bytes: usize,
}

const OPENAI: Server = Server {
    vendor: "openai",
    base: "/openai/v1",
    path: "/audio/transcriptions",
    key: Key::Bearer,
    models: &["gpt-transcribe"],
    parts: &[
        "model",
        "language",
        "prompt",
        "response_format",
        "temperature",
        "include[]",
    ],
    formats: &["json", "text"],
    max_bytes: 26_214_400,
};

const SERVERS: &[Server] = &[
    OPENAI,
    Server {
        vendor: "groq",
        base: "/groq/openai/v1",
        models: &["whisper-large-v3", "whisper-large-v3-turbo"],
        formats: &["json", "text", "verbose_json"],
        ..OPENAI
    },
    Server {
        vendor: "mistral",
        base: "/mistral/v1",
        models: &[
            "voxtral-mini-transcribe-3",
            "voxtral-small-transcribe-3",
            "voxtral-mini-2602",
        ],
        // Neither response_format nor prompt.
        parts: &[
            "model",
            "language",
            "temperature",
            "diarize",
            "context_bias",
            "stream",
        ],
        formats: &[],
        ..OPENAI
    },
    Server {
        vendor: "vllm",
        base: "/vllm/v1",
        key: Key::Unwanted,
        models: &["openai/whisper-small"],
        formats: &["json", "text", "verbose_json"],
        ..OPENAI
    },
    Server {
        vendor: "whisper.cpp",
        base: "/whisper.cpp",
        path: "/inference",
        key: Key::Unwanted,
        models: &[],
        parts: &["language", "response_format", "temperature", "prompt"],
        formats: &["json", "text", "verbose_json"],
        ..OPENAI
    },
    Server {
        vendor: "speaches",
        base: "/speaches/v1",
        models: &["Systran/faster-whisper-small"],
        formats: &["json", "text", "verbose_json", "srt", "vtt"],
        ..OPENAI
    },
    Server {
        vendor: "azure",
        base: "/azure/openai/deployments/transcribe",
        key: Key::Header,
        // That of the deployment; clients send a name all the same.
        models: &[],
        ..OPENAI
    },
];

pub(super) fn router() -> Router<Arc<Sim>> {
    let mut router = Router::new();
    for server in SERVERS {
        let server = *server;
        let transcribe =
            move |State(sim): State<Arc<Sim>>,
                  RawQuery(query): RawQuery,
                  headers: HeaderMap,
                  form: Multipart| { transcribe(server, sim, query, headers, form) };
        let models = move |headers: HeaderMap| async move { server.list(&headers) };
        router = router
            .route(&format!("{}{}", server.base, server.path), post(transcribe))
            .route(&format!("{}/models", server.base), get(models));
    }
    router
}

impl Server {
    /// As each of them writes an error.
    fn refuse(self, status: u16, kind: &str, code: Option<&str>, message: &str) -> Response {
        let body = match self.vendor {
            "whisper.cpp" => json!({ "error": message }),
            "speaches" => json!({ "detail": message }),
            // What is refused before the deployment is come to has a body of its own.
            "azure" if matches!(status, 401 | 404) => {
                json!({ "error": { "code": status.to_string(), "message": message } })
            }
            "mistral" => {
                json!({ "object": "error", "message": message, "type": kind, "code": code })
            }
            _ => {
                json!({ "error": { "message": message, "type": kind, "param": null, "code": code } })
            }
        };
        answer(status, &body)
    }

    fn invalid(self, message: &str) -> Response {
        self.refuse(400, "invalid_request_error", None, message)
    }

    fn account(self, headers: &HeaderMap) -> Result<String, Box<Response>> {
        let bearer =
            || header(headers, "authorization").and_then(|value| value.strip_prefix("Bearer "));
        let key = match self.key {
            Key::Bearer => bearer(),
            Key::Header => header(headers, "api-key"),
            Key::Unwanted => return Ok(bearer().unwrap_or_default().to_owned()),
        };
        match key {
            Some(key) if !key.is_empty() && key != "wrong-key" => Ok(key.to_owned()),
            _ => Err(Box::new(self.refuse(
                if self.vendor == "speaches" { 403 } else { 401 },
                "invalid_request_error",
                Some("invalid_api_key"),
                "Incorrect API key provided.",
            ))),
        }
    }

    fn list(self, headers: &HeaderMap) -> Response {
        if let Err(refusal) = self.account(headers) {
            return *refusal;
        }
        let model = |id: &&str| json!({ "id": id, "object": "model", "created": 0, "owned_by": self.vendor });
        let data: Vec<Value> = self.models.iter().map(model).collect();
        answer(200, &json!({ "object": "list", "data": data }))
    }

    /// What is wrong with a form, if anything is.
    fn problem(self, form: &Form) -> Option<Response> {
        let Some(file) = &form.file else {
            return Some(self.invalid("no 'file' field in the request"));
        };
        if let Some(unknown) = form
            .fields
            .keys()
            .find(|name| !self.parts.contains(&&***name))
        {
            return Some(self.invalid(&format!("unknown part {unknown}")));
        }
        if file.bytes > self.max_bytes {
            let message = format!("Maximum content size limit ({}) exceeded", self.max_bytes);
            return Some(self.refuse(413, "invalid_request_error", None, &message));
        }
        let (_, extension) = file.name.rsplit_once('.').unwrap_or_default();
        if !EXTENSIONS.contains(&extension) || file.content_type.contains(';') {
            let message = format!("Invalid file format: {} {}", file.name, file.content_type);
            return Some(self.invalid(&message));
        }
        let get = |name: &str| form.fields.get(name).map(String::as_str);
        if !self.models.is_empty() {
            match get("model") {
                None => return Some(self.invalid("you must provide a model parameter")),
                Some(model) if !self.models.contains(&model) => {
                    let message = format!("The model `{model}` does not exist");
                    return Some(self.refuse(
                        404,
                        "invalid_request_error",
                        Some("model_not_found"),
                        &message,
                    ));
                }
                Some(_) => {}
            }
        }
        if get("language").is_some_and(|language| !LANGUAGES.contains(&language)) {
            return Some(self.invalid("Language is not supported"));
        }
        let format = get("response_format").filter(|format| !self.formats.contains(format));
        if let Some(format) = format {
            let message = format!("response_format '{format}' is not compatible with the model");
            return Some(self.invalid(&message));
        }
        let temperature = get("temperature").map(str::parse::<f64>);
        match temperature {
            Some(Ok(t)) if (0.0..=1.0).contains(&t) => None,
            None => None,
            Some(_) => Some(self.invalid("temperature must be from 0 to 1")),
        }
    }

    fn text(self, form: &Form, audio: &Audio, text: String) -> Response {
        let format = form.fields.get("response_format").map(String::as_str);
        let seconds = audio.seconds.ceil();
        let language = form.fields.get("language").cloned();
        let segments = json!([{ "id": 0, "seek": 0, "start": 0.0, "end": audio.seconds, "text": text,
            "tokens": [], "temperature": 0.0, "avg_logprob": -0.1, "compression_ratio": 1.0, "no_speech_prob": 0.0 }]);
        let usage = json!({ "type": "duration", "seconds": seconds });
        let body = match (self.vendor, format) {
            (_, Some("text")) => return raw(200, text),
            ("mistral", _) => {
                json!({ "model": form.fields.get("model"), "text": text, "language": null,
                "segments": [], "usage": { "prompt_tokens": 4, "completion_tokens": 9, "total_tokens": 13,
                "prompt_audio_seconds": seconds } })
            }
            // Detection of speech is always on there.
            ("speaches", Some("verbose_json")) => {
                json!({ "task": "transcribe", "language": language, "duration": audio.seconds,
                "text": text, "words": null, "segments": segments })
            }
            ("vllm", Some("verbose_json")) => json!({ "text": text, "language": language,
                "duration": audio.seconds.to_string(), "segments": segments, "words": null }),
            ("groq", Some("verbose_json")) => json!({ "task": "transcribe", "language": "English",
                "duration": audio.seconds, "text": text, "segments": segments, "x_groq": { "id": "req_1" } }),
            ("whisper.cpp", _) => json!({ "text": format!(" {}\n", text.replace(' ', "\n ")) }),
            ("openai", _) => {
                json!({ "text": text, "languages": [{ "code": language }], "usage": usage })
            }
            _ => json!({ "text": text, "usage": usage }),
        };
        answer(200, &body)
    }
}

async fn transcribe(
    server: Server,
    sim: Arc<Sim>,
    query: Option<String>,
    headers: HeaderMap,
    form: Multipart,
) -> Response {
    let versioned = query.is_some_and(|query| query.starts_with("api-version="));
    if (server.vendor == "azure") != versioned {
        return server.refuse(404, "invalid_request_error", None, "Resource not found");
    }
    let account = match server.account(&headers) {
        Ok(account) => account,
        Err(refusal) => return *refusal,
    };
    let form = match Form::read(form).await {
        Ok(form) => form,
        Err(message) => return server.invalid(&message),
    };
    if let Some(refusal) = server.problem(&form) {
        return refusal;
    }
    let Some(file) = &form.file else {
        return server.invalid("no 'file' field in the request");
    };
    let model = form.fields.get("model").cloned().unwrap_or_default();
    sim.work((server.vendor, &account, &model), &file.audio, |text| {
        server.text(&form, &file.audio, text)
    })
    .await
}
