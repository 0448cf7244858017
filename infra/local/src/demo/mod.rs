//! The main job, from the outside: recordings in, scored transcriptions out.
//!
//! Everything here goes through public doors, HTTP and presigned URLs, as it
//! would against a deployment.

mod client;
mod ready;
mod show;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use include_dir::{Dir, include_dir};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::cloud::Cloud;
use crate::error::NodeError;
use crate::options::Providers;
use client::Client;
pub(crate) use ready::Ready;

static CLIPS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/clips");

/// Models the demo compares.
const MODELS: [&str; 2] = ["gemini-2.5-pro", "gemini-2.5-flash"];
/// The recogniser of this machine, where it has it.
const LISTENER: &str = "local/pocketsphinx";
/// Longest wait for the files, and for a simulated run.
const PATIENCE: Duration = Duration::from_secs(60);
/// Longest wait for a recogniser of this machine, which may be slow.
const LISTENING: Duration = Duration::from_secs(600);
/// Longest wait for a run at the real provider.
const REAL_PATIENCE: Duration = Duration::from_secs(6 * 3_600);

/// A bundled recording.
#[derive(Debug, Clone, Deserialize)]
pub struct Clip {
    /// Name of the file.
    pub file: String,
    /// BCP-47 tag.
    pub language: String,
    /// What is said in it.
    pub ground_truth: String,
    /// Type of the file.
    pub content_type: String,
    /// SHA-256, hex.
    pub sha256: String,
    /// Length of the file in bytes.
    pub size_bytes: u64,
    /// Length of the recording in seconds.
    pub duration_seconds: f64,
}

/// The bundled recordings and their bytes.
pub fn clips() -> Result<Vec<(Clip, &'static [u8])>, NodeError> {
    let list = CLIPS
        .get_file("clips.jsonl")
        .and_then(|file| file.contents_utf8())
        .ok_or_else(|| NodeError("the list of clips is missing".into()))?;
    list.lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| {
            let clip: Clip = serde_json::from_str(line)
                .map_err(|e| NodeError(format!("the list of clips can't be read: {e}")))?;
            let bytes = CLIPS
                .get_file(&clip.file)
                .ok_or_else(|| NodeError(format!("the clip {} is missing", clip.file)))?
                .contents();
            Ok((clip, bytes))
        })
        .collect()
}

/// What the demo is shown on.
#[derive(Clone, Copy)]
pub struct Stage<'a> {
    /// Base URL of the api.
    pub url: &'a str,
    /// Admin keys by project.
    pub api_keys: &'a BTreeMap<String, String>,
    /// Where requests are counted.
    pub cloud: &'a Cloud,
}

/// Runs the demo on a machine that has been started. `listens`: whether it has the
/// recogniser of [`crate::recogniser::pocketsphinx`], or what is missing.
pub async fn run(
    stage: Stage<'_>,
    providers: &Providers,
    listens: Result<(), String>,
) -> Result<(), NodeError> {
    let begun = Instant::now();
    let (project, key) = stage
        .api_keys
        .first_key_value()
        .ok_or_else(|| NodeError("there is no project".into()))?;
    let client = Client::new(stage.url, key)?;
    println!("stt-eval demo · project {project} · api {}", stage.url);

    let clips = clips()?;
    let languages: std::collections::BTreeSet<&str> = clips
        .iter()
        .map(|(clip, _)| clip.language.as_str())
        .collect();
    let ids = upload(&client, &clips).await?;
    println!(
        "uploaded {} synthesized clips in {} languages by presigned URL ({:.1} s)",
        clips.len(),
        languages.len(),
        begun.elapsed().as_secs_f64()
    );

    let samples = samples(&clips, &ids);
    // A machine that is used again has a dataset of this name already.
    let now = stt_eval_shared::domain::Timestamp::now().to_string();
    let name = format!("Bundled clips, {} {}", &now[..10], &now[11..19]);
    let dataset = client
        .post(
            "/datasets",
            &json!({ "name": name, "language": "en", "samples": samples }),
        )
        .await?;
    let run = client
        .post(
            "/runs",
            &json!({
                "run_name": "Demo", "dataset_id": dataset["id"], "providers": MODELS,
            }),
        )
        .await?;
    println!(
        "dataset {} · run {} · {} items",
        text(&dataset["id"]),
        text(&run["id"]),
        run["total_items"]
    );
    let patience = match providers {
        Providers::Simulated => PATIENCE,
        Providers::At(_) | Providers::Real => REAL_PATIENCE,
    };
    let run = follow(&client, text(&run["id"]), patience).await?;
    println!();
    println!("{}", show::models(&run));
    let path = format!("/runs/{}/report", text(&run["id"]));
    println!("{}", show::verdict(&client.get(&path).await?));
    println!();

    let path = format!(
        "/runs/{}/results?sort=-wer&limit=5&include_alignment=true",
        text(&run["id"])
    );
    let worst = client.get(&path).await?;
    println!("Worst samples ([-missing-] {{+added+}} [-said-]{{+heard+}})");
    for result in worst.as_array().into_iter().flatten() {
        println!("{}", show::result(result));
    }
    let path = format!("/runs/{}/results?status=failed&limit=5", text(&run["id"]));
    let failed = client.get(&path).await?;
    for result in failed.as_array().into_iter().flatten() {
        println!("{}", show::failure(result));
    }
    println!();
    println!("{}", show::provenance(providers));
    println!();
    match listens {
        Ok(()) => really_listen(&client, &samples, &name, patience.max(LISTENING)).await?,
        Err(why_not) => println!("{}", show::how_to_listen(&why_not)),
    }
    println!(
        "{}",
        show::requests(&stage.cloud.request_counts(), clips.len())
    );
    println!("{:.1} s in all", begun.elapsed().as_secs_f64());
    match text(&run["status"]) {
        "completed" => Ok(()),
        other => Err(NodeError(format!("the run ended {other}"))),
    }
}

