//! What a run waits for: told while it does, in words of our own.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use gemini_sim::{Fault, FaultRule, Route};
use serde_json::{Value, json};
use stt_eval_shared::domain::Timestamp;
use stt_eval_tests::{Client, Machine};

use crate::support::{CLOSED_PORT, FLASH, PRO, id, items, machine};

/// Waits until a run waits for something; gives what it says of it.
async fn waiting(machine: &Machine, client: &Client, run: &Value) -> Vec<Value> {
    let path = format!("/runs/{}", id(run));
    machine
        .wait("the run tells what it waits for", async || {
            let run = client.get(&path).await.data(200).clone();
            let waiting = items(&run["waiting"]).clone();
            (!waiting.is_empty()).then_some(waiting)
        })
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_credential_is_told_until_the_unit_is_admitted() {
    let (machine, client) = machine(vec![
        ("MAX_OPEN_BATCHES", "1"),
        ("ADMISSION_PAUSE_SECONDS", "2"),
    ])
    .await;
    let stuck = machine.sim().faults().add(FaultRule::new(Fault::Stuck {
        state: "RUNNING".to_owned(),
    }));
    let dataset = machine
        .dataset(&client, "d", &["one two", "three four"])
        .await;
    let run = machine.run(&client, &dataset, &[PRO, FLASH]).await;
    let path = format!("/runs/{}", id(&run));

    let busy = machine
        .wait("one model is at the provider", async || {
            let batches = machine.sim().batches().await;
            (!batches.is_empty()).then_some(batches)
        })
        .await;
    assert_eq!(busy.len(), 1);
    let told = waiting(&machine, &client, &run).await;
    assert_eq!(told.len(), 1, "{told:?}");
    let held = if busy[0].model == PRO { FLASH } else { PRO };
    assert_eq!(told[0]["provider"], held);
    assert_eq!(told[0]["waiting_reason"], "provider_batches_full");
    assert_eq!(
        told[0]["message"],
        "the provider has as many batches of this project as it takes"
    );
    assert_eq!(told[0]["items"], 2);
    let next: Timestamp = serde_json::from_value(told[0]["next_attempt_at"].clone()).unwrap();
    assert!(next.millis() > Timestamp::now().millis() - 10_000);
    let with_results = client.get(&format!("{path}?include_results=true")).await;
    assert_eq!(items(&with_results.data(200)["waiting"]).len(), 1);
    let listed = client.get("/runs").await;
    let listed = &items(listed.data(200))[0];
    assert!(listed.get("waiting").is_none(), "{listed}");

    // Whatever is written there, clients see words of the contract.
    let db = machine.node.cloud.dynamodb_client();
    let units = db.scan().table_name("units").send().await.unwrap();
    let number = if held == PRO { "p00" } else { "p01" };
    let held_row = |row: &&HashMap<String, AttributeValue>| {
        row["sk"].as_s().is_ok_and(|sk| sk.starts_with(number))
    };
    let row = units.items().iter().find(held_row);
    let row = row.unwrap();
    let write = async |reason: AttributeValue, next: AttributeValue| {
        db.update_item()
            .table_name("units")
            .key("pk", row["pk"].clone())
            .key("sk", row["sk"].clone())
            .update_expression("SET waiting_reason = :reason, not_before = :next")
            .expression_attribute_values(":reason", reason)
            .expression_attribute_values(":next", next)
            .send()
            .await
            .unwrap();
    };
    machine
        .wait("an unknown reason is told as another", async || {
            // Again and again: the unit asks to be admitted meanwhile.
            let text = |text: &str| AttributeValue::S(text.to_owned());
            write(
                text("quota of projects/31415"),
                text("2999-01-01T00:00:00Z"),
            )
            .await;
            let answer = client.get(&path).await;
            let told = &items(&answer.data(200)["waiting"])[0];
            assert!(!answer.text.contains("31415"), "{}", answer.text);
            (told["waiting_reason"] == "other").then_some(())
        })
        .await;
    let now = AttributeValue::S(Timestamp::now().to_string());
    write(AttributeValue::S("provider_batches_full".to_owned()), now).await;

    machine.sim().faults().remove(stuck);
    let ended = machine.ended(&client, &run).await;
    assert_eq!(ended["status"], "completed");
    assert_eq!(ended["waiting"], json!([]), "nothing is left to wait for");
    machine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_provider_s_own_limits_are_told_without_its_words() {
    let (machine, client) = machine(vec![("REFUSAL_PAUSE_SECONDS", "1")]).await;
    let limit = Fault::Status {
        code: 429,
        message: Some("quota of projects/31415 exceeded".to_owned()),
        after_commit: false,
        retry_after: Some(1),
    };
    let rule = FaultRule::new(limit).on(Route::BatchCreate);
    let limit = machine.sim().faults().add(rule);
    let dataset = machine.dataset(&client, "d", &["one two"]).await;
    let run = machine.run(&client, &dataset, &[PRO]).await;
    let told = waiting(&machine, &client, &run).await;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0]["provider"], PRO);
    assert_eq!(told[0]["waiting_reason"], "provider_rate_limited");
    assert!(!format!("{told:?}").contains("31415"));
    machine.sim().faults().remove(limit);
    let ended = machine.ended(&client, &run).await;
    assert_eq!(
        (&ended["status"], &ended["waiting"]),
        (&json!("completed"), &json!([]))
    );
    machine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_that_is_not_reached_is_told_as_such() {
    let (machine, client) = machine(vec![
        ("GEMINI_BASE_URL", CLOSED_PORT),
        ("REFUSAL_PAUSE_SECONDS", "1"),
    ])
    .await;
    let dataset = machine.dataset(&client, "d", &["one two"]).await;
    let run = machine.run(&client, &dataset, &[PRO]).await;
    let path = format!("/runs/{}", id(&run));
    // While it is sent the audio is on its way.
    machine
        .wait(
            "the run tells that the provider is not reached",
            async || {
                let run = client.get(&path).await.data(200).clone();
                let told = items(&run["waiting"]).first()?.clone();
                assert_ne!(told["waiting_reason"], "provider_rate_limited", "{told}");
                (told["waiting_reason"] == "provider_unreachable").then(|| {
                    assert_eq!(told["message"], "the provider could not be reached");
                    assert!(told["next_attempt_at"].is_string(), "{told}");
                })
            },
        )
        .await;
    machine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unconfirmed_submission_is_told_until_it_is_found() {
    let (machine, client) = machine(vec![("SUBMISSION_GRACE_SECONDS", "6")]).await;
    let rule = FaultRule::new(Fault::LoseReply).on(Route::BatchCreate);
    machine.sim().faults().add(rule.times(1));
    let dataset = machine.dataset(&client, "d", &["one two"]).await;
    let run = machine.run(&client, &dataset, &[PRO]).await;
    let told = waiting(&machine, &client, &run).await;
    assert_eq!(told[0]["waiting_reason"], "submission_unconfirmed");
    assert_eq!(told[0]["items"], 1);
    let ended = machine.ended(&client, &run).await;
    assert_eq!(
        (&ended["status"], &ended["waiting"]),
        (&json!("completed"), &json!([]))
    );
    machine.stop().await;
}
