//! Every route of the pages: it comes with headers, wants a session, an origin and a role,
//! and knows nothing of other projects. A route that is not in the list fails.

use std::collections::BTreeSet;

use super::{Browser, key};
use crate::support::routes::Things;
use crate::support::with;

/// Where the routes of the pages are made.
const SOURCE: &str = include_str!("../../../../functions/api/src/pages/mod.rs");

/// Method, path, and the weakest role; none where no session is asked for.
const PAGES: [(&str, &str, Option<&str>); 57] = [
    ("GET", "/", Some("viewer")),
    ("GET", "/sign-in", None),
    ("POST", "/sign-in", None),
    ("POST", "/sign-out", None),
    ("GET", "/datasets", Some("viewer")),
    ("POST", "/datasets", Some("editor")),
    ("GET", "/datasets/new", Some("editor")),
    ("POST", "/datasets/preview", Some("editor")),
    ("GET", "/datasets/{dataset}", Some("viewer")),
    ("GET", "/datasets/{dataset}/delete", Some("editor")),
    ("POST", "/datasets/{dataset}/delete", Some("editor")),
    ("GET", "/samples/{sample}", Some("viewer")),
    ("POST", "/samples/{sample}", Some("editor")),
    ("POST", "/uploads", Some("editor")),
    ("GET", "/runs", Some("viewer")),
    ("POST", "/runs", Some("editor")),
    ("GET", "/runs/new", Some("editor")),
    ("GET", "/runs/estimate", Some("editor")),
    ("POST", "/runs/estimate", Some("editor")),
    ("GET", "/runs/{run}", Some("viewer")),
    ("GET", "/runs/{run}/progress", Some("viewer")),
    ("POST", "/runs/{run}/cancel", Some("editor")),
    ("POST", "/runs/{run}/retry", Some("editor")),
    ("POST", "/runs/{run}/rescore", Some("editor")),
    ("GET", "/runs/{run}/results", Some("viewer")),
    ("GET", "/runs/{run}/results.csv", Some("viewer")),
    ("GET", "/runs/{run}/results.jsonl", Some("viewer")),
    ("GET", "/runs/{run}/delete", Some("editor")),
    ("POST", "/runs/{run}/delete", Some("editor")),
    ("POST", "/runs/{run}/transcripts", Some("editor")),
    ("GET", "/runs/{run}/review", Some("reviewer")),
    ("GET", "/runs/{run}/review/{sample}", Some("reviewer")),
    ("POST", "/runs/{run}/review/{sample}", Some("reviewer")),
    ("POST", "/runs/{run}/review/{sample}/undo", Some("reviewer")),
    ("GET", "/runs/{run}/review/{sample}/variant", Some("editor")),
    (
        "POST",
        "/runs/{run}/review/{sample}/variant",
        Some("editor"),
    ),
    (
        "GET",
        "/runs/{run}/review/{sample}/propose",
        Some("reviewer"),
    ),
    (
        "POST",
        "/runs/{run}/review/{sample}/propose",
        Some("reviewer"),
    ),
    ("GET", "/runs/{run}/compare", Some("viewer")),
    ("GET", "/runs/{run}/consensus", Some("viewer")),
    ("POST", "/runs/{run}/consensus", Some("editor")),
    ("GET", "/runs/{run}/report", Some("viewer")),
    ("GET", "/runs/{run}/report.html", Some("viewer")),
    ("GET", "/audio/{file}", Some("viewer")),
    ("GET", "/keys", Some("admin")),
    ("POST", "/keys", Some("admin")),
    ("POST", "/keys/{key}/revoke", Some("admin")),
    ("POST", "/sessions/{session}/end", Some("admin")),
    ("GET", "/settings", Some("viewer")),
    ("POST", "/settings", Some("admin")),
    ("POST", "/settings/models", Some("admin")),
    ("POST", "/demo", Some("editor")),
    ("GET", "/help", Some("viewer")),
    ("GET", "/assets/{digest}/{name}", None),
    ("GET", "/runs/{run}/review?queue=worst", Some("reviewer")),
    (
        "GET",
        "/runs/{run}/results?sort=-disagreement",
        Some("viewer"),
    ),
    ("GET", "/runs/{run}/results?sort=unreviewed", Some("viewer")),
];

