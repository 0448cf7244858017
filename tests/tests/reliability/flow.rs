//! What people do in a case: ask the api, upload, start runs.

use std::ops::Range;

use gemini_sim::Recording;
use serde_json::{Value, json};
use stt_eval_shared::domain::{FileId, RunId, Timestamp};
use stt_eval_tests::API;
use stt_eval_tests::audio::{sha256, wav};
use stt_eval_tests::fault::Site;

use crate::rig::{Case, FLASH, PRO, TEXTS};

/// An answer of the api.
#[derive(Debug)]
pub struct Answer {
    pub status: u64,
    pub body: Value,
}

impl Answer {
    fn read(event: &Value) -> Self {
        let body = event["body"].as_str().unwrap_or_default();
        Self {
            status: event["statusCode"].as_u64().unwrap(),
            body: serde_json::from_str(body).unwrap_or(Value::Null),
        }
    }
}

impl Case {
    /// One request to the api; `None` when the function died on it.
    pub async fn once(
        &self,
        handler: &'static str,
        method: &str,
        path: &str,
        body: Option<&Value>,
        idempotency: &str,
    ) -> Option<Answer> {
        let event = self.request(method, path, body, idempotency);
        let handled = self.injector.run(handler, self.api.handle(event)).await?;
        Some(Answer::read(&handled.unwrap()))
    }

    /// The same, asked of another function.
    pub async fn asked_of(
        &self,
        api: &api::Handler,
        method: &str,
        path: &str,
        body: Option<&Value>,
        idempotency: &str,
    ) -> Answer {
        let event = self.request(method, path, body, idempotency);
        Answer::read(&api.handle(event).await.unwrap())
    }

    fn request(&self, method: &str, path: &str, body: Option<&Value>, idempotency: &str) -> Value {
        let path = format!("{API}{path}");
        json!({
            "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": "",
            "headers": {
                "x-api-key": self.key, "host": "localhost",
                "content-type": "application/json", "idempotency-key": idempotency,
            },
            "requestContext": {
                "accountId": "0", "apiId": "a", "domainName": "localhost", "domainPrefix": "l",
                "requestId": "r", "routeKey": "$default", "stage": "$default",
                "time": "", "timeEpoch": 0,
                "http": {
                    "method": method, "path": path, "protocol": "HTTP/1.1",
                    "sourceIp": "127.0.0.1", "userAgent": "case",
                },
            },
            "body": body.map(Value::to_string),
            "isBase64Encoded": false,
        })
    }

    /// A request as a client makes it: again, with the same key, until there
    /// is an answer; gives its data.
    pub async fn ask(
        &self,
        handler: &'static str,
        method: &str,
        path: &str,
        body: Option<&Value>,
        idempotency: &str,
    ) -> Value {
        for _ in 0..10 {
            match self.once(handler, method, path, body, idempotency).await {
                Some(answer) if answer.status < 300 => return answer.body["data"].clone(),
                // Its claim is held by the one that died; a minute passes.
                Some(answer) if answer.status == 409 => self.a_minute_passes().await,
                Some(answer) if answer.status >= 500 => {}
                None => {}
                Some(answer) => panic!("{method} {path}: {answer:?}"),
            }
        }
        panic!("{method} {path} has no answer");
    }

    /// Claims of idempotency keys grow old.
    async fn a_minute_passes(&self) {
        for item in self.rows("runs").await {
            let sk = item["sk"].as_s().unwrap();
            if sk.starts_with("idem#") && !item.contains_key("status") {
                let db = self.ground.cloud.dynamodb_client();
                let old = Timestamp::default().to_string();
                let update = db
                    .update_item()
                    .table_name(self.table("runs"))
                    .key("pk", item["pk"].clone())
                    .key("sk", item["sk"].clone())
                    .update_expression("SET claimed_at = :old")
                    .expression_attribute_values(
                        ":old",
                        aws_sdk_dynamodb::types::AttributeValue::S(old),
                    );
                update.send().await.unwrap();
            }
        }
    }

    /// The event that S3 sends of a file.
    pub async fn s3_event(&self, file: FileId) -> String {
        let file = self
            .clean
            .store
            .file(&self.project, file)
            .await
            .unwrap()
            .unwrap();
        json!({ "Records": [{
            "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "us-east-1",
            "eventTime": "2026-01-01T00:00:00.000Z", "eventName": "ObjectCreated:Put",
            "userIdentity": { "principalId": "AWS:0" },
            "requestParameters": { "sourceIPAddress": "127.0.0.1" },
            "responseElements": {},
            "s3": {
                "s3SchemaVersion": "1.0", "configurationId": "uploads",
                "bucket": {
                    "name": self.bucket, "ownerIdentity": { "principalId": "0" },
                    "arn": format!("arn:aws:s3:::{}", self.bucket),
                },
                "object": { "key": file.object_key, "size": file.size_bytes, "eTag": "e", "sequencer": "1" },
            },
        }] })
        .to_string()
    }

