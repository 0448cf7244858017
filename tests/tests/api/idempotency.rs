//! The same request again makes nothing again.

use serde_json::{Value, json};
use stt_eval_shared::domain::Timestamp;
use stt_eval_shared::store::idempotency::Begin;
use stt_eval_tests::Answer;

use crate::support::{Expect, PRO, World, audio, id, text, with};

const KEYS: &str = "//api/v1/keys";

async fn post(w: &World, path: &str, key: &str, body: &Value) -> Answer {
    w.send(
        w.request("POST", path)
            .header("idempotency-key", key)
            .json(body),
    )
    .await
}

/// The ids of what an answer says was made.
fn made(answer: &Answer) -> Vec<String> {
    let data = &answer.body["data"];
    match (&data["files"], &data["file"]) {
        (Value::Array(files), _) => files.iter().map(|made| id(&made["file"])).collect(),
        (_, Value::Object(_)) => vec![id(&data["file"])],
        _ => vec![id(data)],
    }
}

async fn total(w: &World, list: &str) -> i64 {
    w.get(list).await.body["metadata"]["total"]
        .as_i64()
        .unwrap()
}

/// What can be made: route, list, body and another body.
async fn creations(w: &World) -> Vec<(&'static str, &'static str, u16, Value, Value)> {
    let file =
        |name: &str| json!({ "filename": name, "content_type": "audio/wav", "size_bytes": 5 });
    let known = w.dataset("known", &[Some("one two")]).await;
    let (a, b, c) = (
        w.recording().await,
        w.recording().await,
        w.recording().await,
    );
    let table = format!("file_id\n{c}\n");
    let manifest = w.file("m.csv", "text/csv", table.into_bytes()).await;
    let samples = |name: &str, file: &str| json!({ "name": name, "language": "en", "samples": [{ "file_id": file }] });
    let run = |name: &str| json!({ "run_name": name, "dataset_id": known.id, "providers": [PRO] });
    let inline = |name: &str| json!({ "run_name": name, "dataset": samples("inline", &b), "providers": [PRO] });
    let of_manifest =
        |name: &str| json!({ "name": name, "language": "en", "manifest_file_id": manifest });
    vec![
        ("/files", "/files", 201, file("a.wav"), file("b.wav")),
        (
            "/files",
            "/files",
            201,
            json!({ "files": [file("a.wav"), file("b.wav")] }),
            json!({ "files": [file("a.wav")] }),
        ),
        (
            "/datasets",
            "/datasets",
            201,
            samples("first", &a),
            samples("second", &a),
        ),
        (
            "/datasets",
            "/datasets",
            201,
            of_manifest("third"),
            of_manifest("fourth"),
        ),
        ("/runs", "/runs", 202, run("first"), run("second")),
        ("/runs", "/datasets", 202, inline("third"), inline("fourth")),
        (
            KEYS,
            KEYS,
            201,
            json!({ "name": "first", "role": "viewer" }),
            json!({ "name": "first", "role": "editor" }),
        ),
    ]
}

#[test]
fn the_same_request_gets_the_same_answer_and_makes_one_thing() {
    with(async |w| {
        for (at, (path, list, status, body, other)) in creations(w).await.into_iter().enumerate() {
            let key = format!("key-{at}");
            let before = total(w, list).await;
            let first = post(w, path, &key, &body).await;
            first.ok(status);
            let made_first = made(&first);
            for _ in 0..2 {
                let again = post(w, path, &key, &body).await;
                again.ok(status);
                assert_eq!(made(&again), made_first, "{path} {body}");
            }
            let count = before + i64::try_from(made_first.len()).unwrap();
            assert_eq!(total(w, list).await, count, "{path} {body}");
            let differs = post(w, path, &key, &other).await;
            World::names(&differs, 422, "Idempotency-Key");
            let elsewhere = if path == KEYS { "/files" } else { KEYS };
            let body = json!({ "name": "a", "role": "viewer" });
            let other_route = post(w, elsewhere, &key, &body).await;
            assert!(
                [400, 422].contains(&other_route.status),
                "{}",
                other_route.text
            );
            assert_eq!(total(w, list).await, count, "{path}");
        }
    });
}

