//! An operator replays units from their raw output: what is wrong is put right,
//! what is right stays, and the run counts what there is.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use gemini_sim::Fault;
use serde_json::{Value, json};
use stt_eval_shared::domain::run::RunStatus;
use stt_eval_shared::domain::unit::UnitKey;
use stt_eval_shared::domain::{ResultId, RunId};
use stt_eval_shared::objects::run_prefix;
use stt_eval_shared::{App, Deadline};
use stt_eval_tests::fault::{Kind, Site};

use crate::again::recount;
use crate::failing::{codes, of_model, retry};
use crate::rig::{Case, FLASH, Ground, Options, PRO, TEXTS};
use crate::state::Summary;

async fn ask(app: &App, request: Value) -> Value {
    let deadline = Deadline::after(Duration::from_secs(110));
    poll::handle(json!({ "operator": request }), app, deadline).await
}

fn whole(case: &Case, run: RunId) -> Value {
    json!({ "action": "replay", "project": case.project, "run": run })
}

async fn replay(case: &Case, run: RunId) -> Value {
    let answer = ask(&case.clean, whole(case, run)).await;
    assert_eq!(answer["error"], Value::Null, "{answer}");
    answer
}

/// Numbers of all units of an answer together.
fn sum(answer: &Value, what: &str) -> u64 {
    let units = answer["units"].as_array().unwrap().iter();
    units.map(|unit| unit[what].as_u64().unwrap()).sum()
}

/// The stored outcome of an item.
async fn row(case: &Case, provider: u8, position: u16) -> HashMap<String, AttributeValue> {
    let sk = format!("p{provider:02}#{position:05}#r01");
    let rows = case.rows("results").await;
    let mut found = rows.into_iter().filter(|r| r["sk"].as_s().unwrap() == &sk);
    found.next().unwrap()
}

async fn put(case: &Case, row: HashMap<String, AttributeValue>) {
    let db = case.ground.cloud.dynamodb_client();
    let put = db.put_item().table_name(case.table("results"));
    put.set_item(Some(row)).send().await.unwrap();
}

async fn remove(case: &Case, row: &HashMap<String, AttributeValue>) {
    let db = case.ground.cloud.dynamodb_client();
    let delete = db.delete_item().table_name(case.table("results"));
    let delete = delete.key("pk", row["pk"].clone());
    delete.key("sk", row["sk"].clone()).send().await.unwrap();
}

