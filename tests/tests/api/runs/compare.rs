//! Two runs over one dataset, side by side.

use serde_json::{Value, json};

use crate::support::{Expect, FLASH, PRO, World, id, items, text, with};

async fn compare(w: &World, run: &Value, other: &Value, query: &str) -> Value {
    let path = format!("/runs/{}/compare/{}?{query}", id(run), id(other));
    w.get(&path).await.data(200).clone()
}

#[track_caller]
fn close(value: &Value, wanted: f64) {
    let found = value
        .as_f64()
        .unwrap_or_else(|| panic!("no number: {value}"));
    assert!((found - wanted).abs() < 1e-12, "{found} and not {wanted}");
}

async fn scored_again(w: &World, run: &Value, body: &Value, number: usize) {
    let path = format!("/runs/{}", id(run));
    w.post(&format!("{path}/rescore"), body).await.ok(202);
    w.machine
        .wait("it is scored again", async || {
            let run = w.get(&path).await.data(200).clone();
            (run["scorings"][number]["status"] == "completed").then_some(())
        })
        .await;
}

#[test]
fn a_model_in_two_runs_is_compared_over_what_both_have() {
    with(async |w| {
        let references = [Some("one two three four"), Some("five six"), None];
        let made = w.dataset("d", &references).await;
        let run = w.run(&made.id, &[PRO, FLASH]).await;
        // The other run hears one word otherwise, and is blocked at the second.
        w.record(&made.audio[0], PRO, "one two three five");
        w.record_finish(&made.audio[1], PRO, "SAFETY");
        let other = w.run(&made.id, &[PRO]).await;

        let found = compare(w, &run, &other, "").await;
        assert_eq!(found["comparable"], true, "{found}");
        assert_eq!(found["reason"], json!(null));
        assert_eq!(found["run"]["scoring"], 1);
        assert_eq!(found["other"]["complete"], true);
        assert_eq!(found["normalizer"], "indic-v1");
        assert_eq!(found["only_in_run"], json!([FLASH]));
        assert_eq!(found["only_in_other"], json!([]));
        let models = items(&found["models"]);
        assert_eq!(models.len(), 1);
        let pro = &models[0];
        assert_eq!(
            (&pro["provider"], &pro["samples"]),
            (&json!(PRO), &json!(2))
        );
        let left_out = json!({ "other_reference": 0, "only_in_run": 0, "only_in_other": 0,
            "in_neither": 1 });
        assert_eq!(pro["left_out"], left_out);
        let figures = &pro["figures"];
        close(&figures["wer"], 0.0);
        // What the model failed at counts as missing: one and two of six words.
        close(&figures["other_wer"], 3.0 / 6.0);
        close(&figures["difference"], -3.0 / 6.0);
        // Two blocks can be swapped in four ways, of which two are as far apart.
        close(&figures["p_value"], 0.5);
        close(&figures["p_adjusted"], 0.5);
        assert_eq!(figures["distinguishable"], false);
        assert_eq!(
            (&figures["blocks"], &figures["reliable"]),
            (&json!(2), &json!(false))
        );
        // The same again is the same, and the other way round the difference turns.
        assert_eq!(compare(w, &run, &other, "").await, found);
        let turned = compare(w, &other, &run, "").await;
        close(&turned["models"][0]["figures"]["difference"], 3.0 / 6.0);
        let itself = compare(w, &run, &run, "").await;
        assert_eq!(items(&itself["models"]).len(), 2);
        close(&itself["models"][1]["figures"]["difference"], 0.0);
        close(&itself["models"][1]["figures"]["p_adjusted"], 1.0);
    });
}

#[test]
fn speakers_make_blocks() {
    with(async |w| {
        let made = w
            .dataset(
                "d",
                &[Some("one two"), Some("three four"), Some("five six")],
            )
            .await;
        let set = format!("/datasets/{}?include_samples=true", made.id);
        let set = w.get(&set).await.data(200)["samples"].clone();
        for (sample, speaker) in items(&set).iter().zip(["a", "a", "b"]) {
            let body = json!({ "metadata": { "speaker": speaker } });
            w.patch(&format!("/samples/{}", id(sample)), &body)
                .await
                .ok(200);
        }
        let run = w.run(&made.id, &[PRO]).await;
        w.record(&made.audio[0], PRO, "one");
        let other = w.run(&made.id, &[PRO]).await;
        let found = compare(w, &run, &other, "block_by=speaker").await;
        assert_eq!(found["block_by"], "speaker");
        assert_eq!(found["models"][0]["figures"]["blocks"], 2, "{found}");
        assert_eq!(found["models"][0]["samples"], 3);
        let path = format!("/runs/{}/compare/{}", id(&run), id(&other));
        World::names(
            &w.get(&format!("{path}?block_by=nothing")).await,
            422,
            "block_by",
        );
        World::names(&w.get(&format!("{path}?block_by=")).await, 422, "block_by");
        World::names(
            &w.get(&format!("{path}?normalizer=whisper")).await,
            422,
            "normalizer",
        );
        World::names(&w.get(&format!("{path}?blockby=x")).await, 400, "blockby");
    });
}

