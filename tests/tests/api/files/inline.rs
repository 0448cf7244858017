//! Small files inside the request.

use serde_json::{Value, json};
use stt_eval_local::demo;
use stt_eval_tests::audio::{sha256, wav};

use crate::support::{Expect, PRO, World, audio, id, with};

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
fn players_and_models_get_the_type_that_was_found() {
    with(async |w| {
        let clips = demo::clips().unwrap();
        let (_, bytes) = clips
            .iter()
            .find(|(clip, _)| clip.file.ends_with(".m4a"))
            .unwrap();
        let answer = w.send_file("a.mp3", "audio/mpeg", bytes.to_vec()).await;
        let made = file(answer.data(201)).clone();
        assert_eq!(made["content_type"], "audio/mpeg");
        assert_eq!(made["detected_content_type"], "audio/mp4");
        assert_eq!(made["format"], "m4a");

        let path = format!("/files/{}?include_signed_url=true", id(&made));
        let url = w.get(&path).await.data(200)["signed_url"].clone();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let played = http.get(url.as_str().unwrap()).send().await.unwrap();
        assert_eq!(played.headers()["content-type"], "audio/mp4");

        let body = json!({
            "name": "told by content", "language": "bn", "samples": [{ "file_id": made["id"] }]
        });
        let dataset = id(w.post("/datasets", &body).await.data(201));
        w.start(&dataset, &[PRO]).await;
        let sent = w
            .machine
            .wait("the recording is at the provider", async || {
                let mut sent = w.at_provider();
                sent.retain(|file| file.sha256 == sha256(bytes));
                sent.pop()
            })
            .await;
        assert_eq!(sent.mime_type, "audio/m4a");
    });
}

#[test]
fn telephone_recordings_are_taken() {
    with(async |w| {
        // One second of µ-law, with a format chunk of 16 bytes as telephone systems write it.
        let mut bytes = b"RIFF\x64\x1F\0\0WAVEfmt \x10\0\0\0\x07\0\x01\0".to_vec();
        bytes.extend_from_slice(&8000u32.to_le_bytes());
        bytes.extend_from_slice(&8000u32.to_le_bytes());
        bytes.extend_from_slice(b"\x01\0\x08\0data\x40\x1F\0\0");
        bytes.extend_from_slice(&[0x7F; 8000]);
        let answer = w.send_file("call.wav", "audio/wav", bytes).await;
        let made = file(answer.data(201)).clone();
        assert_eq!(made["status"], "ready", "{made}");
        assert_eq!(made["duration_seconds"], 1.0);
        assert_eq!(made["sample_rate_hz"], 8000);
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
        let big_endian = [b"RIFX".as_slice(), &audio()[4..]].concat();
        let other = w.send_file("a.wav", "audio/wav", big_endian).await;
        World::names(&other, 422, "file");
        assert!(other.text.contains("RIFX"), "{}", other.text);
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