/// A second run, on the English clips, with a recogniser of this machine beside the
/// others.
async fn really_listen(
    client: &Client,
    samples: &[Value],
    name: &str,
    patience: Duration,
) -> Result<(), NodeError> {
    let english: Vec<&Value> = samples
        .iter()
        .filter(|one| one["language"] == "en")
        .collect();
    let dataset =
        json!({ "name": format!("{name}, English"), "language": "en", "samples": english });
    let dataset = client.post("/datasets", &dataset).await?;
    let mut models = MODELS.to_vec();
    models.push(LISTENER);
    let run = json!({
        "run_name": "Demo, really listening", "dataset_id": dataset["id"], "providers": models,
    });
    let run = client.post("/runs", &run).await?;
    println!(
        "{} English clips once more, with a recogniser of this machine",
        english.len()
    );
    let run = follow(client, text(&run["id"]), patience).await?;
    println!();
    println!("{}", show::models(&run));
    let path = format!(
        "/runs/{}/results?provider={LISTENER}&limit=10&include_alignment=true",
        text(&run["id"])
    );
    let heard = client.get(&path).await?;
    for result in heard.as_array().into_iter().flatten() {
        println!("{}", show::result(result));
    }
    println!(
        "{LISTENER} is REAL: it listened to these clips just now, on this machine. It is a small model \
         of 2015,\nand its errors are its own."
    );
    println!();
    match text(&run["status"]) {
        "completed" => Ok(()),
        other => Err(NodeError(format!("the run ended {other}"))),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The clips as samples of a dataset.
fn samples(clips: &[(Clip, &'static [u8])], ids: &[String]) -> Vec<Value> {
    let samples = clips.iter().zip(ids).map(|((clip, _), id)| {
        json!({
            "file_id": id,
            "ground_truth": clip.ground_truth,
            "metadata": { "language": clip.language },
            "language": clip.language,
        })
    });
    samples.collect()
}

/// Uploads the clips; gives the files' ids once they are ready.
async fn upload(
    client: &Client,
    clips: &[(Clip, &'static [u8])],
) -> Result<Vec<String>, NodeError> {
    let files: Vec<Value> = clips
        .iter()
        .map(|(clip, _)| {
            json!({
                "filename": clip.file,
                "content_type": clip.content_type,
                "size_bytes": clip.size_bytes,
                "checksum_sha256": clip.sha256,
            })
        })
        .collect();
    let made = client.post("/files", &json!({ "files": files })).await?;
    let made = made["files"].as_array().cloned().unwrap_or_default();
    let uploads = made
        .iter()
        .zip(clips)
        .map(|(made, (_, bytes))| client.put_presigned(&made["upload"], bytes));
    futures::future::try_join_all(uploads).await?;
    let ids: Vec<String> = made
        .iter()
        .map(|made| text(&made["file"]["id"]).to_owned())
        .collect();
    let begun = Instant::now();
    loop {
        let listed = client.get("/files?limit=100").await?;
        let states: BTreeMap<&str, &Value> = listed
            .as_array()
            .into_iter()
            .flatten()
            .map(|file| (text(&file["id"]), file))
            .collect();
        let mut waiting = 0;
        for id in &ids {
            match states
                .get(id.as_str())
                .map(|file| (text(&file["status"]), *file))
            {
                Some(("ready", _)) => {}
                Some(("rejected", file)) => {
                    return Err(NodeError(format!(
                        "{} was rejected: {}",
                        text(&file["filename"]),
                        text(&file["rejection_reason"])
                    )));
                }
                _ => waiting += 1,
            }
        }
        if waiting == 0 {
            return Ok(ids);
        }
        if begun.elapsed() > PATIENCE {
            return Err(NodeError(format!(
                "{waiting} files were not registered in time"
            )));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Shows a run's progress until it ends.
async fn follow(client: &Client, run: &str, patience: Duration) -> Result<Value, NodeError> {
    let begun = Instant::now();
    let mut shown = String::new();
    loop {
        let run = client.get(&format!("/runs/{run}")).await?;
        let counts = &run["counts"];
        let line = format!(
            "{}: {} pending, {} completed, {} failed",
            text(&run["status"]),
            counts["pending"],
            counts["completed"],
            counts["failed"]
        );
        if line != shown {
            println!("  {:5.1} s  {line}", begun.elapsed().as_secs_f64());
            shown = line;
        }
        if !matches!(text(&run["status"]), "pending" | "processing") {
            return Ok(run);
        }
        if begun.elapsed() > patience {
            return Err(NodeError("the run did not end in time".into()));
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
