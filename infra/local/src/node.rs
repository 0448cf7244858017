//! One machine: the embedded cloud, the four functions on it, and a provider.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use gemini_sim::{GeminiSim, Recordings, SimConfig};
use speech_sim::SpeechSim;
use stt_eval_shared::crypto::random;
use stt_eval_shared::domain::ProjectId;
use stt_eval_shared::store::schema::TABLES;
use stt_eval_shared::{App, store};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::cloud::{Cloud, CloudConfig, QueueSpec, TableSpec};
use crate::credentials::{self, SIMULATED};
use crate::demo;
use crate::door::{Door, person};
use crate::environment::{self, BUCKET, EVENTS, SUBMISSIONS};
use crate::error::NodeError;
use crate::functions;
use crate::keys::ProjectKeys;
use crate::options::{NodeOptions, Providers};
use crate::recogniser;

/// Recordings the simulator answers with, labelled as such in the file.
pub const RECORDINGS: &str = include_str!("../clips/recordings.jsonl");

fn failed(what: &str) -> impl Fn(&dyn std::fmt::Display) -> NodeError + '_ {
    move |error| NodeError(format!("{what}: {error}"))
}

/// A machine that runs.
pub struct Node {
    /// DynamoDB, S3 and SQS: embedded, or elsewhere.
    pub cloud: Cloud,
    /// The simulator, when it is in this process.
    pub simulator: Option<GeminiSim>,
    /// What stands in for the other vendors, when it is in this process.
    pub speech: Option<SpeechSim>,
    /// What the functions work with.
    pub app: App,
    /// Base URL of the api.
    pub url: String,
    /// Where vendors are, as far as they are not where they themselves are.
    pub provider_urls: BTreeMap<String, String>,
    /// Admin keys by project.
    pub api_keys: BTreeMap<String, String>,
    door: Arc<Door>,
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

impl Node {
    /// Starts everything; it is ready when this returns.
    pub async fn start(options: NodeOptions) -> Result<Self, NodeError> {
        let options = options.with_addresses_read()?;
        std::fs::create_dir_all(&options.data)
            .map_err(|e| NodeError(format!("{}: {e}", options.data.display())))?;
        let listener = TcpListener::bind(options.listen)
            .await
            .map_err(|e| NodeError(format!("{}: {e}", options.listen)))?;
        let url = format!(
            "http://{}",
            listener
                .local_addr()
                .map_err(|e| failed("the api's address")(&e))?
        );
        let cloud = start_cloud(&options).await?;
        let simulator = match &options.providers {
            Providers::Simulated => Some(start_simulator(&options).await?),
            Providers::At(_) | Providers::Real => None,
        };
        let speech = match options.simulate_others {
            true => Some(start_speech(&cloud).await?),
            false => None,
        };
        let mut provider_urls = BTreeMap::new();
        if let Some(simulator) = &simulator {
            provider_urls.insert(SIMULATED.to_owned(), simulator.url());
        }
        for (name, url) in speech.iter().flat_map(SpeechSim::vendor_urls) {
            provider_urls.insert(name.to_owned(), url);
        }
        let mut stand_ins: BTreeSet<String> = provider_urls.keys().cloned().collect();
        let mut elsewhere = options.elsewhere.clone();
        if let Providers::At(url) = &options.providers {
            elsewhere.insert(SIMULATED.to_owned(), url.clone());
        }
        for (name, url) in elsewhere {
            stand_ins.remove(&name);
            provider_urls.insert(name, url.trim_end_matches('/').to_owned());
        }
        let environment = environment::environment(&options, &cloud, &provider_urls, &stand_ins)?;
        let config = environment::config(&options, &environment)?;
        let stop = CancellationToken::new();
        let aws = cloud.sdk_config();
        let mut app = App::build(config, &aws, true, &options.vendors)
            .map_err(|e| NodeError(e.to_string()))?
            .asking_by_role(&aws);
        // What is wrong with it is told without a recogniser as well.
        let limit = options.command_timeout()?;
        if !options.recognisers.is_empty() {
            let programs = options.recognisers.clone();
            let (vendor, adapter) = recogniser::connected(programs, limit, stop.clone());
            app = app.and_vendor(vendor, adapter);
        }
        let mut api_keys = BTreeMap::new();
        let mut kept = ProjectKeys::open(&options.data)?;
        for project in &options.projects {
            api_keys.insert(project.to_string(), kept.ensure(&app.store, project).await?);
            let keys = &options.provider_keys;
            credentials::seed(
                &app,
                project,
                &options.data,
                &options.vendors,
                keys,
                &provider_urls,
            )
            .await?;
        }
        if let Some(demo) = demo::Ready::of(&app, &options.providers, &url, &api_keys) {
            app = app.and_demo(Arc::new(demo));
        }
        let door = Arc::new(Door::default());
        let tasks = if options.functions {
            functions::run(
                &cloud,
                &app,
                door.clone(),
                listener,
                options.poll_interval,
                &stop,
            )
        } else {
            JoinSet::new()
        };
        Ok(Self {
            cloud,
            simulator,
            speech,
            app,
            url,
            provider_urls,
            api_keys,
            door,
            stop,
            tasks,
        })
    }

