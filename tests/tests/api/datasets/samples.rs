//! Changing references.

use serde_json::{Value, json};

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
