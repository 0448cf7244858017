//! People stop a run at the one moment in which its worker has everything at
//! hand and has not yet said that it will create a batch.

use std::sync::Arc;
use std::time::Duration;

use gemini_sim::Route;
use serde_json::json;
use stt_eval_shared::Deadline;
use stt_eval_shared::domain::unit::UnitState;

use crate::rig::{Case, Ground, Options, PRO};
use crate::state::running;

/// Three recordings and the request document.
const UPLOADS: u64 = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scoring_that_began_while_a_reference_was_being_saved_is_told_to_be_old() {
    let ground = Ground::start().await;
    let case = Arc::new(Case::start(&ground, Options::default()).await);
    let dataset = case.dataset().await;
    let run = case.run(&dataset, &[PRO]).await;
    case.settle().await;
    let people = api::Handler::new(case.clean.clone());
    let get = async |path: String| {
        let answer = case.asked_of(&people, "GET", &path, None, "").await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        answer.body["data"].clone()
    };
    let results = get(format!("/runs/{run}/results")).await;
    let sample = results[0]["sample_id"].as_str().unwrap().to_owned();

    let held = case.injector.hold(|site| {
        let writes = ["PutItem", "TransactWriteItems"];
        site.handler == "api"
            && site.call.contains(" samples")
            && writes.iter().any(|write| site.call.contains(write))
    });
    let saving = tokio::spawn({
        let case = case.clone();
        let (path, body) = (
            format!("/samples/{sample}"),
            json!({ "ground_truth": "other" }),
        );
        async move { case.once("api", "PATCH", &path, Some(&body), "edit").await }
    });
    held.reached().await;
    // It begins after the first mark, and reads the reference as it was.
    let path = format!("/runs/{run}/rescore");
    let answer = case.asked_of(&people, "POST", &path, None, "again").await;
    assert_eq!(answer.status, 202, "{answer:?}");
    while get(format!("/runs/{run}")).await["scorings"][1]["current"] != true {
        let deadline = Deadline::after(Duration::from_secs(110));
        poll::handle(json!({}), &case.clean, deadline).await;
    }
    held.release();
    assert_eq!(saving.await.unwrap().unwrap().status, 200);

    let scored = get(format!("/runs/{run}/results")).await;
    assert_ne!(scored[0]["ground_truth"], "other");
    // What reports and the page of the run go by.
    let store = &case.clean.store;
    let changed = store
        .references_changed(&case.project, dataset.parse().unwrap())
        .await;
    let run = store.run(&case.project, run).await.unwrap().unwrap();
    let begun = run.all_scorings()[1].inserted_at;
    assert!(changed.unwrap().unwrap() > begun);
    Arc::into_inner(case).unwrap().end().await;
}

/// What happens while the worker stands before its claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meanwhile {
    Cancelled,
    /// The sweeper has touched the unit before: the first claim does not fit,
    /// and the worker tries a second one.
    TouchedAndCancelled,
    Deleted,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_batch_is_made_once_people_were_told_that_the_run_is_stopped() {
    let ground = Ground::start().await;
    for meanwhile in [
        Meanwhile::Cancelled,
        Meanwhile::TouchedAndCancelled,
        Meanwhile::Deleted,
    ] {
        let case = Arc::new(Case::start(&ground, Options::default()).await);
        let dataset = case.dataset().await;
        let run = case.run(&dataset, &[PRO]).await;
        case.pump_once().await;
        // The claim: what the worker first writes to a unit once its request
        // document is at the provider.
        let (sim, seen) = (case.clone(), Arc::clone(&case.injector));
        let held = seen.hold(move |site| {
            let uploads = sim.sim.ledger().count(Route::UploadChunk);
            site.handler == "submit" && site.call.contains("units") && uploads >= UPLOADS
        });
        let worker = tokio::spawn({
            let case = case.clone();
            async move { case.pump_once().await }
        });
        held.reached().await;

        // Others' calls do not pass through the layer that holds the worker.
        if meanwhile == Meanwhile::TouchedAndCancelled {
            let units = || case.clean.store.units_of(&case.project, run);
            let before = units().await.unwrap()[0].rev;
            while units().await.unwrap()[0].rev == before {
                let deadline = Deadline::after(Duration::from_secs(110));
                poll::handle(json!({}), &case.clean, deadline).await;
            }
        }
        let (method, path) = match meanwhile {
            Meanwhile::Deleted => ("DELETE", format!("/runs/{run}")),
            _ => ("POST", format!("/runs/{run}/cancel")),
        };
        let people = api::Handler::new(case.clean.clone());
        let answer = case.asked_of(&people, method, &path, None, "stop").await;
        assert_eq!(answer.status, 200, "{meanwhile:?}: {answer:?}");
        held.release();
        worker.await.unwrap();

        let creations = || case.sim.ledger().count(Route::BatchCreate);
        assert_eq!(creations(), 0, "{meanwhile:?}: a batch was asked for");
        case.settle().await;
        assert_eq!(creations(), 0, "{meanwhile:?}: a batch was asked for later");
        assert!(running(&case).await.is_empty());
        for unit in case.clean.store.units_of(&case.project, run).await.unwrap() {
            assert_eq!(unit.state, UnitState::Cancelled, "{meanwhile:?}");
        }
        Arc::into_inner(case).unwrap().end().await;
    }
}
