//! Lists of batches as no honest server gives them.

use serde_json::json;
use time::macros::datetime;

use super::stub::{Say, Stub, credential, quick, say};
use super::stub_tests::{error, kind};
use super::{Gemini, GeminiConfig, fields};
use crate::providers::{BatchState, CallError, Rejection};

const SINCE: time::OffsetDateTime = datetime!(2026-11-23 12:00 UTC);

fn entry(name: &str, at: &str) -> serde_json::Value {
    json!({"name": name, "metadata": {"displayName": "d", "createTime": at, "state": "BATCH_STATE_NEW"}})
}

#[tokio::test]
async fn a_list_is_read_to_its_end_in_any_order() {
    let stub = Stub::new(vec![
        say(
            200,
            json!({"operations": [entry("batches/old", "2026-11-23T11:59:59Z")], "nextPageToken": "a&b=c"}),
        ),
        error(503, "UNAVAILABLE"),
        say(200, json!({"nextPageToken": "t2"})),
        say(
            200,
            json!({"operations": [
            entry("batches/new", "2026-11-23T12:00:00Z"),
            entry("batches/new", "2026-11-23T12:00:00Z"),
            entry("batches/undated", "?"),
            {"name": "operations/other"},
        ], "nextPageToken": ""}),
        ),
    ]);
    let listing = stub.client().list(&credential(), SINCE).await.unwrap();
    assert_eq!((listing.unread, listing.whole), (0, true));
    let found = listing.batches;
    let names: Vec<_> = found.iter().map(|b| b.name.as_str()).collect();
    assert_eq!(names, ["batches/new", "batches/undated"]);
    assert_eq!(found[0].state, BatchState::Unknown("NEW".to_owned()));
    let first = format!("GET /v1beta/batches?pageSize=20&fields={}", mask(0));
    let second = format!("{first}&pageToken=a%26b%3Dc");
    let third = format!("{first}&pageToken=t2");
    assert_eq!(stub.lines(), [first, second.clone(), second, third]);
}

