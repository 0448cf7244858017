//! The time that is left of an invocation.

use std::time::Duration;

use crate::domain::Timestamp;
use crate::providers::CallError;

/// What a call of a vendor leaves of an invocation, to write what came of it.
const TO_RECORD: Duration = Duration::from_secs(20);

/// Time left for an invocation. Work that can't be finished in it is left for
/// the next one instead of being cut off in the middle.
#[derive(Debug, Clone, Copy)]
pub struct Deadline(Timestamp);

impl Deadline {
    /// Ends at a time in milliseconds since 1970, as Lambda tells it.
    #[must_use]
    pub fn at(end: u64) -> Self {
        Self(Timestamp::from_millis(
            i64::try_from(end).unwrap_or(i64::MAX),
        ))
    }

    /// Ends after a while.
    #[must_use]
    pub fn after(while_: Duration) -> Self {
        Self(Timestamp::now() + while_)
    }

    /// Whether at least `needed` is left.
    #[must_use]
    pub fn allows(self, needed: Duration) -> bool {
        self.0.since(Timestamp::now()) >= needed
    }

    /// How much is left, but for a `reserve`.
    #[must_use]
    pub fn left(self, reserve: Duration) -> Duration {
        self.0.since(Timestamp::now()).saturating_sub(reserve)
    }

    /// A call of a vendor, given up shortly before the end: what waits for it
    /// would die with it, and it would not be known that it was tried.
    pub async fn cut_short<T>(
        self,
        call: impl Future<Output = Result<T, CallError>>,
    ) -> Result<T, CallError> {
        match tokio::time::timeout(self.left(TO_RECORD), call).await {
            Ok(answer) => answer,
            Err(_) => Err(CallError::Ambiguous {
                message: "no answer while the function lived".to_owned(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_call_is_given_up_before_its_function_ends() {
        let soon = Deadline::after(TO_RECORD + Duration::from_millis(20));
        let never = std::future::pending::<Result<(), CallError>>();
        let cut = soon.cut_short(never).await;
        assert!(matches!(cut, Err(CallError::Ambiguous { .. })), "{cut:?}");
        let at_once = soon.cut_short(std::future::ready(Ok(7))).await;
        assert_eq!(at_once, Ok(7));
    }
}
