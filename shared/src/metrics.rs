//! Metrics, as lines of `CloudWatch`'s Embedded Metric Format on standard output.
//!
//! Lambda ships standard output to `CloudWatch` Logs, which makes metrics of such
//! lines by itself: no call, no permission, no waiting. Each emission is one raw
//! line of JSON (a line of the log's own format would wrap it), with ids beside
//! the numbers for whoever looks at the log: ids are never dimensions, which
//! cost money for each value.
//!
//! Nothing is written unless the process says so, once, at its start: Lambda's
//! `main`s do. The embedded cloud does not, for its standard output is spoken
//! for.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::domain::run::Run;
use crate::domain::unit::{Unit, UnitKey};
use crate::domain::{ProjectId, RunId, Timestamp};

/// Namespace of every metric.
pub const NAMESPACE: &str = "SttEval";

/// A metric: its name, its unit, and the dimension it has besides `Stack`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric {
    /// Name in `CloudWatch`.
    pub name: &'static str,
    /// Unit in `CloudWatch`'s words.
    pub unit: &'static str,
    /// A dimension besides `Stack`, with few values.
    pub by: Option<&'static str>,
    /// Whether it is told without that dimension as well: an alarm watches one
    /// metric, not all values of a dimension.
    pub total: bool,
}

const fn metric(name: &'static str, unit: &'static str, by: Option<&'static str>) -> Metric {
    Metric {
        name,
        unit,
        by,
        total: false,
    }
}

impl Metric {
    const fn also_in_total(mut self) -> Self {
        self.total = true;
        self
    }
}

/// Runs that were accepted.
pub const RUNS_ACCEPTED: Metric = metric("RunsAccepted", "Count", None);
/// Runs that reached an end, by what it was.
pub const RUNS_FINISHED: Metric = metric("RunsFinished", "Count", Some("Status"));
/// From a run's acceptance to its end.
pub const RUN_DURATION: Metric = metric("RunDuration", "Seconds", None);
/// Items that got a transcription.
pub const ITEMS_COMPLETED: Metric = metric("ItemsCompleted", "Count", None);
/// Items that failed, by the code that clients see.
pub const ITEMS_FAILED: Metric = metric("ItemsFailed", "Count", Some("Code")).also_in_total();
/// From a batch's creation until it was seen to have ended.
pub const PROVIDER_LATENCY: Metric = metric("ProviderLatency", "Seconds", Some("Provider"));
/// What providers charge for it, in US dollars.
pub const COST: Metric = metric("CostUsd", "None", None);
/// Age of the oldest unfinished run that a poll came by.
pub const OLDEST_RUN: Metric = metric("OldestUnfinishedRun", "Seconds", None);
/// Age of the oldest accepted run without units that a poll came by.
pub const OLDEST_OUTBOX: Metric = metric("OldestOutbox", "Seconds", None);
/// How late the most overdue piece of work was.
pub const MOST_OVERDUE: Metric = metric("MostOverdue", "Seconds", None);
/// Pieces of work that a poll could not do.
pub const POLL_ERRORS: Metric = metric("PollErrors", "Count", None);

/// Batches that a provider has for items of which another batch is recorded, or
/// none: paid for twice. One counts again each time it is seen, until it is
/// gone.
pub const DUPLICATE_BATCHES: Metric = metric("DuplicateBatches", "Count", None);
/// Batches that did not come to an end and were made once more.
pub const BATCHES_RESUBMITTED: Metric = metric("BatchesResubmitted", "Count", None);
/// Times a batch was seen in a state that this version does not know.
pub const UNKNOWN_BATCH_STATES: Metric = metric("UnknownBatchStates", "Count", None);
/// Lines of outputs whose key is none of their batch's.
pub const UNKNOWN_KEYS: Metric = metric("UnknownKeys", "Count", None);

/// All of them.
pub const ALL: [Metric; 15] = [
    RUNS_ACCEPTED,
    RUNS_FINISHED,
    RUN_DURATION,
    ITEMS_COMPLETED,
    ITEMS_FAILED,
    PROVIDER_LATENCY,
    COST,
    OLDEST_RUN,
    OLDEST_OUTBOX,
    MOST_OVERDUE,
    POLL_ERRORS,
    DUPLICATE_BATCHES,
    BATCHES_RESUBMITTED,
    UNKNOWN_BATCH_STATES,
    UNKNOWN_KEYS,
];

