//! The OpenAPI document against the service.

use std::collections::BTreeSet;

use crate::support::routes::{OPERATIONS, Things, documented};
use crate::support::{Expect, text, with};

/// Routes that need no key.
const OPEN: [&str; 2] = ["/healthz", "/openapi.json"];

#[test]
fn the_document_says_what_the_service_does() {
    with(async |w| {
        let answer = w.with_key(None).get("//openapi.json").await;
        assert_eq!(answer.status, 200);
        let document = answer.body;
        assert!(
            text(&document["openapi"]).starts_with("3.1"),
            "{}",
            document["openapi"]
        );
        let listed = documented(&document);
        let known: BTreeSet<(String, String)> = listed
            .iter()
            .map(|(path, method, _)| (path.clone(), method.clone()))
            .collect();
        for operation in OPERATIONS {
            let wanted = (operation.documented(), operation.method.to_owned());
            assert!(known.contains(&wanted), "{wanted:?} is not in the document");
        }
        let ids: BTreeSet<&str> = listed
            .iter()
            .map(|(_, _, o)| text(&o["operationId"]))
            .collect();
        assert_eq!(
            ids.len(),
            listed.len(),
            "every operation has an id of its own"
        );
        let refs = document.to_string();
        for (at, _) in refs.match_indices("\"#/components/schemas/") {
            let name = refs[at + 22..].split('"').next().unwrap();
            assert!(
                document["components"]["schemas"].get(name).is_some(),
                "{name} is missing"
            );
        }
    });
}

#[test]
fn every_documented_operation_is_served() {
    with(async |w| {
        let document = w.get("//openapi.json").await.body;
        let (things, _) = Things::make(w).await;
        let mut all = documented(&document);
        // What deletes comes last.
        all.sort_by_key(|(_, method, _)| method == "DELETE");
        let anonymous = w.with_key(None);
        for (path, method, operation) in &all {
            let path = things.fill_documented(path);
            let path = format!("/{path}");
            let what = format!("{method} {path}");
            let without = anonymous.send(anonymous.request(method, &path)).await;
            if OPEN.iter().any(|open| path == format!("/{open}")) {
                assert_eq!(without.status, 200, "{what}");
                continue;
            }
            assert_eq!(without.status, 401, "{what}: {}", without.text);
            let bodied = operation["requestBody"].is_object();
            let request = w.request(method, &path);
            let answer = w
                .send(match bodied {
                    true => request.json(&serde_json::json!({})),
                    false => request,
                })
                .await;
            assert!(answer.status < 500, "{what}: {}", answer.text);
            if method != "DELETE" {
                assert!(
                    ![401, 403, 404, 405].contains(&answer.status),
                    "{what}: {}",
                    answer.text
                );
            }
            assert_ne!(answer.status, 405, "{what}");
            assert_ne!(answer.body["error"], "there is no such route", "{what}");
            let answers = operation["responses"].as_object().unwrap();
            let status = answer.status.to_string();
            assert!(
                answers.contains_key(&status),
                "{what} answered {status}, undocumented"
            );
        }
    });
}

#[test]
fn answers_have_the_documented_fields() {
    with(async |w| {
        let document = w.get("//openapi.json").await.body;
        let (things, _) = Things::make(w).await;
        for (path, schema) in [
            (format!("/files/{}", things.file), "FileView"),
            (format!("/datasets/{}", things.dataset), "DatasetView"),
            (format!("/runs/{}", things.run), "RunView"),
            (format!("/results/{}", things.result), "ResultView"),
            ("/credentials/google".to_owned(), "CredentialView"),
        ] {
            let shown = w.get(&path).await.data(200).clone();
            let fields = &document["components"]["schemas"][schema];
            let known = fields["properties"].as_object().unwrap();
            for field in shown.as_object().unwrap().keys() {
                assert!(
                    known.contains_key(field),
                    "{schema}.{field} is not documented"
                );
            }
            for field in fields["required"].as_array().unwrap() {
                assert!(
                    shown.get(text(field)).is_some(),
                    "{schema}.{field} is not there"
                );
            }
        }
    });
}

#[test]
fn health_is_told_without_a_key() {
    with(async |w| {
        let answer = w.with_key(None).get("//healthz").await;
        answer.ok(200);
        let wrong = w.with_key(Some("sk_nonsense")).get("//healthz").await;
        wrong.ok(200);
    });
}
