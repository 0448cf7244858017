//! Bodies.

use serde_json::{Value, json};
use stt_eval_tests::Answer;

use crate::support::routes::{OPERATIONS, Operation, Things};
use crate::support::{Expect, PRO, World, id, with};

/// Operations that take a JSON body.
fn writing() -> impl Iterator<Item = Operation> {
    OPERATIONS
        .into_iter()
        .filter(|operation| operation.body(&Things::nowhere()).is_some())
}

async fn raw(
    w: &World,
    operation: Operation,
    kind: Option<&str>,
    body: impl Into<Vec<u8>>,
) -> Answer {
    let request = w.request(operation.method, &operation.at(&Things::nowhere()));
    let request = match kind {
        Some(kind) => request.header("content-type", kind),
        None => request,
    };
    w.send(request.body(body.into())).await
}

#[test]
fn what_is_no_json_object_is_refused() {
    with(async |w| {
        let deep = |open: &str| format!("{{\"name\":{}", open.repeat(50_000));
        let bodies: Vec<(&str, Vec<u8>, &[u16])> = vec![
            ("empty", b"".to_vec(), &[400]),
            ("blank", b"  \n ".to_vec(), &[400]),
            ("text", b"not json".to_vec(), &[400]),
            ("cut off", b"{\"name\":".to_vec(), &[400]),
            ("trailing text", b"{} x".to_vec(), &[400, 422]),
            ("two objects", b"{}{}".to_vec(), &[400, 422]),
            ("trailing comma", b"{\"name\":\"a\",}".to_vec(), &[400]),
            ("comment", b"{/* */}".to_vec(), &[400]),
            ("single quotes", b"{'name':'a'}".to_vec(), &[400]),
            ("byte order mark", b"\xef\xbb\xbf{}".to_vec(), &[400, 422]),
            (
                "not UTF-8",
                b"{\"name\":\"\xff\xfe\"}".to_vec(),
                &[400, 422],
            ),
            (
                "lone surrogate",
                b"{\"name\":\"\\ud800\"}".to_vec(),
                &[400, 422],
            ),
            ("raw control", b"{\"name\":\"a\nb\"}".to_vec(), &[400, 422]),
            ("NaN", b"{\"name\":NaN}".to_vec(), &[400, 422]),
            ("infinite", b"{\"name\":1e999}".to_vec(), &[400, 422]),
            (
                "huge number",
                [b"{\"name\":".to_vec(), vec![b'9'; 10_000], b"}".to_vec()].concat(),
                &[400, 422],
            ),
            ("array", b"[]".to_vec(), &[400, 422]),
            ("null", b"null".to_vec(), &[400, 422]),
            ("string", b"\"name\"".to_vec(), &[400, 422]),
            ("number", b"7".to_vec(), &[400, 422]),
            ("deep arrays", deep("[").into_bytes(), &[400, 422]),
            ("deep objects", deep("{\"name\":").into_bytes(), &[400, 422]),
            (
                "key twice",
                b"{\"name\":\"a\",\"name\":\"b\"}".to_vec(),
                &[400, 422],
            ),
            ("binary", (0..=255u8).collect(), &[400]),
        ];
        for operation in writing() {
            for (what, body, allowed) in &bodies {
                let answer = raw(w, operation, Some("application/json"), body.clone()).await;
                let where_ = format!("{what} to {} {}", operation.method, operation.path);
                assert!(
                    allowed.contains(&answer.status),
                    "{where_}: {} {}",
                    answer.status,
                    answer.text
                );
                answer.no(answer.status);
            }
        }
        assert_eq!(w.get("/files").await.body["metadata"]["total"], 0);
    });
}

#[test]
fn unknown_fields_are_named() {
    with(async |w| {
        for operation in writing() {
            let mut body = operation.body(&Things::nowhere()).unwrap();
            body["languge"] = json!("hi");
            let request = w.request(operation.method, &operation.at(&Things::nowhere()));
            World::names(&w.send(request.json(&body)).await, 400, "languge");
        }
        for (path, body, field) in [
            (
                "/files",
                json!({ "files": [{ "filename": "a", "content_type": "audio/wav", "size_bytes": 1, "sizebytes": 2 }] }),
                "files[0].sizebytes",
            ),
            (
                "/datasets",
                json!({ "name": "d", "language": "hi", "samples": [{ "file_id": "x" }, { "file_id": "y", "truth": "z" }] }),
                "samples[1].truth",
            ),
        ] {
            World::names(&w.post(path, &body).await, 400, field);
        }
    });
}

#[test]
fn a_body_where_none_is_wanted_is_not_ignored() {
    with(async |w| {
        let made = w.dataset("d", &[Some("one two")]).await;
        let run = w.run(&made.id, &[PRO]).await;
        for action in ["cancel", "retry"] {
            let path = format!("/runs/{}/{action}", id(&run));
            let send = async |kind: &str, body: &str| {
                let request = w.request("POST", &path).header("content-type", kind);
                w.send(request.body(body.to_owned())).await
            };
            for (body, field) in [
                ("{\"items\":[1]}", "items"),
                ("{\"Reason\":null}", "Reason"),
            ] {
                World::names(&send("application/json", body).await, 400, field);
            }
            for body in ["not json", "{} {}", "{\"a\":", " "] {
                send("application/json", body).await.no(400);
            }
            for body in ["[]", "null", "7"] {
                let answer = send("application/json", body).await;
                assert!(
                    [400, 422].contains(&answer.status),
                    "{body}: {}",
                    answer.text
                );
            }
            send("text/plain", "{}").await.no(415);
            // Nothing and an empty object say the same: here, that it is too late.
            send("application/json", "{}").await.no(409);
            send("application/json", "").await.no(409);
            w.send(w.request("POST", &path)).await.no(409);
        }
        let after = w.get(&format!("/runs/{}", id(&run))).await;
        assert_eq!(after.data(200)["updated_at"], run["updated_at"]);
    });
}

