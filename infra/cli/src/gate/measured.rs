//! A figure of a system, and the same in words.

use stt_eval_formats::counted;

use super::condition::{Condition, Metric};
use crate::score::{percent, points};

/// A figure and what is known of it.
#[derive(Debug, Clone, Default)]
pub struct Measured {
    /// The figure itself.
    pub value: f64,
    /// Lower end of its interval.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
    /// Of regressions: one-sided.
    pub p: Option<f64>,
    /// The smallest regression that would be seen.
    pub smallest_visible: Option<f64>,
    /// The figure of the baseline.
    pub before: Option<f64>,
    /// Samples it is of.
    pub samples: usize,
    /// Words of their references.
    pub words: u64,
    /// Blocks they fall into.
    pub blocks: usize,
}

/// The figure in words.
pub fn facts(condition: &Condition, measured: &Measured) -> String {
    let name = match condition.metric {
        Metric::Wer | Metric::Regression => "WER",
        Metric::Cer | Metric::CerRegression => "CER",
        Metric::RawWer => "raw WER",
        Metric::Failed => "without a hypothesis",
        Metric::Unscored => "not scored",
        Metric::Hallucinated => "made up",
        Metric::Cost => "cost",
        Metric::Latency => "latency",
    };
    let ends = match (measured.low, measured.high) {
        (Some(low), Some(high)) => format!("{} … {}; ", points(low), points(high)),
        _ => String::new(),
    };
    let samples = counted(measured.samples, "sample", "samples");
    match measured.before {
        Some(before) => {
            let p = measured.p.map_or(String::new(), |p| {
                if p < 0.001 {
                    "p < 0.001; ".to_owned()
                } else {
                    format!("p {p:.3}; ")
                }
            });
            let sign = if measured.value < 0.0 { "−" } else { "+" };
            format!(
                "{name} {} against {} ({sign}{} points; {ends}{p}{samples})",
                percent(before + measured.value),
                percent(before),
                points(measured.value.abs()),
            )
        }
        None => {
            let value = match condition.metric {
                Metric::Cost => format!("${:.2}", measured.value),
                Metric::Latency => format!("{:.0} ms", measured.value),
                _ => percent(measured.value),
            };
            format!("{name} {value} ({ends}{samples})")
        }
    }
}
