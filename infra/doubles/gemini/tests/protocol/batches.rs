//! Batches.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gemini_sim::{Recording, Route, SimConfig};
use reqwest::Method;
use serde_json::{Value, json};

use crate::rig::{MODEL, Rig, config, id, line, state, text};

fn create_path() -> String {
    format!("models/{MODEL}:batchGenerateContent")
}

#[tokio::test]
async fn a_batch_goes_its_way() {
    let rig = Rig::with(SimConfig {
        batch_delay: Duration::from_secs(90),
        ..config()
    })
    .await;
    let input = rig.input(&["one", "two"]).await;
    let created = rig.create("run-1", &input).await;
    let name = id(&created);
    assert_eq!(name.len(), "batches/".len() + 36);
    assert_eq!(created["metadata"]["name"], *name);
    assert_eq!(created["metadata"]["model"], format!("models/{MODEL}"));
    assert_eq!(created["metadata"]["displayName"], "run-1");
    assert_eq!(
        created["metadata"]["inputConfig"]["fileName"],
        input["name"]
    );
    assert_eq!(
        created["metadata"]["batchStats"],
        json!({"requestCount": "2", "pendingRequestCount": "2"})
    );
    assert_eq!(state(&created), "BATCH_STATE_PENDING");
    assert!(created.get("done").is_none());
    rig.sim.advance(Duration::from_secs(45));
    assert_eq!(state(&rig.get(name).await.1), "BATCH_STATE_RUNNING");
    rig.sim.advance(Duration::from_secs(45));
    let ended = rig.get(name).await.1;
    assert_eq!(state(&ended), "BATCH_STATE_SUCCEEDED");
    assert_eq!(ended["done"], true);
    assert_eq!(
        ended["metadata"]["batchStats"],
        json!({"requestCount": "2", "successfulRequestCount": "2"})
    );
    let file = name.replace("batches/", "files/batch-");
    assert_eq!(ended["metadata"]["output"], json!({"responsesFile": file}));
    assert_eq!(ended["response"]["responsesFile"], file);
    assert!(
        ended["response"]["@type"]
            .as_str()
            .unwrap()
            .ends_with("GenerateContentBatchOutput")
    );
    let output = rig.output(&ended).await;
    assert!(
        output.starts_with(b"{\"response\":{"),
        "response comes before key"
    );
}

#[tokio::test]
async fn only_recorded_audio_is_answered() {
    let rig = Rig::new().await;
    let known = rig.audio("said").await;
    let unknown = rig.upload("u", "audio/wav", b"never recorded").await;
    let blocked = rig.upload("b", "audio/flac", &[7; 32_000]).await;
    let sha = hex::encode(ring::digest::digest(&ring::digest::SHA256, &[7; 32_000]));
    rig.sim
        .recordings()
        .insert(&sha, MODEL, Recording::finished("SAFETY", ""));
    let mut missing = known.clone();
    missing["uri"] = json!("https://generativelanguage.googleapis.com/v1beta/files/none");
    let mut bare = known.clone();
    bare["uri"] = known["name"].clone();
    let lines = [
        line("a", &known),
        line("b", &unknown),
        line("c", &blocked),
        line("d", &missing),
        line("e", &bare),
    ];
    let ended = rig
        .done(&rig.create("run", &rig.jsonl(&lines).await).await)
        .await;
    assert_eq!(
        state(&ended),
        "BATCH_STATE_SUCCEEDED",
        "lines fail, not the batch"
    );
    assert_eq!(
        ended["metadata"]["batchStats"],
        json!({
        "requestCount": "5", "successfulRequestCount": "2", "failedRequestCount": "3"})
    );
    let output = rig.output(&ended).await;
    let rows: Vec<Value> = output
        .split(|b| *b == b'\n')
        .filter(|l| !l.is_empty())
        .map(|l| serde_json::from_slice(l).unwrap())
        .collect();
    assert_eq!(text(&rows[0]), "said");
    let error = &rows[1]["error"];
    assert_eq!(error["code"], 5);
    let message = error["message"].as_str().unwrap();
    assert!(
        message.starts_with("gemini-sim holds no recording of this audio (sha256 "),
        "{message}"
    );
    assert!(message.ends_with("for model gemini-2.5-pro"), "{message}");
    let candidate = &rows[2]["response"]["candidates"][0];
    assert_eq!(candidate["finishReason"], "SAFETY");
    assert!(candidate.get("content").is_none());
    let usage = &rows[2]["response"]["usageMetadata"];
    assert_eq!(
        usage["promptTokensDetails"][0],
        json!({"modality": "AUDIO", "tokenCount": 64})
    );
    assert_eq!(usage["promptTokenCount"], 64 + 3);
    assert_eq!(rows[3]["error"]["code"], 7);
    assert_eq!(rows[4]["error"]["code"], 3, "only a full uri will do");
}

