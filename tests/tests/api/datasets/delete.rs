//! Deleting datasets: unreachable at once, gone for good soon after.

use serde_json::json;

use crate::support::store::{bare, objects, rows};
use crate::support::{Expect, FLASH, PRO, id, items, with};

#[test]
fn everything_of_a_deleted_dataset_goes() {
    with(async |w| {
        let made = w
            .dataset("going", &[Some("one two"), Some("three four")])
            .await;
        let run = w.run(&made.id, &[PRO, FLASH]).await;
        let results = w.results(&run, "").await;
        let sample = &results[0]["sample_id"];
        w.patch(
            &format!("/results/{}", id(&results[0])),
            &json!({ "is_correct": true }),
        )
        .await
        .ok(200);
        let gone = [
            format!("/datasets/{}", made.id),
            format!("/runs/{}", id(&run)),
            format!("/runs/{}/results", id(&run)),
            format!("/results/{}", id(&results[0])),
            format!("/files/{}", made.files[0]),
        ];
        w.delete(&gone[0]).await.ok(200);
        w.get(&gone[0]).await.no(404);
        w.delete(&gone[0]).await.no(404);
        let patched = w
            .patch(
                &format!("/samples/{}", sample.as_str().unwrap()),
                &json!({ "language": "hi" }),
            )
            .await;
        patched.no(404);
        let again = json!({ "run_name": "r", "dataset_id": made.id, "providers": [PRO] });
        let refused = w.post("/runs", &again).await;
        assert!([404, 422].contains(&refused.status), "{}", refused.text);
        assert_eq!(w.get("/datasets").await.body["metadata"]["total"], 0);
        for path in &gone {
            w.machine
                .wait(&format!("{path} is gone"), async || {
                    (w.get(path).await.status == 404).then_some(())
                })
                .await;
        }
        let mut ids = vec![bare(&made.id).to_owned(), bare(&id(&run)).to_owned()];
        ids.extend(made.files.iter().map(|file| bare(file).to_owned()));
        for id in ids {
            let left = async || [rows(w, &id).await, objects(w, &id).await].concat();
            w.machine
                .wait(&format!("nothing mentions {id}"), async || {
                    left().await.is_empty().then_some(())
                })
                .await;
        }
        assert_eq!(w.get("/runs").await.body["metadata"]["total"], 0);
        assert_eq!(w.get("/files").await.body["metadata"]["total"], 0);
        w.machine
            .wait("the provider keeps no audio", async || {
                w.at_provider().is_empty().then_some(())
            })
            .await;
    });
}

#[test]
fn audio_that_another_dataset_uses_stays() {
    with(async |w| {
        let first = w
            .dataset("first", &[Some("one two"), Some("three four")])
            .await;
        let body = json!({
            "name": "second", "language": "en", "samples": [{ "file_id": first.files[0] }]
        });
        let second = id(w.post("/datasets", &body).await.data(201));
        w.delete(&format!("/datasets/{}", first.id)).await.ok(200);
        w.machine
            .wait("the unshared file is gone", async || {
                let status = w.get(&format!("/files/{}", first.files[1])).await.status;
                (status == 404).then_some(())
            })
            .await;
        w.machine
            .wait("the dataset is cleared away", async || {
                rows(w, bare(&first.id)).await.is_empty().then_some(())
            })
            .await;
        let kept = w.get(&format!("/files/{}", first.files[0])).await;
        assert_eq!(kept.data(200)["status"], "ready");
        assert_eq!(objects(w, bare(&first.files[0])).await.len(), 1);
        let run = w.run(&second, &[PRO]).await;
        assert_eq!(run["counts"]["completed"], 1, "{run}");
    });
}

#[test]
fn a_dataset_goes_while_a_run_is_under_way() {
    with(async |w| {
        let stuck = gemini_sim::Fault::Stuck {
            state: "RUNNING".to_owned(),
        };
        w.strike(w.fault(stuck));
        let made = w.dataset("busy", &[Some("one two")]).await;
        let run = w.start(&made.id, &[PRO]).await;
        w.machine
            .wait("the run is at the provider", async || {
                let run = w.get(&format!("/runs/{}", id(&run))).await;
                (run.data(200)["status"] == "processing").then_some(())
            })
            .await;
        w.delete(&format!("/datasets/{}", made.id)).await.ok(200);
        w.machine
            .wait("nothing is left of it", async || {
                let left = [
                    rows(w, bare(&made.id)).await,
                    rows(w, bare(&id(&run))).await,
                    rows(w, bare(&made.files[0])).await,
                ];
                left.concat().is_empty().then_some(())
            })
            .await;
        let listed = w.get("/runs").await;
        assert_eq!(items(listed.data(200)).len(), 0);
    });
}
