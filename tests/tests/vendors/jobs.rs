//! Vendors that take jobs, against their doubles: a run of all of them, and whatever can
//! go wrong with each of their requests.

use serde_json::{Value, json};
use speech_sim::Fault;
use stt_eval_tests::audio::{sha256, wav};
use stt_eval_tests::{Client, Machine, MachineOptions};

const SARVAM: &str = "sarvam/saaras-v4";
const VERBATIM: &str = "sarvam/saaras-v4-verbatim";
const UNIVERSAL: &str = "assemblyai/universal-2";

const PRO: &str = "gemini-2.5-pro";
/// Answers in the call.
const NOVA: &str = "deepgram/nova-3";

/// US dollars for a rupee, as the operator of the machine says.
const RUPEE: f64 = 0.02;

/// What credentials are kept for.
const VENDORS: [&str; 3] = ["sarvam", "assemblyai", "deepgram"];

async fn machine() -> (Machine, Client) {
    let machine = Machine::start_with(MachineOptions {
        settings: vec![("RUPEE_IN_USD", "0.02")],
        ..MachineOptions::default()
    })
    .await;
    let client = machine.client("demo");
    for vendor in VENDORS {
        let key = json!({ "api_key": format!("key-for-{vendor}") });
        let kept = client.put(&format!("/credentials/{vendor}"), &key).await;
        kept.data(200);
    }
    (machine, client)
}

/// A dataset of texts, each with its language, which every vendor hears rightly.
pub(super) async fn dataset(machine: &Machine, client: &Client, texts: &[(&str, &str)]) -> String {
    let mut samples = Vec::new();
    for (number, (language, text)) in (0u32..).zip(texts) {
        let audio = wav(7_000 + number, 0.5);
        machine.speech().record(&sha256(&audio), text);
        machine.record(&audio, PRO, text);
        let file = machine
            .upload(client, &format!("{number}.wav"), "audio/wav", &audio)
            .await;
        let sample = json!({ "file_id": file["id"], "ground_truth": text, "language": language });
        samples.push(sample);
    }
    let made = json!({ "name": "d", "language": "hi", "samples": samples });
    let made = client.post("/datasets", &made).await;
    made.data(201)["id"].as_str().unwrap().to_owned()
}

pub(super) async fn results(client: &Client, run: &Value) -> Vec<Value> {
    let id = run["id"].as_str().unwrap();
    let path = format!("/runs/{id}/results?limit=100&include_alignment=true");
    let listed = client.get(&path).await;
    listed.data(200).as_array().unwrap().clone()
}

fn asked(machine: &Machine, end: &str) -> usize {
    let requests = machine.speech().ledger().requests;
    requests
        .iter()
        .filter(|request| request.ends_with(end))
        .count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_over_jobs_hears_and_pays_for_everything_once() {
    let (machine, client) = machine().await;
    for vendor in VENDORS {
        let wrong = json!({ "api_key": "wrong-key" });
        let refused = client.put(&format!("/credentials/{vendor}"), &wrong).await;
        assert_eq!(refused.refused(422), ["api_key"], "{vendor}");
    }
    let texts = [("hi", "one two"), ("en", "three"), ("hi", "um four five")];
    let dataset = dataset(&machine, &client, &texts).await;
    let models = [SARVAM, VERBATIM, UNIVERSAL];
    let run = machine.run(&client, &dataset, &models).await;
    let run = machine.ended(&client, &run).await;
    assert_eq!(run["status"], "completed", "{run}");
    let results = results(&client, &run).await;
    assert_eq!(results.len(), 9);
    for result in &results {
        let text = result["ground_truth"].as_str().unwrap();
        let digits = text
            .replace("one two", "1 2")
            .replace("three", "3")
            .replace("four", "4");
        // Half a second is billed as a whole one: at 30 rupees an hour, or 15 cents.
        let (heard, per_hour) = match result["provider"].as_str().unwrap() {
            SARVAM => (&*digits, 30.0 * RUPEE),
            UNIVERSAL => (text, 0.15),
            _ => (text, 30.0 * RUPEE),
        };
        assert_eq!(result["transcription"], heard, "{result}");
        // Words are told by one vendor, and phrases by the other.
        let words = match result["provider"].as_str().unwrap() {
            UNIVERSAL => text.split(' ').count(),
            _ => 1,
        };
        let times = result["word_times"].as_array().unwrap();
        assert_eq!(times.len(), words, "{result}");
        assert_eq!(times[0], json!({ "start": 0, "at_ms": 0 }));
        let cost = result["cost_usd"].as_f64().unwrap();
        assert!((cost - per_hour / 3_600.0).abs() < 1e-6, "{cost}");
    }
    let ledger = machine.speech().ledger();
    // A model of the ledger is what the vendor calls it, and both modes are one there.
    assert_eq!((ledger.charges.len(), ledger.most_for_one()), (9, 2));
    // Two languages are two jobs of a unit.
    assert_eq!(asked(&machine, "/start"), 4);
    // What is kept here is not left there.
    let of = |way: &str| {
        ledger
            .requests
            .iter()
            .filter(|one| one.starts_with(way))
            .count()
    };
    assert_eq!(of("DELETE /assemblyai/v2/transcript/"), 3);
    machine.stop().await;
}

/// Batches, jobs and calls in one run, of which one vendor's account is empty for a while.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_vendor_that_waits_for_people_holds_up_no_other() {
    let (machine, client) = machine().await;
    let dataset = dataset(&machine, &client, &[("hi", "six"), ("en", "seven")]).await;
    for _ in 0..4 {
        let empty = refuse(429, "insufficient_quota_error");
        machine.speech().fault("sarvam", empty);
    }
    let models = [PRO, NOVA, VERBATIM, UNIVERSAL];
    let run = machine.run(&client, &dataset, &models).await;
    let path = format!("/runs/{}", run["id"].as_str().unwrap());
    let waiting = machine.wait("all others are there, and one waits", async || {
        let run = client.get(&path).await.data(200).clone();
        let waiting = run["waiting"].as_array().unwrap().first()?.clone();
        let others = run["counts"]["completed"] == 6;
        (others && waiting["waiting_reason"] == "provider_out_of_credit").then_some(waiting)
    });
    assert_eq!(waiting.await["items"], 2);
    let run = machine.ended(&client, &run).await;
    assert_eq!(run["counts"]["completed"], 8, "{run}");
    let results = results(&client, &run).await;
    for result in &results {
        assert_eq!(result["transcription"], result["ground_truth"], "{result}");
    }
    assert_eq!(machine.speech().ledger().most_for_one(), 1);
    machine.stop().await;
}

