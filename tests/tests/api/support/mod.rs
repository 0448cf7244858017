//! One machine for all tests, and what most of them do first.

pub mod routes;
pub mod store;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock, Weak};

use futures::StreamExt;
use gemini_sim::{Fault, FaultRule, Recording};
use serde_json::{Value, json};
use stt_eval_local::keys::ProjectKeys;
use stt_eval_tests::audio::{sha256, wav};
use stt_eval_tests::{Answer, Client, Machine, MachineOptions};
use tokio::runtime::Runtime;
use tokio::sync::Mutex;

pub const PRO: &str = "gemini-2.5-pro";
pub const FLASH: &str = "gemini-2.5-flash";

/// The machine runs on a runtime that outlives any test.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
});
/// Kept by the tests that use it, so that it goes, data and all, with the last.
static SHARED: Mutex<Weak<Machine>> = Mutex::const_new(Weak::new());
static PROJECTS: AtomicU32 = AtomicU32::new(1);
static AUDIO: AtomicU32 = AtomicU32::new(1);

/// Runs a test with a project of its own on the shared machine.
pub fn with(test: impl AsyncFnOnce(&World)) {
    RUNTIME.block_on(async {
        let machine = {
            let mut shared = SHARED.lock().await;
            match shared.upgrade() {
                Some(machine) => machine,
                None => {
                    let machine = Arc::new(Machine::start().await);
                    *shared = Arc::downgrade(&machine);
                    machine
                }
            }
        };
        let project = project(&machine).await;
        let world = World { machine, project };
        test(&world).await;
        if let Some(machine) = Arc::into_inner(world.machine) {
            machine.stop().await;
        }
    });
}

/// A project and a client with its admin key.
#[derive(Clone)]
pub struct Project {
    pub name: String,
    pub client: Client,
    pub key: String,
}

impl std::ops::Deref for Project {
    type Target = Client;
    fn deref(&self) -> &Client {
        &self.client
    }
}

async fn project(machine: &Machine) -> Project {
    // Keys are kept in one file.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());
    let one = ONE_AT_A_TIME.lock().await;
    let name = format!("p{:04}", PROJECTS.fetch_add(1, Ordering::Relaxed));
    let mut keys = ProjectKeys::open(machine.dir.path()).unwrap();
    let key = keys
        .ensure(&machine.node.app.store, &name.parse().unwrap())
        .await
        .unwrap();
    drop(one);
    let client = Client::new(&machine.node.url, Some(&key));
    let secret = json!({ "api_key": secret(&name) });
    client
        .put("/credentials/google?validate=false", &secret)
        .await
        .ok(200);
    Project { name, client, key }
}

/// A machine of its own, with one project and these variables replaced.
pub async fn machine(settings: Vec<(&'static str, &'static str)>) -> (Machine, Client) {
    let machine = Machine::start_with(MachineOptions {
        projects: vec!["demo"],
        settings,
        ..MachineOptions::default()
    })
    .await;
    let client = machine.client("demo");
    (machine, client)
}

/// Where nothing listens: every connection is refused.
pub const CLOSED_PORT: &str = "http://127.0.0.1:1";

/// What the project's key of the provider is.
pub fn secret(project: &str) -> String {
    format!("simulated-key-of-{project}")
}

/// A recording of which there is no other.
pub fn audio() -> Vec<u8> {
    wav(AUDIO.fetch_add(1, Ordering::Relaxed), 0.2)
}

/// Text of a JSON value.
#[track_caller]
pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

/// The id of a thing.
#[track_caller]
pub fn id(thing: &Value) -> String {
    text(&thing["id"]).to_owned()
}

/// The items of a list.
#[track_caller]
pub fn items(list: &Value) -> &Vec<Value> {
    list.as_array().unwrap_or_else(|| panic!("no list: {list}"))
}

/// One member of each item.
#[track_caller]
pub fn each<'a>(list: &'a Value, member: &str) -> Vec<&'a Value> {
    items(list).iter().map(|item| &item[member]).collect()
}

