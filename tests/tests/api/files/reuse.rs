//! Files that are there already are not uploaded again.

use serde_json::{Value, json};
use stt_eval_tests::Client;
use stt_eval_tests::audio::sha256;

use crate::support::store::rows;
use crate::support::{Expect, World, audio, each, id, items, text, with};

fn one(bytes: &[u8]) -> Value {
    json!({ "filename": "again.wav", "content_type": "audio/wav", "size_bytes": bytes.len(),
        "checksum_sha256": sha256(bytes) })
}

async fn announced(client: &Client, files: &[Value]) -> Vec<Value> {
    let body = json!({ "files": files, "reuse": true });
    let made = client.post("/files", &body).await;
    items(&made.data(201)["files"]).clone()
}

/// Ids of the files of a content.
async fn found(client: &Client, bytes: &[u8]) -> Vec<String> {
    let path = format!("/files?checksum_sha256={}", sha256(bytes));
    let listed = client.get(&path).await;
    let found = each(listed.data(200), "id").into_iter().map(text);
    let found: Vec<String> = found.map(str::to_owned).collect();
    assert_eq!(listed.body["metadata"]["total"], found.len());
    found
}

#[test]
fn what_is_there_already_is_not_uploaded_again() {
    with(async |w| {
        let (bytes, other) = (audio(), audio());
        let first = w.file("a.wav", "audio/wav", bytes.clone()).await;
        let second = w.file("b.wav", "audio/wav", bytes.clone()).await;
        assert_eq!(found(w, &bytes).await, [second.clone(), first.clone()]);
        assert_eq!(found(w, &other).await, [] as [String; 0]);

        // Files of one request are different ones, under the names that they have.
        let told = announced(w, &[one(&bytes), one(&other), one(&bytes), one(&bytes)]).await;
        assert_eq!(told[0]["file"]["id"], first);
        assert_eq!(told[0]["file"]["filename"], "a.wav");
        assert_eq!(told[0]["upload"], Value::Null);
        assert_eq!(told[2]["file"]["id"], second);
        for new in [&told[1], &told[3]] {
            assert_eq!(new["file"]["status"], "uploading");
            assert_eq!(
                w.put_upload(
                    &new["upload"],
                    match new["file"]["id"] == told[1]["file"]["id"] {
                        true => other.clone(),
                        false => bytes.clone(),
                    }
                )
                .await,
                200
            );
            assert_eq!(w.registered(&id(&new["file"])).await["status"], "ready");
        }
        assert_eq!(found(w, &bytes).await.len(), 3);
        assert_eq!(found(w, &other).await, [id(&told[1]["file"])]);

        // One file, and nothing that is new: the same again brings the same.
        let mut body = one(&bytes);
        body["reuse"] = json!(true);
        let once = || {
            w.request("POST", "/files")
                .header("idempotency-key", "k")
                .json(&body)
        };
        let made = w.send(once()).await.data(201).clone();
        assert_eq!(made["file"]["id"], first);
        assert_eq!(w.send(once()).await.data(201), &made);
        let total = w.get("/files?limit=1").await.body["metadata"]["total"].clone();
        assert_eq!(total, 4);

        // Not without being asked for, and not as another thing.
        let fresh = w.post("/files", &one(&bytes)).await;
        assert!(fresh.data(201)["upload"].is_object());
        let mut table = one(&bytes);
        table["content_type"] = json!("text/csv");
        let mut longer = one(&bytes);
        longer["size_bytes"] = json!(bytes.len() + 1);
        for told in announced(w, &[table, longer]).await {
            assert!(told["upload"].is_object(), "{told}");
        }
        // Pages of the files of one content.
        let path = format!("/files?checksum_sha256={}", sha256(&bytes));
        let paged = w.pages(&path, 2).await;
        assert_eq!(paged.len(), 3);

        // What is deleted is found no more, and nothing is left of it.
        for file in found(w, &bytes).await {
            w.delete(&format!("/files/{file}")).await.ok(200);
        }
        assert_eq!(found(w, &bytes).await, [] as [String; 0]);
        let told = announced(w, &[one(&bytes)]).await;
        assert!(told[0]["upload"].is_object());
        w.machine
            .wait("no entry is left", async || {
                let left = rows(w, &format!("sum#{}", sha256(&bytes))).await;
                left.is_empty().then_some(())
            })
            .await;
    });
}

#[test]
fn files_of_others_are_not_found_and_wrong_words_are_named() {
    with(async |w| {
        let bytes = audio();
        let _ = w.file("a.wav", "audio/wav", bytes.clone()).await;
        let stranger = w.stranger().await;
        assert_eq!(found(&stranger, &bytes).await, [] as [String; 0]);
        let told = announced(&stranger, &[one(&bytes)]).await;
        assert!(told[0]["upload"].is_object());

        let bare = json!({ "filename": "a.wav", "content_type": "audio/wav", "size_bytes": 5 });
        let odd = w
            .post(
                "/files",
                &json!({ "files": [one(&bytes), bare], "reuse": true }),
            )
            .await;
        World::names(&odd, 422, "files[1].checksum_sha256");
        let mut alone = bare.clone();
        alone["reuse"] = json!(true);
        World::names(&w.post("/files", &alone).await, 422, "checksum_sha256");
        alone["reuse"] = json!("yes");
        World::names(&w.post("/files", &alone).await, 422, "reuse");
        let odd = w.get("/files?checksum_sha256=abc").await;
        World::names(&odd, 422, "checksum_sha256");
    });
}
