//! The OpenAPI document is a contract: pinned, whole, and true to the list of
//! routes that clients were promised.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::collections::BTreeSet;

use serde_json::Value;

/// Routes of the contract that this crate serves.
const PROMISED: &[(&str, &str)] = &[
    ("post", "/api/v1/evaluations/stt/files"),
    ("get", "/api/v1/evaluations/stt/files"),
    ("get", "/api/v1/evaluations/stt/files/{id}"),
    ("delete", "/api/v1/evaluations/stt/files/{id}"),
    ("post", "/api/v1/evaluations/stt/datasets"),
    ("get", "/api/v1/evaluations/stt/datasets"),
    ("get", "/api/v1/evaluations/stt/datasets/{id}"),
    ("delete", "/api/v1/evaluations/stt/datasets/{id}"),
    ("get", "/api/v1/evaluations/stt/samples/{id}"),
    ("patch", "/api/v1/evaluations/stt/samples/{id}"),
    ("get", "/api/v1/evaluations/stt/providers"),
    ("get", "/api/v1/evaluations/stt/models"),
    ("post", "/api/v1/evaluations/stt/models"),
    ("get", "/api/v1/evaluations/stt/models/{name}"),
    ("put", "/api/v1/evaluations/stt/models/{name}"),
    ("delete", "/api/v1/evaluations/stt/models/{name}"),
    ("get", "/api/v1/evaluations/stt/languages"),
    ("post", "/api/v1/evaluations/stt/runs"),
    ("get", "/api/v1/evaluations/stt/runs"),
    ("post", "/api/v1/evaluations/stt/runs/estimate"),
    ("get", "/api/v1/evaluations/stt/runs/{id}"),
    ("delete", "/api/v1/evaluations/stt/runs/{id}"),
    ("get", "/api/v1/evaluations/stt/runs/{id}/results"),
    ("post", "/api/v1/evaluations/stt/runs/{id}/cancel"),
    ("post", "/api/v1/evaluations/stt/runs/{id}/retry"),
    ("post", "/api/v1/evaluations/stt/runs/{id}/transcripts"),
    ("get", "/api/v1/evaluations/stt/runs/{id}/report"),
    ("get", "/api/v1/evaluations/stt/runs/{id}/compare/{other}"),
    ("get", "/api/v1/evaluations/stt/runs/{id}/consensus"),
    ("post", "/api/v1/evaluations/stt/runs/{id}/consensus"),
    ("get", "/api/v1/evaluations/stt/runs/{id}/export"),
    ("post", "/api/v1/evaluations/stt/runs/{id}/rescore"),
    ("get", "/api/v1/evaluations/stt/results/{id}"),
    ("patch", "/api/v1/evaluations/stt/results/{id}"),
    ("get", "/api/v1/evaluations/stt/results/{id}/reviews"),
    ("post", "/api/v1/evaluations/stt/results/{id}/score"),
    ("get", "/api/v1/evaluations/stt/credentials/{provider}"),
    ("put", "/api/v1/evaluations/stt/credentials/{provider}"),
    ("delete", "/api/v1/evaluations/stt/credentials/{provider}"),
    ("get", "/api/v1/evaluations/stt/whoami"),
    ("get", "/api/v1/keys"),
    ("post", "/api/v1/keys"),
    ("delete", "/api/v1/keys/{id}"),
    ("get", "/api/v1/sessions"),
    ("delete", "/api/v1/sessions/{id}"),
    ("get", "/openapi.json"),
    ("get", "/healthz"),
];

fn document() -> Value {
    serde_json::to_value(api::openapi()).unwrap()
}

/// Every operation: method, path, and what is said of it.
fn operations(document: &Value) -> Vec<(String, String, &Value)> {
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            found.push((method.clone(), path.clone(), operation));
        }
    }
    found
}

/// What the function serves is what the code says. When both shall change:
/// `cargo run -p stt-eval-local -- openapi > functions/api/openapi.json`.
#[test]
fn the_document_is_as_it_was() {
    let code = api::openapi().to_pretty_json().unwrap();
    let file = include_str!("../openapi.json");
    let differs = code
        .lines()
        .zip(file.lines())
        .find(|(code, file)| code != file);
    assert_eq!(differs, None, "first line that differs: code, file");
    assert_eq!(format!("{code}\n"), file);
}

#[test]
fn every_promised_route_is_served_and_no_other() {
    let document = document();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let served: BTreeSet<(String, String)> = operations(&document)
        .into_iter()
        .map(|(method, path, _)| (method, path))
        .collect();
    let promised = PROMISED
        .iter()
        .map(|(method, path)| ((*method).into(), (*path).into()))
        .collect();
    assert_eq!(served, promised);
}

#[test]
fn operations_tell_what_they_are_and_how_they_fail() {
    let document = document();
    let mut ids = BTreeSet::new();
    for (method, path, operation) in operations(&document) {
        let at = format!("{method} {path}");
        assert!(
            ids.insert(operation["operationId"].as_str().unwrap().to_owned()),
            "{at}"
        );
        assert!(operation["summary"].is_string(), "{at}");
        let responses = operation["responses"].as_object().unwrap();
        assert!(responses.contains_key("400"), "{at}");
        let open = ["/healthz", "/openapi.json"].contains(&&*path);
        assert_eq!(responses.contains_key("401"), !open, "{at}");
        assert_eq!(responses.contains_key("404"), path.contains('{'), "{at}");
        assert_eq!(
            responses.contains_key("415"),
            operation["requestBody"].is_object(),
            "{at}"
        );
    }
}

#[test]
fn references_lead_somewhere_and_nothing_internal_is_named() {
    let document = document();
    let text = document.to_string();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for reference in text.split("\"$ref\":\"").skip(1) {
        let target = reference.split('"').next().unwrap();
        let name = target.strip_prefix("#/components/schemas/").unwrap();
        assert!(schemas.contains_key(name), "{target}");
    }
    for word in [
        "object_key",
        "object_version",
        "bucket",
        "table",
        "cursor_secret",
        "secret_hash",
    ] {
        assert!(!text.contains(&format!("\"{word}\"")), "{word}");
    }
}
