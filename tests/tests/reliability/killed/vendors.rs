//! A run over vendors of three kinds: batches, jobs that are paid for when they are
//! started, and calls that nobody can look up afterwards.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use gemini_sim::{GeminiSim, Recording, SimConfig};
use serde_json::json;
use speech_sim::SpeechSim;
use stt_eval_tests::audio::{sha256, wav};
use tokio::net::TcpListener;

use super::{PATIENCE, Process, binary, results, start, upload};
use crate::draw::{Dice, setting};
use crate::rig::{Case, Ground, Options, PRO};

const CALLS: &str = "openai/gpt-transcribe";
const JOBS: &str = "sarvam/saaras-v4";
/// Samples: two units of calls, two of jobs.
const SAMPLES: u32 = 70;

/// What became of one sample with one vendor, in all runs.
#[derive(Debug, Default)]
struct Told {
    completed: usize,
    /// "It may have been done and billed."
    unknown: usize,
}

async fn dataset(process: &Process, sim: &GeminiSim) -> (String, BTreeMap<String, String>) {
    let (mut samples, mut sums) = (Vec::new(), BTreeMap::new());
    for number in 0..SAMPLES {
        let audio = wav(20_000 + number, 0.05);
        let sum = sha256(&audio);
        sim.recordings()
            .insert(&sum, PRO, Recording::text("one two"));
        let file = upload(&process.client, number, audio).await;
        samples.push(json!({ "file_id": &file, "ground_truth": "one two" }));
        sums.insert(file, sum);
    }
    let wanted = json!({ "name": "three", "language": "en", "samples": samples });
    let made = process.client.post("/datasets", &wanted).await;
    (made.data(201)["id"].as_str().unwrap().to_owned(), sums)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_over_three_vendors_pays_once_for_each_item_or_says_that_it_does_not_know() {
    let kills = setting("RELIABILITY_KILLS", 50);
    let seed = setting("RELIABILITY_SEED", 1);
    let mut dice = Dice::new(seed);
    // The first app of a process installs its TLS provider.
    Case::start(&Ground::start().await, Options::default())
        .await
        .end()
        .await;
    let binary = tokio::task::spawn_blocking(binary).await.unwrap();
    let data = tempfile::tempdir().unwrap();
    let listen = || TcpListener::bind(("127.0.0.1", 0));
    let config = SimConfig {
        batch_delay: Duration::from_secs(1),
        ..SimConfig::default()
    };
    let gemini = GeminiSim::start(listen().await.unwrap(), config);
    let gemini = gemini.await.unwrap();
    let speech = SpeechSim::start(listen().await.unwrap()).await.unwrap();
    let others: Vec<String> = speech
        .vendor_urls()
        .into_iter()
        .map(|(vendor, url)| format!("{vendor}={url}"))
        .collect();
    let others = others.join(",");
    let address = gemini.url();
    let begin = || start(&binary, data.path(), &address, &others);
    let mut process = begin().await;
    for vendor in ["openai", "sarvam"] {
        let key = json!({ "api_key": format!("key-for-{vendor}") });
        let path = format!("/credentials/{vendor}");
        process.client.put(&path, &key).await.data(200);
    }
    let (dataset, sums) = dataset(&process, &gemini).await;

    let (mut killed, mut runs) = (0, Vec::<String>::new());
    let begun = Instant::now();
    // One run may end before it was killed often enough; then another begins.
    while killed < kills || runs.is_empty() {
        let wanted =
            json!({ "run_name": "r", "dataset_id": dataset, "providers": [PRO, CALLS, JOBS] });
        let made = process.client.post("/runs", &wanted).await;
        let run = made.data(202)["id"].as_str().unwrap().to_owned();
        runs.push(run.clone());
        loop {
            if killed < kills {
                // When it strikes is chance; that it strikes is the test.
                tokio::time::sleep(Duration::from_millis(50 + dice.below(700))).await;
                process.kill().await;
                killed += 1;
                process = begin().await;
            } else {
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
            let now = process.client.get(&format!("/runs/{run}")).await;
            let now = now.data(200);
            if !["pending", "processing"].contains(&now["status"].as_str().unwrap()) {
                break;
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "seed {seed}, {killed} kills: stuck: {now}"
            );
        }
    }

    let mut told: BTreeMap<(String, String), Told> = BTreeMap::new();
    let mut unknown = 0;
    for run in &runs {
        let results = results(&process.client, run).await;
        assert_eq!(results.len(), 3 * SAMPLES as usize, "seed {seed}");
        for result in &results {
            let model = result["provider"].as_str().unwrap().to_owned();
            let sum = sums[result["file_id"].as_str().unwrap()].clone();
            let told = told.entry((model.clone(), sum)).or_default();
            if result["transcription"].is_string() {
                told.completed += 1;
                continue;
            }
            // Only a call that was under way at a kill can have been lost.
            let lost = (model.as_str(), &result["error_code"]);
            assert_eq!(lost, (CALLS, &json!("outcome_unknown")), "{result}");
            told.unknown += 1;
            unknown += 1;
        }
    }
    assert!(
        unknown <= 4 * killed as usize,
        "each kill costs at most what was under way: {unknown}"
    );
    let mut charged: BTreeMap<(String, String), usize> = BTreeMap::new();
    let ledger = speech.ledger();
    for charge in &ledger.charges {
        let model = match &*charge.vendor {
            "openai" => CALLS,
            "sarvam" => JOBS,
            other => panic!("{other} was never asked for"),
        };
        let key = (model.to_owned(), charge.audio.clone());
        *charged.entry(key).or_default() += 1;
    }
    for ((model, sum), told) in &told {
        if model == PRO {
            continue;
        }
        let key = (model.clone(), sum.clone());
        let charged = charged.get(&key).copied().unwrap_or_default();
        assert!(
            (told.completed..=told.completed + told.unknown).contains(&charged),
            "seed {seed}: {model} {sum} was charged {charged} times: {told:?}"
        );
    }
    let batches = gemini.batches().await;
    assert!(
        batches.iter().all(|batch| batch.state == "SUCCEEDED"),
        "seed {seed}: {batches:?}"
    );
    assert_eq!(batches.len(), runs.len(), "seed {seed}: {batches:?}");
    println!(
        "seed {seed}: {killed} kills, {} runs of {SAMPLES} × 3, {} charges, {unknown} items unknown; {:?} in all",
        runs.len(),
        ledger.charges.len(),
        begun.elapsed()
    );
    process.kill().await;
    gemini.shutdown().await;
    speech.shutdown().await;
}
