//! Scoring again breaks off and goes on: in a crash at any moment, and over a
//! restart of the machine.

use std::time::Duration;

use serde_json::{Value, json};
use stt_eval_shared::Deadline;
use stt_eval_shared::domain::{ProjectId, RunId};
use stt_eval_tests::{Machine, MachineOptions};

use crate::{Told, dataset, id, report, run, scored, told};

fn samples() -> Vec<Told> {
    vec![
        told("One two.", Some("one two"), Some("won two"), json!({})),
        told("three, four", Some("three four"), None, json!({})),
        told("five", Some("fife"), Some("five"), json!({})),
    ]
}

fn options(poll_interval: Duration) -> MachineOptions {
    MachineOptions {
        poll_interval,
        settings: vec![("TASK_LEASE_SECONDS", "0.1")],
        ..MachineOptions::default()
    }
}

async fn ask(client: &stt_eval_tests::Client, run: &Value) {
    let path = format!("/runs/{}/rescore", id(run));
    let _ = client
        .post(&path, &json!({ "normalizer": "raw-v1" }))
        .await
        .data(202);
}

/// One cycle of the poll function.
async fn cycle(machine: &Machine, left: Duration) {
    poll::handle(json!({}), &machine.node.app, Deadline::after(left)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_goes_on_after_a_crash_at_any_moment() {
    // The schedule never comes by itself.
    let machine = Machine::start_with(options(Duration::from_secs(3_600))).await;
    let client = machine.client("demo");
    let made = dataset(&machine, &client, json!({}), &samples()).await;
    let path = made["id"].as_str().unwrap();
    let mut runs = Vec::new();
    for _ in 0..2 {
        let run = machine
            .run(&client, path, &[crate::PRO, crate::FLASH])
            .await;
        let ended = machine
            .wait("the run has ended", async || {
                cycle(&machine, Duration::from_secs(60)).await;
                let found = client
                    .get(&format!("/runs/{}", id(&run)))
                    .await
                    .data(200)
                    .clone();
                (found["status"] == "completed").then_some(found)
            })
            .await;
        runs.push(ended);
    }
    let [clean, torn] = &runs[..] else {
        panic!("two runs")
    };
    ask(&client, clean).await;
    cycle(&machine, Duration::from_secs(60)).await;
    let clean = scored(&machine, &client, clean).await;

    // Each cycle is dropped a little later than the one before.
    ask(&client, torn).await;
    let (project, run_id): (ProjectId, RunId) =
        ("demo".parse().unwrap(), id(torn).parse().unwrap());
    let (mut cycles, mut steps) = (0u64, std::collections::BTreeSet::new());
    while let Some(job) = machine
        .node
        .app
        .store
        .rescore_job(&project, run_id)
        .await
        .unwrap()
    {
        steps.insert((job.model, job.position));
        cycles += 1;
        // Much later in the end, for a machine that has other work.
        let moment = Duration::from_millis(2 * cycles + cycles.saturating_sub(60).pow(2));
        let _ = tokio::time::timeout(moment, cycle(&machine, Duration::from_secs(60))).await;
        tokio::time::sleep(Duration::from_millis(110)).await;
        assert!(cycles < 120, "it never comes to its end: {job:?}");
    }
    assert!(cycles > 1, "the first cycle was not dropped");
    let torn = scored(&machine, &client, torn).await;
    assert_eq!(torn["score"], clean["score"]);
    for query in ["", "scoring=1"] {
        let (a, b) = (
            report(&client, &torn, query).await,
            report(&client, &clean, query).await,
        );
        assert_eq!(a["providers"], b["providers"], "{query}");
    }
    println!("{cycles} cycles, seen at {steps:?}");
    machine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_goes_on_after_a_restart() {
    let machine = Machine::start_with(options(Duration::from_millis(100))).await;
    let client = machine.client("demo");
    let made = dataset(&machine, &client, json!({}), &samples()).await;
    let run = run(&machine, &client, &made).await;
    let before = report(&client, &run, "").await;
    // Left behind at its beginning, with the claim still held.
    let (project, run_id) = ("demo".parse().unwrap(), id(&run).parse().unwrap());
    let store = machine.node.app.store.clone();
    let found = store.run(&project, run_id).await.unwrap().unwrap();
    let now = stt_eval_shared::domain::Timestamp::now();
    let (next, job) = found.rescored("raw-v1".into(), now).unwrap();
    let held = job.claimed(now + Duration::from_secs(2));
    let job = stt_eval_shared::domain::rescoring::RescoreJob { rev: 1, ..held };
    store
        .save_run_with_rescoring(&next, &job, None)
        .await
        .unwrap();
    let machine = machine.restart().await;
    let client = machine.client("demo");
    // What counted counts until the new scoring is complete.
    let shown = client
        .get(&format!("/runs/{}", id(&run)))
        .await
        .data(200)
        .clone();
    assert_eq!(shown["scorings"][1]["status"], "pending", "{shown}");
    let refused = client
        .post(&format!("/runs/{}/rescore", id(&run)), &json!({}))
        .await;
    assert_eq!(refused.status, 409, "{}", refused.text);
    let retry = client
        .post(&format!("/runs/{}/retry", id(&run)), &json!({}))
        .await;
    assert_eq!(retry.status, 409, "{}", retry.text);
    assert_eq!(
        report(&client, &run, "").await["providers"],
        before["providers"]
    );
    let run = scored(&machine, &client, &run).await;
    assert_eq!(run["scorings"][1]["current"], true);
    assert_eq!(
        report(&client, &run, "scoring=1").await["providers"],
        before["providers"]
    );
    machine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_run_takes_the_work_with_it() {
    let machine = Machine::start_with(options(Duration::from_millis(100))).await;
    let client = machine.client("demo");
    let made = dataset(&machine, &client, json!({}), &samples()).await;
    let run = run(&machine, &client, &made).await;
    ask(&client, &run).await;
    let _ = client
        .delete(&format!("/runs/{}", id(&run)))
        .await
        .data(200);
    let (project, run_id): (ProjectId, RunId) =
        ("demo".parse().unwrap(), id(&run).parse().unwrap());
    machine
        .wait("the work is gone", async || {
            let job = machine
                .node
                .app
                .store
                .rescore_job(&project, run_id)
                .await
                .unwrap();
            job.is_none().then_some(())
        })
        .await;
    machine.stop().await;
}
