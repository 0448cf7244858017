//! How often a call that may be repeated is made, and at what pace.

use std::time::Duration;

use crate::providers::error::{CallError, Rejection};

/// How often and at what pace a call is repeated: exponential, with full
/// jitter.
#[derive(Debug, Clone, Copy)]
pub struct RetryPolicy {
    /// Calls altogether, at least one.
    pub attempts: u32,
    /// Pause after the first one, at most.
    pub base: Duration,
    /// Longest pause. When the vendor asks for a longer one, the call ends
    /// with its refusal instead, and the caller schedules.
    pub cap: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts: 4,
            base: Duration::from_millis(500),
            cap: Duration::from_secs(8),
        }
    }
}

impl RetryPolicy {
    /// The pause after attempt `attempt` (from 1) that failed so, or `None` to
    /// give up.
    #[must_use]
    pub fn after(&self, attempt: u32, error: &CallError) -> Option<Duration> {
        self.advised(attempt, is_transient(error)?)
    }

    /// The same with the vendor's own advice, if there is any.
    #[must_use]
    pub fn advised(&self, attempt: u32, advice: Option<Duration>) -> Option<Duration> {
        self.pause(attempt, advice, random())
    }

    /// `random` is in `[0, 1)`.
    fn pause(&self, attempt: u32, advice: Option<Duration>, random: f64) -> Option<Duration> {
        if attempt >= self.attempts || advice.is_some_and(|wait| wait > self.cap) {
            return None;
        }
        let doublings = attempt.saturating_sub(1).min(16);
        let limit = self.base.saturating_mul(1 << doublings).min(self.cap);
        let jittered = limit.mul_f64(random.clamp(0.0, 1.0));
        Some(advice.map_or(jittered, |wait| (wait + jittered).min(self.cap)))
    }
}

/// Whether repeating the call soon can help: only for calls that may be
/// repeated at all. Gives the vendor's advice.
#[must_use]
pub fn is_transient(error: &CallError) -> Option<Option<Duration>> {
    match error {
        CallError::Ambiguous { .. } | CallError::Unreadable { .. } => Some(None),
        CallError::Rejected {
            kind: Rejection::Unreachable,
            ..
        } => Some(None),
        CallError::Rejected {
            kind: Rejection::Quota { retry_after },
            ..
        } => Some(*retry_after),
        CallError::Rejected { .. } | CallError::Input { .. } => None,
    }
}

/// A number in `[0, 1)` for jitter. Without a source of randomness, a middle.
fn random() -> f64 {
    let mut bytes = [0_u8; 4];
    match ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut bytes) {
        Ok(()) => f64::from(u32::from_le_bytes(bytes)) / (f64::from(u32::MAX) + 1.0),
        Err(_) => 0.5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_are_capped_and_end() {
        let policy = RetryPolicy {
            attempts: 4,
            base: Duration::from_millis(100),
            cap: Duration::from_millis(250),
        };
        let ms = Duration::from_millis;
        assert_eq!(policy.pause(1, None, 1.0), Some(ms(100)));
        assert_eq!(policy.pause(2, None, 1.0), Some(ms(200)));
        assert_eq!(policy.pause(3, None, 1.0), Some(ms(250)));
        assert_eq!(policy.pause(3, None, 0.0), Some(ms(0)));
        assert_eq!(policy.pause(4, None, 1.0), None);
        assert_eq!(policy.pause(1, Some(ms(120)), 0.5), Some(ms(170)));
        assert_eq!(policy.pause(1, Some(ms(251)), 0.5), None);
        assert_eq!(policy.pause(u32::MAX, None, 1.0), None);
    }

    #[test]
    fn random_is_a_fraction() {
        let drawn: Vec<f64> = (0..100).map(|_| random()).collect();
        assert!(drawn.iter().all(|x| (0.0..1.0).contains(x)));
        assert!(drawn.iter().any(|x| *x != drawn[0]));
    }

    #[test]
    fn what_may_be_repeated() {
        let refused = |kind| CallError::Rejected {
            status: 429,
            kind,
            message: String::new(),
        };
        let wait = Some(Duration::from_secs(3));
        let unknown = CallError::Ambiguous {
            message: String::new(),
        };
        assert_eq!(is_transient(&unknown), Some(None));
        let quota = Rejection::Quota { retry_after: wait };
        assert_eq!(is_transient(&refused(quota)), Some(wait));
        assert_eq!(is_transient(&refused(Rejection::Unreachable)), Some(None));
        for kind in [
            Rejection::Invalid,
            Rejection::NotFound,
            Rejection::Exists,
            Rejection::Unauthorized,
            Rejection::OutOfCredit,
        ] {
            assert_eq!(is_transient(&refused(kind)), None);
        }
        let input = CallError::Input {
            message: String::new(),
        };
        assert_eq!(is_transient(&input), None);
    }
}
