//! How long a unit puts up with not being taken: refusals, a full queue, a key or an
//! account that only a person can put right.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Doubt, Ending, Policy, Unit, UnitState, WaitingReason};
use crate::Timestamp;
use crate::failure::FailureCode;

/// Longest pause of a unit that waits for a person, in first pauses: a quarter of an
/// hour by default.
const LONGEST: u32 = 30;

/// What a unit waits for that only a person can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blocked {
    /// Since when.
    pub since: Timestamp,
    /// What is in the way, of those that [need a person](WaitingReason::needs_a_person).
    pub reason: WaitingReason,
}

impl Blocked {
    /// Why items fail for which nothing was done in time.
    #[must_use]
    pub fn code(self) -> FailureCode {
        match self.reason {
            WaitingReason::ProviderOutOfCredit => FailureCode::ProviderOutOfCredit,
            _ => FailureCode::CredentialsRefused,
        }
    }
}

/// A pause, or the one that the provider advises. However long that is, a unit is
/// tried several times before it is given up, and not long after.
fn advised(pause: Duration, advice: Option<Duration>, left: Duration, policy: &Policy) -> Duration {
    let longest = (policy.refusal_window / 8).max(policy.refusal_pause);
    let pause = advice.map_or(pause, |advice| advice.max(policy.refusal_pause));
    pause.min(longest).min(left)
}

impl Unit {
    /// How its items end, if it was kept waiting for too long.
    #[must_use]
    pub fn given_up(&self, now: Timestamp, policy: &Policy) -> Option<Ending> {
        let over = |since: Option<Timestamp>, window| {
            since.is_some_and(|since| now.since(since) >= window)
        };
        if let Some(blocked) = self.blocked
            && over(Some(blocked.since), policy.person_window)
        {
            return Some(Ending::nothing(blocked.code()));
        }
        let (code, message) = if over(self.refused_since, policy.refusal_window) {
            (
                FailureCode::ProviderRefused,
                "the provider refused for too long",
            )
        } else if over(self.queued_since, policy.queue_window) {
            (
                FailureCode::ProviderQuota,
                "the provider's queue was full for too long",
            )
        } else {
            return None;
        };
        Some(Ending::nothing_with(code, message))
    }

    /// Waits after a refusal, ever longer. What only a person can lift has a patience
    /// of its own.
    pub(super) fn postpone(
        &mut self,
        retry_after: Option<Duration>,
        reason: WaitingReason,
        now: Timestamp,
        policy: &Policy,
    ) {
        if reason.needs_a_person() {
            return self.block(reason, now, policy);
        }
        let pause = policy.refusal_pause * 2u32.saturating_pow(self.refusals.min(6));
        self.refusals = self.refusals.saturating_add(1);
        let since = *self.refused_since.get_or_insert(now);
        let left = policy.refusal_window.saturating_sub(now.since(since));
        self.waiting_reason = Some(reason);
        self.state = UnitState::Ready {
            not_before: now + advised(pause, retry_after, left, policy),
        };
    }

    /// Waits for the provider's queue, which takes others first: for as long again
    /// as it has waited, within bounds. Whatever was refused before is over.
    pub(super) fn queue(
        &mut self,
        retry_after: Option<Duration>,
        reason: WaitingReason,
        now: Timestamp,
        policy: &Policy,
    ) {
        if reason.needs_a_person() {
            return self.block(reason, now, policy);
        }
        self.refusals = 0;
        self.refused_since = None;
        self.blocked = None;
        let since = *self.queued_since.get_or_insert(now);
        let (waited, first) = (now.since(since), policy.refusal_pause);
        let left = policy.queue_window.saturating_sub(waited);
        let pause = waited.clamp(first, first * 64);
        self.waiting_reason = Some(reason);
        self.state = UnitState::Ready {
            not_before: now + advised(pause, retry_after, left, policy),
        };
    }

    /// Waits for a person: for as long again as it has waited, within bounds. An
    /// answer that says so is no refusal, and none that came before it counts on.
    fn block(&mut self, reason: WaitingReason, now: Timestamp, policy: &Policy) {
        self.refusals = 0;
        self.refused_since = None;
        let since = self.blocked_by(reason, now).since;
        let (waited, first) = (now.since(since), policy.refusal_pause);
        let left = policy.person_window.saturating_sub(waited);
        self.state = UnitState::Ready {
            not_before: now + waited.clamp(first, first * LONGEST).min(left),
        };
    }

    /// Its batch goes on at the provider, and can't be asked for until a person acts.
    pub(super) fn key_refused(&mut self, now: Timestamp) {
        self.blocked_by(WaitingReason::ProviderKeyRefused, now);
    }

    /// Notes what is in the way, since when it first was.
    fn blocked_by(&mut self, reason: WaitingReason, now: Timestamp) -> Blocked {
        let known = self.blocked.filter(|blocked| blocked.reason == reason);
        let blocked = known.unwrap_or(Blocked { since: now, reason });
        self.blocked = Some(blocked);
        self.waiting_reason = Some(reason);
        blocked
    }

    /// One more answer in a row that would end the unit, and a pause.
    pub(super) fn doubt_more(&mut self, now: Timestamp, policy: &Policy) {
        let doubt = Doubt::more(self.doubt, now, policy);
        let pause = policy.refusal_pause * 2u32.saturating_pow(doubt.times.min(6) - 1);
        self.doubt = Some(doubt);
        self.waiting_reason = Some(WaitingReason::Other);
        self.state = UnitState::Ready {
            not_before: now + pause,
        };
    }
}
