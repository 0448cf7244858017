//! What belongs to another project answers exactly like what never existed.

use serde_json::{Value, json};
use stt_eval_tests::Answer;

use crate::support::routes::{OPERATIONS, Things, documented};
use crate::support::{Expect, Project, audio, each, id, items, with};

/// An answer without what differs from request to request.
fn comparable(answer: &Answer) -> (u16, String, Vec<(String, String)>) {
    let request = answer.body["metadata"]["request_id"]
        .as_str()
        .unwrap_or("none");
    let mut headers = answer.headers.clone();
    headers.retain(|(name, _)| !["date", "x-request-id"].contains(&&**name));
    headers.sort();
    (answer.status, answer.text.replace(request, "id"), headers)
}

async fn same(client: &Project, method: &str, path: &str, body: Option<&Value>) -> Answer {
    let request = client.request(method, path);
    client
        .send(match body {
            Some(body) => request.json(body),
            None => request,
        })
        .await
}

#[test]
fn foreign_ids_answer_like_unknown_ones() {
    with(async |w| {
        let (things, _) = Things::make(w).await;
        let stranger = w.stranger().await;
        let before = w
            .get(&format!("/runs/{}?include_results=true", things.run))
            .await;
        let mut compared = 0;
        for operation in OPERATIONS {
            let nowhere = Things::nowhere();
            let (mine, unknown) = (operation.at(&things), operation.at(&nowhere));
            let (body, made_up) = (operation.body(&things), operation.body(&nowhere));
            if mine == unknown && body == made_up {
                continue;
            }
            let foreign = same(&stranger, operation.method, &mine, body.as_ref()).await;
            let unknown = same(&stranger, operation.method, &unknown, made_up.as_ref()).await;
            let what = format!("{} {}", operation.method, operation.path);
            assert_eq!(comparable(&foreign), comparable(&unknown), "{what}");
            let refused = if operation.names_a_thing() { 404 } else { 422 };
            assert_eq!(foreign.status, refused, "{what}: {}", foreign.text);
            // An id of another kind, or none at all, is no more than unknown.
            if operation.names_a_thing() {
                let mixed = Things {
                    file: things.dataset.clone(),
                    dataset: things.file.clone(),
                    sample: "x".to_owned(),
                    run: things.run.to_lowercase(),
                    result: things.sample.clone(),
                    key: "%00".to_owned(),
                    session: things.key.clone(),
                    model: "%00".to_owned(),
                };
                let path = operation.at(&mixed);
                let odd = same(&stranger, operation.method, &path, body.as_ref()).await;
                assert_eq!(comparable(&odd), comparable(&unknown), "{what}");
                let path = operation.at(&mixed);
                let own = same(&w.project, operation.method, &path, body.as_ref()).await;
                assert_eq!(own.status, 404, "{what}: {}", own.text);
            }
            compared += 1;
        }
        assert!(compared >= 18, "{compared}");
        let after = w
            .get(&format!("/runs/{}?include_results=true", things.run))
            .await;
        assert_eq!(after.data(200), before.data(200), "nothing was touched");
        for path in [
            format!("/files/{}", things.file),
            format!("/datasets/{}", things.dataset),
            format!("/results/{}", things.result),
        ] {
            w.get(&path).await.ok(200);
        }
    });
}

#[test]
fn so_does_every_operation_of_the_document() {
    with(async |w| {
        let document = w.get("//openapi.json").await.body;
        let (things, _) = Things::make(w).await;
        let stranger = w.stranger().await;
        let with_id = documented(&document)
            .into_iter()
            .filter(|(path, _, _)| path.contains("{id}"));
        for (path, method, operation) in with_id {
            let body = operation["requestBody"].is_object().then(|| json!({}));
            let at = |things: &Things| format!("/{}", things.fill_documented(&path));
            let mine = at(&things);
            let foreign = same(&stranger, &method, &mine, body.as_ref()).await;
            let nowhere = at(&Things::nowhere());
            let unknown = same(&stranger, &method, &nowhere, body.as_ref()).await;
            assert_eq!(
                comparable(&foreign),
                comparable(&unknown),
                "{method} {path}"
            );
            // What is wrong with the body may be told first.
            assert!([404, 422].contains(&foreign.status), "{}", foreign.text);
            assert!(body.is_some() || foreign.status == 404, "{method} {path}");
        }
        w.get(&format!("/runs/{}", things.run)).await.ok(200);
    });
}

#[test]
fn lists_and_filters_show_the_own_project_alone() {
    with(async |w| {
        let (things, _) = Things::make(w).await;
        let stranger = w.stranger().await;
        for list in ["/files", "/datasets", "/runs"] {
            let listed = stranger.get(list).await;
            assert_eq!(items(listed.data(200)).len(), 0, "{list}");
            assert_eq!(listed.body["metadata"]["total"], 0, "{list}");
        }
        let keys = stranger.get("//api/v1/keys").await;
        assert_eq!(items(keys.data(200)).len(), 1);
        assert!(!each(keys.data(200), "id").contains(&&json!(things.key)));
        let foreign = stranger
            .get(&format!("/runs?dataset_id={}", things.dataset))
            .await;
        let unknown = stranger
            .get("/runs?dataset_id=ds_01KAR8F3V4N7C3Q8Z5W2Y0H6M1")
            .await;
        assert_eq!(comparable(&foreign), comparable(&unknown));
    });
}

#[test]
fn cursors_keys_and_credentials_do_not_cross_over() {
    with(async |w| {
        let stranger = w.stranger().await;
        // Without credentials of its own a project can't use those of another.
        stranger.delete("/credentials/google").await.ok(200);
        let file = w
            .machine
            .upload(&stranger, "a.wav", "audio/wav", &audio())
            .await;
        let body = json!({ "name": "d", "language": "en", "samples": [{ "file_id": file["id"] }] });
        let dataset = id(stranger.post("/datasets", &body).await.data(201));
        let run = json!({
            "run_name": "r", "dataset_id": dataset, "providers": [crate::support::PRO]
        });
        stranger.post("/runs", &run).await.no(422);
        w.get("/credentials/google").await.ok(200);
        // The same Idempotency-Key is another one elsewhere.
        let make = async |client: &Project| {
            let body = json!({ "filename": "a.wav", "content_type": "audio/wav", "size_bytes": 5 });
            let request = client
                .request("POST", "/files")
                .header("idempotency-key", "same");
            id(&client.send(request.json(&body)).await.data(201)["file"])
        };
        assert_ne!(make(&w.project).await, make(&stranger).await);
        assert_eq!(w.get("/files").await.body["metadata"]["total"], 1);
    });
}
