//! A simulator, a client, and the steps most tests share.

use std::time::Duration;

use gemini_sim::{Fault, FaultRule, GeminiSim, Recording, Recordings, Route, SimConfig};
use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;

pub const MODEL: &str = "gemini-2.5-pro";

pub struct Rig {
    pub sim: GeminiSim,
    pub http: Client,
    pub key: String,
    pub version: &'static str,
}

/// Quick batches and small chunks.
pub fn config() -> SimConfig {
    SimConfig {
        batch_delay: Duration::from_millis(60),
        chunk_granularity: 4,
        recordings: Recordings::default(),
        ..SimConfig::default()
    }
}

pub fn client() -> Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .no_proxy()
        .timeout(Duration::from_secs(20))
        .build()
        .unwrap()
}

pub fn status(code: u16) -> Fault {
    Fault::Status {
        code,
        message: None,
        after_commit: false,
        retry_after: None,
    }
}

/// A line of an input file.
pub fn line(key: &str, file: &Value) -> String {
    let audio = json!({"file_uri": file["uri"], "mime_type": file["mimeType"]});
    let parts = json!([{"text": "Transcribe."}, {"file_data": audio}]);
    let request = json!({"contents": [{"role": "user", "parts": parts}]});
    json!({"key": key, "request": request}).to_string()
}

pub fn text(row: &Value) -> &str {
    row["response"]["candidates"][0]["content"]["parts"][0]["text"]
        .as_str()
        .unwrap_or_default()
}

pub fn state(operation: &Value) -> &str {
    operation["metadata"]["state"].as_str().unwrap_or_default()
}

/// The id of a resource name.
pub fn id(resource: &Value) -> &str {
    resource["name"].as_str().unwrap()
}

impl Rig {
    pub async fn new() -> Self {
        Self::with(config()).await
    }

    pub async fn with(config: SimConfig) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let sim = GeminiSim::start(listener, config).await.unwrap();
        Self {
            sim,
            http: client(),
            key: "key-of-the-tests".to_owned(),
            version: "v1beta",
        }
    }

    pub fn fault(&self, rule: FaultRule) -> u64 {
        self.sim.faults().add(rule)
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = match path.strip_prefix('/') {
            Some(path) => format!("{}/{path}", self.sim.url()),
            None => format!("{}/{}/{path}", self.sim.url(), self.version),
        };
        self.http
            .request(method, url)
            .header("x-goog-api-key", &self.key)
    }

    /// A call and its JSON answer; the path is below the version.
    pub async fn call(&self, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        let mut request = self.request(method, path);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let reply = request.send().await.unwrap();
        (reply.status().as_u16(), reply.json().await.unwrap())
    }

    pub async fn get(&self, path: &str) -> (u16, Value) {
        self.call(Method::GET, path, None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        self.call(Method::POST, path, Some(body)).await
    }

    /// The start of an upload.
    pub async fn start(&self, file: Value, mime: &str, size: u64) -> Response {
        let path = format!("/upload/{}/files", self.version);
        self.request(Method::POST, &path)
            .header("X-Goog-Upload-Protocol", "resumable")
            .header("X-Goog-Upload-Command", "start")
            .header("X-Goog-Upload-Header-Content-Length", size)
            .header("X-Goog-Upload-Header-Content-Type", mime)
            .json(&json!({ "file": file }))
            .send()
            .await
            .unwrap()
    }

    pub async fn upload_url(&self, file: Value, mime: &str, size: u64) -> String {
        let reply = self.start(file, mime, size).await;
        assert_eq!(reply.status(), 200);
        reply.headers()["x-goog-upload-url"]
            .to_str()
            .unwrap()
            .to_owned()
    }

    /// A step on an upload URL, without a key.
    pub async fn step(
        &self,
        url: &str,
        command: &str,
        offset: u64,
        bytes: &[u8],
    ) -> reqwest::Result<Response> {
        self.http
            .post(url)
            .header("X-Goog-Upload-Command", command)
            .header("X-Goog-Upload-Offset", offset)
            .body(bytes.to_vec())
            .send()
            .await
    }

    /// A whole upload.
    pub async fn upload(&self, display_name: &str, mime: &str, bytes: &[u8]) -> Value {
        let file = json!({"displayName": display_name});
        let url = self.upload_url(file, mime, bytes.len() as u64).await;
        let reply = self.step(&url, "upload, finalize", 0, bytes).await.unwrap();
        assert_eq!(reply.status(), 200);
        let body: Value = reply.json().await.unwrap();
        body["file"].clone()
    }

    /// Uploaded audio whose recorded transcription is the text.
    pub async fn audio(&self, text: &str) -> Value {
        let bytes = format!("audio of {text}").into_bytes();
        let sha256 = hex::encode(ring::digest::digest(&ring::digest::SHA256, &bytes));
        self.sim
            .recordings()
            .insert(&sha256, MODEL, Recording::text(text));
        self.upload(text, "audio/wav", &bytes).await
    }

    pub async fn jsonl(&self, lines: &[String]) -> Value {
        self.upload("input", "application/jsonl", lines.join("\n").as_bytes())
            .await
    }

    /// An input file of recorded audio: one line a text, the text is the key.
    pub async fn input(&self, texts: &[&str]) -> Value {
        let mut lines = Vec::new();
        for text in texts {
            lines.push(line(text, &self.audio(text).await));
        }
        self.jsonl(&lines).await
    }

    pub fn create_request(&self, display_name: &str, input: &Value) -> RequestBuilder {
        let batch =
            json!({"displayName": display_name, "inputConfig": {"fileName": input["name"]}});
        self.request(
            Method::POST,
            &format!("models/{MODEL}:batchGenerateContent"),
        )
        .json(&json!({ "batch": batch }))
    }

    pub async fn create(&self, display_name: &str, input: &Value) -> Value {
        let reply = self
            .create_request(display_name, input)
            .send()
            .await
            .unwrap();
        assert_eq!(reply.status(), 200);
        reply.json().await.unwrap()
    }

    /// Polls a batch until it is done.
    pub async fn done(&self, operation: &Value) -> Value {
        for _ in 0..200 {
            let (code, operation) = self.get(id(operation)).await;
            assert_eq!(code, 200);
            if operation["done"] == true {
                return operation;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{operation} does not end");
    }

    /// The bytes of the output of a batch.
    pub async fn output(&self, operation: &Value) -> Vec<u8> {
        let file = operation["metadata"]["output"]["responsesFile"]
            .as_str()
            .unwrap();
        assert_eq!(operation["response"]["responsesFile"], *file);
        let reply = self
            .request(Method::GET, &format!("{file}:download?alt=media"))
            .send()
            .await
            .unwrap();
        assert_eq!(reply.status(), 200);
        reply.bytes().await.unwrap().to_vec()
    }

    /// Runs a batch over recorded audio and returns the lines of its output.
    pub async fn lines(&self, texts: &[&str]) -> Vec<Vec<u8>> {
        let input = self.input(texts).await;
        let ended = self.done(&self.create("run", &input).await).await;
        let output = self.output(&ended).await;
        output
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(<[u8]>::to_vec)
            .collect()
    }

    /// The same, parsed.
    pub async fn rows(&self, texts: &[&str]) -> Vec<Value> {
        let lines = self.lines(texts).await;
        lines
            .iter()
            .map(|line| serde_json::from_slice(line).unwrap())
            .collect()
    }

    pub fn count(&self, route: Route) -> u64 {
        self.sim.ledger().count(route)
    }
}
