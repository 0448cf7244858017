//! A vendor that nothing of the product knows, beside one that it has, from
//! credentials to a report.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that can't go on has failed; the exception for tests does not cover helpers"
)]

mod by_role;
mod hosted;
mod jobs;
mod local;
mod lossless;
mod own;

use serde_json::{Value, json};
use stt_eval_tests::audio::wav;
use stt_eval_tests::{Client, Machine, MachineOptions, echo};

const PRO: &str = "gemini-2.5-pro";
const ECHO: &str = "echo-1";
/// Answers each item in its call.
const HEARD: &str = echo::calls::ECHO;

/// A machine with a few vendors more.
async fn machine() -> (Machine, Client) {
    let machine = Machine::start_with(MachineOptions {
        vendors: [echo::vendors(), vec![&echo::RETIRED_CLIENT]].concat(),
        ..MachineOptions::default()
    })
    .await;
    let client = machine.client("demo");
    (machine, client)
}

fn of<'a>(list: &'a Value, field: &str, value: &str) -> Vec<&'a Value> {
    let list = list.as_array().unwrap().iter();
    list.filter(|entry| entry[field] == value).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_of_jobs_and_calls_of_several_vendors_comes_to_its_report() {
    let (machine, client) = machine().await;

    // The catalogue has it, and it wants credentials of its own.
    let listed = client.get("/providers").await;
    let entry = of(listed.data(200), "id", ECHO)[0].clone();
    assert_eq!(
        (&entry["provider"], &entry["has_credentials"]),
        (&json!("echo"), &json!(false))
    );
    assert_eq!(entry["languages"], json!(["en", "hi"]));
    let dataset = machine
        .dataset(&client, "d", &["one two", "three", "four"])
        .await;
    let both = json!({ "run_name": "r", "dataset_id": dataset, "providers": [PRO, ECHO] });
    assert_eq!(
        client.post("/runs", &both).await.refused(422),
        ["providers[1]"]
    );

    // What is not served any more is shown, and refused before anything is spent.
    let retired = echo::RETIRED.models[0].id;
    let shown = of(listed.data(200), "id", retired)[0];
    assert_eq!(shown["retires_at"], "2020-01-01", "{shown}");
    let asked = json!({ "run_name": "r", "dataset_id": dataset, "providers": [PRO, retired] });
    for path in ["/runs", "/runs/estimate"] {
        let refused = client.post(path, &asked).await;
        assert_eq!(refused.refused(422), ["providers[1]"], "{path}");
        assert!(
            refused
                .text
                .contains("any more by its provider, since 2020-01-01 (UTC)"),
            "{}",
            refused.text
        );
    }
    let wrong = client
        .put("/credentials/echo", &json!({ "api_key": "of-another" }))
        .await;
    assert_eq!(wrong.refused(422), ["api_key"]);
    let kept = client
        .put("/credentials/echo", &json!({ "api_key": "echo-key-1" }))
        .await;
    assert_eq!(kept.data(200)["provider"], "echo");

    let kept = client
        .put(
            "/credentials/echo-calls",
            &json!({ "api_key": "calls-key-1" }),
        )
        .await;
    assert_eq!(kept.data(200)["provider"], "echo-calls");

    let run = machine.run(&client, &dataset, &[PRO, ECHO, HEARD]).await;
    let run = machine.ended(&client, &run).await;
    assert_eq!(run["status"], "completed", "{run}");
    let id = run["id"].as_str().unwrap();
    let path = format!("/runs/{id}/results?limit=100");
    let results = client.get(&path).await.data(200).clone();
    for pro in of(&results, "provider", PRO) {
        assert_eq!(pro["transcription"], pro["ground_truth"]);
    }
    let echoes = of(&results, "provider", ECHO);
    assert_eq!(echoes.len(), 3);
    for echo in echoes {
        let file = echo["file_id"].as_str().unwrap();
        assert_eq!(
            echo["transcription"],
            json!(format!("{file}.wav")),
            "{echo}"
        );
        // Half a second, billed as ten.
        assert!(
            (echo["cost_usd"].as_f64().unwrap() - 0.01).abs() < 1e-9,
            "{echo}"
        );
    }
    let heard = of(&results, "provider", HEARD);
    assert_eq!(heard.len(), 3);
    assert!(
        heard
            .iter()
            .all(|one| one["transcription"].as_str().unwrap().len() == 8),
        "{heard:?}"
    );
    let paid = echo::calls::paid("calls-key-1");
    assert_eq!(paid.values().sum::<u32>(), 3, "{paid:?}");
    let report = client.get(&format!("/runs/{id}/report")).await;
    let report = report.data(200);
    let models = report["providers"].as_array().unwrap();
    assert_eq!(models.len(), 3, "{report}");
    assert!(
        models.iter().all(|model| model["completed"] == 3),
        "{report}"
    );

    machine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_vendor_without_a_key_is_asked_without_one() {
    let (machine, client) = machine().await;
    let listed = client.get("/providers").await;
    let entry = of(listed.data(200), "id", "echo-open-1")[0].clone();
    assert_eq!(entry["has_credentials"], true);
    let dataset = machine.dataset(&client, "d", &["one"]).await;
    let run = machine.run(&client, &dataset, &["echo-open-1"]).await;
    let run = machine.ended(&client, &run).await;
    assert_eq!(
        (&run["status"], &run["counts"]["completed"]),
        (&json!("completed"), &json!(1)),
        "{run}"
    );
    machine.stop().await;
}

/// The page of a run, as somebody sees it who has signed in.
async fn page_of(machine: &Machine, run: &str) -> String {
    let base = &machine.node.url;
    let http = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let mut form = reqwest::Url::parse("form:").unwrap();
    let fields = [
        ("key", machine.node.api_keys["demo"].as_str()),
        ("name", "Asha"),
    ];
    form.query_pairs_mut().extend_pairs(fields);
    let signed_in = http
        .post(format!("{base}/sign-in"))
        .header("origin", base)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form.query().unwrap_or_default().to_owned());
    let signed_in = signed_in.send().await.unwrap();
    let cookie = signed_in.headers()["set-cookie"].to_str().unwrap();
    let cookie = cookie.split(';').next().unwrap();
    let page = http
        .get(format!("{base}/runs/{run}"))
        .header("cookie", cookie);
    page.send().await.unwrap().text().await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_model_does_not_take_is_told() {
    let (machine, client) = machine().await;
    client
        .put("/credentials/echo", &json!({ "api_key": "echo-key-1" }))
        .await
        .data(200);
    let short = wav(1, 0.5);
    let long = wav(2, 61.0);
    let mut samples = Vec::new();
    for (name, audio) in [("short.wav", &short), ("long.wav", &long)] {
        let file = machine.upload(&client, name, "audio/wav", audio).await;
        samples.push(json!({ "file_id": file["id"], "ground_truth": "x" }));
    }
    let set =
        |language: &str| json!({ "name": language, "language": language, "samples": samples });
    let tamil = client.post("/datasets", &set("ta")).await.data(201)["id"].clone();
    let refused = json!({ "run_name": "r", "dataset_id": tamil, "providers": [ECHO] });
    assert_eq!(
        client.post("/runs", &refused).await.refused(422),
        ["providers[0]"]
    );
    let english = client.post("/datasets", &set("en")).await.data(201)["id"].clone();
    for (field, value) in [
        ("prompt", json!("Write {language}")),
        ("temperature", json!(0.5)),
    ] {
        let asked = json!({
            "run_name": "r", "dataset_id": english, "providers": [ECHO], "config": { field: value },
        });
        let answer = client.post("/runs", &asked).await;
        assert_eq!(answer.refused(422), [format!("config.{field}")]);
    }
    // It is told before, when it begins, and in the end.
    let asked = json!({ "run_name": "r", "dataset_id": english, "providers": [ECHO] });
    let told = client
        .post("/runs/estimate", &asked)
        .await
        .data(200)
        .clone();
    assert_eq!(told["models"][0]["items"], 2);
    assert_eq!(told["models"][0]["unsupported"], 1, "{told}");
    let why = told["models"][0]["unsupported_why"].as_str().unwrap();
    assert!(why.contains("s at most"), "{why}");
    let run = machine
        .run(&client, english.as_str().unwrap(), &[ECHO])
        .await;
    let warning = &run["warnings"][0];
    assert_eq!(warning["code"], "unsupported_by_model");
    assert_eq!(
        (&warning["model"], &warning["count"]),
        (&json!(ECHO), &json!(1))
    );
    let run = machine.ended(&client, &run).await;
    assert_eq!(run["counts"]["failed"], 1, "{run}");
    let path = format!(
        "/runs/{}/results?status=failed",
        run["id"].as_str().unwrap()
    );
    let failed = client.get(&path).await.data(200).clone();
    assert_eq!(failed[0]["error_code"], "unsupported_by_model", "{failed}");
    // Asked again it would be the same, so nobody is told to.
    let report = format!("/runs/{}/report", run["id"].as_str().unwrap());
    let report = client.get(&report).await.data(200).clone();
    let warned = report["warnings"].as_array().unwrap().iter();
    let warned = warned.clone().find(|one| one["code"] == "service_failures");
    let message = warned.unwrap()["message"].as_str().unwrap();
    assert!(message.contains("can't take 1 of 2 clips"), "{message}");
    assert!(!message.contains("retry"), "{message}");
    let page = page_of(&machine, run["id"].as_str().unwrap()).await;
    assert!(
        page.contains(">Score again<") && !page.contains("Retry failed"),
        "{page}"
    );
    // Not the model's failure: it is left out of its score.
    assert_eq!(run["score"][ECHO]["failed_by_model"], 0, "{run}");
    let only = json!({ "name": "only", "language": "en", "samples": [samples[1]] });
    let only = client.post("/datasets", &only).await.data(201)["id"].clone();
    let asked = json!({ "run_name": "r", "dataset_id": only, "providers": [ECHO] });
    let refused = client.post("/runs", &asked).await;
    assert_eq!(refused.refused(422), ["providers[0]"]);
    assert!(refused.text.contains("at most"), "{}", refused.text);
    machine.stop().await;
}
