//! What is at the provider in vain: batches that are paid for twice are
//! seen and stopped, and whatever a run has left there goes, whether deleting it
//! fails at first or it was never recorded.

use std::io::Write;
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::time::{Duration, Instant};

use gemini_sim::{BatchView, Fault, FaultRule, Route};
use secrecy::SecretString;
use serde_json::Value;
use stt_eval_shared::cloudwatch::{DUPLICATE_BATCHES, UNKNOWN_KEYS};
use stt_eval_shared::domain::unit::{Unit, UnitState};
use stt_eval_shared::domain::{RunId, Timestamp};
use stt_eval_shared::emf::{self, Metric};
use stt_eval_shared::objects::run_prefix;
use stt_eval_shared::providers::{Credential, StagedInput};
use stt_eval_tests::fault::{Kind, Site};

use crate::failing::{codes, of_model};
use crate::rig::{Case, FLASH, Ground, Options, PRO};
use crate::state::{kept, left};

static METRICS: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Sink;

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let mut all = METRICS.lock().unwrap_or_else(PoisonError::into_inner);
        all.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

pub async fn case(ground: &Arc<Ground>, settings: &[(&'static str, &'static str)]) -> Case {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| emf::enable("case", Box::new(Sink)));
    let options = Options {
        settings: settings.to_vec(),
        ..Options::default()
    };
    Case::start(ground, options).await
}

/// What a metric comes to for a run.
pub fn counted(run: RunId, metric: Metric) -> u64 {
    let all = METRICS.lock().unwrap().clone();
    let lines = String::from_utf8(all).unwrap();
    let lines = lines.lines().map(|l| serde_json::from_str(l).unwrap());
    lines
        .filter(|line: &Value| line["run_id"] == run.to_string())
        .filter_map(|line| line[metric.name].as_u64())
        .sum()
}

async fn nothing_is_left(case: &Case, what: &str) {
    let (files, batches) = (left(case), kept(case).await);
    assert!(files.is_empty(), "{what}: {files:?}");
    assert!(batches.is_empty(), "{what}: {batches:?}");
}

/// The only unit.
pub async fn unit(case: &Case, run: RunId) -> Unit {
    let mut units = case.clean.store.units_of(&case.project, run).await.unwrap();
    assert_eq!(units.len(), 1);
    units.remove(0)
}

/// A run of one unit, whose message waits.
pub async fn planned(case: &Case) -> RunId {
    let dataset = case.dataset().await;
    let run = case.run(&dataset, &[FLASH]).await;
    case.pump_once().await;
    run
}

async fn cancel(case: &Case, run: RunId) {
    let path = format!("/runs/{run}/cancel");
    case.ask("api", "POST", &path, None, "cancel").await;
}

fn lost() -> FaultRule {
    FaultRule::once(Fault::LoseReply).on(Route::BatchCreate)
}

fn refused(route: Route) -> FaultRule {
    let status = Fault::Status {
        code: 503,
        message: None,
        after_commit: false,
        retry_after: None,
    };
    // As often as the client asks, so that it gives up once.
    FaultRule::new(status).on(route).times(4)
}

