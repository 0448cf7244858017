//! When a credential's batches are asked for: never less often for being many,
//! and each by one question only.

use std::sync::Arc;
use std::time::{Duration, Instant};

use gemini_sim::{Fault, FaultRule, Route, SimConfig};
use serde_json::json;
use stt_eval_shared::domain::poll_task::PollTask;
use stt_eval_shared::domain::unit::{Unit, UnitState, WaitingReason};
use stt_eval_shared::domain::{RunId, Timestamp};
use stt_eval_tests::fault::Held;
use tokio::task::JoinHandle;

use crate::rig::{Case, FLASH, Ground, Options, PATIENCE, PRO};

const FIRST: Duration = Duration::from_secs(60);

/// A case whose batches take a day.
async fn slow(ground: &Arc<Ground>) -> Case {
    let options = Options {
        settings: vec![
            ("UNIT_BACKSTOP_SECONDS", "1800"),
            ("TASK_LEASE_SECONDS", "300"),
            ("POLL_PAUSES_SECONDS", "60,600"),
        ],
        sim: Some(SimConfig {
            batch_delay: Duration::from_secs(24 * 3_600),
            ..SimConfig::default()
        }),
        ..Options::default()
    };
    Case::start(ground, options).await
}

/// A run whose two units are at the provider.
async fn submitted(case: &Case, dataset: &str, name: &str) -> RunId {
    let models = [PRO, FLASH];
    let wanted = json!({ "run_name": name, "dataset_id": dataset, "providers": models });
    let made = case
        .ask("api runs", "POST", "/runs", Some(&wanted), name)
        .await;
    while case.pump().await > 0 {}
    made["id"].as_str().unwrap().parse().unwrap()
}

async fn task(case: &Case) -> PollTask {
    let store = &case.clean.store;
    let sealed = store.credential(&case.project, "google").await.unwrap();
    let id = sealed.unwrap().id;
    let task = store.poll_task(&case.project, "google", &id).await;
    task.unwrap().unwrap()
}

async fn change(case: &Case, change: impl FnOnce(&mut PollTask)) {
    let mut task = task(case).await;
    change(&mut task);
    task.rev += 1;
    case.clean.store.save_poll_task(&task).await.unwrap();
}

async fn units(case: &Case, run: RunId) -> Vec<Unit> {
    case.clean.store.units_of(&case.project, run).await.unwrap()
}

