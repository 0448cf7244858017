//! References that change while the dataset stays: what a saved document is a baseline of.

use serde_json::json;

use super::{Bench, document, with};

#[tokio::test(flavor = "multi_thread")]
async fn a_document_is_no_baseline_once_a_reference_says_something_else() {
    let bench = Bench::new().await;
    let client = bench.machine.client("demo");
    let run = bench.json(&with(&["--yes"])).await;
    let dataset = run["run"]["dataset_id"].as_str().unwrap().to_owned();
    let path = format!("/datasets/{dataset}?include_samples=true");
    let sample = client.get(&path).await.data(200)["samples"][0].clone();
    let id = sample["id"].as_str().unwrap().to_owned();
    let said = sample["ground_truth"].as_str().unwrap().to_owned();
    let gate = [
        "--fail-if",
        "regression>0.9",
        "--baseline",
        "saved.json",
        "--allow-weak",
        "--new",
        "--yes",
    ];
    let told = async |reference: &str| {
        let change = json!({"ground_truth": reference});
        let changed = client.patch(&format!("/samples/{id}"), &change).await;
        changed.data(200);
        document(&bench.run(&with(&[&gate[..], &["--json"]].concat())).await)
    };
    let save = |document: &serde_json::Value| {
        std::fs::write(bench.home.path().join("saved.json"), document.to_string()).unwrap();
    };
    save(&run);
    // As many references are edited, to something else each time.
    for reference in ["one two three five", "one two three six"] {
        let other = told(reference).await;
        let message = other["gates"][0]["message"].as_str().unwrap();
        assert!(
            message.contains("is of other references"),
            "{reference}: {message}"
        );
        assert_eq!(other["error"]["code"], "gate_not_judged");
        save(&other);
    }
    // What says the same again can be compared again.
    save(&run);
    let again = told(&said).await;
    assert_eq!(again["gates"][0]["status"], "passed", "{again}");
    assert_eq!(again["references"], run["references"]);
    // A run is of the references that it was scored by, whatever they say now.
    let id = run["run"]["id"].as_str().unwrap();
    told("one two three seven").await;
    let report = bench.json(&["report", id]).await;
    assert_eq!(report["references"], run["references"]);
    bench.machine.stop().await;
}
