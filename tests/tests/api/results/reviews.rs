//! Reviews by several people.

use serde_json::{Value, json};

use crate::support::{Expect, FLASH, PRO, World, each, id, text, with};

fn path(result: &Value) -> String {
    format!("/results/{}", id(result))
}

async fn found(w: &World, result: &Value) -> Value {
    w.get(&path(result)).await.data(200)["is_correct"].clone()
}

#[test]
fn the_majority_of_reviewers_decides_and_each_is_listed() {
    with(async |w| {
        let made = w.dataset("d", &[Some("one two")]).await;
        let run = w.run(&made.id, &[PRO]).await;
        let result = w.results(&run, "").await.remove(0);
        let path = path(&result);
        let reviews = format!("{path}/reviews");
        assert_eq!(w.get(&reviews).await.data(200), &json!([]));
        let (first, second) = (w.role("reviewer").await, w.role("reviewer").await);
        let given = json!({
            "verdict": "wrong", "reasons": ["missing_text", "name", "name"], "comment": "half",
            "listened": 93, "blind": true, "queue": "worst",
        });
        first.patch(&path, &given).await.ok(200);
        assert_eq!(found(w, &result).await, false);
        second
            .patch(&path, &json!({ "verdict": "right" }))
            .await
            .ok(200);
        assert_eq!(found(w, &result).await, Value::Null);
        w.patch(&path, &json!({ "verdict": "cannot_tell" }))
            .await
            .ok(200);
        assert_eq!(found(w, &result).await, Value::Null);
        w.patch(&path, &json!({ "verdict": "right" })).await.ok(200);
        assert_eq!(found(w, &result).await, true);
        // A spelling that is accepted too.
        first
            .patch(&path, &json!({ "reasons": ["spelling_variant"] }))
            .await
            .ok(200);
        let score = w.get(&format!("/runs/{}", id(&run))).await;
        let score = score.data(200)["score"][PRO].clone();
        assert_eq!(score["correct"], 1);

        let listed = w.get(&reviews).await.data(200).clone();
        assert_eq!(each(&listed, "verdict"), ["wrong", "right", "right"]);
        assert_eq!(each(&listed, "is_correct"), [true, true, true]);
        assert_eq!(each(&listed, "mine"), [false, false, true]);
        let of_first = &listed[0];
        assert_eq!(of_first["reasons"], json!(["spelling_variant"]));
        assert_eq!(of_first["comment"], "half");
        assert_eq!(
            (&of_first["listened"], &of_first["blind"]),
            (&json!(93), &json!(true))
        );
        assert_eq!(
            (&of_first["queue"], &listed[1]["queue"]),
            (&json!("worst"), &Value::Null)
        );
        assert_eq!(of_first["reviewer"]["name"], Value::Null);
        assert_ne!(of_first["reviewer"], listed[1]["reviewer"]);
        let own = first.get(&reviews).await.data(200).clone();
        assert_eq!(each(&own, "mine"), [true, false, false]);

        let clear = json!({ "verdict": null, "reasons": null, "comment": null });
        first.patch(&path, &clear).await.ok(200);
        assert_eq!(each(w.get(&reviews).await.data(200), "mine"), [false, true]);
    });
}

#[test]
fn results_are_found_by_who_reviewed_them_and_why() {
    with(async |w| {
        let references = [Some("one two"), Some("three four"), Some("five six")];
        let made = w.dataset("d", &references).await;
        let set = format!("/datasets/{}?include_samples=true", made.id);
        let samples = w.get(&set).await.data(200)["samples"].clone();
        let fields = json!({ "metadata": { "a place": "Pune & co" } });
        w.patch(&format!("/samples/{}", id(&samples[1])), &fields)
            .await
            .ok(200);
        let run = w.run(&made.id, &[PRO, FLASH]).await;
        let all = w.results(&run, "").await;
        let reviewer = w.role("reviewer").await;
        w.patch(&path(&all[0]), &json!({ "verdict": "right" }))
            .await
            .ok(200);
        let given = json!({ "verdict": "wrong", "reasons": ["number_or_date"] });
        reviewer.patch(&path(&all[0]), &given).await.ok(200);
        reviewer.patch(&path(&all[3]), &given).await.ok(200);
        for (query, wanted) in [
            ("reviewed=none", vec![1, 2, 4, 5]),
            ("reviewed=me", vec![0]),
            ("reviewed=not_me", vec![1, 2, 3, 4, 5]),
            ("reviewed=others", vec![3]),
            ("reason=number_or_date", vec![0, 3]),
            ("reason=number_or_date&is_correct=false", vec![3]),
            ("reason=name", vec![]),
            ("metadata.a+place=Pune+%26+co", vec![2, 3]),
            ("metadata.a+place=Pune+%26+co&reviewed=none", vec![2]),
            ("metadata.a+place=Pune", vec![]),
            ("language=en", vec![0, 1, 2, 3, 4, 5]),
            ("language=hi", vec![]),
        ] {
            let found = w
                .pages(&format!("/runs/{}/results?{query}", id(&run)), 2)
                .await;
            let wanted: Vec<_> = wanted
                .into_iter()
                .map(|at: usize| text(&all[at]["id"]))
                .collect();
            assert_eq!(each(&found.into(), "id"), wanted, "{query}");
            let worst = format!("/runs/{}/results?sort=-wer&{query}", id(&run));
            assert_eq!(w.pages(&worst, 2).await.len(), wanted.len(), "{query}");
        }
        for (query, field) in [("reviewed=you", "reviewed"), ("reason=mood", "reason")] {
            let answer = w.get(&format!("/runs/{}/results?{query}", id(&run))).await;
            World::names(&answer, 422, field);
        }
        let none = format!("/runs/{}/results?metadata.=x", id(&run));
        assert_eq!(w.get(&none).await.status, 400);
    });
}