async fn new_key(case: &Case, secret: &str) {
    let vault = case.clean.vault.as_ref().unwrap();
    let now = Timestamp::now();
    let secret = SecretString::from(secret);
    let sealed = vault.seal(&case.project, "google", &secret, now, now);
    let sealed = sealed.await.unwrap();
    let store = &case.clean.store;
    store.save_credential(&case.project, &sealed).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_survives_a_key_of_another_account_and_is_collected_when_the_own_one_is_back() {
    let ground = Ground::start().await;
    for ended in [false, true] {
        let case = case(&ground, &[]).await;
        let slow = Fault::Slow { millis: 1_500 };
        let slow = case.sim.faults().add(FaultRule::new(slow));
        if ended {
            case.sim.faults().remove(slow);
        }
        let run = planned(&case).await;
        case.pump_once().await;
        new_key(&case, "simulated-key-of-another-account").await;
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_millis(1_000) {
            case.poll().await;
        }
        let waiting = unit(&case, run).await;
        assert!(
            matches!(waiting.state, UnitState::Submitted { .. }),
            "{ended}: {waiting:?}"
        );
        new_key(&case, &format!("simulated-key-of-{}", case.project)).await;
        case.settle().await;
        assert_eq!(case.sim.batches().await.len(), 1, "none was made again");
        assert_eq!(codes(&case, run).await[&0], ["-"; 3]);
        assert_eq!(counted(run, DUPLICATE_BATCHES), 0);
        nothing_is_left(&case, "the own key is back").await;
        case.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_of_another_account_is_no_proof_that_there_is_no_batch() {
    let ground = Ground::start().await;
    let case = case(&ground, &[]).await;
    case.sim.faults().add(lost());
    let run = planned(&case).await;
    case.pump_once().await;
    let claimed = unit(&case, run).await;
    assert!(matches!(claimed.state, UnitState::Creating { .. }));

    new_key(&case, "simulated-key-of-another-account").await;
    case.settle().await;

    assert_eq!(case.sim.batches().await.len(), 1, "none was made again");
    assert_eq!(codes(&case, run).await[&0], ["submission_unknown"; 3]);
    assert_eq!(unit(&case, run).await.state, UnitState::Quarantined);
    case.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_that_is_accepted_after_it_was_given_up_is_found_and_goes() {
    let ground = Ground::start().await;
    for running in [false, true] {
        let settings = [("AUDIT_SECONDS", "0.2"), ("WATCH_SECONDS", "8")];
        let case = case(&ground, &settings).await;
        // Beyond the grace.
        let late = Fault::LateAcceptance { millis: 3_000 };
        case.sim.faults().add(FaultRule::once(late));
        if running {
            let state = "RUNNING".to_owned();
            let stuck = FaultRule::once(Fault::Stuck { state });
            case.sim.faults().add(stuck.display_name("-a1"));
        }
        let run = planned(&case).await;
        case.pump_once().await;
        // It is looked for, not found, and another one is to be made.
        while !matches!(unit(&case, run).await.state, UnitState::Ready { .. }) {
            case.poll().await;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(counted(run, DUPLICATE_BATCHES), 0);
        // Now it comes into being, while its request document is still there.
        let wanted = if running { "RUNNING" } else { "SUCCEEDED" };
        let begun = Instant::now();
        while case.sim.batches().await[0].state != wanted
            || begun.elapsed() < Duration::from_millis(1_500)
        {
            tokio::time::sleep(Duration::from_millis(20)).await;
            assert!(begun.elapsed() < Duration::from_secs(20));
        }
        case.settle().await;

        let name = |b: &BatchView| b.display_name.clone().unwrap();
        let ended: Vec<_> = case.sim.batches().await;
        let ended: Vec<(bool, &str)> = ended
            .iter()
            .map(|b| (name(b).ends_with("-a1"), &*b.state))
            .collect();
        let first = if running { "CANCELLED" } else { "SUCCEEDED" };
        assert_eq!(ended, [(true, first), (false, "SUCCEEDED")]);
        assert_eq!(counted(run, DUPLICATE_BATCHES), 1, "running: {running}");
        assert_eq!(codes(&case, run).await[&0], ["-"; 3]);
        let unit = unit(&case, run).await;
        assert_eq!((unit.attempt, unit.state), (2, UnitState::Collected));
        assert!(unit.batches.is_empty());
        nothing_is_left(&case, wanted).await;
        case.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_several_batches_one_counts_and_nothing_stays_of_the_others() {
    let ground = Ground::start().await;
    let case = case(&ground, &[]).await;
    case.sim.faults().add(lost());
    let run = planned(&case).await;
    case.pump_once().await;
    // A proxy sent the request twice.
    let claimed = unit(&case, run).await;
    let input = StagedInput {
        name: claimed.batch_input.clone().unwrap(),
        uri: String::new(),
        mime_type: String::new(),
        expires_at: Timestamp::now().into(),
    };
    let credential = Credential {
        id: claimed.credential.clone().unwrap(),
        secret: format!("simulated-key-of-{}", case.project).into(),
    };
    let name = claimed.batch_name.clone().unwrap();
    let client = case.gemini();
    let second = client.create(&credential, FLASH, &input.name, &name);
    second.await.unwrap();
    case.settle().await;

    assert_eq!(case.sim.batches().await.len(), 2);
    assert_eq!(codes(&case, run).await[&0], ["-"; 3]);
    assert_eq!(counted(run, DUPLICATE_BATCHES), 1);
    nothing_is_left(&case, "two batches").await;
    case.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_document_that_no_batch_is_made_of_goes() {
    let ground = Ground::start().await;
    for refusal in [true, false] {
        let case = case(&ground, &[]).await;
        if refusal {
            // Longer than the client waits by itself.
            let quota = Fault::Status {
                code: 429,
                message: None,
                after_commit: false,
                retry_after: Some(600),
            };
            let quota = FaultRule::once(quota).on(Route::BatchCreate);
            case.sim.faults().add(quota);
        } else {
            // The claim fails.
            let site = Site {
                handler: "submit",
                call: "dynamodb TransactWriteItems units+runs".into(),
                ordinal: 1,
            };
            case.injector.arm(site, Kind::Before);
        }
        let run = planned(&case).await;
        case.pump_once().await;
        case.purge().await;
        let ready = unit(&case, run).await;
        assert!(
            matches!(ready.state, UnitState::Ready { .. }),
            "{refusal}: {ready:?}, {:?}",
            case.injector.log()
        );
        assert_eq!(ready.batch_input.is_some(), refusal);
        let documents = left(&case).into_iter().filter(|f| f.contains("json"));
        assert_eq!(documents.count(), 1);
        cancel(&case, run).await;
        case.settle().await;
        assert!(case.sim.batches().await.is_empty());
        let documents = left(&case).into_iter().filter(|f| f.contains("json"));
        assert_eq!(documents.count(), 0, "refused: {refusal}");
        case.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_can_not_be_deleted_at_first_is_deleted_later() {
    let ground = Ground::start().await;
    let document = refused(Route::FileDelete).display_name("-a1");
    let output = FaultRule {
        resource: Some("files/batch-".into()),
        ..refused(Route::FileDelete)
    };
    for (what, rule) in [
        ("document", document),
        ("output", output),
        ("batch", refused(Route::BatchDelete)),
    ] {
        let case = case(&ground, &[]).await;
        let rule = case.sim.faults().add(rule);
        let run = planned(&case).await;
        case.settle().await;
        assert_eq!(case.sim.faults().struck(rule), 4, "{what}");
        assert_eq!(codes(&case, run).await[&0], ["-"; 3], "{what}");
        assert_eq!(counted(run, DUPLICATE_BATCHES), 0, "{what}");
        nothing_is_left(&case, what).await;
        case.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_costs_one_call_more_to_forget_and_odd_keys_are_counted() {
    let ground = Ground::start().await;
    let case = case(&ground, &[]).await;
    let key = "nobody's".to_owned();
    let odd = of_model(Fault::ItemUnknownKey { key }, FLASH).times(1);
    case.sim.faults().add(odd);
    let dataset = case.dataset().await;
    let run = case.run(&dataset, &[PRO, FLASH]).await;
    case.settle().await;
    let found = codes(&case, run).await;
    assert_eq!(found[&0], ["-"; 3]);
    assert_eq!(found[&1].iter().filter(|code| *code == "-").count(), 2);
    assert_eq!(counted(run, UNKNOWN_KEYS), 1);
    assert_eq!(case.sim.ledger().count(Route::BatchDelete), 2);
    nothing_is_left(&case, "a plain run").await;
    case.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_output_is_landed_with_checksums_in_one_part_or_several() {
    let ground = Ground::start().await;
    let case = case(&ground, &[]).await;
    // More than a part of a streamed upload.
    let lines = vec!["x".repeat(9 << 20)];
    let long = of_model(Fault::ExtraLines { lines }, FLASH).times(1);
    case.sim.faults().add(long);
    let run = case.flow().await;
    let found = codes(&case, run).await;
    assert_eq!(
        (&found[&0], &found[&1]),
        (&vec!["-".to_owned(); 3], &vec!["-".to_owned(); 3])
    );
    let prefix = run_prefix(&case.project, run);
    let key = |provider| format!("{prefix}p0{provider}-r01-c0000/a1/output.jsonl");
    let short = case.clean.objects.head(&key(0), None).await.unwrap();
    let sha256 = case.clean.objects.sha256(&key(0), None).await.unwrap();
    assert_eq!(short.sha256, Some(sha256));
    let long = case.clean.objects.head(&key(1), None).await.unwrap();
    assert!(long.size > 9 << 20, "{long:?}");
    case.end().await;
}
