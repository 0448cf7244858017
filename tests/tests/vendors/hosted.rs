//! Vendors that answer each item in its call, against their doubles: a run of all of
//! them, and whatever can go wrong with a paid request.

use serde_json::{Value, json};
use speech_sim::Fault;
use stt_eval_tests::audio::{sha256, wav};
use stt_eval_tests::{Client, Machine, MachineOptions};

const HOSTED: [&str; 7] = [
    "openai/gpt-transcribe",
    "groq/whisper-large-v3",
    "groq/whisper-large-v3-turbo",
    "mistral/voxtral-mini-transcribe-3",
    "mistral/voxtral-mini-2602",
    "elevenlabs/scribe_v2",
    "deepgram/nova-3",
];

/// What credentials are kept for.
const VENDORS: [&str; 5] = ["openai", "groq", "mistral", "elevenlabs", "deepgram"];

async fn machine() -> (Machine, Client) {
    let machine = Machine::start_with(MachineOptions::default()).await;
    let client = machine.client("demo");
    for vendor in VENDORS {
        let key = json!({ "api_key": format!("key-for-{vendor}") });
        let kept = client.put(&format!("/credentials/{vendor}"), &key).await;
        kept.data(200);
    }
    (machine, client)
}

/// A dataset of these texts, which every vendor hears rightly.
pub(super) async fn dataset(
    machine: &Machine,
    client: &Client,
    name: &str,
    texts: &[&str],
) -> String {
    let id = machine.dataset(client, name, texts).await;
    for (number, text) in (0u32..).zip(texts) {
        // The seed of `Machine::dataset`.
        let seed = number.wrapping_add(name.bytes().map(u32::from).sum::<u32>() * 1_000);
        machine.speech().record(&sha256(&wav(seed, 0.5)), text);
    }
    id
}

pub(super) async fn results(client: &Client, run: &Value) -> Vec<Value> {
    let path = format!("/runs/{}/results?limit=100", run["id"].as_str().unwrap());
    client
        .get(&path)
        .await
        .data(200)
        .as_array()
        .unwrap()
        .clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_over_hosted_vendors_hears_and_pays_for_everything_once() {
    let (machine, client) = machine().await;
    let wrong = json!({ "api_key": "wrong-key" });
    for vendor in VENDORS {
        let refused = client.put(&format!("/credentials/{vendor}"), &wrong).await;
        assert_eq!(refused.refused(422), ["api_key"], "{vendor}");
    }
    let dataset = dataset(&machine, &client, "d", &["one two", "three", "four five"]).await;
    let run = machine.run(&client, &dataset, &HOSTED).await;
    let run = machine.ended(&client, &run).await;
    assert_eq!(run["status"], "completed", "{run}");
    let results = results(&client, &run).await;
    assert_eq!(results.len(), 21);
    for result in &results {
        assert_eq!(result["transcription"], result["ground_truth"], "{result}");
        assert!(result["latency_ms"].is_u64(), "{result}");
        assert!(result["cost_usd"].as_f64().unwrap() > 0.0, "{result}");
    }
    // Two words of half a second, where the vendor tells when they were said.
    let shown = |id: &str| {
        let of = results.iter().filter(|one| one["provider"] == id);
        let mut of = of.filter(|one| one["transcription"] == "one two");
        of.next().unwrap()["id"].as_str().unwrap().to_owned()
    };
    let both = json!([{ "start": 0, "at_ms": 0 }, { "start": 4, "at_ms": 250 }]);
    for (id, times) in [
        ("deepgram/nova-3", both.clone()),
        ("elevenlabs/scribe_v2", both),
        // A phrase is all that it tells.
        ("groq/whisper-large-v3", json!([{ "start": 0, "at_ms": 0 }])),
        ("openai/gpt-transcribe", Value::Null),
    ] {
        let path = format!("/results/{}", shown(id));
        let with = client.get(&format!("{path}?include_alignment=true")).await;
        assert_eq!(with.data(200)["word_times"], times, "{id}");
        assert!(
            client
                .get(&path)
                .await
                .data(200)
                .get("word_times")
                .is_none()
        );
    }
    // Ten seconds at least are billed by Groq.
    let cost = |id: &str| {
        let of = results.iter().find(|one| one["provider"] == id).unwrap();
        of["cost_usd"].as_f64().unwrap()
    };
    // Costs are told to a millionth of a dollar.
    let groq = cost("groq/whisper-large-v3");
    assert!((groq - 0.111 / 360.0).abs() < 1e-6, "{groq}");
    let ledger = machine.speech().ledger();
    assert_eq!((ledger.charges.len(), ledger.most_for_one()), (21, 1));
    machine.stop().await;
}

/// What was told before is what is charged, where a vendor bills by length: of clips of all
/// lengths, with what the vendor says it measured.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_estimate_is_what_is_charged() {
    let (machine, client) = machine().await;
    let mut samples = Vec::new();
    for (seed, seconds) in [(1, 0.4), (2, 3.7), (3, 11.2), (4, 30.0), (5, 61.5)] {
        let name = format!("{seed}.wav");
        let file = machine
            .upload(&client, &name, "audio/wav", &wav(seed, seconds))
            .await;
        samples.push(json!({ "file_id": file["id"], "ground_truth": "a" }));
    }
    let dataset = json!({ "name": "d", "language": "en", "samples": samples });
    let dataset = client.post("/datasets", &dataset).await.data(201)["id"].clone();
    let models = [HOSTED[0], HOSTED[1], HOSTED[3], HOSTED[5], HOSTED[6]];
    let wanted = json!({ "run_name": "r", "dataset_id": dataset, "providers": models });
    let told = client
        .post("/runs/estimate", &wanted)
        .await
        .data(200)
        .clone();
    let run = client.post("/runs", &wanted).await.data(202).clone();
    let run = machine.ended(&client, &run).await;
    assert_eq!(run["counts"]["completed"], 25, "{run}");
    for model in told["models"].as_array().unwrap() {
        let id = model["model"].as_str().unwrap();
        let estimated = model["cost_usd"].as_f64().unwrap();
        let charged = run["score"][id]["cost_usd"].as_f64().unwrap();
        let ratio = charged / estimated;
        println!("{id}: estimated {estimated}, charged {charged}, ratio {ratio:.3}");
        // An estimate of a clip is rounded up to a second where its vendor's meter tells less.
        assert!((0.95..=1.005).contains(&ratio), "{id}: {ratio}");
    }
    machine.stop().await;
}

