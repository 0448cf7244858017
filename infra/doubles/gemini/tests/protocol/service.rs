//! Keys, models, the synchronous call and restarts.

use std::collections::HashSet;
use std::time::Duration;

use gemini_sim::SimConfig;
use reqwest::Method;
use serde_json::{Value, json};

use crate::rig::{MODEL, Rig, config, id, state, text};

#[tokio::test]
async fn keys_are_checked() {
    let rig = Rig::with(SimConfig {
        accepted_keys: Some(vec!["right".to_owned()]),
        ..config()
    })
    .await;
    let (code, body) = rig.get("models").await;
    assert_eq!(
        (code, &body["error"]["status"]),
        (400, &json!("INVALID_ARGUMENT"))
    );
    assert_eq!(body["error"]["details"][0]["reason"], "API_KEY_INVALID");
    let bare = rig
        .http
        .get(format!("{}/v1/models", rig.sim.url()))
        .send()
        .await
        .unwrap();
    assert_eq!(bare.status(), 403);
    let by_query = format!("{}/v1/models?key=right", rig.sim.url());
    assert_eq!(rig.http.get(by_query).send().await.unwrap().status(), 200);
    let ledger = rig.sim.ledger();
    let last = ledger.entries.last().unwrap();
    assert_eq!(
        (last.key_last4.as_deref(), last.key_in_query),
        (Some("ight"), true)
    );
    assert_eq!(last.path, "/v1/models");
    assert!(
        !serde_json::to_string(&ledger).unwrap().contains("right"),
        "no key is kept"
    );
}

#[tokio::test]
async fn models_are_those_with_audio_and_batch() {
    let rig = Rig::new().await;
    let (_, page) = rig.get("models?pageSize=5").await;
    let token = page["nextPageToken"].as_str().unwrap();
    let (_, rest) = rig.get(&format!("models?pageToken={token}")).await;
    let both = [&page["models"], &rest["models"]];
    let names: HashSet<&str> = both
        .iter()
        .flat_map(|m| m.as_array().unwrap())
        .map(id)
        .collect();
    assert_eq!(names.len(), 9);
    for name in [
        "models/gemini-2.5-flash",
        "models/gemini-2.5-pro",
        "models/gemini-3.8-flash",
    ] {
        assert!(names.contains(name), "{name}");
        assert_eq!(rig.get(name).await.1["name"], name);
    }
    assert_eq!(rig.get("models/gemini-0").await.0, 404);
}

#[tokio::test]
async fn generate_content_answers_at_once() {
    let rig = Rig::new().await;
    let audio = rig.audio("said").await;
    let path = format!("models/{MODEL}:generateContent");
    let ask = |uri: &Value| {
        let data = json!({"fileUri": uri, "mimeType": "audio/wav"});
        json!({"contents": [{"parts": [{"fileData": data}]}], "generationConfig": {"maxOutputTokens": 9}})
    };
    let (code, response) = rig.post(&path, ask(&audio["uri"])).await;
    assert_eq!(code, 200);
    assert_eq!(text(&json!({ "response": response })), "said");
    assert_eq!(response["modelVersion"], MODEL);
    let other = rig.upload("o", "audio/wav", b"other").await;
    assert_eq!(rig.post(&path, ask(&other["uri"])).await.0, 404);
    assert_eq!(
        rig.post(&path, ask(&json!("https://x/v1beta/files/no")))
            .await
            .0,
        403
    );
    assert_eq!(
        rig.post(&path, json!({"contents": [], "nope": 1})).await.0,
        400
    );
}

#[tokio::test]
async fn a_restart_keeps_files_and_open_batches() {
    let dir = tempfile::tempdir().unwrap();
    let slow = || SimConfig {
        batch_delay: Duration::from_secs(60),
        state_dir: Some(dir.path().to_owned()),
        ..config()
    };
    let rig = Rig::with(slow()).await;
    let input = rig.input(&["a", "b"]).await;
    let batch = rig.create("kept", &input).await;
    let gone = rig.create("gone", &input).await;
    rig.call(Method::DELETE, id(&gone), None).await;
    let recordings = rig.sim.recordings().clone();
    rig.sim.shutdown().await;
    // A process that was killed may leave half a line.
    let journal = dir.path().join("journal.jsonl");
    let mut bytes = std::fs::read(&journal).unwrap();
    bytes.extend_from_slice(b"{\"batch\":{\"id\":\"ha");
    std::fs::write(&journal, bytes).unwrap();

    let rig = Rig::with(SimConfig {
        recordings,
        ..slow()
    })
    .await;
    assert_eq!(rig.get(id(&input)).await.1["uri"], input["uri"]);
    let (_, list) = rig.get("batches").await;
    assert_eq!(list["operations"].as_array().unwrap().len(), 1);
    assert_eq!(state(&rig.get(id(&batch)).await.1), "BATCH_STATE_PENDING");
    rig.sim.advance(Duration::from_secs(60));
    let ended = rig.done(&batch).await;
    assert_eq!(
        ended["metadata"]["batchStats"]["successfulRequestCount"],
        "2"
    );
    assert_eq!(
        rig.output(&ended)
            .await
            .iter()
            .filter(|b| **b == b'\n')
            .count(),
        2
    );
    let text = std::fs::read_to_string(&journal).unwrap();
    assert!(!text.contains("key-of-the-tests"), "no key on disk");
}
