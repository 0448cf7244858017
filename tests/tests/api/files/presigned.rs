//! Uploads by signed URL.

use serde_json::{Value, json};
use stt_eval_local::demo;
use stt_eval_tests::audio::{sha256, wav};

use crate::support::store::{bare, objects};
use crate::support::{Expect, World, audio, id, items, text, with};

/// Sends bytes to a signed URL with these headers; gives the status of S3.
async fn put(url: &str, headers: &Value, changes: &[(&str, String)], bytes: Vec<u8>) -> u16 {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut request = http.put(url).body(bytes);
    for (name, value) in headers.as_object().unwrap() {
        let change = changes
            .iter()
            .find(|(changed, _)| changed.eq_ignore_ascii_case(name));
        let value = change.map_or_else(|| text(value), |(_, value)| value);
        request = request.header(name, value);
    }
    request.send().await.unwrap().status().as_u16()
}

#[test]
fn every_format_is_registered_by_its_content() {
    with(async |w| {
        let clips = demo::clips().unwrap();
        let files: Vec<Value> = clips
            .iter()
            .map(|(clip, bytes)| {
                json!({
                    "filename": clip.file,
                    "content_type": clip.content_type,
                    "size_bytes": bytes.len(),
                    "checksum_sha256": clip.sha256,
                })
            })
            .collect();
        let made = w.post("/files", &json!({ "files": files })).await;
        let made = items(&made.data(201)["files"]).clone();
        assert_eq!(made.len(), clips.len());
        for (made, (clip, bytes)) in made.iter().zip(&clips) {
            assert_eq!(made["file"]["filename"], clip.file);
            assert_eq!(made["file"]["status"], "uploading");
            assert_eq!(made["upload"]["method"], "PUT");
            assert!(made["upload"]["expires_at"].is_string());
            assert_eq!(
                w.put_upload(&made["upload"], bytes.to_vec()).await,
                200,
                "{}",
                clip.file
            );
        }
        let mut formats = std::collections::BTreeSet::new();
        for (made, (clip, bytes)) in made.iter().zip(&clips) {
            let file = w.registered(text(&made["file"]["id"])).await;
            let name = &clip.file;
            assert_eq!(file["status"], "ready", "{file}");
            assert_eq!(file["kind"], "audio", "{name}");
            assert_eq!(file["format"], name.rsplit_once('.').unwrap().1, "{name}");
            assert_eq!(file["size_bytes"], bytes.len(), "{name}");
            assert_eq!(file["checksum_sha256"], clip.sha256, "{name}");
            assert_eq!(file["channels"], 1, "{name}");
            assert_eq!(file["rejection_reason"], Value::Null, "{name}");
            let seconds = file["duration_seconds"].as_f64().unwrap();
            assert!(
                (seconds - clip.duration_seconds).abs() < 0.15,
                "{name}: {seconds}"
            );
            let rate = file["sample_rate_hz"].as_u64().unwrap();
            let plausible: &[u64] = match &**name {
                "en-01.wav" => &[8_000],
                // Opus is decoded at 48 kHz whatever went in.
                name if name.ends_with("webm") || name.ends_with("ogg") => &[16_000, 48_000],
                _ => &[16_000],
            };
            assert!(plausible.contains(&rate), "{name}: {rate}");
            formats.insert(text(&file["format"]).to_owned());
        }
        assert_eq!(formats.len(), 6, "{formats:?}");
    });
}

#[test]
fn a_recording_under_another_formats_type_is_what_it_is() {
    with(async |w| {
        let clips = demo::clips().unwrap();
        let kinds = [
            "audio/mpeg",
            "audio/wav",
            "audio/flac",
            "audio/mp4",
            "audio/ogg",
            "audio/webm",
        ];
        let mut seen = std::collections::BTreeSet::new();
        for (clip, bytes) in &clips {
            let format = clip.file.rsplit_once('.').unwrap().1;
            let found = match format {
                "mp3" => "audio/mpeg",
                "m4a" => "audio/mp4",
                "wav" => "audio/wav",
                "flac" => "audio/flac",
                "ogg" => "audio/ogg",
                _ => "audio/webm",
            };
            if !seen.insert(format.to_owned()) {
                continue;
            }
            for announced in kinds {
                let made = w.announce("a.bin", announced, bytes.len()).await;
                assert_eq!(made["file"]["detected_content_type"], Value::Null);
                assert_eq!(w.put_upload(&made["upload"], bytes.to_vec()).await, 200);
                let file = w.registered(&id(&made["file"])).await;
                assert_eq!(file["status"], "ready", "{format} as {announced}: {file}");
                assert_eq!(file["content_type"], announced, "{format}");
                assert_eq!(file["format"], format, "as {announced}");
                assert_eq!(file["detected_content_type"], found, "as {announced}");
            }
        }
        assert_eq!(seen.len(), 6, "{seen:?}");
    });
}