/// Fields that make forms say something, where that is looked at before ids are.
const FIELDS: [(&str, &str); 3] = [("etag", "1"), ("of", "A"), ("slots", "0")];

/// A path as the router has it.
fn template(path: &str) -> String {
    let path = path.split('?').next().unwrap();
    let path = ["dataset", "run", "file", "key", "session"]
        .iter()
        .fold(path.to_owned(), |path, name| {
            path.replace(&format!("{{{name}}}"), "{id}")
        });
    path.replace("/samples/{sample}", "/samples/{id}")
}

/// The routes that the source makes.
fn made() -> BTreeSet<(String, String)> {
    let mut made = BTreeSet::new();
    for route in SOURCE.split(".route(").skip(1) {
        let route = route.split(".layer(").next().unwrap();
        let path = route.split('"').nth(1).unwrap();
        for (call, method) in [("get(", "GET"), ("post(", "POST")] {
            if route.contains(call) {
                made.insert((method.to_owned(), path.to_owned()));
            }
        }
    }
    made
}

#[test]
fn no_page_route_is_without_its_checks() {
    let listed = PAGES.map(|(method, path, _)| (method.to_owned(), template(path)));
    assert_eq!(listed.into_iter().collect::<BTreeSet<_>>(), made());
    with(async |w| {
        let (things, _) = Things::make(w).await;
        let fill = |path: &str| {
            path.replace("{dataset}", &things.dataset)
                .replace("{sample}", &things.sample)
                .replace("{run}", &things.run)
                .replace("{file}", &things.file)
                .replace("{key}", &things.key)
                .replace("{session}", "ses_01KAR8F3V4N7C3Q8Z5W2Y0H6M1")
        };
        let mut nobody = Browser::new(w);
        let stranger = w.stranger().await;
        let mut stranger = Browser::signed_in(w, &stranger.key).await;
        let mut weaker = Vec::new();
        for (role, next) in [
            ("viewer", "reviewer"),
            ("reviewer", "editor"),
            ("editor", "admin"),
        ] {
            let (key, _) = key(w, role).await;
            weaker.push((next, Browser::signed_in(w, &key).await));
        }
        for (method, path, role) in PAGES {
            let at = format!("{method} {path}");
            let path = fill(path);
            if method == "POST" {
                let form = "application/x-www-form-urlencoded";
                for browser in [&mut nobody, &mut stranger] {
                    let request = browser.request("POST", &path).header("content-type", form);
                    assert_eq!(
                        browser.send(request).await.status,
                        403,
                        "{at} without origin"
                    );
                }
            }
            let Some(role) = role else { continue };
            let page = ask(&mut nobody, method, &path).await;
            assert_eq!(page.status, 303, "{at}: {}", page.text);
            assert!(page.header("location").starts_with("/sign-in"), "{at}");
            assert!(
                page.header("content-security-policy")
                    .starts_with("default-src 'none'"),
                "{at}"
            );
            assert_eq!(page.header("cache-control"), "no-store", "{at}");
            assert_eq!(page.header("x-content-type-options"), "nosniff", "{at}");
            let weak = weaker.iter_mut().find(|(next, _)| *next == role);
            if let Some((_, browser)) = weak {
                let page = ask(browser, method, &path).await;
                assert_eq!(page.status, 403, "{at}: {}", page.text);
            }
            if at.contains('{') {
                let page = ask(&mut stranger, method, &path).await;
                assert_eq!(page.status, 404, "{at}: {}", page.text);
            }
        }
        // Nothing was done.
        assert_eq!(w.get(&format!("/runs/{}", things.run)).await.status, 200);
        assert_eq!(w.get(&format!("/files/{}", things.file)).await.status, 200);
    });
}

async fn ask(browser: &mut Browser, method: &str, path: &str) -> super::Page {
    match method {
        "GET" => browser.get(path).await,
        // Forms with files.
        _ if path.ends_with("/transcripts")
            || (path.starts_with("/datasets") && !path.ends_with("/delete")) =>
        {
            browser.send_form(path, &FIELDS, None).await
        }
        _ => browser.post(path, &FIELDS).await,
    }
}
