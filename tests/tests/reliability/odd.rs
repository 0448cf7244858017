//! Single odd answers of the provider: it denies what it has, refuses what it took,
//! leaves out what it knows, sends a page in place of data. None of them is a
//! verdict. What was paid for is collected, whatever was said of it in between, and
//! nothing that has not landed is deleted.

use std::sync::Arc;
use std::time::{Duration, Instant};

use gemini_sim::{Fault, FaultRule, Route};
use stt_eval_shared::cloudwatch::DUPLICATE_BATCHES;
use stt_eval_shared::domain::RunId;
use stt_eval_shared::domain::run::RunStatus;
use stt_eval_shared::domain::unit::UnitState;

use crate::draw::{Dice, setting};
use crate::failing::{codes, of_model};
use crate::leftovers::{case, counted, planned, unit};
use crate::rig::{Case, FLASH, Ground, PRO};
use crate::state::{kept, left};

fn status(code: u16) -> Fault {
    Fault::Status {
        code,
        message: None,
        after_commit: false,
        retry_after: None,
    }
}

/// Calls of which a single odd answer is no verdict.
const ROUTES: [Route; 7] = [
    Route::BatchGet,
    Route::BatchList,
    Route::BatchDelete,
    Route::BatchCancel,
    Route::FileList,
    Route::FileDelete,
    Route::FileDownload,
];

/// One odd answer, somewhere.
fn odd(dice: &mut Dice) -> FaultRule {
    let page = Fault::Html {
        after_commit: false,
    };
    let lists = 1 + u32::try_from(dice.below(4)).unwrap();
    let at_a_call = match dice.below(7) {
        0 => status(400),
        1 => status(403),
        2 | 3 => status(404),
        4 => page,
        5 => return FaultRule::new(Fault::BareList { lists: Some(lists) }),
        _ => return FaultRule::new(Fault::FileLate { millis: 400 }),
    };
    let route = ROUTES[usize::try_from(dice.below(7)).unwrap()];
    let skip = u32::try_from(dice.below(8)).unwrap();
    FaultRule::once(at_a_call).on(route).after(skip)
}

