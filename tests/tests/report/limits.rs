//! What reports may cost: those of a run under way are shown again for a while,
//! and a project works out two at a time.

use std::time::Duration;

use serde_json::{Value, json};
use stt_eval_local::expiry::expire;
use stt_eval_shared::domain::{ProjectId, Timestamp};
use stt_eval_shared::objects::ObjectError;
use stt_eval_tests::{Machine, MachineOptions};

use crate::{FLASH, PRO, dataset, id, report, told};

/// A machine on which a run stays under way.
async fn waiting() -> Machine {
    let options = MachineOptions {
        batch_delay: Duration::from_secs(3_600),
        ..MachineOptions::default()
    };
    Machine::start_with(options).await
}

async fn begun(machine: &Machine, project: &str) -> (stt_eval_tests::Client, Value) {
    let client = machine.client(project);
    let samples = [told("one two", Some("one two"), Some("one"), json!({}))];
    let made = dataset(machine, &client, json!({}), &samples).await;
    let dataset = made["id"].as_str().unwrap();
    let run = machine.run(&client, dataset, &[PRO, FLASH]).await;
    (client, run)
}

/// The only report that is kept: key and content.
async fn kept(machine: &Machine) -> (String, Value) {
    let s3 = machine.node.cloud.s3_client();
    let ready = machine.node.ready_line();
    let bucket = ready["bucket"].as_str().unwrap();
    let listed = s3.list_objects_v2().bucket(bucket).prefix("reports/");
    let listed = listed.send().await.unwrap();
    assert_eq!(listed.contents().len(), 1);
    let key = listed.contents()[0].key().unwrap().to_owned();
    let bytes = machine.node.app.objects.get(&key).await.unwrap();
    (key, serde_json::from_slice(&bytes).unwrap())
}

async fn put(machine: &Machine, key: &str, value: &Value) {
    let bytes = value.to_string().into_bytes().into();
    let objects = &machine.node.app.objects;
    objects.put(key, "application/json", bytes).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_report_of_a_run_under_way_is_shown_again_while_it_is_fresh() {
    let machine = waiting().await;
    let (client, run) = begun(&machine, "demo").await;
    let made = report(&client, &run, "").await;
    assert_eq!(made["complete"], false);
    // Marked, to be known again, and fresh for as long as this may take.
    let (key, mut live) = kept(&machine).await;
    live["view"]["run_name"] = json!("marked");
    live["fresh_ms"] = json!(600_000);
    put(&machine, &key, &live).await;
    assert_eq!(report(&client, &run, "").await["run_name"], "marked");
    // So it is when asked for by its number.
    assert_eq!(
        report(&client, &run, "scoring=1").await["run_name"],
        "marked"
    );
    live["made_at"] = json!(Timestamp::now() - Duration::from_secs(601));
    put(&machine, &key, &live).await;
    assert_eq!(report(&client, &run, "").await["run_name"], "run");
    // What the rule of the bucket does: what is gone is made again.
    let s3 = machine.node.cloud.s3_client();
    let ready = machine.node.ready_line();
    let bucket = ready["bucket"].as_str().unwrap();
    let now = std::time::SystemTime::now();
    let (old, soon) = (
        now - Duration::from_secs(86_400),
        now + Duration::from_secs(86_400),
    );
    expire(&s3, bucket, "reports/", old).await.unwrap();
    assert_eq!(kept(&machine).await.0, key);
    expire(&s3, bucket, "reports/", soon).await.unwrap();
    let gone = machine.node.app.objects.get(&key).await;
    assert_eq!(gone, Err(ObjectError::Missing));
    assert_eq!(report(&client, &run, "").await["complete"], false);
    machine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_third_report_of_a_project_has_to_wait_and_other_projects_do_not() {
    let machine = waiting().await;
    let (client, run) = begun(&machine, "demo").await;
    let (other, others) = begun(&machine, "other").await;
    let store = &machine.node.app.store;
    let project: ProjectId = "demo".parse().unwrap();
    let take = async |lease| {
        let now = Timestamp::now();
        store
            .take_turn(&project, "report", 2, now, lease)
            .await
            .unwrap()
    };
    let hour = Duration::from_secs(3_600);
    let first = take(hour).await.unwrap();
    let second = take(hour).await.unwrap();
    assert_eq!(take(hour).await, None);
    let path = format!("/runs/{}/report", id(&run));
    let refused = client.get(&path).await;
    assert_eq!(refused.status, 429, "{}", refused.text);
    assert_eq!(refused.header("retry-after"), Some("2"));
    assert!(
        refused.text.contains("2 reports of this project"),
        "{}",
        refused.text
    );
    report(&other, &others, "").await;
    // What was made is shown all the same.
    store.end_turn(&project, &second).await.unwrap();
    report(&client, &run, "").await;
    let again = take(hour).await.unwrap();
    let (key, mut live) = {
        let s3 = machine.node.cloud.s3_client();
        let ready = machine.node.ready_line();
        let listed = s3
            .list_objects_v2()
            .bucket(ready["bucket"].as_str().unwrap());
        let listed = listed.prefix("reports/demo/").send().await.unwrap();
        let key = listed.contents()[0].key().unwrap().to_owned();
        let bytes = machine.node.app.objects.get(&key).await.unwrap();
        (key, serde_json::from_slice::<Value>(&bytes).unwrap())
    };
    live["fresh_ms"] = json!(600_000);
    put(&machine, &key, &live).await;
    report(&client, &run, "").await;
    // A turn that a crash leaves behind is lost; one that was lost can't be given back.
    store.end_turn(&project, &first).await.unwrap();
    store.end_turn(&project, &again).await.unwrap();
    let dead = take(Duration::ZERO).await.unwrap();
    tokio::time::sleep(Duration::from_millis(5)).await;
    let heir = take(hour).await.unwrap();
    store.end_turn(&project, &dead).await.unwrap();
    let beside = take(hour).await.unwrap();
    assert_ne!(heir, beside);
    assert_eq!(take(hour).await, None);
    machine.stop().await;
}