#[test]
fn wrong_types_are_named() {
    with(async |w| {
        for operation in writing() {
            let body = operation.body(&Things::nowhere()).unwrap();
            for field in body.as_object().unwrap().keys() {
                for wrong in [json!({ "a": 1 }), json!(7.5), json!([[]])] {
                    let mut body = body.clone();
                    body[field] = wrong.clone();
                    // Free fields may be an object.
                    if body[field] == json!({ "a": 1 }) && field == "metadata" {
                        continue;
                    }
                    let request = w.request(operation.method, &operation.at(&Things::nowhere()));
                    let answer = w.send(request.json(&body)).await;
                    let fields = answer.refused(422);
                    let what = format!("{} {field}: {wrong}", operation.path);
                    assert!(
                        fields.iter().any(|f| f.starts_with(field.as_str())),
                        "{what}: {}",
                        answer.text
                    );
                }
            }
        }
    });
}

#[test]
fn large_bodies_are_refused_early() {
    with(async |w| {
        let padded = |length: usize| {
            let mut body =
                br#"{"filename":"a.wav","content_type":"audio/wav","size_bytes":5}"#.to_vec();
            body.resize(length, b' ');
            body
        };
        let mib = 1024 * 1024;
        for operation in writing() {
            let answer = raw(w, operation, Some("application/json"), vec![b' '; mib + 1]).await;
            assert_eq!(answer.status, 413, "{}: {}", operation.path, answer.text);
            answer.no(413);
        }
        let files = OPERATIONS
            .into_iter()
            .find(|o| o.method == "POST" && o.path == "/files")
            .unwrap();
        assert_eq!(
            raw(w, files, Some("application/json"), padded(10_000_000))
                .await
                .status,
            413
        );
        assert_eq!(w.get("/files").await.body["metadata"]["total"], 0);
        raw(w, files, Some("application/json"), padded(mib))
            .await
            .ok(201);
    });
}

#[test]
fn other_types_of_body_are_refused() {
    with(async |w| {
        for operation in writing() {
            let body = operation.body(&Things::nowhere()).unwrap().to_string();
            for kind in [
                None,
                Some(""),
                Some("text/plain"),
                Some("application/x-www-form-urlencoded"),
                Some("application/xml"),
                Some("json"),
                Some("application/jsonl"),
            ] {
                let answer = raw(w, operation, kind, body.clone()).await;
                assert_eq!(
                    answer.status, 415,
                    "{kind:?} to {}: {}",
                    operation.path, answer.text
                );
                answer.no(415);
            }
        }
        let files = OPERATIONS
            .into_iter()
            .find(|o| o.method == "POST" && o.path == "/files")
            .unwrap();
        let body = files.body(&Things::nowhere()).unwrap().to_string();
        for kind in [
            "application/json; charset=utf-8",
            "Application/JSON",
            "application/json ; x=y",
        ] {
            raw(w, files, Some(kind), body.clone()).await.ok(201);
        }
    });
}

#[test]
fn numbers_and_text_at_the_edges_are_answered() {
    with(async |w| {
        for size in [
            "18446744073709551615",
            "18446744073709551616",
            "-9223372036854775809",
            "1e400",
            "0.1",
            "5e0",
        ] {
            let body = format!(
                "{{\"filename\":\"a.wav\",\"content_type\":\"audio/wav\",\"size_bytes\":{size}}}"
            );
            let request = w
                .request("POST", "/files")
                .header("content-type", "application/json");
            let answer = w.send(request.body(body)).await;
            assert!(
                [400, 422].contains(&answer.status),
                "{size}: {}",
                answer.text
            );
            answer.no(answer.status);
        }
        let file = w.recording().await;
        for (field, value) in [
            ("name", json!("\u{0}")),
            ("name", json!("\u{d7ff}\u{e000}\u{10ffff}")),
            ("name", json!("\u{fffe}")),
            ("description", json!("\u{0}")),
        ] {
            let mut body: Value =
                json!({ "name": "d", "language": "hi", "samples": [{ "file_id": file }] });
            body[field] = value;
            World::names(&w.post("/datasets", &body).await, 422, field);
        }
        // What is odd but text is kept as it is.
        let odd = "😀 a\u{301} \u{1f468}\u{200d}\u{1f33e} ‘x’ \\ \" </script> ${7*7} %s '; --";
        let body = json!({
            "name": "edge", "language": "hi", "description": odd,
            "samples": [{ "file_id": file, "ground_truth": odd.replace(['{', '}', '<'], ""),
                "metadata": { "note": odd } }],
        });
        let made = w.post("/datasets", &body).await.data(201).clone();
        assert_eq!(made["description"], odd);
        let path = format!(
            "/datasets/{}?include_samples=true",
            made["id"].as_str().unwrap()
        );
        assert_eq!(
            w.get(&path).await.data(200)["samples"][0]["metadata"]["note"],
            odd
        );
    });
}