/// Codes of failed items that have a value of their own. Those of a refusal by
/// a model's filters count as `blocked`, and whatever else there is as `other`:
/// a provider must not be able to make metrics.
pub const CODES: [&str; 28] = [
    "audio_unreadable",
    "credentials_refused",
    "empty_output",
    "incomplete_output",
    "input_unavailable",
    "malformed_output",
    "max_tokens",
    "model_unavailable",
    "no_credentials",
    "nothing_to_send",
    "provider_cancelled",
    "provider_error",
    "provider_expired",
    "provider_failed",
    "provider_lost",
    "provider_malformed",
    "provider_missing",
    "provider_no_output",
    "provider_quota",
    "provider_refused",
    "provider_refused_audio",
    "provider_rejected",
    "provider_timeout",
    "provider_unauthorized",
    "sample_missing",
    "submission_unknown",
    "unsupported_audio",
    "unsupported_language",
];

/// What one poll saw.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cycle {
    /// Age of the oldest unfinished run it came by.
    pub oldest_run: Duration,
    /// Age of the oldest accepted run without units it came by.
    pub oldest_outbox: Duration,
    /// How late the most overdue piece was.
    pub most_overdue: Duration,
    /// Pieces that failed.
    pub errors: u32,
}

impl Cycle {
    /// Takes note of an unfinished run.
    ///
    /// A run is as old as its acceptance; in a later round it counts from its
    /// last change, for its acceptance may be long ago and was no failure.
    pub fn saw(&mut self, run: &Run, now: Timestamp) {
        if !run.status.is_active() || run.deleting {
            return;
        }
        let began = if run.round == 1 {
            run.inserted_at
        } else {
            run.updated_at
        };
        self.oldest_run = self.oldest_run.max(now.since(began));
        if run.units_total.is_none() {
            self.oldest_outbox = self.oldest_outbox.max(now.since(run.updated_at));
        }
    }
}

struct Sink {
    stack: String,
    writer: Mutex<Box<dyn Write + Send>>,
}

static SINK: OnceLock<Sink> = OnceLock::new();

/// Lets metrics of a stack out on standard output.
pub fn enable_stdout(stack: &str) {
    enable(stack, Box::new(std::io::stdout()));
}

/// Lets metrics out on a writer. The first call of a process counts.
pub fn enable(stack: &str, writer: Box<dyn Write + Send>) {
    let sink = Sink {
        stack: stack.to_owned(),
        writer: Mutex::new(writer),
    };
    if SINK.set(sink).is_err() {
        tracing::debug!("metrics go elsewhere already");
    }
}

/// What is told beside the numbers, for the log.
type Ids<'a> = &'a [(&'static str, &'a dyn std::fmt::Display)];

