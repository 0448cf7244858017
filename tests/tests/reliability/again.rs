//! A batch that does not come to an end is stopped, and its items fail; where that
//! is asked for, they are submitted once more with audio that is sent anew. Nothing
//! is paid for twice that can be had once.

use std::collections::BTreeMap;
use std::sync::Arc;

use gemini_sim::{BatchView, Fault, FaultRule, Route};
use stt_eval_shared::domain::RunId;
use stt_eval_shared::domain::unit::{Unit, UnitState};

use crate::failing::{codes, end, of_model, retry};
use crate::rig::{Case, FLASH, Ground, Options, PRO};
use crate::state::{Summary, left, rows_of};

fn stuck() -> Fault {
    Fault::Stuck {
        state: "RUNNING".into(),
    }
}

async fn case(ground: &Arc<Ground>, settings: &[(&'static str, &'static str)]) -> Case {
    let mut settings = settings.to_vec();
    settings.push(("RESUBMIT_BATCHES", "true"));
    cautious(ground, settings).await
}

/// A case with the default: nothing is submitted once more.
async fn cautious(ground: &Arc<Ground>, settings: Vec<(&'static str, &'static str)>) -> Case {
    let options = Options {
        settings,
        ..Options::default()
    };
    Case::start(ground, options).await
}

/// Batches of the second model, in the order they were made.
async fn batches(case: &Case) -> Vec<BatchView> {
    let mut batches = case.sim.batches().await;
    batches.retain(|batch| batch.model == FLASH);
    batches.sort_by_key(|batch| batch.display_name.clone());
    batches
}

async fn states(case: &Case) -> Vec<(String, String)> {
    let short = |batch: BatchView| {
        let name = batch.display_name.unwrap();
        let attempt = name.rsplit('-').next().unwrap().to_owned();
        (attempt, batch.state)
    };
    batches(case).await.into_iter().map(short).collect()
}

fn two(first: &str, second: &str) -> Vec<(String, String)> {
    vec![
        ("a1".to_owned(), first.to_owned()),
        ("a2".to_owned(), second.to_owned()),
    ]
}

/// The unit of the second model.
async fn unit(case: &Case, run: RunId) -> Unit {
    let units = case.clean.store.units_of(&case.project, run).await.unwrap();
    units.into_iter().find(|u| u.key.model == 1).unwrap()
}

