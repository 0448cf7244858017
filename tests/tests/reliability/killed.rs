//! The real process, killed without warning again and again while it works.
//! The provider lives on outside of it.

mod vendors;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use futures::{StreamExt, stream};
use gemini_sim::{GeminiSim, Recording, SimConfig};
use serde_json::{Value, json};
use stt_eval_tests::Client;
use stt_eval_tests::audio::{sha256, wav};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};

use crate::draw::{Dice, setting};
use crate::rig::{Case, FLASH, Ground, Options, PRO};

const SAMPLES: u32 = 500;
const PATIENCE: Duration = Duration::from_secs(900);

/// The command, built if it is not up to date, unless it is said where it is: to
/// build it by itself is to build it with other features than all together, and
/// what is built next once more.
fn binary() -> PathBuf {
    if let Some(built) = std::env::var_os("STT_EVAL_LOCAL_BIN") {
        return built.into();
    }
    // target/<profile>/deps/<this test>
    let own = std::env::current_exe().unwrap();
    let folder = own.parent().unwrap().parent().unwrap();
    let profile = match folder.file_name().unwrap().to_str().unwrap() {
        "debug" => "dev",
        other => other,
    };
    let built = std::process::Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--profile", profile])
        .args(["--package", "stt-eval-local", "--bin", "stt-eval-local"])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap())
        .status();
    assert!(built.unwrap().success(), "stt-eval-local can't be built");
    folder.join("stt-eval-local")
}

struct Process {
    child: Child,
    client: Client,
}

async fn start(binary: &Path, data: &Path, gemini: &str, others: &str) -> Process {
    let mut child = Command::new(binary)
        .args([
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--poll-interval",
            "200ms",
            "--gemini",
            gemini,
            // It is a double, which the machine can't know.
            "--set",
            r#"PROVIDER_LIMITS={"google":{"grace_seconds":3,"settle_seconds":5,"quota_hold_seconds":0}}"#,
            "--set",
        ])
        .arg(format!("PROVIDER_URLS=google={gemini},{others}"))
        .arg("--data")
        .arg(data)
        .env("RUST_LOG", "error")
        .env_remove("GEMINI_API_KEY")
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = lines.next_line().await.unwrap().expect("it did not start");
    let ready: Value = serde_json::from_str(&line).unwrap();
    let key = ready["api_keys"]["demo"].as_str().unwrap();
    Process {
        child,
        client: Client::new(ready["url"].as_str().unwrap(), Some(key)),
    }
}

impl Process {
    /// SIGKILL.
    async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }
}

