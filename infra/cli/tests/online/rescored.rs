//! A run that others had scored again: the same command gives the same verdict, and another
//! normaliser makes no other run.

use serde_json::{Value, json};

use super::{Bench, code, document, text};

const RUN: [&str; 8] = [
    "run",
    "marks.d",
    "--language",
    "en",
    "--hyp",
    "whisper",
    "--fail-if",
    "wer>0.5",
];

fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&RUN[..], more].concat()
}

async fn scorings(bench: &Bench, id: &str) -> Vec<String> {
    let status = bench.json(&["status", id]).await;
    let all = status["run"]["scorings"].as_array().unwrap().clone();
    let name = |one: &Value| one["normalizer"].as_str().unwrap().to_owned();
    all.iter().map(name).collect()
}

/// Has a run scored again, and waits for it.
async fn rescore(bench: &Bench, id: &str, normalizer: &str) {
    bench
        .json(&["rescore", id, "--normalizer", normalizer])
        .await;
    let begun = std::time::Instant::now();
    while bench.json(&["report", id]).await["normalizer"] != normalizer {
        assert!(begun.elapsed() < stt_eval_tests::machine::PATIENCE);
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_command_judges_by_the_normaliser_that_it_asks_for() {
    let bench = Bench::new().await;
    let lines = [
        json!({"text": "one two", "whisper": "One, two."}),
        json!({"text": "three four", "whisper": "Three, four."}),
    ];
    bench.set_of("marks.d", 340, &lines);
    let first = bench.json(&RUN).await;
    assert_eq!(first["gates"][0]["status"], "passed", "{first}");
    let id = first["run"]["id"].as_str().unwrap();

    rescore(&bench, id, "raw-v1").await;
    let told = bench.run(&with(&["--json"])).await;
    let again = document(&told);
    assert_eq!(code(&told), 0, "{again}");
    for part in ["run", "normalizer", "models", "gates"] {
        assert_eq!(again[part], first[part], "{part}");
    }
    let noted = "note: the run was scored again, with raw-v1, which report and export tell; these \
                 figures are of its scoring with indic-v1, as the command asks for\n";
    assert!(text(&told.stderr).contains(noted), "{}", text(&told.stderr));

    // By another normaliser it is the same run, by the scoring that is there or by a new one.
    for (normalizer, wanted) in [("raw-v1", 100), ("indic-v1", 0), ("indic-v1+numbers", 0)] {
        for _ in 0..2 {
            let told = bench
                .run(&with(&["--normalizer", normalizer, "--json"]))
                .await;
            let other = document(&told);
            assert_eq!(code(&told), wanted, "{normalizer}: {other}");
            assert_eq!(other["run"]["id"], id, "{normalizer}");
            assert_eq!(other["normalizer"], normalizer);
        }
    }
    let all = ["indic-v1", "raw-v1", "indic-v1+numbers"];
    assert_eq!(scorings(&bench, id).await, all);
    // Two at once.
    let one = with(&["--normalizer", "indic-v1+fillers"]);
    let (a, b) = tokio::join!(bench.json(&one), bench.json(&one));
    for told in [a, b] {
        assert_eq!(told["normalizer"], "indic-v1+fillers", "{told}");
        assert_eq!(told["run"]["id"], id);
    }
    assert_eq!(bench.counts().await, (1, 1));

    // One that began with another normaliser.
    let new = bench
        .json(&with(&["--new", "--normalizer", "raw-v1", "--exit-zero"]))
        .await;
    let id = new["run"]["id"].as_str().unwrap();
    let told = bench.run(&with(&["--json"])).await;
    let usual = document(&told);
    assert_eq!(
        (code(&told), &usual["run"]["id"]),
        (0, &id.into()),
        "{usual}"
    );
    let noted = "note: the run is scored with indic-v1, which asks no model and costs nothing\n";
    assert!(text(&told.stderr).contains(noted), "{}", text(&told.stderr));
    assert_eq!(scorings(&bench, id).await, ["raw-v1", "indic-v1"]);
    assert_eq!(bench.counts().await, (2, 1));

    // References that were corrected since: figures and gate are of the same ones.
    let client = bench.machine.client("demo");
    let dataset = new["run"]["dataset_id"].as_str().unwrap();
    let path = format!("/datasets/{dataset}?include_samples=true");
    let sample = client.get(&path).await.data(200)["samples"][0].clone();
    let path = format!("/samples/{}", sample["id"].as_str().unwrap());
    let change = json!({"ground_truth": "one three"});
    client.patch(&path, &change).await.data(200);
    rescore(&bench, id, "raw-v1").await;
    let corrected = bench.json(&RUN).await;
    assert_eq!(corrected["models"][0]["wer"], 0.25, "{corrected}");
    assert_eq!(corrected["gates"][0]["value"], 0.25, "{corrected}");
    // Nobody else has to ask for that.
    let change = json!({"ground_truth": "five three"});
    client.patch(&path, &change).await.data(200);
    let corrected = bench.json(&with(&["--exit-zero"])).await;
    assert_eq!(corrected["models"][0]["wer"], 0.5, "{corrected}");
    assert_eq!(corrected["gates"][0]["value"], 0.5, "{corrected}");
    // A run is no baseline of itself, as the latest one is the second time.
    let itself = ["--fail-if", "regression>0.5", "--baseline", "latest"];
    let told = bench.run(&with(&[&itself[..], &["--json"]].concat())).await;
    let told = (code(&told), document(&told));
    assert_eq!(told.0, 101, "{}", told.1);
    let message = told.1["gates"].to_string();
    assert!(
        message.contains("that is the baseline itself: --new makes another"),
        "{message}"
    );

    // Killed before it knew what it had made, which was to be scored otherwise.
    #[cfg(unix)]
    {
        let step = super::stopped::journal_file(bench.home.path(), "runs");
        let mut begun: Value = serde_json::from_slice(&std::fs::read(&step).unwrap()).unwrap();
        begun["id"] = Value::Null;
        std::fs::write(&step, begun.to_string()).unwrap();
        let found = bench.json(&RUN).await;
        assert_eq!(found["run"]["id"], id, "{found}");
        assert_eq!(bench.counts().await, (2, 1));
    }
    bench.machine.stop().await;
}
