//! `EventBridge` Scheduler.

use std::fmt::Display;
use std::time::Duration;

use aws_lambda_events::event::eventbridge::EventBridgeEvent;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use ulid::Ulid;

use super::super::ACCOUNT_ID;
use super::super::invoke::invoke;

/// A schedule with a fixed rate.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// Its name, in the event's ARN.
    pub name: String,
    /// The region in the event.
    pub region: String,
    /// The time between two starts.
    pub interval: Duration,
    /// How long the function may take.
    pub handler_timeout: Duration,
}

impl Schedule {
    /// A schedule for a function that may take a minute.
    #[must_use]
    pub fn new(name: impl Into<String>, region: impl Into<String>, interval: Duration) -> Self {
        Self {
            name: name.into(),
            region: region.into(),
            interval,
            handler_timeout: Duration::from_secs(60),
        }
    }
}

/// Calls `handler` at once and then every `interval`, until `stop`.
///
/// Calls never overlap: one that takes longer than the interval delays the
/// next. A failure or a panic is logged, and the next call comes as planned.
/// `stop` lets the running call end.
pub async fn schedule<H, F, E>(schedule: Schedule, handler: H, stop: CancellationToken)
where
    H: Fn(EventBridgeEvent<Value>) -> F + Send + Sync,
    F: Future<Output = Result<(), E>> + Send + 'static,
    E: Display + Send + 'static,
{
    // An interval of zero would panic.
    let mut ticks = tokio::time::interval(schedule.interval.max(Duration::from_millis(1)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        let name = &schedule.name;
        let event = match serde_json::from_value(event(&schedule)) {
            Ok(event) => event,
            Err(error) => {
                tracing::error!(name, %error, "the scheduled event is not readable");
                continue;
            }
        };
        if let Err(error) = invoke(handler(event), schedule.handler_timeout).await {
            tracing::error!(name, %error, "a scheduled call failed");
        }
    }
}

/// The event that Scheduler sends to a Lambda function without an input of its own.
fn event(schedule: &Schedule) -> Value {
    let now = OffsetDateTime::now_utc().replace_nanosecond(0);
    let now = now.ok().and_then(|now| now.format(&Rfc3339).ok());
    let Schedule { name, region, .. } = schedule;
    json!({
        "version": "0",
        "id": Ulid::generate().to_string(),
        "detail-type": "Scheduled Event",
        "source": "aws.scheduler",
        "account": ACCOUNT_ID,
        "time": now,
        "region": region,
        "resources": [format!("arn:aws:scheduler:{region}:{ACCOUNT_ID}:schedule/default/{name}")],
        "detail": "{}",
    })
}