#[test]
fn requests_at_once_make_one_thing() {
    with(async |w| {
        for (at, (path, list, status, body, _)) in creations(w).await.into_iter().enumerate() {
            let key = format!("at-once-{at}");
            let before = total(w, list).await;
            let tries = (0..6).map(|_| post(w, path, &key, &body));
            let answers = futures::future::join_all(tries).await;
            let mut ids = Vec::new();
            for answer in &answers {
                if answer.status == 409 {
                    assert!(answer.header("retry-after").is_some(), "{}", answer.text);
                } else {
                    answer.ok(status);
                    ids.push(made(answer));
                }
            }
            assert!(!ids.is_empty(), "{path}: {answers:?}");
            ids.dedup();
            assert_eq!(ids.len(), 1, "{path}: {ids:?}");
            let count = i64::try_from(ids[0].len()).unwrap();
            assert_eq!(total(w, list).await, before + count, "{path}");
            let again = post(w, path, &key, &body).await;
            assert_eq!(made(&again), ids[0], "{path}");
        }
    });
}

#[test]
fn of_different_requests_at_once_with_one_key_one_is_carried_out() {
    with(async |w| {
        for (at, (path, list, status, body, other)) in creations(w).await.into_iter().enumerate() {
            let key = format!("differ-at-once-{at}");
            let before = total(w, list).await;
            let tries =
                (0..8).map(|n| post(w, path, &key, if n % 2 == 0 { &body } else { &other }));
            let answers = futures::future::join_all(tries).await;
            let mut done = Vec::new();
            for (n, answer) in answers.iter().enumerate() {
                match answer.status {
                    // Another request's is still under way, or is done.
                    409 | 422 => {}
                    _ => {
                        answer.ok(status);
                        done.push((n % 2, made(answer)));
                    }
                }
            }
            assert!(!done.is_empty(), "{path}: {answers:?}");
            done.dedup();
            assert_eq!(done.len(), 1, "{path}: {done:?}");
            let (which, ids) = done.remove(0);
            let count = i64::try_from(ids.len()).unwrap();
            assert_eq!(total(w, list).await, before + count, "{path}");
            let (winner, loser) = if which == 0 {
                (&body, &other)
            } else {
                (&other, &body)
            };
            assert_eq!(made(&post(w, path, &key, winner).await), ids, "{path}");
            World::names(&post(w, path, &key, loser).await, 422, "Idempotency-Key");
        }
    });
}

#[test]
fn of_two_claims_in_the_same_millisecond_one_is_granted() {
    with(async |w| {
        let store = &w.machine.node.app.store;
        let project = w.project.name.parse().unwrap();
        let now = Timestamp::now();
        let claims = (0..4).map(|_| store.begin_idempotent(&project, "key", "payload", 201, now));
        let begun = futures::future::join_all(claims).await;
        let claimed = begun
            .iter()
            .filter(|begun| matches!(begun, Ok(Begin::Claimed(_))))
            .count();
        assert_eq!(claimed, 1, "{begun:?}");
    });
}

#[test]
fn a_run_is_started_once_whatever_became_of_it() {
    with(async |w| {
        let made = w.dataset("d", &[Some("one two")]).await;
        let body = json!({ "run_name": "r", "dataset_id": made.id, "providers": [PRO] });
        let run = post(w, "/runs", "once", &body).await.data(202).clone();
        w.ended(&run).await;
        let again = post(w, "/runs", "once", &body).await;
        assert_eq!(again.data(202)["id"], run["id"]);
        assert_eq!(total(w, "/runs").await, 1);
        assert_eq!(w.batches().await.len(), 1, "the provider was asked once");
        // Nothing comes back from the dead.
        w.delete(&format!("/runs/{}", id(&run))).await.ok(200);
        let gone = post(w, "/runs", "once", &body).await;
        assert!((400..500).contains(&gone.status), "{}", gone.text);
        assert_eq!(total(w, "/runs").await, 0);
    });
}

