//! Uploads and files.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gemini_sim::{Fault, FaultRule, Route, SimConfig};
use reqwest::Method;
use serde_json::{Value, json};

use crate::rig::{Rig, config, id, line};

#[tokio::test]
async fn a_file_has_the_documented_members() {
    for version in ["v1", "v1beta"] {
        let mut rig = Rig::new().await;
        rig.version = version;
        let file = rig.upload("clip", "audio/wav", b"abc").await;
        let digest = ring::digest::digest(&ring::digest::SHA256, b"abc");
        let name = id(&file);
        assert!(name.starts_with("files/"), "{name}");
        assert_eq!(file["sha256Hash"], STANDARD.encode(hex::encode(digest)));
        assert_eq!(file["sizeBytes"], "3", "int64 as a string");
        assert_eq!(file["state"], "ACTIVE");
        assert_eq!(file["source"], "UPLOADED");
        let uri = format!("https://generativelanguage.googleapis.com/v1beta/{name}");
        assert_eq!(file["uri"], uri);
        let time = file["createTime"].as_str().unwrap();
        assert_eq!((time.len(), &time[29..]), (30, "Z"), "nine digits: {time}");
        assert_eq!(rig.get(name).await, (200, file));
    }
}

#[tokio::test]
async fn chunks_follow_one_another() {
    let rig = Rig::new().await;
    let url = rig
        .upload_url(
            json!({"display_name": "d", "size_bytes": 10}),
            "audio/wav",
            10,
        )
        .await;
    assert!(url.starts_with(&rig.sim.url()), "{url}");
    let reply = rig.step(&url, "upload", 0, b"01234567").await.unwrap();
    assert_eq!(reply.status(), 200);
    assert_eq!(reply.headers()["x-goog-upload-status"], "active");
    let reply = rig.step(&url, "query", 0, b"").await.unwrap();
    assert_eq!(reply.headers()["x-goog-upload-size-received"], "8");
    let wrong = rig.step(&url, "upload, finalize", 4, b"89").await.unwrap();
    assert_eq!(wrong.status(), 400, "the offset is wrong");
    assert_eq!(wrong.headers()["x-goog-upload-status"], "active");
    let last = rig.step(&url, "upload, finalize", 8, b"89").await.unwrap();
    assert_eq!(last.headers()["x-goog-upload-status"], "final");
    let body: Value = last.json().await.unwrap();
    assert_eq!(body["file"]["sizeBytes"], "10");
    let query = rig.step(&url, "query", 0, b"").await.unwrap();
    assert_eq!(query.headers()["x-goog-upload-status"], "final");
    assert_eq!(
        query.json::<Value>().await.unwrap(),
        body,
        "the outcome is not lost"
    );
    let again = rig.step(&url, "upload, finalize", 8, b"89").await.unwrap();
    assert_eq!(again.status(), 400);
}

#[tokio::test]
async fn lengths_and_granularity_are_enforced() {
    let rig = Rig::new().await;
    for (command, bytes) in [
        ("upload, finalize", &b"0123456789"[..]),
        ("upload, finalize", b"012"),
        ("upload", b"012"),
    ] {
        let url = rig.upload_url(json!({}), "audio/wav", 8).await;
        let reply = rig.step(&url, command, 0, bytes).await.unwrap();
        assert_eq!(reply.status(), 400, "{command} {}", bytes.len());
    }
    assert!(rig.sim.files().is_empty());
    let unknown = format!("{}/upload/v1beta/files?upload_id=nope", rig.sim.url());
    let reply = rig
        .step(&unknown, "upload, finalize", 0, b"x")
        .await
        .unwrap();
    assert_eq!(reply.status(), 404);
}

#[tokio::test]
async fn starts_are_checked() {
    let rig = Rig::new().await;
    let refused = |reply: reqwest::Response| reply.status().as_u16();
    assert_eq!(
        refused(rig.start(json!({"nam": "files/a"}), "audio/wav", 1).await),
        400
    );
    assert_eq!(
        refused(rig.start(json!({"name": "a"}), "audio/wav", 1).await),
        400
    );
    assert_eq!(
        refused(
            rig.start(json!({"name": "files/A b"}), "audio/wav", 1)
                .await
        ),
        400
    );
    assert_eq!(
        refused(rig.start(json!({"sizeBytes": "2"}), "audio/wav", 1).await),
        400
    );
    assert_eq!(
        refused(rig.start(json!({}), "audio/wav", 3 << 30).await),
        400
    );
    assert_eq!(
        refused(rig.start(json!({"sizeBytes": "1"}), "audio/wav", 1).await),
        200
    );
}

