//! Items that fail inside the provider are asked for once more, by themselves, and
//! only they; the run ends after that.

use gemini_sim::{ErrorMember, Fault, FaultRule};
use stt_eval_shared::domain::RunId;
use stt_eval_shared::domain::run::Run;

use crate::again::recount;
use crate::failing::{codes, of_model, retry};
use crate::rig::{Case, FLASH, Ground, Options, PRO};
use crate::state::left;

fn error(code: i32) -> Fault {
    Fault::ItemError {
        member: ErrorMember::Error,
        code,
        message: "inside".into(),
    }
}

async fn stored(case: &Case, run: RunId) -> Run {
    let run = case.clean.store.run(&case.project, run).await.unwrap();
    run.unwrap()
}

/// Requests of the second model's batches, in the order they were made.
async fn requests(case: &Case) -> Vec<u64> {
    let mut batches = case.sim.batches().await;
    batches.retain(|batch| batch.model == FLASH);
    batches.sort_by_key(|batch| batch.created.clone());
    batches.into_iter().map(|batch| batch.requests).collect()
}

/// How often each item of the second model was asked for.
async fn attempts(case: &Case, run: RunId) -> Vec<u8> {
    let store = &case.clean.store;
    let entries = store.results_between(&case.project, run, 1, 0, 9_999);
    let entries = entries.await.unwrap();
    entries.into_iter().map(|e| e.outcome.attempts).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_that_failed_inside_the_provider_is_asked_for_once_more_alone() {
    let ground = Ground::start().await;
    // CANCELLED, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, INTERNAL, UNAVAILABLE.
    for code in [1, 4, 8, 13, 14] {
        let case = Case::start(&ground, Options::default()).await;
        let rule = of_model(error(code), FLASH).times(1);
        let rule = case.sim.faults().add(rule);
        let run = case.flow().await;
        assert_eq!(case.sim.faults().struck(rule), 1);
        let found = codes(&case, run).await;
        assert_eq!(
            (&found[&0], &found[&1]),
            (&vec!["-".into(); 3], &vec!["-".into(); 3])
        );
        assert_eq!(requests(&case).await, [3, 1], "code {code}: one item more");
        let mut asked = attempts(&case, run).await;
        asked.sort_unstable();
        assert_eq!(asked, [1, 1, 2]);
        let ended = stored(&case, run).await;
        assert_eq!((ended.round, ended.automatic), (2, true));
        assert_eq!(ended.models[1].asked_again, 1);
        assert!(!ended.status.is_active() && !ended.closing);
        recount(&case, run).await;
        assert!(left(&case).is_empty(), "{:?}", left(&case));
        case.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_happens_once_and_again_after_a_retry() {
    let ground = Ground::start().await;
    let case = Case::start(&ground, Options::default()).await;
    case.sim.faults().add(of_model(error(13), FLASH));
    let run = case.flow().await;
    assert_eq!(codes(&case, run).await[&1], ["provider_error"; 3]);
    assert_eq!(requests(&case).await, [3, 3], "no third time");
    let ended = stored(&case, run).await;
    assert_eq!(
        (ended.completed(), ended.failed(), ended.pending()),
        (3, 3, 0)
    );
    recount(&case, run).await;
    retry(&case, run).await;
    assert_eq!(requests(&case).await, [3, 3, 3, 3]);
    let ended = stored(&case, run).await;
    assert_eq!((ended.round, ended.asked_round()), (4, 3));
    assert_eq!((ended.failed(), ended.pending()), (3, 0));
    case.sim.faults().clear();
    // Under a key of its own: the other one's request was answered.
    let path = format!("/runs/{run}/retry");
    case.ask("api", "POST", &path, None, "once-more").await;
    case.settle().await;
    assert_eq!(codes(&case, run).await[&1], ["-"; 3]);
    recount(&case, run).await;
    case.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_failed_for_good_is_not_asked_for_and_counts() {
    let ground = Ground::start().await;
    let case = Case::start(&ground, Options::default()).await;
    let faults = case.sim.faults();
    // One is refused as invalid, another one fails inside.
    faults.add(of_model(error(3), FLASH).times(1));
    faults.add(FaultRule {
        skip: 1,
        ..of_model(error(13), FLASH).times(1)
    });
    let dataset = case.dataset().await;
    let run = case.run(&dataset, &[PRO, FLASH]).await;
    case.settle().await;
    let mut found = codes(&case, run).await.remove(&1).unwrap();
    found.sort();
    assert_eq!(found, ["-", "-", "provider_rejected"]);
    assert_eq!(requests(&case).await, [3, 1]);
    let ended = stored(&case, run).await;
    assert_eq!(
        (ended.completed(), ended.failed(), ended.pending()),
        (5, 1, 0)
    );
    recount(&case, run).await;
    // A retry asks for what failed, and for nothing else.
    retry(&case, run).await;
    assert_eq!(codes(&case, run).await[&1], ["-"; 3]);
    assert_eq!(requests(&case).await, [3, 1, 1]);
    case.end().await;
}
