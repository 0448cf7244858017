//! Runs the three endpoints for other clients until its standard input ends.
//!
//! Prints one JSON line with the variables that `tests/python/aws_clients` reads:
//!
//! ```text
//! cargo run -p stt-eval-local --example embedded_cloud [DIRECTORY]
//! ```
//!
//! Without a directory, everything is gone at the end.

use std::error::Error;
use std::path::PathBuf;

use stt_eval_local::cloud::{Cloud, CloudConfig, LOG_DIRECTIVES, QueueSpec};
use tokio::io::{AsyncReadExt as _, stdin};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::prelude::*;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let filter: Targets = format!("info,{LOG_DIRECTIVES}").parse()?;
    tracing_subscriber::registry()
        .with(tracing_subscriber::fmt::layer().with_writer(std::io::stderr))
        .with(filter)
        .init();
    let temporary = tempfile::tempdir()?;
    let directory = std::env::args_os().nth(1).map(PathBuf::from);
    let directory = directory.unwrap_or_else(|| temporary.path().to_owned());
    let mut config = CloudConfig::new(directory, "stt-eval-local");
    config.queues = vec![
        QueueSpec::new("events"),
        QueueSpec::new("work").dead_letters("work-dead", 2),
    ];
    let (access_key, secret_key) = (config.access_key.clone(), config.secret_key.clone());
    let (region, bucket) = (config.region.clone(), config.bucket.clone());
    let cloud = Cloud::start(config).await?;
    let ready = serde_json::json!({
        "STT_S3": cloud.s3_url(),
        "STT_DYNAMODB": cloud.dynamodb_url(),
        "STT_SQS": cloud.sqs_url(),
        "STT_BUCKET": bucket,
        "AWS_ACCESS_KEY_ID": access_key,
        "AWS_SECRET_ACCESS_KEY": secret_key,
        "AWS_DEFAULT_REGION": region,
    });
    println!("{ready}");
    let _ = stdin().read_to_end(&mut Vec::new()).await;
    for ((service, operation), traffic) in cloud.request_counts() {
        tracing::info!(service, operation, ?traffic);
    }
    cloud.shutdown().await?;
    Ok(())
}
