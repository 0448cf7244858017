//! Holds answers against the types of the contract that clients use.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use stt_eval_shared::domain::{DatasetId, FileId, KeyId, RunId, SessionId};
use stt_eval_shared::wire::envelope::{Deleted, Envelope, ListEnvelope, Refused};
use stt_eval_shared::wire::{
    access, catalogue, consensus, datasets, estimate, export, files, meta, models, paths, report,
    results, run_comparison, runs,
};

/// Checks that a client reads all of a JSON answer of the api: read into the type of
/// its route and written again it is what it was.
///
/// # Panics
/// When it is not, or when the route of a success has no type here.
#[track_caller]
pub fn check(method: &str, path: &str, status: u16, body: &Value) {
    match body["success"].as_bool() {
        Some(true) if (200..300).contains(&status) => check_success(method, path, body),
        Some(false) => reads::<Refused>(body),
        // No answer of the api: the document of its routes, or one of the gateway.
        _ => {}
    }
}

#[track_caller]
fn check_success(method: &str, path: &str, body: &Value) {
    if path == paths::health() {
        return reads::<Envelope<meta::Health>>(body);
    }
    let below = path
        .strip_prefix(paths::BASE)
        .or_else(|| path.strip_prefix(paths::PROJECT_BASE))
        .unwrap_or_else(|| panic!("no path of the contract: {path}"));
    let parts: Vec<&str> = below.split('/').skip(1).collect();
    match (method, parts.as_slice()) {
        ("GET", ["keys"]) => reads::<ListEnvelope<access::ApiKey>>(body),
        ("GET", ["whoami"]) => reads::<Envelope<access::WhoAmI>>(body),
        ("POST", ["keys"]) => reads::<Envelope<access::CreatedKey>>(body),
        ("GET", ["sessions"]) => reads::<ListEnvelope<access::Session>>(body),
        ("DELETE", ["sessions", _]) => reads::<Envelope<Deleted<SessionId>>>(body),
        ("DELETE", ["keys", _]) => reads::<Envelope<Deleted<KeyId>>>(body),
        ("GET", ["files"]) => reads::<ListEnvelope<files::File>>(body),
        ("POST", ["files"]) => reads::<Envelope<files::FilesMade>>(body),
        ("GET", ["files", _]) => reads::<Envelope<files::File>>(body),
        ("DELETE", ["files", _]) => reads::<Envelope<Deleted<FileId>>>(body),
        ("GET", ["datasets"]) => reads::<ListEnvelope<datasets::Dataset>>(body),
        ("POST", ["datasets"]) | ("GET", ["datasets", _]) => {
            reads::<Envelope<datasets::Dataset>>(body);
        }
        ("DELETE", ["datasets", _]) => reads::<Envelope<Deleted<DatasetId>>>(body),
        ("GET" | "PATCH", ["samples", _]) => reads::<Envelope<datasets::Sample>>(body),
        ("GET", ["providers"]) => reads::<ListEnvelope<catalogue::Model>>(body),
        ("GET", ["languages"]) => reads::<ListEnvelope<catalogue::Language>>(body),
        ("GET", ["models"]) => reads::<ListEnvelope<models::OwnModel>>(body),
        ("POST", ["models"]) | ("GET" | "PUT", ["models", _]) => {
            reads::<Envelope<models::OwnModel>>(body);
        }
        ("DELETE", ["models", _]) => reads::<Envelope<Deleted<String>>>(body),
        ("GET" | "PUT", ["credentials", _]) => reads::<Envelope<access::Credential>>(body),
        ("DELETE", ["credentials", _]) => reads::<Envelope<Deleted<String>>>(body),
        ("GET", ["runs"]) => reads::<ListEnvelope<runs::Run>>(body),
        ("POST", ["runs", "estimate"]) => reads::<Envelope<estimate::Estimate>>(body),
        ("POST", ["runs"])
        | ("GET", ["runs", _])
        | ("POST", ["runs", _, "cancel" | "retry" | "rescore" | "transcripts"]) => {
            reads::<Envelope<runs::Run>>(body);
        }
        ("DELETE", ["runs", _]) => reads::<Envelope<Deleted<RunId>>>(body),
        ("GET", ["runs", _, "report"]) => reads::<Envelope<report::Report>>(body),
        ("GET", ["runs", _, "export"]) => reads::<Envelope<export::Exported>>(body),
        ("GET", ["runs", _, "compare", _]) => {
            reads::<Envelope<run_comparison::RunComparison>>(body);
        }
        ("GET", ["runs", _, "consensus"]) => reads::<ListEnvelope<consensus::Proposal>>(body),
        ("POST", ["runs", _, "consensus"]) => reads::<Envelope<consensus::Accepted>>(body),
        ("GET", ["runs", _, "results"]) => reads::<ListEnvelope<results::Result>>(body),
        ("GET" | "PATCH", ["results", _]) => reads::<Envelope<results::Result>>(body),
        ("GET", ["results", _, "reviews"]) => reads::<ListEnvelope<results::Review>>(body),
        ("POST", ["results", _, "score"]) => reads::<Envelope<results::ScoredAnew>>(body),
        _ => panic!("no type is known for the answer to {method} {path}"),
    }
}

#[track_caller]
fn reads<T: Serialize + DeserializeOwned>(body: &Value) {
    let read = T::deserialize(body).unwrap_or_else(|error| panic!("{error} in {body}"));
    assert_eq!(&serde_json::to_value(read).unwrap(), body);
}