    /// Announces, uploads and registers a recording.
    pub async fn file(&self, number: u32) -> FileId {
        let id = self.file_unregistered(number).await;
        self.register(&self.s3_event(id).await).await;
        id
    }

    /// Another one of the same name.
    pub async fn file_again(&self, number: u32) -> FileId {
        let id = self.announce(number, "again").await;
        self.register(&self.s3_event(id).await).await;
        id
    }

    /// The same, but its event does not come.
    pub async fn file_unregistered(&self, number: u32) -> FileId {
        self.announce(number, "file").await
    }

    async fn announce(&self, number: u32, key: &str) -> FileId {
        let audio = wav(number, 0.1);
        let wanted = json!({
            "filename": format!("{number}.wav"), "content_type": "audio/wav",
            "size_bytes": audio.len(),
        });
        let key = format!("{key}-{number}");
        let made = self
            .ask("api files", "POST", "/files", Some(&wanted), &key)
            .await;
        self.put(&made["upload"], audio).await;
        made["file"]["id"].as_str().unwrap().parse().unwrap()
    }

    pub async fn put(&self, upload: &Value, bytes: Vec<u8>) {
        let mut request = self
            .ground
            .http()
            .put(upload["url"].as_str().unwrap())
            .body(bytes);
        for (name, value) in upload["headers"].as_object().unwrap() {
            request = request.header(name, value.as_str().unwrap());
        }
        assert_eq!(request.send().await.unwrap().status().as_u16(), 200);
    }

    /// A dataset of recordings that both models understand.
    pub async fn dataset_of(&self, numbers: Range<u32>, seconds: f64) -> String {
        let mut samples = Vec::new();
        for number in numbers {
            let audio = wav(number, seconds);
            for model in [PRO, FLASH] {
                let said = Recording::text("one small step");
                self.sim.recordings().insert(&sha256(&audio), model, said);
            }
            let wanted = json!({
                "filename": format!("{number}.wav"), "content_type": "audio/wav",
                "size_bytes": audio.len(),
            });
            let key = format!("file-{number}");
            let made = self
                .ask("api files", "POST", "/files", Some(&wanted), &key)
                .await;
            self.put(&made["upload"], audio).await;
            let file: FileId = made["file"]["id"].as_str().unwrap().parse().unwrap();
            self.register(&self.s3_event(file).await).await;
            samples.push(json!({ "file_id": file.to_string(), "ground_truth": "one small step" }));
        }
        let wanted = json!({ "name": "large", "language": "en", "samples": samples });
        let made = self
            .ask("api datasets", "POST", "/datasets", Some(&wanted), "large")
            .await;
        made["id"].as_str().unwrap().to_owned()
    }

    /// Three recordings and a dataset of them.
    pub async fn dataset(&self) -> String {
        let mut samples = Vec::new();
        for (number, text) in (1u32..).zip(TEXTS) {
            let file = self.file(number).await;
            samples.push(json!({ "file_id": file.to_string(), "ground_truth": text }));
        }
        let wanted = json!({ "name": "set", "language": "en", "samples": samples });
        let made = self
            .ask(
                "api datasets",
                "POST",
                "/datasets",
                Some(&wanted),
                "dataset",
            )
            .await;
        made["id"].as_str().unwrap().to_owned()
    }

    pub async fn run(&self, dataset: &str, models: &[&str]) -> RunId {
        self.run_named("run", dataset, models).await
    }

    pub async fn run_named(&self, name: &str, dataset: &str, models: &[&str]) -> RunId {
        let wanted = json!({ "run_name": name, "dataset_id": dataset, "providers": models });
        let made = self
            .ask("api runs", "POST", "/runs", Some(&wanted), name)
            .await;
        made["id"].as_str().unwrap().parse().unwrap()
    }

    /// The whole flow.
    pub async fn flow(&self) -> RunId {
        let dataset = self.dataset().await;
        let run = self.run(&dataset, &[PRO, FLASH]).await;
        self.settle().await;
        run
    }

    pub fn sites(&self) -> Vec<Site> {
        self.injector.log()
    }
}
