//! A report of a run that is still going on.

use std::time::Duration;

use serde_json::{Value, json};
use stt_eval_tests::{Machine, MachineOptions};

use crate::{FLASH, PRO, dataset, id, report, told};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_under_way_is_reported_as_far_as_it_is() {
    let options = MachineOptions {
        batch_delay: Duration::from_secs(3_600),
        ..MachineOptions::default()
    };
    let machine = Machine::start_with(options).await;
    let client = machine.client("demo");
    let samples = [told("one two", Some("one two"), Some("one"), json!({}))];
    let made = dataset(&machine, &client, json!({}), &samples).await;
    let run = machine
        .run(&client, made["id"].as_str().unwrap(), &[PRO, FLASH])
        .await;
    let found = report(&client, &run, "").await;
    assert_eq!(found["complete"], false);
    assert!(["pending", "processing"].contains(&found["status"].as_str().unwrap()));
    assert_eq!(found["comparison"], Value::Null);
    for provider in found["providers"].as_array().unwrap() {
        assert_eq!(provider["score"], Value::Null);
        assert_eq!(provider["wer_interval"], Value::Null);
    }
    // It can't be scored again before its end.
    let answer = client
        .post(&format!("/runs/{}/rescore", id(&run)), &json!({}))
        .await;
    assert_eq!(answer.status, 409, "{}", answer.text);
    // Cancelled, it has ended, and nothing came of it.
    let path = format!("/runs/{}/cancel", id(&run));
    let _ = client.send(client.request("POST", &path)).await.data(200);
    let found = report(&client, &run, "").await;
    assert_eq!(found["complete"], false);
    machine.stop().await;
}
