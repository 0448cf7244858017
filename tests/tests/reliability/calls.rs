//! Units of calls: nothing is paid for twice, and what was paid for is there or
//! said to be unknown, whatever goes wrong.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::json;
use stt_eval_shared::domain::RunId;
use stt_eval_shared::domain::result::Outcome;
use stt_eval_shared::domain::run::RunStatus;
use stt_eval_shared::providers::Rejection;
use stt_eval_tests::echo::calls::{ECHO, Trouble, paid, trouble};
use stt_eval_tests::fault::{Kind, Site};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::draw::setting;
use crate::rig::{Case, Ground, Options, PRO, TEXTS};

/// Code of an item whose answer is lost.
const UNKNOWN: &str = "outcome_unknown";
/// Items of the dataset.
pub const ITEMS: usize = TEXTS.len();
/// Calls of one unit under way at once: what one death can cost.
const AT_ONCE: usize = 2;

async fn start(ground: &Arc<Ground>, repeats: bool) -> Case {
    let options = Options {
        repeats,
        ..Options::default()
    };
    let case = Case::start(ground, options).await;
    case.credential("echo-calls", case.account()).await;
    case
}

/// Outcomes of the one model of a run, by position.
pub async fn outcomes(case: &Case, run: RunId) -> Vec<Outcome> {
    let entries = case
        .clean
        .store
        .results_between(&case.project, run, 0, 0, 9_999);
    let entries = entries.await.unwrap().into_iter();
    entries.map(|entry| entry.outcome).collect()
}

/// What became of the items: how many have text, and how many failed by code.
pub fn told(outcomes: &[Outcome]) -> (usize, BTreeMap<&str, usize>) {
    let mut failed = BTreeMap::new();
    for code in outcomes.iter().filter_map(|o| o.error_code.as_deref()) {
        *failed.entry(code).or_default() += 1;
    }
    let texts = outcomes.iter().filter(|o| o.transcription.is_some());
    (texts.count(), failed)
}

async fn run_of(case: &Case, models: &[&str]) -> RunId {
    let dataset = case.dataset().await;
    case.run(&dataset, models).await
}

/// Runs the echo model through, with these troubles.
async fn ended(troubles: Vec<Trouble>) -> (Case, RunId, Vec<Outcome>) {
    let ground = Ground::start().await;
    let case = start(&ground, false).await;
    trouble(&case.account(), troubles);
    let run = run_of(&case, &[ECHO]).await;
    case.settle().await;
    let outcomes = outcomes(&case, run).await;
    assert_eq!(outcomes.len(), ITEMS);
    (case, run, outcomes)
}

