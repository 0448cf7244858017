//! The control plane for tests in other processes.
//!
//! | request | does |
//! | --- | --- |
//! | `POST /_sim/recordings` | adds recordings: JSONL, one object or a list |
//! | `GET /_sim/faults` | lists the rules and how often they struck |
//! | `POST /_sim/faults` | sets one rule or a list of rules |
//! | `DELETE /_sim/faults`, `DELETE /_sim/faults/{id}` | removes all or one |
//! | `GET /_sim/ledger?since=N` | counts, and the requests after the Nth |
//! | `DELETE /_sim/ledger` | forgets them |
//! | `GET /_sim/batches`, `GET /_sim/files` | what there is, of all keys |
//! | `POST /_sim/clock` | `{"advance_ms":N}` moves the clock forward |

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::response::Response;
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::dispatch::dispatch;
use crate::faults::FaultRule;
use crate::ledger::Ledger;
use crate::sim::Sim;
use crate::wire::{ApiError, json_response};

/// All routes: the control plane, and the protocol for everything else.
pub(crate) fn router(sim: Arc<Sim>) -> Router {
    Router::new()
        .route("/_sim/recordings", post(add_recordings))
        .route(
            "/_sim/faults",
            get(list_faults).post(add_faults).delete(clear_faults),
        )
        .route("/_sim/faults/{id}", delete(remove_fault))
        .route("/_sim/ledger", get(ledger).delete(reset_ledger))
        .route("/_sim/batches", get(batches))
        .route("/_sim/files", get(files))
        .route("/_sim/clock", post(advance))
        .layer(DefaultBodyLimit::disable())
        .fallback(dispatch)
        .with_state(sim)
}

fn reply(result: Result<Value, String>) -> Response {
    match result {
        Ok(value) => json_response(200, &value),
        Err(message) => ApiError::invalid(message).response(),
    }
}

async fn add_recordings(State(sim): State<Arc<Sim>>, body: String) -> Response {
    let lines = match serde_json::from_str::<Value>(&body) {
        Ok(Value::Array(items)) => items.iter().map(|item| format!("{item}\n")).collect(),
        Ok(item) => item.to_string(),
        Err(_) => body,
    };
    let added = sim.config.recordings.add_jsonl(&lines);
    reply(
        added
            .map(|n| json!({ "added": n }))
            .map_err(|e| e.to_string()),
    )
}

async fn list_faults(State(sim): State<Arc<Sim>>) -> Response {
    let rules: Vec<Value> = sim
        .faults
        .list()
        .into_iter()
        .map(|(id, rule, struck)| json!({"id": id, "rule": rule, "struck": struck}))
        .collect();
    json_response(200, &json!({ "faults": rules }))
}

async fn add_faults(State(sim): State<Arc<Sim>>, body: String) -> Response {
    let rules = match serde_json::from_str::<Value>(&body) {
        Ok(list @ Value::Array(_)) => serde_json::from_value::<Vec<FaultRule>>(list),
        Ok(one) => serde_json::from_value::<FaultRule>(one).map(|rule| vec![rule]),
        Err(error) => Err(error),
    };
    reply(rules.map_err(|e| e.to_string()).map(|rules| {
        let ids: Vec<u64> = rules.into_iter().map(|rule| sim.faults.add(rule)).collect();
        json!({ "ids": ids })
    }))
}

async fn clear_faults(State(sim): State<Arc<Sim>>) -> Response {
    sim.faults.clear();
    json_response(200, &json!({}))
}

async fn remove_fault(State(sim): State<Arc<Sim>>, Path(id): Path<u64>) -> Response {
    match sim.faults.remove(id) {
        true => json_response(200, &json!({})),
        false => ApiError::not_found().response(),
    }
}

#[derive(Deserialize)]
struct Since {
    #[serde(default)]
    since: u64,
}

async fn ledger(State(sim): State<Arc<Sim>>, Query(query): Query<Since>) -> Json<Ledger> {
    Json(sim.ledger.snapshot(query.since))
}

async fn reset_ledger(State(sim): State<Arc<Sim>>) -> Response {
    sim.ledger.reset();
    json_response(200, &json!({}))
}

async fn batches(State(sim): State<Arc<Sim>>) -> Response {
    match sim.settle(None).await {
        Ok(()) => json_response(200, &json!({ "batches": sim.batch_views() })),
        Err(error) => error.response(),
    }
}

async fn files(State(sim): State<Arc<Sim>>) -> Response {
    json_response(200, &json!({ "files": sim.file_views() }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance_ms: u64,
}

async fn advance(State(sim): State<Arc<Sim>>, Json(by): Json<Advance>) -> Response {
    sim.clock.advance(Duration::from_millis(by.advance_ms));
    json_response(200, &json!({}))
}