#[tokio::test]
async fn inputs_that_do_not_parse_are_refused_whole() {
    let rig = Rig::new().await;
    let audio = rig.audio("a").await;
    let good = line("a", &audio);
    let with = |from: &str, to: &str| good.replace(from, to);
    for (lines, words) in [
        (
            vec![good.clone(), good.clone()],
            "line 2: duplicate key \"a\"",
        ),
        (vec![good.clone(), "{".to_owned()], "line 2: not JSON"),
        (vec![with("\"key\"", "\"custom_id\"")], "custom_id"),
        (vec![with("\"key\":\"a\"", "\"key\":7")], "key must be"),
        (vec![with("\"file_uri\"", "\"file_url\"")], "file_url"),
        (
            vec![with("\"contents\"", "\"thinking_config\":{},\"contents\"")],
            "thinking_config",
        ),
        (
            vec![r#"{"key":"a","request":{"contents":[]}}"#.to_owned()],
            "contents",
        ),
        (
            vec![with(
                "\"contents\"",
                "\"system_instruction\":{\"parts\":[{\"text\":\"\"}]},\"contents\"",
            )],
            "system_instruction",
        ),
        (vec![String::new()], "no requests"),
    ] {
        let input = rig.jsonl(&lines).await;
        let reply = rig.create_request("x", &input).send().await.unwrap();
        assert_eq!(reply.status(), 400, "{words}");
        let body: Value = reply.json().await.unwrap();
        let message = body["error"]["message"].as_str().unwrap();
        assert!(message.contains(words), "{message} lacks {words}");
    }
    assert!(rig.sim.batches().await.is_empty());
}

#[tokio::test]
async fn create_bodies_are_checked() {
    let rig = Rig::new().await;
    let input = rig.input(&["a"]).await;
    let audio = rig.audio("a").await;
    let config = json!({"file_name": input["name"]});
    for (path, body, code) in [
        (create_path(), json!({}), 400),
        (create_path(), json!({"batch": {"inputConfig": {}}}), 400),
        (
            create_path(),
            json!({"batch": {"input_config": {"fileNames": "x"}}}),
            400,
        ),
        (
            create_path(),
            json!({"batch": {"input_config": config, "webhook_config": {}}}),
            400,
        ),
        (
            create_path(),
            json!({"batch": {"input_config": config, "model": "models/other"}}),
            400,
        ),
        (
            create_path(),
            json!({"batch": {"input_config": {"file_name": "abc"}}}),
            400,
        ),
        (
            create_path(),
            json!({"batch": {"input_config": {"file_name": "files/none"}}}),
            403,
        ),
        (
            create_path(),
            json!({"batch": {"input_config": {"file_name": audio["name"]}}}),
            400,
        ),
        (
            "models/gemini-9:batchGenerateContent".to_owned(),
            json!({"batch": {"input_config": config}}),
            404,
        ),
        (
            "models/gemini-2.5-pro:embedContent".to_owned(),
            json!({}),
            404,
        ),
        (
            create_path(),
            json!({"batch": {"input_config": config, "priority": "5"}}),
            200,
        ),
    ] {
        let (got, answer) = rig.post(&path, body.clone()).await;
        assert_eq!(got, code, "{body}: {answer}");
    }
    let huge = json!({"batch": {"displayName": "x".repeat(20 << 20)}});
    assert_eq!(rig.post(&create_path(), huge).await.0, 400);
    assert_eq!(rig.sim.batches().await.len(), 1);
}

#[tokio::test]
async fn inline_results_are_doubly_nested() {
    let rig = Rig::new().await;
    let audio = rig.audio("said").await;
    let bytes = STANDARD.encode("audio of said");
    let parts = |part: Value| json!({"contents": [{"role": "user", "parts": [part]}]});
    let file = json!({"fileData": {"fileUri": audio["uri"], "mimeType": "audio/wav"}});
    let inline = json!({"inline_data": {"mime_type": "audio/wav", "data": bytes}});
    let bad = json!({"inlineData": {"mimeType": "audio/wav", "data": "%"}});
    let requests = json!([
        {"request": parts(file), "metadata": {"key": "a"}},
        {"request": parts(inline), "metadata": {"key": "b", "more": [1]}},
        {"request": parts(bad)},
    ]);
    let body = json!({"batch": {"inputConfig": {"requests": {"requests": requests}}}});
    let (code, created) = rig.post(&create_path(), body).await;
    assert_eq!(code, 200, "{created}");
    let ended = rig.done(&created).await;
    let output = &ended["metadata"]["output"]["inlinedResponses"]["inlinedResponses"];
    assert_eq!(
        output,
        &ended["response"]["inlinedResponses"]["inlinedResponses"]
    );
    assert_eq!((text(&output[0]), text(&output[1])), ("said", "said"));
    assert_eq!(output[1]["metadata"], json!({"key": "b", "more": [1]}));
    assert_eq!(output[2]["error"]["code"], 3);
    assert!(output[2].get("metadata").is_none());
}

#[tokio::test]
async fn lists_are_paged_and_key_scoped() {
    let mut rig = Rig::new().await;
    let input = rig.input(&["a"]).await;
    assert_eq!(rig.get("batches").await, (200, json!({})));
    let mut names = Vec::new();
    for n in 0..5 {
        names.push(rig.create(&n.to_string(), &input).await["name"].clone());
    }
    names.reverse();
    let (mut seen, mut token) = (Vec::new(), String::new());
    loop {
        let (_, page) = rig
            .get(&format!("batches?pageSize=2&pageToken={token}"))
            .await;
        seen.extend(
            page["operations"]
                .as_array()
                .unwrap()
                .iter()
                .map(|o| o["name"].clone()),
        );
        match page["nextPageToken"].as_str() {
            Some(next) => token = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(seen, names);
    assert_eq!(rig.count(Route::BatchList), 4);
    rig.key = "somebody else".to_owned();
    assert_eq!(rig.get("batches").await, (200, json!({})));
    let foreign = names[0].as_str().unwrap();
    assert_eq!(rig.get(foreign).await.0, 404);
    assert_eq!(rig.call(Method::DELETE, foreign, None).await.0, 404);
    assert_eq!(
        rig.post(&format!("{foreign}:cancel"), json!({})).await.0,
        404
    );
    let reply = rig.create_request("x", &input).send().await.unwrap();
    assert_eq!(reply.status(), 403, "the input file is not theirs");
}

#[tokio::test]
async fn cancel_ends_and_delete_forgets() {
    let rig = Rig::with(SimConfig {
        batch_delay: Duration::from_secs(60),
        ..config()
    })
    .await;
    let input = rig.input(&["a"]).await;
    let batch = rig.create("x", &input).await;
    let name = id(&batch);
    let reply = rig
        .request(Method::POST, &format!("{name}:cancel"))
        .send()
        .await
        .unwrap();
    assert_eq!(
        reply.json::<Value>().await.unwrap(),
        json!({}),
        "no body is needed"
    );
    let cancelled = rig.get(name).await.1;
    assert_eq!(state(&cancelled), "BATCH_STATE_CANCELLED");
    assert_eq!(
        (&cancelled["done"], &cancelled["error"]["code"]),
        (&json!(true), &json!(1))
    );
    rig.sim.advance(Duration::from_secs(60));
    assert_eq!(state(&rig.get(name).await.1), "BATCH_STATE_CANCELLED");
    assert_eq!(
        rig.call(Method::DELETE, name, Some(json!({}))).await,
        (200, json!({}))
    );
    assert_eq!(rig.get(name).await.0, 404);
    assert_eq!(rig.get("batches").await.1, json!({}));
    let views = rig.sim.batches().await;
    assert_eq!(
        (views.len(), views[0].deleted),
        (1, true),
        "tests still see it"
    );
}

#[tokio::test]
async fn open_batches_are_limited_by_key() {
    let rig = Rig::with(SimConfig {
        batch_delay: Duration::from_secs(60),
        max_open_batches: 2,
        ..config()
    })
    .await;
    let input = rig.input(&["a"]).await;
    rig.create("1", &input).await;
    rig.create("2", &input).await;
    let reply = rig.create_request("3", &input).send().await.unwrap();
    assert_eq!(reply.status(), 429);
    let body: Value = reply.json().await.unwrap();
    assert_eq!(body["error"]["status"], "RESOURCE_EXHAUSTED");
    rig.sim.advance(Duration::from_secs(60));
    rig.create("3", &input).await;
}

#[tokio::test]
async fn files_lost_under_way_fail_what_needs_them() {
    let rig = Rig::with(SimConfig {
        batch_delay: Duration::from_secs(60),
        ..config()
    })
    .await;
    let (kept, lost) = (rig.audio("kept").await, rig.audio("lost").await);
    let input = rig.jsonl(&[line("kept", &kept), line("lost", &lost)]).await;
    let batch = rig.create("x", &input).await;
    let orphan = rig.create("y", &rig.input(&["a"]).await).await;
    let of_orphan = orphan["metadata"]["inputConfig"]["fileName"]
        .as_str()
        .unwrap();
    rig.call(Method::DELETE, id(&lost), None).await;
    rig.call(Method::DELETE, of_orphan, None).await;
    rig.sim.advance(Duration::from_secs(60));
    let stats = rig.get(id(&batch)).await.1["metadata"]["batchStats"].clone();
    assert_eq!(stats["failedRequestCount"], "1");
    let orphan = rig.get(id(&orphan)).await.1;
    assert_eq!(
        (state(&orphan), &orphan["error"]["code"]),
        ("BATCH_STATE_FAILED", &json!(7))
    );
}
