//! Objects dropped straight into the bucket.

use serde_json::{Value, json};
use stt_eval_tests::audio::sha256;

use crate::support::store::{bucket, drop_object, objects, rows};
use crate::support::{Expect, World, audio, each, id, items, with};

/// Waits until the project has a file of this name; gives it.
async fn named(w: &World, name: &str) -> Value {
    w.machine
        .wait(&format!("{name} is registered"), async || {
            let listed = w.get("/files?limit=100").await;
            items(listed.data(200))
                .iter()
                .find(|file| file["filename"] == name)
                .cloned()
        })
        .await
}

async fn send_event(w: &World, body: &str) {
    let cloud = &w.machine.node.cloud;
    let message = cloud
        .sqs_client()
        .send_message()
        .queue_url(cloud.queue_url("events"));
    message.message_body(body).send().await.unwrap();
}

#[test]
fn a_dropped_object_is_a_file_named_by_its_path() {
    with(async |w| {
        let bytes = audio();
        let key = format!("incoming/{}/a b/ஒலி+1%.wav", w.project.name);
        drop_object(w, &key, &bytes).await;
        let file = named(w, "a b/ஒலி+1%.wav").await;
        assert_eq!(file["status"], "ready", "{file}");
        assert_eq!(file["kind"], "audio");
        assert_eq!(file["format"], "wav");
        assert_eq!(file["content_type"], "audio/wav");
        assert_eq!(file["checksum_sha256"], sha256(&bytes));
        assert_eq!(file["size_bytes"], bytes.len());
        assert!(
            !file.to_string().contains("incoming/"),
            "no key is shown: {file}"
        );
        // It is as good as an announced one.
        let body = json!({
            "name": "dropped", "language": "ta", "samples": [{ "file_id": file["id"] }]
        });
        w.post("/datasets", &body).await.ok(201);
    });
}

#[test]
fn a_dropped_recording_under_another_formats_name_is_what_it_is() {
    with(async |w| {
        let key = format!("incoming/{}/call.mp3", w.project.name);
        let s3 = w.machine.node.cloud.s3_client();
        let put = s3.put_object().bucket(bucket(w)).key(key);
        // As `aws s3 sync` takes it from the name.
        let put = put.content_type("audio/mpeg").body(audio().into());
        put.send().await.unwrap();
        let file = named(w, "call.mp3").await;
        assert_eq!(file["status"], "ready", "{file}");
        assert_eq!(file["content_type"], "audio/mpeg");
        assert_eq!(file["detected_content_type"], "audio/wav");
        assert_eq!(file["format"], "wav");
    });
}

#[test]
fn events_that_come_again_and_poison_do_no_harm() {
    with(async |w| {
        let key = format!("incoming/{}/once.wav", w.project.name);
        let bytes = audio();
        drop_object(w, &key, &bytes).await;
        let first = named(w, "once.wav").await;
        let event = |key: &str| {
            json!({ "Records": [{
                "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "us-east-1",
                "eventTime": "2026-01-01T00:00:00.000Z", "eventName": "ObjectCreated:Put",
                "userIdentity": { "principalId": "AWS:1" },
                "requestParameters": { "sourceIPAddress": "127.0.0.1" },
                "responseElements": { "x-amz-request-id": "1", "x-amz-id-2": "2" },
                "s3": {
                    "s3SchemaVersion": "1.0",
                    "bucket": { "name": bucket(w), "arn": "arn:aws:s3:::b" },
                    "object": { "key": key, "size": 1, "sequencer": "0" }
                }
            }]})
            .to_string()
        };
        for _ in 0..3 {
            send_event(w, &event(&key)).await;
        }
        send_event(w, "no event at all").await;
        send_event(w, "{}").await;
        send_event(
            w,
            &event(&format!("incoming/{}/not-there.wav", w.project.name)),
        )
        .await;
        send_event(w, &event("audio/no/such.wav")).await;
        send_event(w, &event("../../%ff%00")).await;
        drop_object(w, &key, &bytes).await;
        drop_object(
            w,
            &format!("incoming/{}/last.wav", w.project.name),
            &audio(),
        )
        .await;
        named(w, "last.wav").await;
        let listed = w.get("/files").await;
        assert_eq!(listed.body["metadata"]["total"], 2, "{}", listed.text);
        assert_eq!(
            w.get(&format!("/files/{}", id(&first))).await.data(200),
            &first
        );
    });
}

