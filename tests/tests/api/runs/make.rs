//! Accepting runs, and refusing them with nothing written.

use serde_json::{Value, json};

use crate::support::{Expect, FLASH, PRO, World, each, id, text, with};

#[test]
fn a_run_is_accepted_at_once_and_described_whole() {
    with(async |w| {
        // Nothing gets done meanwhile.
        w.strike(w.fault(gemini_sim::Fault::Stuck {
            state: "PENDING".to_owned(),
        }));
        let made = w
            .dataset("d", &[Some("one two"), Some("three four"), None])
            .await;
        let body = json!({
            "run_name": " பரிசோதனை ", "dataset_id": made.id, "providers": [PRO, FLASH]
        });
        let run = w.post("/runs", &body).await.data(202).clone();
        assert!(text(&run["id"]).starts_with("run_"));
        assert_eq!(run["run_name"], "பரிசோதனை");
        assert_eq!(run["dataset_id"], *made.id);
        assert_eq!(run["dataset_name"], *made.name);
        assert_eq!(run["type"], "stt");
        assert_eq!(run["language"], "en");
        assert_eq!(run["providers"], json!([PRO, FLASH]));
        assert_eq!(run["status"], "pending");
        assert_eq!(run["total_items"], 6);
        assert_eq!(
            run["counts"],
            json!({ "pending": 6, "completed": 0, "failed": 0 })
        );
        assert_eq!(run["score"], Value::Null);
        assert_eq!(run["error_message"], Value::Null);
        for time in ["inserted_at", "updated_at"] {
            assert!(text(&run[time]).ends_with('Z'), "{run}");
        }
        let found = w
            .get(&format!("/runs/{}", id(&run)))
            .await
            .data(200)
            .clone();
        for same in [
            "id",
            "run_name",
            "total_items",
            "providers",
            "inserted_at",
            "config",
        ] {
            assert_eq!(found[same], run[same], "{same}");
        }
    });
}

#[test]
fn a_whole_dataset_may_stand_in_place_of_an_id() {
    with(async |w| {
        let audio = crate::support::audio();
        w.record(&audio, PRO, "one two");
        let file = w.file("a.wav", "audio/wav", audio).await;
        let dataset = json!({
            "name": "inline", "language": "en",
            "samples": [{ "file_id": file, "ground_truth": "one two" }],
        });
        let body = json!({ "run_name": "r", "dataset": dataset, "models": [PRO] });
        let run = w.post("/runs", &body).await.data(202).clone();
        assert_eq!(run["dataset_name"], "inline");
        assert_eq!(
            run["providers"],
            json!([PRO]),
            "models is another name of providers"
        );
        let run = w.ended(&run).await;
        assert_eq!(run["status"], "completed", "{run}");
        assert_eq!(run["score"][PRO]["wer"], 0.0);
        let made = w
            .get(&format!("/datasets/{}", text(&run["dataset_id"])))
            .await;
        assert_eq!(made.data(200)["name"], "inline");
        assert_eq!(made.data(200)["dataset_metadata"]["sample_count"], 1);

        // Its name is taken now, and its fields are checked and named.
        World::names(&w.post("/runs", &body).await, 409, "dataset.name");
        let mut odd = body.clone();
        odd["dataset"]["name"] = json!("other");
        odd["dataset"]["samples"][0]["file_id"] = json!("file_x");
        World::names(
            &w.post("/runs", &odd).await,
            422,
            "dataset.samples[0].file_id",
        );
        odd["dataset"] = json!({ "name": "other" });
        assert!(w.post("/runs", &odd).await.refused(422)[0].starts_with("dataset."));
        odd["dataset"]["nmae"] = json!("x");
        World::names(&w.post("/runs", &odd).await, 400, "dataset.nmae");
        assert_eq!(w.get("/runs").await.body["metadata"]["total"], 1);
        assert_eq!(w.get("/datasets").await.body["metadata"]["total"], 1);
    });
}

