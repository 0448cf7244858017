//! What files are said to be, before a byte is sent.

use serde_json::{Value, json};

use crate::support::{Expect, World, each, items, with};

fn wav_file(size: u64) -> Value {
    json!({ "filename": "a.wav", "content_type": "audio/wav", "size_bytes": size })
}

#[test]
fn a_hundred_files_are_announced_at_once() {
    with(async |w| {
        let files: Vec<Value> = (1..=100).map(wav_file).collect();
        let made = w.post("/files", &json!({ "files": files })).await;
        let made = items(&made.data(201)["files"]);
        assert_eq!(made.len(), 100);
        let mut ids: Vec<String> = made.iter().map(|m| m["file"]["id"].to_string()).collect();
        for (made, size) in made.iter().zip(1u64..) {
            assert_eq!(made["file"]["size_bytes"], size, "the order of the request");
        }
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 100);
        assert_eq!(w.get("/files?limit=1").await.body["metadata"]["total"], 100);
    });
}

#[test]
fn all_files_of_a_request_are_announced_or_none() {
    with(async |w| {
        let many: Vec<Value> = (1..=101).map(wav_file).collect();
        World::names(
            &w.post("/files", &json!({ "files": many })).await,
            422,
            "files",
        );
        World::names(
            &w.post("/files", &json!({ "files": [] })).await,
            422,
            "files",
        );
        let mixed = json!({ "files": [wav_file(1), wav_file(0), wav_file(7)] });
        World::names(&w.post("/files", &mixed).await, 422, "files[1].size_bytes");
        let odd = json!({ "files": [wav_file(1), { "filename": "a" }] });
        assert!(w.post("/files", &odd).await.refused(422)[0].starts_with("files[1]."));
        let both = json!({
            "files": [wav_file(1)], "filename": "a.wav", "content_type": "audio/wav", "size_bytes": 1
        });
        w.post("/files", &both).await.no(422);
        w.post("/files", &json!({})).await.no(422);
        assert_eq!(
            w.get("/files").await.body["metadata"]["total"],
            0,
            "nothing half-made"
        );
    });
}

#[test]
fn every_field_of_a_file_is_checked_and_named() {
    with(async |w| {
        let mut refused = Vec::new();
        let mib = 1024 * 1024u64;
        for (field, value) in [
            ("size_bytes", json!(0)),
            ("size_bytes", json!(200 * mib + 1)),
            ("size_bytes", json!(-1)),
            ("size_bytes", json!(1.5)),
            ("size_bytes", json!("1")),
            ("size_bytes", json!(1e300)),
            ("size_bytes", json!(null)),
            ("content_type", json!("video/mp4")),
            ("content_type", json!("text/plain")),
            ("content_type", json!("")),
            ("content_type", json!("audio/wav\r\nx: y")),
            ("filename", json!("")),
            ("filename", json!("   ")),
            ("filename", json!("x".repeat(256))),
            ("filename", json!("a\u{0}.wav")),
            ("filename", json!("a\n.wav")),
            ("filename", json!("gnp.\u{202e}vaw")),
            ("filename", json!(["a"])),
            ("checksum_sha256", json!("abc")),
            ("checksum_sha256", json!(5)),
        ] {
            let mut body = wav_file(5);
            body[field] = value.clone();
            let answer = w.post("/files", &body).await;
            if !(answer.status == 422 && answer.refused(422).iter().any(|f| f == field)) {
                refused.push(format!(
                    "{field} {value}: {} {}",
                    answer.status, answer.text
                ));
            }
        }
        assert_eq!(refused, [] as [String; 0]);
        let other = json!({ "filename": "a", "content_type": "video/mp4", "size_bytes": 1 });
        let answer = w.post("/files", &other).await;
        for allowed in [
            "audio/mpeg",
            "audio/wav",
            "audio/flac",
            "audio/webm",
            "text/csv",
        ] {
            assert!(
                answer.text.contains(allowed),
                "{allowed} is not in {}",
                answer.text
            );
        }
        let table =
            json!({ "filename": "a", "content_type": "text/csv", "size_bytes": 20 * mib + 1 });
        World::names(&w.post("/files", &table).await, 422, "size_bytes");
        assert_eq!(w.get("/files").await.body["metadata"]["total"], 0);
    });
}

#[test]
fn names_are_data_only() {
    with(async |w| {
        let long = "க".repeat(255);
        let names = [
            "../../etc/passwd",
            "a/b\\c",
            "<b>.wav",
            "क्\u{200d}ष.wav",
            "%2e%2e",
            &*long,
        ];
        for name in names {
            let made = w.announce(name, "audio/wav", 5).await;
            assert_eq!(made["file"]["filename"], *name);
            let upload = made["upload"]["url"].as_str().unwrap();
            assert!(
                !upload.contains("passwd") && !upload.contains(".."),
                "{upload}"
            );
        }
        let decomposed = w.announce("e\u{301}.wav", "audio/wav", 5).await;
        assert_eq!(
            decomposed["file"]["filename"], "\u{e9}.wav",
            "names are NFC"
        );
        let listed = w.get("/files").await;
        assert_eq!(each(listed.data(200), "filename").len(), names.len() + 1);
    });
}
