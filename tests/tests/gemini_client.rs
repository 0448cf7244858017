//! The Gemini client against the simulator, over real HTTP.

#![allow(clippy::unwrap_used)] // The exception for tests does not cover their helpers.

#[path = "gemini_client/batches.rs"]
mod batches;
#[path = "gemini_client/inputs.rs"]
mod inputs;
#[path = "gemini_client/results.rs"]
mod results;

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use gemini_sim::{
    ErrorMember, Fault, FaultRule, GeminiSim, MalformedForm, Recording, Route, SimConfig,
};
use stt_eval_shared::providers::gemini::{
    BatchItem, DEFAULT_PROMPT, DEFAULT_PROMPT_VERSION, Gemini, GeminiConfig, RetryPolicy,
    file_name, parse_line,
};
use stt_eval_shared::providers::{
    AudioSource, BatchState, BatchStatus, ByteStream, CallError, Credential, ItemOutcome,
    ModelConfig, OutputLine, Rejection, StagedInput,
};
use time::OffsetDateTime;
use time::macros::datetime;

const LONG_AGO: OffsetDateTime = datetime!(2020-01-01 00:00 UTC);
const MODEL: &str = "gemini-2.5-flash";

/// Bytes as audio, in pieces as a network gives them.
struct Audio(Vec<u8>);

#[async_trait]
impl AudioSource for Audio {
    fn len(&self) -> u64 {
        self.0.len() as u64
    }

    async fn open(&self, start: u64, end: u64) -> io::Result<ByteStream> {
        let pieces: Vec<io::Result<Bytes>> = self.0[start as usize..end as usize]
            .chunks(700)
            .map(|piece| Ok(Bytes::copy_from_slice(piece)))
            .collect();
        Ok(stream::iter(pieces).boxed())
    }
}

/// Audio that differs by its seed.
fn audio(seed: u8) -> Audio {
    Audio((0..10_000_u32).map(|i| (i % 251) as u8 ^ seed).collect())
}

struct World {
    sim: GeminiSim,
    gemini: Gemini,
    credential: Credential,
}

impl World {
    async fn new() -> Self {
        Self::with(SimConfig::default()).await
    }