/// A key that is refused while a job runs: the run says so, nothing is lost or asked for
/// again, and what was said is taken back when the key is accepted and the job still runs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_is_refused_while_a_job_runs_is_told_and_costs_nothing() {
    let (machine, client) = machine().await;
    let dataset = dataset(&machine, &client, &[("hi", "six"), ("hi", "seven")]).await;
    for _ in 0..12 {
        let refused = refuse(403, "invalid_api_key_error");
        machine.speech().fault("sarvam/status", refused);
    }
    let run = machine.run(&client, &dataset, &[VERBATIM, NOVA]).await;
    let path = format!("/runs/{}", run["id"].as_str().unwrap());
    let waiting = machine.wait("one waits, and the other is done", async || {
        let run = client.get(&path).await.data(200).clone();
        let waiting = run["waiting"].as_array().unwrap().first()?.clone();
        (run["counts"]["completed"] == 2).then_some(waiting)
    });
    let waiting = waiting.await;
    assert_eq!(waiting["waiting_reason"], "provider_key_refused");
    assert_eq!(
        (&waiting["provider"], &waiting["items"]),
        (&json!(VERBATIM), &json!(2))
    );
    let run = machine.ended(&client, &run).await;
    assert_eq!(run["counts"]["completed"], 4, "{run}");
    assert_eq!(run["waiting"], json!([]), "{run}");
    let ledger = machine.speech().ledger();
    assert_eq!((ledger.charges.len(), ledger.most_for_one()), (4, 1));
    machine.stop().await;
}

fn refuse(status: u16, code: &str) -> Fault {
    Fault::Refuse {
        status,
        headers: Default::default(),
        body: json!({ "error": { "message": "m", "code": code } }).to_string(),
    }
}

pub(super) fn lie(body: &str) -> Fault {
    Fault::Lie {
        body: body.to_owned(),
    }
}

/// Faults of every kind.
fn troubles() -> Vec<Fault> {
    let advice = [("retry-after-ms".to_owned(), "10".to_owned())];
    vec![
        Fault::LostRequest,
        Fault::LostReply,
        lie("{\"job_id\": \"cut o"),
        lie("{}"),
        refuse(429, "insufficient_quota_error"),
        refuse(429, "rate_limit_exceeded_error"),
        Fault::Refuse {
            status: 503,
            headers: advice.into(),
            body: "busy".to_owned(),
        },
        refuse(500, "internal_server_error"),
        refuse(404, "not_found_error"),
        refuse(403, "invalid_api_key_error"),
    ]
}

/// What was charged since, of which nothing may be twice.
pub(super) fn paid(machine: &Machine, before: usize) -> usize {
    let ledger = machine.speech().ledger();
    let paid = &ledger.charges[before..];
    let mut once = paid.to_vec();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), paid.len(), "{paid:?}");
    paid.len()
}

/// Of the troubles at steps that are free one in so many is played, each in its turn;
/// with `RELIABILITY_FULL` all are.
const SOME: usize = 4;