#[test]
fn what_cannot_run_is_refused_before_anything_is_written() {
    with(async |w| {
        let made = w.dataset("d", &[Some("one two")]).await;
        let fresh = w.recording().await;
        let inline = json!({
            "name": "inline", "language": "en", "samples": [{ "file_id": fresh }]
        });
        let unknown = "ds_01KAR8F3V4N7C3Q8Z5W2Y0H6M1";
        let base = json!({ "run_name": "r", "dataset_id": made.id, "providers": [PRO] });
        for (what, change, fields) in [
            (
                "an unknown model",
                json!({ "providers": [PRO, "gpt-9"] }),
                &["providers[1]"][..],
            ),
            (
                "a model twice",
                json!({ "providers": [PRO, FLASH, PRO] }),
                &["providers[2]"],
            ),
            ("no models", json!({ "providers": [] }), &["providers"]),
            (
                "models missing",
                json!({ "providers": null }),
                &["providers"],
            ),
            (
                "models by both names",
                json!({ "models": [FLASH] }),
                &["models"],
            ),
            (
                "text for models",
                json!({ "providers": PRO }),
                &["providers"],
            ),
            (
                "17 models",
                json!({ "providers": vec![PRO; 17] }),
                &["providers"],
            ),
            (
                "an unknown dataset",
                json!({ "dataset_id": unknown }),
                &["dataset_id"],
            ),
            (
                "an odd dataset",
                json!({ "dataset_id": "x" }),
                &["dataset_id"],
            ),
            ("no dataset", json!({ "dataset_id": null }), &["dataset_id"]),
            ("two datasets", json!({ "dataset": inline }), &["dataset"]),
            ("no name", json!({ "run_name": "" }), &["run_name"]),
            (
                "a long name",
                json!({ "run_name": "x".repeat(300) }),
                &["run_name"],
            ),
            (
                "a hostile name",
                json!({ "run_name": "a\u{202e}b" }),
                &["run_name"],
            ),
            ("a bell", json!({ "run_name": "a\u{7}" }), &["run_name"]),
            (
                "heat",
                json!({ "config": { "temperature": 2.5 } }),
                &["config.temperature"],
            ),
            (
                "cold",
                json!({ "config": { "temperature": -1 } }),
                &["config.temperature"],
            ),
            (
                "a novel",
                json!({ "config": { "prompt": "x".repeat(8_001) } }),
                &["config.prompt"],
            ),
            (
                "no such normaliser",
                json!({ "config": { "normalizer": "x" } }),
                &["config.normalizer"],
            ),
        ] {
            let mut body = base.clone();
            for (field, value) in change.as_object().unwrap() {
                body[field] = value.clone();
            }
            let answer = w.post("/runs", &body).await;
            assert_eq!(answer.status, 422, "{what}: {}", answer.text);
            let named = answer.refused(422);
            let hit = fields.iter().any(|f| {
                named
                    .iter()
                    .any(|n| n == f || n.starts_with(&format!("{f}[")))
                    || named.iter().any(|n| f.starts_with(&format!("{n}[")))
            });
            assert!(hit, "{what}: {}", answer.text);
        }
        for (what, mut body, field) in [
            ("a typo", base.clone(), "provders"),
            ("a typo within", base.clone(), "config.promt"),
        ] {
            match field.split_once('.') {
                Some((outer, inner)) => body[outer][inner] = json!("x"),
                None => body[field] = json!("x"),
            }
            let answer = w.post("/runs", &body).await;
            assert_eq!(answer.status, 400, "{what}: {}", answer.text);
            World::names(&answer, 400, field);
        }
        // With an inline dataset nothing of that is made either.
        let body = json!({ "run_name": "r", "dataset": inline, "providers": ["gpt-9"] });
        w.post("/runs", &body).await.no(422);
        assert_eq!(w.get("/runs").await.body["metadata"]["total"], 0);
        assert_eq!(w.get("/datasets").await.body["metadata"]["total"], 1);
        assert_eq!(w.batches().await.len(), 0);
    });
}

#[test]
fn without_credentials_nothing_runs() {
    with(async |w| {
        let made = w.dataset("d", &[Some("one two")]).await;
        w.delete("/credentials/google").await.ok(200);
        let body = json!({ "run_name": "r", "dataset_id": made.id, "providers": [PRO] });
        let refused = w.post("/runs", &body).await;
        assert!(
            refused.refused(422)[0].starts_with("providers"),
            "{}",
            refused.text
        );
        assert!(refused.text.contains("credential"), "{}", refused.text);
        assert_eq!(w.get("/runs").await.body["metadata"]["total"], 0);
        let key = json!({ "api_key": crate::support::secret(&w.project.name) });
        w.put("/credentials/google?validate=false", &key)
            .await
            .ok(200);
        let run = w.post("/runs", &body).await.data(202).clone();
        assert_eq!(w.ended(&run).await["status"], "completed");
    });
}

#[test]
fn the_configuration_is_frozen_on_the_run() {
    with(async |w| {
        let made = w.dataset("d", &[Some("one two")]).await;
        let plain = w.start(&made.id, &[PRO]).await;
        let default = &plain["config"]["providers"][PRO];
        assert_eq!(default["model"], PRO);
        assert_eq!(default["provider"], "google");
        assert!(!text(&default["prompt"]).is_empty(), "{plain}");
        let body = json!({
            "run_name": "r", "dataset_id": made.id, "providers": [PRO],
            "config": { "prompt": "Write {language} down.", "temperature": 0.5, "normalizer": "verbatim" },
        });
        let custom = w.post("/runs", &body).await;
        // Which normalisers there are is not this test's business.
        let custom = if custom.status == 422 {
            World::names(&custom, 422, "config.normalizer");
            let mut body = body.clone();
            body["config"].as_object_mut().unwrap().remove("normalizer");
            w.post("/runs", &body).await
        } else {
            custom
        };
        let custom = custom.data(202).clone();
        let frozen = &custom["config"]["providers"][PRO];
        assert_eq!(frozen["prompt"], "Write {language} down.");
        assert_eq!(frozen["prompt_version"], "custom");
        assert_eq!(frozen["temperature"], 0.5);
        for run in [&plain, &custom] {
            let ended = w.ended(run).await;
            assert_eq!(ended["config"], run["config"]);
            assert_eq!(ended["status"], "completed");
            let results = w.results(&ended, "").await;
            assert!(each(&json!(results), "model_version")[0].is_string());
        }
    });
}