#[test]
fn a_retry_is_done_once() {
    with(async |w| {
        let made = w.unknown("d", &[Some("one two")]).await;
        let run = w.run(&made.id, &[PRO]).await;
        let path = format!("/runs/{}/retry", id(&run));
        let retry = || w.send(w.request("POST", &path).header("idempotency-key", "again"));
        let first = retry().await;
        assert_eq!(first.data(202)["id"], run["id"]);
        w.ended(&run).await;
        let again = retry().await;
        assert_eq!(again.data(202)["id"], run["id"]);
        assert_eq!(
            again.data(202)["status"],
            "failed",
            "no further round was begun"
        );
        assert_eq!(w.batches().await.len(), 2);
    });
}

#[test]
fn a_small_file_is_kept_once() {
    with(async |w| {
        let bytes = audio();
        let send = async |bytes: &[u8]| {
            let mut body = b"--b\r\nContent-Disposition: form-data; name=\"file\"; \
                filename=\"a.wav\"\r\nContent-Type: audio/wav\r\n\r\n"
                .to_vec();
            body.extend_from_slice(bytes);
            body.extend_from_slice(b"\r\n--b--\r\n");
            let request = w
                .request("POST", "/files")
                .header("content-type", "multipart/form-data; boundary=b")
                .header("idempotency-key", "small");
            w.send(request.body(body)).await
        };
        let first = send(&bytes).await;
        assert_eq!(first.data(201)["file"]["status"], "ready");
        let again = send(&bytes).await;
        assert_eq!(again.data(201)["file"], first.data(201)["file"]);
        send(&audio()).await.no(422);
        assert_eq!(total(w, "/files").await, 1);
    });
}

#[test]
fn a_refused_request_can_be_corrected_or_sent_again() {
    with(async |w| {
        let file = w.recording().await;
        let body = |name: &str| json!({ "name": name, "language": "en", "samples": [{ "file_id": file }] });
        for _ in 0..2 {
            World::names(&post(w, "/datasets", "k", &body("")).await, 422, "name");
        }
        let made = post(w, "/datasets", "k", &body("d")).await;
        let made = text(&made.data(201)["id"]).to_owned();
        // A name that is taken is no reason to refuse the request that took it.
        let again = post(w, "/datasets", "k", &body("d")).await;
        assert_eq!(again.data(201)["id"], *made);
        World::names(&post(w, "/datasets", "l", &body("d")).await, 409, "name");
    });
}

#[test]
fn odd_keys_are_refused_and_nothing_is_made() {
    with(async |w| {
        let body = json!({ "filename": "a.wav", "content_type": "audio/wav", "size_bytes": 5 });
        for key in ["", "a b", "\t", &"x".repeat(256)] {
            World::names(&post(w, "/files", key, &body).await, 400, "Idempotency-Key");
        }
        let accent = reqwest::header::HeaderValue::from_bytes("é".as_bytes()).unwrap();
        let request = w
            .request("POST", "/files")
            .header("idempotency-key", accent);
        w.send(request.json(&body)).await.no(400);
        let twice = w.request("POST", "/files").header("idempotency-key", "a");
        let twice = w
            .send(twice.header("idempotency-key", "b").json(&body))
            .await;
        assert!([400, 201].contains(&twice.status), "{}", twice.text);
        let before = total(w, "/files").await;
        post(w, "/files", &"x".repeat(255), &body).await.ok(201);
        post(w, "/files", "~!@#$%^&*()_+{}|:\"<>?", &body)
            .await
            .ok(201);
        assert_eq!(total(w, "/files").await, before + 2);
    });
}
