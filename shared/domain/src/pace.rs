//! Pace: how many calls one worker keeps under way, learnt from what the vendor refuses.
//!
//! What a key may do is seldom known: limits differ by plan, are shared by all keys of an
//! organisation, and change. So a worker begins with what the vendor allows at most, or
//! with what others learnt before it ([`crate::allowance`]). It halves that with each "too
//! many requests", and adds one after a while without any: additive increase,
//! multiplicative decrease (Chiu and Jain, 1989), the rule by which
//! TCP shares a line among senders who know nothing of each other.

use std::time::Duration;

use super::Timestamp;

/// Longest time that a worker waits with a unit in hand. It is paid for while it waits,
/// and people who stop the run wait for it.
pub const LONGEST_HOLD: Duration = Duration::from_secs(20);
/// Refusals in a row, without an answer between them, after which a worker waits no more.
pub const PATIENCE: u32 = 4;
/// Answers without a refusal after which one more call may be under way.
pub const STEADY: u32 = 10;

/// How fast a worker may call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pace {
    /// Calls that may be under way.
    lanes: usize,
    /// And at most.
    most: usize,
    /// First hold where the vendor names none; doubles with each refusal in a row.
    hold: Duration,
    /// Answers since the last change.
    steady: u32,
    /// Refusals since the last answer that count: one of each burst.
    refused: u32,
    /// When the lanes were last cut.
    cut_at: Option<Timestamp>,
    /// No call is begun before.
    not_before: Option<Timestamp>,
}

impl Pace {
    /// With so many calls under way and `most` at most, and so long a first hold where a
    /// vendor names none.
    #[must_use]
    pub fn new(lanes: usize, most: usize, hold: Duration) -> Self {
        let most = most.max(1);
        Self {
            lanes: lanes.clamp(1, most),
            most,
            hold,
            steady: 0,
            refused: 0,
            cut_at: None,
            not_before: None,
        }
    }

    /// How many calls may be under way.
    #[must_use]
    pub fn lanes(&self) -> usize {
        self.lanes
    }

    /// No further call may begin before, if anything was said of that.
    #[must_use]
    pub fn not_before(&self) -> Option<Timestamp> {
        self.not_before
    }

    /// How long no further call may begin.
    #[must_use]
    pub fn held(&self, now: Timestamp) -> Duration {
        self.not_before
            .map_or(Duration::ZERO, |until| until.since(now))
    }

    /// A call was answered.
    pub fn landed(&mut self) {
        self.refused = 0;
        self.steady += 1;
        if self.steady >= STEADY {
            self.steady = 0;
            self.lanes = self.most.min(self.lanes + 1);
        }
    }

    /// A call that was begun at `began` was one too many; `retry_after` is what the vendor
    /// says. False when it is not worth a worker's while to wait for the next one.
    ///
    /// Calls that were under way at a cut are refused for the same reason, and cut nothing
    /// once more.
    #[must_use]
    pub fn limited(
        &mut self,
        began: Timestamp,
        retry_after: Option<Duration>,
        now: Timestamp,
    ) -> bool {
        let anew = self.cut_at.is_none_or(|at| began >= at);
        if anew {
            self.refused += 1;
            self.lanes = (self.lanes / 2).max(1);
            self.cut_at = Some(now);
        }
        self.steady = 0;
        let doublings = self.refused.saturating_sub(1).min(6);
        let hold = retry_after.unwrap_or_else(|| self.hold.saturating_mul(1 << doublings));
        self.not_before = self.not_before.max(Some(now + hold));
        hold <= LONGEST_HOLD && self.refused < PATIENCE
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(1_795_000_000_000 + millis)
    }

    #[test]
    fn a_burst_of_refusals_cuts_once() {
        let mut pace = Pace::new(8, 8, SECOND);
        for answered in 0..8 {
            assert!(pace.limited(at(0), None, at(10 + answered)));
        }
        assert_eq!((pace.lanes(), pace.refused), (4, 1));
        assert_eq!(pace.held(at(17)), SECOND);
        assert_eq!(pace.held(at(2_000)), Duration::ZERO);
        assert!(pace.limited(at(2_000), None, at(2_010)));
        assert_eq!((pace.lanes(), pace.held(at(2_010))), (2, 2 * SECOND));
    }

    #[test]
    fn it_grows_again_by_one_while_all_is_well() {
        let mut pace = Pace::new(4, 4, SECOND);
        assert!(pace.limited(at(0), None, at(1)));
        for _ in 0..STEADY {
            assert_eq!(pace.lanes(), 2);
            pace.landed();
        }
        assert_eq!(pace.lanes(), 3);
        for _ in 0..STEADY * 9 {
            pace.landed();
        }
        assert_eq!(pace.lanes(), 4);
    }

    #[test]
    fn what_takes_long_or_does_not_end_is_not_waited_for() {
        let long = Some(LONGEST_HOLD + SECOND);
        assert!(!Pace::new(4, 4, SECOND).limited(at(0), long, at(1)));
        let mut pace = Pace::new(4, 4, SECOND);
        for refusal in 1..PATIENCE {
            let now = at(i64::from(refusal) * 100_000);
            assert!(pace.limited(now, None, now));
        }
        let now = at(1_000_000);
        assert!(!pace.limited(now, None, now));
        // An answer in between, and the patience is whole again.
        pace.landed();
        let later = at(2_000_000);
        assert!(pace.limited(later, None, later));
    }

    proptest! {
        #[test]
        fn some_call_may_always_be_made_and_never_too_many(
            most in 0usize..20,
            events in prop::collection::vec((0u64..100_000, any::<bool>(), any::<Option<u16>>()), 0..200),
        ) {
            let mut pace = Pace::new(most, most, SECOND);
            let mut now = at(0);
            for (passes, landed, seconds) in events {
                now = now + Duration::from_millis(passes);
                if landed {
                    pace.landed();
                } else {
                    let retry_after = seconds.map(|s| Duration::from_secs(s.into()));
                    let waits = pace.limited(now, retry_after, now);
                    prop_assert!(!waits || retry_after.is_none_or(|told| pace.held(now) >= told));
                }
                prop_assert!((1..=most.max(1)).contains(&pace.lanes()));
            }
        }
    }
}
