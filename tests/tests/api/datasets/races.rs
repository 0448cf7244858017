//! Requests that get in each other's way.

use serde_json::json;

use crate::support::{Expect, PRO, id, items, with};

#[test]
fn a_file_is_deleted_or_used_but_never_both() {
    with(async |w| {
        for round in 0..8 {
            let file = w.recording().await;
            let body = json!({
                "name": format!("round {round}"), "language": "en",
                "samples": [{ "file_id": file }],
            });
            let path = format!("/files/{file}");
            let (deleted, made) = tokio::join!(w.delete(&path), w.post("/datasets", &body));
            let outcome = (deleted.status, made.status);
            assert!(
                outcome == (200, 422) || outcome == (409, 201),
                "{outcome:?}: {} {}",
                deleted.text,
                made.text
            );
            let shown = w.get(&path).await.status;
            assert_eq!(shown, if outcome.0 == 200 { 404 } else { 200 });
        }
    });
}

#[test]
fn a_run_begins_on_a_dataset_or_the_dataset_goes_and_takes_it_along() {
    with(async |w| {
        for round in 0..5 {
            let made = w
                .dataset(&format!("round {round}"), &[Some("one two")])
                .await;
            let body = json!({ "run_name": "r", "dataset_id": made.id, "providers": [PRO] });
            let path = format!("/datasets/{}", made.id);
            let (deleted, run) = tokio::join!(w.delete(&path), w.post("/runs", &body));
            assert!([200, 409].contains(&deleted.status), "{}", deleted.text);
            assert!([202, 422, 409].contains(&run.status), "{}", run.text);
            if deleted.status == 409 {
                w.delete(&path).await.ok(200);
            }
            if run.status == 202 {
                let path = format!("/runs/{}", id(run.data(202)));
                w.machine
                    .wait("the run went with its dataset", async || {
                        (w.get(&path).await.status == 404).then_some(())
                    })
                    .await;
            }
        }
        assert_eq!(items(w.get("/runs").await.data(200)).len(), 0);
    });
}

#[test]
fn a_run_that_is_cancelled_while_it_ends_is_one_or_the_other() {
    with(async |w| {
        let made = w.dataset("d", &[Some("one two"), Some("three four")]).await;
        for _ in 0..4 {
            let run = w.start(&made.id, &[PRO]).await;
            let path = format!("/runs/{}", id(&run));
            w.machine
                .wait("the batch is made", async || {
                    let run = w.get(&path).await.data(200).clone();
                    (run["status"] != "pending").then_some(())
                })
                .await;
            let cancelled = w.post(&format!("{path}/cancel"), &json!({})).await;
            assert!([200, 409].contains(&cancelled.status), "{}", cancelled.text);
            let run = w.ended(&run).await;
            let (status, completed) = if cancelled.status == 200 {
                ("cancelled", 0)
            } else {
                ("completed", 2)
            };
            assert_eq!(run["status"], status, "{run}");
            assert_eq!(run["counts"]["completed"], completed, "{run}");
            assert_eq!(run["counts"]["failed"], 0);
            let results = w.results(&run, "status=completed").await;
            assert_eq!(results.len(), completed, "counts and results agree");
        }
    });
}
