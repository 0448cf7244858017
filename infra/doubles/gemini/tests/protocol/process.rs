//! The binary and its control plane.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::rig::{MODEL, client};

struct Process {
    child: Child,
    url: String,
}

impl Process {
    fn start(args: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_gemini-sim"))
            .args(["--listen", "127.0.0.1:0", "--batch-delay", "50ms"])
            .args(args)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let stdout = child.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(ready["ready"], true);
        let url = ready["url"].as_str().unwrap().to_owned();
        Self { child, url }
    }

    async fn call(&self, http: &Client, method: Method, path: &str, body: &str) -> (u16, Value) {
        let request = http
            .request(method, format!("{}{path}", self.url))
            .header("x-goog-api-key", "k")
            .header("content-type", "application/json")
            .body(body.to_owned());
        let reply = request.send().await.unwrap();
        (reply.status().as_u16(), reply.json().await.unwrap())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn the_binary_is_programmed_over_http() {
    let process = Process::start(&[]);
    let http = client();
    let sha = hex::encode(ring::digest::digest(&ring::digest::SHA256, b"audio"));
    let line = json!({"sha256": sha, "model": MODEL, "text": "heard"}).to_string();
    for (body, added) in [
        (line.clone(), 1),
        (format!("[{line},{line}]"), 2),
        (format!("{line}\n\n{line}\n"), 2),
    ] {
        let answer = process
            .call(&http, Method::POST, "/_sim/recordings", &body)
            .await;
        assert_eq!(answer, (200, json!({"added": added})));
    }
    let wrong = process
        .call(&http, Method::POST, "/_sim/recordings", "{}")
        .await;
    assert_eq!(wrong.0, 400);

    let part = json!({"inlineData": {"mimeType": "audio/wav", "data": "YXVkaW8="}});
    let ask = json!({"contents": [{"parts": [part]}]}).to_string();
    let path = format!("/v1/models/{MODEL}:generateContent");
    let (code, answer) = process.call(&http, Method::POST, &path, &ask).await;
    assert_eq!(
        (
            code,
            &answer["candidates"][0]["content"]["parts"][0]["text"]
        ),
        (200, &json!("heard"))
    );

    let rules = r#"[{"fault":{"type":"status","code":503},"route":"generate_content"},
                    {"fault":{"type":"lose_reply"},"route":"batch_create","times":1}]"#;
    let set = process
        .call(&http, Method::POST, "/_sim/faults", rules)
        .await;
    assert_eq!(set, (200, json!({"ids": [1, 2]})));
    assert_eq!(
        process
            .call(&http, Method::POST, "/_sim/faults", "{\"fault\":1}")
            .await
            .0,
        400
    );
    assert_eq!(process.call(&http, Method::POST, &path, &ask).await.0, 503);
    let (_, list) = process.call(&http, Method::GET, "/_sim/faults", "").await;
    assert_eq!(
        (&list["faults"][0]["struck"], &list["faults"][1]["struck"]),
        (&json!(1), &json!(0))
    );
    assert_eq!(
        process
            .call(&http, Method::DELETE, "/_sim/faults/1", "")
            .await
            .0,
        200
    );
    assert_eq!(
        process
            .call(&http, Method::DELETE, "/_sim/faults/1", "")
            .await
            .0,
        404
    );
    assert_eq!(
        process
            .call(&http, Method::DELETE, "/_sim/faults", "")
            .await
            .0,
        200
    );
    assert_eq!(process.call(&http, Method::POST, &path, &ask).await.0, 200);

    let (_, ledger) = process
        .call(&http, Method::GET, "/_sim/ledger?since=1", "")
        .await;
    assert_eq!(ledger["counts"], json!({"generate_content": 3}));
    let statuses: Vec<&Value> = ledger["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| &e["status"])
        .collect();
    assert_eq!(statuses, [503, 200]);
    process
        .call(&http, Method::DELETE, "/_sim/ledger", "")
        .await;
    let (_, ledger) = process.call(&http, Method::GET, "/_sim/ledger", "").await;
    assert_eq!(ledger, json!({"counts": {}, "entries": []}));
    for (path, member) in [("/_sim/batches", "batches"), ("/_sim/files", "files")] {
        let (code, answer) = process.call(&http, Method::GET, path, "").await;
        assert_eq!((code, &answer[member]), (200, &json!([])));
    }
    let moved = process
        .call(&http, Method::POST, "/_sim/clock", r#"{"advance_ms":1000}"#)
        .await;
    assert_eq!(moved.0, 200);
}

#[tokio::test]
async fn files_given_on_the_command_line_are_used() {
    let dir = tempfile::tempdir().unwrap();
    let (recordings, faults) = (dir.path().join("r.jsonl"), dir.path().join("f.json"));
    let sha = "0".repeat(64);
    std::fs::write(
        &recordings,
        format!(r#"{{"sha256":"{sha}","model":"m","text":"t"}}"#),
    )
    .unwrap();
    std::fs::write(
        &faults,
        r#"[{"fault":{"type":"status","code":500},"route":"model_list","times":1}]"#,
    )
    .unwrap();
    let process = Process::start(&[
        "--recordings",
        recordings.to_str().unwrap(),
        "--faults",
        faults.to_str().unwrap(),
        "--accept-key",
        "k",
        "--state-dir",
        dir.path().join("state").to_str().unwrap(),
    ]);
    let http = client();
    assert_eq!(
        process.call(&http, Method::GET, "/v1/models", "").await.0,
        500
    );
    assert_eq!(
        process.call(&http, Method::GET, "/v1/models", "").await.0,
        200
    );
    assert!(dir.path().join("state/journal.jsonl").exists());
}

#[test]
fn bad_arguments_end_the_process() {
    for args in [
        ["--recordings", "/nowhere"],
        ["--batch-delay", "soon"],
        ["--listen", "nowhere"],
    ] {
        let status = Command::new(env!("CARGO_BIN_EXE_gemini-sim"))
            .args(args)
            .stderr(Stdio::null())
            .status()
            .unwrap();
        assert!(!status.success(), "{args:?}");
    }
}