/// Makes the line of an emission: metrics with the same further dimension.
fn line(
    stack: &str,
    now: Timestamp,
    by: Option<(&'static str, &str)>,
    values: &[(Metric, f64)],
    ids: Ids<'_>,
) -> String {
    let mut dimensions = vec![vec!["Stack"]];
    let mut all = Map::new();
    // What Lambda wants of a line before it applies its log level.
    all.insert("level".into(), json!("INFO"));
    all.insert("timestamp".into(), json!(now));
    all.insert("Stack".into(), json!(stack));
    if let Some((dimension, value)) = by {
        let total = values.iter().all(|(metric, _)| metric.total);
        dimensions.insert(0, vec!["Stack", dimension]);
        dimensions.truncate(if total { 2 } else { 1 });
        all.insert(dimension.into(), json!(value));
    }
    for (metric, value) in values {
        all.insert(metric.name.into(), number(*value));
    }
    for (name, id) in ids {
        all.insert((*name).into(), json!(id.to_string()));
    }
    let metrics: Vec<Value> = values
        .iter()
        .map(|(metric, _)| json!({ "Name": metric.name, "Unit": metric.unit }))
        .collect();
    all.insert(
        "_aws".into(),
        json!({
            "Timestamp": now.millis(),
            "CloudWatchMetrics": [{
                "Namespace": NAMESPACE,
                "Dimensions": dimensions,
                "Metrics": metrics,
            }],
        }),
    );
    let mut text = Value::Object(all).to_string();
    text.push('\n');
    text
}

/// Counts look like counts.
fn number(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() < 1e15 {
        json!(value as i64)
    } else {
        json!(value)
    }
}

fn emit(by: Option<(&'static str, &str)>, values: &[(Metric, f64)], ids: Ids<'_>) {
    let Some(sink) = SINK.get() else {
        return;
    };
    let text = line(&sink.stack, Timestamp::now(), by, values, ids);
    let mut writer = sink.writer.lock().unwrap_or_else(PoisonError::into_inner);
    // In one piece, so that no log line of another thread gets into it.
    let written = writer
        .write_all(text.as_bytes())
        .and_then(|()| writer.flush());
    if let Err(error) = written {
        tracing::warn!(%error, "a metric was lost");
    }
}

/// A run was accepted, or tried again.
pub fn run_accepted(run: &Run) {
    let ids: Ids<'_> = &[("project_id", &run.project), ("run_id", &run.id)];
    emit(None, &[(RUNS_ACCEPTED, 1.0)], ids);
}

/// A run reached an end by this change. Says nothing of one that has not.
pub fn run_finished(run: &Run) {
    let Some(end) = run.finished_at.filter(|_| !run.status.is_active()) else {
        return;
    };
    let ids: Ids<'_> = &[("project_id", &run.project), ("run_id", &run.id)];
    let status = Some(("Status", run.status.as_str()));
    emit(status, &[(RUNS_FINISHED, 1.0)], ids);
    if run.round == 1 {
        let seconds = end.since(run.inserted_at).as_secs_f64();
        emit(None, &[(RUN_DURATION, seconds)], ids);
    }
}

/// A unit's outcomes were counted.
pub fn unit_collected<'a>(
    unit: &Unit,
    completed: u32,
    failed: impl Iterator<Item = &'a str>,
    cost_micro_usd: u64,
) {
    let ids: Ids<'_> = &[
        ("project_id", &unit.project),
        ("run_id", &unit.run),
        ("unit_id", &unit.key),
    ];
    let cost = cost_micro_usd as f64 / 1e6;
    emit(
        None,
        &[(ITEMS_COMPLETED, f64::from(completed)), (COST, cost)],
        ids,
    );
    let mut codes: BTreeMap<&str, u32> = BTreeMap::new();
    for code in failed {
        *codes.entry(bounded(code)).or_default() += 1;
    }
    for (code, count) in codes {
        emit(
            Some(("Code", code)),
            &[(ITEMS_FAILED, f64::from(count))],
            ids,
        );
    }
}

fn bounded(code: &str) -> &str {
    match code {
        known if CODES.contains(&known) => known,
        blocked if blocked.starts_with("blocked_") => "blocked",
        _ => "other",
    }
}

/// A batch was seen to have ended.
pub fn batch_ended(unit: &Unit, submitted_at: Timestamp) {
    let ids: Ids<'_> = &[
        ("project_id", &unit.project),
        ("run_id", &unit.run),
        ("unit_id", &unit.key),
    ];
    let seconds = Timestamp::now().since(submitted_at).as_secs_f64();
    let provider = Some(("Provider", unit.provider.as_str()));
    emit(provider, &[(PROVIDER_LATENCY, seconds)], ids);
}

/// Something about a unit that should not happen, so many times.
pub fn odd(metric: Metric, project: &ProjectId, run: RunId, unit: UnitKey, times: usize) {
    let ids: Ids<'_> = &[
        ("project_id", project),
        ("run_id", &run),
        ("unit_id", &unit),
    ];
    emit(None, &[(metric, times as f64)], ids);
}

