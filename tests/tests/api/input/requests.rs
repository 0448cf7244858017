//! Paths, methods, queries, headers.

use std::collections::BTreeSet;

use crate::support::routes::{OPERATIONS, Things};
use crate::support::{Expect, World, with};

#[test]
fn unknown_and_repeated_parameters_are_named() {
    with(async |w| {
        let (things, _) = Things::make(w).await;
        let mut methods = BTreeSet::new();
        for operation in OPERATIONS {
            let path = operation.at(&things);
            let glue = if path.contains('?') { '&' } else { '?' };
            let send = async |query: &str| {
                let request = w.request(operation.method, &format!("{path}{glue}{query}"));
                let body = operation.body(&things);
                w.send(match body {
                    Some(body) => request.json(&body),
                    None => request,
                })
                .await
            };
            World::names(&send("limt=5").await, 400, "limt");
            // The rest is read by the same code for every route of a method.
            if !methods.insert(operation.method) {
                continue;
            }
            World::names(&send("Limit=5").await, 400, "Limit");
            for query in [
                "%",
                "%ff=1",
                "limit=%zz",
                "%00=1",
                "a[]=1",
                "limit=1&limit=1",
                "💥",
            ] {
                let answer = send(query).await;
                let what = format!("{} {path} {query}", operation.method);
                assert_eq!(answer.status, 400, "{what}: {}", answer.text);
                answer.no(400);
            }
        }
        for path in ["/files?limit=5&limit=6", "/files?limit=5&limit=5"] {
            World::names(&w.get(path).await, 400, "limit");
        }
        let twice = format!("/runs/{}/results?sort=wer&sort=wer", things.run);
        World::names(&w.get(&twice).await, 400, "sort");
        // Nothing was changed by all that.
        w.get(&format!("/datasets/{}", things.dataset))
            .await
            .ok(200);
        w.get(&format!("/runs/{}", things.run)).await.ok(200);
        w.get("/credentials/google").await.ok(200);
    });
}

#[test]
fn unknown_routes_and_methods_are_refused_in_the_envelope() {
    with(async |w| {
        for path in [
            "/nothing",
            "/files/a/b",
            "/Files",
            "/files/",
            "/runs/x/y/z",
            "//api",
            "//api/v1",
            "//api/v2/evaluations/stt/files",
            "//favicon.ico",
            "//.env",
            "//api/v1/evaluations/stt",
            "/files%2f..",
        ] {
            let answer = w.get(path).await;
            assert_eq!(answer.status, 404, "{path}: {}", answer.text);
            answer.no(404);
            assert!(!answer.text.contains("nothing") && !answer.text.contains("../"));
        }
        for (method, path) in [
            ("DELETE", "/files"),
            ("PUT", "/files"),
            ("PATCH", "/datasets"),
            ("POST", "/datasets/ds_1"),
            ("PUT", "/samples/smp_1"),
            ("PUT", "/runs"),
            ("GET", "/runs/run_1/cancel"),
            ("DELETE", "/results/res_1"),
            ("POST", "/providers"),
            ("POST", "/languages"),
            ("POST", "/credentials/google"),
            ("PATCH", "//api/v1/keys"),
            ("POST", "//healthz"),
            ("TRACE", "/files"),
            ("BREW", "/files"),
        ] {
            let answer = w.send(w.request(method, path)).await;
            assert_eq!(answer.status, 405, "{method} {path}: {}", answer.text);
            answer.no(405);
        }
    });
}

#[test]
fn odd_ids_in_paths_are_unknown_ones() {
    with(async |w| {
        for (kind, unknown) in [
            ("files", "file_01KAR8F3V4N7C3Q8Z5W2Y0H6M1"),
            ("datasets", "ds_01KAR8F3V4N7C3Q8Z5W2Y0H6M1"),
            ("runs", "run_01KAR8F3V4N7C3Q8Z5W2Y0H6M1"),
            ("results", "res_01KAR8F3V4N7C3Q8Z5W2Y0H6M1"),
        ] {
            let told = w.get(&format!("/{kind}/{unknown}")).await;
            told.no(404);
            for odd in [
                "x",
                "0",
                "null",
                "%20",
                "%00",
                "%ff%fe",
                "%F0%9F%92%A5",
                "*",
                "{id}",
                "..%2f..%2fetc",
                "%23",
                "a%23b%23c",
                &unknown.to_lowercase(),
                &format!("{unknown}1"),
                &format!("{unknown}%20"),
                &unknown.replace("01KAR", "81KAR"),
                &unknown.replace("01KAR", "OIKAR"),
                &"x".repeat(4_000),
            ] {
                let answer = w.get(&format!("/{kind}/{odd}")).await;
                assert_eq!(answer.status, 404, "{kind} {odd}: {}", answer.text);
                assert_eq!(answer.body["error"], told.body["error"], "{kind} {odd}");
            }
        }
    });
}

#[test]
fn every_answer_has_a_request_id_and_safe_headers() {
    with(async |w| {
        for answer in [
            w.get("/files").await,
            w.get("/nothing").await,
            w.with_key(None).get("/files").await,
            w.get("/files?limit=0").await,
            w.send(w.request("PUT", "/files")).await,
        ] {
            let request = answer.header("x-request-id").unwrap();
            if answer.status != 200 {
                assert_eq!(answer.body["metadata"]["request_id"], *request);
            }
            assert_eq!(answer.header("content-type"), Some("application/json"));
            assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
            assert_eq!(answer.header("cache-control"), Some("no-store"));
        }
        let first = w.get("/files").await;
        let second = w.get("/files").await;
        assert_ne!(first.header("x-request-id"), second.header("x-request-id"));
    });
}