/// Clips are sent in their order while they fit, each to all models; what is charged
/// counts for retries, which may be given more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_stops_at_what_it_may_cost() {
    let (machine, client) = machine().await;
    let dataset = dataset(&machine, &client, "d", &["one two", "three", "four five"]).await;
    let models = [HOSTED[0], HOSTED[6]];
    let body = json!({
        "run_name": "capped", "dataset_id": dataset, "providers": models,
        // A second of each costs 75 and 72 millionths.
        "max_cost_usd": 0.000_3,
    });
    let run = client.post("/runs", &body).await.data(202).clone();
    assert_eq!(run["max_cost_usd"], 0.000_3);
    let warnings = run["warnings"].as_array().unwrap();
    let codes: Vec<_> = warnings.iter().map(|told| told["code"].as_str()).collect();
    assert_eq!(codes, [Some("cost_may_exceed_cap"); 2], "{warnings:?}");
    let run = machine.ended(&client, &run).await;
    assert_eq!(run["counts"]["completed"], 4, "{run}");
    let held = results(&client, &run).await;
    let held: Vec<_> = held
        .iter()
        .filter(|result| result["status"] == "failed")
        .collect();
    assert_eq!(held.len(), 2);
    assert!(
        held.iter()
            .all(|one| one["error_code"] == "cost_cap_reached")
    );
    assert_eq!(held[0]["sample_id"], held[1]["sample_id"]);
    // What was not sent costs nothing, and uses up nothing of the cap.
    let scores = run["score"].as_object().unwrap().values();
    let spent: f64 = scores.map(|one| one["cost_usd"].as_f64().unwrap()).sum();
    assert!((spent - 2.0 * 0.000_147).abs() < 5e-6, "{spent}");
    // Not enough is left for another clip: no round is spent on that.
    let path = format!("/runs/{}/retry", run["id"].as_str().unwrap());
    for too_little in [json!({}), json!({ "max_cost_usd": 0.000_31 })] {
        let told = client.post(&path, &too_little).await;
        told.refused(409);
        assert!(
            told.text.contains("max_cost_usd is used up"),
            "{}",
            told.text
        );
    }
    assert_eq!(machine.speech().ledger().charges.len(), 4);
    let refused = client.post(&path, &json!({ "max_cost_usd": 0 })).await;
    assert_eq!(refused.refused(422), ["max_cost_usd"]);
    // As much as the estimate says is enough for all of it.
    let wanted = json!({ "run_name": "capped", "dataset_id": dataset, "providers": models });
    let estimate = client
        .post("/runs/estimate", &wanted)
        .await
        .data(200)
        .clone();
    let more = json!({ "max_cost_usd": estimate["cost_usd"] });
    let again = client.post(&path, &more).await.data(202).clone();
    let again = machine.ended(&client, &again).await;
    assert_eq!(again["counts"]["completed"], 6, "{again}");
    let ledger = machine.speech().ledger();
    assert_eq!((ledger.charges.len(), ledger.most_for_one()), (6, 1));
    machine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_empty_account_is_told_and_fails_nothing() {
    let (machine, client) = machine().await;
    let dataset = dataset(&machine, &client, "d", &["one two"]).await;
    let quota = r#"{"error":{"message":"m","type":"insufficient_quota"}}"#;
    for _ in 0..3 {
        let empty = Fault::Refuse {
            status: 429,
            headers: Default::default(),
            body: quota.to_owned(),
        };
        machine.speech().fault("openai", empty);
    }
    let run = machine.run(&client, &dataset, &[HOSTED[0]]).await;
    let path = format!("/runs/{}", run["id"].as_str().unwrap());
    let waiting = machine.wait("the run waits", async || {
        let run = client.get(&path).await.data(200).clone();
        let waiting = run["waiting"].as_array().unwrap().first()?.clone();
        (waiting["waiting_reason"] == "provider_out_of_credit").then_some(waiting)
    });
    assert_eq!(waiting.await["items"], 1);
    let run = machine.ended(&client, &run).await;
    assert_eq!(run["counts"]["completed"], 1, "{run}");
    machine.stop().await;
}