#[test]
fn why_they_cannot_be_compared_is_told() {
    with(async |w| {
        let made = w.dataset("d", &[Some("one two"), Some("three four")]).await;
        let run = w.run(&made.id, &[PRO]).await;
        let other = w.run(&made.id, &[PRO]).await;
        let flash = w.run(&made.id, &[FLASH]).await;
        let reason = |found: &Value| {
            assert_eq!(found["comparable"], false, "{found}");
            text(&found["reason"]["code"]).to_owned()
        };
        let found = compare(w, &run, &flash, "").await;
        assert_eq!(reason(&found), "no_common_model");
        assert_eq!(found["only_in_other"], json!([FLASH]));

        let elsewhere = w.dataset("e", &[Some("one two")]).await;
        let elsewhere = w.run(&elsewhere.id, &[PRO]).await;
        assert_eq!(
            reason(&compare(w, &run, &elsewhere, "").await),
            "other_dataset"
        );

        // One reference changes, and one of the runs is scored against it.
        let set = format!("/datasets/{}?include_samples=true", made.id);
        let set = w.get(&set).await.data(200)["samples"].clone();
        let change = async |sample: &Value, text: &str| {
            let body = json!({ "ground_truth": text });
            w.patch(&format!("/samples/{}", id(sample)), &body)
                .await
                .ok(200);
        };
        change(&set[0], "one three").await;
        scored_again(w, &other, &json!({}), 1).await;
        let found = compare(w, &run, &other, "").await;
        assert_eq!(found["other"]["scoring"], 2);
        assert_eq!(found["models"][0]["samples"], 1, "{found}");
        assert_eq!(found["models"][0]["left_out"]["other_reference"], 1);
        change(&set[1], "three five").await;
        scored_again(w, &other, &json!({}), 2).await;
        let found = compare(w, &run, &other, "").await;
        assert_eq!(found["comparable"], false);
        assert_eq!(
            found["models"][0]["reason"]["code"], "other_references",
            "{found}"
        );

        // Another normaliser is another scoring; the one that both have can be named.
        scored_again(w, &run, &json!({ "normalizer": "raw-v1" }), 1).await;
        let found = compare(w, &run, &other, "").await;
        assert_eq!(reason(&found), "other_normalizer");
        assert!(
            text(&found["reason"]["message"]).contains(&id(&other)),
            "{found}"
        );
        let found = compare(w, &run, &other, "normalizer=indic-v1").await;
        assert_eq!(found["run"]["scoring"], 1, "{found}");

        // A run without any reference has nothing that counts.
        let silent = w.dataset("s", &[None]).await;
        let silent = w.run(&silent.id, &[PRO]).await;
        let found = compare(w, &silent, &silent, "").await;
        assert_eq!(found["models"][0]["reason"]["code"], "no_common_sample");
    });
}

#[test]
fn a_run_of_another_project_is_unknown_on_either_side() {
    with(async |w| {
        let made = w.dataset("d", &[Some("one two")]).await;
        let run = w.run(&made.id, &[PRO]).await;
        let stranger = w.stranger().await;
        let theirs = id(&stranger
            .post(
                "/files",
                &json!({ "filename": "a.wav",
            "content_type": "audio/wav", "size_bytes": 5 }),
            )
            .await
            .data(201)["file"]);
        let never = "run_01KAR8F3V4N7C3Q8Z5W2Y0H6M1";
        let mine = id(&run);
        for (a, b) in [
            (&*mine, never),
            (never, &*mine),
            (&*mine, "x"),
            (&*mine, &*theirs),
        ] {
            w.get(&format!("/runs/{a}/compare/{b}")).await.no(404);
        }
        stranger
            .get(&format!("/runs/{mine}/compare/{mine}"))
            .await
            .no(404);
    });
}