#[tokio::test]
async fn a_list_that_is_not_whole_is_no_list() {
    let page = |token: &str| say(200, json!({"operations": [], "nextPageToken": token}));
    for script in [
        vec![page("a"), page("b"), page("a")],
        vec![
            page("1"),
            page("2"),
            page("3"),
            page("4"),
            page("5"),
            say(200, "{}"),
        ],
        vec![page("1"), say(200, json!({"message": "of some proxy"}))],
        vec![say(200, json!({"unreachable": ["x"]}))],
        vec![say(200, json!({"nextPageToken": 7}))],
        vec![Say::Cut(r#"{"operations": ["#); 3],
        vec![say(200, "[]"); 3],
        vec![say(200, "<html></html>"); 3],
        vec![Say::Close; 3],
    ] {
        let stub = Stub::new(script.clone());
        let listed = stub.client().list(&credential(), SINCE).await;
        assert!(
            matches!(listed, Err(CallError::Ambiguous { .. })),
            "{script:?}: {listed:?}"
        );
    }
}

/// A mask as it stands in a URL.
fn mask(level: usize) -> String {
    let mask = fields::MASKS[level].unwrap();
    let url = reqwest::Url::parse_with_params("http://h/", [("fields", mask)]).unwrap();
    url.query().unwrap().replace("fields=", "")
}

#[tokio::test]
async fn what_cannot_be_read_in_a_list_is_asked_for_by_name_or_counted() {
    let metadata = json!({"displayName": "d", "createTime": "2026-11-23T12:00:00Z", "state": "BATCH_STATE_RUNNING"});
    for (odd, more, found, unread) in [
        // It has no name.
        (json!({"metadata": metadata}), vec![], 0, 1),
        // Not to be read in the list, nor by its name.
        (
            json!({"name": "batches/b", "metadata": "x"}),
            vec![say(200, json!({"name": "batches/b", "metadata": "x"}))],
            0,
            1,
        ),
        (
            json!({"name": "batches/b", "metadata": {"displayName": 7}}),
            vec![say(200, json!({"name": "batches/b"}))],
            0,
            1,
        ),
        (
            json!({"name": "batches/b", "metadata": {"displayName": "d", "display_name": "d"}}),
            vec![error(500, "INTERNAL"); 3],
            0,
            1,
        ),
        (json!([]), vec![], 0, 1),
        // By its name it can be, or it is gone by now.
        (
            json!({"name": "batches/b", "metadata": ["x"]}),
            vec![say(200, json!({"metadata": metadata}))],
            1,
            0,
        ),
        (
            json!({"name": "batches/b", "metadata": ["x"]}),
            vec![error(404, "NOT_FOUND")],
            0,
            0,
        ),
    ] {
        let other = entry("batches/other", "2026-11-23T12:00:00Z");
        let mut script = vec![say(200, json!({"operations": [odd, other]}))];
        script.extend(more);
        let stub = Stub::new(script.clone());
        let listing = stub.client().list(&credential(), SINCE).await.unwrap();
        assert_eq!(
            (listing.batches.len(), listing.unread),
            (found + 1, unread),
            "{script:?}"
        );
    }
}

#[tokio::test]
async fn a_page_that_cannot_be_read_is_gone_around() {
    let page = |name: &str, next: &str| {
        let entries = [entry(name, "2026-11-23T12:00:00Z")];
        say(200, json!({"operations": entries, "nextPageToken": next}))
    };
    let stub = Stub::new(vec![
        Say::Cut(r#"{"operations": ["#),
        say(200, "<html></html>"),
        error(500, "INTERNAL"),
        page("batches/a", "1"),
        error(500, "INTERNAL"),
        error(500, "INTERNAL"),
        error(500, "INTERNAL"),
        // Its name and what is behind it can be had, and by its name it can be read.
        say(
            200,
            json!({"operations": [{"name": "batches/b"}], "nextPageToken": "2"}),
        ),
        say(200, entry("batches/b", "2026-11-23T12:00:00Z")),
        page("batches/c", ""),
    ]);
    let config = GeminiConfig {
        max_list_pages: 20,
        ..quick(&stub.url)
    };
    let gemini = Gemini::new(config).unwrap();
    let listing = gemini.list(&credential(), SINCE).await.unwrap();
    let names: Vec<_> = listing.batches.iter().map(|b| b.name.as_str()).collect();
    assert_eq!(names, ["batches/a", "batches/b", "batches/c"]);
    assert_eq!((listing.unread, listing.whole), (0, true));
    let lines = stub.lines();
    assert!(lines[2].contains("pageSize=20") && lines[3].contains("pageSize=1&"));
    assert!(lines[7].ends_with("pageSize=1&fields=nextPageToken%2Coperations%2Fname&pageToken=1"));
    assert!(lines[9].contains("pageSize=20") && lines[9].ends_with("pageToken=2"));
}

#[tokio::test]
async fn nothing_depends_on_the_mask() {
    let whole = || {
        let entries = [entry("batches/a", "2026-11-23T12:00:00Z")];
        say(200, json!({ "operations": entries }))
    };
    let bare = || say(200, json!({"operations": [{"name": "batches/a"}]}));
    let refused = || error(400, "INVALID_ARGUMENT");
    for script in [
        vec![refused(), refused(), whole()],
        vec![refused(), whole()],
        // Honoured, and all that a batch consists of is lost.
        vec![bare(), whole()],
        vec![bare(), refused(), whole()],
        vec![whole()],
    ] {
        let asked = script.len();
        let mut twice = script.clone();
        twice.push(whole());
        let stub = Stub::new(twice);
        let gemini = stub.client();
        for calls in [asked, asked + 1] {
            let listing = gemini.list(&credential(), SINCE).await.unwrap();
            assert_eq!((listing.batches.len(), listing.unread), (1, 0));
            assert_eq!(stub.lines().len(), calls, "which works is remembered");
        }
    }
    // A refusal that is not about the mask stays one.
    let stub = Stub::new(vec![refused(); 3]);
    let error = stub.client().list(&credential(), SINCE).await.unwrap_err();
    assert_eq!(kind(&error), Some(Rejection::Invalid));
    assert!(!stub.lines()[2].contains("fields"));
}

#[tokio::test]
async fn looking_for_some_ends_with_the_last_of_them() {
    let page = |name: &str, next: &str| {
        let entries = [entry(name, "2026-11-23T12:00:00Z"), json!({"name": 7})];
        say(200, json!({"operations": entries, "nextPageToken": next}))
    };
    let script = vec![page("batches/a", "1"), page("batches/b", "2")];
    let stub = Stub::new(script);
    let wanted = ["batches/b", "batches/a"];
    let found = stub
        .client()
        .look_for(&credential(), &wanted)
        .await
        .unwrap();
    assert_eq!(found.batches.len(), 2);
    assert!(!found.whole);
    assert_eq!(stub.lines().len(), 2);
    let stub = Stub::new(vec![say(200, "<html></html>"); 3]);
    let found = stub.client().look_for(&credential(), &wanted).await;
    assert!(matches!(found, Err(CallError::Ambiguous { .. })));
    assert_eq!(stub.lines().len(), 3, "each can be asked for by itself");
}
