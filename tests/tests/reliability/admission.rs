//! Admission at the provider: what is there stays under its limits, the units that waited
//! longest come in first, and no project holds up another one.

use std::time::Duration;

use gemini_sim::{Fault, FaultRule, Route, SimConfig};
use stt_eval_shared::domain::RunId;
use stt_eval_tests::audio::wav;
use stt_eval_tests::fault::{Kind, Site};

use crate::failing::{codes, of_model};
use crate::rig::{Case, FLASH, Ground, Options, PRO};
use crate::state::left;

/// A unit for each sample, and pauses of a moment.
const SMALL: [(&str, &str); 2] = [
    ("MAX_UNIT_SAMPLES", "1"),
    ("ADMISSION_PAUSE_SECONDS", "0.05"),
];

async fn finished(case: &Case, run: RunId, items: usize) {
    for (model, codes) in codes(case, run).await {
        assert_eq!(codes, vec!["-"; items], "model {model}");
    }
}

async fn refusals(case: &Case, run: RunId) -> u32 {
    let units = case.clean.store.units_of(&case.project, run).await.unwrap();
    units.iter().map(|unit| unit.refusals).sum()
}

/// The units of the batches, in the order in which they were made.
async fn order(case: &Case) -> Vec<String> {
    let batches = case.sim.batches().await;
    let names = batches.into_iter().filter_map(|batch| batch.display_name);
    names
        .map(|name| name.rsplit("-p").next().unwrap_or_default().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_larger_than_the_providers_storage_completes_by_waiting() {
    let ground = Ground::start().await;
    let size = wav(11, 2.0).len() as u64;
    let limit = (size * 5 / 2).to_string().leak();
    let mut settings = SMALL.to_vec();
    settings.push(("MAX_STORED_BYTES", limit));
    let options = Options {
        settings,
        sim: Some(SimConfig {
            batch_delay: Duration::from_millis(1),
            // Two recordings, and a little for request documents and outputs.
            max_stored_bytes: size * 5 / 2 + 20_000,
            ..SimConfig::default()
        }),
        ..Options::default()
    };
    let case = Case::start(&ground, options).await;
    let dataset = case.dataset_of(11..19, 2.0).await;
    let run = case.run(&dataset, &[PRO, FLASH]).await;
    case.settle().await;
    finished(&case, run, 8).await;
    assert_eq!(refusals(&case, run).await, 0, "nothing was sent in vain");
    // 16 request documents, and each recording once for both models; now and then
    // one has to give way before the second model had it, and is sent again.
    let recordings = case.sim.ledger().count(Route::UploadStart) - 16;
    assert!((8..12).contains(&recordings), "{recordings} sent");
    assert!(left(&case).is_empty(), "{:?}", left(&case));
    case.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_unit_larger_than_the_storage_comes_in_alone_and_not_never() {
    let ground = Ground::start().await;
    let mut settings = SMALL.to_vec();
    settings.push(("MAX_STORED_BYTES", "1000"));
    settings.push(("MAX_QUEUED_TOKENS", "300"));
    let options = Options {
        settings,
        ..Options::default()
    };
    let case = Case::start(&ground, options).await;
    let dataset = case.dataset_of(11..15, 1.0).await;
    let run = case.run(&dataset, &[PRO, FLASH]).await;
    case.settle().await;
    finished(&case, run, 4).await;
    case.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn units_come_in_in_the_order_in_which_they_became_ready() {
    let ground = Ground::start().await;
    let mut settings = SMALL.to_vec();
    settings.push(("MAX_OPEN_BATCHES", "1"));
    let options = Options {
        settings,
        ..Options::default()
    };
    let case = Case::start(&ground, options).await;
    let dataset = case.dataset_of(11..17, 0.1).await;
    let first = case.run_named("first", &dataset, &[PRO, FLASH]).await;
    case.pump_once().await;
    let second = case.run_named("second", &dataset, &[PRO]).await;
    case.settle().await;
    finished(&case, first, 6).await;
    assert_eq!(codes(&case, second).await[&0], ["-"; 6]);
    let order = order(&case).await;
    let places: Vec<&str> = order[..12].iter().map(|unit| &unit[7..12]).collect();
    let mut sorted = places.clone();
    sorted.sort_unstable();
    assert_eq!(places, sorted, "by chunk across models: {order:?}");
    // Its models shared what was sent; the second run came too late for most.
    let sent = case.sim.ledger().count(Route::UploadStart);
    assert!((6 + 18..=6 + 18 + 6).contains(&sent), "{sent}");
    case.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_of_many_units_does_not_hold_up_another_project() {
    let ground = Ground::start().await;
    let options = Options {
        settings: SMALL.to_vec(),
        ..Options::default()
    };
    let mut case = Case::start(&ground, options).await;
    let dataset = case.dataset_of(100..170, 0.1).await;
    case.run(&dataset, &[PRO, FLASH]).await;
    case.pump_once().await;
    case.become_another().await;
    let dataset = case.dataset().await;
    case.run(&dataset, &[PRO]).await;
    let mine = format!("/{}/", case.project);
    let mut handled = 0;
    'submitted: loop {
        for (body, receipt) in case.messages().await {
            assert!(case.submit(&body).await);
            case.delete_message(&receipt).await;
            handled += 1;
            let batches = case.sim.batches().await;
            let mut names = batches
                .iter()
                .filter_map(|batch| batch.display_name.as_ref());
            if names.any(|name| name.contains(&mine)) {
                break 'submitted;
            }
        }
    }
    println!("{handled} messages until the other project's first batch");
    assert!(handled <= 70, "{handled} of 140 and more");
    case.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn audio_that_is_being_deleted_is_not_used_by_the_next_run() {
    let ground = Ground::start().await;
    for ordinal in 1..=3 {
        let options = Options {
            sim: Some(SimConfig {
                batch_delay: Duration::from_millis(200),
                ..SimConfig::default()
            }),
            ..Options::default()
        };
        let case = Case::start(&ground, options).await;
        let dataset = case.dataset().await;
        let first = case.run(&dataset, &[PRO, FLASH]).await;
        // No use of the file may begin any more; then the deletion breaks off.
        let site = Site {
            handler: "poll",
            call: "dynamodb PutItem files".into(),
            ordinal,
        };
        case.injector.arm(site, Kind::Crash);
        while !case.injector.struck() {
            case.pump().await;
            case.poll().await;
        }
        let second = case.run_named("second", &dataset, &[PRO, FLASH]).await;
        case.pump_once().await;
        case.pump_once().await;
        case.settle().await;
        finished(&case, first, 3).await;
        finished(&case, second, 3).await;
        assert!(left(&case).is_empty(), "{:?}", left(&case));
        case.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn audio_whose_deletion_fails_is_deleted_later() {
    let ground = Ground::start().await;
    let case = Case::start(&ground, Options::default()).await;
    let fault = Fault::Status {
        code: 503,
        message: None,
        after_commit: false,
        retry_after: None,
    };
    let rule = FaultRule::new(fault).on(Route::FileDelete).times(40);
    let id = case.sim.faults().add(rule);
    let run = case.flow().await;
    finished(&case, run, 3).await;
    assert_eq!(case.sim.faults().struck(id), 40);
    let speech = left(&case)
        .into_iter()
        .filter(|file| file.contains("audio"));
    assert_eq!(speech.count(), 0);
    case.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_model_that_is_refused_does_not_hold_the_places_of_others() {
    let ground = Ground::start().await;
    let mut settings = SMALL.to_vec();
    settings.push(("MAX_OPEN_BATCHES", "1"));
    settings.push(("REFUSAL_PAUSE_SECONDS", "0.3"));
    let options = Options {
        settings,
        ..Options::default()
    };
    let case = Case::start(&ground, options).await;
    let quota = Fault::Status {
        code: 429,
        message: None,
        after_commit: false,
        retry_after: Some(0),
    };
    let quota = of_model(quota, FLASH).on(Route::BatchCreate);
    let quota = case.sim.faults().add(quota);
    let dataset = case.dataset_of(11..14, 0.1).await;
    let refused = case.run_named("refused", &dataset, &[FLASH]).await;
    while case.sim.faults().struck(quota) == 0 {
        case.pump().await;
    }
    let other = case.run_named("other", &dataset, &[PRO]).await;
    let begun = std::time::Instant::now();
    let status = async |run| {
        let run = case.clean.store.run(&case.project, run).await.unwrap();
        run.unwrap().status
    };
    while status(other).await.is_active() {
        case.pump().await;
        case.poll().await;
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "it never has its turn"
        );
    }
    assert!(status(refused).await.is_active());
    case.sim.faults().remove(quota);
    case.settle().await;
    for run in [refused, other] {
        assert_eq!(codes(&case, run).await[&0], ["-"; 3]);
    }
    assert!(left(&case).is_empty(), "{:?}", left(&case));
    case.end().await;
}
