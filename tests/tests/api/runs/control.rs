//! Retry, cancel, delete.

use gemini_sim::Fault;
use serde_json::{Value, json};

use crate::support::store::{bare, objects, rows};
use crate::support::{Expect, FLASH, PRO, World, id, text, with};

fn ids(results: &[Value]) -> Vec<String> {
    results.iter().map(id).collect()
}

#[test]
fn a_retry_submits_the_failed_items_again_and_no_others() {
    with(async |w| {
        let made = w
            .dataset(
                "d",
                &[Some("one two"), Some("three four"), Some("five six")],
            )
            .await;
        w.record_finish(&made.audio[1], PRO, "SAFETY");
        let first = w.run(&made.id, &[PRO, FLASH]).await;
        assert_eq!(
            first["counts"],
            json!({ "pending": 0, "completed": 5, "failed": 1 })
        );
        let before = w.results(&first, "").await;
        let asked: u64 = w.batches().await.iter().map(|batch| batch.requests).sum();
        assert_eq!(asked, 6);

        w.record(&made.audio[1], PRO, "three four");
        let stuck = w.strike(w.fault(Fault::Stuck {
            state: "RUNNING".to_owned(),
        }));
        let path = format!("/runs/{}", id(&first));
        let retried = w.post(&format!("{path}/retry"), &json!({})).await;
        let retried = retried.data(202).clone();
        assert!(
            ["pending", "processing"].contains(&text(&retried["status"])),
            "{retried}"
        );
        assert_eq!(
            retried["counts"],
            json!({ "pending": 1, "completed": 5, "failed": 0 })
        );
        let waiting = w.results(&first, "status=pending").await;
        assert_eq!(ids(&waiting), [id(&before[2])], "it waits again");
        assert_eq!(waiting[0]["error_message"], Value::Null);
        assert_eq!(w.results(&first, "status=failed").await.len(), 0);
        assert_eq!(w.results(&first, "sort=wer").await.len(), 5);
        w.machine.sim().faults().remove(stuck);
        let run = w.ended(&first).await;
        assert_eq!(run["status"], "completed");
        assert_eq!(
            run["counts"],
            json!({ "pending": 0, "completed": 6, "failed": 0 })
        );
        assert_eq!(run["score"][PRO]["wer"], 0.0);
        assert_eq!(run["score"][PRO]["hits"], 6);
        let asked: u64 = w.batches().await.iter().map(|batch| batch.requests).sum();
        assert_eq!(asked, 7, "one more");
        let after = w.results(&run, "").await;
        assert_eq!(ids(&after), ids(&before), "results keep their ids");
        let changed = before.iter().zip(&after).filter(|(b, a)| b != a).count();
        assert_eq!(changed, 1, "and what was there stays");
        w.post(&format!("{path}/retry"), &json!({})).await.no(409);
    });
}

#[test]
fn a_failed_run_can_be_retried_until_it_succeeds() {
    with(async |w| {
        let made = w.unknown("d", &[Some("one two")]).await;
        let run = w.run(&made.id, &[PRO]).await;
        assert_eq!(run["status"], "failed");
        let path = format!("/runs/{}/retry", id(&run));
        w.post(&path, &json!({})).await.ok(202);
        let run = w.ended(&run).await;
        assert_eq!(run["status"], "failed", "still nothing to hear");
        w.record(&made.audio[0], PRO, "one two");
        w.post(&path, &json!({})).await.ok(202);
        let run = w.ended(&run).await;
        assert_eq!(run["status"], "completed", "{run}");
        assert_eq!(run["error_message"], Value::Null);
        assert_eq!(
            run["counts"],
            json!({ "pending": 0, "completed": 1, "failed": 0 })
        );
        assert_eq!(run["score"][PRO]["wer"], 0.0);
    });
}

/// A run whose batches never end, once they are at the provider.
async fn stuck(w: &World) -> (Value, String) {
    w.strike(w.fault(Fault::Stuck {
        state: "RUNNING".to_owned(),
    }));
    let made = w.dataset("d", &[Some("one two")]).await;
    let run = w.start(&made.id, &[PRO]).await;
    let path = format!("/runs/{}", id(&run));
    w.machine
        .wait("the batch is at the provider", async || {
            (w.batches().await.len() == 1).then_some(())
        })
        .await;
    (run, path)
}

