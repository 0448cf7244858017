//! Strict readings, concurrency and shutting down.

use std::time::Duration;

use gemini_sim::{Fault, FaultRule, GeminiSim, Recording, Route, SimConfig};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::rig::{MODEL, Rig, config, id, line};

#[tokio::test]
async fn files_must_be_active() {
    let rig = Rig::with(SimConfig {
        batch_delay: Duration::ZERO,
        ..config()
    })
    .await;
    rig.fault(FaultRule::new(Fault::FileProcessing { millis: 60_000 }).display_name("slow"));
    let audio = rig.audio("slow").await;
    let input = rig
        .upload(
            "slow input",
            "application/jsonl",
            line("a", &audio).as_bytes(),
        )
        .await;
    let refused = rig.create_request("x", &input).send().await.unwrap();
    assert_eq!(refused.status(), 400);
    let ended = rig
        .done(
            &rig.create("x", &rig.jsonl(&[line("a", &audio)]).await)
                .await,
        )
        .await;
    let row: Value = serde_json::from_slice(&rig.output(&ended).await).unwrap();
    assert_eq!(row["error"]["code"], 9);
    rig.sim.advance(Duration::from_secs(60));
    assert_eq!(
        rig.create_request("x", &input)
            .send()
            .await
            .unwrap()
            .status(),
        200
    );
}

#[tokio::test]
async fn requests_that_the_service_would_not_answer_fail_alone() {
    let rig = Rig::new().await;
    let audio = rig.audio("a").await;
    let good: Value = serde_json::from_str(&line("good", &audio)).unwrap();
    let part = good["request"]["contents"][0]["parts"][1].clone();
    let mut lines = vec![good.to_string()];
    for (key, request) in [
        (
            "no-role",
            json!({"contents": [{"parts": [{"text": "T"}]}, {"parts": [part]}]}),
        ),
        (
            "two",
            json!({"contents": [{"role": "user", "parts": [part, part]}]}),
        ),
        (
            "none",
            json!({"contents": [{"role": "user", "parts": [{"text": "T"}]}]}),
        ),
        (
            "long",
            json!({"contents": [{"parts": [part]}], "generation_config": {"max_output_tokens": 99_999}}),
        ),
        (
            "empty",
            json!({"contents": [{"parts": [{"file_data": {"file_uri": ""}}]}]}),
        ),
    ] {
        lines.push(json!({"key": key, "request": request}).to_string());
    }
    let ended = rig
        .done(&rig.create("x", &rig.jsonl(&lines).await).await)
        .await;
    let output = String::from_utf8(rig.output(&ended).await).unwrap();
    let codes: Vec<Value> = output
        .lines()
        .map(|l| serde_json::from_str::<Value>(l).unwrap()["error"]["code"].clone())
        .collect();
    assert_eq!(json!(codes), json!([null, 3, 3, 3, 3, 3]), "{output}");
}

#[tokio::test]
async fn deprecated_models_are_answered_by_their_successor() {
    let rig = Rig::new().await;
    let sha = hex::encode(ring::digest::digest(&ring::digest::SHA256, b"x"));
    let part = json!({"inlineData": {"mimeType": "audio/mp3", "data": "eA=="}});
    for (model, version) in [
        ("gemini-3.5-flash", "gemini-3.6-flash"),
        ("gemini-3.7-flash", "gemini-3.8-flash"),
        ("gemini-2.5-flash", "gemini-2.5-flash"),
    ] {
        rig.sim
            .recordings()
            .insert(&sha, model, Recording::text("x"));
        let ask = json!({"contents": [{"parts": [part]}]});
        let (_, answer) = rig
            .post(&format!("models/{model}:generateContent"), ask)
            .await;
        assert_eq!(answer["modelVersion"], version);
    }
    let thinking = json!({"thinkingConfig": {"thinkingLevel": "MINIMAL"}});
    let ask = json!({"contents": [{"parts": [part]}], "generationConfig": thinking});
    let path = "models/gemini-3.7-flash:generateContent";
    assert_eq!(rig.post(path, ask).await.0, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_ends_once_however_many_look() {
    let rig = Rig::new().await;
    let input = rig.input(&["a", "b", "c"]).await;
    let struck = rig.fault(FaultRule::new(Fault::ItemNoUsage));
    let batch = rig.create("x", &input).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    let looks = (0..24).map(|n| {
        let path = if n % 2 == 0 { id(&batch) } else { "batches" };
        rig.call(Method::GET, path, None)
    });
    for (code, _) in futures::future::join_all(looks).await {
        assert_eq!(code, 200);
    }
    rig.done(&batch).await;
    assert_eq!(
        rig.sim.faults().struck(struck),
        3,
        "each line was answered once"
    );
    assert_eq!(rig.sim.files().iter().filter(|f| f.generated).count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_creates_are_all_counted() {
    let rig = Rig::with(SimConfig {
        batch_delay: Duration::from_secs(60),
        max_open_batches: 10,
        ..config()
    })
    .await;
    let input = rig.input(&["a"]).await;
    let creates = (0..25).map(|n| rig.create_request(&n.to_string(), &input).send());
    let replies = futures::future::join_all(creates).await;
    let codes: Vec<u16> = replies
        .into_iter()
        .map(|r| r.unwrap().status().as_u16())
        .collect();
    assert_eq!(codes.iter().filter(|c| **c == 200).count(), 10);
    assert_eq!(codes.iter().filter(|c| **c == 429).count(), 15);
    assert_eq!(rig.count(Route::BatchCreate), 25);
}

#[tokio::test]
async fn a_shutdown_frees_the_port_and_closes_connections() {
    let rig = Rig::new().await;
    assert_eq!(rig.get(&format!("models/{MODEL}")).await.0, 200);
    let address = rig.sim.url().replace("http://", "");
    let (url, http) = (rig.sim.url(), rig.http.clone());
    rig.sim.shutdown().await;
    assert!(http.get(format!("{url}/v1/models")).send().await.is_err());
    let listener = TcpListener::bind(&address).await.unwrap();
    let again = GeminiSim::start(listener, config()).await.unwrap();
    assert_eq!(again.url(), url);
    let reply = http
        .get(format!("{url}/v1/models"))
        .header("x-goog-api-key", "k");
    assert_eq!(reply.send().await.unwrap().status(), 200);
}