fn refuse(status: u16, body: &str) -> Fault {
    Fault::Refuse {
        status,
        headers: [("retry-after".to_owned(), "0".to_owned())].into(),
        body: body.to_owned(),
    }
}

/// What goes wrong with the first paid request, and the code that the first item then
/// ends with; `None` where it is transcribed all the same.
fn troubles() -> Vec<(Fault, Option<&'static str>)> {
    let lie = |body: &str| Fault::Lie {
        body: body.to_owned(),
    };
    let plain = |status, body: &str| Fault::Refuse {
        status,
        headers: Default::default(),
        body: body.to_owned(),
    };
    // More than is read of an answer.
    let long = format!(r#"{{"text":"{}"}}"#, "x".repeat(5 << 20));
    let quota = r#"{"error":{"message":"You exceeded your quota","type":"insufficient_quota","code":"insufficient_quota"}}"#;
    vec![
        (
            refuse(
                429,
                r#"{"error":{"message":"slow down","code":"rate_limit_exceeded"}}"#,
            ),
            None,
        ),
        (refuse(503, "busy"), None),
        (plain(429, quota), None),
        (plain(402, "{}"), None),
        (plain(401, "{}"), None),
        (plain(403, r#"{"detail":"Forbidden"}"#), None),
        (Fault::LostRequest, Some("outcome_unknown")),
        (Fault::LostReply, Some("outcome_unknown")),
        (plain(500, "<html>"), Some("outcome_unknown")),
        (plain(502, ""), Some("outcome_unknown")),
        (plain(503, ""), Some("outcome_unknown")),
        (plain(409, "{}"), Some("outcome_unknown")),
        (lie("{\"text\": \"cut o"), Some("answer_unusable")),
        (lie("<html>ok</html>"), Some("answer_unusable")),
        (lie(&long), Some("answer_unusable")),
        (lie("{}"), Some("provider_malformed")),
        (lie(r#"{"text": 7}"#), Some("provider_malformed")),
        (
            lie(r#"{"text":"","error":{"message":"overloaded"}}"#),
            Some("error_in_answer"),
        ),
        (
            plain(400, r#"{"error":"no"}"#),
            Some("provider_refused_audio"),
        ),
        (plain(413, ""), Some("provider_refused_audio")),
        (plain(415, ""), Some("provider_refused_audio")),
        (
            plain(422, r#"{"detail":[{"loc":["body"],"msg":"bad"}]}"#),
            Some("provider_refused_audio"),
        ),
        (
            plain(404, r#"{"error":{"code":"model_not_found"}}"#),
            Some("provider_model_unavailable"),
        ),
        (
            Fault::Refuse {
                status: 307,
                headers: [("location".to_owned(), "http://169.254.169.254/".to_owned())].into(),
                body: String::new(),
            },
            Some("provider_redirected"),
        ),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_goes_wrong_nothing_is_paid_for_twice_by_itself() {
    let (machine, client) = machine().await;
    let dataset = dataset(&machine, &client, "d", &["one two", "three"]).await;
    for (number, (fault, code)) in troubles().into_iter().enumerate() {
        let before = machine.speech().ledger().charges.len();
        machine.speech().fault("openai", fault.clone());
        let run = machine
            .run(&client, &dataset, &[HOSTED[0], HOSTED[1]])
            .await;
        let run = machine.ended(&client, &run).await;
        let results = results(&client, &run).await;
        let failed: Vec<&Value> = results
            .iter()
            .filter(|one| one["status"] == "failed")
            .collect();
        let codes: Vec<_> = failed.iter().map(|one| &one["error_code"]).collect();
        match code {
            None => assert!(failed.is_empty(), "{fault:?}: {codes:?}"),
            Some(code) => {
                assert_eq!(codes, [&json!(code)], "{fault:?}");
                assert_eq!(failed[0]["provider"], HOSTED[0], "{fault:?}");
            }
        }
        // Each item once by each vendor, or not at all: never twice.
        let ledger = machine.speech().ledger();
        let paid = &ledger.charges[before..];
        let mut once = paid.to_vec();
        once.sort();
        once.dedup();
        assert_eq!(once.len(), paid.len(), "{number}: {fault:?} {paid:?}");
    }
    machine.stop().await;
}
