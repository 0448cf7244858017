//! Every message ten times, in any order and at once.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use serde_json::json;
use stt_eval_shared::Deadline;
use stt_eval_shared::domain::result::ResultStatus;
use stt_eval_shared::domain::{RunId, Timestamp};
use stt_eval_shared::scoring::normalise::Normaliser;
use stt_eval_shared::scoring::score;
use stt_eval_shared::store::results::Entry;

use crate::draw::{Dice, setting};
use crate::rig::{Case, FLASH, Ground, Options, PRO, TEXTS, event};
use crate::state::Summary;

const TIMES: usize = 10;

/// A message, or the schedule.
#[derive(Debug, Clone, PartialEq)]
enum Delivery {
    Upload(String),
    Submission(String),
    Schedule,
}

async fn deliver(case: &Arc<Case>, delivery: Delivery) {
    let case = case.clone();
    let deadline = Deadline::after(Duration::from_secs(290));
    let delivered = tokio::spawn(async move {
        match delivery {
            Delivery::Upload(body) => {
                let _ = register::handle(event(&body), &case.clean).await;
            }
            Delivery::Submission(body) => {
                let _ = submit::handle(event(&body), &case.clean, deadline).await;
            }
            Delivery::Schedule => {
                poll::handle(json!({}), &case.clean, deadline).await;
            }
        }
    });
    delivered.await.unwrap();
}

/// All of them, each ten times, at once, in an order of the dice's.
async fn tenfold(case: &Arc<Case>, dice: &mut Dice, deliveries: &[Delivery]) {
    let mut all: Vec<Delivery> = deliveries
        .iter()
        .flat_map(|one| std::iter::repeat_n(one.clone(), TIMES))
        .collect();
    dice.shuffle(&mut all);
    join_all(all.into_iter().map(|one| deliver(case, one))).await;
}