#[test]
fn a_path_belongs_to_the_project_in_it() {
    with(async |w| {
        let stranger = w.stranger().await;
        let nobody = format!("nobody-{}", w.project.name);
        drop_object(w, &format!("incoming/{nobody}/a.wav"), &audio()).await;
        drop_object(
            w,
            &format!("incoming/{}/mine.wav", w.project.name),
            &audio(),
        )
        .await;
        drop_object(
            w,
            &format!("incoming/{}/theirs.wav", stranger.name),
            &audio(),
        )
        .await;
        let mine = named(w, "mine.wav").await;
        let theirs = w
            .machine
            .wait("the stranger's file is registered", async || {
                items(stranger.get("/files").await.data(200))
                    .first()
                    .cloned()
            })
            .await;
        assert_eq!(theirs["filename"], "theirs.wav");
        assert_eq!(w.get("/files").await.body["metadata"]["total"], 1);
        w.get(&format!("/files/{}", id(&theirs))).await.no(404);
        stranger.get(&format!("/files/{}", id(&mine))).await.no(404);
        assert_eq!(
            rows(w, &nobody).await,
            [] as [String; 0],
            "an unknown project is ignored"
        );
    });
}

#[test]
fn what_is_dropped_is_looked_into_like_an_upload() {
    with(async |w| {
        let at = |name: &str| format!("incoming/{}/{name}", w.project.name);
        drop_object(w, &at("song.mp3"), b"just some text").await;
        drop_object(w, &at("empty.wav"), b"").await;
        drop_object(w, &at("list.csv"), b"filename\nreally-wav.mp3\n").await;
        drop_object(w, &at("really-wav.mp3"), &audio()).await;
        let song = named(w, "song.mp3").await;
        assert_eq!(song["status"], "rejected", "{song}");
        assert!(
            song["rejection_reason"]
                .as_str()
                .unwrap()
                .contains("not an audio recording")
        );
        let empty = named(w, "empty.wav").await;
        assert_eq!(empty["status"], "rejected", "{empty}");
        let list = named(w, "list.csv").await;
        assert_eq!(
            (&list["status"], &list["kind"]),
            (&json!("ready"), &json!("manifest"))
        );
        // No format was declared, so the content alone counts.
        let file = named(w, "really-wav.mp3").await;
        assert_eq!(
            (&file["status"], &file["format"]),
            (&json!("ready"), &json!("wav"))
        );
    });
}

#[test]
fn a_path_can_be_used_again() {
    with(async |w| {
        let key = format!("incoming/{}/again.wav", w.project.name);
        let bytes = audio();
        drop_object(w, &key, &bytes).await;
        let first = named(w, "again.wav").await;
        w.delete(&format!("/files/{}", id(&first))).await.ok(200);
        w.machine
            .wait("the object is gone", async || {
                objects(w, &key).await.is_empty().then_some(())
            })
            .await;
        // The very same bytes at the very same place are a new file.
        drop_object(w, &key, &bytes).await;
        let second = named(w, "again.wav").await;
        assert_ne!(id(&second), id(&first));
        assert_eq!(second["status"], "ready", "{second}");
        // Other bytes there are seen as well.
        let other = audio();
        drop_object(w, &key, &other).await;
        w.machine
            .wait("the new content is registered", async || {
                let listed = w.get("/files").await;
                let sums = each(listed.data(200), "checksum_sha256");
                sums.contains(&&json!(sha256(&other))).then_some(())
            })
            .await;
    });
}
