//! A run that may cost no more than so much: see [`CostCap`].

use crate::Timestamp;
use crate::cost_cap::CostCap;
use crate::run::Run;

impl Run {
    /// What was charged for it so far, in millionths of a US dollar.
    #[must_use]
    pub fn charged_micro_usd(&self) -> u64 {
        self.models.iter().map(|model| model.cost_micro_usd).sum()
    }

    /// Whether it has cost what it may, so that nothing more is begun.
    #[must_use]
    pub fn is_spent(&self) -> bool {
        let cap = self.cost_cap.as_ref();
        cap.is_some_and(|cap| self.charged_micro_usd() >= cap.max_micro_usd)
    }

    /// The same with another cap, of which the round that begins now has what was not
    /// charged yet.
    #[must_use]
    pub fn capped(self, max_micro_usd: u64, may_exceed_micro_usd: Vec<u64>) -> Self {
        let now = self.updated_at;
        let cap = CostCap::new(max_micro_usd, may_exceed_micro_usd, now);
        Self {
            cost_cap: Some(cap.next_round(self.charged_micro_usd(), now)),
            ..self
        }
    }

    /// What is left of its cap for a round that begins.
    pub(crate) fn cap_of_next_round(&self, now: Timestamp) -> Option<CostCap> {
        let cap = self.cost_cap.as_ref()?;
        Some(cap.next_round(self.charged_micro_usd(), now))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::run::Tally;
    use crate::run::tests::accepted;
    use crate::unit::UnitKey;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_millis(1_800_000_000_000) + Duration::from_secs(seconds)
    }

    fn brings(run: &Run, cost_micro_usd: u64, failed: u32) -> Run {
        let unit = UnitKey {
            model: 0,
            round: run.round,
            chunk: 0,
        };
        let tally = Tally {
            completed: 3 - failed,
            failed,
            cost_micro_usd,
            ..Tally::default()
        };
        run.with_unit(unit, &tally, at(5))
    }

    #[test]
    fn each_round_has_what_is_left_and_none_begins_when_all_is_spent() {
        let run = accepted(3, 1);
        assert!(!run.is_spent() && run.cost_cap.is_none());
        let capped = run.capped(100, vec![9]).planned(1, at(1), at(600)).unwrap();
        let left = |run: &Run| run.cost_cap.as_ref().unwrap().round_micro_usd;
        assert_eq!((left(&capped), capped.is_spent()), (100, false));
        let ended = brings(&capped, 30, 2);
        let retried = ended.retried(at(9), at(39)).unwrap();
        assert_eq!(left(&retried), 70);
        // Another cap is of the whole run, too.
        let more = retried.clone().capped(40, vec![9]);
        assert_eq!((left(&more), more.is_spent()), (10, false));
        let spent = retried.planned(1, at(10), at(600)).unwrap();
        let spent = brings(&spent, 75, 0);
        assert!(spent.is_spent());
        assert_eq!(left(&spent.capped(50, Vec::new())), 0);
    }
}
