//! A list of batches in which something can't be read. It is that of the whole
//! account: whatever it is, it need not be ours, and must not hold us up; but
//! while it may be ours, nothing is paid for again.

use gemini_sim::{Fault, FaultRule, Route};
use serde_json::json;
use stt_eval_shared::domain::RunId;
use stt_eval_shared::domain::unit::{Unit, UnitState};

use crate::failing::codes;
use crate::rig::{Case, Ground, Options, PRO};

const FOREIGN: &str = "somebody else's";

/// A batch that is made elsewhere with the same key, everything inside it.
async fn foreign(case: &Case) {
    let request = json!({"contents": [{"parts": [{"text": "?"}]}]});
    let batch = json!({"batch": {
        "displayName": FOREIGN,
        "inputConfig": {"requests": {"requests": [{ "request": request }]}},
    }});
    let url = format!(
        "{}/v1beta/models/{PRO}:batchGenerateContent",
        case.sim.url()
    );
    let made = case
        .ground
        .http()
        .post(url)
        .header(
            "x-goog-api-key",
            format!("simulated-key-of-{}", case.project),
        )
        .body(batch.to_string())
        .send()
        .await
        .unwrap();
    assert_eq!(made.status(), 200);
}

fn strike(case: &Case, fault: Fault) -> u64 {
    case.sim.faults().add(FaultRule::new(fault))
}

fn poison(case: &Case, malformed: bool, by_name: bool) -> u64 {
    let rule = FaultRule::new(Fault::Poison { malformed, by_name });
    case.sim.faults().add(rule.display_name(FOREIGN))
}

async fn ours(case: &Case) -> usize {
    let batches = case.sim.batches().await;
    let foreign = |batch: &gemini_sim::BatchView| batch.display_name.as_deref() == Some(FOREIGN);
    assert!(batches.iter().any(|batch| foreign(batch) && !batch.deleted));
    batches.iter().filter(|batch| !foreign(batch)).count()
}

async fn units(case: &Case, run: RunId) -> Vec<Unit> {
    case.clean.store.units_of(&case.project, run).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_another_deployment_made_does_not_hide_a_batch_whose_reply_was_lost() {
    let ground = Ground::start().await;
    for (malformed, by_name, ignored) in [
        (false, false, false),
        (true, false, false),
        // Nothing can be learned of it at all, but ours is found.
        (true, true, false),
        (false, false, true),
    ] {
        let case = Case::start(&ground, Options::default()).await;
        foreign(&case).await;
        poison(&case, malformed, by_name);
        if ignored {
            case.sim
                .faults()
                .add(FaultRule::new(Fault::RefuseFields { inside: true }).on(Route::BatchList));
        }
        let lost = FaultRule::new(Fault::LoseReply).on(Route::BatchCreate);
        case.sim
            .faults()
            .add(lost.display_name(case.project.as_str()).times(1));
        let dataset = case.dataset().await;
        let run = case.run(&dataset, &[PRO]).await;
        case.settle().await;
        let codes = codes(&case, run).await;
        assert!(
            codes.values().flatten().all(|code| code == "-"),
            "{codes:?}"
        );
        assert_eq!(ours(&case).await, 1, "{malformed} {by_name} {ignored}");
        case.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_it_may_be_ours_no_second_one_is_made() {
    let ground = Ground::start().await;
    let case = Case::start(&ground, Options::default()).await;
    foreign(&case).await;
    let unreadable = poison(&case, true, true);
    let dropped = FaultRule::new(Fault::DropRequest).on(Route::BatchCreate);
    case.sim.faults().add(dropped.times(1));
    let dataset = case.dataset().await;
    let run = case.run(&dataset, &[PRO]).await;
    let lists = || case.sim.ledger().count(Route::BatchList);
    // Looked for again and again, in vain.
    while lists() < 4 {
        case.pump().await;
        case.poll().await;
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let found = units(&case, run).await;
    assert!(
        found
            .iter()
            .all(|unit| matches!(unit.state, UnitState::Creating { .. })),
        "{found:?}"
    );
    assert_eq!(ours(&case).await, 0);
    case.sim.faults().remove(unreadable);
    case.settle().await;
    let codes = codes(&case, run).await;
    assert!(
        codes.values().flatten().all(|code| code == "-"),
        "{codes:?}"
    );
    assert_eq!(ours(&case).await, 1);
    case.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_of_any_length_is_read_as_it_comes() {
    let ground = Ground::start().await;
    let options = Options {
        settings: vec![("MAX_UNIT_SAMPLES", "1"), ("UNIT_BACKSTOP_SECONDS", "1800")],
        ..Options::default()
    };
    let case = Case::start(&ground, options).await;
    foreign(&case).await;
    let large = FaultRule::new(Fault::Inlined { bytes: 5_000_000 });
    case.sim.faults().add(large.display_name(FOREIGN));
    strike(&case, Fault::IgnoreFields);
    let run = case.flow().await;
    let codes = codes(&case, run).await;
    assert!(
        codes.values().flatten().all(|code| code == "-"),
        "{codes:?}"
    );
    assert!(case.sim.ledger().count(Route::BatchList) > 0);
    assert_eq!(ours(&case).await, 6);
    case.end().await;
}
