//! Documents of runs have the fields that the README tells, and no others.

use super::{Bench, document, with};
use crate::promised::holds;

#[tokio::test(flavor = "multi_thread")]
async fn documents_of_runs_have_the_fields_that_the_readme_tells() {
    let bench = Bench::new().await;
    let asked = ["--yes", "--fail-if", "wer>0.9", "--export", "csv", "--json"];
    let run = document(&bench.run(&with(&asked)).await);
    let id = run["run"]["id"].as_str().unwrap().to_owned();
    holds("run", &[run]);
    holds("report", &[bench.json(&["report", &id]).await]);
    holds("results", &[bench.json(&["results", &id]).await]);
    holds(
        "export",
        &[bench.json(&["export", &id, "--format", "jsonl"]).await],
    );
    holds("diff", &[bench.json(&["diff", &id, &id]).await]);
    holds("status", &[bench.json(&["status", &id]).await]);
    for list in ["runs", "datasets", "files", "models", "languages"] {
        holds(list, &[bench.json(&[list]).await]);
    }
    holds("keys", &[bench.json(&["keys", "list"]).await]);
    holds("credentials", &[bench.json(&["credentials", "list"]).await]);
    holds("whoami", &[bench.json(&["whoami"]).await]);
    holds("profiles", &[bench.json(&["profiles"]).await]);
    bench.machine.stop().await;
}