/// Runs a model over two clips with each kind of trouble at its vendor's paid step, the
/// first, and at those that are free: all is heard in the end, and nothing was paid for
/// twice.
async fn through_all(model: &str, steps: &[&str]) {
    let (machine, client) = machine().await;
    let texts = [("hi", "six"), ("hi", "seven")];
    let dataset = dataset(&machine, &client, &texts).await;
    let full = std::env::var_os("RELIABILITY_FULL").is_some();
    for (place, step) in steps.iter().enumerate() {
        for (number, fault) in troubles().into_iter().enumerate() {
            if place > 0 && (place + number) % SOME > 0 && !full {
                continue;
            }
            let before = machine.speech().ledger().charges.len();
            if step.ends_with("/list") {
                // The list is asked for what was not answered.
                let vendor = step.trim_end_matches("/list");
                machine.speech().fault(vendor, Fault::LostReply);
            }
            machine.speech().fault(step, fault.clone());
            let run = machine.run(&client, &dataset, &[model]).await;
            let run = machine.ended(&client, &run).await;
            let told = format!("{step} {fault:?}");
            assert_eq!(run["counts"]["completed"], 2, "{told}: {run}");
            assert_eq!(paid(&machine, before), 2, "{told}");
        }
    }
    machine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_goes_wrong_at_sarvam_nothing_is_paid_for_twice() {
    // The paid step, and each of those that are free.
    let steps = [
        "sarvam",
        "sarvam/make",
        "sarvam/upload-files",
        "sarvam/put",
        "sarvam/status",
        "sarvam/download-files",
        "sarvam/get",
    ];
    through_all(VERBATIM, &steps).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_goes_wrong_at_assemblyai_nothing_is_paid_for_twice() {
    let steps = [
        "assemblyai",
        "assemblyai/upload",
        "assemblyai/get",
        "assemblyai/list",
        "assemblyai/delete",
    ];
    through_all(UNIVERSAL, &steps).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transcript_whose_answer_is_lost_is_found_by_its_upload() {
    let (machine, client) = machine().await;
    let dataset = dataset(&machine, &client, &[("hi", "six"), ("ta", "seven")]).await;
    // Of one, and of all that a unit asks for.
    for lost in [1, 2] {
        let (before, made) = (
            machine.speech().ledger().charges.len(),
            asked(&machine, "POST /assemblyai/v2/transcript"),
        );
        for _ in 0..lost {
            machine.speech().fault("assemblyai", Fault::LostReply);
        }
        let run = machine.run(&client, &dataset, &[UNIVERSAL]).await;
        let run = machine.ended(&client, &run).await;
        assert_eq!(run["counts"]["completed"], 2, "{run}");
        assert_eq!(paid(&machine, before), 2);
        let requests = asked(&machine, "POST /assemblyai/v2/transcript");
        assert_eq!(requests - made, 2, "asked again");
    }
    machine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_without_an_answer_is_looked_up_and_made_on_the_same_job() {
    let (machine, client) = machine().await;
    let dataset = dataset(&machine, &client, &[("hi", "six"), ("ta", "seven")]).await;
    for (fault, starts) in [
        // Not started: again, on the jobs that are there.
        (Fault::LostRequest, 3),
        // Started: the other part is left, and the round that follows by itself or a
        // person asks for it.
        (Fault::Silence, 1),
    ] {
        let (made, begun) = (asked(&machine, "/job/v1"), asked(&machine, "/start"));
        let before = machine.speech().ledger().charges.len();
        machine.speech().fault("sarvam", fault.clone());
        let run = machine.run(&client, &dataset, &[VERBATIM]).await;
        let run = machine.ended(&client, &run).await;
        assert_eq!(asked(&machine, "/job/v1") - made, 2, "{fault:?}");
        assert_eq!(asked(&machine, "/start") - begun, starts, "{fault:?}");
        let paid = paid(&machine, before);
        assert_eq!(run["counts"]["completed"], paid, "{fault:?}: {run}");
        assert_eq!(paid, if starts == 3 { 2 } else { 1 }, "{fault:?}");
        if paid == 1 {
            let results = results(&client, &run).await;
            let failed = results.iter().find(|one| one["status"] == "failed");
            assert_eq!(failed.unwrap()["error_code"], "provider_missing");
        }
    }
    machine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_that_fail_are_told_one_by_one() {
    let (machine, client) = machine().await;
    let dataset = dataset(&machine, &client, &[("hi", "six"), ("hi", "seven")]).await;
    let wrong = Fault::Refuse {
        status: 0,
        headers: Default::default(),
        body: "API Error".to_owned(),
    };
    // The first one of the first round, and of the round that follows by itself.
    machine.speech().fault("sarvam/file", wrong.clone());
    machine.speech().fault("sarvam/file", Fault::LostRequest);
    machine.speech().fault("sarvam/file", wrong);
    let run = machine.run(&client, &dataset, &[VERBATIM]).await;
    let run = machine.ended(&client, &run).await;
    assert_eq!(
        (&run["counts"]["completed"], &run["counts"]["failed"]),
        (&json!(1), &json!(1)),
        "{run}"
    );
    let results = results(&client, &run).await;
    let failed = results.iter().find(|one| one["status"] == "failed");
    assert_eq!(failed.unwrap()["error_code"], "provider_error");
    machine.stop().await;
}
