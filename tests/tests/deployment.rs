//! What a deployment has that a machine of one's own has not: operators who
//! make projects through the `poll` function, metrics on standard output, and
//! events that are none.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that can't go on has failed; the exception for tests does not cover helpers"
)]

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_lambda_events::event::sqs::SqsEvent;
use serde_json::{Value, json};
use speech_sim::Fault;
use stt_eval_shared::{Deadline, cloudwatch, emf};
use stt_eval_tests::{Client, Machine, MachineOptions};

fn deadline() -> Deadline {
    Deadline::after(Duration::from_secs(60))
}

async fn operator(machine: &Machine, request: Value) -> Value {
    poll::handle(
        json!({ "operator": request }),
        &machine.node.app,
        deadline(),
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_makes_the_first_project_and_its_key() {
    let machine = Machine::start().await;
    let made = operator(
        &machine,
        json!({ "action": "create_project", "project": "acme" }),
    )
    .await;
    assert_eq!(
        (&made["project"], &made["created"]),
        (&json!("acme"), &json!(true))
    );
    let again = operator(
        &machine,
        json!({ "action": "create_project", "project": "acme" }),
    )
    .await;
    assert_eq!(again["created"], json!(false));
    assert_eq!(
        again["inserted_at"], made["inserted_at"],
        "the same project"
    );
    let request =
        json!({ "action": "create_key", "project": "acme", "name": "first", "role": "admin" });
    let key = operator(&machine, request).await;
    assert_eq!(
        (&key["name"], &key["role"]),
        (&json!("first"), &json!("admin"))
    );
    let client = Client::new(&machine.node.url, key["key"].as_str());
    // It is an admin's: it makes further keys, and finds itself among them.
    let more = client
        .post(
            "//api/v1/keys",
            &json!({ "name": "second", "role": "viewer" }),
        )
        .await;
    let _ = more.data(201);
    let listed = client.get("//api/v1/keys").await;
    let names: Vec<_> = listed
        .data(200)
        .as_array()
        .unwrap()
        .iter()
        .map(|k| &k["name"])
        .collect();
    assert_eq!(names, ["second", "first"]);
    assert!(
        !listed.text.contains(key["key"].as_str().unwrap()),
        "told once"
    );
    machine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_operator_gets_wrong_is_named_and_changes_nothing() {
    let machine = Machine::start().await;
    for (request, named) in [
        (
            json!({ "action": "create_key", "project": "nobody", "name": "n", "role": "admin" }),
            "nobody",
        ),
        (
            json!({ "action": "create_key", "project": "demo", "name": " ", "role": "admin" }),
            "name",
        ),
        (
            json!({ "action": "create_key", "project": "demo", "name": "n", "role": "root" }),
            "admin",
        ),
        (
            json!({ "action": "create_key", "project": "demo", "name": "n" }),
            "role",
        ),
        (
            json!({ "action": "create_project", "project": "No/Name" }),
            "project",
        ),
        (json!({ "action": "drop_tables" }), "create_project"),
        (json!({}), "action"),
        (json!(null), "create_project"),
        (json!([1, 2]), "create_project"),
    ] {
        let answer = operator(&machine, request.clone()).await;
        let error = answer["error"].as_str().unwrap_or_default();
        assert!(error.contains(named), "{request}: {answer}");
        assert_eq!(answer.as_object().unwrap().len(), 1, "{answer}");
    }
    let keys = machine.client("demo").get("//api/v1/keys").await;
    assert_eq!(keys.data(200).as_array().unwrap().len(), 1);
    machine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_events_do_no_harm() {
    let machine = Machine::start().await;
    let app = &machine.node.app;
    for event in [
        json!(null),
        json!({}),
        json!("{}"),
        json!([]),
        json!(0),
        json!({ "detail": { "operator": { "action": "create_project", "project": "x" } } }),
    ] {
        assert_eq!(poll::handle(event, app, deadline()).await, Value::Null);
    }
    let test_event = json!({
        "Service": "Amazon S3", "Event": "s3:TestEvent", "Time": "2026-11-23T15:00:00.000Z",
        "Bucket": "b", "RequestId": "r", "HostId": "h",
    });
    let odd_record = json!({ "Records": [{ "eventName": "ObjectRemoved:Delete",
        "s3": { "bucket": { "name": "b" }, "object": { "key": "audio/x" } } }] });
    let bodies = [
        Some(test_event.to_string()),
        Some(odd_record.to_string()),
        Some("{\"Records\":[{}]}".to_owned()),
        Some("not json".to_owned()),
        Some(String::new()),
        None,
    ];
    let mut event = SqsEvent::default();
    for handled in [
        register::handle(event.clone(), app).await,
        submit::handle(event.clone(), app, deadline()).await,
    ] {
        assert!(handled.batch_item_failures.is_empty(), "an empty batch");
    }
    for (number, body) in bodies.into_iter().enumerate() {
        let mut message = aws_lambda_events::event::sqs::SqsMessage::default();
        message.message_id = Some(number.to_string());
        message.body = body;
        event.records.push(message);
    }
    // What could be an upload that nothing else tells of becomes a dead letter,
    // each message for itself.
    let registered = register::handle(event.clone(), app).await;
    let failed: Vec<String> = registered
        .batch_item_failures
        .into_iter()
        .map(|failure| failure.item_identifier)
        .collect();
    assert_eq!(failed, ["1", "2", "3", "4", "5"]);
    // A message to submit only points at work, which is found without it.
    let submitted = submit::handle(event, app, deadline()).await;
    assert!(submitted.batch_item_failures.is_empty());
    machine.stop().await;
}

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Captured {
    /// Values of a metric, of one run or of all.
    fn of(&self, metric: &str, run: Option<&str>) -> Vec<Value> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        let lines = text
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines
            .filter(|line| !line[metric].is_null())
            .filter(|line| run.is_none_or(|run| line["run_id"] == json!(run)))
            .collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_leaves_its_metrics() {
    let captured = Captured::default();
    emf::enable("test", Box::new(captured.clone()));
    let options = MachineOptions {
        projects: vec!["metrics"],
        ..MachineOptions::default()
    };
    let machine = Machine::start_with(options).await;
    let client = machine.client("metrics");
    let dataset = machine
        .dataset(&client, "d", &["one two", "three four"])
        .await;
    let run = machine.run(&client, &dataset, &["gemini-2.5-pro"]).await;
    let id = run["id"].as_str().unwrap();
    let ended = machine.ended(&client, &run).await;
    assert_eq!(ended["status"], json!("completed"), "{ended}");
    let sum = |metric: &str| {
        let lines = captured.of(metric, Some(id));
        lines
            .iter()
            .map(|line| line[metric].as_f64().unwrap())
            .sum::<f64>()
    };
    // The metric is written after the run; a moment may lie between.
    machine
        .wait("the run's end is told", async || {
            (sum("RunsFinished") > 0.0).then_some(())
        })
        .await;
    assert_eq!(sum("RunsAccepted"), 1.0);
    assert_eq!(sum("RunsFinished"), 1.0);
    assert_eq!(sum("ItemsCompleted"), 2.0);
    assert_eq!(sum("ItemsFailed"), 0.0);
    assert!(sum("CostUsd") > 0.0 && sum("ProviderLatency") > 0.0);
    machine
        .wait("a poll told", async || {
            (!captured.of("OldestUnfinishedRun", None).is_empty()).then_some(())
        })
        .await;
    // What only a person can put right is told for the alarm: before something is paid for,
    // and while it runs at the vendor.
    for (step, model) in [
        ("openai", "openai/gpt-transcribe"),
        ("sarvam/status", "sarvam/saaras-v4"),
    ] {
        let refused = Fault::Refuse {
            status: 403,
            headers: Default::default(),
            body: r#"{"error":{"message":"m","code":"invalid_api_key_error"}}"#.to_owned(),
        };
        machine.speech().fault(step, refused);
        let run = machine.run(&client, &dataset, &[model]).await;
        let ended = machine.ended(&client, &run).await;
        assert_eq!(ended["counts"]["failed"], 0, "{ended}");
        let told = captured.of("ActionNeeded", run["id"].as_str());
        let codes: Vec<&Value> = told.iter().map(|line| &line["Code"]).collect();
        assert_eq!(codes, ["credentials_refused"], "{step}");
    }
    for metric in cloudwatch::ALL {
        for line in captured.of(metric.name, None) {
            let definition = &line["_aws"]["CloudWatchMetrics"][0];
            assert_eq!(definition["Namespace"], json!(emf::NAMESPACE));
            let mut dimensions = vec!["Stack"];
            dimensions.extend(metric.by);
            let mut sets = vec![dimensions.clone()];
            if metric.total {
                sets.push(vec!["Stack"]);
            }
            assert_eq!(definition["Dimensions"], json!(sets), "{line}");
            assert!(
                dimensions.iter().all(|name| line[name].is_string()),
                "{line}"
            );
            let metrics = definition["Metrics"].as_array().unwrap();
            let wanted = json!({ "Name": metric.name, "Unit": metric.unit });
            assert!(metrics.contains(&wanted), "{line}");
        }
    }
    machine.stop().await;
}