/// Counters and sums are what the rows add up to.
pub async fn recounted(case: &Case, run: RunId) {
    let run = case
        .clean
        .store
        .run(&case.project, run)
        .await
        .unwrap()
        .unwrap();
    for (index, provider) in (0u8..).zip(&run.models) {
        let rows = case
            .clean
            .store
            .results_between(&case.project, run.id, index, 0, 9_999);
        let mut rows = rows.await.unwrap();
        let is_failed = |row: &Entry| row.outcome.status() == ResultStatus::Failed;
        // A failure of an earlier round counts no more.
        rows.retain(|row| !is_failed(row) || row.outcome.round == run.round);
        let done = rows
            .iter()
            .filter(|r| r.outcome.status() == ResultStatus::Completed)
            .count();
        assert_eq!(provider.completed as usize, done);
        assert_eq!(provider.failed as usize, rows.len() - done);
        let cost: u64 = rows.iter().map(|r| r.outcome.cost_micro_usd).sum();
        assert_eq!(provider.cost_micro_usd, cost);
        let mut sums = stt_eval_shared::scoring::CorpusSums::default();
        let normaliser = Normaliser::by_name(run.current_normalizer()).unwrap();
        for row in &rows {
            if let Some(score) = &row.outcome.score {
                sums.add(score);
            }
            if is_failed(row) {
                let reference = row.outcome.ground_truth.as_deref().unwrap();
                let missed = score(reference, "", &run.language, &normaliser, None);
                let by = row.outcome.failed_by().unwrap();
                sums.add_failure(&missed.unwrap().reference_size(), by);
            }
        }
        assert_eq!(format!("{sums:?}"), format!("{:?}", provider.sums));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_message_may_come_ten_times() {
    let ground = Ground::start().await;
    let options = Options {
        settings: vec![("MAX_UNIT_SAMPLES", "1")],
        ..Options::default()
    };
    let case = Case::start(&ground, options).await;
    let run = case.flow().await;
    let clean = Summary::of(&case, run).await;
    recounted(&case, run).await;
    case.end().await;

    // Each in a task of its own: together they are more than a stack holds.
    let clean = Arc::new(clean);
    for seed in 1..=setting("RELIABILITY_SEEDS", 1) {
        let repeated = repeated(ground.clone(), clean.clone(), seed);
        tokio::spawn(repeated).await.unwrap();
    }
}

async fn repeated(ground: Arc<Ground>, clean: Arc<Summary>, seed: u64) {
    let mut dice = Dice::new(seed);
    // Each holder has time: what is tried here is repetition, not death.
    let settings = vec![
        ("COLLECT_LEASE_SECONDS", "30"),
        ("STAGING_LEASE_SECONDS", "30"),
        ("TASK_LEASE_SECONDS", "5"),
        ("UNSEALED_SECONDS", "30"),
        // A sweep in the middle of a submission makes it begin again.
        ("UNIT_RESEND_SECONDS", "10"),
        // Several chunks of each model.
        ("MAX_UNIT_SAMPLES", "1"),
    ];
    let options = Options {
        settings,
        repeats: true,
        ..Options::default()
    };
    let case = Arc::new(Case::start(&ground, options).await);
    let mut told: Vec<Delivery> = Vec::new();
    let mut samples = Vec::new();
    for (number, text) in (1u32..).zip(TEXTS) {
        let file = case.file_unregistered(number).await;
        told.push(Delivery::Upload(case.s3_event(file).await));
        samples.push(json!({ "file_id": file.to_string(), "ground_truth": text }));
    }
    tenfold(&case, &mut dice, &told).await;
    let wanted = json!({ "name": "set", "language": "en", "samples": samples });
    let made = case
        .ask("api", "POST", "/datasets", Some(&wanted), "dataset")
        .await;
    let dataset = made["id"].as_str().unwrap();
    // The same request ten times at once makes one run.
    let wanted = json!({ "run_name": "run", "dataset_id": dataset, "providers": [PRO, FLASH] });
    let asked = (0..TIMES).map(|_| case.once("api", "POST", "/runs", Some(&wanted), "run"));
    for answer in join_all(asked).await {
        let status = answer.unwrap().status;
        assert!([202, 409].contains(&status), "{status}");
    }
    let made = case.ask("api", "POST", "/runs", Some(&wanted), "run").await;
    let run: RunId = made["id"].as_str().unwrap().parse().unwrap();
    for round in 0.. {
        assert!(round < 5_000, "stuck: {:?}", case.due().await);
        let messages = case.messages().await;
        let due = case.due().await;
        let next = due.iter().map(|(at, _)| *at).min();
        if messages.is_empty() && next.is_none() {
            break;
        }
        let early = next
            .map(|at| at.since(Timestamp::now()))
            .unwrap_or_default();
        if messages.is_empty() && !early.is_zero() {
            // Nothing is due yet.
            tokio::time::sleep(early.min(Duration::from_millis(100))).await;
            continue;
        }
        let mut now = vec![Delivery::Schedule];
        for (body, receipt) in &messages {
            now.push(Delivery::Submission(body.clone()));
            case.delete_message(receipt).await;
        }
        for delivery in &now {
            if !told.contains(delivery) {
                told.push(delivery.clone());
            }
        }
        let begun = std::time::Instant::now();
        tenfold(&case, &mut dice, &now).await;
        if std::env::var("RELIABILITY_TRACE").is_ok() {
            println!(
                "round {round}: {} messages, {due:?}: {:?}",
                messages.len(),
                begun.elapsed()
            );
        }
    }
    // And everything that was ever said once more, after all was done.
    tenfold(&case, &mut dice, &told).await;
    case.settle().await;
    let summary = Summary::of(&case, run).await;
    assert_eq!(
        clean.differences(&summary),
        Vec::<String>::new(),
        "seed {seed}"
    );
    recounted(&case, run).await;
    println!(
        "seed {seed}: {} messages, {} deliveries at least",
        told.len(),
        told.len() * 2 * TIMES
    );
    Arc::into_inner(case).unwrap().end().await;
}
