//! What tests in other languages ask: `GET /_sim/ledger`, `POST /_sim/faults`
//! (`{"vendor": …, "faults": […]}`), `POST /_sim/recordings` (`{SHA-256: text}`).

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;

use crate::fault::Fault;
use crate::ledger::Ledger;
use crate::sim::Sim;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Troubles {
    vendor: String,
    faults: Vec<Fault>,
}

async fn ledger(State(sim): State<Arc<Sim>>) -> Json<Ledger> {
    Json(sim.book.snapshot())
}

async fn faults(State(sim): State<Arc<Sim>>, Json(troubles): Json<Troubles>) {
    for fault in troubles.faults {
        sim.faults.add(&troubles.vendor, fault);
    }
}

async fn recordings(State(sim): State<Arc<Sim>>, Json(texts): Json<BTreeMap<String, String>>) {
    for (sha256, text) in texts {
        sim.recordings.add(sha256, text);
    }
}

pub(crate) fn router() -> Router<Arc<Sim>> {
    Router::new()
        .route("/_sim/ledger", get(ledger))
        .route("/_sim/faults", post(faults))
        .route("/_sim/recordings", post(recordings))
}
