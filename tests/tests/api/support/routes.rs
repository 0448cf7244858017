//! Every operation of the contract, with what it takes and who may do it.

use serde_json::{Value, json};
use stt_eval_tests::{Answer, Client};

use super::{Made, PRO, Project, World, id, text};

/// Roles, weakest first.
pub const ROLES: [&str; 4] = ["viewer", "reviewer", "editor", "admin"];

/// One thing of each kind.
#[derive(Clone)]
pub struct Things {
    pub file: String,
    pub dataset: String,
    pub sample: String,
    pub run: String,
    pub result: String,
    pub key: String,
    pub session: String,
    pub model: String,
}

impl Things {
    /// Ids that never existed.
    pub fn nowhere() -> Self {
        let made_up = |prefix: &str| format!("{prefix}_01KAR8F3V4N7C3Q8Z5W2Y0H6M1");
        Self {
            file: made_up("file"),
            dataset: made_up("ds"),
            sample: made_up("smp"),
            run: made_up("run"),
            result: made_up("res"),
            key: made_up("key"),
            session: made_up("ses"),
            model: "nowhere".to_owned(),
        }
    }

    /// Makes one of each in the world's project; the run has ended.
    pub async fn make(world: &World) -> (Self, Made) {
        let made = world.dataset("things", &[Some("one two")]).await;
        let run = world.run(&made.id, &[PRO]).await;
        let result = world.results(&run, "").await.remove(0);
        let key = json!({ "name": "spare", "role": "viewer" });
        let model = json!({ "name": "things", "base_url": "https://8.8.8.8/v1", "model": "m" });
        let model = world.post("/models", &model).await.data(201).clone();
        let things = Self {
            model: text(&model["name"]).to_owned(),
            file: world.recording().await,
            dataset: made.id.clone(),
            sample: text(&result["sample_id"]).to_owned(),
            run: id(&run),
            result: id(&result),
            key: id(world.post("//api/v1/keys", &key).await.data(201)),
            session: crate::pages::signed_in(world, &world.project.key).await,
        };
        (things, made)
    }

    /// A path of the OpenAPI document, with ids filled in.
    pub fn fill_documented(&self, path: &str) -> String {
        let id = [
            "/files/",
            "/datasets/",
            "/samples/",
            "/results/",
            "/runs/",
            "/keys/",
            "/sessions/",
        ]
        .into_iter()
        .zip([
            &self.file,
            &self.dataset,
            &self.sample,
            &self.result,
            &self.run,
            &self.key,
            &self.session,
        ])
        .find(|(part, _)| path.contains(part))
        .map_or("", |(_, id)| id);
        path.replace("{id}", id)
            .replace("{other}", &self.run)
            .replace("{provider}", "google")
            .replace("{name}", &self.model)
    }

    fn fill(&self, template: &str) -> String {
        template
            .replace("{file}", &self.file)
            .replace("{dataset}", &self.dataset)
            .replace("{sample}", &self.sample)
            .replace("{run}", &self.run)
            .replace("{other}", &self.run)
            .replace("{result}", &self.result)
            .replace("{key}", &self.key)
            .replace("{session}", &self.session)
            .replace("{model}", &self.model)
    }
}

/// An operation.
#[derive(Debug, Clone, Copy)]
pub struct Operation {
    pub method: &'static str,
    pub path: &'static str,
    /// The weakest role that may do it.
    pub role: &'static str,
    /// A body that is valid, JSON.
    body: Option<&'static str>,
}

const fn op(
    method: &'static str,
    path: &'static str,
    role: &'static str,
    body: Option<&'static str>,
) -> Operation {
    Operation {
        method,
        path,
        role,
        body,
    }
}

const FILE: &str = r#"{"filename":"a.wav","content_type":"audio/wav","size_bytes":5}"#;
const DATASET: &str = r#"{"name":"new","language":"en","samples":[{"file_id":"{file}"}]}"#;
const RUN: &str = r#"{"run_name":"new","dataset_id":"{dataset}","providers":["gemini-2.5-pro"]}"#;
const TRANSCRIPTS: &str =
    r#"{"name":"elsewhere","items":[{"sample_id":"{sample}","text":"one two"}]}"#;
const CONSENSUS: &str = r#"{"accept":[{"sample_id":"{sample}","etag":"0"}]}"#;
const KEY: &str = r#"{"name":"new","role":"viewer"}"#;
const MODEL: &str = r#"{"name":"new","base_url":"https://8.8.8.8/v1","model":"m"}"#;
const SECRET: &str = r#"{"api_key":"a-made-up-key-1234"}"#;

