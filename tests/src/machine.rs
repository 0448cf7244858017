//! A machine of its own for a test: embedded cloud, functions, simulator.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use gemini_sim::{GeminiSim, Recording};
use serde_json::{Value, json};
use speech_sim::SpeechSim;
use stt_eval_local::node::Node;
use stt_eval_local::options::NodeOptions;
use stt_eval_shared::providers::{self, CLIENTS};
use tempfile::TempDir;

use crate::audio::{sha256, wav};
use crate::client::Client;
use crate::emulator::Emulator;

/// How long anything is waited for before a test fails. Not a measure of
/// speed: machines are shared.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// How to start.
#[derive(Debug, Clone)]
pub struct MachineOptions {
    /// Projects to make.
    pub projects: Vec<&'static str>,
    /// Variables to replace.
    pub settings: Vec<(&'static str, &'static str)>,
    /// How long a simulated batch takes.
    pub batch_delay: Duration,
    /// Pause between polls.
    pub poll_interval: Duration,
    /// The vendors there are.
    pub vendors: Vec<&'static providers::Client>,
    /// Whether models of projects' own may be servers on this machine.
    pub own_models_on_loopback: bool,
    /// Programs that recognise speech, as `--recogniser` takes them.
    pub recognisers: Vec<String>,
    /// Whether DynamoDB's capacity units are counted, which only the embedded cloud does.
    pub metered: bool,
}

impl Default for MachineOptions {
    fn default() -> Self {
        Self {
            projects: vec!["demo", "other"],
            settings: Vec::new(),
            batch_delay: Duration::from_millis(100),
            poll_interval: Duration::from_millis(100),
            vendors: CLIENTS.to_vec(),
            own_models_on_loopback: false,
            recognisers: Vec::new(),
            metered: false,
        }
    }
}

/// A machine that runs.
pub struct Machine {
    /// What runs.
    pub node: Node,
    /// Where it keeps everything.
    pub dir: TempDir,
    options: MachineOptions,
    emulator: Option<Emulator>,
}

async fn start(dir: &TempDir, options: &MachineOptions, emulator: Option<&Emulator>) -> Node {
    let project = |name: &&str| name.parse().unwrap();
    let mut node = NodeOptions::new(dir.path().to_owned(), project(&options.projects[0]));
    node.projects = options.projects.iter().map(project).collect();
    node.aws = emulator.map(|emulator| emulator.url.clone());
    node.batch_delay = options.batch_delay;
    node.poll_interval = options.poll_interval;
    node.vendors.clone_from(&options.vendors);
    let recognisers = options.recognisers.iter().map(|one| one.parse().unwrap());
    node.recognisers = recognisers.collect();
    node.own_models_on_loopback = options.own_models_on_loopback;
    node.metered = options.metered;
    node.overrides = options
        .settings
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect::<HashMap<_, _>>();
    Node::start(node).await.unwrap()
}

impl Machine {
    /// Starts one with defaults.
    pub async fn start() -> Self {
        Self::start_with(MachineOptions::default()).await
    }

