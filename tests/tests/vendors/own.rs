//! Models of a project's own, through public doors only.

use serde_json::{Value, json};
use speech_sim::Fault;
use stt_eval_shared::store::own_models::Creation;
use stt_eval_tests::{Client, Machine, MachineOptions};

use super::hosted::{dataset, results};

/// A machine whose projects may have models on it.
async fn machine() -> (Machine, Client) {
    let machine = Machine::start_with(MachineOptions {
        own_models_on_loopback: true,
        settings: vec![("REFUSAL_PAUSE_SECONDS", "0.2")],
        ..MachineOptions::default()
    })
    .await;
    let client = machine.client("demo");
    (machine, client)
}

fn server(machine: &Machine, name: &str) -> String {
    let servers = machine.speech().server_urls();
    let found = servers.into_iter().find(|(server, _)| *server == name);
    found.unwrap().1
}

/// Makes a model of a server of the doubles; gives its id.
async fn own(machine: &Machine, client: &Client, dialect: &str, more: Value) -> String {
    let mut body = json!({
        "name": dialect,
        "base_url": server(machine, dialect),
        "model": "openai/whisper-small",
        "dialect": dialect,
    });
    for (field, value) in more.as_object().unwrap() {
        body[field] = value.clone();
    }
    let made = client.post("/models", &body).await;
    made.data(201)["id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_of_every_dialect_are_models_of_a_run() {
    let (machine, client) = machine().await;
    let speaches = json!({ "model": "Systran/faster-whisper-small", "api_key": "key-1" });
    let priced = json!({ "api_key": "key-2", "price_per_audio_hour": 36.0, "currency": "INR" });
    let models = [
        own(&machine, &client, "vllm", json!({})).await,
        own(&machine, &client, "whisper.cpp", json!({})).await,
        own(&machine, &client, "speaches", speaches).await,
        own(&machine, &client, "azure", priced).await,
    ];
    // No answer tells a key.
    let listed = client.get("/models").await;
    assert_eq!(listed.data(200).as_array().unwrap().len(), 4);
    assert!(!listed.text.contains("key-1"), "{}", listed.text);
    let shown = client.get("/models/speaches").await.data(200).clone();
    assert_eq!(shown["has_api_key"], true, "{shown}");
    let shown = client.get("/models/whisper.cpp").await.data(200).clone();
    assert_eq!(
        (&shown["at_once"], &shown["has_api_key"]),
        (&json!(1), &json!(false))
    );
    let catalogue = client.get("/providers").await.data(200).clone();
    let mut entries = catalogue.as_array().unwrap().iter();
    let entry = entries.find(|one| one["id"] == models[3]);
    let entry = entry.unwrap();
    assert_eq!(
        (&entry["mode"], &entry["price"]["currency"]),
        (&json!("calls"), &json!("INR"))
    );

    let dataset = dataset(&machine, &client, "d", &["one two", "three"]).await;
    let asked = json!({ "run_name": "r", "dataset_id": dataset, "providers": models });
    let told = client.post("/runs/estimate", &asked).await;
    let estimated = told.data(200)["cost_usd"].as_f64().unwrap();
    // One second of audio at 36 rupees an hour.
    assert!((estimated - 0.000_115).abs() < 1e-6, "{estimated}");
    let ids: Vec<&str> = models.iter().map(String::as_str).collect();
    let run = machine.run(&client, &dataset, &ids).await;
    // What the run began with holds, but for the key.
    let change = json!({ "api_key": "key-3", "price_per_audio_hour": null });
    let changed = client.put("/models/azure", &change).await;
    assert_eq!(changed.data(200)["price_per_audio_hour"], 0.0);
    let run = machine.ended(&client, &run).await;
    assert_eq!(run["counts"]["completed"], 8, "{run}");
    for result in results(&client, &run).await {
        assert_eq!(result["transcription"], result["ground_truth"], "{result}");
        let free = result["provider"] != models[3];
        assert_eq!(result["cost_usd"] == 0.0, free, "{result}");
    }
    let ledger = machine.speech().ledger();
    assert_eq!((ledger.charges.len(), ledger.most_for_one()), (8, 1));
    for charge in &ledger.charges {
        let keys: &[&str] = match &*charge.vendor {
            "speaches" => &["key-1"],
            "azure" => &["key-2", "key-3"],
            _ => &[""],
        };
        assert!(keys.contains(&&*charge.account), "{charge:?}");
    }
    // A run that has ended goes on showing what is deleted.
    let gone = client.delete("/models/azure").await;
    assert_eq!(gone.data(200)["deleted"], true);
    client.get("/models/azure").await.refused(404);
    let path = format!("/runs/{}", run["id"].as_str().unwrap());
    let report = client
        .get(&format!("{path}/report"))
        .await
        .data(200)
        .clone();
    assert_eq!(report["providers"].as_array().unwrap().len(), 4, "{report}");
    let refused = client.post("/runs", &asked).await;
    assert_eq!(refused.refused(422), ["providers[3]"]);
    machine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_costs_nothing_is_asked_again_and_what_costs_is_left_to_people() {
    let (machine, client) = machine().await;
    let free = own(&machine, &client, "vllm", json!({})).await;
    let dear = json!({ "api_key": "k", "price_per_audio_hour": 1.0 });
    let dear = own(&machine, &client, "azure", dear).await;
    let dataset = dataset(&machine, &client, "d", &["one two"]).await;
    for _ in 0..2 {
        machine.speech().fault("vllm", Fault::LostReply);
    }
    machine.speech().fault("azure", Fault::LostReply);
    let run = machine.run(&client, &dataset, &[&*free, &*dear]).await;
    let id = run["id"].as_str().unwrap().to_owned();
    let run = machine.ended(&client, &run).await;
    assert_eq!(run["counts"]["completed"], 1, "{run}");
    assert_eq!(run["warnings"], json!([]));
    let found = results(&client, &run).await;
    let failed: Vec<&Value> = found
        .iter()
        .filter(|one| one["status"] == "failed")
        .collect();
    assert_eq!(failed[0]["provider"], dear);
    assert_eq!(failed[0]["error_code"], "outcome_unknown", "{failed:?}");
    let charged = |vendor: &str| {
        let ledger = machine.speech().ledger();
        ledger
            .charges
            .iter()
            .filter(|one| one.vendor == vendor)
            .count()
    };
    assert_eq!((charged("vllm"), charged("azure")), (3, 1));
    // People ask again, and are told what that may cost.
    let retried = client.post(&format!("/runs/{id}/retry"), &json!({})).await;
    let retried = retried.data(202).clone();
    let warning = &retried["warnings"][0];
    assert_eq!(warning["code"], "may_be_charged_twice", "{retried}");
    assert_eq!(
        (&warning["model"], &warning["count"]),
        (&json!(dear), &json!(1))
    );
    let run = machine.ended(&client, &retried).await;
    assert_eq!(run["counts"]["completed"], 2, "{run}");
    assert_eq!((charged("vllm"), charged("azure")), (3, 2));

    // Three repeats and no more.
    for _ in 0..5 {
        machine.speech().fault("vllm", Fault::LostReply);
    }
    let run = machine.run(&client, &dataset, &[&*free]).await;
    let run = machine.ended(&client, &run).await;
    assert_eq!(run["counts"]["failed"], 1, "{run}");
    assert_eq!(charged("vllm"), 3 + 4);

    // A cap holds for its price as for any other.
    let body = json!({
        "run_name": "r", "dataset_id": dataset, "providers": [dear], "max_cost_usd": 0.000_001,
    });
    let capped = client.post("/runs", &body).await.data(202).clone();
    let capped = machine.ended(&client, &capped).await;
    let held = results(&client, &capped).await;
    assert_eq!(held[0]["error_code"], "cost_cap_reached", "{held:?}");

    // Deleted, and then made anew elsewhere: nothing is sent there, and the reason is told.
    let path = format!("/runs/{}/retry", run["id"].as_str().unwrap());
    let elsewhere = format!("{}/elsewhere", server(&machine, "vllm"));
    client.delete("/models/vllm").await.data(200);
    for made_anew in [false, true] {
        if made_anew {
            own(&machine, &client, "vllm", json!({ "base_url": elsewhere })).await;
        }
        let again = client.post(&path, &json!({})).await.data(202).clone();
        let again = machine.ended(&client, &again).await;
        let failed = results(&client, &again).await;
        assert_eq!(failed[0]["error_code"], "own_model_gone", "{failed:?}");
    }
    assert_eq!((charged("vllm"), charged("azure")), (3 + 4, 2));
    machine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_model_that_an_unfinished_run_uses_stays() {
    let (machine, client) = machine().await;
    let vllm = own(&machine, &client, "vllm", json!({})).await;
    let dataset = dataset(&machine, &client, "d", &["one two"]).await;
    let later = Fault::Refuse {
        status: 429,
        headers: [("retry-after".to_owned(), "60".to_owned())].into(),
        body: String::new(),
    };
    machine.speech().fault("vllm", later);
    let run = machine.run(&client, &dataset, &[&*vllm]).await;
    let path = format!("/runs/{}", run["id"].as_str().unwrap());
    client.delete("/models/vllm").await.refused(409);
    client
        .post(&format!("{path}/cancel"), &json!({}))
        .await
        .data(200);
    client.delete("/models/vllm").await.data(200);
    machine.stop().await;
}

/// Waits until the first thing that a run waits for is this.
async fn waits(machine: &Machine, client: &Client, run: &Value, reason: &str) {
    let path = format!("/runs/{}", run["id"].as_str().unwrap());
    machine
        .wait(reason, async || {
            let run = client.get(&path).await.data(200).clone();
            let waiting = run["waiting"].as_array().unwrap().first()?.clone();
            (waiting["waiting_reason"] == reason).then_some(())
        })
        .await;
}

/// What waits for a model, in pauses of an hour, tells why, and goes on at once with another key.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_for_a_model_tells_why_and_another_key_wakes_it() {
    let machine = Machine::start_with(MachineOptions {
        own_models_on_loopback: true,
        settings: vec![
            ("REFUSAL_PAUSE_SECONDS", "3600"),
            ("CALL_TIMEOUT_SECONDS", "4"),
        ],
        ..MachineOptions::default()
    })
    .await;
    let client = machine.client("demo");
    let speaches = json!({ "model": "Systran/faster-whisper-small", "api_key": "wrong-key" });
    let model = own(&machine, &client, "speaches", speaches).await;
    let dataset = dataset(&machine, &client, "d", &["one two"]).await;
    let run = machine.run(&client, &dataset, &[&*model]).await;
    waits(&machine, &client, &run, "provider_key_refused").await;
    let key = json!({ "api_key": "key-1" });
    client.put("/models/speaches", &key).await.data(200);
    let run = machine.ended(&client, &run).await;
    assert_eq!(run["counts"]["completed"], 1, "{run}");

    // What the old key was told counts for no other: neither "come back in an hour" nor
    // a lost answer.
    let limited = Fault::Refuse {
        status: 429,
        headers: [("retry-after".to_owned(), "3600".to_owned())].into(),
        body: "{}".to_owned(),
    };
    let troubles = [
        (limited, "provider_rate_limited"),
        (Fault::LostRequest, "provider_unreachable"),
    ];
    for (trouble, reason) in troubles {
        machine.speech().fault("speaches", trouble);
        let run = machine.run(&client, &dataset, &[&*model]).await;
        waits(&machine, &client, &run, reason).await;
        client.put("/models/speaches", &key).await.data(200);
        let run = machine.ended(&client, &run).await;
        assert_eq!(run["counts"]["completed"], 1, "{reason}: {run}");
    }

    // It answers, but not with a transcription: its address may be a page's.
    let vllm = own(&machine, &client, "vllm", json!({ "at_once": 1 })).await;
    let body = "<html>ok</html>".to_owned();
    machine.speech().fault("vllm", Fault::Lie { body });
    let run = machine.run(&client, &dataset, &[&*vllm]).await;
    waits(&machine, &client, &run, "answer_unusable").await;
    let path = format!("/runs/{}/cancel", run["id"].as_str().unwrap());
    client.post(&path, &json!({})).await.data(200);

    // It takes one call at once, and that one hangs until its time is over.
    let heard = machine.speech().ledger().charges.len();
    machine.speech().fault("vllm", Fault::Silence);
    let hangs = machine.run(&client, &dataset, &[&*vllm]).await;
    let is_heard = async || (machine.speech().ledger().charges.len() > heard).then_some(());
    machine.wait("the call is under way", is_heard).await;
    let run = machine.run(&client, &dataset, &[&*vllm]).await;
    waits(&machine, &client, &run, "provider_calls_full").await;
    let run = machine.ended(&client, &run).await;
    assert_eq!(run["counts"]["completed"], 1, "{run}");
    waits(&machine, &client, &hangs, "provider_unreachable").await;

    // One that answers a byte a second has no more time than one that is silent, and holds
    // up nobody else.
    let body = r#"{"text": "as slow as this"}"#.to_owned();
    machine.speech().fault("vllm", Fault::Drip { body });
    let drips = machine.run(&client, &dataset, &[&*vllm, &*model]).await;
    waits(&machine, &client, &drips, "provider_unreachable").await;
    let path = format!("/runs/{}", drips["id"].as_str().unwrap());
    let told = client.get(&path).await.data(200).clone();
    assert_eq!(told["counts"]["completed"], 1, "{told}");
    machine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_with_a_model_is_named() {
    let machine = Machine::start().await;
    let client = machine.client("demo");
    let good = json!({ "name": "mine", "base_url": "https://8.8.8.8/v1", "model": "m" });
    let many: Vec<&str> = vec!["hi"; 40];
    for (field, value, status) in [
        ("name", json!("Mine"), 422),
        ("name", json!("a/b"), 422),
        ("model", json!(""), 422),
        ("base_url", json!("http://8.8.8.8/v1"), 422),
        ("base_url", json!("http://127.0.0.1:8000/v1"), 422),
        ("base_url", json!("https://localhost/v1"), 422),
        ("base_url", json!("https://2130706433/v1"), 422),
        ("base_url", json!("https://0x7f.1/v1"), 422),
        ("base_url", json!("https://169.254.169.254/latest"), 422),
        ("base_url", json!("https://[::ffff:10.0.0.1]/v1"), 422),
        ("base_url", json!("https://user:secret@8.8.8.8/v1"), 422),
        ("base_url", json!("https://8.8.8.8/v1#x"), 422),
        ("base_url", json!("https://8.8.8.8/v1?key=x"), 422),
        (
            "base_url",
            json!("https://8.8.8.8/v1/audio/transcriptions"),
            422,
        ),
        ("api_key", json!(""), 422),
        ("dialect", json!("klingon"), 422),
        ("dialect", json!(7), 422),
        ("dialect", json!({ "pth": "/x" }), 400),
        ("dialect", json!({ "path": "/../x" }), 422),
        ("dialect", json!({ "auth": "cookie" }), 422),
        ("languages", json!([]), 422),
        ("languages", json!(["hi", "hi"]), 422),
        ("languages", json!(["tlh"]), 422),
        ("languages", json!(many), 422),
        ("formats", json!(["aiff"]), 422),
        ("max_bytes", json!(0), 422),
        ("max_seconds", json!(7_201), 422),
        ("price_per_audio_hour", json!(-1), 422),
        ("currency", json!("XXX"), 422),
        ("at_once", json!(65), 422),
        ("another", json!(1), 400),
    ] {
        let mut body = good.clone();
        body[field] = value.clone();
        let fields = client.post("/models", &body).await.refused(status).clone();
        assert_eq!(fields.len(), 1, "{field} {value}: {fields:?}");
        assert!(fields[0].starts_with(field), "{value}: {fields:?}");
    }
    assert_eq!(client.get("/models").await.data(200), &json!([]));
    // Nothing of a credential in another door, and no other project's.
    client.post("/models", &good).await.data(201);
    client.post("/models", &good).await.refused(409);
    client.get("/credentials/custom%2Fmine").await.refused(404);
    client.get("/credentials/custom").await.refused(404);
    let other = machine.client("other");
    other.get("/models/mine").await.refused(404);
    let run = json!({ "run_name": "r", "dataset_id": "ds_01KAR8F3V4N7C3Q8Z5W2Y0H6M1",
        "providers": ["custom/mine"] });
    let fields = other.post("/runs", &run).await.refused(422).clone();
    assert!(fields.contains(&"providers[0]".to_owned()), "{fields:?}");

    // A hundred and no more, however many are made at once.
    let (store, project) = (&machine.node.app.store, "demo".parse().unwrap());
    let mut record = store.own_model(&project, "mine").await.unwrap().unwrap();
    for number in 0..97 {
        record.endpoint.name = format!("n{number}");
        let made = store.create_own_model(&project, &record, None, None).await;
        assert_eq!(made.unwrap(), Creation::Made);
    }
    let last = ["a1", "a2", "z1", "z2", "z3"].map(async |name| {
        let mut body = good.clone();
        body["name"] = json!(name);
        client.post("/models", &body).await.status
    });
    let mut told = futures::future::join_all(last).await;
    told.sort_unstable();
    assert_eq!(told, [201, 201, 409, 409, 409]);
    let listed = client.get("/models").await;
    assert_eq!(listed.data(200).as_array().unwrap().len(), 100);
    machine.stop().await;
}
