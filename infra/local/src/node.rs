//! One machine: the embedded cloud, the four functions on it, and a provider.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use gemini_sim::{GeminiSim, Recordings, SimConfig};
use secrecy::SecretString;
use stt_eval_shared::app::Deadline;
use stt_eval_shared::config::Config;
use stt_eval_shared::domain::{ProjectId, Timestamp};
use stt_eval_shared::store::schema::TABLES;
use stt_eval_shared::{App, store};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::cloud::front::{self, FrontOptions};
use crate::cloud::pump::{self, Schedule, SqsSource};
use crate::cloud::{Cloud, CloudConfig, Ports, QueueSpec, TableSpec};
use crate::keys::{self, ProjectKeys};

/// Recordings the simulator answers with, labelled as such in the file.
pub const RECORDINGS: &str = include_str!("../../../tests/clips/recordings.jsonl");

const BUCKET: &str = "stt-eval-local";
const EVENTS: &str = "events";
const SUBMISSIONS: &str = "submissions";
/// What is left of an invocation's time when it should have stopped by itself.
const MARGIN: Duration = Duration::from_secs(10);
const SUBMIT_TIMEOUT: Duration = Duration::from_secs(300);
const POLL_TIMEOUT: Duration = Duration::from_secs(120);

/// The machine can't start, or not stop cleanly. One line for people.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct NodeError(pub String);

fn failed(what: &str) -> impl Fn(&dyn std::fmt::Display) -> NodeError + '_ {
    move |error| NodeError(format!("{what}: {error}"))
}

/// Which Gemini is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GeminiChoice {
    /// The simulator, in this process.
    Simulator,
    /// Whatever answers at a URL.
    Url(String),
    /// Google's.
    Real,
}

/// How to start.
#[derive(Debug, Clone)]
pub struct NodeOptions {
    /// Where the api listens. Port 0 picks a free one.
    pub listen: SocketAddr,
    /// Where everything is kept.
    pub data: PathBuf,
    /// Which Gemini is asked.
    pub gemini: GeminiChoice,
    /// Key of the provider that new projects begin with.
    pub gemini_key: Option<SecretString>,
    /// Projects to make.
    pub projects: Vec<ProjectId>,
    /// Pause between polls and sweeps.
    pub poll_interval: Duration,
    /// How long a simulated batch takes.
    pub batch_delay: Duration,
    /// Ports of the endpoints.
    pub ports: Ports,
    /// Variables that replace those this machine sets by itself, by name as in
    /// [`stt_eval_shared::config`].
    pub overrides: HashMap<String, String>,
    /// Where DynamoDB, S3 and SQS are, if not in this process: the one address
    /// of another implementation of them.
    pub aws: Option<String>,
    /// Whether the functions run. Without them it is a cloud for functions that
    /// somebody else runs, and nothing is done by itself.
    pub functions: bool,
    /// Whether DynamoDB's capacity units are counted.
    pub metered: bool,
}

impl NodeOptions {
    /// Defaults over a data directory: free ports, the simulator, one project.
    #[must_use]
    pub fn new(data: PathBuf, project: ProjectId) -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            data,
            gemini: GeminiChoice::Simulator,
            gemini_key: None,
            projects: vec![project],
            poll_interval: Duration::from_secs(1),
            batch_delay: Duration::from_millis(500),
            ports: Ports::default(),
            overrides: HashMap::new(),
            aws: None,
            functions: true,
            metered: false,
        }
    }
}

