//! What a changed reference means for one result, before the run is scored again.

use serde_json::{Value, json};

use crate::support::{Expect, FLASH, PRO, World, id, text, with};

#[test]
fn a_result_is_scored_by_the_reference_that_its_sample_has_now() {
    with(async |w| {
        let made = w.dataset("clips", &[Some("one two three four")]).await;
        let run = w.run(&made.id, &[PRO, FLASH]).await;
        let result = w
            .results(&run, &format!("provider={FLASH}"))
            .await
            .remove(0);
        let path = format!("/results/{}", id(&result));
        let score = format!("{path}/score");
        let told = w.post(&score, &json!({})).await;
        let told = told.data(200);
        assert_eq!(told["result_id"], result["id"]);
        for member in ["wer", "scored_wer"] {
            assert_eq!(told[member], 0.25, "{told}");
        }
        assert_eq!(told["ground_truth"], "one two three four");
        assert_eq!(told["reference_version"], told["scored_reference_version"]);
        assert_eq!(told["normalizer"], result["score"]["normalizer"]);

        // A reference that is tried is nobody's.
        let tried = json!({ "ground_truth": "two three five" });
        let told = w.post(&score, &tried).await;
        let told = told.data(200);
        assert_eq!(
            (&told["wer"], &told["scored_wer"]),
            (&json!(1.0 / 3.0), &json!(0.25))
        );
        assert_eq!(told["reference_version"], Value::Null);

        // One that is saved is the sample's, and counts once the run is scored again.
        let sample = format!("/samples/{}", text(&result["sample_id"]));
        let change = json!({ "ground_truth": "two three four" });
        w.patch(&sample, &change).await.ok(200);
        let told = w.send(w.request("POST", &score)).await;
        let told = told.data(200);
        assert_eq!(
            (&told["wer"], &told["scored_wer"]),
            (&json!(0.0), &json!(0.25))
        );
        assert_eq!(told["ground_truth"], "two three four");
        assert_eq!(told["scored_ground_truth"], "one two three four");
        let versions = ["reference_version", "scored_reference_version"];
        let [now, scored] = versions.map(|version| told[version].as_u64().unwrap());
        assert_eq!(now, scored + 1);
        let after = w.get(&path).await;
        assert_eq!(after.data(200), &result, "nothing has changed");
    });
}

#[test]
fn what_can_t_be_scored_is_refused() {
    with(async |w| {
        let made = w.dataset("clips", &[Some("one two"), None]).await;
        w.record_finish(&made.audio[0], PRO, "SAFETY");
        let run = w.run(&made.id, &[PRO]).await;
        let results = w.results(&run, "").await;
        let score = |at: usize| format!("/results/{}/score", id(&results[at]));
        let given = json!({ "ground_truth": "nobody knew" });
        for (at, body) in [(0, json!({})), (0, given.clone()), (1, json!({}))] {
            let told = w.post(&score(at), &body).await;
            assert_eq!(told.status, 409, "{at} {body}: {}", told.text);
        }
        let told = w.post(&score(1), &given).await;
        assert_eq!(told.data(200)["scored_wer"], Value::Null);
        assert_eq!(told.data(200)["wer"], 0.5);
        let bad = json!({ "ground_truth": "one {two" });
        World::names(&w.post(&score(1), &bad).await, 422, "ground_truth");
        let stranger = w.stranger().await;
        stranger.post(&score(1), &given).await.no(404);
    });
}
