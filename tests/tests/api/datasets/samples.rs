//! Changing references.

use serde_json::{Value, json};

use crate::support::store::{bare, rows};
use crate::support::{Expect, PRO, World, id, text, with};

/// The only sample of a new dataset.
async fn sample(w: &World, reference: Option<&str>) -> (String, Value) {
    let made = w.dataset("d", &[reference]).await;
    let path = format!("/datasets/{}?include_samples=true", made.id);
    (made.id, w.get(&path).await.data(200)["samples"][0].clone())
}

async fn given(w: &World, dataset: &str) -> u64 {
    let dataset = w.get(&format!("/datasets/{dataset}")).await;
    dataset.data(200)["dataset_metadata"]["has_ground_truth_count"]
        .as_u64()
        .unwrap()
}

#[test]
fn earlier_wordings_are_kept_with_who_wrote_them_and_go_with_the_dataset() {
    with(async |w| {
        let (dataset, sample) = sample(w, Some("नमस्ते sandalwood")).await;
        let path = format!("/samples/{}", id(&sample));
        let first = w.get(&path).await.data(200).clone();
        assert_eq!(first["ground_truth"], "नमस्ते sandalwood");
        assert_eq!(first["earlier"], json!({ "references": [], "left_out": 0 }));
        for next in [json!(null), json!(""), json!("three")] {
            let next = json!({ "ground_truth": next });
            let changed = w.patch(&path, &next).await.data(200).clone();
            // The same again is no other wording, and nor is another language.
            w.patch(&path, &next).await.ok(200);
            assert!(changed.get("earlier").is_none());
            let other = json!({ "language": "hi" });
            w.patch(&path, &other).await.ok(200);
        }
        let earlier = w.get(&path).await.data(200)["earlier"].clone();
        assert_eq!(earlier["left_out"], 0);
        let earlier = earlier["references"].as_array().unwrap();
        let told: Vec<_> = earlier
            .iter()
            .map(|one| (&one["reference_version"], &one["ground_truth"]))
            .collect();
        assert_eq!(
            told,
            [
                (&json!(3), &json!("")),
                (&json!(2), &json!(null)),
                (&json!(1), &json!("नमस्ते sandalwood"))
            ]
        );
        for one in earlier {
            assert!(text(&one["written_by"]).starts_with("key_"), "{one}");
            assert_eq!(one["writer_name"], Value::Null);
            assert!(text(&one["written_at"]).ends_with('Z'), "{one}");
        }
        assert_eq!(rows(w, "sandalwood").await.len(), 1);
        // Lists of samples don't carry them.
        let listed = format!("/datasets/{dataset}?include_samples=true");
        let listed = w.get(&listed).await.data(200)["samples"].clone();
        assert_eq!(listed.as_array().unwrap().len(), 1);
        assert!(listed[0].get("earlier").is_none());

        // As many as there is room for.
        let long = "क".repeat(60_000);
        for text in [&*long, "short", &*long, "last"] {
            let next = json!({ "ground_truth": text });
            w.patch(&path, &next).await.ok(200);
        }
        let earlier = w.get(&path).await.data(200)["earlier"].clone();
        assert_eq!(earlier["references"].as_array().unwrap().len(), 2);
        assert_eq!(earlier["left_out"], 5);

        w.delete(&format!("/datasets/{dataset}")).await.ok(200);
        w.machine
            .wait("all of it is gone", async || {
                rows(w, bare(&dataset)).await.is_empty().then_some(())
            })
            .await;
    });
}