#[test]
fn cancelling_stops_the_work_at_the_provider() {
    with(async |w| {
        let (run, path) = stuck(w).await;
        w.post(&format!("{path}/retry"), &json!({})).await.no(409);
        let cancelled = w.post(&format!("{path}/cancel"), &json!({})).await;
        assert!([200, 202].contains(&cancelled.status), "{}", cancelled.text);
        assert_eq!(cancelled.body["data"]["status"], "cancelled");
        let now = w.get(&path).await.data(200).clone();
        assert_eq!(now["status"], "cancelled");
        assert_eq!(
            now["counts"],
            json!({ "pending": 1, "completed": 0, "failed": 0 })
        );
        w.post(&format!("{path}/cancel"), &json!({})).await.no(409);
        w.machine
            .wait("the batch is stopped and its audio is gone", async || {
                let stopped = w
                    .batches()
                    .await
                    .iter()
                    .all(|batch| batch.state == "CANCELLED");
                (stopped && w.at_provider().is_empty()).then_some(())
            })
            .await;
        let pending = w.results(&run, "").await;
        assert_eq!(pending[0]["status"], "pending");
        // What was cancelled can be taken up again.
        w.machine
            .sim()
            .faults()
            .list()
            .iter()
            .for_each(|(number, rule, _)| {
                let mine = rule
                    .api_key
                    .as_deref()
                    .is_some_and(|key| key.ends_with(&w.project.name));
                if mine {
                    w.machine.sim().faults().remove(*number);
                }
            });
        w.machine
            .wait("the retry is taken", async || {
                let retried = w.post(&format!("{path}/retry"), &json!({})).await;
                assert!([202, 409].contains(&retried.status), "{}", retried.text);
                (retried.status == 202).then_some(())
            })
            .await;
        assert_eq!(w.ended(&run).await["status"], "completed");
    });
}

#[test]
fn a_deleted_run_is_gone_and_its_dataset_stays() {
    with(async |w| {
        let made = w.dataset("d", &[Some("one two")]).await;
        let run = w.run(&made.id, &[PRO]).await;
        let result = id(&w.results(&run, "").await[0]);
        let run = id(&run);
        w.delete(&format!("/runs/{run}")).await.ok(200);
        for path in [
            format!("/runs/{run}"),
            format!("/runs/{run}/results"),
            format!("/results/{result}"),
        ] {
            w.get(&path).await.no(404);
        }
        for path in [format!("/runs/{run}/retry"), format!("/runs/{run}/cancel")] {
            w.post(&path, &json!({})).await.no(404);
        }
        w.patch(
            &format!("/results/{result}"),
            &json!({ "is_correct": true }),
        )
        .await
        .no(404);
        w.delete(&format!("/runs/{run}")).await.no(404);
        assert_eq!(w.get("/runs").await.body["metadata"]["total"], 0);
        w.machine
            .wait("nothing mentions the run", async || {
                let left = [rows(w, bare(&run)).await, objects(w, bare(&run)).await].concat();
                left.is_empty().then_some(())
            })
            .await;
        w.get(&format!("/datasets/{}", made.id)).await.ok(200);
        let file = w.get(&format!("/files/{}", made.files[0])).await;
        assert_eq!(file.data(200)["status"], "ready");
    });
}

#[test]
fn a_run_can_be_deleted_while_it_is_under_way() {
    with(async |w| {
        let (run, path) = stuck(w).await;
        w.delete(&path).await.ok(200);
        w.get(&path).await.no(404);
        w.machine
            .wait("run, batch and audio are gone", async || {
                let stopped = w
                    .batches()
                    .await
                    .iter()
                    .all(|b| b.state == "CANCELLED" || b.deleted);
                let left = rows(w, bare(&id(&run))).await;
                (stopped && left.is_empty() && w.at_provider().is_empty()).then_some(())
            })
            .await;
    });
}
