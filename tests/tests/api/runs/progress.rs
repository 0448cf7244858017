//! From acceptance to scores.

use serde_json::{Value, json};

use crate::support::{FLASH, PRO, id, items, with};

#[test]
fn a_run_ends_with_exact_scores() {
    with(async |w| {
        let references = [
            Some("one two three four"),
            Some("five six"),
            Some("seven"),
            None,
        ];
        let made = w.dataset("d", &references).await;
        let run = w.run(&made.id, &[PRO, FLASH]).await;
        assert_eq!(run["status"], "completed", "{run}");
        assert_eq!(
            run["counts"],
            json!({ "pending": 0, "completed": 8, "failed": 0 })
        );
        let (pro, flash) = (&run["score"][PRO], &run["score"][FLASH]);
        for (score, wanted) in [
            (pro, [7, 0, 0, 0]),
            // The first word of two is missing, and "x" was heard for "seven".
            (flash, [4, 1, 2, 0]),
        ] {
            let parts = ["hits", "substitutions", "deletions", "insertions"];
            let counts: Vec<_> = parts.iter().map(|part| score[*part].as_i64()).collect();
            assert_eq!(counts, wanted.map(Some), "{score}");
            assert_eq!(score["coverage"], 1.0);
            assert_eq!(score["samples"], 3, "without a reference there is no score");
            assert_eq!(score["failed"], 0);
            assert!(score["cost_usd"].as_f64().unwrap() > 0.0);
        }
        assert_eq!(pro["wer"], 0.0);
        assert_eq!(pro["cer"], 0.0);
        assert!(
            (flash["wer"].as_f64().unwrap() - 3.0 / 7.0).abs() < 1e-9,
            "{flash}"
        );

        let results = w.results(&run, "").await;
        assert_eq!(results.len(), 8);
        for result in &results {
            assert_eq!(result["status"], "completed");
            assert!(result["usage"].is_object() && result["model_version"].is_string());
            assert_eq!(
                result["score"].is_null(),
                result["ground_truth"].is_null(),
                "{result}"
            );
        }
        let found = |file: usize, provider: &str| {
            let hit = |r: &&Value| r["file_id"] == *made.files[file] && r["provider"] == provider;
            results.iter().find(hit).unwrap().clone()
        };
        assert_eq!(found(0, PRO)["score"]["wer"], 0.0);
        assert_eq!(found(0, FLASH)["score"]["wer"], 0.25);
        assert_eq!(found(0, FLASH)["transcription"], "two three four");
        assert_eq!(found(2, FLASH)["score"]["wer"], 1.0);
        assert_eq!(found(3, PRO)["transcription"], "nobody knows");
        let with_results = w
            .get(&format!("/runs/{}?include_results=true", id(&run)))
            .await;
        assert_eq!(items(&with_results.data(200)["results"]).len(), 8);
        assert_eq!(with_results.body["metadata"]["total"], 8);
        let page = w
            .get(&format!("/runs/{}?include_results=true&limit=3", id(&run)))
            .await;
        assert_eq!(items(&page.data(200)["results"]).len(), 3);
        assert!(page.body["metadata"]["next_cursor"].is_string());
        w.machine
            .wait("the provider keeps no audio of an ended run", async || {
                w.at_provider().is_empty().then_some(())
            })
            .await;
    });
}

