//! For `infra/bench/cold_start.py`: a function that builds the clients that the
//! api has, the way the SDK's guide does it, and answers after one read from
//! DynamoDB, as the api does when it refuses a key.

use aws_config::BehaviorVersion;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_smithy_http_client::tls;
use lambda_http::lambda_runtime::{LambdaEvent, run, service_fn};
use lambda_http::{Error, tracing};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    let ring = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring);
    let http = aws_smithy_http_client::Builder::new()
        .tls_provider(ring)
        .build_https();
    let aws = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http)
        .load()
        .await;
    let clients = (
        aws_sdk_dynamodb::Client::new(&aws),
        aws_sdk_s3::Client::new(&aws),
        aws_sdk_sqs::Client::new(&aws),
        aws_sdk_kms::Client::new(&aws),
    );
    let clients = &clients;
    run(service_fn(move |_: LambdaEvent<Value>| async move {
        let key = AttributeValue::S("k".into());
        let read = clients.0.get_item().table_name("access");
        let found = read.key("pk", key.clone()).key("sk", key).send().await?;
        Ok::<_, Error>(json!({ "statusCode": 401, "body": found.item.is_some().to_string() }))
    }))
    .await
}
