//! The bundled clips: ten languages in one run.

use std::path::PathBuf;

use serde_json::{Value, json};
use stt_eval_tests::Machine;

use crate::{close, report, run};

fn clips() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../infra/local/clips")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_in_ten_languages_tells_what_each_step_forgave() {
    let machine = Machine::start().await;
    let client = machine.client("demo");
    let list = std::fs::read_to_string(clips().join("clips.jsonl")).unwrap();
    let mut samples = Vec::new();
    for line in list.lines() {
        let clip: Value = serde_json::from_str(line).unwrap();
        let name = clip["file"].as_str().unwrap();
        let bytes = std::fs::read(clips().join(name)).unwrap();
        let kind = clip["content_type"].as_str().unwrap();
        let file = machine.upload(&client, name, kind, &bytes).await;
        samples.push(json!({
            "file_id": file["id"], "ground_truth": clip["ground_truth"],
            "language": clip["language"], "metadata": { "format": kind },
        }));
    }
    let body = json!({ "name": "clips", "language": "hi", "samples": samples });
    let made = client.post("/datasets", &body).await.data(201).clone();
    let run = run(&machine, &client, &made).await;
    let found = report(&client, &run, "group_by=format").await;
    assert_eq!(found["sample_count"], 18);
    for provider in found["providers"].as_array().unwrap() {
        let steps = provider["waterfall"].as_array().unwrap();
        let names: Vec<&str> = steps.iter().map(|s| s["step"].as_str().unwrap()).collect();
        let wanted = [
            "raw",
            "nfc",
            "letters",
            "invisible",
            "case",
            "digits",
            "digit-groups",
            "punctuation",
            "blanks",
            "nfc",
        ];
        assert_eq!(names, wanted);
        close(
            &steps[0]["wer"],
            provider["score"]["raw_wer"].as_f64().unwrap(),
        );
        close(&steps[9]["wer"], provider["score"]["wer"].as_f64().unwrap());
        let forgiven: i64 = steps.iter().map(|s| s["forgiven"].as_i64().unwrap()).sum();
        let (first, last) = (&steps[0]["errors"], &steps[9]["errors"]);
        assert_eq!(forgiven, first.as_i64().unwrap() - last.as_i64().unwrap());
        let line: Vec<String> = steps
            .iter()
            .filter(|s| s["step"] == "raw" || s["forgiven"] != 0)
            .map(|s| {
                format!(
                    "{} {:.1}",
                    s["step"].as_str().unwrap(),
                    s["wer"].as_f64().unwrap() * 100.0
                )
            })
            .collect();
        println!("{}: {}", provider["provider"], line.join(" → "));
    }
    let languages = found["languages"].as_array().unwrap();
    assert!(languages.len() >= 10, "{} languages", languages.len());
    // The parts together are the whole.
    for provider in found["providers"].as_array().unwrap() {
        let model = provider["provider"].as_str().unwrap();
        for parts in [&found["languages"], &found["groups"]["groups"]] {
            let of = |name: &str| -> u64 {
                let parts = parts.as_array().unwrap().iter();
                parts
                    .map(|part| part["providers"][model][name].as_u64().unwrap())
                    .sum()
            };
            for name in [
                "hits",
                "substitutions",
                "deletions",
                "insertions",
                "samples",
            ] {
                assert_eq!(
                    of(name),
                    provider["score"][name].as_u64().unwrap(),
                    "{model} {name}"
                );
            }
        }
    }
    machine.stop().await;
}
