//! The demo, at the press of a button.

use serde_json::json;

use super::Browser;
use crate::support::{each, items, text, with};

#[test]
fn the_demo_is_loaded_once_by_those_who_may() {
    with(async |w| {
        // A project of the machine itself: it holds the key of no other.
        let admin = &w.machine.node.api_keys["other"];
        let api = w.machine.client("other");
        let mut browser = Browser::signed_in(w, admin).await;
        for path in ["/runs", "/datasets"] {
            let page = browser.get(path).await;
            assert!(page.text.contains("action=\"/demo\""), "{}", page.text);
            // No run can be made before there is a dataset.
            assert!(page.text.contains("href=\"/datasets/new\""), "{path}");
            assert!(!page.text.contains("href=\"/runs/new\""), "{path}");
        }
        let made = api
            .post(
                "//api/v1/keys",
                &json!({ "name": "people", "role": "reviewer" }),
            )
            .await;
        let mut reviewer = Browser::signed_in(w, text(&made.data(201)["key"])).await;
        assert!(!reviewer.get("/runs").await.text.contains("/demo"));
        assert_eq!(reviewer.post("/demo", &[]).await.status, 403);
        let request = browser
            .request("POST", "/demo")
            .header("sec-fetch-site", "cross-site");
        assert_eq!(browser.send(request).await.status, 403);
        assert_eq!(api.get("/datasets").await.data(200), &json!([]));

        // Pressed twice: both are sent before one is answered.
        let mut twin = Browser::new(w);
        twin.cookie.clone_from(&browser.cookie);
        let (first, second) = futures::join!(browser.post("/demo", &[]), twin.post("/demo", &[]));
        assert_eq!(first.status, 303, "{}", first.text);
        assert_eq!(second.status, 303, "{}", second.text);
        let run = first.header("location").to_owned();
        assert_eq!(second.header("location"), run);
        assert_eq!(browser.post("/demo", &[]).await.header("location"), run);
        let runs = api.get("/runs").await;
        assert_eq!(each(runs.data(200), "run_name"), ["Demo"]);
        let datasets = api.get("/datasets").await;
        let datasets = items(datasets.data(200));
        assert_eq!(datasets.len(), 1);
        let facts = &datasets[0]["dataset_metadata"];
        assert_eq!(facts["sample_count"], facts["has_ground_truth_count"]);
        assert_eq!(browser.get(&run).await.status, 200);
        for path in ["/runs", "/datasets"] {
            assert!(!browser.get(path).await.text.contains("/demo"), "{path}");
        }

        // What is simulated is told where models are chosen.
        let simulated = "Simulated on this machine";
        let page = browser.get("/runs/new").await;
        assert!(page.text.contains(simulated), "{}", page.text);

        // Where there is none, it is a path like any other.
        let mut elsewhere = Browser::signed_in(w, &w.project.key).await;
        assert!(!elsewhere.get("/runs").await.text.contains("/demo"));
        assert!(!elsewhere.get("/runs/new").await.text.contains(simulated));
        assert_eq!(elsewhere.post("/demo", &[]).await.status, 404);
        let nobody = Browser::new(w).post("/demo", &[]).await;
        assert_eq!(
            (nobody.status, nobody.header("location")),
            (303, "/sign-in?next=%2F&session=unsaved")
        );
    });
}
