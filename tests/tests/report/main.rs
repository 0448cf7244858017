//! Reports of runs and scoring again, through HTTP.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that can't go on has failed; the exception for tests does not cover helpers"
)]

mod clips;
mod failures;
mod fields;
mod figures;
mod limits;
mod progress;
mod refused;
mod rescoring;
mod resuming;

use gemini_sim::Recording;
use serde_json::{Value, json};
use stt_eval_tests::audio::{sha256, wav};
use stt_eval_tests::{Client, Machine};

/// A model.
pub const PRO: &str = "gemini-2.5-pro";
/// Another.
pub const FLASH: &str = "gemini-2.5-flash";

/// A sample to be made: reference, answers of the two models (`None`: blocked),
/// free fields.
pub struct Told {
    /// What is said.
    pub reference: Option<&'static str>,
    /// What the one answers.
    pub pro: Option<&'static str>,
    /// What the other answers.
    pub flash: Option<&'static str>,
    /// Free fields.
    pub metadata: Value,
}

/// One with a reference.
pub fn told(
    reference: &'static str,
    pro: Option<&'static str>,
    flash: Option<&'static str>,
    metadata: Value,
) -> Told {
    Told {
        reference: Some(reference),
        pro,
        flash,
        metadata,
    }
}

/// Teaches the simulator what the models say.
pub fn teach(machine: &Machine, audio: &[u8], model: &str, says: Option<&str>) {
    let recording = match says {
        Some(text) => Recording::text(text),
        None => Recording::finished("SAFETY", ""),
    };
    machine
        .sim()
        .recordings()
        .insert(&sha256(audio), model, recording);
}

/// Makes a dataset of recordings of half a second each.
pub async fn dataset(machine: &Machine, client: &Client, extra: Value, samples: &[Told]) -> Value {
    let mut rows = Vec::new();
    for (number, sample) in (0u32..).zip(samples) {
        let audio = wav(7_000 + number, 0.5);
        teach(machine, &audio, PRO, sample.pro);
        teach(machine, &audio, FLASH, sample.flash);
        let file = machine
            .upload(client, &format!("{number}.wav"), "audio/wav", &audio)
            .await;
        rows.push(json!({
            "file_id": file["id"], "ground_truth": sample.reference, "metadata": sample.metadata,
        }));
    }
    let mut body = json!({ "name": "set", "language": "en", "samples": rows });
    body.as_object_mut()
        .unwrap()
        .extend(extra.as_object().cloned().unwrap_or_default());
    client.post("/datasets", &body).await.data(201).clone()
}

/// A run from beginning to end.
pub async fn run(machine: &Machine, client: &Client, dataset: &Value) -> Value {
    let id = dataset["id"].as_str().unwrap();
    let run = machine.run(client, id, &[PRO, FLASH]).await;
    machine.ended(client, &run).await
}

/// The id of a thing.
pub fn id(thing: &Value) -> String {
    thing["id"].as_str().unwrap().to_owned()
}

/// The report of a run.
pub async fn report(client: &Client, run: &Value, query: &str) -> Value {
    let path = format!("/runs/{}/report?{query}", id(run));
    client.get(&path).await.data(200).clone()
}

/// Waits until no scoring is under way; gives the run.
pub async fn scored(machine: &Machine, client: &Client, run: &Value) -> Value {
    let path = format!("/runs/{}", id(run));
    machine
        .wait("the run is scored again", async || {
            let run = client.get(&path).await.data(200).clone();
            let mut scorings = run["scorings"].as_array().unwrap().iter();
            scorings
                .all(|scoring| scoring["status"] == "completed")
                .then_some(run)
        })
        .await
}

/// It is this number.
#[track_caller]
pub fn close(value: &Value, wanted: f64) {
    let value = value
        .as_f64()
        .unwrap_or_else(|| panic!("no number: {value}"));
    assert!(
        (value - wanted).abs() < 1e-12,
        "{value} instead of {wanted}"
    );
}