    /// Starts one.
    pub async fn start_with(options: MachineOptions) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let emulator = match options.metered {
            true => None,
            false => Emulator::wanted().await,
        };
        let node = start(&dir, &options, emulator.as_ref()).await;
        Self {
            node,
            dir,
            options,
            emulator,
        }
    }

    /// Stops it and starts it again on the same data.
    pub async fn restart(self) -> Self {
        let Self {
            node,
            dir,
            options,
            emulator,
        } = self;
        node.stop().await.unwrap();
        let node = start(&dir, &options, emulator.as_ref()).await;
        Self {
            node,
            dir,
            options,
            emulator,
        }
    }

    /// Stops it.
    pub async fn stop(self) {
        self.node.stop().await.unwrap();
    }

    /// The simulated provider.
    #[must_use]
    pub fn sim(&self) -> &GeminiSim {
        self.node.simulator.as_ref().unwrap()
    }

    /// The simulated vendors beside Gemini.
    #[must_use]
    pub fn speech(&self) -> &SpeechSim {
        self.node.speech.as_ref().unwrap()
    }

    /// A client with the admin key of a project.
    #[must_use]
    pub fn client(&self, project: &str) -> Client {
        Client::new(&self.node.url, Some(&self.node.api_keys[project]))
    }

    /// A client without a key.
    #[must_use]
    pub fn anonymous(&self) -> Client {
        Client::new(&self.node.url, None)
    }

    /// Teaches the simulator, if there is one, what to answer for a recording.
    pub fn record(&self, audio: &[u8], model: &str, text: &str) {
        if let Some(sim) = &self.node.simulator {
            let known = sim.recordings();
            known.insert(&sha256(audio), model, Recording::text(text));
        }
    }

    /// Uploads audio by presigned URL and waits until it is registered; gives
    /// the file.
    pub async fn upload(&self, client: &Client, name: &str, kind: &str, bytes: &[u8]) -> Value {
        let made = client
            .post(
                "/files",
                &json!({ "filename": name, "content_type": kind, "size_bytes": bytes.len() }),
            )
            .await;
        let made = made.data(201);
        let status = client.put_upload(&made["upload"], bytes.to_vec()).await;
        assert_eq!(status, 200, "the upload of {name}");
        let id = made["file"]["id"].as_str().unwrap().to_owned();
        self.registered(client, &id).await
    }

    /// Waits until a file is no longer `uploading`.
    pub async fn registered(&self, client: &Client, id: &str) -> Value {
        self.wait(&format!("{id} is registered"), async || {
            let file = client.get(&format!("/files/{id}")).await.data(200).clone();
            (file["status"] != json!("uploading")).then_some(file)
        })
        .await
    }

    /// Uploads `texts.len()` recordings and makes a dataset with these
    /// references; gives the dataset's id. The simulator answers `gemini-2.5-pro`
    /// with the reference and `gemini-2.5-flash` with its first word missing.
    pub async fn dataset(&self, client: &Client, name: &str, texts: &[&str]) -> String {
        let mut samples = Vec::new();
        for (number, text) in (0u32..).zip(texts) {
            let seed = number.wrapping_add(name.bytes().map(u32::from).sum::<u32>() * 1_000);
            let audio = wav(seed, 0.5);
            self.record(&audio, "gemini-2.5-pro", text);
            let rest = text.split_once(' ').map_or("", |(_, rest)| rest);
            self.record(
                &audio,
                "gemini-2.5-flash",
                if rest.is_empty() { "x" } else { rest },
            );
            let file = self
                .upload(client, &format!("{name}-{number}.wav"), "audio/wav", &audio)
                .await;
            assert_eq!(file["status"], json!("ready"), "{file}");
            samples.push(json!({ "file_id": file["id"], "ground_truth": text }));
        }
        let made = client
            .post(
                "/datasets",
                &json!({ "name": name, "language": "en", "samples": samples }),
            )
            .await;
        made.data(201)["id"].as_str().unwrap().to_owned()
    }

    /// Starts a run; gives it as it was accepted.
    pub async fn run(&self, client: &Client, dataset: &str, providers: &[&str]) -> Value {
        let made = client
            .post(
                "/runs",
                &json!({ "run_name": "run", "dataset_id": dataset, "providers": providers }),
            )
            .await;
        made.data(202).clone()
    }

    /// Waits until a run has ended; gives it.
    pub async fn ended(&self, client: &Client, run: &Value) -> Value {
        let id = run["id"].as_str().unwrap().to_owned();
        self.wait(&format!("{id} has ended"), async || {
            let run = client.get(&format!("/runs/{id}")).await.data(200).clone();
            let active = ["pending", "processing"].contains(&run["status"].as_str().unwrap());
            (!active).then_some(run)
        })
        .await
    }

    /// Waits until something is there.
    pub async fn wait<T>(&self, what: &str, look: impl AsyncFn() -> Option<T>) -> T {
        let begun = Instant::now();
        loop {
            if let Some(found) = look().await {
                return found;
            }
            assert!(begun.elapsed() < PATIENCE, "waited in vain until {what}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}
