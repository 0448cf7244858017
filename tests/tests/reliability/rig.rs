//! One embedded cloud, and on it cases that know nothing of each other: each
//! has tables, a bucket, a queue, a project and a simulated provider of its own. Nothing
//! runs by itself: the case calls the real handlers, one after the other.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use aws_lambda_events::event::sqs::{SqsEvent, SqsMessage};
use aws_sdk_dynamodb::config::retry::RetryConfig;
use gemini_sim::{GeminiSim, Recording, SimConfig};
use secrecy::SecretString;
use serde_json::json;
use stt_eval_local::cloud::{Cloud, CloudConfig, QueueSpec};
use stt_eval_local::keys::{ProjectKeys, vault_key};
use stt_eval_shared::App;
use stt_eval_shared::Deadline;
use stt_eval_shared::config::Config;
use stt_eval_shared::domain::{ProjectId, Timestamp};
use stt_eval_shared::providers::gemini::{Gemini, GeminiConfig};
use stt_eval_shared::store::schema::TABLES;
use stt_eval_tests::audio::{sha256, wav};
use stt_eval_tests::echo;
use stt_eval_tests::emulator::Emulator;
use stt_eval_tests::fault::Injector;
use tempfile::TempDir;
use tokio::net::TcpListener;

pub const PRO: &str = "gemini-2.5-pro";
pub const FLASH: &str = "gemini-2.5-flash";
/// Bucket of the ground; each case has one of its own.
const BUCKET: &str = "stt-eval-cases";
/// What the samples say.
pub const TEXTS: [&str; 3] = ["one small step", "for a man", "one giant leap"];

/// How long a case may take before it counts as stuck. Not a measure of speed.
pub const PATIENCE: Duration = Duration::from_secs(300);

/// Bounds that make everything due within moments. The grace is what the
/// protocol says it must be: longer than a creation can take.
const BOUNDS: [(&str, &str); 21] = [
    ("STAGE", "case"),
    ("DEPLOYMENT_ID", "0f-cases"),
    ("SUBMISSION_GRACE_SECONDS", "2"),
    ("CALL_LEASE_SECONDS", "2"),
    ("COLLECT_LEASE_SECONDS", "0.3"),
    ("BATCH_SETTLE_SECONDS", "0.2"),
    ("BATCH_DOUBT_SECONDS", "0.5"),
    ("REFUSAL_PAUSE_SECONDS", "0.02"),
    ("QUOTA_HOLD_SECONDS", "0"),
    ("UNIT_RESEND_SECONDS", "0.05"),
    ("UNIT_BACKSTOP_SECONDS", "0.4"),
    ("OUTBOX_SECONDS", "0.05"),
    ("MISSED_UPLOAD_SECONDS", "0.2"),
    ("UPLOAD_MARGIN_SECONDS", "0.2"),
    ("UNSEALED_SECONDS", "3"),
    ("INDEX_LAG_SECONDS", "0.02"),
    ("COUNT_FOLD_SECONDS", "0.05"),
    ("TASK_LEASE_SECONDS", "0.1"),
    ("WATCH_SECONDS", "0.4"),
    ("STAGING_LEASE_SECONDS", "0.3"),
    ("POLL_PAUSES_SECONDS", "0.02,0.02,0.02,0.02,0.3"),
];

/// Grounds of this process so far.
static GROUNDS: AtomicU32 = AtomicU32::new(1);

/// The embedded cloud.
pub struct Ground {
    pub cloud: Cloud,
    http: OnceLock<reqwest::Client>,
    dir: TempDir,
    numbers: AtomicU32,
    number: u32,
    _emulator: Option<Emulator>,
}

/// In memory where that can be had. A process that dies here dies between two
/// calls, so nothing is proven by waiting for a disk at each commit.
fn scratch() -> PathBuf {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() && std::env::var_os("TMPDIR").is_none() {
        memory.to_owned()
    } else {
        std::env::temp_dir()
    }
}

impl Ground {
    pub async fn start() -> Arc<Self> {
        let dir = tempfile::tempdir_in(scratch()).unwrap();
        let mut config = CloudConfig::new(dir.path().join("cloud"), BUCKET);
        config.queues = vec![QueueSpec::new("events")];
        let emulator = Emulator::wanted().await;
        let cloud = match &emulator {
            None => Cloud::start(config).await,
            Some(emulator) => Cloud::elsewhere(config, &emulator.url).await,
        };
        let cloud = cloud.unwrap();
        Arc::new(Self {
            cloud,
            http: OnceLock::new(),
            dir,
            numbers: AtomicU32::new(1),
            number: GROUNDS.fetch_add(1, Ordering::Relaxed),
            _emulator: emulator,
        })
    }

