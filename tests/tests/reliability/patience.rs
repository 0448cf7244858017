//! Being refused: a full queue is waited for, refusals are bounded by time, and one
//! recording that the provider can't take in harms itself alone.

use std::sync::Arc;

use gemini_sim::{Fault, FaultRule, Route, SimConfig};
use stt_eval_shared::domain::RunId;
use stt_eval_shared::domain::unit::{Unit, UnitState};

use crate::failing::{codes, retry};
use crate::rig::{Case, FLASH, Ground, Options};
use crate::state::left;

async fn start(ground: &Arc<Ground>, settings: &[(&'static str, &'static str)]) -> Case {
    let options = Options {
        settings: settings.to_vec(),
        ..Options::default()
    };
    Case::start(ground, options).await
}

fn status(code: u16, message: &str, retry_after: Option<u32>) -> Fault {
    Fault::Status {
        code,
        message: (!message.is_empty()).then(|| message.to_owned()),
        after_commit: false,
        retry_after,
    }
}

async fn run_of_one(case: &Case) -> RunId {
    let dataset = case.dataset().await;
    let run = case.run(&dataset, &[FLASH]).await;
    case.settle().await;
    run
}

async fn unit(case: &Case, run: RunId) -> Unit {
    let mut units = case.clean.store.units_of(&case.project, run).await.unwrap();
    units.remove(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_queue_is_waited_for_however_often_and_long_it_says_so() {
    let ground = Ground::start().await;
    // More than 40 times, and with an advice of a day, which is cut down to a part
    // of what may be waited for in all.
    let settings = [
        ("REFUSAL_PAUSE_SECONDS", "0.001"),
        ("REFUSAL_WINDOW_SECONDS", "0.08"),
        ("QUEUE_WINDOW_SECONDS", "100"),
    ];
    let case = start(&ground, &settings).await;
    let full = status(429, "", Some(86_400));
    let full = FaultRule::new(full).on(Route::BatchCreate).times(45);
    let full = case.sim.faults().add(full);
    let run = run_of_one(&case).await;
    assert_eq!(case.sim.faults().struck(full), 45);
    assert_eq!(codes(&case, run).await[&0], ["-"; 3]);
    let unit = unit(&case, run).await;
    let since = (unit.refused_since, unit.queued_since);
    assert_eq!((unit.refusals, since), (0, (None, None)));
    assert_eq!(case.sim.batches().await.len(), 1);
    assert!(left(&case).is_empty(), "{:?}", left(&case));
    case.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_unit_that_is_refused_for_too_long_ends_with_the_reason() {
    let ground = Ground::start().await;
    for (route, variable, code) in [
        (
            Route::UploadStart,
            "REFUSAL_WINDOW_SECONDS",
            "provider_refused",
        ),
        (Route::BatchCreate, "QUEUE_WINDOW_SECONDS", "provider_quota"),
    ] {
        let case = start(&ground, &[(variable, "0.5")]).await;
        let full = FaultRule::new(status(429, "", Some(600))).on(route);
        case.sim.faults().add(full);
        let run = run_of_one(&case).await;
        assert_eq!(codes(&case, run).await[&0], [code; 3]);
        assert!(case.sim.batches().await.is_empty());
        case.sim.faults().clear();
        retry(&case, run).await;
        assert_eq!(codes(&case, run).await[&0], ["-"; 3], "{code}: retried");
        case.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn admission_counts_a_stopped_batch_until_its_quota_is_free() {
    let ground = Ground::start().await;
    let options = Options {
        settings: vec![("MAX_OPEN_BATCHES", "1"), ("QUOTA_HOLD_SECONDS", "3")],
        sim: Some(SimConfig {
            max_open_batches: 1,
            ..SimConfig::default()
        }),
        ..Options::default()
    };
    let case = Case::start(&ground, options).await;
    let faults = case.sim.faults();
    faults.add(FaultRule::new(Fault::QuotaFreedLate { millis: 1_500 }));
    let stuck = Fault::Stuck {
        state: "RUNNING".to_owned(),
    };
    let stuck = faults.add(FaultRule::once(stuck));
    let dataset = case.dataset().await;
    let first = case.run_named("first", &dataset, &[FLASH]).await;
    case.pump_once().await;
    case.pump_once().await;
    let open = unit(&case, first).await;
    assert!(
        matches!(open.state, UnitState::Submitted { .. }),
        "{open:?}"
    );
    let path = format!("/runs/{first}/cancel");
    case.ask("api", "POST", &path, None, "cancel").await;
    case.poll().await;
    faults.remove(stuck);
    let second = case.run_named("second", &dataset, &[FLASH]).await;
    case.settle().await;
    assert_eq!(codes(&case, second).await[&0], ["-"; 3]);
    let asked = case.sim.ledger().count(Route::BatchCreate);
    assert_eq!(asked, 2, "nothing was asked for in vain");
    case.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_recording_that_is_not_taken_in_fails_alone() {
    let ground = Ground::start().await;
    let settings = [("MAX_AUDIO_FAILURES", "3")];
    let case = start(&ground, &settings).await;
    // Two are taken; the third never is. The client asks four times for each try.
    let poison = FaultRule::new(status(500, "", None)).on(Route::UploadStart);
    let poison = case.sim.faults().add(poison.after(2).times(12));
    let run = run_of_one(&case).await;
    assert_eq!(case.sim.faults().struck(poison), 12);
    let mut found = codes(&case, run).await.remove(&0).unwrap();
    found.sort();
    assert_eq!(found, ["-", "-", "provider_refused_audio"]);
    let batches = case.sim.batches().await;
    assert_eq!((batches.len(), batches[0].requests), (1, 2));
    // It may have been a bad day.
    retry(&case, run).await;
    assert_eq!(codes(&case, run).await[&0], ["-"; 3]);
    case.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_recording_is_blamed_for_a_provider_that_takes_none() {
    let ground = Ground::start().await;
    let case = start(&ground, &[("MAX_AUDIO_FAILURES", "1")]).await;
    let down = FaultRule::new(status(500, "", None)).on(Route::UploadStart);
    case.sim.faults().add(down.times(36));
    let run = run_of_one(&case).await;
    assert_eq!(codes(&case, run).await[&0], ["-"; 3]);
    assert!(unit(&case, run).await.audio_failures.is_empty());
    case.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_refused_creation_is_about_is_told_apart() {
    let ground = Ground::start().await;
    let gone = "You do not have permission to access the File sttx or it may not exist.";
    let closed = "This model models/gemini-2.5-flash is no longer available to new users.";
    let denied = "The caller does not have permission";
    for (code, message, wanted) in [
        // The request document is sent anew.
        (403, gone, "-"),
        (404, closed, "provider_model_unavailable"),
        // A person has time to act.
        (403, denied, "-"),
        (
            400,
            "Request contains an invalid argument.",
            "provider_refused",
        ),
    ] {
        // Twice is no verdict yet.
        for (times, wanted) in [(2, "-"), (3, wanted)] {
            let case = start(&ground, &[]).await;
            let refused = FaultRule::new(status(code, message, None)).on(Route::BatchCreate);
            case.sim.faults().add(refused.times(times));
            let run = run_of_one(&case).await;
            let told = codes(&case, run).await;
            assert_eq!(told[&0], [wanted; 3], "{times} × {message}");
            assert_eq!(case.sim.batches().await.len(), usize::from(wanted == "-"));
            case.end().await;
        }
    }
}