#[test]
fn a_url_admits_exactly_what_was_announced_and_once() {
    with(async |w| {
        let bytes = audio();
        let body = json!({
            "filename": "a.wav",
            "content_type": "audio/wav",
            "size_bytes": bytes.len(),
            "checksum_sha256": sha256(&bytes),
        });
        let made = w.post("/files", &body).await.data(201).clone();
        let file = id(&made["file"]);
        let (url, headers) = (text(&made["upload"]["url"]), &made["upload"]["headers"]);

        let longer = [bytes.clone(), vec![0]].concat();
        let length = [("content-length", longer.len().to_string())];
        assert_eq!(
            put(url, headers, &length, longer).await,
            403,
            "a longer body"
        );
        let shorter = bytes[1..].to_vec();
        let length = [("content-length", shorter.len().to_string())];
        assert_eq!(
            put(url, headers, &length, shorter).await,
            403,
            "a shorter body"
        );
        let kind = [("content-type", "text/html".to_owned())];
        assert_eq!(
            put(url, headers, &kind, bytes.clone()).await,
            403,
            "another type"
        );
        let other = audio();
        assert_eq!(other.len(), bytes.len());
        let status = put(url, headers, &[], other).await;
        assert!((400..500).contains(&status), "other bytes: {status}");
        let elsewhere = url.replace(&file, "file_01KAR8F3V4N7C3Q8Z5W2Y0H6M1");
        assert_eq!(
            put(&elsewhere, headers, &[], bytes.clone()).await,
            403,
            "another key"
        );
        let bare_request = json!({ "content-type": "audio/wav" });
        assert_eq!(
            put(url, &bare_request, &[], bytes.clone()).await,
            403,
            "headers left out"
        );
        assert_eq!(
            w.get(&format!("/files/{file}")).await.data(200)["status"],
            "uploading"
        );
        assert_eq!(
            objects(w, bare(&file)).await,
            [] as [String; 0],
            "nothing arrived"
        );

        assert_eq!(
            put(url, headers, &[], bytes.clone()).await,
            200,
            "as announced"
        );
        assert_eq!(
            put(url, headers, &[], bytes.clone()).await,
            412,
            "a second time"
        );
        assert_eq!(w.registered(&file).await["status"], "ready");
        assert_eq!(
            put(url, headers, &[], bytes).await,
            412,
            "after registration"
        );
    });
}

#[test]
fn a_checksum_may_be_left_out_and_is_found_then() {
    with(async |w| {
        let bytes = audio();
        let file = w.machine.upload(w, "a.wav", "audio/wav", &bytes).await;
        assert_eq!(file["checksum_sha256"], sha256(&bytes));
        assert_eq!(file["filename"], "a.wav");
    });
}

/// Uploads something by signed URL that must be rejected; gives the reason.
async fn rejected(w: &World, name: &str, kind: &str, bytes: &[u8]) -> String {
    let file = w.machine.upload(w, name, kind, bytes).await;
    assert_eq!(file["status"], "rejected", "{file}");
    assert_eq!(file["format"], Value::Null, "{file}");
    let reason = text(&file["rejection_reason"]).to_owned();
    // A sentence for people, with nothing of the inside.
    assert!(reason.len() > 15 && reason.contains(' '), "{reason}");
    for inside in ["audio/p0", "Error", "symphonia", "http", "::"] {
        assert!(!reason.contains(inside), "{reason}");
    }
    reason
}

#[test]
fn what_is_no_usable_recording_is_rejected_with_a_reason() {
    with(async |w| {
        let reason = rejected(w, "song.mp3", "audio/mpeg", b"just some text, no music").await;
        assert!(reason.contains("not an audio recording"), "{reason}");
        let sphere = b"NIST_1A\n   1024\nsample_rate -i 8000\n";
        let reason = rejected(w, "a.wav", "audio/wav", sphere).await;
        assert!(reason.contains("NIST SPHERE"), "{reason}");
        let whole = wav(1, 1.0);
        let reason = rejected(w, "a.wav", "audio/wav", &whole[..whole.len() / 2]).await;
        assert!(reason.contains("cut off"), "{reason}");
        rejected(w, "a.wav", "audio/wav", &whole[..20]).await;
        rejected(w, "silence.wav", "audio/wav", &wav(1, 0.0)).await;
        rejected(
            w,
            "doc.wav",
            "audio/wav",
            b"%PDF-1.7 and so on and so forth",
        )
        .await;
        rejected(
            w,
            "zip.ogg",
            "audio/ogg",
            b"PK\x03\x04 and so on and so forth",
        )
        .await;
        rejected(w, "one.flac", "audio/flac", b"x").await;
        // A rejected file is listed like any other, and can be deleted.
        let listed = w.get("/files").await;
        assert_eq!(listed.body["metadata"]["total"], 8);
        let first = id(&items(listed.data(200))[0]);
        w.delete(&format!("/files/{first}")).await.ok(200);
    });
}

#[test]
fn a_manifest_is_no_recording() {
    with(async |w| {
        for (name, kind) in [
            ("a.csv", "text/csv"),
            ("a.tsv", "text/tab-separated-values"),
            ("a.jsonl", "application/jsonl"),
        ] {
            let file = w.machine.upload(w, name, kind, b"filename\na.wav\n").await;
            assert_eq!(file["status"], "ready", "{file}");
            assert_eq!(file["kind"], "manifest", "{file}");
            assert_eq!(file["duration_seconds"], Value::Null, "{file}");
        }
        let file = w.machine.upload(w, "b.csv", "text/csv", b"a\0b").await;
        assert_eq!(file["status"], "rejected", "{file}");
    });
}
