//! Where the routes are. All paths are absolute and without a query.

use stt_eval_domain::{DatasetId, FileId, KeyId, ResultId, RunId, SampleId, SessionId};

/// Where the routes of everything but API keys and the service itself live.
pub const BASE: &str = "/api/v1/evaluations/stt";
/// Where the routes of API keys live.
pub const PROJECT_BASE: &str = "/api/v1";
/// The header with the API key; `Authorization: Bearer` does as well.
pub const API_KEY_HEADER: &str = "x-api-key";
/// The header that makes a request safe to send again: the same key with the same
/// body gets the same answer.
pub const IDEMPOTENCY_HEADER: &str = "idempotency-key";

/// That the service answers: GET, without a key.
#[must_use]
pub fn health() -> String {
    "/healthz".to_owned()
}

/// The OpenAPI document: GET, without a key.
#[must_use]
pub fn openapi() -> String {
    "/openapi.json".to_owned()
}

/// API keys: GET, POST.
#[must_use]
pub fn keys() -> String {
    format!("{PROJECT_BASE}/keys")
}

/// An API key: DELETE.
#[must_use]
pub fn key(id: KeyId) -> String {
    format!("{PROJECT_BASE}/keys/{id}")
}

/// Sessions of the pages: GET.
#[must_use]
pub fn sessions() -> String {
    format!("{PROJECT_BASE}/sessions")
}

/// A session of the pages: DELETE.
#[must_use]
pub fn session(id: SessionId) -> String {
    format!("{PROJECT_BASE}/sessions/{id}")
}

/// Files: GET, POST.
#[must_use]
pub fn files() -> String {
    format!("{BASE}/files")
}

/// A file: GET, DELETE.
#[must_use]
pub fn file(id: FileId) -> String {
    format!("{BASE}/files/{id}")
}

/// Datasets: GET, POST.
#[must_use]
pub fn datasets() -> String {
    format!("{BASE}/datasets")
}

/// A dataset: GET, DELETE.
#[must_use]
pub fn dataset(id: DatasetId) -> String {
    format!("{BASE}/datasets/{id}")
}

/// A sample: GET, PATCH.
#[must_use]
pub fn sample(id: SampleId) -> String {
    format!("{BASE}/samples/{id}")
}

/// Whose key it is: GET.
#[must_use]
pub fn whoami() -> String {
    format!("{BASE}/whoami")
}

/// The models that runs can use: GET.
#[must_use]
pub fn providers() -> String {
    format!("{BASE}/providers")
}

/// Models of the project's own: GET, POST.
#[must_use]
pub fn models() -> String {
    format!("{BASE}/models")
}

/// A model of the project's own: GET, PUT, DELETE.
#[must_use]
pub fn model(name: &str) -> String {
    format!("{BASE}/models/{}", part(name))
}

/// The languages that samples can be in: GET.
#[must_use]
pub fn languages() -> String {
    format!("{BASE}/languages")
}

/// The key of a provider: GET, PUT, DELETE.
///
/// ```
/// use stt_eval_wire::paths::credential;
///
/// assert_eq!(credential("google"), "/api/v1/evaluations/stt/credentials/google");
/// // A name that is none stays one part of the path.
/// assert_eq!(credential("a/b?"), "/api/v1/evaluations/stt/credentials/a%2Fb%3F");
/// ```
#[must_use]
pub fn credential(provider: &str) -> String {
    format!("{BASE}/credentials/{}", part(provider))
}

/// Runs: GET, POST.
#[must_use]
pub fn runs() -> String {
    format!("{BASE}/runs")
}

/// What a run would take: POST.
#[must_use]
pub fn estimate() -> String {
    format!("{BASE}/runs/estimate")
}

/// A run: GET, DELETE.
#[must_use]
pub fn run(id: RunId) -> String {
    format!("{BASE}/runs/{id}")
}

/// Stopping a run: POST.
#[must_use]
pub fn cancel(id: RunId) -> String {
    format!("{BASE}/runs/{id}/cancel")
}

/// Submitting the failed items of a run again: POST.
#[must_use]
pub fn retry(id: RunId) -> String {
    format!("{BASE}/runs/{id}/retry")
}

/// Adding transcripts that were made elsewhere to a run: POST.
#[must_use]
pub fn transcripts(id: RunId) -> String {
    format!("{BASE}/runs/{id}/transcripts")
}

/// The report of a run: GET.
#[must_use]
pub fn report(id: RunId) -> String {
    format!("{BASE}/runs/{id}/report")
}

/// How a run compares with another: GET.
#[must_use]
pub fn compare(run: RunId, other: RunId) -> String {
    format!("{BASE}/runs/{run}/compare/{other}")
}

/// Results of a run as a file: GET.
#[must_use]
pub fn export(id: RunId) -> String {
    format!("{BASE}/runs/{id}/export")
}

/// Scoring a run again: POST.
#[must_use]
pub fn rescore(id: RunId) -> String {
    format!("{BASE}/runs/{id}/rescore")
}

/// References from what the models of a run agree on: GET, POST.
#[must_use]
pub fn consensus(id: RunId) -> String {
    format!("{BASE}/runs/{id}/consensus")
}

/// The results of a run: GET.
#[must_use]
pub fn results(run: RunId) -> String {
    format!("{BASE}/runs/{run}/results")
}

/// A result: GET, PATCH.
#[must_use]
pub fn result(id: ResultId) -> String {
    format!("{BASE}/results/{id}")
}

/// What reviewers say of a result: GET.
#[must_use]
pub fn reviews(result: ResultId) -> String {
    format!("{BASE}/results/{result}/reviews")
}

/// A result by another reference: POST.
#[must_use]
pub fn score(result: ResultId) -> String {
    format!("{BASE}/results/{result}/score")
}

/// Text as one part of a path (RFC 3986, unreserved characters stay).
fn part(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}