#[test]
fn a_reference_is_changed_cleared_and_counted() {
    with(async |w| {
        let (dataset, sample) = sample(w, Some("one two")).await;
        let path = format!("/samples/{}", id(&sample));
        let changed = w
            .patch(&path, &json!({ "ground_truth": "one {two|2}" }))
            .await;
        let changed = changed.data(200).clone();
        assert_eq!(changed["ground_truth"], "one {two|2}");
        assert_eq!(changed["reference_version"], 2);
        assert_eq!(given(w, &dataset).await, 1);

        let cleared = w
            .patch(&path, &json!({ "ground_truth": null }))
            .await
            .data(200)
            .clone();
        assert_eq!(cleared["ground_truth"], Value::Null);
        assert_eq!(cleared["reference_version"], 3);
        assert_eq!(given(w, &dataset).await, 0);

        let silent = w
            .patch(&path, &json!({ "ground_truth": "" }))
            .await
            .data(200)
            .clone();
        assert_eq!(silent["ground_truth"], "");
        assert_eq!(given(w, &dataset).await, 1, "an empty reference is one");

        let rest = json!({ "language": "hi-Latn", "metadata": { "speaker": "s1", "n": 1 } });
        let changed = w.patch(&path, &rest).await.data(200).clone();
        assert_eq!(changed["language"], "hi-Latn");
        assert_eq!(changed["metadata"], json!({ "speaker": "s1", "n": "1" }));
        assert_eq!(changed["ground_truth"], "", "what is not named stays");
        let rest = json!({ "language": null, "metadata": null });
        let changed = w.patch(&path, &rest).await.data(200).clone();
        assert_eq!(changed["language"], "en", "that of the dataset");
        assert_eq!(changed["metadata"], json!({}));
        let kept = w
            .get(&format!("/datasets/{dataset}?include_samples=true"))
            .await;
        assert_eq!(kept.data(200)["samples"][0], changed);
    });
}

#[test]
fn odd_changes_of_a_sample_are_refused_and_change_nothing() {
    with(async |w| {
        let (dataset, sample) = sample(w, Some("one two")).await;
        let path = format!("/samples/{}", id(&sample));
        w.patch(&path, &json!({})).await.no(422);
        for (body, field) in [
            (json!({ "ground_truth": "{a|" }), "ground_truth"),
            (json!({ "ground_truth": 7 }), "ground_truth"),
            (json!({ "ground_truth": "a\u{0}" }), "ground_truth"),
            (json!({ "language": "tlh" }), "language"),
            (json!({ "metadata": { "a": {} } }), "metadata.a"),
            (json!({ "metadata": [] }), "metadata"),
        ] {
            World::names(&w.patch(&path, &body).await, 422, field);
        }
        for field in ["file_id", "ground_thruth", "id"] {
            let answer = w
                .patch(&path, &json!({ "language": "hi", field: "x" }))
                .await;
            World::names(&answer, 400, field);
        }
        let kept = w
            .get(&format!("/datasets/{dataset}?include_samples=true"))
            .await;
        assert_eq!(kept.data(200)["samples"][0], sample);
        let unknown = "/samples/smp_01KAR8F3V4N7C3Q8Z5W2Y0H6M1";
        w.patch(unknown, &json!({ "ground_truth": "x" }))
            .await
            .no(404);
    });
}

#[test]
fn results_keep_the_reference_they_were_scored_against() {
    with(async |w| {
        let (dataset, sample) = sample(w, Some("one two")).await;
        let run = w.run(&dataset, &[PRO]).await;
        let before = w.results(&run, "").await;
        let path = format!("/samples/{}", id(&sample));
        w.patch(&path, &json!({ "ground_truth": "three four" }))
            .await
            .ok(200);
        let after = w.results(&run, "").await;
        assert_eq!(after, before);
        assert_eq!(text(&after[0]["ground_truth"]), "one two");
        assert_eq!(after[0]["reference_version"], 1);
        assert_eq!(after[0]["score"]["wer"], 0.0);
        // A new run takes the new one.
        let run = w.run(&dataset, &[PRO]).await;
        let new = w.results(&run, "").await;
        assert_eq!(text(&new[0]["ground_truth"]), "three four");
        assert_eq!(new[0]["score"]["wer"], 1.0);
    });
}

#[test]
fn changes_at_once_are_all_counted() {
    with(async |w| {
        let made = w
            .dataset("d", &[Some("a"), Some("b"), Some("c"), Some("d")])
            .await;
        let path = format!("/datasets/{}?include_samples=true", made.id);
        let samples = w.get(&path).await.data(200)["samples"].clone();
        let clear = |n: usize| {
            let path = format!("/samples/{}", id(&samples[n]));
            async move {
                // A change that loses a race says so and can be sent again.
                loop {
                    let answer = w.patch(&path, &json!({ "ground_truth": null })).await;
                    if answer.status != 409 && answer.status != 503 {
                        return answer;
                    }
                }
            }
        };
        for answer in futures::future::join_all((0..4).map(clear)).await {
            assert_eq!(answer.data(200)["ground_truth"], Value::Null);
        }
        assert_eq!(given(w, &made.id).await, 0);
    });
}
