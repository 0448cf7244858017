//! Intervals from resampled blocks.

use super::normal::{cdf, t_95};
use super::table::Sums;
use serde::{Deserialize, Serialize};

/// A 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Lower end, in the unit of the figure.
    pub low: f64,
    /// Upper end, `low` or above.
    pub high: f64,
    /// Standard deviation of the resamples.
    pub standard_error: f64,
}

/// The `q` quantile of ascending values, interpolated.
fn quantile(sorted: &[f64], q: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else {
        return 0.0;
    };
    let place = last as f64 * q.clamp(0.0, 1.0);
    let below = place.floor() as usize;
    let above = (below + 1).min(last);
    sorted[below] + (sorted[above] - sorted[below]) * (place - below as f64)
}

fn sorted(mut values: Vec<f64>) -> Vec<f64> {
    values.sort_unstable_by(f64::total_cmp);
    values
}

fn standard_deviation(values: &[f64]) -> f64 {
    if values.len() < 2 {
        return 0.0;
    }
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let squares = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>();
    (squares / (values.len() - 1) as f64).sqrt()
}

/// Share of resamples that are beyond either end at most.
const RARE: f64 = 0.000_5;

/// Studentised interval of a pooled rate, on the scale of its square root.
///
/// Each resample tells how far its rate is off in units of its own standard
/// error (Efron & Tibshirani 1993, section 12.5); the square root makes that
/// error nearly independent of the rate, as for any count of rare events, so
/// that low rates do not get a far too long upper half (section 12.6). Plain
/// percentiles of 20 blocks cover 89 to 93 % where 95 are promised, this 94 to
/// 96; see `shared/scoring/tests/scoring_simulations.rs`.
///
/// Where a few blocks hold most errors, many resamples have hardly any of them, an error
/// of their own near 0, and so an end without bounds: of 200 clips of which two are missed
/// whole it would be 100 %. So the ends stay within what all but one resample in 2,000 show
/// ([`RARE`]), which is beyond the exact limits of counts as rare as that (of 2 events 7.2,
/// and resamples show 8).
/// Resamples of no reference tokens have no rate and are left out. `None` from one block,
/// where blocks do not vary and where there is nothing to have a rate of: nothing is known
/// then.
pub(super) fn of_rate(total: &Sums, replicates: &[Sums], blocks: usize) -> Option<Interval> {
    let rate = total.rate();
    let error = total.standard_error(blocks, rate);
    let replicates: Vec<&Sums> = replicates.iter().filter(|sums| sums.has_rate()).collect();
    if blocks < 2 || error <= 0.0 || replicates.is_empty() || !total.has_rate() {
        return None;
    }
    let root = rate.sqrt();
    let off = |sums: &Sums| {
        let (drawn, error) = (sums.rate().sqrt(), sums.standard_error(blocks, rate));
        let off = drawn - root;
        if error > 0.0 {
            2.0 * drawn * off / error
        } else {
            // Drawn were equal blocks only: as far off as can be.
            off * f64::from(u32::MAX)
        }
    };
    let offs = sorted(replicates.iter().copied().map(off).collect());
    let end = |q: f64| {
        let end = (root - quantile(&offs, q) * error / (2.0 * root)).max(0.0);
        end * end
    };
    let rates = sorted(replicates.iter().map(|sums| sums.rate()).collect());
    Some(Interval {
        low: end(0.975).max(quantile(&rates, RARE)).min(rate),
        high: end(0.025).min(quantile(&rates, 1.0 - RARE)).max(rate),
        standard_error: standard_deviation(&rates),
    })
}

/// Interval of a difference of two rates: percentiles of the resamples, further
/// out than 2.5 and 97.5 by as much as few blocks make resamples too narrow
/// (Hesterberg 2015, The American Statistician 69:371, section 4.3). Differences
/// are not skewed as rates are. `None` as above.
pub(super) fn of_difference(differences: Vec<f64>, blocks: usize) -> Option<Interval> {
    let standard_error = standard_deviation(&differences);
    let differences = sorted(differences);
    if blocks < 2 || differences.first() == differences.last() {
        return None;
    }
    let few = blocks as f64 / (blocks - 1) as f64;
    let share = cdf(-few.sqrt() * t_95(blocks - 1));
    Some(Interval {
        low: quantile(&differences, share),
        high: quantile(&differences, 1.0 - share),
        standard_error,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_interpolated() {
        assert_eq!(quantile(&[], 0.5), 0.0);
        assert_eq!(quantile(&[3.0], 0.9), 3.0);
        assert_eq!(quantile(&[1.0, 2.0, 3.0], 0.25), 1.5);
        assert_eq!(quantile(&[1.0, 2.0, 3.0], 1.5), 3.0);
    }

    #[test]
    fn a_difference_that_never_varies_has_no_interval() {
        assert_eq!(of_difference(vec![0.5; 100], 40), None);
        assert_eq!(of_difference(vec![0.1, 0.2], 1), None);
        let known = of_difference((0..=1000).map(f64::from).collect(), 1000);
        let known = known.map(|interval| (interval.low.round(), interval.high.round()));
        assert_eq!(known, Some((25.0, 975.0)));
    }
}
