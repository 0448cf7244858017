//! A cloud in a directory of its own.

use std::path::Path;

use aws_sdk_dynamodb::operation::create_table::CreateTableInput;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use stt_eval_local::cloud::{Cloud, CloudConfig, QueueSpec, TableSpec};

pub const BUCKET: &str = "stt-eval-local";
pub const ORIGIN: &str = "http://127.0.0.1:8080";

/// A table `name` with the key (`pk`, `sk`).
pub fn table(name: &str) -> TableSpec {
    let attribute = |name: &str| {
        AttributeDefinition::builder()
            .attribute_name(name)
            .attribute_type(ScalarAttributeType::S)
            .build()
            .unwrap()
    };
    let key = |name: &str, kind| {
        KeySchemaElement::builder()
            .attribute_name(name)
            .key_type(kind)
            .build()
            .unwrap()
    };
    TableSpec {
        create: CreateTableInput::builder()
            .table_name(name)
            .billing_mode(BillingMode::PayPerRequest)
            .attribute_definitions(attribute("pk"))
            .attribute_definitions(attribute("sk"))
            .key_schema(key("pk", KeyType::Hash))
            .key_schema(key("sk", KeyType::Range)),
        ttl_attribute: Some("expires_at".to_owned()),
    }
}

pub fn config(directory: &Path) -> CloudConfig {
    let mut config = CloudConfig::new(directory, BUCKET);
    config.region = "eu-central-1".to_owned();
    config.tables = vec![table("things")];
    config.queues = vec![
        QueueSpec::new("events"),
        QueueSpec::new("work")
            .visibility_timeout(20)
            .dead_letters("work-dead", 3),
    ];
    config.cors_origins = vec![ORIGIN.to_owned()];
    config
}

pub async fn start(directory: &Path) -> Cloud {
    Cloud::start(config(directory))
        .await
        .expect("the cloud starts")
}

/// The bodies of all messages that arrive within `seconds`, at least one poll.
pub async fn receive(cloud: &Cloud, queue: &str, seconds: i32) -> Vec<String> {
    let sqs = cloud.sqs_client();
    let url = cloud.queue_url(queue);
    let received = sqs
        .receive_message()
        .queue_url(&url)
        .max_number_of_messages(10)
        .wait_time_seconds(seconds)
        .send()
        .await
        .expect("messages");
    let mut bodies = Vec::new();
    for message in received.messages() {
        bodies.push(message.body().unwrap_or_default().to_owned());
        sqs.delete_message()
            .queue_url(&url)
            .receipt_handle(message.receipt_handle().unwrap_or_default())
            .send()
            .await
            .expect("deleted");
    }
    bodies
}

/// An HTTP client that signs nothing.
pub fn http() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::new()
}

/// The base64 SHA-256 that S3 expects.
pub fn sha256(bytes: &[u8]) -> String {
    use base64::Engine as _;
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    base64::engine::general_purpose::STANDARD.encode(digest)
}
