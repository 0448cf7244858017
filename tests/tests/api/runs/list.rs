//! Lists of runs.

use serde_json::json;

use crate::support::{Expect, PRO, World, each, id, with};

#[test]
fn runs_are_listed_by_dataset_and_status() {
    with(async |w| {
        let one = w.dataset("one", &[Some("one two")]).await;
        let two = w.unknown("two", &[Some("three four")]).await;
        let a = w.run(&one.id, &[PRO]).await;
        let b = w.run(&two.id, &[PRO]).await;
        let c = w.run(&one.id, &[PRO]).await;
        let stuck = w.strike(w.fault(gemini_sim::Fault::Stuck {
            state: "RUNNING".to_owned(),
        }));
        let d = w.start(&one.id, &[PRO]).await;
        w.machine
            .wait("the run is listed as processing", async || {
                let listed = w.get("/runs?status=processing").await;
                (each(listed.data(200), "id") == [&d["id"]]).then_some(())
            })
            .await;
        w.post(&format!("/runs/{}/cancel", id(&d)), &json!({}))
            .await;
        w.machine.sim().faults().remove(stuck);
        let ds = |dataset: &str| format!("dataset_id={dataset}");
        for (query, wanted) in [
            (String::new(), vec![&d, &c, &b, &a]),
            (ds(&one.id), vec![&d, &c, &a]),
            (ds(&two.id), vec![&b]),
            ("status=completed".to_owned(), vec![&c, &a]),
            ("status=failed".to_owned(), vec![&b]),
            ("status=cancelled".to_owned(), vec![&d]),
            ("status=pending".to_owned(), vec![]),
            ("status=processing".to_owned(), vec![]),
            (format!("{}&status=completed", ds(&one.id)), vec![&c, &a]),
            (format!("{}&status=completed", ds(&two.id)), vec![]),
            (ds("ds_01KAR8F3V4N7C3Q8Z5W2Y0H6M1"), vec![]),
        ] {
            let listed = w.get(&format!("/runs?{query}")).await;
            let wanted: Vec<String> = wanted.into_iter().map(id).collect();
            assert_eq!(
                each(listed.data(200), "id"),
                wanted.iter().collect::<Vec<_>>(),
                "{query}"
            );
            assert_eq!(listed.body["metadata"]["total"], wanted.len(), "{query}");
            let paged = w.pages(&format!("/runs?{query}"), 1).await;
            assert_eq!(paged.iter().map(id).collect::<Vec<_>>(), wanted, "{query}");
        }
        World::names(&w.get("/runs?status=done").await, 422, "status");
        World::names(&w.get("/runs?dataset=x").await, 400, "dataset");
        let cursor = w.get("/runs?limit=1").await.body["metadata"]["next_cursor"].clone();
        let cursor = cursor.as_str().unwrap();
        let other = w
            .get(&format!("/runs?limit=1&status=completed&cursor={cursor}"))
            .await;
        World::names(&other, 400, "cursor");
    });
}

#[test]
fn totals_follow_what_becomes_of_a_run() {
    with(async |w| {
        let made = w.unknown("d", &[Some("one two")]).await;
        let total = async |query: &str| {
            w.get(&format!("/runs?{query}")).await.body["metadata"]["total"].clone()
        };
        let run = w.run(&made.id, &[PRO]).await;
        assert_eq!(total("status=failed").await, 1);
        w.record(&made.audio[0], PRO, "one two");
        let path = format!("/runs/{}", id(&run));
        w.post(&format!("{path}/retry"), &json!({})).await.ok(202);
        w.ended(&run).await;
        for (query, count) in [
            ("status=failed", 0),
            ("status=completed", 1),
            ("status=pending", 0),
            ("status=processing", 0),
            ("", 1),
        ] {
            assert_eq!(total(query).await, count, "{query}");
        }
        w.delete(&path).await.ok(200);
        let dataset = format!("dataset_id={}", made.id);
        for query in [
            "status=failed",
            "status=completed",
            "",
            &dataset,
            &format!("{dataset}&status=completed"),
        ] {
            assert_eq!(total(query).await, 0, "{query}");
        }
    });
}

#[test]
fn a_run_without_references_has_transcriptions_and_no_score() {
    with(async |w| {
        let made = w.dataset("d", &[None, None]).await;
        let run = w.run(&made.id, &[PRO]).await;
        assert_eq!(run["status"], "completed", "{run}");
        assert_eq!(run["counts"]["completed"], 2);
        assert_eq!(run["score"], serde_json::Value::Null);
        assert_eq!(w.results(&run, "sort=sample").await.len(), 2);
    });
}
