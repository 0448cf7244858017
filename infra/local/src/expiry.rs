//! What the bucket's lifecycle rule does in AWS: objects that can be made again
//! go when they are old.

use std::time::{Duration, SystemTime};

use aws_sdk_s3::Client;
use aws_sdk_s3::error::DisplayErrorContext;
use aws_sdk_s3::primitives::DateTime;
use tokio_util::sync::CancellationToken;

/// Where reports lie, and how long: as in `template.yaml`.
const PREFIX: &str = "reports/";
const KEPT: Duration = Duration::from_secs(30 * 86_400);
/// Pause between two looks.
const PAUSE: Duration = Duration::from_secs(3_600);

/// Lets old reports go, once an hour, until `stop`.
pub async fn run(client: Client, bucket: String, stop: CancellationToken) {
    loop {
        let before = SystemTime::now().checked_sub(KEPT);
        if let Some(before) = before
            && let Err(error) = expire(&client, &bucket, PREFIX, before).await
        {
            tracing::warn!(error, "old reports stay for another hour");
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
}

/// Deletes the objects under a prefix that were written before a time.
///
/// # Errors
/// The bucket can't be listed, or an object not be deleted.
pub async fn expire(
    client: &Client,
    bucket: &str,
    prefix: &str,
    before: SystemTime,
) -> Result<(), String> {
    let before = DateTime::from(before);
    let list = client.list_objects_v2().bucket(bucket).prefix(prefix);
    let mut pages = list.into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| DisplayErrorContext(error).to_string())?;
        for object in page.contents() {
            let old = object.last_modified().is_some_and(|at| *at < before);
            let Some(key) = object.key().filter(|_| old) else {
                continue;
            };
            let delete = client.delete_object().bucket(bucket).key(key);
            let deleted = delete.send().await;
            deleted.map_err(|error| DisplayErrorContext(error).to_string())?;
        }
    }
    Ok(())
}
