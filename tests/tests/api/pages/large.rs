//! A run of 10,000 results: its pages ask no more of the tables than those of a small one.

use std::time::Duration;

use stt_eval_local::node::Node;
use stt_eval_local::options::NodeOptions;
use stt_eval_shared::domain::run::Run;
use stt_eval_shared::domain::{ProjectId, ResultId, RunId};
use stt_eval_tests::{Machine, MachineOptions};

use super::Browser;
use crate::support::{FLASH, PRO};

/// Most bytes of a page on its way.
const MOST_BYTES: usize = 100_000;
/// Samples of the run, with two models.
const SAMPLES: u16 = 5_000;
/// Of these, such as have results; the others are pending.
const DONE: u16 = 500;

/// What was asked of DynamoDB so far.
fn asked(node: &Node) -> u64 {
    let counts = node.counts();
    let of_tables = counts.as_array().unwrap().iter();
    let of_tables = of_tables.filter(|count| count["service"] == "dynamodb");
    of_tables
        .map(|count| count["requests"].as_u64().unwrap())
        .sum()
}

/// A run of one clip becomes one of many, each with the results of the first.
async fn enlarge(node: &Node, project: &ProjectId, run: RunId) {
    let store = &node.app.store;
    let mut outcomes = Vec::new();
    for model in 0..2 {
        let first = store.results_between(project, run, model, 0, 1).await;
        let first = first.unwrap().into_iter().next().unwrap().outcome;
        outcomes.extend((1..DONE).map(|position| {
            let mut outcome = first.clone();
            outcome.id = ResultId::new(run, model, position);
            outcome
        }));
    }
    store.write_outcomes(project, &outcomes).await.unwrap();
    let small = store.run(project, run).await.unwrap().unwrap();
    let large = Run {
        sample_count: SAMPLES.into(),
        rev: small.rev + 1,
        ..small
    };
    store.save_run(&large).await.unwrap();
}

/// A machine on the same data on which nothing looks for work, so that what is counted is
/// asked for by pages alone.
async fn quiet(machine: Machine) -> (Node, tempfile::TempDir) {
    let Machine { node, dir, .. } = machine;
    node.stop().await.unwrap();
    let mut options = NodeOptions::new(dir.path().to_owned(), "demo".parse().unwrap());
    options.poll_interval = Duration::from_hours(1);
    let node = Node::start(options).await.unwrap();
    // What is looked for at the beginning is over once nothing is asked any more.
    let mut before = u64::MAX;
    while asked(&node) != before {
        before = asked(&node);
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    (node, dir)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_first_page_over_ten_thousand_results_asks_little() {
    let machine = Machine::start_with(MachineOptions {
        projects: vec!["demo"],
        // Only the embedded cloud counts what it is asked.
        metered: true,
        ..MachineOptions::default()
    })
    .await;
    let client = machine.client("demo");
    let dataset = machine.dataset(&client, "clips", &["one two three"]).await;
    let run = machine.run(&client, &dataset, &[PRO, FLASH]).await;
    let run = machine.ended(&client, &run).await;
    let run = run["id"].as_str().unwrap().to_owned();
    let project = "demo".parse().unwrap();
    enlarge(&machine.node, &project, run.parse().unwrap()).await;
    let key = machine.node.api_keys["demo"].clone();
    let (node, dir) = quiet(machine).await;
    let mut browser = Browser::at(node.url.clone());
    browser.sign_in(&key, "Asha", "/runs").await;
    let clip = browser.get(&format!("/runs/{run}/review")).await;
    let clip = clip.header("location").to_owned();
    // This order is worked out once, and kept.
    let scattered = format!("/runs/{run}/results?sort=-disagreement");
    assert_eq!(browser.get(&scattered).await.status, 200);
    // The session with its key and the run are one request each; then each model's
    // results, or their order and they themselves.
    for (path, most) in [
        (format!("/runs/{run}/results"), 4),
        (format!("/runs/{run}/results?sort=-wer"), 4),
        (format!("/runs/{run}/results?sort=unreviewed"), 4),
        // These lie anywhere: all of them are asked for at once.
        (scattered, 4),
        (format!("/runs/{run}/review"), 4),
        (clip, 6),
        (format!("/runs/{run}"), 3),
    ] {
        let before = asked(&node);
        let request = browser.request("GET", &path);
        let request = request.header("accept-encoding", "gzip");
        let page = browser.send(request).await;
        let asks = asked(&node) - before;
        assert!(matches!(page.status, 200 | 303), "{path}: {}", page.status);
        assert!((1..=most).contains(&asks), "{path} asks {asks} times");
        if page.status == 200 {
            assert_eq!(page.header("content-encoding"), "gzip", "{path}");
            let bytes: usize = page.header("content-length").parse().unwrap();
            assert!(bytes <= MOST_BYTES, "{path}: {bytes}");
        }
    }
    let all = browser.get(&format!("/runs/{run}/results")).await;
    assert!(all.text.contains("10,000"), "{}", all.text);
    node.stop().await.unwrap();
    drop(dir);
}
