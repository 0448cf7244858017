//! The most that a run may cost.
//!
//! A round is planned for what is left when it begins, by estimates: clip by clip, each
//! with all models that are to hear it, until one does not fit. That clip and those
//! behind it are not sent. So however many units are under way at once, no more is
//! asked for than was planned, and they share no counter.
//!
//! Estimates may be too low. So no unit is begun once what was charged has reached the
//! most, and by how much it may be exceeded by what is under way is told beforehand.

use serde::{Deserialize, Serialize};

use super::Timestamp;

/// The most that a run may cost, in millionths of a US dollar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CostCap {
    /// Of the whole run, whatever the number of its rounds.
    pub max_micro_usd: u64,
    /// What is left of it for the round that is under way.
    pub round_micro_usd: u64,
    /// When that round began: it is planned by the prices of that day.
    pub since: Timestamp,
    /// By how much more than estimated each model may cost in one round, by the index
    /// of the model.
    #[serde(default)]
    pub may_exceed_micro_usd: Vec<u64>,
}

impl CostCap {
    /// That of a run that begins.
    #[must_use]
    pub fn new(max_micro_usd: u64, may_exceed_micro_usd: Vec<u64>, now: Timestamp) -> Self {
        Self {
            max_micro_usd,
            round_micro_usd: max_micro_usd,
            since: now,
            may_exceed_micro_usd,
        }
    }

    /// The same for another round, after so much was charged.
    #[must_use]
    pub fn next_round(&self, charged_micro_usd: u64, now: Timestamp) -> Self {
        Self {
            round_micro_usd: self.max_micro_usd.saturating_sub(charged_micro_usd),
            since: now,
            ..self.clone()
        }
    }

    /// The first clip that is not sent in this round, of clips with what each is
    /// estimated to cost; in the order of their positions. `None` when all are.
    #[must_use]
    pub fn first_beyond(&self, clips: impl IntoIterator<Item = (u16, u64)>) -> Option<u16> {
        let mut sum = 0u64;
        for (position, cost) in clips {
            sum = sum.saturating_add(cost);
            if sum > self.round_micro_usd {
                return Some(position);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// What is sent fits, it is a beginning, and one clip more would not fit.
        #[test]
        fn no_more_is_planned_for_than_is_left(
            max in 0u64..5_000,
            charged in 0u64..5_000,
            costs in prop::collection::vec(0u64..1_000, 0..50),
        ) {
            let cap = CostCap::new(max, Vec::new(), Timestamp::default());
            let cap = cap.next_round(charged, Timestamp::default());
            let clips = || (0u16..).zip(costs.iter().copied());
            let first = cap.first_beyond(clips());
            let sent: u64 = clips()
                .take_while(|(position, _)| first.is_none_or(|first| *position < first))
                .map(|(_, cost)| cost)
                .sum();
            prop_assert!(sent <= max.saturating_sub(charged));
            if let Some(first) = first {
                prop_assert!(charged + sent + costs[usize::from(first)] > max);
            } else {
                prop_assert_eq!(sent, costs.iter().sum::<u64>());
            }
        }

        /// Round after round, whatever the items really cost up to their estimate.
        #[test]
        fn rounds_together_stay_below_the_most(
            max in 1u64..5_000,
            costs in prop::collection::vec((1u64..1_000, 0u64..=100), 1..40),
        ) {
            let mut cap = CostCap::new(max, Vec::new(), Timestamp::default());
            let (mut charged, mut next) = (0u64, 0usize);
            for _ in 0..5 {
                cap = cap.next_round(charged, Timestamp::default());
                let open = (0u16..).zip(&costs).skip(next).map(|(at, (cost, _))| (at, *cost));
                let end = cap.first_beyond(open).map_or(costs.len(), usize::from);
                for (cost, share) in &costs[next..end] {
                    charged += cost * share / 100;
                }
                next = end;
                prop_assert!(charged <= max);
            }
        }
    }

    #[test]
    fn what_is_stored_is_read_again() {
        let cap = CostCap::new(7, vec![1, 2], Timestamp::default());
        let text = serde_json::to_string(&cap).unwrap();
        assert_eq!(serde_json::from_str::<CostCap>(&text).unwrap(), cap);
    }
}