    /// The line that `serve` prints when it is ready.
    #[must_use]
    pub fn ready_line(&self) -> serde_json::Value {
        serde_json::json!({
            "ready": true,
            "url": self.url,
            "api_keys": self.api_keys,
            "s3": self.cloud.s3_url(),
            "dynamodb": self.cloud.dynamodb_url(),
            "sqs": self.cloud.sqs_url(),
            "gemini": self.provider_urls.get(SIMULATED),
            "providers": self.provider_urls,
            "bucket": BUCKET,
        })
    }

    /// A link to the pages that signs in, with the admin key of a project, whoever
    /// follows it first: once, within a minute, on this machine.
    ///
    /// # Errors
    /// When there is no such project, or no randomness.
    pub fn link(&self, project: &ProjectId) -> Result<String, NodeError> {
        let key = self.api_keys.get(project.as_str());
        let key = key.ok_or_else(|| NodeError(format!("there is no project {project} here")))?;
        Ok(format!("{}{}", self.url, self.door.link(key, &person())?))
    }

    /// What was asked of the cloud so far, as JSON.
    #[must_use]
    pub fn counts(&self) -> serde_json::Value {
        let counts = self.cloud.request_counts();
        let counts = counts.iter().map(|((service, operation), traffic)| {
            serde_json::json!({
                "service": service,
                "operation": operation,
                "requests": traffic.requests,
                "refused": traffic.refused,
                "bytes_in": traffic.bytes_in,
                "bytes_out": traffic.bytes_out,
                "half_units": traffic.half_units,
            })
        });
        counts.collect()
    }

    /// Stops cleanly: no new work, what is under way ends, state is kept.
    pub async fn stop(mut self) -> Result<(), NodeError> {
        self.stop.cancel();
        while self.tasks.join_next().await.is_some() {}
        if let Some(simulator) = self.simulator {
            simulator.shutdown().await;
        }
        if let Some(speech) = self.speech {
            speech.shutdown().await;
        }
        self.cloud
            .shutdown()
            .await
            .map_err(|e| failed("the embedded cloud")(&e))
    }
}

async fn start_cloud(options: &NodeOptions) -> Result<Cloud, NodeError> {
    let mut config = CloudConfig::new(options.data.join("cloud"), BUCKET);
    config.tables = TABLES
        .iter()
        .map(|table| {
            Ok(TableSpec {
                create: table
                    .create(table.name)
                    .map_err(|e| failed("a table")(&e))?,
                ttl_attribute: table.ttl.map(str::to_owned),
            })
        })
        .collect::<Result<_, NodeError>>()?;
    config.queues = vec![
        QueueSpec::new(EVENTS)
            .visibility_timeout(60)
            .dead_letters("events-dead", 8),
        QueueSpec::new(SUBMISSIONS)
            .visibility_timeout(360)
            .dead_letters("submissions-dead", 5),
    ];
    config.event_queue = EVENTS.to_owned();
    config.cors_origins = vec!["*".to_owned()];
    config.ports = options.ports;
    config.metered = options.metered;
    if options.functions && !options.listen.ip().is_loopback() {
        // Others reach the bucket then, so nobody may know what URLs are signed with.
        let secret = random::<32>().map_err(|e| failed("a secret")(&e))?;
        config.secret_key = hex::encode(secret);
    }
    let started = match &options.aws {
        None => Cloud::start(config).await,
        Some(url) => Cloud::elsewhere(config, url).await,
    };
    started.map_err(|e| failed("the embedded cloud")(&e))
}

async fn start_simulator(options: &NodeOptions) -> Result<GeminiSim, NodeError> {
    let recordings = Recordings::default();
    recordings
        .add_jsonl(RECORDINGS)
        .map_err(|e| failed("the recordings")(&e))?;
    let config = SimConfig {
        recordings,
        batch_delay: options.batch_delay,
        state_dir: Some(options.data.join("gemini-sim")),
        ..SimConfig::default()
    };
    let listener = TcpListener::bind(("127.0.0.1", 0))
        .await
        .map_err(|e| failed("the simulator's address")(&e))?;
    GeminiSim::start(listener, config)
        .await
        .map_err(|e| failed("the simulator")(&e))
}

async fn start_speech(cloud: &Cloud) -> Result<SpeechSim, NodeError> {
    let listener = TcpListener::bind(("127.0.0.1", 0))
        .await
        .map_err(|e| failed("the simulated vendors' address")(&e))?;
    let speech = SpeechSim::start_over(listener, Some(cloud.s3_client()))
        .await
        .map_err(|e| failed("the simulated vendors")(&e))?;
    // Of one file there are several; the last is what all of them hear.
    for line in RECORDINGS.lines().filter(|line| !line.trim().is_empty()) {
        let Recorded { sha256, text } =
            serde_json::from_str(line).map_err(|e| failed("the recordings")(&e))?;
        speech.record(&sha256, &text);
    }
    Ok(speech)
}

/// A line of [`RECORDINGS`].
#[derive(serde::Deserialize)]
struct Recorded {
    sha256: String,
    text: String,
}

/// The tables as JSON, for the test that compares them with the template.
#[must_use]
pub fn schema() -> serde_json::Value {
    let tables = store::schema::TABLES.iter().map(|table| {
        let indexes: Vec<_> = table
            .indexes
            .iter()
            .map(|index| {
                serde_json::json!({
                    "name": index.name,
                    "hash": index.hash,
                    "range": index.range,
                    "numeric_range": index.numeric_range,
                    "include": index.include,
                })
            })
            .collect();
        serde_json::json!({ "name": table.name, "indexes": indexes, "ttl": table.ttl })
    });
    tables.collect()
}
