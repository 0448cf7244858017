//! What a run would take, told before it is made.

use serde_json::{Value, json};

use crate::support::{Expect, FLASH, PRO, World, each, items, with};

/// A number of an estimate.
fn number(value: &Value) -> f64 {
    value
        .as_f64()
        .unwrap_or_else(|| panic!("no number: {value}"))
}

#[test]
fn it_tells_hours_cost_and_time_and_writes_nothing() {
    with(async |w| {
        // Ten clips of 0.2 s each.
        let made = w.dataset("d", &[Some("one two"); 10]).await;
        let transcripts = json!([{ "name": "a", "items": [{ "filename": "0.wav", "text": "" }] }]);
        let body = json!({
            "run_name": "r", "dataset_id": made.id, "providers": [PRO, FLASH],
            "transcripts": transcripts,
        });
        let viewer = w.role("viewer").await;
        let told = viewer.post("/runs/estimate", &body).await.data(200).clone();
        let hours = 10.0 * 0.2 / 3600.0;
        assert!(
            (number(&told["audio_hours"]) - hours).abs() < hours * 0.01,
            "{told}"
        );
        assert_eq!(each(&told["models"], "model"), [PRO, FLASH, "imported/a"]);
        assert_eq!(each(&told["models"], "items"), [10, 10, 10]);
        assert_eq!(each(&told["models"], "unsupported"), [0, 0, 0]);
        assert_eq!(each(&told["models"], "usual_seconds"), [&Value::Null; 3]);
        // When a vendor is given up is known before anything was ever asked of it.
        let most = |index: usize| told["models"][index]["given_up_after_seconds"].as_u64();
        assert!(most(0).is_some_and(|most| most >= 86_400), "{told}");
        assert_eq!(most(2), None);
        let listed = w.get("/providers").await.data(200).clone();
        let mut all = 0.0;
        for model in items(&told["models"]).iter().take(2) {
            let mut known = items(&listed).iter();
            let known = known.find(|known| known["id"] == model["model"]).unwrap();
            let cost = hours * number(&known["price_per_audio_hour_usd"]);
            let told = number(&model["cost_usd"]);
            // Of so short a clip most is its prompt.
            assert!(told > cost && told < cost * 100.0, "{model}: {cost}");
            assert_eq!(model["price_read_at"], known["price_read_on"]);
            all += told;
        }
        assert_eq!(told["models"][2]["cost_usd"], 0.0);
        assert!((number(&told["cost_usd"]) - all).abs() < 1e-12);
        assert_eq!(w.get("/runs").await.body["metadata"]["total"], 0);

        // Once there was one, it is known how long they take.
        let run = w.run(&made.id, &[PRO]).await;
        let (charged, estimated) = (
            number(&run["score"][PRO]["cost_usd"]),
            number(&told["models"][0]["cost_usd"]),
        );
        println!("estimated {estimated}, charged {charged}");
        assert!(
            (0.5..=1.0).contains(&(charged / estimated)),
            "{charged} {estimated}"
        );
        let told = viewer.post("/runs/estimate", &body).await.data(200).clone();
        assert!(told["models"][0]["usual_seconds"].is_u64(), "{told}");
        assert_eq!(told["models"][1]["usual_seconds"], Value::Null);
    });
}

#[test]
fn a_dataset_to_be_made_is_estimated_and_not_made() {
    with(async |w| {
        let file = w.recording().await;
        let dataset = json!({ "name": "d", "language": "en", "samples": [{ "file_id": file }] });
        let mut body = json!({ "run_name": "r", "dataset": dataset, "providers": [PRO] });
        // Deciding between providers needs no key of theirs.
        w.delete("/credentials/google").await.ok(200);
        let told = w.post("/runs/estimate", &body).await.data(200).clone();
        assert_eq!(each(&told["models"], "items"), [1]);
        assert!(number(&told["cost_usd"]) > 0.0);
        assert_eq!(w.get("/datasets").await.body["metadata"]["total"], 0);
        body["providers"] = json!([PRO, "gpt-9"]);
        World::names(&w.post("/runs/estimate", &body).await, 422, "providers[1]");
        body["provders"] = json!([]);
        World::names(&w.post("/runs/estimate", &body).await, 400, "provders");
    });
}