#[tokio::test]
async fn names_are_unique_over_all_keys() {
    let mut rig = Rig::new().await;
    let named = || json!({"name": "files/clip-1"});
    let first = rig.upload_url(named(), "audio/wav", 1).await;
    let second = rig.upload_url(named(), "audio/wav", 1).await;
    let reply = rig.step(&first, "upload, finalize", 0, b"a").await.unwrap();
    assert_eq!(
        reply.json::<Value>().await.unwrap()["file"]["name"],
        "files/clip-1"
    );
    let late = rig
        .step(&second, "upload, finalize", 0, b"a")
        .await
        .unwrap();
    assert_eq!(late.status(), 409, "the other upload was faster");
    rig.key = "somebody else".to_owned();
    let reply = rig.start(named(), "audio/wav", 1).await;
    assert_eq!(reply.status(), 409);
    let body: Value = reply.json().await.unwrap();
    assert_eq!(body["error"]["status"], "ALREADY_EXISTS");
    assert_eq!(
        rig.get("files/clip-1").await.0,
        403,
        "and not theirs to see"
    );
    rig.key = "key-of-the-tests".to_owned();
    rig.call(Method::DELETE, "files/clip-1", None).await;
    assert_eq!(rig.start(named(), "audio/wav", 1).await.status(), 200);
}