/// A machine that runs.
pub struct Node {
    /// The embedded cloud.
    pub cloud: Cloud,
    /// The simulator, when it is in this process.
    pub simulator: Option<GeminiSim>,
    /// What the functions work with.
    pub app: App,
    /// Base URL of the api.
    pub url: String,
    /// Base URL of Gemini.
    pub gemini_url: String,
    /// Admin keys by project.
    pub api_keys: BTreeMap<String, String>,
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

impl Node {
    /// Starts everything; it is ready when this returns.
    pub async fn start(options: NodeOptions) -> Result<Self, NodeError> {
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
        let simulator = match &options.gemini {
            GeminiChoice::Simulator => Some(start_simulator(&options).await?),
            GeminiChoice::Url(_) | GeminiChoice::Real => None,
        };
        let gemini_url = match (&simulator, &options.gemini) {
            (Some(simulator), _) => simulator.url(),
            (None, GeminiChoice::Url(url)) => url.trim_end_matches('/').to_owned(),
            (None, _) => stt_eval_shared::providers::gemini::GeminiConfig::default().base_url,
        };
        let environment = environment(&options, &cloud, &gemini_url)?;
        let config = Config::read(|name| environment.get(name).cloned())
            .map_err(|e| NodeError(e.to_string()))?;
        let app =
            App::build(config, &cloud.sdk_config(), true).map_err(|e| NodeError(e.to_string()))?;
        let mut api_keys = BTreeMap::new();
        let mut kept = ProjectKeys::open(&options.data)?;
        for project in &options.projects {
            api_keys.insert(project.to_string(), kept.ensure(&app.store, project).await?);
            seed_credential(&app, project, &options, &gemini_url).await?;
        }
        let stop = CancellationToken::new();
        let tasks = if options.functions {
            run_functions(&cloud, &app, listener, options.poll_interval, &stop)
        } else {
            JoinSet::new()
        };
        Ok(Self {
            cloud,
            simulator,
            app,
            url,
            gemini_url,
            api_keys,
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
            "gemini": self.gemini_url,
            "bucket": BUCKET,
        })
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
            .dead_letters("events-dead", 5),
        QueueSpec::new(SUBMISSIONS)
            .visibility_timeout(360)
            .dead_letters("submissions-dead", 5),
    ];
    config.event_queue = EVENTS.to_owned();
    config.cors_origins = vec!["*".to_owned()];
    config.ports = options.ports;
    config.metered = options.metered;
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

/// The variables that the functions read, as the template sets them in AWS.
fn environment(
    options: &NodeOptions,
    cloud: &Cloud,
    gemini_url: &str,
) -> Result<HashMap<String, String>, NodeError> {
    let seconds = options.poll_interval.as_secs_f64();
    let stage = keys::stage(&options.data)?;
    let key_file = keys::vault_key(&options.data)?;
    let mut environment: HashMap<String, String> = TABLES
        .iter()
        .map(|table| {
            (
                format!("TABLE_{}", table.name.to_uppercase()),
                table.name.to_owned(),
            )
        })
        .collect();
    let real = options.gemini == GeminiChoice::Real;
    for (name, value) in [
        ("STAGE", stage),
        ("STACK_NAME", "local".to_owned()),
        ("BUCKET", BUCKET.to_owned()),
        ("SUBMIT_QUEUE_URL", cloud.queue_url(SUBMISSIONS)),
        ("KEY_FILE", key_file.display().to_string()),
        ("GEMINI_BASE_URL", gemini_url.to_owned()),
        // Against Google the bounds of production hold where money is at stake.
        (
            "SUBMISSION_GRACE_SECONDS",
            if real { "180" } else { "3" }.to_owned(),
        ),
        (
            "COLLECT_LEASE_SECONDS",
            if real { "120" } else { "5" }.to_owned(),
        ),
        (
            "BATCH_SETTLE_SECONDS",
            if real { "600" } else { "5" }.to_owned(),
        ),
        (
            "REFUSAL_PAUSE_SECONDS",
            if real { "10" } else { "1" }.to_owned(),
        ),
        ("ADMISSION_PAUSE_SECONDS", "1".to_owned()),
        ("UNIT_RESEND_SECONDS", "3".to_owned()),
        ("UNIT_BACKSTOP_SECONDS", "10".to_owned()),
        ("OUTBOX_SECONDS", "2".to_owned()),
        ("MISSED_UPLOAD_SECONDS", "3".to_owned()),
        ("UPLOAD_MARGIN_SECONDS", "5".to_owned()),
        ("UNSEALED_SECONDS", "60".to_owned()),
        ("INDEX_LAG_SECONDS", "0.1".to_owned()),
        ("AUDIT_SECONDS", "30".to_owned()),
        ("WATCH_SECONDS", if real { "3600" } else { "60" }.to_owned()),
        ("TASK_LEASE_SECONDS", "5".to_owned()),
        (
            "STAGING_LEASE_SECONDS",
            if real { "120" } else { "5" }.to_owned(),
        ),
        (
            "POLL_PAUSES_SECONDS",
            format!("{seconds},{}", seconds * 2.0),
        ),
    ] {
        environment.insert(name.to_owned(), value);
    }
    environment.extend(options.overrides.clone());
    Ok(environment)
}

/// A new project begins with credentials for Gemini, if there are any to give:
/// the machine's own key, or a made-up one for a simulator.
async fn seed_credential(
    app: &App,
    project: &ProjectId,
    options: &NodeOptions,
    gemini_url: &str,
) -> Result<(), NodeError> {
    let failed = |e: &dyn std::fmt::Display| NodeError(format!("a credential: {e}"));
    let provider = "google";
    let kept = app
        .store
        .credential(project, provider)
        .await
        .map_err(|e| failed(&e))?;
    let marker = options.data.join(format!("seeded-{project}"));
    if kept.is_some() || marker.exists() {
        return Ok(());
    }
    let on_this_machine = ["http://127.0.0.1:", "http://localhost:", "http://[::1]:"]
        .iter()
        .any(|prefix| gemini_url.starts_with(prefix));
    let secret = match &options.gemini_key {
        Some(key) => key.clone(),
        None if on_this_machine => SecretString::from(format!("simulated-key-of-{project}")),
        None => return Ok(()),
    };
    let Some(vault) = &app.vault else {
        return Ok(());
    };
    let now = Timestamp::now();
    let sealed = vault
        .seal(project, provider, &secret, now, now)
        .await
        .map_err(|e| failed(&e))?;
    app.store
        .save_credential(project, &sealed)
        .await
        .map_err(|e| failed(&e))?;
    // One that people removed must not come back with the next start.
    std::fs::write(marker, "").map_err(|e| failed(&e))
}

/// Connects the functions to what calls them in AWS.
fn run_functions(
    cloud: &Cloud,
    app: &App,
    listener: TcpListener,
    poll_interval: Duration,
    stop: &CancellationToken,
) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    let api = Arc::new(api::Handler::new(app.clone()));
    tasks.spawn(front::serve(
        listener,
        FrontOptions::default(),
        move |event| {
            let api = api.clone();
            async move { api.handle(event).await }
        },
        stop.clone(),
    ));

