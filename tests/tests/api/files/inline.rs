//! Small files inside the request.

use serde_json::{Value, json};
use stt_eval_tests::audio::{sha256, wav};

use crate::support::{Expect, World, audio, id, with};

fn file(made: &Value) -> &Value {
    if made["file"].is_object() {
        &made["file"]
    } else {
        made
    }
}

#[test]
fn a_small_file_is_registered_at_once() {
    with(async |w| {
        let bytes = audio();
        let answer = w.send_file("ஒலி.wav", "audio/wav", bytes.clone()).await;
        let made = file(answer.data(201)).clone();
        assert_eq!(made["status"], "ready");
        assert_eq!(made["filename"], "ஒலி.wav");
        assert_eq!(made["format"], "wav");
        assert_eq!(made["sample_rate_hz"], 8_000);
        assert_eq!(made["size_bytes"], bytes.len());
        assert_eq!(made["checksum_sha256"], sha256(&bytes));
        assert_eq!(made["duration_seconds"], 0.2);
        let got = w
            .get(&format!("/files/{}", id(&made)))
            .await
            .data(200)
            .clone();
        assert_eq!(got, made, "and stays so");
    });
}

#[test]
fn a_large_body_is_told_of_the_signed_url() {
    with(async |w| {
        let large = wav(1, 4.0 * 1024.0 * 1024.0 / 16_000.0 + 1.0);
        let answer = w.send_file("large.wav", "audio/wav", large).await;
        answer.no(413);
        let advice = answer.body["error"].as_str().unwrap();
        assert!(advice.contains("signed URL"), "{advice}");
        let larger = w
            .send_file("larger.wav", "audio/wav", vec![0; 9_000_000])
            .await;
        assert_eq!(larger.status, 413);
        assert_eq!(w.get("/files").await.body["metadata"]["total"], 0);
        // Just what is allowed is taken: 4 MiB with the header.
        let most = wav(2, (4.0 * 1024.0 * 1024.0 - 44.0) / 16_000.0);
        assert_eq!(most.len(), 4 * 1024 * 1024);
        w.send_file("most.wav", "audio/wav", most).await.ok(201);
    });
}

#[test]
fn a_small_file_that_is_no_recording_is_refused() {
    with(async |w| {
        let text = w
            .send_file("song.mp3", "audio/mpeg", b"just some text".to_vec())
            .await;
        World::names(&text, 422, "file");
        assert!(
            text.text.contains("not an audio recording"),
            "{}",
            text.text
        );
        let other = w.send_file("a.mp3", "audio/mpeg", audio()).await;
        World::names(&other, 422, "file");
        for (name, kind, bytes) in [
            ("empty.wav", "audio/wav", Vec::new()),
            ("a.wav", "video/mp4", audio()),
            ("", "audio/wav", audio()),
            ("a\u{202e}.wav", "audio/wav", audio()),
        ] {
            let answer = w.send_file(name, kind, bytes).await;
            assert_eq!(answer.status, 422, "{name} {kind}: {}", answer.text);
        }
        assert_eq!(w.get("/files").await.body["metadata"]["total"], 0);
    });
}

#[test]
fn the_parts_of_a_form_are_known() {
    with(async |w| {
        let form = || {
            let part = reqwest::multipart::Part::bytes(audio()).file_name("a.wav");
            let part = part.mime_str("audio/wav").unwrap();
            reqwest::multipart::Form::new().part("file", part)
        };
        let send = async |form| w.send(w.request("POST", "/files").multipart(form)).await;
        World::names(&send(form().text("fiel", "x")).await, 400, "fiel");
        let without = reqwest::multipart::Form::new().text("checksum_sha256", "00".repeat(32));
        World::names(&send(without).await, 422, "file");
        let wrong = send(form().text("checksum_sha256", "00".repeat(32))).await;
        World::names(&wrong, 422, "checksum_sha256");
        let cut = w
            .request("POST", "/files")
            .header("content-type", "multipart/form-data; boundary=b")
            .body("--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\n");
        w.send(cut).await.no(400);
        let unbounded = w
            .request("POST", "/files")
            .header("content-type", "multipart/form-data");
        w.send(unbounded.body("x")).await.no(400);
        assert_eq!(w.get("/files").await.body["metadata"]["total"], 0);
        let manifest = w
            .send_file("list.csv", "text/csv", b"filename\na.wav\n".to_vec())
            .await;
        assert_eq!(file(manifest.data(201))["kind"], json!("manifest"));
    });
}