async fn upload(client: &Client, number: u32, audio: Vec<u8>) -> String {
    let wanted = json!({
        "filename": format!("{number}.wav"), "content_type": "audio/wav", "size_bytes": audio.len(),
    });
    let made = client.post("/files", &wanted).await.data(201).clone();
    assert_eq!(client.put_upload(&made["upload"], audio).await, 200);
    let id = made["file"]["id"].as_str().unwrap().to_owned();
    let begun = Instant::now();
    while client.get(&format!("/files/{id}")).await.data(200)["status"] != "ready" {
        assert!(begun.elapsed() < PATIENCE, "{id} is never registered");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    id
}

async fn dataset(client: &Client, sim: &GeminiSim) -> String {
    let made = (0..SAMPLES).map(|number| async move {
        let audio = wav(10_000 + number, 0.05);
        for model in [PRO, FLASH] {
            let text = format!("sample number {number}");
            sim.recordings()
                .insert(&sha256(&audio), model, Recording::text(text));
        }
        let file = upload(client, number, audio).await;
        json!({ "file_id": file, "ground_truth": format!("sample number {number}") })
    });
    let samples: Vec<Value> = stream::iter(made).buffered(16).collect().await;
    let wanted = json!({ "name": "many", "language": "en", "samples": samples });
    client.post("/datasets", &wanted).await.data(201)["id"]
        .as_str()
        .unwrap()
        .to_owned()
}

async fn results(client: &Client, run: &str) -> Vec<Value> {
    let mut all = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = client
            .get(&format!("/runs/{run}/results?limit=100{cursor}"))
            .await;
        all.extend(page.data(200).as_array().unwrap().iter().cloned());
        match page.body["metadata"]["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return all,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_outlives_any_number_of_kills() {
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
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let config = SimConfig {
        batch_delay: Duration::from_secs(3),
        ..SimConfig::default()
    };
    let sim = GeminiSim::start(listener, config).await.unwrap();
    let mut process = start(&binary, data.path(), &sim.url(), "").await;
    let dataset = dataset(&process.client, &sim).await;

    let mut killed = 0;
    let mut runs: Vec<String> = Vec::new();
    let begun = Instant::now();
    // One run may end before it was killed often enough; then another begins.
    while killed < kills || runs.is_empty() {
        let wanted = json!({ "run_name": "r", "dataset_id": dataset, "providers": [PRO, FLASH] });
        let made = process
            .client
            .post("/runs", &wanted)
            .await
            .data(202)
            .clone();
        let run = made["id"].as_str().unwrap().to_owned();
        runs.push(run.clone());
        loop {
            if killed < kills {
                // When it strikes is chance; that it strikes is the test.
                tokio::time::sleep(Duration::from_millis(50 + dice.below(900))).await;
                process.kill().await;
                killed += 1;
                process = start(&binary, data.path(), &sim.url(), "").await;
            } else {
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
            let now = process
                .client
                .get(&format!("/runs/{run}"))
                .await
                .data(200)
                .clone();
            if !["pending", "processing"].contains(&now["status"].as_str().unwrap()) {
                break;
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "seed {seed}, {killed} kills: stuck: {now}"
            );
        }
    }
    for run in &runs {
        let ended = process
            .client
            .get(&format!("/runs/{run}"))
            .await
            .data(200)
            .clone();
        let all = u64::from(SAMPLES) * 2;
        assert_eq!(ended["status"], "completed", "seed {seed}: {ended}");
        let counts = json!({ "pending": 0, "completed": all, "failed": 0 });
        assert_eq!(ended["counts"], counts, "seed {seed}");
        let results = results(&process.client, run).await;
        let ids: BTreeSet<&str> = results.iter().map(|r| r["id"].as_str().unwrap()).collect();
        assert_eq!(
            (results.len() as u64, ids.len() as u64),
            (all, all),
            "seed {seed}"
        );
        assert!(
            results.iter().all(|r| r["transcription"].is_string()),
            "seed {seed}"
        );
    }
    let mut batches: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for batch in sim.batches().await {
        let name = batch.display_name.unwrap();
        let unit = name.rsplit_once("-a").unwrap().0.to_owned();
        batches.entry(unit).or_default().push(batch.state);
    }
    assert_eq!(batches.len(), runs.len() * 10, "seed {seed}: {batches:?}");
    assert!(
        batches.values().all(|states| *states == ["SUCCEEDED"]),
        "seed {seed}: {batches:?}"
    );
    // What was sent for the runs goes from the provider once they have ended;
    // outputs, which can't be deleted, go by themselves.
    let sent = || -> Vec<_> { sim.files().into_iter().filter(|f| !f.generated).collect() };
    while !sent().is_empty() || sim.batches().await.iter().any(|b| !b.deleted) {
        let left = sent();
        assert!(
            begun.elapsed() < PATIENCE,
            "seed {seed}: {} files stay, or batches: {:?}",
            left.len(),
            left.first()
        );
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    println!(
        "seed {seed}: {killed} kills, {} runs of {SAMPLES} × 2, {} batches, none twice; {:?} in all",
        runs.len(),
        batches.len(),
        begun.elapsed()
    );
    process.kill().await;
    sim.shutdown().await;
}
