//! Doing something again that was not done: another write was faster, or DynamoDB has
//! no capacity for a moment.

use std::time::Duration;

use super::error::StoreError;

/// Tries of a change that a person waits for.
const OF_A_REQUEST: u32 = 8;

/// The tries of one thing: how many there are, and the pauses between them,
/// exponential with full jitter.
#[derive(Debug)]
pub struct Tries {
    /// At most so many.
    most: u32,
    /// So many came to nothing.
    failed: u32,
}

impl Default for Tries {
    /// Of a change that a person waits for.
    fn default() -> Self {
        Self::of(OF_A_REQUEST)
    }
}

impl Tries {
    /// At most so many, the first one included.
    #[must_use]
    pub fn of(most: u32) -> Self {
        Self { most, failed: 0 }
    }

    /// Pauses for the next try, longer each time, 1.3 s at most. False, at once, where
    /// there is none.
    pub async fn again(&mut self) -> bool {
        self.failed += 1;
        if self.failed >= self.most {
            return false;
        }
        let ceiling = 20u64 << self.failed.min(6);
        let nanos = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |d| u64::from(d.subsec_nanos()));
        tokio::time::sleep(Duration::from_millis(nanos % ceiling + 1)).await;
        true
    }

    /// Pauses for the next try of a change that another write was faster than: to be
    /// read, decided on and written anew.
    ///
    /// # Errors
    /// The same error, where it is another one or there is no further try.
    pub async fn after(&mut self, error: StoreError) -> Result<(), StoreError> {
        match error {
            StoreError::Conflict if self.again().await => Ok(()),
            error => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn there_are_as_many_tries_as_were_said() {
        let mut tries = Tries::of(3);
        assert!(tries.again().await && tries.again().await);
        assert!(!tries.again().await);
        assert!(!Tries::of(1).again().await);
    }

    #[tokio::test]
    async fn only_a_change_that_came_too_late_is_tried_again() {
        let mut tries = Tries::of(2);
        assert!(tries.after(StoreError::Conflict).await.is_ok());
        let last = tries.after(StoreError::Conflict).await;
        assert!(matches!(last, Err(StoreError::Conflict)));
        let down = Tries::of(9)
            .after(StoreError::Unavailable("down".into()))
            .await;
        assert!(matches!(down, Err(StoreError::Unavailable(_))));
    }
}
