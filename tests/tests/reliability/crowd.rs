//! Many files dropped at once, on a DynamoDB that refuses transactions which
//! meet, and messages that failed.
//!
//! `RELIABILITY_DROPS=10000 RELIABILITY_HOLD_MS=40` is the case at full size; it
//! prints what would have happened with one item that all of them count in.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws_lambda_events::event::sqs::{SqsEvent, SqsMessage};
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem, Update};
use aws_sdk_sqs::types::{MessageSystemAttributeName, QueueAttributeName};
use futures::StreamExt;
use serde_json::json;
use stt_eval_shared::App;
use stt_eval_shared::providers::CLIENTS;
use stt_eval_shared::store::Store;
use stt_eval_shared::store::tries::Tries;
use stt_eval_tests::audio::wav;
use stt_eval_tests::collide::Collider;

use crate::rig::{Case, Ground, Options, event};

const AT_ONCE: usize = 200;
/// Collisions after which the store gives up.
const PATIENCE: u32 = 12;

fn setting(name: &str, usual: u64) -> u64 {
    std::env::var(name).map_or(usual, |text| text.parse().unwrap())
}

fn colliding(case: &Case, collider: &Arc<Collider>) -> (App, aws_sdk_dynamodb::Client) {
    let aws = case.ground.cloud.sdk_config();
    let client = collider.around(aws.http_client().unwrap());
    let aws = aws.to_builder().http_client(client).build();
    let app = App::build((*case.clean.config).clone(), &aws, true, CLIENTS).unwrap();
    (app, aws_sdk_dynamodb::Client::new(&aws))
}

fn dropped(case: &Case, key: &str) -> String {
    json!({ "Records": [{
        "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "us-east-1",
        "eventTime": "2026-01-01T00:00:00.000Z", "eventName": "ObjectCreated:Put",
        "userIdentity": { "principalId": "AWS:1" },
        "requestParameters": { "sourceIPAddress": "127.0.0.1" },
        "responseElements": { "x-amz-request-id": "1", "x-amz-id-2": "2" },
        "s3": {
            "s3SchemaVersion": "1.0",
            "bucket": { "name": case.bucket, "arn": "arn:aws:s3:::b" },
            "object": { "key": key, "size": 1, "sequencer": "0" }
        }
    }]})
    .to_string()
}

async fn total(store: &Store, case: &Case) -> u64 {
    store.list_files(&case.project, None, 1).await.unwrap().1
}

