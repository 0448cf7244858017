//! From p-values to verdicts: which pairs, ranks and groups.

use super::pair::{ALPHA, PairComparison};

/// Places of values, from the least value to the greatest; equal ones stay in their order.
#[must_use]
pub fn ascending(values: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_unstable_by(|a, b| values[*a].total_cmp(&values[*b]).then(a.cmp(b)));
    order
}

/// Adjusts p-values for having looked at all of them (Holm 1979): the chance of
/// any false verdict among them stays what it is for one.
#[must_use]
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let order = ascending(p_values);
    let mut adjusted = vec![1.0; p_values.len()];
    let mut least: f64 = 0.0;
    for (rank, index) in order.into_iter().enumerate() {
        let times = (p_values.len() - rank) as f64;
        least = least.max((p_values[index] * times).min(1.0));
        adjusted[index] = least;
    }
    adjusted
}

/// Whether an adjusted p-value tells two providers apart.
pub(super) fn tells_apart(p_adjusted: f64) -> bool {
    p_adjusted < ALPHA
}

/// Where a provider stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) best: usize,
    pub(super) worst: usize,
    pub(super) group: usize,
}

/// Ranks and groups of providers with these rates.
pub(super) fn standings(rates: &[f64], pairs: &[PairComparison]) -> Vec<Standing> {
    // Whether `a` is distinguishably better than `b`.
    let beats = |a: usize, b: usize| {
        pairs.iter().any(|pair| {
            pair.distinguishable
                && ((pair.a, pair.b) == (a, b) && pair.difference < 0.0
                    || (pair.a, pair.b) == (b, a) && pair.difference > 0.0)
        })
    };
    let count = rates.len();
    let mut standings: Vec<Standing> = (0..count)
        .map(|p| Standing {
            best: 1 + (0..count).filter(|q| beats(*q, p)).count(),
            worst: count - (0..count).filter(|q| beats(p, *q)).count(),
            group: 0,
        })
        .collect();
    let order = ascending(rates);
    let (mut group, mut leader) = (0, None);
    for p in order {
        if leader.is_none_or(|leader| beats(leader, p)) {
            group += 1;
            leader = Some(p);
        }
        standings[p].group = group;
    }
    standings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holm_is_as_in_the_books() {
        let adjusted = holm(&[0.01, 0.04, 0.03, 0.005]);
        let wanted = [0.03, 0.06, 0.06, 0.02];
        for (found, wanted) in adjusted.iter().zip(wanted) {
            assert!((found - wanted).abs() < 1e-12, "{adjusted:?}");
        }
        assert_eq!(holm(&[0.9, 0.8]), [1.0, 1.0]);
        assert!(holm(&[]).is_empty());
        assert_eq!(holm(&[0.02]), [0.02]);
    }
}