/// A poll is through. Also tells that there was nothing, so that an alarm has
/// something to go by.
pub fn polled(cycle: &Cycle) {
    let values = [
        (OLDEST_RUN, cycle.oldest_run.as_secs_f64()),
        (OLDEST_OUTBOX, cycle.oldest_outbox.as_secs_f64()),
        (MOST_OVERDUE, cycle.most_overdue.as_secs_f64()),
        (POLL_ERRORS, f64::from(cycle.errors)),
    ];
    emit(None, &values, &[]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_embedded_metric_format() {
        let now = Timestamp::from_millis(1_763_908_305_007);
        let run: &dyn std::fmt::Display = &"run_1";
        let values = [(RUNS_FINISHED, 1.0)];
        let text = line(
            "stt-eval-dev",
            now,
            Some(("Status", "failed")),
            &values,
            &[("run_id", run)],
        );
        assert_eq!(text.matches('\n').count(), 1, "one line");
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            value,
            json!({
                "_aws": { "Timestamp": 1_763_908_305_007_i64, "CloudWatchMetrics": [{
                    "Namespace": "SttEval",
                    "Dimensions": [["Stack", "Status"]],
                    "Metrics": [{ "Name": "RunsFinished", "Unit": "Count" }],
                }]},
                "level": "INFO", "timestamp": "2025-11-23T14:31:45.007Z",
                "Stack": "stt-eval-dev", "Status": "failed", "RunsFinished": 1, "run_id": "run_1",
            })
        );
    }

    #[test]
    fn failed_items_are_told_by_code_and_in_total() {
        let now = Timestamp::from_millis(1_763_908_305_007);
        let by = Some(("Code", "provider_failed"));
        let text = line("s", now, by, &[(ITEMS_FAILED, 2.0)], &[]);
        let value: Value = serde_json::from_str(&text).unwrap();
        let definition = &value["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(
            definition["Dimensions"],
            json!([["Stack", "Code"], ["Stack"]])
        );
        assert_eq!(value["Code"], json!("provider_failed"));
        let text = line("s", now, None, &[(ITEMS_COMPLETED, 2.0)], &[]);
        let value: Value = serde_json::from_str(&text).unwrap();
        let definition = &value["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(definition["Dimensions"], json!([["Stack"]]));
    }

    #[test]
    fn codes_are_few() {
        assert_eq!(bounded("provider_missing"), "provider_missing");
        assert_eq!(bounded("blocked_safety"), "blocked");
        assert_eq!(bounded("a code from outside"), "other");
        assert!(CODES.is_sorted());
    }

    #[test]
    fn fractions_stay_fractions() {
        assert_eq!(number(3.0), json!(3));
        assert_eq!(number(0.25), json!(0.25));
    }

    #[test]
    fn a_poll_tells_the_age_of_the_oldest_run_and_of_the_oldest_without_units() {
        use crate::domain::run::tests::accepted;
        let run = accepted(2, 1);
        let minute = |n: u64| Duration::from_secs(n * 60);
        let now = run.inserted_at + minute(10);
        let seen = |run: &Run, now| {
            let mut cycle = Cycle::default();
            cycle.saw(run, now);
            (cycle.oldest_run, cycle.oldest_outbox)
        };
        assert_eq!(seen(&run, now), (minute(10), minute(10)));
        let planned = Run {
            units_total: Some(1),
            updated_at: run.inserted_at + minute(4),
            ..run.clone()
        };
        assert_eq!(seen(&planned, now), (minute(10), minute(0)));
        let retried = Run {
            round: 2,
            units_total: None,
            ..planned.clone()
        };
        assert_eq!(seen(&retried, now), (minute(6), minute(6)));
        let deleted = Run {
            deleting: true,
            ..run.clone()
        };
        assert_eq!(seen(&deleted, now), (minute(0), minute(0)));
        let ended = Run {
            status: crate::domain::run::RunStatus::Completed,
            ..run.clone()
        };
        assert_eq!(seen(&ended, now), (minute(0), minute(0)));

        let mut cycle = Cycle::default();
        for run in [&planned, &retried, &run] {
            cycle.saw(run, now);
        }
        assert_eq!(
            (cycle.oldest_run, cycle.oldest_outbox),
            (minute(10), minute(10))
        );
    }
}
