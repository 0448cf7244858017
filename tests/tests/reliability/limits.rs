//! Limits of vendors that answer each item in its call: what an operator says is kept to,
//! what one worker learns the next one knows, and accounts that are one share.

use std::time::Duration;

use stt_eval_shared::domain::allowance::{Left, ToldLimits};
use stt_eval_shared::domain::unit::{UnitKey, UnitState, WaitingReason};
use stt_eval_shared::domain::{RunId, Timestamp};
use stt_eval_shared::providers::Rejection;
use stt_eval_tests::echo::calls::{ECHO, Trouble, paid, tell, trouble};

use crate::calls::ITEMS;
use crate::rig::{Case, Ground, Options};

const DAY: Duration = Duration::from_secs(86_400);

async fn start(limits: &'static str) -> Case {
    let settings = vec![
        ("PROVIDER_LIMITS", limits),
        ("QUEUE_WINDOW_SECONDS", "172800"),
        ("REFUSAL_WINDOW_SECONDS", "800000"),
    ];
    let options = Options {
        settings,
        ..Options::default()
    };
    let case = Case::start(&Ground::start().await, options).await;
    case.credential("echo-calls", case.account()).await;
    case
}

/// Begins a run and delivers its messages, as long as there are any.
async fn begin(case: &Case, name: &str, dataset: &str) -> RunId {
    let run = case.run_named(name, dataset, &[ECHO]).await;
    case.pump_once().await;
    while case.pump().await > 0 {}
    run
}

/// How many calls were paid for by the account of the case.
fn calls(case: &Case) -> usize {
    paid(&case.account()).len()
}

/// That the first unit of a run waits for the provider, for so long at least.
async fn waits(case: &Case, run: RunId, at_least: Duration) {
    let key = UnitKey {
        model: 0,
        round: 1,
        chunk: 0,
    };
    let unit = case.clean.store.unit(&case.project, run, key).await;
    let unit = unit.unwrap().unwrap();
    assert_eq!(
        unit.waiting_reason,
        Some(WaitingReason::ProviderRateLimited),
        "{unit:?}"
    );
    let UnitState::Ready { not_before } = unit.state else {
        panic!("{unit:?}");
    };
    assert!(not_before >= Timestamp::now() + at_least, "{unit:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_that_allows_two_requests_a_day_is_kept_to_by_all_runs_of_an_account() {
    let mut case = start(r#"{"echo-calls": {"requests_per_day": 2, "pooled": true}}"#).await;
    const { assert!(ITEMS > 2) };
    let dataset = case.dataset().await;
    let run = begin(&case, "first", &dataset).await;
    assert_eq!(calls(&case), 2);
    // A day's half is what the third one waits for, less what has passed.
    waits(&case, run, DAY / 2 - DAY / 100).await;
    let again = begin(&case, "second", &dataset).await;
    assert_eq!(calls(&case), 2);
    waits(&case, again, DAY / 3).await;
    // Another project, with another key of the same organisation.
    case.become_another().await;
    case.credential("echo-calls", case.account()).await;
    let dataset = case.dataset().await;
    let other = begin(&case, "second", &dataset).await;
    assert_eq!(calls(&case), 0);
    waits(&case, other, DAY / 3).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn accounts_that_are_not_said_to_be_one_do_not_wait_for_each_other() {
    let mut case = start(r#"{"echo-calls": {"audio_seconds_per_hour": 1000000}}"#).await;
    let dataset = case.dataset().await;
    let retry_after = Some(Duration::from_secs(3_600));
    // Two calls are under way at once; the second one is answered.
    trouble(
        &case.account(),
        [Trouble::Refused(Rejection::Quota { retry_after })],
    );
    let run = begin(&case, "first", &dataset).await;
    assert_eq!(calls(&case), 1);
    waits(&case, run, Duration::from_secs(3_000)).await;
    // The next worker knows it, and is not refused first.
    let again = begin(&case, "second", &dataset).await;
    assert_eq!(calls(&case), 1);
    waits(&case, again, Duration::from_secs(3_000)).await;
    case.become_another().await;
    case.credential("echo-calls", case.account()).await;
    let dataset = case.dataset().await;
    begin(&case, "second", &dataset).await;
    assert_eq!(calls(&case), ITEMS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_vendor_says_is_left_is_believed_before_it_refuses() {
    let case = start("{}").await;
    let dataset = case.dataset().await;
    let left = Left {
        limit: 100.0,
        left: 0.0,
        full_in: DAY,
    };
    tell(
        &case.account(),
        ToldLimits {
            requests: Some(left),
            audio_seconds: None,
        },
    );
    let run = begin(&case, "first", &dataset).await;
    // No more than those that were under way when it said so.
    let first = calls(&case);
    assert!((1..=2).contains(&first), "{first}");
    waits(&case, run, DAY / 110).await;
    begin(&case, "second", &dataset).await;
    assert_eq!(calls(&case), first);
}