    async fn with(config: SimConfig) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let config = SimConfig {
            batch_delay: Duration::from_millis(30),
            chunk_granularity: 1024,
            ..config
        };
        let sim = GeminiSim::start(listener, config).await.unwrap();
        let ms = Duration::from_millis;
        let gemini = Gemini::new(GeminiConfig {
            base_url: sim.url(),
            request_timeout: ms(3000),
            create_timeout: ms(1500),
            chunk_size: 4096,
            retry: RetryPolicy {
                attempts: 4,
                base: ms(5),
                cap: ms(200),
            },
            file_poll: ms(10),
            file_wait: ms(3000),
            ..GeminiConfig::default()
        })
        .unwrap();
        let credential = credential("AQ.canary-key-0001");
        Self {
            sim,
            gemini,
            credential,
        }
    }

    fn fault(&self, rule: FaultRule) {
        self.sim.faults().add(rule);
    }

    async fn stage(&self, name: &str, audio: &Audio) -> Result<StagedInput, CallError> {
        self.gemini
            .stage_audio(&self.credential, name, "audio/wav", audio)
            .await
    }

    /// Stages audio that the simulator has a recording for.
    async fn known(&self, seed: u8, text: &str) -> BatchItem {
        let audio = audio(seed);
        let name = file_name(&["test", &seed.to_string()]);
        let staged = self.stage(&name, &audio).await.unwrap();
        let files = self.sim.files();
        let file = files.iter().find(|f| f.name == staged.name).unwrap();
        let recording = Recording {
            duration_seconds: Some(10.0),
            ..Recording::text(text)
        };
        self.sim.recordings().insert(&file.sha256, MODEL, recording);
        item(&format!("smp_{seed}"), staged)
    }

    async fn input(&self, items: &[BatchItem]) -> StagedInput {
        let keys: Vec<&str> = items.iter().map(|i| i.key.as_str()).collect();
        self.gemini
            .stage_batch(
                &self.credential,
                &file_name(&keys),
                "a document",
                items,
                &config(),
            )
            .await
            .unwrap()
    }

    async fn create(&self, input: &StagedInput, name: &str) -> Result<String, CallError> {
        self.gemini
            .create(&self.credential, MODEL, &input.name, name)
            .await
    }

    async fn list(&self) -> Vec<BatchStatus> {
        let listing = self.gemini.list(&self.credential, LONG_AGO).await.unwrap();
        assert!(listing.whole && listing.unread == 0, "{listing:?}");
        listing.batches
    }

    async fn get(&self, batch: &str) -> BatchStatus {
        self.gemini.get(&self.credential, batch).await.unwrap()
    }

    /// Polls until there is an end, with its output if it has one.
    async fn ended(&self, batch: &str) -> BatchStatus {
        for _ in 0..200 {
            let status = self.get(batch).await;
            let over = match status.state {
                BatchState::Pending | BatchState::Running | BatchState::Unknown(_) => false,
                BatchState::Succeeded => status.output.is_some(),
                BatchState::Failed | BatchState::Cancelled | BatchState::Expired => true,
            };
            if over {
                return status;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{batch} does not end");
    }

    async fn output(&self, status: &BatchStatus) -> Vec<OutputLine> {
        let name = status.output.as_deref().unwrap();
        let stream = self.gemini.download(&self.credential, name).await.unwrap();
        let bytes: Vec<Bytes> = stream.try_collect().await.unwrap();
        let bytes = bytes.concat();
        bytes.split(|b| *b == b'\n').map(parse_line).collect()
    }

    /// Runs a batch of these items: what became of each key, and how many
    /// lines could not be attributed.
    async fn run(&self, items: &[BatchItem]) -> (BTreeMap<String, Vec<ItemOutcome>>, usize) {
        let batch = self
            .create(&self.input(items).await, "test-unit-a1")
            .await
            .unwrap();
        let status = self.ended(&batch).await;
        assert_eq!(status.state, BatchState::Succeeded);
        let mut outcomes: BTreeMap<String, Vec<ItemOutcome>> = BTreeMap::new();
        let mut malformed = 0;
        for line in self.output(&status).await {
            match line {
                OutputLine::Item { key, outcome } => outcomes.entry(key).or_default().push(outcome),
                OutputLine::Malformed { .. } => malformed += 1,
                OutputLine::Blank => {}
            }
        }
        (outcomes, malformed)
    }

    fn count(&self, route: Route) -> u64 {
        self.sim.ledger().count(route)
    }
}

fn credential(key: &str) -> Credential {
    Credential {
        id: "cred_1".to_owned(),
        secret: key.into(),
    }
}

fn config() -> ModelConfig {
    ModelConfig {
        model: MODEL.to_owned(),
        prompt: Some(DEFAULT_PROMPT.to_owned()),
        temperature: Some(0.0),
        prompt_version: Some(DEFAULT_PROMPT_VERSION.to_owned()),
        endpoint: None,
    }
}

fn item(key: &str, audio: StagedInput) -> BatchItem {
    BatchItem {
        key: key.to_owned(),
        audio,
        language: "hi-IN".to_owned(),
        duration_seconds: 10.0,
    }
}

fn text(outcomes: &BTreeMap<String, Vec<ItemOutcome>>, key: &str) -> String {
    match &outcomes[key][0] {
        ItemOutcome::Transcribed { text, .. } => text.clone(),
        ItemOutcome::Failed { code, .. } => format!("failed: {code}"),
    }
}

fn status(code: u16) -> Fault {
    Fault::Status {
        code,
        message: None,
        after_commit: false,
        retry_after: None,
    }
}

fn kind(error: &CallError) -> Option<Rejection> {
    match error {
        CallError::Rejected { kind, .. } => Some(*kind),
        CallError::Ambiguous { .. } | CallError::Unreadable { .. } | CallError::Input { .. } => {
            None
        }
    }
}