    let register_app = app.clone();
    let source = SqsSource {
        max_concurrency: 4,
        ..cloud.source(EVENTS)
    };
    tasks.spawn(pump::sqs(
        source,
        move |event| {
            let app = register_app.clone();
            async move { Ok::<_, std::convert::Infallible>(register::handle(event, &app).await) }
        },
        stop.clone(),
    ));

    let submit_app = app.clone();
    let source = SqsSource {
        max_concurrency: 4,
        // A submission may take long; one message must not hold up others.
        batch_size: 1,
        handler_timeout: SUBMIT_TIMEOUT,
        ..cloud.source(SUBMISSIONS)
    };
    tasks.spawn(pump::sqs(
        source,
        move |event| {
            let app = submit_app.clone();
            let deadline = Deadline::after(SUBMIT_TIMEOUT.saturating_sub(MARGIN));
            async move {
                Ok::<_, std::convert::Infallible>(submit::handle(event, &app, deadline).await)
            }
        },
        stop.clone(),
    ));

    let poll_app = app.clone();
    let mut schedule = Schedule::new("poll", "us-east-1", poll_interval);
    schedule.handler_timeout = POLL_TIMEOUT;
    let stop = stop.clone();
    tasks.spawn(async move {
        pump::schedule(
            schedule,
            move |event| {
                let app = poll_app.clone();
                let deadline = Deadline::after(POLL_TIMEOUT.saturating_sub(MARGIN));
                async move {
                    let event = serde_json::to_value(event).unwrap_or_default();
                    // The schedule is not an operator: nobody reads the answer.
                    drop(poll::handle(event, &app, deadline).await);
                    Ok::<_, std::convert::Infallible>(())
                }
            },
            stop,
        )
        .await;
    });
    tasks
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