/// Answers of which only the status matters.
pub trait Expect {
    /// It must be this success.
    fn ok(&self, status: u16);
    /// It must be this refusal.
    fn no(&self, status: u16);
}

impl Expect for Answer {
    #[track_caller]
    fn ok(&self, status: u16) {
        let _ = self.data(status);
    }

    #[track_caller]
    fn no(&self, status: u16) {
        let _ = self.refused(status);
    }
}

/// A dataset and what it was made of.
pub struct Made {
    pub id: String,
    pub name: String,
    pub files: Vec<String>,
    pub audio: Vec<Vec<u8>>,
}

/// What a test works with.
pub struct World {
    pub machine: Arc<Machine>,
    pub project: Project,
}

impl std::ops::Deref for World {
    type Target = Client;
    fn deref(&self) -> &Client {
        &self.project.client
    }
}

impl World {
    /// Another project of the same machine.
    pub async fn stranger(&self) -> Project {
        project(&self.machine).await
    }

    /// Sends a small file inside the request.
    pub async fn send_file(&self, name: &str, kind: &str, bytes: Vec<u8>) -> Answer {
        let part = reqwest::multipart::Part::bytes(bytes)
            .file_name(name.to_owned())
            .mime_str(kind)
            .unwrap();
        let form = reqwest::multipart::Form::new().part("file", part);
        self.send(self.request("POST", "/files").multipart(form))
            .await
    }

    /// A small file that is ready; gives its id.
    pub async fn file(&self, name: &str, kind: &str, bytes: Vec<u8>) -> String {
        let made = self.send_file(name, kind, bytes).await;
        let made = made.data(201);
        let file = if made["file"].is_object() {
            &made["file"]
        } else {
            made
        };
        assert_eq!(file["status"], "ready", "{file}");
        id(file)
    }

    /// A recording that is ready; gives its id.
    pub async fn recording(&self) -> String {
        self.file("recording.wav", "audio/wav", audio()).await
    }

    /// Announces a file; gives the answer's data.
    pub async fn announce(&self, name: &str, kind: &str, size: usize) -> Value {
        let body = json!({ "filename": name, "content_type": kind, "size_bytes": size });
        self.post("/files", &body).await.data(201).clone()
    }

    /// Waits until a file has this status.
    pub async fn registered(&self, id: &str) -> Value {
        self.machine.registered(&self.project, id).await
    }

    /// Teaches the simulator what a model answers to a recording.
    pub fn record(&self, audio: &[u8], model: &str, text: &str) {
        self.machine.record(audio, model, text);
    }

    /// Teaches the simulator that a model ends otherwise.
    pub fn record_finish(&self, audio: &[u8], model: &str, reason: &str) {
        let recording = Recording::finished(reason, "");
        self.machine
            .sim()
            .recordings()
            .insert(&sha256(audio), model, recording);
    }

    /// A fault of the simulator for this project alone.
    pub fn fault(&self, fault: Fault) -> FaultRule {
        FaultRule {
            api_key: Some(secret(&self.project.name)),
            ..FaultRule::new(fault)
        }
    }

    /// Audio that the simulated provider keeps for this project.
    pub fn at_provider(&self) -> Vec<gemini_sim::FileView> {
        let mut files = self.machine.sim().files();
        files
            .retain(|file| self.project.name.ends_with(&file.key_last4) && file.state != "EXPIRED");
        // What the provider made itself can't be deleted, and goes when it expires.
        files.retain(|file| !file.generated);
        files
    }

    /// Batches that were made for this project.
    pub async fn batches(&self) -> Vec<gemini_sim::BatchView> {
        let mut batches = self.machine.sim().batches().await;
        batches.retain(|batch| self.project.name.ends_with(&batch.key_last4));
        batches
    }

    /// Adds a rule to the simulator; gives its number.
    pub fn strike(&self, rule: FaultRule) -> u64 {
        self.machine.sim().faults().add(rule)
    }

