//! What becomes of a unit whose job was not prepared, or not started: by what the
//! vendor answered, and nothing else.

use std::time::Duration;

use crate::domain::failure::FailureCode;
use crate::domain::unit::WaitingReason;
use crate::providers::{CallError, Rejection};

/// What becomes of a unit whose job was to be started, and is not known to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterStart {
    /// The job may have been started: the intent stays open, and is looked for.
    Unknown,
    /// Certainly not. The vendor's queue is full: that is waiting and no refusal.
    QueueFull {
        /// The vendor's advice.
        retry_after: Option<Duration>,
    },
    /// Certainly not. It may pass: the unit comes again, and others go first.
    Aside(WaitingReason),
    /// Certainly not. What was prepared is gone, and is prepared anew.
    Anew,
    /// Certainly not. Our own input could not be read.
    Unreadable,
    /// Certainly not, and it never will be; once is no proof of that.
    ForGood(FailureCode),
}

impl AfterStart {
    /// By what the start was answered with.
    #[must_use]
    pub fn of(error: &CallError) -> Self {
        match error {
            CallError::Ambiguous { .. } | CallError::Unreadable { .. } => Self::Unknown,
            CallError::Input { .. } => Self::Unreadable,
            CallError::Rejected { kind, .. } => match kind {
                Rejection::Quota { retry_after } => Self::QueueFull {
                    retry_after: *retry_after,
                },
                Rejection::Unreachable => Self::Aside(WaitingReason::ProviderUnreachable),
                // A person must act, for which there is time.
                Rejection::OutOfCredit => Self::Aside(WaitingReason::ProviderOutOfCredit),
                Rejection::InputGone => Self::Anew,
                Rejection::Unauthorized => Self::Aside(WaitingReason::ProviderKeyRefused),
                Rejection::NotFound => Self::ForGood(FailureCode::ProviderModelUnavailable),
                Rejection::AddressRefused => Self::ForGood(FailureCode::AddressRefused),
                Rejection::Redirected => Self::ForGood(FailureCode::ProviderRedirected),
                Rejection::Exists | Rejection::Invalid => {
                    Self::ForGood(FailureCode::ProviderRefused)
                }
            },
        }
    }
}

/// What becomes of a unit whose job could not be prepared, which costs nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterPrepare {
    /// It may pass: the unit comes again, and others go first.
    Postpone {
        /// The vendor's advice.
        retry_after: Option<Duration>,
        /// What is waited for.
        reason: WaitingReason,
    },
    /// It never will be; once is no proof of that.
    ForGood(FailureCode),
}

impl AfterPrepare {
    /// By what the preparation was answered with.
    #[must_use]
    pub fn of(error: &CallError) -> Self {
        let postpone = |retry_after, reason| Self::Postpone {
            retry_after,
            reason,
        };
        match error {
            CallError::Ambiguous { .. }
            | CallError::Unreadable { .. }
            | CallError::Input { .. } => postpone(None, WaitingReason::ProviderUnreachable),
            CallError::Rejected { kind, .. } => match kind {
                Rejection::Unauthorized => postpone(None, WaitingReason::ProviderKeyRefused),
                Rejection::Quota { retry_after } => {
                    postpone(*retry_after, WaitingReason::ProviderRateLimited)
                }
                Rejection::OutOfCredit => postpone(None, WaitingReason::ProviderOutOfCredit),
                Rejection::Unreachable => postpone(None, WaitingReason::ProviderUnreachable),
                Rejection::AddressRefused => Self::ForGood(FailureCode::AddressRefused),
                Rejection::Redirected => Self::ForGood(FailureCode::ProviderRedirected),
                Rejection::NotFound
                | Rejection::InputGone
                | Rejection::Exists
                | Rejection::Invalid => Self::ForGood(FailureCode::ProviderRefused),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rejected(status: u16, kind: Rejection) -> CallError {
        CallError::Rejected {
            status,
            kind,
            message: String::new(),
        }
    }

    const WAIT: Option<Duration> = Some(Duration::from_secs(3));

    #[test]
    fn only_what_was_certainly_not_started_is_tried_again() {
        let quota = Rejection::Quota { retry_after: WAIT };
        let for_good = AfterStart::ForGood;
        for (error, wanted) in [
            (
                CallError::Ambiguous {
                    message: String::new(),
                },
                AfterStart::Unknown,
            ),
            (
                CallError::Input {
                    message: String::new(),
                },
                AfterStart::Unreadable,
            ),
            (
                rejected(429, quota),
                AfterStart::QueueFull { retry_after: WAIT },
            ),
            (
                rejected(503, quota),
                AfterStart::QueueFull { retry_after: WAIT },
            ),
            (
                rejected(0, Rejection::Unreachable),
                AfterStart::Aside(WaitingReason::ProviderUnreachable),
            ),
            (
                rejected(429, Rejection::OutOfCredit),
                AfterStart::Aside(WaitingReason::ProviderOutOfCredit),
            ),
            (rejected(404, Rejection::InputGone), AfterStart::Anew),
            (
                rejected(401, Rejection::Unauthorized),
                AfterStart::Aside(WaitingReason::ProviderKeyRefused),
            ),
            (
                rejected(404, Rejection::NotFound),
                for_good(FailureCode::ProviderModelUnavailable),
            ),
            (
                rejected(400, Rejection::Invalid),
                for_good(FailureCode::ProviderRefused),
            ),
        ] {
            assert_eq!(AfterStart::of(&error), wanted, "{error:?}");
        }
    }

    #[test]
    fn what_could_not_be_prepared_is_tried_again_while_that_may_help() {
        let quota = Rejection::Quota { retry_after: WAIT };
        let told = AfterPrepare::of(&rejected(429, quota));
        let reason = WaitingReason::ProviderRateLimited;
        let retry_after = WAIT;
        assert_eq!(
            told,
            AfterPrepare::Postpone {
                retry_after,
                reason
            }
        );
        for passing in [
            rejected(0, Rejection::Unreachable),
            rejected(402, Rejection::OutOfCredit),
            rejected(401, Rejection::Unauthorized),
            CallError::Ambiguous {
                message: String::new(),
            },
            CallError::Input {
                message: String::new(),
            },
        ] {
            let told = AfterPrepare::of(&passing);
            let postponed = matches!(
                told,
                AfterPrepare::Postpone {
                    retry_after: None,
                    ..
                }
            );
            assert!(postponed, "{passing:?}");
        }
        for (kind, code) in [
            (Rejection::Invalid, FailureCode::ProviderRefused),
            (Rejection::NotFound, FailureCode::ProviderRefused),
        ] {
            let told = AfterPrepare::of(&rejected(400, kind));
            assert_eq!(told, AfterPrepare::ForGood(code));
        }
    }
}