#[test]
fn counts_move_while_a_run_is_processing() {
    with(async |w| {
        let slow = gemini_sim::Fault::Stuck {
            state: "RUNNING".to_owned(),
        };
        let mut rule = w.fault(slow);
        rule.model = Some(FLASH.to_owned());
        let number = w.strike(rule);
        let made = w.dataset("d", &[Some("one two"), Some("three four")]).await;
        let run = w.start(&made.id, &[PRO, FLASH]).await;
        let path = format!("/runs/{}", id(&run));
        let half = w
            .machine
            .wait("half of it is done", async || {
                let run = w.get(&path).await.data(200).clone();
                (run["counts"]["completed"] == 2).then_some(run)
            })
            .await;
        assert_eq!(half["status"], "processing");
        assert_eq!(
            half["counts"],
            json!({ "pending": 2, "completed": 2, "failed": 0 })
        );
        assert_eq!(half["score"][PRO]["wer"], 0.0);
        assert_eq!(half["score"][FLASH], Value::Null);
        let done = w.results(&run, "status=completed").await;
        assert_eq!(done.len(), 2);
        let pending = w.results(&run, "status=pending").await;
        assert_eq!(pending.len(), 2);
        for result in &pending {
            assert_eq!(result["provider"], FLASH);
            assert_eq!(result["transcription"], Value::Null);
            assert_eq!(result["score"], Value::Null);
            let alone = w.get(&format!("/results/{}", id(result))).await;
            assert_eq!(alone.data(200), result, "an id is known before its outcome");
        }
        assert!(w.machine.sim().faults().remove(number));
        let run = w.ended(&run).await;
        assert_eq!(
            run["counts"],
            json!({ "pending": 0, "completed": 4, "failed": 0 })
        );
        let ids = |list: &[Value]| list.iter().map(id).collect::<Vec<_>>();
        let later = w.results(&run, &format!("provider={FLASH}")).await;
        assert_eq!(ids(&later), ids(&pending), "and stays the same");
    });
}

#[test]
fn a_dataset_with_the_bundled_clips_is_scored_in_its_languages() {
    with(async |w| {
        let mut samples = Vec::new();
        for (clip, bytes) in stt_eval_local::demo::clips().unwrap() {
            let file = w.file(&clip.file, &clip.content_type, bytes.to_vec()).await;
            samples.push(json!({
                "file_id": file, "ground_truth": clip.ground_truth, "language": clip.language
            }));
        }
        let body = json!({ "name": "clips", "language": "en", "samples": samples });
        let made = id(w.post("/datasets", &body).await.data(201));
        let run = w.run(&made, &[PRO, FLASH]).await;
        assert_eq!(run["status"], "completed", "{run}");
        let wer = |model: &str| run["score"][model]["wer"].as_f64().unwrap();
        assert!(
            wer(PRO) > 0.0 && wer(PRO) < wer(FLASH) && wer(FLASH) < 1.0,
            "{run}"
        );
        let blocked = w.results(&run, "status=failed").await;
        assert_eq!(run["counts"]["failed"], blocked.len());
        for result in blocked {
            assert!(result["error_message"].is_string(), "{result}");
        }
    });
}

#[test]
fn a_run_larger_than_a_batch_is_done_whole() {
    with(async |w| {
        let references: Vec<String> = (0..105).map(|n| format!("number {n}")).collect();
        let references: Vec<Option<&str>> = references.iter().map(|r| Some(&**r)).collect();
        let made = w.dataset("large", &references).await;
        let run = w.run(&made.id, &[PRO]).await;
        assert_eq!(run["total_items"], 105);
        let counts = json!({ "pending": 0, "completed": 105, "failed": 0 });
        assert_eq!(run["counts"], counts, "{run}");
        assert_eq!(run["score"][PRO]["hits"], 210);
        assert_eq!(w.batches().await.len(), 2, "at most a hundred to a batch");
        let path = format!("/runs/{}/results", id(&run));
        assert_eq!(items(w.get(&path).await.data(200)).len(), 50, "the default");
        for sort in ["sample", "wer"] {
            let paged = w.pages(&format!("{path}?sort={sort}"), 40).await;
            let mut files: Vec<&Value> = paged.iter().map(|result| &result["file_id"]).collect();
            if sort == "sample" {
                assert_eq!(files, made.files.iter().collect::<Vec<_>>());
            }
            files.sort_by_key(|file| file.to_string());
            files.dedup();
            assert_eq!(files.len(), 105, "{sort}");
        }
        let exact = paged_truths(w, &path).await;
        assert_eq!(exact, 105, "every transcription belongs to its recording");
    });
}

/// How many results of a run say exactly what was said.
async fn paged_truths(w: &crate::support::World, path: &str) -> usize {
    let all = w.pages(path, 100).await;
    all.iter()
        .filter(|result| result["transcription"] == result["ground_truth"])
        .count()
}