/// What a run counts, and what its outcomes come to.
pub async fn recount(case: &Case, run: RunId) {
    let store = &case.clean.store;
    let found = store.run(&case.project, run).await.unwrap().unwrap();
    for (index, provider) in (0u8..).zip(&found.models) {
        let entries = store.results_between(&case.project, run, index, 0, 9_999);
        let (mut counts, mut cost) = ((0, 0), 0);
        for entry in entries.await.unwrap() {
            match entry.outcome.transcription {
                Some(_) => counts.0 += 1,
                None => counts.1 += 1,
            }
            cost += entry.outcome.cost_micro_usd;
        }
        assert_eq!((provider.completed, provider.failed), counts);
        assert_eq!(provider.cost_micro_usd, cost);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_without_end_is_stopped_and_its_items_are_submitted_once_more() {
    let ground = Ground::start().await;
    let clean = case(&ground, &[]).await;
    let run = clean.flow().await;
    let wanted = Summary::of(&clean, run).await;
    clean.end().await;

    let case = case(&ground, &[("BATCH_DEADLINE_SECONDS", "1")]).await;
    case.sim.faults().add(of_model(stuck(), FLASH).times(1));
    let run = case.flow().await;
    assert_eq!(states(&case).await, two("CANCELLED", "SUCCEEDED"));
    let found = Summary::of(&case, run).await;
    assert_eq!(found.run, wanted.run, "the same in the end");
    assert_eq!(found.results, wanted.results, "the same results");
    assert_eq!(found.rows, wanted.rows);
    assert_eq!(found.objects, wanted.objects, "one raw output each");
    recount(&case, run).await;
    // Three recordings twice, and a request document for each batch.
    let uploads = case.sim.ledger().count(Route::UploadStart);
    assert_eq!(uploads, 3 + 3 + 3, "audio was sent anew");
    assert!(left(&case).is_empty(), "{:?}", left(&case));
    let unit = unit(&case, run).await;
    assert_eq!((unit.attempt, unit.state), (2, UnitState::Collected));
    let batches = batches(&case).await;
    let again = unit.resubmitted.unwrap();
    assert_eq!(again.batch, batches[0].name);
    case.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_default_a_batch_without_end_is_stopped_and_none_is_made_in_its_place() {
    let ground = Ground::start().await;
    let case = cautious(&ground, vec![("BATCH_DEADLINE_SECONDS", "1")]).await;
    case.sim.faults().add(of_model(stuck(), FLASH).times(1));
    let run = case.flow().await;
    assert_eq!(states(&case).await, [("a1".into(), "CANCELLED".into())]);
    let found = codes(&case, run).await;
    assert_eq!(found[&0], ["-"; 3]);
    assert_eq!(found[&1], ["provider_timeout"; 3]);
    recount(&case, run).await;
    assert!(left(&case).is_empty(), "{:?}", left(&case));
    // People may ask for it.
    retry(&case, run).await;
    assert_eq!(codes(&case, run).await[&1], ["-"; 3]);
    case.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_second_time_its_items_fail_with_the_reason_and_can_be_retried() {
    let ground = Ground::start().await;
    // What expired by itself fails at once.
    for (fault, batches, code) in [
        (stuck(), two("CANCELLED", "CANCELLED"), "provider_timeout"),
        (
            end("EXPIRED"),
            vec![("a1".to_owned(), "EXPIRED".to_owned())],
            "provider_expired",
        ),
    ] {
        let case = case(&ground, &[("BATCH_DEADLINE_SECONDS", "1")]).await;
        case.sim.faults().add(of_model(fault, FLASH));
        let run = case.flow().await;
        let found = codes(&case, run).await;
        assert_eq!(
            found,
            BTreeMap::from([(0, vec!["-".into(); 3]), (1, vec![code.into(); 3])])
        );
        assert_eq!(states(&case).await, batches, "{code}");
        recount(&case, run).await;
        assert!(left(&case).is_empty(), "{code}: {:?}", left(&case));
        case.sim.faults().clear();
        retry(&case, run).await;
        assert_eq!(codes(&case, run).await[&1], ["-"; 3], "{code}: retried");
        assert!(left(&case).is_empty(), "{code}: {:?}", left(&case));
        case.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn results_that_come_while_a_batch_is_stopped_are_taken() {
    let ground = Ground::start().await;
    let settings = [
        ("BATCH_DEADLINE_SECONDS", "1"),
        ("SUBMISSION_GRACE_SECONDS", "60"),
    ];
    let case = case(&ground, &settings).await;
    let faults = case.sim.faults();
    faults.add(of_model(Fault::CancelIgnored, FLASH));
    faults.add(of_model(Fault::Slow { millis: 5_000 }, FLASH));
    let run = case.flow().await;
    assert!(
        case.sim.ledger().count(Route::BatchCancel) > 0,
        "it was told to stop"
    );
    assert_eq!(states(&case).await, [("a1".into(), "SUCCEEDED".into())]);
    assert_eq!(codes(&case, run).await[&1], ["-"; 3]);
    assert_eq!(unit(&case, run).await.resubmitted, None);
    recount(&case, run).await;
    assert!(left(&case).is_empty(), "{:?}", left(&case));
    case.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn beside_a_batch_that_can_not_be_stopped_none_is_made() {
    let ground = Ground::start().await;
    let case = case(&ground, &[("BATCH_DEADLINE_SECONDS", "1")]).await;
    let faults = case.sim.faults();
    faults.add(of_model(Fault::CancelIgnored, FLASH));
    faults.add(of_model(stuck(), FLASH));
    let run = case.flow().await;
    let found = codes(&case, run).await;
    assert_eq!(
        (&found[&0], &found[&1]),
        (
            &vec!["-".into(); 3],
            &vec!["provider_timeout".to_owned(); 3]
        )
    );
    assert_eq!(states(&case).await, [("a1".into(), "RUNNING".into())]);
    recount(&case, run).await;
    case.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_that_is_behind_makes_no_duplicate_of_what_was_stopped() {
    let ground = Ground::start().await;
    let settings = [("BATCH_DEADLINE_SECONDS", "1"), ("AUDIT_SECONDS", "0")];
    let case = case(&ground, &settings).await;
    let faults = case.sim.faults();
    faults.add(of_model(stuck(), FLASH).times(1));
    // Its reply is lost: the second attempt is found by its own name, though the
    // first one is in the list as well.
    let lost = FaultRule::new(Fault::LoseReply).on(Route::BatchCreate);
    let lost = FaultRule { skip: 2, ..lost };
    let lost = faults.add(lost.times(1));
    let run = case.flow().await;
    assert_eq!(case.sim.faults().struck(lost), 1);
    assert_eq!(states(&case).await, two("CANCELLED", "SUCCEEDED"));
    assert_eq!(codes(&case, run).await[&1], ["-"; 3]);
    let all = case.sim.batches().await;
    assert_eq!(all.iter().filter(|b| b.model == PRO).count(), 1);
    recount(&case, run).await;
    case.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_that_fails_to_stop_batches_holds_up_no_run() {
    let ground = Ground::start().await;
    for asked in ["", "cancel", "delete"] {
        let case = case(&ground, &[("BATCH_DEADLINE_SECONDS", "1")]).await;
        let faults = case.sim.faults();
        let status = Fault::Status {
            code: 500,
            message: None,
            after_commit: false,
            retry_after: None,
        };
        faults.add(FaultRule::new(status).on(Route::BatchCancel));
        faults.add(of_model(stuck(), FLASH));
        let dataset = case.dataset().await;
        let run = case.run(&dataset, &[FLASH]).await;
        case.pump_once().await;
        case.pump_once().await;
        match asked {
            "cancel" => {
                let path = format!("/runs/{run}/cancel");
                case.ask("api", "POST", &path, None, asked).await;
            }
            "delete" => {
                let path = format!("/runs/{run}");
                case.ask("api", "DELETE", &path, None, asked).await;
            }
            _ => {}
        }
        case.settle().await;
        let found = case.clean.store.run(&case.project, run).await.unwrap();
        match (asked, found) {
            ("delete", found) => {
                assert!(found.is_none());
                assert!(rows_of(&case, run).await.is_empty());
            }
            ("cancel", Some(found)) => {
                assert_eq!(found.status.as_str(), "cancelled");
                assert!(!found.closing);
            }
            (_, Some(_)) => {
                let found = codes(&case, run).await;
                assert_eq!(found[&0], ["provider_timeout"; 3]);
            }
            (_, None) => panic!("{asked}: the run is gone"),
        }
        assert_eq!(
            states(&case).await.len(),
            1,
            "{asked}: none was made beside it"
        );
        case.end().await;
    }
}
