//! How far a report's figures can be trusted, and how models compare.

use stt_eval_shared::scoring::uncertainty::{Comparison, PairComparison};
use stt_eval_shared::wire::comparison::{Interval, Pair};

/// The interval of one model; `None` when nothing can be said.
#[must_use]
pub fn interval(comparison: &Comparison, index: usize) -> Option<Interval> {
    let model = comparison.providers.get(index)?;
    let interval = model.interval?;
    Some(Interval {
        rate: model.rate,
        low: interval.low,
        high: interval.high,
        standard_error: interval.standard_error,
        reliable: comparison.is_reliable(),
    })
}

/// A pair among named models.
#[must_use]
pub fn pair(pair: &PairComparison, names: &[String]) -> Pair {
    let name = |index: usize| names.get(index).cloned().unwrap_or_default();
    Pair {
        a: name(pair.a),
        b: name(pair.b),
        difference: pair.difference,
        low: pair.interval.map(|interval| interval.low),
        high: pair.interval.map(|interval| interval.high),
        probability_a_better: pair.probability_a_better,
        p_value: pair.p_value,
        p_adjusted: pair.p_adjusted,
        distinguishable: pair.distinguishable,
        more_blocks: pair.more_blocks,
    }
}
