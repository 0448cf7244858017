//! Invocations that have little time left: each stops between two pieces of a
//! long piece of work, and the next one goes on where it stopped.

use std::sync::Arc;
use std::time::Duration;

use gemini_sim::{Fault, FaultRule, Route};
use serde_json::json;
use stt_eval_shared::Deadline;
use stt_eval_shared::domain::unit::Unit;
use stt_eval_shared::domain::{RunId, Timestamp};
use stt_eval_shared::providers::gemini::BatchItem;
use stt_eval_shared::providers::{Credential, StagedInput};

use crate::rig::{Case, FLASH, Ground, Options, PRO};
use crate::state::{kept, left, running};

/// What a poll wants to have left before it begins a piece of work, and a moment
/// more: time for one or two of them, each of which waits for [`SLOW`].
const LITTLE: Duration = Duration::from_millis(10_300);
/// What the provider takes to answer.
const SLOW: Duration = Duration::from_millis(200);
/// Units of the run.
const UNITS: usize = 12;

/// A run whose batches don't end, a unit for each sample and model. No unit is
/// due by itself.
async fn busy(ground: &Arc<Ground>, samples: u32, models: &[&str]) -> (Case, RunId) {
    let options = Options {
        settings: vec![
            ("MAX_UNIT_SAMPLES", "1"),
            ("UNIT_BACKSTOP_SECONDS", "1800"),
            ("AUDIT_SECONDS", "0.2"),
            // So long a deletion tries to stop what does not stop.
            ("SUBMISSION_GRACE_SECONDS", "60"),
        ],
        ..Options::default()
    };
    let case = Case::start(ground, options).await;
    let state = "RUNNING".to_owned();
    let stuck = FaultRule::new(Fault::Stuck { state });
    case.sim.faults().add(stuck);
    let dataset = case.dataset_of(11..11 + samples, 0.1).await;
    let run = case.run(&dataset, models).await;
    while case.sim.batches().await.len() < samples as usize * models.len() {
        case.pump().await;
    }
    (case, run)
}

async fn units(case: &Case, run: RunId) -> Vec<Unit> {
    case.clean.store.units_of(&case.project, run).await.unwrap()
}

fn slow(case: &Case, route: Route) -> u64 {
    let millis = u64::try_from(SLOW.as_millis()).unwrap();
    let delay = FaultRule::new(Fault::DelayReply { millis });
    case.sim.faults().add(delay.on(route))
}

async fn poll_shortly(case: &Case) {
    poll::handle(json!({}), &case.app, Deadline::after(LITTLE)).await;
}

async fn nothing_is_left(case: &Case) {
    assert!(running(case).await.is_empty());
    assert!(kept(case).await.is_empty(), "{:?}", kept(case).await);
    assert!(left(case).is_empty(), "{:?}", left(case));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_runs_units_are_stopped_in_parts() {
    let ground = Ground::start().await;
    let (case, run) = busy(&ground, 6, &[PRO, FLASH]).await;
    let rule = slow(&case, Route::BatchCancel);
    let path = format!("/runs/{run}");
    case.ask("api", "DELETE", &path, None, "delete").await;
    poll_shortly(&case).await;
    assert!(!running(&case).await.is_empty(), "all of them were stopped");
    case.sim.faults().remove(rule);
    case.settle().await;
    nothing_is_left(&case).await;
    case.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn batches_that_did_not_stop_at_first_are_forgotten_in_parts() {
    let ground = Ground::start().await;
    let (case, run) = busy(&ground, 6, &[PRO, FLASH]).await;
    let ignored = case.sim.faults().add(FaultRule::new(Fault::CancelIgnored));
    let path = format!("/runs/{run}");
    case.ask("api", "DELETE", &path, None, "delete").await;
    while !units(&case, run).await.iter().all(Unit::is_done) {
        case.poll().await;
    }
    case.sim.faults().remove(ignored);
    assert_eq!(running(&case).await.len(), UNITS);
    let slowly = slow(&case, Route::BatchCancel);
    let cancels = || case.sim.ledger().count(Route::BatchCancel);
    let before = cancels();
    // The run is looked at again a little later.
    while cancels() == before {
        poll_shortly(&case).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(!running(&case).await.is_empty(), "all of them were stopped");
    case.sim.faults().remove(slowly);
    case.settle().await;
    nothing_is_left(&case).await;
    case.end().await;
}

/// What an audit of a credential finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stray {
    Batch,
    Document,
}

/// Puts something at the provider that is not recorded, under a unit's name.
async fn stray(case: &Case, unit: &Unit, stray: Stray, attempt: u32) {
    let store = &case.clean.store;
    let sealed = store.credential(&case.project, "google").await.unwrap();
    let vault = case.clean.vault.as_ref().unwrap();
    let credential: Credential = vault.open(&case.project, &sealed.unwrap()).await.unwrap();
    let client = case.gemini();
    let name = unit.display_name(&case.app.config.deployment, attempt);
    let audio = StagedInput {
        name: unit.batch_input.clone().unwrap(),
        uri: String::new(),
        mime_type: "audio/wav".into(),
        expires_at: Timestamp::now().into(),
    };
    match stray {
        Stray::Batch => drop(
            client
                .create(&credential, PRO, &audio.name, &name)
                .await
                .unwrap(),
        ),
        Stray::Document => {
            let run = store.run(&case.project, unit.run).await.unwrap().unwrap();
            let items = [BatchItem {
                key: "nobody's".into(),
                audio,
                language: "en".into(),
                duration_seconds: 0.1,
            }];
            let file = format!("stray-{attempt}");
            let config = &run.models[0].config;
            let staged = client.stage_batch(&credential, &file, &name, &items, config);
            staged.await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_not_recorded_is_deleted_in_parts() {
    let ground = Ground::start().await;
    for (kind, route) in [
        (Stray::Batch, Route::BatchDelete),
        (Stray::Document, Route::FileDelete),
    ] {
        let (case, run) = busy(&ground, 1, &[PRO]).await;
        let unit = units(&case, run).await.remove(0);
        for attempt in 101..=112 {
            stray(&case, &unit, kind, attempt).await;
        }
        // The run's own batch, document and audio stay.
        let strays = async || match kind {
            Stray::Batch => kept(&case).await.len() - 1,
            Stray::Document => left(&case).len() - 2,
        };
        assert_eq!(strays().await, 12);
        let slowly = slow(&case, route);
        let deletions = || case.sim.ledger().count(route);
        while deletions() == 0 {
            poll_shortly(&case).await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let first = strays().await;
        assert!(first > 0, "{kind:?}: all of them were deleted at once");
        case.sim.faults().remove(slowly);
        let path = format!("/runs/{run}/cancel");
        case.ask("api", "POST", &path, None, "cancel").await;
        case.settle().await;
        nothing_is_left(&case).await;
        case.end().await;
    }
}
