//! The three services with the official clients.

use std::time::{Duration, Instant};

use crate::common::{config, receive, start};
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use aws_sdk_sqs::types::QueueAttributeName;
use stt_eval_local::cloud::{Cloud, CloudError};

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

#[tokio::test]
async fn tables_take_conditional_transactions() {
    let directory = tempfile::tempdir().unwrap();
    let cloud = start(directory.path()).await;
    let client = cloud.dynamodb_client();
    let put = |name: &str| {
        let put = Put::builder()
            .table_name("things")
            .item("pk", text("p"))
            .item("sk", text(name))
            .condition_expression("attribute_not_exists(pk)")
            .return_values_on_condition_check_failure(
                aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld,
            )
            .build()
            .unwrap();
        TransactWriteItem::builder().put(put).build()
    };
    let write = |names: [&str; 2]| {
        client
            .transact_write_items()
            .transact_items(put(names[0]))
            .transact_items(put(names[1]))
            .send()
    };
    write(["a", "b"]).await.unwrap();
    let refused = write(["b", "c"]).await.unwrap_err().into_service_error();
    let aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError::TransactionCanceledException(reasons) = refused else {
        panic!("{refused:?}");
    };
    let reason = &reasons.cancellation_reasons()[0];
    assert_eq!(reason.code(), Some("ConditionalCheckFailed"));
    assert_eq!(reason.item().unwrap()["sk"], text("b"));
    let found = client
        .query()
        .table_name("things")
        .key_condition_expression("pk = :p")
        .expression_attribute_values(":p", text("p"))
        .send()
        .await
        .unwrap();
    assert_eq!(found.count(), 2);

    let counts = cloud.request_counts();
    let writes = counts[&("dynamodb", "TransactWriteItems".to_owned())];
    assert_eq!((writes.requests, writes.refused), (2, 1));
    assert!(
        writes.bytes_in > 300 && writes.bytes_out > 100,
        "{writes:?}"
    );
    assert_eq!(counts[&("dynamodb", "Query".to_owned())].requests, 1);
    cloud.shutdown().await.unwrap();
}

#[tokio::test]
async fn state_survives_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let cloud = start(directory.path()).await;
    cloud
        .dynamodb_client()
        .put_item()
        .table_name("things")
        .item("pk", text("p"))
        .item("sk", text("s"))
        .send()
        .await
        .unwrap();
    let s3 = cloud.s3_client();
    s3.put_object()
        .bucket(crate::common::BUCKET)
        .key("kept/x.txt")
        .content_type("text/plain")
        .body(b"kept".to_vec().into())
        .send()
        .await
        .unwrap();

    let second = Cloud::start(config(directory.path())).await;
    assert!(matches!(second, Err(CloudError::InUse(_))));
    cloud.shutdown().await.unwrap();

    let cloud = start(directory.path()).await;
    let found = cloud
        .dynamodb_client()
        .get_item()
        .table_name("things")
        .key("pk", text("p"))
        .key("sk", text("s"))
        .send()
        .await
        .unwrap();
    assert!(found.item().is_some());
    let ttl = cloud
        .dynamodb_client()
        .describe_time_to_live()
        .table_name("things")
        .send()
        .await
        .unwrap();
    let ttl = ttl.time_to_live_description().unwrap();
    assert_eq!(ttl.attribute_name(), Some("expires_at"));
    let object = cloud
        .s3_client()
        .get_object()
        .bucket(crate::common::BUCKET)
        .key("kept/x.txt")
        .send()
        .await
        .unwrap();
    assert_eq!(object.content_type(), Some("text/plain"));
    let body = object.body.collect().await.unwrap().into_bytes();
    assert_eq!(&body[..], b"kept");
    cloud.shutdown().await.unwrap();
}

#[tokio::test]
async fn queues_poll_long_and_redrive() {
    let directory = tempfile::tempdir().unwrap();
    let cloud = start(directory.path()).await;
    let sqs = cloud.sqs_client();
    let url = cloud.queue_url("work");
    let named = sqs.get_queue_url().queue_name("work").send().await.unwrap();
    assert_eq!(named.queue_url(), Some(url.as_str()));
    let attributes = sqs
        .get_queue_attributes()
        .queue_url(&url)
        .attribute_names(QueueAttributeName::All)
        .send()
        .await
        .unwrap();
    let attributes = attributes.attributes().unwrap();
    assert_eq!(attributes[&QueueAttributeName::VisibilityTimeout], "20");
    assert_eq!(
        attributes[&QueueAttributeName::QueueArn],
        cloud.queue_arn("work")
    );

    let polling = tokio::spawn({
        let sqs = sqs.clone();
        let url = url.clone();
        async move {
            let receive = sqs.receive_message().queue_url(url).wait_time_seconds(10);
            (receive.send().await.unwrap(), Instant::now())
        }
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    let sent = Instant::now();
    let send = sqs.send_message().queue_url(&url).message_body("one");
    send.send().await.unwrap();
    let (received, at) = polling.await.unwrap();
    assert!(at.duration_since(sent) < Duration::from_secs(1));
    let mut handle = received.messages()[0].receipt_handle().unwrap().to_owned();
    for round in 2..=4 {
        sqs.change_message_visibility()
            .queue_url(&url)
            .receipt_handle(&handle)
            .visibility_timeout(0)
            .send()
            .await
            .unwrap();
        let again = sqs.receive_message().queue_url(&url).send().await.unwrap();
        match again.messages() {
            [message] if round <= 3 => {
                handle = message.receipt_handle().unwrap().to_owned();
            }
            [] if round == 4 => {}
            other => panic!("round {round}: {other:?}"),
        }
    }
    assert_eq!(receive(&cloud, "work-dead", 2).await, ["one"]);
    cloud.shutdown().await.unwrap();
}

#[tokio::test]
async fn unsigned_and_wrongly_signed_requests_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let cloud = start(directory.path()).await;
    let wrong = aws_credential_types::Credentials::from_keys("local", "wrong", None);
    let wrong = cloud
        .sdk_config()
        .into_builder()
        .credentials_provider(aws_credential_types::provider::SharedCredentialsProvider::new(wrong))
        .build();
    let sqs = aws_sdk_sqs::Client::new(&wrong);
    assert!(sqs.list_queues().send().await.is_err());
    let s3 = aws_sdk_s3::Client::new(&wrong);
    let listed = s3
        .list_objects_v2()
        .bucket(crate::common::BUCKET)
        .send()
        .await;
    assert!(listed.is_err());

    let client = crate::common::http();
    for (url, target) in [
        (cloud.dynamodb_url(), "DynamoDB_20120810.ListTables"),
        (cloud.sqs_url(), "AmazonSQS.ListQueues"),
    ] {
        let response = client
            .post(url)
            .header("x-amz-target", target)
            .header("content-type", "application/x-amz-json-1.0")
            .body("{}")
            .send()
            .await
            .unwrap();
        assert!(response.status().is_client_error(), "{target}");
    }
    cloud.shutdown().await.unwrap();
}

#[tokio::test]
async fn stopping_does_not_wait_for_long_polls() {
    let directory = tempfile::tempdir().unwrap();
    let cloud = start(directory.path()).await;
    let receive = cloud
        .sqs_client()
        .receive_message()
        .queue_url(cloud.queue_url("work"))
        .wait_time_seconds(20);
    let polling = tokio::spawn(receive.send());
    tokio::time::sleep(Duration::from_millis(200)).await;
    let started = Instant::now();
    cloud.shutdown().await.unwrap();
    assert!(started.elapsed() < Duration::from_secs(2));
    polling.abort();
}
