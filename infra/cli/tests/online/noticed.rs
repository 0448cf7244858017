//! What a run notices on its way stands in its document, as `score` has it.

use serde_json::{Value, json};

use super::{Bench, document, text, with};

/// The remarks of a document.
fn remarks(told: &Value) -> Vec<&str> {
    let all = told["remarks"].as_array().unwrap().iter();
    all.map(|one| one.as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_tells_scripts_the_notes_that_people_read() {
    let bench = Bench::new().await;
    let before = "clip,heard\n1,one two three\n2,five six seven eight\n3,nine ten\n4,red\n";
    std::fs::write(bench.home.path().join("before.csv"), before).unwrap();
    let table = std::fs::read_to_string(bench.home.path().join("set/metadata.csv")).unwrap();
    let lines = table.lines().enumerate().map(|(at, line)| match at {
        0 => format!("{line},pred_text_old\n"),
        _ => format!("{line},old\n"),
    });
    let lines: String = lines.collect();
    std::fs::write(bench.home.path().join("set/metadata.csv"), lines).unwrap();
    let asked = [
        "--yes",
        "--baseline",
        "before.csv",
        "--baseline-model",
        "before",
        "--fail-if",
        "regression>0.9",
        "--allow-weak",
        "--json",
    ];
    let told = bench.run(&with(&asked)).await;
    let run = document(&told);
    let found = remarks(&run);
    // All that words say, and what the report warns of.
    let words = text(&told.stderr);
    let notes: Vec<&str> = words
        .lines()
        .filter_map(|line| line.strip_prefix("note: "))
        .collect();
    assert!(notes.len() > 1, "{words}");
    assert_eq!(found.get(..notes.len()), Some(&notes[..]), "{words}");
    let is_told = |part: &str| found.iter().any(|one| one.contains(part));
    assert!(
        is_told("the source has transcripts of old, which are left out"),
        "{found:?}"
    );
    // What `score` tells of the same list stands there as what is of the baseline.
    let score = bench
        .json(&[
            "score",
            "set/metadata.csv",
            "before.csv",
            "--text-column",
            "transcription",
        ])
        .await;
    let shared = remarks(&score)
        .into_iter()
        .find(|one| one.contains("is taken as what"));
    let shared = shared.or_else(|| {
        remarks(&score)
            .into_iter()
            .find(|one| one.contains("taken as"))
    });
    let shared = format!(
        "--baseline: {}",
        shared.unwrap_or_else(|| panic!("{score}"))
    );
    assert!(found.contains(&shared.as_str()), "{shared}: {found:?}");
    // The same run once more tells the same of both sides.
    let again = document(&bench.run(&with(&asked)).await);
    assert!(remarks(&again).contains(&shared.as_str()), "{again}");
    let id = run["run"]["id"].as_str().unwrap();
    let report = bench.json(&["report", id]).await;
    let warned = remarks(&report);
    assert!(
        warned.iter().all(|one| found.contains(one)),
        "{warned:?} {found:?}"
    );
    let results = bench
        .json(&["results", id, "--status", "failed", "--worst"])
        .await;
    assert_eq!(
        results["remarks"],
        json!([
            "--worst sorts by error rate, and what is failed has none: in the order of the samples",
            "no result is like that: failed"
        ])
    );
    let diff = bench.json(&["diff", id, id]).await;
    assert_eq!(diff["remarks"], json!([]));
    bench.machine.stop().await;
}