/// Every operation, harmless ones first.
pub const OPERATIONS: [Operation; 47] = [
    op("GET", "/files", "viewer", None),
    op("GET", "/files/{file}", "viewer", None),
    op("GET", "/whoami", "viewer", None),
    op("GET", "/datasets", "viewer", None),
    op("GET", "/datasets/{dataset}", "viewer", None),
    op(
        "GET",
        "/datasets/{dataset}?include_samples=true",
        "viewer",
        None,
    ),
    op("GET", "/samples/{sample}", "viewer", None),
    op("GET", "/providers", "viewer", None),
    op("GET", "/languages", "viewer", None),
    op("GET", "/models", "viewer", None),
    op("GET", "/models/{model}", "viewer", None),
    op("GET", "/runs", "viewer", None),
    op("GET", "/runs/{run}", "viewer", None),
    op("GET", "/runs/{run}?include_results=true", "viewer", None),
    op("GET", "/runs/{run}/results", "viewer", None),
    op("GET", "/runs/{run}/results?sort=-wer", "viewer", None),
    op("GET", "/runs/{run}/compare/{other}", "viewer", None),
    op("GET", "/runs/{run}/export?format=csv", "viewer", None),
    op("GET", "/runs/{run}/consensus", "viewer", None),
    op("GET", "/results/{result}", "viewer", None),
    op("GET", "/results/{result}/reviews", "viewer", None),
    op(
        "POST",
        "/results/{result}/score",
        "viewer",
        Some(r#"{"ground_truth":"one"}"#),
    ),
    op(
        "GET",
        "/runs/{run}/results?reviewed=not_me&reason=name&proposed=true&language=hi&metadata.place=Pune",
        "viewer",
        None,
    ),
    op("POST", "/runs/estimate", "viewer", Some(RUN)),
    op("GET", "/credentials/google", "admin", None),
    op("GET", "//api/v1/keys", "admin", None),
    op("GET", "//api/v1/sessions", "admin", None),
    op(
        "PATCH",
        "/results/{result}",
        "reviewer",
        Some(r#"{"is_correct":true}"#),
    ),
    op("POST", "/files", "editor", Some(FILE)),
    op("POST", "/datasets", "editor", Some(DATASET)),
    op(
        "PATCH",
        "/samples/{sample}",
        "editor",
        Some(r#"{"metadata":{"a":"b"}}"#),
    ),
    op("POST", "/runs", "editor", Some(RUN)),
    op("POST", "/runs/{run}/consensus", "editor", Some(CONSENSUS)),
    op("POST", "/runs/{run}/cancel", "editor", None),
    op("POST", "/runs/{run}/retry", "editor", None),
    op(
        "POST",
        "/runs/{run}/transcripts",
        "editor",
        Some(TRANSCRIPTS),
    ),
    op(
        "PUT",
        "/credentials/google?validate=false",
        "admin",
        Some(SECRET),
    ),
    op("POST", "/models", "admin", Some(MODEL)),
    op(
        "PUT",
        "/models/{model}",
        "admin",
        Some(r#"{"max_seconds":60}"#),
    ),
    op("POST", "//api/v1/keys", "admin", Some(KEY)),
    op("DELETE", "//api/v1/sessions/{session}", "admin", None),
    op("DELETE", "//api/v1/keys/{key}", "admin", None),
    op("DELETE", "/runs/{run}", "editor", None),
    op("DELETE", "/datasets/{dataset}", "editor", None),
    op("DELETE", "/files/{file}", "editor", None),
    op("DELETE", "/models/{model}", "admin", None),
    op("DELETE", "/credentials/google", "admin", None),
];

impl Operation {
    /// Whether it names a thing in its path.
    pub fn names_a_thing(&self) -> bool {
        self.path.contains('{')
    }

    /// The body, with ids filled in.
    pub fn body(&self, things: &Things) -> Option<Value> {
        self.body
            .map(|body| serde_json::from_str(&things.fill(body)).unwrap())
    }

    /// The path, with ids filled in.
    pub fn at(&self, things: &Things) -> String {
        things.fill(self.path)
    }

    /// Does it.
    pub async fn send(&self, client: &Client, things: &Things) -> Answer {
        let request = client.request(self.method, &self.at(things));
        client
            .send(match self.body(things) {
                Some(body) => request.json(&body),
                None => request,
            })
            .await
    }

    /// The path as the OpenAPI document names it.
    pub fn documented(&self) -> String {
        let path = self.path.split('?').next().unwrap();
        let path = match path.strip_prefix("//") {
            Some(rooted) => format!("/{rooted}"),
            None => format!("{}{path}", stt_eval_tests::API),
        };
        let path = path
            .replace("/google", "/{provider}")
            .replace("{model}", "{name}");
        [
            "file", "dataset", "sample", "run", "result", "key", "session",
        ]
        .iter()
        .fold(path, |path, name| {
            path.replace(&format!("{{{name}}}"), "{id}")
        })
    }
}

/// A client of a project with a role.
pub async fn with_role(project: &Project, role: &str) -> Client {
    let body = json!({ "name": role, "role": role });
    let made = project.post("//api/v1/keys", &body).await;
    project.with_key(Some(text(&made.data(201)["key"])))
}

/// Every operation of an OpenAPI document: path, method, description.
pub fn documented(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().unwrap();
    let methods = ["get", "put", "post", "delete", "patch"];
    paths
        .iter()
        .flat_map(|(path, item)| {
            let item = item.as_object().unwrap().clone();
            item.into_iter()
                .filter(|(method, _)| methods.contains(&&**method))
                .map(|(method, operation)| (path.clone(), method.to_uppercase(), operation))
        })
        .collect()
}
