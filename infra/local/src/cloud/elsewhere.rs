//! Queues, bucket and events on another implementation, by the official clients.

use std::collections::HashMap;

use aws_sdk_s3::types::{
    CorsConfiguration, CorsRule, Event, FilterRule, FilterRuleName, NotificationConfiguration,
    NotificationConfigurationFilter, QueueConfiguration, S3KeyFilter,
};
use aws_sdk_sqs::types::QueueAttributeName;

use super::config::{CloudConfig, CloudError};
use super::sqs;

/// Makes what is missing; uploads are told to the queue with the ARN `events`.
pub(super) async fn prepare(
    sqs: &aws_sdk_sqs::Client,
    s3: &aws_sdk_s3::Client,
    events: &str,
    config: &CloudConfig,
) -> Result<(), CloudError> {
    queues(sqs, config).await?;
    bucket(s3, events, config).await
}

async fn queues(client: &aws_sdk_sqs::Client, config: &CloudConfig) -> Result<(), CloudError> {
    for spec in &config.queues {
        for (name, attributes) in sqs::creations(spec, &config.region) {
            let attributes: HashMap<QueueAttributeName, String> = attributes
                .into_iter()
                .map(|(name, value)| (QueueAttributeName::from(&*name), value))
                .collect();
            let create = client.create_queue().queue_name(name);
            let created = create.set_attributes(Some(attributes)).send().await;
            created.map_err(|error| {
                let error = aws_sdk_sqs::error::DisplayErrorContext(error);
                CloudError::service("sqs", format!("queue {name}: {error}"))
            })?;
        }
    }
    Ok(())
}

async fn bucket(
    client: &aws_sdk_s3::Client,
    events: &str,
    config: &CloudConfig,
) -> Result<(), CloudError> {
    fn failed(error: impl std::error::Error) -> CloudError {
        CloudError::service("s3", aws_sdk_s3::error::DisplayErrorContext(error))
    }
    if let Err(error) = client.create_bucket().bucket(&config.bucket).send().await {
        let error = error.into_service_error();
        if !error.is_bucket_already_owned_by_you() {
            return Err(failed(error));
        }
    }
    let methods = ["GET", "PUT", "HEAD"].map(str::to_owned).to_vec();
    let rule = CorsRule::builder()
        .set_allowed_origins(Some(config.cors_origins.clone()))
        .set_allowed_methods(Some(methods))
        .allowed_headers("*")
        .build()
        .map_err(failed)?;
    let rules = CorsConfiguration::builder().cors_rules(rule);
    client
        .put_bucket_cors()
        .bucket(&config.bucket)
        .cors_configuration(rules.build().map_err(failed)?)
        .send()
        .await
        .map_err(failed)?;

    let mut told = NotificationConfiguration::builder();
    for prefix in &config.event_prefixes {
        let rule = FilterRule::builder()
            .name(FilterRuleName::Prefix)
            .value(prefix)
            .build();
        let key = S3KeyFilter::builder().filter_rules(rule).build();
        let filter = NotificationConfigurationFilter::builder().key(key).build();
        let queue = QueueConfiguration::builder()
            .queue_arn(events)
            .events(Event::S3ObjectCreated)
            .filter(filter)
            .build()
            .map_err(failed)?;
        told = told.queue_configurations(queue);
    }
    client
        .put_bucket_notification_configuration()
        .bucket(&config.bucket)
        .notification_configuration(told.build())
        .send()
        .await
        .map_err(failed)?;
    Ok(())
}
