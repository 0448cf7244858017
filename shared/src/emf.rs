//! Metrics, as lines of `CloudWatch`'s Embedded Metric Format on standard output.
//!
//! Lambda ships standard output to `CloudWatch` Logs, which makes metrics of such
//! lines by itself: no call, no permission, no waiting. Each emission is one raw
//! line of JSON (a line of the log's own format would wrap it), with ids beside
//! the numbers for readers of the log: ids are never dimensions, which cost money
//! for each value.
//!
//! Nothing is written unless the process says so, once, at its start: Lambda's
//! `main`s do. The embedded cloud does not, for its standard output is spoken
//! for.

use std::io::Write;
use std::sync::{Mutex, OnceLock, PoisonError};

use serde_json::{Map, Value, json};

use crate::domain::Timestamp;

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
pub(crate) type Ids<'a> = &'a [(&'static str, &'a dyn std::fmt::Display)];

/// Makes the line of an emission: metrics with the same further dimension.
pub(crate) fn line(
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

/// Writes metrics that have the same further dimension, on one line; nothing where
/// metrics are not let out.
pub(crate) fn emit(by: Option<(&'static str, &str)>, values: &[(Metric, f64)], ids: Ids<'_>) {
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

#[cfg(test)]
mod tests {
    use super::*;

    const FINISHED: Metric = Metric {
        name: "RunsFinished",
        unit: "Count",
        by: Some("Status"),
        total: false,
    };

    #[test]
    fn a_line_is_embedded_metric_format() {
        let now = Timestamp::from_millis(1_763_908_305_007);
        let run: &dyn std::fmt::Display = &"run_1";
        let values = [(FINISHED, 1.0)];
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
    fn fractions_stay_fractions() {
        assert_eq!(number(3.0), json!(3));
        assert_eq!(number(0.25), json!(0.25));
    }
}
