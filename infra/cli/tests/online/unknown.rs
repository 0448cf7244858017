//! References that are not known: what a run does not count, no export of it makes count.

use serde_json::json;

use super::{Bench, code, text};

#[tokio::test(flavor = "multi_thread")]
async fn exports_read_back_leave_out_what_the_run_left_out() {
    let bench = Bench::new().await;
    let lines = [
        json!({"text": "one two", "whisper": "one two"}),
        json!({"text": null, "whisper": "three four five"}),
        json!({"text": "six seven", "whisper": "six"}),
        json!({"text": "", "whisper": "well"}),
    ];
    bench.set_of("unknown.d", 320, &lines);
    let run = ["run", "unknown.d", "--language", "en", "--hyp", "whisper"];
    let run = bench.json(&run).await;
    let wanted = &run["models"][0];
    assert_eq!(wanted["wer"], 0.5, "{run}");
    let id = run["run"]["id"].as_str().unwrap();
    for format in ["nemo", "label_studio", "jsonl", "csv", "seglst"] {
        let saved = bench.json(&["export", id, "--format", format]).await;
        let file = saved["output"].as_str().unwrap();
        let score = ["score", file, "--fail-if", "wer>0.5", "--json"];
        let score = bench.run(&score).await;
        assert_eq!(code(&score), 0, "{format}: {}", text(&score.stdout));
        let score = super::document(&score);
        let system = &score["systems"][0];
        for field in ["wer", "samples", "words"] {
            assert_eq!(system[field], wanted[field], "{format}: {score}");
        }
    }
    bench.machine.stop().await;
}
