//! A figure of a system, and the same in words.

use stt_eval_formats::counted;

use super::condition::{Condition, Metric};
use crate::score::{percent, points, probability};

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
    /// Speakers among these, where blocks are of speakers; the others are each a sample of
    /// nobody.
    pub speakers: Option<usize>,
    /// What the baseline is called.
    pub against: Option<String>,
    /// Samples that only one of both has.
    pub left_out: usize,
    /// The rate if nothing was heard where the service failed.
    pub all_deleted: Option<f64>,
}

/// 95 % interval of a share, by Wilson: it tells something also where none of many is.
pub fn of_share(count: usize, of: usize) -> Option<(f64, f64)> {
    const Z: f64 = 1.959_963_984_540_054;
    if of == 0 {
        return None;
    }
    let (n, share) = (of as f64, count as f64 / of as f64);
    let widened = 1.0 + Z * Z / n;
    let middle = (share + Z * Z / (2.0 * n)) / widened;
    let half = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt() / widened;
    // What rounding makes of the ends of all and none.
    let low = if count == 0 { 0.0 } else { middle - half };
    let high = if count == of { 1.0 } else { middle + half };
    Some((low, high))
}

/// US dollars; of little money as many digits as tell it.
fn in_dollars(usd: f64) -> String {
    match usd {
        usd if usd > 0.0 && usd < 0.1 => format!("${usd:.6}").trim_end_matches('0').to_owned(),
        usd => format!("${usd:.2}"),
    }
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
        Metric::Latency => "latency p95",
    };
    let ends = match (measured.low, measured.high) {
        (Some(low), Some(high)) => format!("{} … {}; ", points(low), points(high)),
        _ => String::new(),
    };
    let mut samples = counted(measured.samples, "sample", "samples");
    if measured.blocks > 0 && measured.blocks < measured.samples {
        let known = measured.speakers.unwrap_or(measured.blocks);
        samples += &format!(", {}", counted(known, "speaker", "speakers"));
        if known < measured.blocks {
            samples += &format!(" and {} of nobody", measured.blocks - known);
        }
    }
    if measured.left_out > 0 {
        samples += &format!(", {} without a hypothesis left out", measured.left_out);
    }
    if let Some(rate) = measured.all_deleted {
        samples += &format!("; {} with what failed as not heard", percent(rate));
    }
    match measured.before {
        Some(before) => {
            let p = measured
                .p
                .map_or(String::new(), |p| format!("{}; ", probability(p)));
            let sign = if measured.value < 0.0 { "" } else { "+" };
            let of = measured.against.as_deref();
            let of = of.map_or(String::new(), |called| format!(" of {called}"));
            format!(
                "{name} {} against {}{of} ({sign}{} points; {ends}{p}{samples})",
                percent(before + measured.value),
                percent(before),
                points(measured.value),
            )
        }
        None => {
            let value = match condition.metric {
                Metric::Cost => in_dollars(measured.value),
                Metric::Latency => format!("{:.0} ms", measured.value),
                _ => percent(measured.value),
            };
            format!("{name} {value} ({ends}{samples})")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_of_nobody_are_no_speakers() {
        let condition = Condition::parse("wer>0.1");
        let told = |speakers| {
            let measured = Measured {
                value: 0.2,
                samples: 45,
                blocks: 39,
                speakers,
                ..Measured::default()
            };
            condition
                .as_ref()
                .map(|condition| facts(condition, &measured))
        };
        for (speakers, wanted) in [
            (
                Some(13),
                "WER 20.0 % (45 samples, 13 speakers and 26 of nobody)",
            ),
            (Some(39), "WER 20.0 % (45 samples, 39 speakers)"),
            (None, "WER 20.0 % (45 samples, 39 speakers)"),
        ] {
            assert_eq!(told(speakers).unwrap(), wanted);
        }
    }

    #[test]
    fn a_latency_says_which_it_is() {
        let measured = Measured {
            value: 1_250.0,
            samples: 45,
            ..Measured::default()
        };
        let condition = Condition::parse("latency_p95>1000").unwrap();
        let told = facts(&condition, &measured);
        assert_eq!(told, "latency p95 1250 ms (45 samples)");
    }
}