/// What has happened to a run of six batches, each of a sample of its own.
async fn whole(ground: Arc<Ground>, rules: Vec<FaultRule>) -> Vec<String> {
    // What is oddly answered when it is deleted is deleted by the next audit, if it
    // comes in time.
    let settings = [("MAX_UNIT_SAMPLES", "1"), ("WATCH_SECONDS", "10")];
    let case = case(&ground, &settings).await;
    let told = format!("{rules:?}");
    for rule in rules {
        case.sim.faults().add(rule);
    }
    let run = case.flow().await;
    let mut wrong = Vec::new();
    let found = codes(&case, run).await;
    if found.values().flatten().any(|code| code != "-") {
        wrong.push(format!("{found:?}"));
    }
    let made = case.sim.batches().await.len();
    if made != 6 {
        wrong.push(format!("{made} batches were made"));
    }
    let doubled = counted(run, DUPLICATE_BATCHES);
    if doubled > 0 {
        wrong.push(format!("{doubled} were told as paid for twice"));
    }
    wrong.extend(left(&case));
    wrong.extend(kept(&case).await);
    case.end().await;
    wrong
        .iter()
        .map(|wrong| format!("{told}: {wrong}"))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_answered_oddly_everything_that_was_paid_for_is_collected() {
    let (seed, count) = (
        setting("RELIABILITY_SEED", 1),
        setting("RELIABILITY_ODD", 24),
    );
    let ground = Ground::start().await;
    let mut dice = Dice::new(seed);
    let mut wrong = Vec::new();
    let drawn: Vec<Vec<FaultRule>> = (0..count)
        .map(|_| (0..1 + dice.below(4)).map(|_| odd(&mut dice)).collect())
        .collect();
    for some in drawn.chunks(6) {
        let cases = some
            .iter()
            .map(|rules| whole(ground.clone(), rules.clone()));
        wrong.extend(futures::future::join_all(cases).await.concat());
    }
    assert!(wrong.is_empty(), "seed {seed}: {wrong:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_that_never_shows_outputs_gives_nothing_up() {
    let ground = Ground::start().await;
    let wrong = whole(
        ground,
        vec![FaultRule::new(Fault::BareList { lists: None })],
    )
    .await;
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_answer_that_there_is_no_batch_or_no_output_ends_nothing() {
    let ground = Ground::start().await;
    for (code, route) in [
        (404, Route::BatchGet),
        (403, Route::FileDownload),
        (404, Route::FileDownload),
    ] {
        let case = case(&ground, &[]).await;
        // Both paths of a download.
        let odd = FaultRule::new(status(code)).on(route).times(2);
        let odd = case.sim.faults().add(odd);
        let run = planned(&case).await;
        case.settle().await;
        assert_eq!(case.sim.faults().struck(odd), 2, "{code} {route}");
        assert_eq!(codes(&case, run).await[&0], ["-"; 3], "{code} {route}");
        assert_eq!(case.sim.ledger().count(Route::BatchCancel), 0);
        case.end().await;
    }
}

async fn status_of(case: &Case, run: RunId) -> RunStatus {
    let run = case.clean.store.run(&case.project, run).await;
    run.unwrap().unwrap().status
}

/// Polls until the only unit of a run is done.
async fn until_done(case: &Case, run: RunId) {
    let begun = Instant::now();
    while !unit(case, run).await.is_done() {
        case.poll().await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(begun.elapsed() < Duration::from_secs(60), "it does not end");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_that_is_alive_after_it_was_taken_for_lost_is_collected() {
    let ground = Ground::start().await;
    let settings = [("AUDIT_SECONDS", "0.2"), ("WATCH_SECONDS", "10")];
    for running in [false, true] {
        let case = case(&ground, &settings).await;
        let faults = case.sim.faults();
        if running {
            let state = "RUNNING".to_owned();
            faults.add(FaultRule::new(Fault::Stuck { state }));
        }
        // No list shows it either.
        let (lists, millis) = (u32::MAX, 0);
        faults.add(FaultRule::new(Fault::StaleList { lists, millis }));
        faults.add(FaultRule::new(status(404)).on(Route::BatchGet));
        let run = planned(&case).await;
        case.pump_once().await;
        until_done(&case, run).await;
        assert!(case.sim.ledger().count(Route::BatchGet) >= 3, "{running}");
        assert_eq!(codes(&case, run).await[&0], ["provider_lost"; 3]);
        assert_eq!(status_of(&case, run).await, RunStatus::Failed);

        faults.clear();
        case.settle().await;
        assert_eq!(codes(&case, run).await[&0], ["-"; 3], "running: {running}");
        assert_eq!(status_of(&case, run).await, RunStatus::Completed);
        assert_eq!(case.sim.ledger().count(Route::BatchCancel), 0);
        assert_eq!(case.sim.batches().await.len(), 1);
        assert_eq!(counted(run, DUPLICATE_BATCHES), 0);
        assert!(kept(&case).await.is_empty() && left(&case).is_empty());
        case.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_output_that_comes_after_its_batch_was_given_up_is_collected() {
    let ground = Ground::start().await;
    let settings = [("AUDIT_SECONDS", "0.2"), ("WATCH_SECONDS", "10")];
    let case = case(&ground, &settings).await;
    let late = Fault::OutputLate { polls: u32::MAX };
    case.sim.faults().add(of_model(late, FLASH));
    let run = planned(&case).await;
    case.pump_once().await;
    until_done(&case, run).await;
    assert_eq!(codes(&case, run).await[&0], ["provider_no_output"; 3]);
    case.sim.faults().clear();
    case.settle().await;
    assert_eq!(codes(&case, run).await[&0], ["-"; 3]);
    assert!(kept(&case).await.is_empty() && left(&case).is_empty());
    case.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_once_came_in_place_of_an_output_is_not_taken_for_it_later() {
    let ground = Ground::start().await;
    let settings = [
        ("AUDIT_SECONDS", "0.2"),
        ("WATCH_SECONDS", "10"),
        ("BATCH_DEADLINE_SECONDS", "2.5"),
    ];
    let case = case(&ground, &settings).await;
    let faults = case.sim.faults();
    faults.add(FaultRule::once(status(200)).on(Route::FileDownload));
    faults.add(FaultRule::new(status(404)).on(Route::FileDownload));
    let run = planned(&case).await;
    case.pump_once().await;
    until_done(&case, run).await;
    // Given up, for it can't be downloaded; but not deleted.
    assert_eq!(codes(&case, run).await[&0], ["provider_lost"; 3]);
    assert_eq!(case.sim.ledger().count(Route::BatchDelete), 0);
    faults.clear();
    case.settle().await;
    assert_eq!(codes(&case, run).await[&0], ["-"; 3]);
    assert!(kept(&case).await.is_empty() && left(&case).is_empty());
    case.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_that_was_not_found_while_it_was_looked_for_is_collected_when_it_turns_up() {
    let ground = Ground::start().await;
    let settings = [
        ("AUDIT_SECONDS", "0.2"),
        ("WATCH_SECONDS", "10"),
        ("BATCH_DEADLINE_SECONDS", "2.5"),
    ];
    let case = case(&ground, &settings).await;
    let faults = case.sim.faults();
    faults.add(FaultRule::once(Fault::LoseReply).on(Route::BatchCreate));
    faults.add(FaultRule::new(status(500)).on(Route::BatchList));
    let run = planned(&case).await;
    case.pump_once().await;
    until_done(&case, run).await;
    assert_eq!(codes(&case, run).await[&0], ["submission_unknown"; 3]);
    faults.clear();
    case.settle().await;
    assert_eq!(codes(&case, run).await[&0], ["-"; 3]);
    assert_eq!(unit(&case, run).await.state, UnitState::Collected);
    assert_eq!(counted(run, DUPLICATE_BATCHES), 0);
    assert_eq!(case.sim.batches().await.len(), 1);
    case.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_deleted_run_leaves_behind_was_not_paid_for_twice() {
    let ground = Ground::start().await;
    let settings = [("AUDIT_SECONDS", "0.1"), ("WATCH_SECONDS", "2")];
    let case = case(&ground, &settings).await;
    let refused = FaultRule::new(status(400)).on(Route::BatchDelete);
    case.sim.faults().add(refused);
    let dataset = case.dataset().await;
    let run = case.run(&dataset, &[PRO, FLASH]).await;
    case.settle().await;
    assert_eq!(kept(&case).await.len(), 2);
    let path = format!("/runs/{run}");
    case.ask("api", "DELETE", &path, None, "delete").await;
    // Another run, so that the credential is looked at again.
    let again = case.run_named("again", &dataset, &[PRO]).await;
    case.settle().await;
    assert_eq!(codes(&case, again).await[&0], ["-"; 3]);
    assert_eq!(kept(&case).await.len(), 3);
    assert_eq!(counted(run, DUPLICATE_BATCHES), 0);
    assert_eq!(counted(again, DUPLICATE_BATCHES), 0);
    case.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_that_was_not_recorded_is_counted_once_however_long_it_stays() {
    let ground = Ground::start().await;
    let settings = [("AUDIT_SECONDS", "0.1"), ("WATCH_SECONDS", "4")];
    let case = case(&ground, &settings).await;
    // It is taken long after it was given up, and can't be deleted then.
    let late = Fault::LateAcceptance { millis: 3_000 };
    case.sim.faults().add(FaultRule::once(late));
    let refused = FaultRule::new(status(400)).on(Route::BatchDelete);
    case.sim.faults().add(refused.display_name("-a1"));
    let run = planned(&case).await;
    case.settle().await;
    let asked = case.sim.ledger().entries.into_iter();
    let asked =
        asked.filter(|entry| entry.route == Route::BatchDelete && entry.status == Some(400));
    assert!(asked.count() > 1, "it was looked at several times");
    assert_eq!(counted(run, DUPLICATE_BATCHES), 1);
    assert_eq!(codes(&case, run).await[&0], ["-"; 3]);
    case.end().await;
}