    /// A dataset with these references (`None`: without). The simulator answers
    /// with the reference (`PRO`) or with its first word missing (`FLASH`).
    pub async fn dataset(&self, name: &str, references: &[Option<&str>]) -> Made {
        let made = self.samples(references).await;
        for (audio, reference) in made.1.iter().zip(references) {
            let reference = reference.unwrap_or("nobody knows");
            self.record(audio, PRO, reference);
            let rest = reference.split_once(' ').map_or("x", |(_, rest)| rest);
            self.record(audio, FLASH, rest);
        }
        self.make(name, references, made).await
    }

    /// The same with recordings that the simulator has nothing for.
    pub async fn unknown(&self, name: &str, references: &[Option<&str>]) -> Made {
        let made = self.samples(references).await;
        self.make(name, references, made).await
    }

    async fn samples(&self, references: &[Option<&str>]) -> (Vec<String>, Vec<Vec<u8>>) {
        let recordings: Vec<Vec<u8>> = references.iter().map(|_| audio()).collect();
        let sent = recordings
            .iter()
            .enumerate()
            .map(|(number, audio)| async move {
                let name = format!("{number}.wav");
                self.file(&name, "audio/wav", audio.clone()).await
            });
        let files = futures::stream::iter(sent).buffered(8).collect().await;
        (files, recordings)
    }

    async fn make(
        &self,
        name: &str,
        references: &[Option<&str>],
        (files, audio): (Vec<String>, Vec<Vec<u8>>),
    ) -> Made {
        let samples: Vec<Value> = files
            .iter()
            .zip(references)
            .map(|(file, reference)| json!({ "file_id": file, "ground_truth": reference }))
            .collect();
        let body = json!({ "name": name, "language": "en", "samples": samples });
        let made = self.post("/datasets", &body).await;
        Made {
            id: id(made.data(201)),
            name: name.to_owned(),
            files,
            audio,
        }
    }

    /// Starts a run; gives it as it was accepted.
    pub async fn start(&self, dataset: &str, providers: &[&str]) -> Value {
        self.machine.run(&self.project, dataset, providers).await
    }

    /// Waits until a run has ended; gives it.
    pub async fn ended(&self, run: &Value) -> Value {
        self.machine.ended(&self.project, run).await
    }

    /// A run from its beginning to its end.
    pub async fn run(&self, dataset: &str, providers: &[&str]) -> Value {
        let run = self.start(dataset, providers).await;
        self.ended(&run).await
    }

    /// Results of a run, by a query.
    pub async fn results(&self, run: &Value, query: &str) -> Vec<Value> {
        let path = format!("/runs/{}/results?{query}", text(&run["id"]));
        items(self.get(&path).await.data(200)).clone()
    }

    /// Every item of a paged list; each page has at most `limit`.
    pub async fn pages(&self, path: &str, limit: usize) -> Vec<Value> {
        let glue = if path.contains('?') { '&' } else { '?' };
        let (mut all, mut cursor) = (Vec::new(), String::new());
        loop {
            let answer = self
                .get(&format!("{path}{glue}limit={limit}{cursor}"))
                .await;
            let page = items(answer.data(200));
            assert!(page.len() <= limit, "{} on a page of {limit}", page.len());
            all.extend(page.iter().cloned());
            match &answer.body["metadata"]["next_cursor"] {
                Value::Null => return all,
                next => cursor = format!("&cursor={}", text(next)),
            }
            assert!(all.len() <= 2_000, "the pages of {path} never end");
        }
    }

    /// A key of the project with this role; gives a client with it.
    pub async fn role(&self, role: &str) -> Client {
        let body = json!({ "name": role, "role": role });
        let made = self.post("//api/v1/keys", &body).await;
        self.with_key(Some(text(&made.data(201)["key"])))
    }

    /// The request `answer` must be refused, with this field named.
    #[track_caller]
    pub fn names(answer: &Answer, status: u16, field: &str) {
        let fields = answer.refused(status);
        assert!(
            fields.iter().any(|f| f == field),
            "{field} is not in {}",
            answer.text
        );
    }
}