/// Delivers the events; gives those that come again.
async fn deliver(app: &App, case: &Case, keys: Vec<String>) -> Vec<String> {
    let handled = keys.into_iter().map(|key| async move {
        let response = register::handle(event(&dropped(case, &key)), app).await;
        (!response.batch_item_failures.is_empty()).then_some(key)
    });
    let handled: Vec<_> = handled.collect();
    let handled: Vec<Option<String>> = futures::stream::iter(handled)
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    handled.into_iter().flatten().collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn registrations_at_once_never_meet() {
    let drops = setting("RELIABILITY_DROPS", 400);
    let hold = setting("RELIABILITY_HOLD_MS", 20);
    let ground = Ground::start().await;
    let case = Case::start(&ground, Options::default()).await;
    let store = &case.clean.store;
    // What release 0.1.0 had counted.
    let db = ground.cloud.dynamodb_client();
    let earlier = db
        .put_item()
        .table_name(case.table("files"))
        .item("pk", AttributeValue::S(case.project.to_string()))
        .item("sk", AttributeValue::S("#count".into()))
        .item("n", AttributeValue::N("7".into()));
    earlier.send().await.unwrap();
    assert_eq!(total(store, &case).await, 7);

    let s3 = ground.cloud.s3_client();
    let mut keys = Vec::new();
    for number in 0..drops {
        let key = format!("incoming/{}/{number}.wav", case.project);
        let bytes = wav(u32::try_from(number).unwrap(), 0.02);
        let put = s3.put_object().bucket(&case.bucket).key(&key);
        put.body(bytes.into()).send().await.unwrap();
        keys.push(key);
    }
    let collider = Collider::new(Duration::from_millis(hold));
    let (app, _) = colliding(&case, &collider);
    let begun = std::time::Instant::now();
    let again = deliver(&app, &case, keys.clone()).await;
    println!(
        "{drops} files, {AT_ONCE} at once, held {hold} ms: {} collisions in {} transactions, {} come again, {:.1} s",
        collider.refused(),
        collider.done(),
        again.len(),
        begun.elapsed().as_secs_f64()
    );
    assert_eq!((collider.refused(), again), (0, Vec::new()));
    assert_eq!(total(store, &case).await, 7 + drops);

    // Events that come ten times are counted once.
    let few: Vec<String> = keys.iter().take(20).cloned().collect();
    let ten: Vec<String> = std::iter::repeat_n(few, 10).flatten().collect();
    deliver(&app, &case, ten).await;
    assert_eq!(total(store, &case).await, 7 + drops);

    // However many fold and count at once, none is lost and none counted twice;
    // a reader that is disturbed at each try may miss what is just being folded.
    let project = case.project.as_str();
    let folds = (0..8).map(|_| app.store.fold_files(project));
    let totals = (0..8).map(|_| total(store, &case));
    let (folded, seen) = tokio::join!(
        futures::future::join_all(folds),
        futures::future::join_all(totals)
    );
    assert!(folded.iter().any(Result::is_ok), "{folded:?}");
    let near = 7 + drops - 98..=7 + drops;
    assert!(seen.iter().all(|total| near.contains(total)), "{seen:?}");
    store.fold_files(project).await.unwrap();
    assert_eq!(total(store, &case).await, 7 + drops);
    let mut changes = case.rows("files").await;
    changes.retain(|row| row["pk"].as_s().unwrap().ends_with("#count"));
    let left: BTreeSet<&str> = changes
        .iter()
        .map(|row| row["sk"].as_s().unwrap().as_str())
        .collect();
    assert_eq!(left, BTreeSet::from(["base"]), "all are folded");

    // Deleting counts down.
    let (page, _) = store.list_files(&case.project, None, 1).await.unwrap();
    let now = stt_eval_shared::domain::Timestamp::now();
    store.begin_delete_file(&page.items[0], now).await.unwrap();
    assert_eq!(total(store, &case).await, 6 + drops);
    case.end().await;
}

/// The same crowd in transactions that share an item: that the double notices.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_item_for_all_would_be_noticed() {
    let drops = setting("RELIABILITY_DROPS", 400);
    let hold = setting("RELIABILITY_HOLD_MS", 20);
    let ground = Ground::start().await;
    let case = Case::start(&ground, Options::default()).await;
    let collider = Collider::new(Duration::from_millis(hold));
    let (_, db) = colliding(&case, &collider);
    let table = case.table("files");
    let given_up = AtomicU64::new(0);
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let writes = (0..drops).map(|number| {
        let (db, given_up) = (&db, &given_up);
        async move {
            let own = Put::builder()
                .table_name(table)
                .item("pk", text("crowd"))
                .item("sk", text(&format!("own#{number}")));
            let shared = Update::builder()
                .table_name(table)
                .key("pk", text("crowd"))
                .key("sk", text("shared"))
                .update_expression("ADD n :one")
                .expression_attribute_values(":one", AttributeValue::N("1".into()));
            let own = TransactWriteItem::builder()
                .put(own.build().unwrap())
                .build();
            let shared = TransactWriteItem::builder()
                .update(shared.build().unwrap())
                .build();
            let mut tries = Tries::of(PATIENCE + 1);
            loop {
                let write = db.transact_write_items();
                let write = write
                    .transact_items(own.clone())
                    .transact_items(shared.clone());
                if write.send().await.is_ok() {
                    return;
                }
                if !tries.again().await {
                    break;
                }
            }
            given_up.fetch_add(1, Ordering::Relaxed);
        }
    });
    let writes: Vec<_> = writes.collect();
    futures::stream::iter(writes)
        .buffer_unordered(AT_ONCE)
        .collect::<()>()
        .await;
    println!(
        "one item for {drops}, {AT_ONCE} at once, held {hold} ms: {} collisions in {} transactions, {} given up",
        collider.refused(),
        collider.done(),
        given_up.load(Ordering::Relaxed)
    );
    assert!(collider.refused() > drops, "the double forgives");
    case.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_failed_is_back_long_before_its_queue_would_show_it() {
    let ground = Ground::start().await;
    let case = Case::start(&ground, Options::default()).await;
    let sqs = ground.cloud.sqs_client();
    let name = format!("{}-uploads", case.project);
    let made = sqs
        .create_queue()
        .queue_name(name)
        .attributes(QueueAttributeName::VisibilityTimeout, "720");
    let url = made.send().await.unwrap().queue_url.unwrap();
    let mut config = (*case.clean.config).clone();
    config.events_queue = Some(url.clone());
    let app = App::build(config, &ground.cloud.sdk_config(), true, CLIENTS).unwrap();
    let sent = sqs.send_message().queue_url(&url).message_body("no event");
    sent.send().await.unwrap();
    let receive = || async {
        let receive = sqs
            .receive_message()
            .queue_url(&url)
            .wait_time_seconds(20)
            .message_system_attribute_names(MessageSystemAttributeName::All);
        receive.send().await.unwrap().messages.unwrap_or_default()
    };
    let received = receive().await;
    let mut message = SqsMessage::default();
    message.message_id = received[0].message_id.clone();
    message.receipt_handle = received[0].receipt_handle.clone();
    message.body = received[0].body.clone();
    for (name, value) in received[0].attributes.iter().flatten() {
        message
            .attributes
            .insert(name.as_str().to_owned(), value.clone());
    }
    let mut event = SqsEvent::default();
    event.records = vec![message];
    let response = register::handle(event, &app).await;
    assert_eq!(response.batch_item_failures.len(), 1);
    // Unless it was told so, this takes twelve minutes.
    let back = receive().await;
    assert_eq!(back.len(), 1, "it does not come back");
    assert_eq!(back[0].message_id, received[0].message_id);
    sqs.delete_queue().queue_url(&url).send().await.unwrap();
    case.end().await;
}
