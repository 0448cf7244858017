//! A run of 10,000 results: its pages ask no more of the tables than those of a small one.

use stt_eval_shared::domain::run::Run;
use stt_eval_shared::domain::{ProjectId, ResultId, RunId};

use super::Browser;
use crate::support::{FLASH, PRO, World, id, with};

/// Most bytes of a page on its way.
const MOST_BYTES: usize = 100_000;
/// Samples of the run, with two models.
const SAMPLES: u16 = 5_000;
/// Of these, such as have results; the others are pending.
const DONE: u16 = 500;
/// How often a page is asked for. What works in the background asks the tables in between,
/// so the least of what was counted is the page's own.
const LOOKS: usize = 12;

/// What was asked of DynamoDB so far.
fn asked(w: &World) -> u64 {
    let counts = w.machine.node.counts();
    let of_tables = counts.as_array().unwrap().iter();
    let of_tables = of_tables.filter(|count| count["service"] == "dynamodb");
    of_tables
        .map(|count| count["requests"].as_u64().unwrap())
        .sum()
}

/// A run of one clip becomes one of many, each with the results of the first.
async fn enlarge(w: &World, project: &ProjectId, run: RunId) {
    let store = &w.machine.node.app.store;
    let mut outcomes = Vec::new();
    for model in 0..2 {
        let first = store
            .results_between(project, run, model, 0, 1)
            .await
            .unwrap();
        let first = first.into_iter().next().unwrap().outcome;
        outcomes.extend((1..DONE).map(|position| {
            let mut outcome = first.clone();
            outcome.id = ResultId::new(run, model, position);
            outcome
        }));
    }
    store.write_outcomes(project, &outcomes).await.unwrap();
    let small = store.run(project, run).await.unwrap().unwrap();
    let large = Run {
        sample_count: SAMPLES.into(),
        rev: small.rev + 1,
        ..small
    };
    store.save_run(&large).await.unwrap();
}

#[test]
fn a_first_page_over_ten_thousand_results_asks_little() {
    with(async |w| {
        let made = w.dataset("clips", &[Some("one two three")]).await;
        let run = id(&w.run(&made.id, &[PRO, FLASH]).await);
        let project = w.project.name.parse().unwrap();
        enlarge(w, &project, run.parse().unwrap()).await;
        let mut browser = Browser::signed_in(w, &w.project.key).await;
        let clip = browser.get(&format!("/runs/{run}/review")).await;
        let clip = clip.header("location").to_owned();
        // The session with its key and the run are one request each; then each model's
        // results, or their order and they themselves.
        for (path, most) in [
            (format!("/runs/{run}/results"), 4),
            (format!("/runs/{run}/results?sort=-wer"), 4),
            (format!("/runs/{run}/results?sort=unreviewed"), 4),
            (format!("/runs/{run}/review"), 4),
            (clip, 6),
            (format!("/runs/{run}"), 3),
        ] {
            let mut least = u64::MAX;
            for _ in 0..LOOKS {
                let before = asked(w);
                let request = browser.request("GET", &path);
                let page = browser
                    .send(request.header("accept-encoding", "gzip"))
                    .await;
                least = least.min(asked(w) - before);
                assert!(matches!(page.status, 200 | 303), "{path}: {}", page.status);
                if page.status == 200 {
                    assert_eq!(page.header("content-encoding"), "gzip", "{path}");
                    let bytes: usize = page.header("content-length").parse().unwrap();
                    assert!(bytes <= MOST_BYTES, "{path}: {bytes}");
                }
                if least <= most {
                    break;
                }
            }
            assert!(least <= most, "{path} asks {least} times");
        }
        let all = browser.get(&format!("/runs/{run}/results")).await;
        assert!(all.text.contains("10,000"), "{}", all.text);
    });
}