async fn all_due(case: &Case, run: RunId) {
    for unit in units(case, run).await {
        let due = Unit {
            due_at: Some(Timestamp::now()),
            rev: unit.rev + 1,
            ..unit
        };
        case.clean.store.save_unit(&due).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_unit_that_its_credential_asks_for_costs_no_call_of_its_own() {
    let ground = Ground::start().await;
    let case = slow(&ground).await;
    let dataset = case.dataset().await;
    let run = submitted(&case, &dataset, "run-1").await;

    change(&case, |task| task.due_at = Some(Timestamp::now())).await;
    case.poll().await;
    let asked = task(&case).await;
    assert!(asked.asked_at.is_some() && !asked.busy, "{asked:?}");

    all_due(&case, run).await;
    case.sim.reset_ledger();
    case.poll().await;
    assert_eq!(case.sim.ledger().total(), 0);
    assert_eq!(
        task(&case).await,
        asked,
        "nor does it call for another poll"
    );
    let now = Timestamp::now();
    assert!(units(&case, run).await.iter().all(|u| u.due_at > Some(now)));

    // There was no poll for long: each unit sees to itself.
    let long_ago = Timestamp::now() - Duration::from_secs(3_600);
    change(&case, |task| task.asked_at = Some(long_ago)).await;
    all_due(&case, run).await;
    case.poll().await;
    assert_eq!(case.sim.ledger().total(), 2);
    case.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn submissions_bring_a_poll_forward_and_never_put_it_off() {
    let ground = Ground::start().await;
    let case = slow(&ground).await;
    let dataset = case.dataset().await;
    submitted(&case, &dataset, "run-2").await;
    for _ in 0..2 {
        change(&case, |task| task.due_at = Some(Timestamp::now())).await;
        case.poll().await;
    }
    let quiet = task(&case).await;
    assert!(
        quiet.due_at > Some(Timestamp::now() + FIRST * 2),
        "{quiet:?}"
    );

    submitted(&case, &dataset, "run-3").await;
    let forward = task(&case).await;
    assert!(forward.due_at <= Some(Timestamp::now() + FIRST));
    assert_eq!(forward.quiet, 0);

    let soon = Timestamp::now() + FIRST / 2;
    change(&case, |task| task.due_at = Some(soon)).await;
    submitted(&case, &dataset, "run-4").await;
    assert_eq!(task(&case).await.due_at, Some(soon), "not put off");

    // Nor is it taken from an invocation that holds it.
    let held = Timestamp::now() + FIRST * 4;
    change(&case, |task| {
        task.busy = true;
        task.due_at = Some(held);
        task.quiet = 3;
    })
    .await;
    submitted(&case, &dataset, "run-5").await;
    let after = task(&case).await;
    assert_eq!(
        (after.due_at, after.busy, after.quiet),
        (Some(held), true, 0)
    );
    case.end().await;
}

/// A credential without any batch is asked for the last time, after which its
/// task is removed; that is held.
async fn until_it_is_removed(case: &Arc<Case>) -> (Arc<Held>, JoinHandle<()>) {
    let store = &case.clean.store;
    let sealed = store.credential(&case.project, "google").await.unwrap();
    let id = sealed.unwrap().id;
    let now = Timestamp::now();
    let watch = case.clean.config.bounds.watch;
    store
        .watch(&case.project, "google", &id, now, watch)
        .await
        .unwrap();
    let held = case
        .injector
        .hold(|site| site.handler == "poll" && site.call == "dynamodb TransactWriteItems units");
    let polls = tokio::spawn({
        let case = case.clone();
        async move {
            // Three times, and not before it is watched no more.
            for _ in 0..3 {
                change(&case, |task| task.due_at = Some(Timestamp::now())).await;
                tokio::time::sleep(watch).await;
                case.poll().await;
            }
        }
    });
    held.reached().await;
    (held, polls)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_submission_during_the_last_look_is_polled_soon() {
    let ground = Ground::start().await;
    for submits in [false, true] {
        let case = Arc::new(slow(&ground).await);
        let dataset = case.dataset().await;
        let (held, polls) = until_it_is_removed(&case).await;
        if submits {
            submitted(&case, &dataset, "meanwhile").await;
            assert!(task(&case).await.busy, "its holder sees to it");
        }
        held.release();
        polls.await.unwrap();
        let store = &case.clean.store;
        let sealed = store.credential(&case.project, "google").await.unwrap();
        let id = sealed.unwrap().id;
        let left = store.poll_task(&case.project, "google", &id).await.unwrap();
        assert_eq!(left.is_some(), submits);
        if let Some(task) = left {
            assert!(!task.busy && task.quiet == 0, "{task:?}");
            // Not only when the claim of its holder has run out.
            assert!(
                task.due_at <= Some(Timestamp::now() + FIRST * 2),
                "{task:?}"
            );
            assert!(task.watch_until.is_some());
        }
        Arc::into_inner(case).unwrap().end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn batches_are_asked_for_by_name_when_they_can_not_be_listed() {
    let ground = Ground::start().await;
    let options = Options {
        settings: vec![("MAX_UNIT_SAMPLES", "1"), ("UNIT_BACKSTOP_SECONDS", "1800")],
        ..Options::default()
    };
    let case = Case::start(&ground, options).await;
    let html = Fault::Html {
        after_commit: false,
    };
    case.sim
        .faults()
        .add(FaultRule::new(html).on(Route::BatchList));
    let run = case.flow().await;
    let codes = crate::failing::codes(&case, run).await;
    assert!(
        codes.values().flatten().all(|code| code == "-"),
        "{codes:?}"
    );
    assert!(case.sim.ledger().count(Route::BatchGet) >= 6);
    case.end().await;
}

/// Many batches are asked for by one list: when that is refused, it is of all of them, and so
/// it is when it is answered again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_is_refused_for_a_list_is_told_of_every_batch_in_it() {
    let ground = Ground::start().await;
    let options = Options {
        settings: vec![("MAX_UNIT_SAMPLES", "1"), ("UNIT_BACKSTOP_SECONDS", "1800")],
        sim: Some(SimConfig {
            batch_delay: Duration::from_secs(24 * 3_600),
            ..SimConfig::default()
        }),
        ..Options::default()
    };
    let case = Case::start(&ground, options).await;
    let refused = Fault::Status {
        code: 401,
        message: None,
        after_commit: false,
        retry_after: None,
    };
    case.sim
        .faults()
        .add(FaultRule::new(refused).on(Route::BatchList).times(2));
    let dataset = case.dataset().await;
    let run = submitted(&case, &dataset, "many").await;
    let told = async |wanted: Option<WaitingReason>| {
        let begun = Instant::now();
        loop {
            case.poll().await;
            let all = units(&case, run).await;
            assert_eq!(all.len(), 6);
            let is_sent = |unit: &Unit| matches!(unit.state, UnitState::Submitted { .. });
            assert!(all.iter().all(is_sent), "{all:?}");
            if all.iter().all(|unit| unit.waiting_reason == wanted) {
                let blocked = all.iter().map(|unit| unit.blocked.is_some());
                assert!(blocked.into_iter().all(|is| is == wanted.is_some()));
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{all:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    told(Some(WaitingReason::ProviderKeyRefused)).await;
    assert!(task(&case).await.refused);
    told(None).await;
    assert!(!task(&case).await.refused);
    case.end().await;
}