    /// For uploads. Made late: the first app installs the TLS provider.
    pub fn http(&self) -> &reqwest::Client {
        self.http
            .get_or_init(|| reqwest::Client::builder().no_proxy().build().unwrap())
    }
}

/// How a case differs from the usual one.
#[derive(Default)]
pub struct Options {
    /// Variables to replace.
    pub settings: Vec<(&'static str, &'static str)>,
    /// The SDK may repeat its calls.
    pub repeats: bool,
    /// The provider.
    pub sim: Option<SimConfig>,
}

/// A case.
pub struct Case {
    pub ground: Arc<Ground>,
    /// What the handlers work with: with faults.
    pub app: App,
    /// The same tables without.
    pub clean: App,
    pub api: api::Handler,
    pub injector: Arc<Injector>,
    pub sim: GeminiSim,
    pub project: ProjectId,
    pub tables: Vec<(&'static str, String)>,
    pub queue: String,
    pub bucket: String,
    pub key: String,
    dir: TempDir,
}

impl Case {
    pub async fn start(ground: &Arc<Ground>, options: Options) -> Self {
        let number = ground.numbers.fetch_add(1, Ordering::Relaxed);
        let name = format!("c{number:05}");
        let dir = tempfile::tempdir_in(ground.dir.path()).unwrap();
        let db = ground.cloud.dynamodb_client();
        let mut tables = Vec::new();
        for table in &TABLES {
            let full = format!("{name}.{}", table.name);
            table.create(&full).unwrap().send_with(&db).await.unwrap();
            tables.push((table.name, full));
        }
        let sqs = ground.cloud.sqs_client();
        let queue = sqs.create_queue().queue_name(format!("{name}-submissions"));
        let queue = queue.send().await.unwrap().queue_url.unwrap();
        let bucket = format!("{BUCKET}-{name}");
        let s3 = ground.cloud.s3_client();
        s3.create_bucket().bucket(&bucket).send().await.unwrap();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let sim = options.sim.unwrap_or_else(|| SimConfig {
            batch_delay: Duration::from_millis(1),
            ..SimConfig::default()
        });
        let sim = GeminiSim::start(listener, sim).await.unwrap();

        let mut variables: HashMap<String, String> = BOUNDS
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into()))
            .collect();
        for (table, full) in &tables {
            variables.insert(format!("TABLE_{}", table.to_uppercase()), full.clone());
        }
        variables.insert("SUBMIT_QUEUE_URL".into(), queue.clone());
        variables.insert("BUCKET".into(), bucket.clone());
        variables.insert("GEMINI_BASE_URL".into(), sim.url());
        variables.insert(
            "KEY_FILE".into(),
            vault_key(dir.path()).unwrap().display().to_string(),
        );
        variables.extend(
            options
                .settings
                .iter()
                .map(|(n, v)| ((*n).into(), (*v).into())),
        );
        let config = Config::read(|name| variables.get(name).cloned()).unwrap();

        let injector = Arc::new(Injector::default());
        let aws = ground.cloud.sdk_config();
        let clean = App::build(config.clone(), &aws, true, &echo::vendors()).unwrap();
        let clean = clean.asking_by_role(&aws);
        let retry = if options.repeats {
            RetryConfig::standard().with_initial_backoff(Duration::from_millis(1))
        } else {
            RetryConfig::disabled()
        };
        let client = injector.around(aws.http_client().unwrap());
        let faulty = aws
            .to_builder()
            .http_client(client)
            .retry_config(retry)
            .build();
        let app = App::build(config, &faulty, true, &echo::vendors()).unwrap();
        let app = app.asking_by_role(&faulty);

