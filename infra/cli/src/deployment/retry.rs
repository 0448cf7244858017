//! How long is waited before a request is sent again.

use std::time::{Duration, Instant};

use ring::rand::{SecureRandom, SystemRandom};

use crate::failure::{Exit, Failure};

/// The first wait is up to this.
const FIRST: Duration = Duration::from_millis(500);
/// No wait is longer, unless the server asks for it.
const LONGEST: Duration = Duration::from_secs(20);

/// A number from 0 to 1, not to be foreseen: clients must not come back all at once.
fn chance() -> f64 {
    let mut bytes = [0_u8; 4];
    match SystemRandom::new().fill(&mut bytes) {
        Ok(()) => f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX),
        Err(_) => 0.5,
    }
}

/// A name that no other request has.
///
/// # Errors
/// The machine has no randomness.
pub fn unique() -> Result<String, Failure> {
    let mut bytes = [0_u8; 16];
    match SystemRandom::new().fill(&mut bytes) {
        Ok(()) => Ok(format!("cli-{}", hex::encode(bytes))),
        Err(_) => Err(Failure::new(
            Exit::Failed,
            "machine",
            "there is no randomness",
        )),
    }
}

/// Waits between tries of one request: full jitter, twice as long each time, until
/// patience ends.
#[derive(Debug)]
pub struct Pause {
    until: Instant,
    next: Duration,
}

impl Pause {
    /// With patience for this long.
    pub fn within(patience: Duration) -> Self {
        Self {
            until: Instant::now() + patience,
            next: FIRST,
        }
    }

    /// The next wait, at least as long as the server asks; `None` when patience has
    /// ended, or would end before it.
    pub fn next(&mut self, asked: Option<Duration>) -> Option<Duration> {
        let drawn = self.next.mul_f64(chance()).max(Duration::from_millis(50));
        self.next = (self.next * 2).min(LONGEST);
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() || asked.is_some_and(|asked| asked > left) {
            return None;
        }
        // The last try is when patience ends, and not before.
        Some(drawn.max(asked.unwrap_or_default()).min(left))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_try_is_when_patience_ends() {
        let patience = Duration::from_millis(200);
        for _ in 0..5 {
            let begun = Instant::now();
            let mut pause = Pause::within(patience);
            while let Some(wait) = pause.next(None) {
                std::thread::sleep(wait);
            }
            assert!(begun.elapsed() >= patience);
        }
    }

    #[test]
    fn waits_grow_and_end_with_patience() {
        let mut pause = Pause::within(Duration::from_secs(60));
        for _ in 0..10 {
            assert!(pause.next(None).is_some_and(|wait| wait <= LONGEST));
        }
        let asked = Duration::from_secs(30);
        assert!(pause.next(Some(asked)).is_some_and(|wait| wait >= asked));
        assert_eq!(pause.next(Some(Duration::from_secs(61))), None);
        assert_eq!(Pause::within(Duration::ZERO).next(None), None);
    }
}
