//! The functions, and what calls them in AWS.

use std::sync::Arc;
use std::time::Duration;

use stt_eval_shared::{App, Deadline};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::cloud::Cloud;
use crate::cloud::front::{self, FrontOptions};
use crate::cloud::pump::{self, Schedule, SqsSource};
use crate::door::Door;
use crate::environment::{BUCKET, EVENTS, SUBMISSIONS};
use crate::expiry;
use crate::hosts::Hosts;

/// What is left of an invocation's time when it should have stopped by itself.
const MARGIN: Duration = Duration::from_secs(10);
const SUBMIT_TIMEOUT: Duration = Duration::from_secs(300);
const POLL_TIMEOUT: Duration = Duration::from_secs(120);

/// Connects the functions to what calls them in AWS.
pub(crate) fn run(
    cloud: &Cloud,
    app: &App,
    door: Arc<Door>,
    listener: TcpListener,
    poll_interval: Duration,
    stop: &CancellationToken,
) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    // To others on the network the bucket has no door but this one.
    let is_open = listener
        .local_addr()
        .is_ok_and(|address| !address.ip().is_loopback());
    let bucket = cloud.bucket().filter(|_| is_open);
    let signing = bucket.is_some().then(|| cloud.signing());
    let hosts = Hosts::new(app, signing);
    let options = FrontOptions {
        bucket,
        ..FrontOptions::default()
    };
    let answer = move |event| {
        let event = door.turned(event);
        let api = hosts.of(&event);
        async move { api.handle(event).await }
    };
    tasks.spawn(front::serve(listener, options, answer, stop.clone()));

    tasks.spawn(expiry::run(
        cloud.s3_client(),
        BUCKET.to_owned(),
        stop.clone(),
    ));

    let register_app = app.clone();
    let source = SqsSource {
        max_concurrency: 4,
        ..cloud.source(EVENTS)
    };
    tasks.spawn(pump::sqs(
        source,
        move |event| {
            let app = register_app.clone();
            async move { Ok::<_, std::convert::Infallible>(register::handle(event, &app).await) }
        },
        stop.clone(),
    ));

    let submit_app = app.clone();
    let source = SqsSource {
        max_concurrency: 4,
        // A submission may take long; one message must not hold up others.
        batch_size: 1,
        handler_timeout: SUBMIT_TIMEOUT,
        ..cloud.source(SUBMISSIONS)
    };
    tasks.spawn(pump::sqs(
        source,
        move |event| {
            let app = submit_app.clone();
            let deadline = Deadline::after(SUBMIT_TIMEOUT.saturating_sub(MARGIN));
            async move {
                Ok::<_, std::convert::Infallible>(submit::handle(event, &app, deadline).await)
            }
        },
        stop.clone(),
    ));

    let poll_app = app.clone();
    let mut schedule = Schedule::new("poll", "us-east-1", poll_interval);
    schedule.handler_timeout = POLL_TIMEOUT;
    let stop = stop.clone();
    tasks.spawn(async move {
        pump::schedule(
            schedule,
            move |event| {
                let app = poll_app.clone();
                let deadline = Deadline::after(POLL_TIMEOUT.saturating_sub(MARGIN));
                async move {
                    let event = serde_json::to_value(event).unwrap_or_default();
                    // The schedule is not an operator: the answer is not read.
                    drop(poll::handle(event, &app, deadline).await);
                    Ok::<_, std::convert::Infallible>(())
                }
            },
            stop,
        )
        .await;
    });
    tasks
}