/// What a bug may have left behind: other words, a failure that is none, a row
/// that is not there, one that can't be read, and a run that counts all that.
async fn spoil(case: &Case, run: RunId) {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let mut words = row(case, 1, 0).await;
    words.insert("transcription".into(), text("somebody else's words"));
    put(case, words).await;
    let mut missing = row(case, 1, 1).await;
    for name in [
        "transcription",
        "score",
        "wer_key",
        "wer_sort",
        "model_version",
    ] {
        missing.remove(name);
    }
    missing.insert("error_code".into(), text("provider_missing"));
    missing.insert("error_message".into(), text("no line"));
    missing.insert("cost_micro_usd".into(), AttributeValue::N("77".into()));
    put(case, missing).await;
    remove(case, &row(case, 1, 2).await).await;
    let mut odd = row(case, 0, 1).await;
    odd.insert("usage".into(), text("a lot"));
    put(case, odd).await;
    let store = &case.clean.store;
    let mut wrong = store.run(&case.project, run).await.unwrap().unwrap();
    wrong.models[0].completed = 1;
    wrong.models[1].failed = 2;
    wrong.models[1].cost_micro_usd += 13;
    wrong.models[1].sums = Default::default();
    wrong.rev += 1;
    store.save_run(&wrong).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_right_stays_and_what_was_spoilt_is_restored() {
    let ground = Ground::start().await;
    let case = Case::start(&ground, Options::default()).await;
    let run = case.flow().await;
    let wanted = Summary::of(&case, run).await;
    let rows = case.rows("results").await;
    let head = case.clean.store.run(&case.project, run).await.unwrap();

    let answer = replay(&case, run).await;
    assert_eq!((sum(&answer, "unchanged"), sum(&answer, "changed")), (6, 0));
    assert_eq!(answer["continue_after"], Value::Null);
    assert_eq!(case.rows("results").await, rows, "to the letter");
    let after = case.clean.store.run(&case.project, run).await.unwrap();
    assert_eq!(after, head, "the run was not touched");

    spoil(&case, run).await;
    let answer = replay(&case, run).await;
    assert_eq!(
        (sum(&answer, "unchanged"), sum(&answer, "changed")),
        (2, 4),
        "{answer}"
    );
    let found = Summary::of(&case, run).await;
    assert_eq!(found.differences(&wanted), Vec::<String>::new());
    recount(&case, run).await;
    let again = replay(&case, run).await;
    assert_eq!((sum(&again, "unchanged"), sum(&again, "changed")), (6, 0));
    assert!(
        again["units"]
            .as_array()
            .unwrap()
            .iter()
            .all(|u| u["recounted"] == false)
    );
    case.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_people_said_of_results_is_kept_and_counted() {
    let ground = Ground::start().await;
    let case = Case::start(&ground, Options::default()).await;
    let run = case.flow().await;
    let judge = async |position, right: bool| {
        let id = ResultId::new(run, 1, position);
        let body = json!({ "is_correct": right, "comment": format!("heard {position}") });
        let path = format!("/results/{id}");
        let key = format!("review-{position}");
        case.ask("api", "PATCH", &path, Some(&body), &key).await;
    };
    judge(0, true).await;
    let wanted = Summary::of(&case, run).await;
    let mut words = row(&case, 1, 0).await;
    words.insert("transcription".into(), AttributeValue::S("else".into()));
    put(&case, words).await;
    // Reviewers go on while it is replayed.
    let (answer, (), ()) = tokio::join!(replay(&case, run), judge(1, false), judge(2, true));
    assert_eq!(sum(&answer, "changed"), 1);
    let found = Summary::of(&case, run).await;
    assert_eq!(found.results, wanted.results);
    let store = &case.clean.store;
    let entries = store
        .results_between(&case.project, run, 1, 0, 9)
        .await
        .unwrap();
    let said: Vec<_> = entries
        .into_iter()
        .map(|entry| {
            entry
                .review
                .map(|review| (review.is_correct, review.comment.unwrap()))
        })
        .collect();
    let heard = |n: u16, right| Some((Some(right), format!("heard {n}")));
    assert_eq!(said, [heard(0, true), heard(1, false), heard(2, true)]);
    let head = store.run(&case.project, run).await.unwrap().unwrap();
    assert_eq!((head.models[1].correct, head.models[1].incorrect), (2, 1));
    recount(&case, run).await;
    case.end().await;
}

fn raw(case: &Case, run: RunId, model: u8) -> String {
    let key = UnitKey {
        model,
        round: 1,
        chunk: 0,
    };
    format!("{}{key}/a1/output.jsonl", run_prefix(&case.project, run))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_failed_for_want_of_a_parser_succeeds_when_replayed() {
    let ground = Ground::start().await;
    let case = Case::start(&ground, Options::default()).await;
    // What the release of the time could not read, every line of it.
    let odd = Fault::ItemMalformed {
        form: Default::default(),
    };
    case.sim.faults().add(of_model(odd, PRO));
    let dataset = case.dataset().await;
    let run = case.run(&dataset, &[PRO]).await;
    case.settle().await;
    let store = &case.clean.store;
    let head = store.run(&case.project, run).await.unwrap().unwrap();
    assert_eq!((head.status, head.models[0].failed), (RunStatus::Failed, 3));
    assert!(head.error_message.is_some());

    // As if this release could: the same answers in a form that it knows.
    let lines = (0..3u16).map(|position| {
        let key = ResultId::new(run, 0, position);
        let text = TEXTS[usize::from(position)];
        json!({ "key": key, "response": { "modelVersion": PRO, "candidates": [{
            "finishReason": "STOP",
            "content": { "role": "model", "parts": [{ "text": text }] },
        }] } })
        .to_string()
    });
    let lines: Vec<String> = lines.collect();
    let s3 = ground.cloud.s3_client();
    let body = lines.join("\n").into_bytes();
    let put = s3.put_object().bucket(&case.bucket).key(raw(&case, run, 0));
    put.body(body.into()).send().await.unwrap();
    let answer = replay(&case, run).await;
    assert_eq!(sum(&answer, "changed"), 3, "{answer}");
    let head = store.run(&case.project, run).await.unwrap().unwrap();
    assert_eq!(
        (head.status, head.models[0].completed),
        (RunStatus::Completed, 3)
    );
    assert_eq!((head.error_message, head.models[0].failed), (None, 0));
    assert_eq!(head.models[0].sums.summary().all.wer, 0.0);
    recount(&case, run).await;
    assert_eq!(sum(&replay(&case, run).await, "unchanged"), 3);
    case.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_later_round_is_not_undone_by_an_earlier_output() {
    let ground = Ground::start().await;
    let case = Case::start(&ground, Options::default()).await;
    let rule = of_model(Fault::ItemMissing, FLASH);
    case.sim.faults().add(rule.times(1));
    let run = case.flow().await;
    let lost = |codes: &[String]| codes.iter().filter(|code| *code != "-").count();
    assert_eq!(lost(&codes(&case, run).await[&1]), 1);
    retry(&case, run).await;
    assert_eq!(lost(&codes(&case, run).await[&1]), 0);
    let wanted = Summary::of(&case, run).await;
    let answer = replay(&case, run).await;
    assert_eq!(sum(&answer, "superseded"), 1, "{answer}");
    assert_eq!((sum(&answer, "unchanged"), sum(&answer, "changed")), (6, 0));
    assert_eq!(
        Summary::of(&case, run).await.differences(&wanted),
        Vec::<String>::new()
    );
    // What the first round brought can still be put right, and costs of both
    // rounds are counted.
    spoil_words(&case).await;
    let answer = replay(&case, run).await;
    assert_eq!(sum(&answer, "changed"), 1, "{answer}");
    assert_eq!(
        Summary::of(&case, run).await.differences(&wanted),
        Vec::<String>::new()
    );
    case.end().await;
}

async fn spoil_words(case: &Case) {
    let mut words = row(case, 0, 2).await;
    words.insert("transcription".into(), AttributeValue::S("else".into()));
    put(case, words).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn units_are_replayed_in_parts_that_the_answer_continues() {
    let ground = Ground::start().await;
    let case = Case::start(&ground, Options::default()).await;
    let run = case.flow().await;
    let wanted = Summary::of(&case, run).await;
    spoil(&case, run).await;
    let mut request = whole(&case, run);
    request["limit"] = json!(1);
    let mut seen = Vec::new();
    loop {
        let answer = ask(&case.clean, request.clone()).await;
        let units = answer["units"]
            .as_array()
            .unwrap_or_else(|| panic!("{answer}"));
        seen.extend(units.iter().map(|unit| unit["unit"].clone()));
        assert_eq!(units.len(), 1, "{answer}");
        match &answer["continue_after"] {
            Value::Null => break,
            after => request["after"] = after.clone(),
        }
    }
    assert_eq!(seen, ["p00-r01-c0000", "p01-r01-c0000"]);
    assert_eq!(
        Summary::of(&case, run).await.differences(&wanted),
        Vec::<String>::new()
    );
    spoil_words(&case).await;
    let mut one = whole(&case, run);
    one["unit"] = json!("p00-r01-c0000");
    let answer = ask(&case.clean, one).await;
    assert_eq!((sum(&answer, "changed"), sum(&answer, "unchanged")), (1, 2));
    case.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_breaks_a_replay_off_the_next_one_puts_right() {
    let ground = Ground::start().await;
    let case = Case::start(&ground, Options::default()).await;
    let run = case.flow().await;
    let wanted = Summary::of(&case, run).await;
    let known = case.sites().len();
    spoil(&case, run).await;
    let faulty = async || {
        let request = whole(&case, run);
        case.injector.run("operator", ask(&case.app, request)).await
    };
    faulty().await.unwrap();
    let sites: Vec<Site> = case.sites().split_off(known);
    assert!(
        sites.iter().any(|site| site.call.contains("Transact")),
        "{sites:?}"
    );
    let mut ordinals = HashMap::new();
    for made in &sites {
        ordinals.insert(made.call.clone(), 0);
    }
    for made in &sites {
        let nth = ordinals.get_mut(&made.call).unwrap();
        *nth += 1;
        for kind in [Kind::Before, Kind::Lost, Kind::Crash] {
            spoil(&case, run).await;
            let before = case.sites();
            let so_far = before
                .iter()
                .filter(|site| site.call == made.call && site.handler == "operator");
            let ordinal = u32::try_from(so_far.count()).unwrap() + *nth;
            let site = Site {
                ordinal,
                ..made.clone()
            };
            case.injector.arm(site, kind);
            let answer = faulty().await;
            if kind == Kind::Before {
                let error = answer.unwrap()["error"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned();
                assert!(error.contains("may be tried again"), "{made}: {error}");
            }
            replay(&case, run).await;
            let found = Summary::of(&case, run).await;
            assert_eq!(
                found.differences(&wanted),
                Vec::<String>::new(),
                "{made} × {kind:?}"
            );
        }
    }
    recount(&case, run).await;
    case.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_can_not_be_replayed_is_said_and_nothing_is_changed() {
    let ground = Ground::start().await;
    let case = Case::start(&ground, Options::default()).await;
    let run = case.flow().await;
    let unchanged = Summary::of(&case, run).await;
    let other = RunId::mint(1, [9; 10]);
    let project = case.project.as_str();
    let unit = "p00-r01-c0000";
    let base = |run: RunId| json!({ "action": "replay", "project": project, "run": run });
    let with = |name: &str, value: Value| {
        let mut request = base(run);
        request[name] = value;
        request
    };
    let refused = async |request: Value, named: &str| {
        let answer = ask(&case.clean, request.clone()).await;
        let error = answer["error"].as_str().unwrap_or_default();
        assert!(error.contains(named), "{request}: {answer}");
        assert_eq!(answer.as_object().unwrap().len(), 1, "{answer}");
    };
    refused(base(other), "there is no run_").await;
    refused(with("project", json!("somebody")), "there is no run_").await;
    refused(with("project", json!("No/Name")), "project:").await;
    refused(with("run", json!("run_x")), "run:").await;
    refused(with("unit", json!("first")), "unit:").await;
    refused(with("unit", json!("p07-r01-c0000")), "has no p07").await;
    refused(with("limit", json!(0)), "limit:").await;
    refused(with("limit", json!(101)), "limit:").await;
    refused(with("after", json!("p0")), "after:").await;
    refused(with("units", json!([unit])), "units").await;
    let mut both = with("unit", json!(unit));
    both["limit"] = json!(3);
    refused(both, "unit:").await;
    assert_eq!(
        Summary::of(&case, run).await.differences(&unchanged),
        Vec::<String>::new()
    );

    // Its raw output is gone: alone that is an error, among others it is told.
    let s3 = ground.cloud.s3_client();
    let delete = s3
        .delete_object()
        .bucket(&case.bucket)
        .key(raw(&case, run, 0));
    delete.send().await.unwrap();
    refused(with("unit", json!(unit)), "no raw output").await;
    let answer = ask(&case.clean, base(run)).await;
    let units = answer["units"].as_array().unwrap();
    assert!(
        units[0]["skipped"]
            .as_str()
            .unwrap()
            .contains("no raw output")
    );
    assert_eq!(units[1]["unchanged"], 3);

    // While work is under way, and after it was scored again or deleted.
    let stuck = Fault::Stuck {
        state: "RUNNING".into(),
    };
    let stuck = case.sim.faults().add(of_model(stuck, PRO));
    let dataset = case
        .clean
        .store
        .run(&case.project, run)
        .await
        .unwrap()
        .unwrap()
        .dataset;
    let body = json!({ "run_name": "two", "dataset_id": dataset, "providers": [PRO] });
    let made = case.ask("api", "POST", "/runs", Some(&body), "two").await;
    let second: RunId = made["id"].as_str().unwrap().parse().unwrap();
    refused(base(second), "once it has ended").await;
    case.sim.faults().remove(stuck);
    case.settle().await;
    let body = json!({ "normalizer": "raw-v1" });
    let path = format!("/runs/{run}/rescore");
    let scored = case
        .once("api", "POST", &path, Some(&body), "again")
        .await
        .unwrap();
    assert_eq!(scored.status, 202, "{scored:?}");
    case.settle().await;
    refused(base(run), "scored again").await;
    let path = format!("/runs/{second}");
    case.ask("api", "DELETE", &path, None, "delete").await;
    refused(base(second), "deleted").await;
    case.settle().await;
    refused(base(second), "deleted").await;
    case.end().await;
}