fn refused(kind: Rejection) -> Trouble {
    Trouble::Refused(kind)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_and_calls_make_one_run() {
    let ground = Ground::start().await;
    let case = start(&ground, false).await;
    let run = run_of(&case, &[ECHO, PRO]).await;
    case.settle().await;
    let stored = case.clean.store.run(&case.project, run).await.unwrap();
    let stored = stored.unwrap();
    assert_eq!(stored.status, RunStatus::Completed);
    assert_eq!((stored.completed(), stored.failed()), (2 * ITEMS as u64, 0));
    let paid = paid(&case.account());
    assert_eq!(paid.len(), ITEMS);
    assert!(paid.values().all(|times| *times == 1), "{paid:?}");
    let raw = |key: &&String| key.contains("/p00-") && key.ends_with("output.jsonl");
    assert_eq!(case.objects().await.iter().filter(raw).count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_answer_is_unknown_until_people_ask_again() {
    for lost in [Trouble::LostReply, Trouble::LostRequest] {
        let (case, run, outcomes) = ended(vec![lost]).await;
        let unknown = BTreeMap::from([(UNKNOWN, 1)]);
        assert_eq!(told(&outcomes), (ITEMS - 1, unknown));
        let before: u32 = paid(&case.account()).values().sum();
        let path = format!("/runs/{run}/retry");
        case.ask("api", "POST", &path, None, "again").await;
        case.settle().await;
        let outcomes = self::outcomes(&case, run).await;
        let latest = outcomes.iter().filter(|o| o.transcription.is_some());
        assert_eq!(latest.count(), ITEMS);
        assert_eq!(paid(&case.account()).values().sum::<u32>(), before + 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_not_done_is_asked_again_and_one_bad_item_fails_alone() {
    let retry_after = Some(Duration::from_millis(10));
    let (case, _, outcomes) = ended(vec![
        refused(Rejection::Quota { retry_after }),
        refused(Rejection::Unreachable),
        refused(Rejection::OutOfCredit),
        refused(Rejection::Unauthorized),
        refused(Rejection::Invalid),
    ])
    .await;
    let bad = BTreeMap::from([("provider_refused_audio", 1)]);
    assert_eq!(told(&outcomes), (ITEMS - 1, bad));
    assert_eq!(paid(&case.account()).len(), ITEMS - 1);
}

/// A key that nothing is done about ends what is left, after the time that a person has.
/// Answers of an earlier turn do not hide that the key is refused since.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_stays_refused_ends_what_is_left_in_the_end() {
    let ground = Ground::start().await;
    let options = Options {
        settings: vec![("PERSON_WINDOW_SECONDS", "0.5")],
        ..Options::default()
    };
    let case = Case::start(&ground, options).await;
    case.credential("echo-calls", case.account()).await;
    let mut troubles = vec![Trouble::Long(0); AT_ONCE];
    troubles.extend(vec![refused(Rejection::Unauthorized); 200]);
    trouble(&case.account(), troubles);
    let run = run_of(&case, &[ECHO]).await;
    case.settle().await;
    let outcomes = outcomes(&case, run).await;
    let rest = BTreeMap::from([("credentials_refused", ITEMS - AT_ONCE)]);
    assert_eq!(told(&outcomes), (AT_ONCE, rest));
}

/// However often it is refused: nothing fails while a person may still act.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_key_and_an_empty_account_fail_nothing() {
    for kind in [Rejection::Unauthorized, Rejection::OutOfCredit] {
        let (case, _, outcomes) = ended(vec![refused(kind); 30]).await;
        assert_eq!(told(&outcomes), (ITEMS, BTreeMap::new()), "{kind:?}");
        assert_eq!(paid(&case.account()).len(), ITEMS);
    }
}

/// What waits for a key, in pauses of an hour, goes on at once with another one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_credential_that_is_replaced_wakes_what_waits_for_it() {
    let ground = Ground::start().await;
    for kind in [Rejection::Unauthorized, Rejection::OutOfCredit] {
        let options = Options {
            settings: vec![("REFUSAL_PAUSE_SECONDS", "3600")],
            ..Options::default()
        };
        let case = Case::start(&ground, options).await;
        case.credential("echo-calls", case.account()).await;
        trouble(&case.account(), vec![refused(kind); AT_ONCE]);
        let run = run_of(&case, &[ECHO]).await;
        // It is planned, and tried.
        case.pump_once().await;
        case.pump_once().await;
        let units = case.clean.store.units_of(&case.project, run).await;
        assert!(units.unwrap().iter().all(|unit| unit.blocked.is_some()));
        let (path, body) = (
            "/credentials/echo-calls",
            json!({"api_key": case.account()}),
        );
        case.ask("api", "PUT", path, Some(&body), "key").await;
        case.settle().await;
        assert_eq!(told(&outcomes(&case, run).await), (ITEMS, BTreeMap::new()));
    }
}

/// However often a limit is reached, that is waiting and fails nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_limit_fails_nothing() {
    let quota = Rejection::Quota { retry_after: None };
    let (_, _, outcomes) = ended(vec![refused(quota); 30]).await;
    assert_eq!(told(&outcomes), (ITEMS, BTreeMap::new()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_larger_than_an_item_of_the_table_is_kept() {
    let (_, _, outcomes) = ended(vec![Trouble::Long(700_000), Trouble::Long(262_144)]).await;
    assert_eq!(told(&outcomes), (ITEMS, BTreeMap::new()));
}

/// A worker that never hears an answer is killed; what it had begun is unknown,
/// the rest is done by the next one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_death_costs_what_was_under_way() {
    let ground = Ground::start().await;
    let case = Arc::new(start(&ground, false).await);
    trouble(&case.account(), vec![Trouble::Silence; AT_ONCE]);
    let run = run_of(&case, &[ECHO]).await;
    let watch = tokio::spawn({
        let case = case.clone();
        async move {
            while paid(&case.account()).len() < AT_ONCE {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            case.injector.crash();
        }
    });
    case.settle().await;
    watch.await.unwrap();
    let outcomes = outcomes(&case, run).await;
    let unknown = BTreeMap::from([(UNKNOWN, AT_ONCE)]);
    assert_eq!(told(&outcomes), (ITEMS - AT_ONCE, unknown));
    let paid = paid(&case.account());
    assert!(paid.len() == ITEMS && paid.values().all(|times| *times == 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_run_leaves_nothing_of_its_calls() {
    let (case, run, _) = ended(vec![Trouble::Long(300_000)]).await;
    let rows = case.rows("units").await;
    let of_calls = |sk: &str| sk.starts_with("call#") || sk.starts_with("text#");
    let kept = rows
        .iter()
        .filter(|row| of_calls(row["sk"].as_s().unwrap()));
    assert_eq!(kept.count(), 2 * ITEMS + 1);
    case.ask("api", "DELETE", &format!("/runs/{run}"), None, "d")
        .await;
    case.settle().await;
    let rows = case.rows("units").await;
    assert!(!rows.iter().any(|row| of_calls(row["sk"].as_s().unwrap())));
}

/// Cases under way at once.
pub static SIDE_BY_SIDE: Semaphore = Semaphore::const_new(12);
/// Of so many cases one is drawn by default; `RELIABILITY_ONE_OF` says otherwise, and
/// `RELIABILITY_FULL=1` tries all.
const ONE_OF: u64 = 8;

pub fn draw(name: &str, seed: u64) -> u64 {
    name.bytes()
        .fold(0xcbf2_9ce4_8422_2325 ^ seed, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        })
        >> 20
}

/// Single writes of `submit` in a run of one unit of so many calls, of which some go
/// wrong.
async fn writes(items: u32, troubles: Vec<Trouble>) -> usize {
    let ground = Ground::start().await;
    let case = start(&ground, false).await;
    let dataset = case.dataset_of(0..items, 0.1).await;
    trouble(&case.account(), troubles);
    case.injector.restart();
    case.run(&dataset, &[ECHO]).await;
    case.settle().await;
    let paid = paid(&case.account());
    assert!(paid.len() == items as usize && paid.values().all(|times| *times == 1));
    let of_submit = |site: &&Site| {
        site.handler == "submit"
            && [
                "dynamodb PutItem",
                "dynamodb UpdateItem",
                "dynamodb DeleteItem",
            ]
            .iter()
            .any(|write| site.call.starts_with(write))
    };
    let writes = case.sites().iter().filter(of_submit).count();
    case.end().await;
    writes
}

/// The intent, the answer, the outcome.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_bookkeeping_of_a_call_is_three_writes() {
    let (few, many) = (4, 9);
    let more = writes(many, vec![]).await - writes(few, vec![]).await;
    assert_eq!(more, 3 * (many - few) as usize);
}

/// A worker slows down with the unit in hand: what it gets besides is the intent and the
/// outcome of each call that was one too many, and no turn of the unit; and one write
/// tells the next worker.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_too_many_are_made_again_by_the_same_worker() {
    let too_many = |seconds| {
        let retry_after = Some(Duration::from_secs(seconds));
        Trouble::Refused(Rejection::Quota { retry_after })
    };
    let none = writes(6, vec![]).await;
    let some = writes(6, vec![too_many(0), too_many(0), too_many(1)]).await;
    assert_eq!(some - none, 3 * 2 + 1);
    // What takes long is left to the queue.
    let ground = Ground::start().await;
    let case = start(&ground, false).await;
    trouble(&case.account(), [too_many(30)]);
    run_of(&case, &[ECHO]).await;
    case.pump_once().await;
    case.pump_once().await;
    let units = case.rows("units").await;
    let waits = |row: &&HashMap<_, AttributeValue>| {
        let reason = row.get("waiting_reason");
        reason.is_some_and(|reason| reason.as_s().unwrap() == "provider_rate_limited")
    };
    assert_eq!(units.iter().filter(waits).count(), 1, "{units:?}");
    case.end().await;
}

/// Every call of the functions to AWS in a run of calls, each failing in every
/// way: the run ends, no item is paid for twice, and each has its text, or was
/// under way at the fault and is told to be unknown.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_aws_call_in_a_run_of_calls_may_fail() {
    let ground = Ground::start().await;
    let case = start(&ground, false).await;
    let dataset = case.dataset().await;
    case.injector.restart();
    case.run(&dataset, &[ECHO]).await;
    case.settle().await;
    let sites = case.sites();
    case.end().await;
    let full = std::env::var("RELIABILITY_FULL").is_ok();
    let seed = setting("RELIABILITY_SEED", 1);
    let one_of = setting("RELIABILITY_ONE_OF", ONE_OF);
    let (mut all, mut cases) = (0, JoinSet::new());
    for site in sites {
        for kind in Kind::ALL {
            all += 1;
            let name = format!("{site} × {kind:?}");
            if !full && !draw(&name, seed).is_multiple_of(one_of) {
                continue;
            }
            let (ground, site) = (ground.clone(), site.clone());
            cases.spawn(async move {
                let _place = SIDE_BY_SIDE.acquire().await.unwrap();
                (name, with_fault(&ground, site, kind).await)
            });
        }
    }
    let (tried, mut struck, mut lost) = (cases.len(), 0, 0);
    while let Some(done) = cases.join_next().await {
        let (name, (unknown, happened)) = done.unwrap();
        println!("{name}: {unknown} unknown");
        struck += usize::from(happened);
        lost += unknown;
    }
    println!("{all} sites × faults, {tried} tried, {struck} struck; {lost} items unknown");
    // How often is polled differs from case to case, so some never happen.
    assert!(
        tried < 20 || struck * 3 > tried,
        "{struck} of {tried} faults happened"
    );
}

async fn with_fault(ground: &Arc<Ground>, site: Site, kind: Kind) -> (usize, bool) {
    let case = start(ground, kind.repeats()).await;
    let dataset = case.dataset().await;
    case.injector.restart();
    let name = format!("{site} × {kind:?}");
    case.injector.arm(site, kind);
    let run = case.run(&dataset, &[ECHO]).await;
    case.settle().await;
    let struck = case.injector.struck();
    let outcomes = outcomes(&case, run).await;
    let (texts, failed) = told(&outcomes);
    let unknown = failed.get(UNKNOWN).copied().unwrap_or_default();
    assert_eq!(texts + unknown, ITEMS, "{name}: {failed:?}");
    assert!(unknown <= AT_ONCE, "{name}: {failed:?}");
    let paid = paid(&case.account());
    assert!(paid.values().all(|times| *times == 1), "{name}: {paid:?}");
    assert!(paid.len() >= texts, "{name}: {paid:?}");
    let stored = case.clean.store.run(&case.project, run).await.unwrap();
    let stored = stored.unwrap();
    let counted = (stored.completed() as usize, stored.failed() as usize);
    assert_eq!(counted, (texts, unknown), "{name}");
    case.end().await;
    (unknown, struck)
}