#[tokio::test]
async fn lists_are_paged_newest_first() {
    let rig = Rig::new().await;
    assert_eq!(rig.get("files").await, (200, json!({})));
    let mut names = Vec::new();
    for n in 0..5 {
        names.push(rig.upload(&n.to_string(), "audio/wav", b"x").await["name"].clone());
    }
    names.reverse();
    let (mut seen, mut token) = (Vec::new(), String::new());
    loop {
        let (code, page) = rig
            .get(&format!("files?pageSize=2&pageToken={token}"))
            .await;
        assert_eq!(code, 200);
        seen.extend(
            page["files"]
                .as_array()
                .unwrap()
                .iter()
                .map(|f| f["name"].clone()),
        );
        match page["nextPageToken"].as_str() {
            Some(next) => token = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(seen, names);
    assert_eq!(rig.get("files?pageToken=x").await.0, 400);
    assert_eq!(rig.get("files?pageSize=x").await.0, 400);
}

#[tokio::test]
async fn deleted_expired_and_foreign_files_are_gone_alike() {
    let mut rig = Rig::new().await;
    let file = rig.upload("a", "audio/wav", b"x").await;
    let kept = rig.upload("b", "audio/wav", b"x").await;
    let body = rig.call(Method::DELETE, id(&file), Some(json!({}))).await;
    assert_eq!(body, (200, json!({})));
    let (code, error) = rig.get(id(&file)).await;
    assert_eq!(
        (code, &error["error"]["status"]),
        (403, &json!("PERMISSION_DENIED"))
    );
    assert_eq!(rig.call(Method::DELETE, id(&file), None).await.0, 403);
    rig.sim.advance(Duration::from_secs(48 * 3600));
    assert_eq!(rig.get(id(&kept)).await.0, 403);
    assert_eq!(rig.get("files").await, (200, json!({})));
    rig.key = "other".to_owned();
    assert_eq!(rig.get(id(&kept)).await.0, 403);
}

#[tokio::test]
async fn storage_is_limited() {
    let rig = Rig::with(SimConfig {
        max_stored_bytes: 10,
        ..config()
    })
    .await;
    let file = rig.upload("a", "audio/wav", b"01234567").await;
    assert_eq!(rig.start(json!({}), "audio/wav", 3).await.status(), 429);
    rig.call(Method::DELETE, id(&file), None).await;
    assert_eq!(rig.start(json!({}), "audio/wav", 3).await.status(), 200);
}

#[tokio::test]
async fn only_generated_files_are_downloaded() {
    let rig = Rig::new().await;
    let input = rig.input(&["a"]).await;
    let refused = rig.get(&format!("{}:download?alt=media", id(&input))).await;
    assert_eq!(refused.0, 400);
    let ended = rig.done(&rig.create("run", &input).await).await;
    let name = ended["response"]["responsesFile"].as_str().unwrap();
    let want = rig.output(&ended).await;
    for path in ["/download/v1beta", "/download/v1", "/v1"] {
        let path = format!("{path}/{name}:download?alt=media");
        let reply = rig.request(Method::GET, &path).send().await.unwrap();
        assert_eq!(reply.bytes().await.unwrap(), want, "{path}");
    }
    // The other path is a redirection, for what is not there as well.
    let direct = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none());
    let direct = direct.build().unwrap();
    for name in [name, "files/nothing"] {
        let url = rig.sim.url();
        let ask = direct.get(format!("{url}/v1beta/{name}:download?alt=media"));
        let reply = ask.header("x-goog-api-key", &rig.key).send().await.unwrap();
        assert_eq!(reply.status(), 302);
        assert_eq!(
            reply.headers()["location"],
            format!("{url}/download/v1beta/{name}:download?alt=media").as_str()
        );
    }
    // Its name is too long to be deleted by.
    let (refused, answer) = rig.call(Method::DELETE, name, None).await;
    assert_eq!(refused, 400);
    assert_eq!(answer["error"]["status"], "INVALID_ARGUMENT");
    let (_, file) = rig.get(name).await;
    assert_eq!(file["source"], "GENERATED");
    assert_eq!(file["sizeBytes"], want.len().to_string());
    assert!(
        file["downloadUri"]
            .as_str()
            .unwrap()
            .starts_with(&rig.sim.url())
    );
}

#[tokio::test]
async fn a_dropped_chunk_is_resumed_where_it_broke() {
    let rig = Rig::new().await;
    let fault = Fault::DropChunk { keep_bytes: 5 };
    let rule = rig.fault(FaultRule::once(fault).display_name("resumed"));
    let file = json!({"displayName": "resumed"});
    let url = rig.upload_url(file, "audio/wav", 8).await;
    assert!(
        rig.step(&url, "upload, finalize", 0, b"01234567")
            .await
            .is_err()
    );
    assert_eq!(rig.sim.faults().struck(rule), 1);
    let query = rig.step(&url, "query", 0, b"").await.unwrap();
    assert_eq!(query.headers()["x-goog-upload-size-received"], "5");
    let last = rig.step(&url, "upload, finalize", 5, b"567").await.unwrap();
    let body: Value = last.json().await.unwrap();
    let digest = ring::digest::digest(&ring::digest::SHA256, b"01234567");
    assert_eq!(
        body["file"]["sha256Hash"],
        STANDARD.encode(hex::encode(digest))
    );
}

#[tokio::test]
async fn a_lost_finalize_is_found_by_query() {
    let rig = Rig::new().await;
    rig.fault(FaultRule::once(Fault::LoseReply).on(Route::UploadChunk));
    let url = rig.upload_url(json!({}), "audio/wav", 4).await;
    assert!(
        rig.step(&url, "upload, finalize", 0, b"0123")
            .await
            .is_err()
    );
    let query = rig.step(&url, "query", 0, b"").await.unwrap();
    assert_eq!(query.headers()["x-goog-upload-status"], "final");
    let body: Value = query.json().await.unwrap();
    assert_eq!(body["file"]["name"], rig.sim.files()[0].name);
}

#[tokio::test]
async fn files_may_be_processed_fail_or_expire() {
    let rig = Rig::new().await;
    rig.fault(FaultRule::once(Fault::FileProcessing { millis: 60_000 }));
    let file = rig.upload("slow", "audio/wav", b"x").await;
    assert_eq!(file["state"], "PROCESSING");
    rig.sim.advance(Duration::from_secs(60));
    assert_eq!(rig.get(id(&file)).await.1["state"], "ACTIVE");
    let message = "codec".to_owned();
    rig.fault(FaultRule::once(Fault::FileFailed { millis: 0, message }));
    let file = rig.upload("bad", "audio/wav", b"x").await;
    assert_eq!(file["state"], "FAILED");
    assert_eq!(file["error"]["message"], "codec");
    rig.fault(FaultRule::once(Fault::FileExpired { millis: 0 }));
    let file = rig.upload("old", "audio/wav", b"x").await;
    assert_eq!(rig.get(id(&file)).await.0, 403);
}

#[tokio::test]
async fn the_old_type_name_is_taken_unless_strict() {
    let rig = Rig::new().await;
    let audio = rig.audio("a").await;
    let input = rig
        .upload("in", "jsonl", line("a", &audio).as_bytes())
        .await;
    rig.create("run", &input).await;
    rig.fault(FaultRule::once(Fault::StrictMime));
    let reply = rig.start(json!({}), "jsonl", 1).await;
    assert_eq!(reply.status(), 400);
    let body: Value = reply.json().await.unwrap();
    assert_eq!(body["error"]["message"], "Unsupported MIME type: jsonl");
}
