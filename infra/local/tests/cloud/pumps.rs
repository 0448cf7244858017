//! What calls the functions without waiting for an answer.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::common::{BUCKET, receive, start};
use aws_lambda_events::event::eventbridge::EventBridgeEvent;
use aws_lambda_events::event::s3::S3Event;
use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use serde_json::Value;
use stt_eval_local::cloud::{Cloud, pump};
use tokio_util::sync::CancellationToken;

type Seen = Arc<Mutex<BTreeMap<String, u32>>>;

async fn send(cloud: &Cloud, bodies: &[&str]) {
    for body in bodies {
        cloud
            .sqs_client()
            .send_message()
            .queue_url(cloud.queue_url("work"))
            .message_body(*body)
            .send()
            .await
            .unwrap();
    }
}

async fn until(what: &str, mut reached: impl FnMut() -> bool) {
    for _ in 0..200 {
        if reached() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{what} did not happen");
}

#[tokio::test]
async fn failed_messages_come_again_and_end_among_the_dead() {
    let directory = tempfile::tempdir().unwrap();
    let cloud = start(directory.path()).await;
    send(&cloud, &["good", "poison", "again", "fine"]).await;
    let mut source = cloud.source("work");
    source.retry_after = Duration::ZERO;
    let seen = Seen::default();
    let stop = CancellationToken::new();
    let recorded = Arc::clone(&seen);
    let arn = cloud.queue_arn("work");
    let handler = move |event: SqsEvent| {
        let mut response = SqsBatchResponse::default();
        for record in event.records {
            let body = record.body.unwrap();
            let id = record.message_id.unwrap();
            let receives: u32 = record.attributes["ApproximateReceiveCount"]
                .parse()
                .unwrap();
            assert_eq!(record.event_source.as_deref(), Some("aws:sqs"));
            assert_eq!(record.event_source_arn.as_deref(), Some(arn.as_str()));
            assert_eq!(record.aws_region.as_deref(), Some("eu-central-1"));
            recorded.lock().unwrap().insert(body.clone(), receives);
            if body == "poison" || (body == "again" && receives == 1) {
                response.add_failure(id);
            }
        }
        async { Ok::<_, String>(response) }
    };
    let pump = tokio::spawn(pump::sqs(source, handler, stop.clone()));
    assert_eq!(receive(&cloud, "work-dead", 10).await, ["poison"]);
    stop.cancel();
    pump.await.unwrap();
    let seen = seen.lock().unwrap().clone();
    assert_eq!(seen["good"], 1);
    assert_eq!(seen["again"], 2);
    assert_eq!(seen["poison"], 3);
    assert!(receive(&cloud, "work", 0).await.is_empty());
    cloud.shutdown().await.unwrap();
}

#[tokio::test]
async fn an_upload_reaches_its_handler() {
    let directory = tempfile::tempdir().unwrap();
    let cloud = start(directory.path()).await;
    let keys = Arc::new(Mutex::new(Vec::new()));
    let found = Arc::clone(&keys);
    let handler = move |event: SqsEvent| {
        let found = Arc::clone(&found);
        async move {
            for message in event.records {
                let event: S3Event = serde_json::from_str(&message.body.unwrap_or_default())?;
                let keys = event.records.into_iter().map(|record| record.s3.object.key);
                found.lock().unwrap().extend(keys.flatten());
            }
            Ok::<_, serde_json::Error>(SqsBatchResponse::default())
        }
    };
    let stop = CancellationToken::new();
    let pump = tokio::spawn(pump::sqs(cloud.source("events"), handler, stop.clone()));
    for key in ["audio/a b", "raw/x", "incoming/p/हिन्दी.wav"] {
        let put = cloud.s3_client().put_object().bucket(BUCKET).key(key);
        put.body(b"x".to_vec().into()).send().await.unwrap();
    }
    until("two events", || keys.lock().unwrap().len() == 2).await;
    stop.cancel();
    pump.await.unwrap();
    let keys = keys.lock().unwrap().clone();
    let hindi = "incoming/p/%E0%A4%B9%E0%A4%BF%E0%A4%A8%E0%A5%8D%E0%A4%A6%E0%A5%80.wav";
    assert_eq!(keys, ["audio/a+b", hindi]);
    cloud.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_handler_that_panics_errs_or_hangs_fails_its_batch_only() {
    let directory = tempfile::tempdir().unwrap();
    let cloud = start(directory.path()).await;
    let mut source = cloud.source("work");
    source.batch_size = 1;
    source.handler_timeout = Duration::from_millis(300);
    let seen = Seen::default();
    let recorded = Arc::clone(&seen);
    let handler = move |event: SqsEvent| {
        let recorded = Arc::clone(&recorded);
        async move {
            let body = event.records[0].body.clone().unwrap();
            let receives = {
                let mut seen = recorded.lock().unwrap();
                *seen
                    .entry(body.clone())
                    .and_modify(|n| *n += 1)
                    .or_insert(1)
            };
            if receives == 1 {
                match body.as_str() {
                    "panics" => panic!("as it should"),
                    "hangs" => std::future::pending::<()>().await,
                    "errs" => return Err("broken".to_owned()),
                    "lies" => {
                        let mut response = SqsBatchResponse::default();
                        response.add_failure("no such message");
                        return Ok(response);
                    }
                    _ => {}
                }
            }
            Ok(SqsBatchResponse::default())
        }
    };
    let stop = CancellationToken::new();
    let pump = tokio::spawn(pump::sqs(source, handler, stop.clone()));
    send(&cloud, &["panics", "hangs", "errs", "lies", "works"]).await;
    until("two calls for each but one", || {
        let seen = seen.lock().unwrap();
        seen.len() == 5 && seen.values().sum::<u32>() == 9
    })
    .await;
    stop.cancel();
    pump.await.unwrap();
    assert_eq!(seen.lock().unwrap()["works"], 1);
    assert!(receive(&cloud, "work", 0).await.is_empty());
    cloud.shutdown().await.unwrap();
}

#[tokio::test]
async fn calls_are_limited_and_a_stop_lets_them_end() {
    let directory = tempfile::tempdir().unwrap();
    let cloud = start(directory.path()).await;
    send(&cloud, &["1", "2", "3", "4", "5", "6"]).await;
    let mut source = cloud.source("work");
    source.batch_size = 1;
    source.max_concurrency = 2;
    let running = Arc::new(AtomicUsize::new(0));
    let most = Arc::new(AtomicUsize::new(0));
    let ended = Arc::new(AtomicUsize::new(0));
    let (now, peak, done) = (running.clone(), most.clone(), ended.clone());
    let handler = move |_: SqsEvent| {
        let (now, peak, done) = (now.clone(), peak.clone(), done.clone());
        async move {
            peak.fetch_max(1 + now.fetch_add(1, Ordering::SeqCst), Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(300)).await;
            now.fetch_sub(1, Ordering::SeqCst);
            done.fetch_add(1, Ordering::SeqCst);
            Ok::<_, String>(SqsBatchResponse::default())
        }
    };
    let stop = CancellationToken::new();
    let pump = tokio::spawn(pump::sqs(source, handler, stop.clone()));
    until("two calls at once", || running.load(Ordering::SeqCst) == 2).await;
    stop.cancel();
    pump.await.unwrap();
    assert_eq!(running.load(Ordering::SeqCst), 0);
    assert_eq!(most.load(Ordering::SeqCst), 2);
    assert!(ended.load(Ordering::SeqCst) >= 2);
    cloud.shutdown().await.unwrap();
}

#[tokio::test]
async fn scheduled_calls_never_overlap() {
    let running = Arc::new(AtomicUsize::new(0));
    let calls = Arc::new(AtomicUsize::new(0));
    let (now, counted) = (running.clone(), calls.clone());
    let handler = move |event: EventBridgeEvent<Value>| {
        let (now, counted) = (now.clone(), counted.clone());
        async move {
            assert_eq!(event.source, "aws.scheduler");
            assert_eq!(event.detail_type, "Scheduled Event");
            assert!(event.time.is_some());
            assert_eq!(now.fetch_add(1, Ordering::SeqCst), 0, "an overlap");
            tokio::time::sleep(Duration::from_millis(60)).await;
            now.fetch_sub(1, Ordering::SeqCst);
            match counted.fetch_add(1, Ordering::SeqCst) {
                1 => panic!("as it should"),
                2 => Err("broken"),
                _ => Ok(()),
            }
        }
    };
    let stop = CancellationToken::new();
    let plan = pump::Schedule::new("poll", "eu-central-1", Duration::from_millis(20));
    let pump = tokio::spawn(pump::schedule(plan, handler, stop.clone()));
    until("five calls", || calls.load(Ordering::SeqCst) >= 5).await;
    stop.cancel();
    pump.await.unwrap();
    assert_eq!(running.load(Ordering::SeqCst), 0);
}