        let project: ProjectId = name.parse().unwrap();
        let mut keys = ProjectKeys::open(dir.path()).unwrap();
        let key = keys.ensure(&clean.store, &project).await.unwrap();
        let case = Self {
            ground: ground.clone(),
            api: api::Handler::new(app.clone()),
            app,
            clean,
            injector,
            sim,
            project,
            tables,
            queue,
            bucket,
            key,
            dir,
        };
        case.google().await;
        for (number, text) in (1u32..).zip(TEXTS) {
            let audio = wav(number, 0.1);
            case.sim
                .recordings()
                .insert(&sha256(&audio), PRO, Recording::text(text));
            let rest = text.split_once(' ').map_or("x", |(_, rest)| rest);
            case.sim
                .recordings()
                .insert(&sha256(&audio), FLASH, Recording::text(rest));
        }
        case
    }

    /// From now on everything is asked as another project, beside the first
    /// one: with the same tables, queue and provider.
    pub async fn become_another(&mut self) {
        self.project = format!("{}x", self.project).parse().unwrap();
        let mut keys = ProjectKeys::open(self.dir.path()).unwrap();
        self.key = keys.ensure(&self.clean.store, &self.project).await.unwrap();
        self.google().await;
    }

    async fn google(&self) {
        let key = format!("simulated-key-of-{}", self.project);
        self.credential("google", key).await;
    }

    /// A key that no other case of the process has, on whatever ground: for vendors
    /// that live in it.
    pub fn account(&self) -> String {
        format!(
            "simulated-key-of-{}-on-{}",
            self.project, self.ground.number
        )
    }

    pub async fn credential(&self, provider: &str, secret: String) {
        let vault = self.clean.vault.as_ref().unwrap();
        let secret = SecretString::from(secret);
        let now = Timestamp::now();
        let sealed = vault
            .seal(&self.project, provider, &secret, now, now)
            .await
            .unwrap();
        self.clean
            .store
            .save_credential(&self.project, &sealed)
            .await
            .unwrap();
    }

    /// A client of the simulator in Google's terms, for what the functions would
    /// not do.
    pub fn gemini(&self) -> Gemini {
        let config = GeminiConfig {
            base_url: self.sim.url(),
            ..GeminiConfig::default()
        };
        Gemini::new(config).unwrap()
    }

    /// Ends it. What it has goes, so that many cases stay as fast as one.
    pub async fn end(self) {
        let (s3, sqs) = (
            self.ground.cloud.s3_client(),
            self.ground.cloud.sqs_client(),
        );
        for key in self.objects().await {
            let delete = s3.delete_object().bucket(&self.bucket).key(key);
            delete.send().await.unwrap();
        }
        let unused = sqs.delete_queue().queue_url(&self.queue);
        unused.send().await.unwrap();
        self.sim.shutdown().await;
        let db = self.ground.cloud.dynamodb_client();
        for (_, table) in &self.tables {
            db.delete_table().table_name(table).send().await.unwrap();
        }
        drop(self.dir);
    }

    /// Keys of all objects.
    pub async fn objects(&self) -> Vec<String> {
        let s3 = self.ground.cloud.s3_client();
        let list = s3.list_objects_v2().bucket(&self.bucket);
        let mut pages = list.into_paginator().send();
        let mut keys = Vec::new();
        while let Some(page) = pages.next().await {
            let objects = page.unwrap().contents.unwrap_or_default();
            keys.extend(objects.into_iter().filter_map(|object| object.key));
        }
        keys
    }

    pub fn table(&self, name: &str) -> &str {
        &self
            .tables
            .iter()
            .find(|(table, _)| *table == name)
            .unwrap()
            .1
    }

    /// Every row of a table.
    pub async fn rows(
        &self,
        table: &str,
    ) -> Vec<HashMap<String, aws_sdk_dynamodb::types::AttributeValue>> {
        let db = self.ground.cloud.dynamodb_client();
        let mut rows = Vec::new();
        let mut after = None;
        loop {
            let scan = db
                .scan()
                .table_name(self.table(table))
                .consistent_read(true);
            let page = scan.set_exclusive_start_key(after).send().await.unwrap();
            rows.extend(page.items.unwrap_or_default());
            after = page.last_evaluated_key.filter(|key| !key.is_empty());
            if after.is_none() {
                return rows;
            }
        }
    }

    /// Delivers a message to `register` until it is taken.
    pub async fn register(&self, body: &str) {
        for _ in 0..10 {
            let handled = register::handle(event(body), &self.app);
            match self.injector.run("register", handled).await {
                Some(response) if response.batch_item_failures.is_empty() => return,
                _ => {}
            }
        }
        panic!("an upload event is never taken");
    }

    /// Delivers a message to `submit`; tells whether it was taken.
    pub async fn submit(&self, body: &str) -> bool {
        // A run that is new has its own name in the list of call sites.
        let handler = if body.contains("run_accepted") {
            "plan"
        } else {
            "submit"
        };
        let deadline = Deadline::after(Duration::from_secs(290));
        let handled = submit::handle(event(body), &self.app, deadline);
        let handled = self.injector.run(handler, handled).await;
        handled.is_some_and(|response| response.batch_item_failures.is_empty())
    }

    pub async fn poll(&self) {
        let deadline = Deadline::after(Duration::from_secs(110));
        self.injector
            .run("poll", poll::handle(json!({}), &self.app, deadline))
            .await;
    }

    /// Messages that wait in the submission queue, as they would be delivered.
    pub async fn messages(&self) -> Vec<(String, String)> {
        let sqs = self.ground.cloud.sqs_client();
        let receive = sqs
            .receive_message()
            .queue_url(&self.queue)
            .visibility_timeout(60);
        let answer = receive.max_number_of_messages(10).send().await.unwrap();
        let messages = answer.messages.unwrap_or_default().into_iter();
        messages
            .map(|m| (m.body.unwrap(), m.receipt_handle.unwrap()))
            .collect()
    }

    pub async fn delete_message(&self, receipt: &str) {
        let sqs = self.ground.cloud.sqs_client();
        let delete = sqs
            .delete_message()
            .queue_url(&self.queue)
            .receipt_handle(receipt);
        delete.send().await.unwrap();
    }

    /// It comes again at once.
    async fn return_message(&self, receipt: &str) {
        let sqs = self.ground.cloud.sqs_client();
        let change = sqs.change_message_visibility().queue_url(&self.queue);
        let change = change.receipt_handle(receipt).visibility_timeout(0);
        change.send().await.unwrap();
    }

    /// Delivers what waits in the queue; gives how many messages there were.
    pub async fn pump(&self) -> usize {
        let messages = self.messages().await;
        for (body, receipt) in &messages {
            if self.submit(body).await {
                self.delete_message(receipt).await;
            } else {
                self.return_message(receipt).await;
            }
        }
        messages.len()
    }

    /// Rows that are still to be looked at, and when. By the index: it has
    /// no others, however many there are.
    pub async fn due(&self) -> Vec<(Timestamp, String)> {
        let db = self.ground.cloud.dynamodb_client();
        let mut due = Vec::new();
        for table in ["files", "datasets", "runs", "units"] {
            let mut after = None;
            loop {
                let scan = db.scan().table_name(self.table(table)).index_name("due");
                let page = scan.set_exclusive_start_key(after).send().await.unwrap();
                for row in page.items.unwrap_or_default() {
                    let at = row["due_at"].as_n().unwrap().parse().unwrap();
                    let what = format!("{table} {:?} {:?}", row["sk"], row.get("state"));
                    due.push((Timestamp::from_millis(at), what));
                }
                after = page.last_evaluated_key.filter(|key| !key.is_empty());
                if after.is_none() {
                    break;
                }
            }
        }
        due
    }

    /// Queue and schedule, until nothing is left to do.
    pub async fn settle(&self) {
        let begun = Instant::now();
        loop {
            let messages = self.pump().await;
            let due = self.due().await;
            let next = due.iter().map(|(at, _)| *at).min();
            if messages == 0 && next.is_none() {
                return;
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "stuck: {messages} messages, {due:?}"
            );
            let early = next
                .map(|at| at.since(Timestamp::now()))
                .unwrap_or_default();
            if early.is_zero() {
                self.poll().await;
            } else if messages == 0 {
                // Nothing is due yet: a poll would find nothing. And looking
                // whether there is costs more than all that is waited for.
                tokio::time::sleep(early.min(Duration::from_secs(1))).await;
            }
        }
    }

    /// Delivers what waits in the queue now, once.
    pub async fn pump_once(&self) {
        while self.pump().await == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// All messages are lost.
    pub async fn purge(&self) {
        for (_, receipt) in self.messages().await {
            self.delete_message(&receipt).await;
        }
    }
}

/// A message as SQS delivers it.
pub fn event(body: &str) -> SqsEvent {
    let mut message = SqsMessage::default();
    message.message_id = Some("m".into());
    message.body = Some(body.to_owned());
    let mut event = SqsEvent::default();
    event.records = vec![message];
    event
}
