//! One file a vendor.

mod assemblyai;
mod deepgram;
mod dialect;
mod elevenlabs;
mod form;
mod sarvam;
mod transcribe;

use std::sync::Arc;

use axum::Router;
use http::HeaderMap;

use crate::sim::Sim;

/// Where the base URL of each vendor is, below the doubles' address.
pub(crate) const PATHS: &[(&str, &str)] = &[
    ("assemblyai", "/assemblyai"),
    ("aws", "/aws"),
    ("deepgram", "/deepgram"),
    ("elevenlabs", "/elevenlabs"),
    ("openai", "/openai/v1"),
    ("groq", "/groq/openai/v1"),
    ("mistral", "/mistral/v1"),
    ("sarvam", "/sarvam"),
];

/// Where servers are that people run themselves or have deployed, below the doubles'
/// address: base URLs of models of one's own.
pub(crate) const SERVERS: &[(&str, &str)] = &[
    (
        "azure",
        "/azure/openai/deployments/transcribe?api-version=2026-08-01",
    ),
    ("speaches", "/speaches/v1"),
    ("vllm", "/vllm/v1"),
    ("whisper.cpp", "/whisper.cpp"),
];

pub(crate) fn router() -> Router<Arc<Sim>> {
    Router::new()
        .merge(assemblyai::router())
        .merge(deepgram::router())
        .merge(dialect::router())
        .merge(elevenlabs::router())
        .merge(sarvam::router())
        .merge(transcribe::router())
}

/// The value of a header as a text.
fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}
