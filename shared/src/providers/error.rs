//! Why a call to a vendor did not give what was asked for.

use std::time::Duration;

/// Why a call to a vendor did not give what was asked for.
///
/// The line that matters for money is between *definitely not done* and
/// *perhaps done*: only the first may be repeated without looking.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CallError {
    /// The vendor refused before anything took effect.
    #[error("the provider refused the call ({status}): {message}")]
    Rejected {
        /// HTTP status; 0 when nothing was sent.
        status: u16,
        /// What kind of refusal it is.
        kind: Rejection,
        /// The vendor's text. For logs only, never for clients.
        message: String,
    },
    /// Time-out, reset, 5xx or an unreadable success: it may have happened.
    #[error("the outcome of the call is unknown: {message}")]
    Ambiguous {
        /// What was seen. For logs only.
        message: String,
    },
    /// A call that costs money was answered, with something that can't be read. It may have
    /// happened, as with [`Ambiguous`](Self::Ambiguous); but there is someone at the address.
    #[error("the answer can't be read: {message}")]
    Unreadable {
        /// What was seen. For logs only.
        message: String,
    },
    /// Reading our own input (the audio in S3) failed; nothing was submitted.
    #[error("our own input could not be read: {message}")]
    Input {
        /// What was seen. For logs only.
        message: String,
    },
}

impl CallError {
    /// A refusal by our own side: nothing was sent.
    #[must_use]
    pub fn not_sent(kind: Rejection, message: impl Into<String>) -> Self {
        Self::Rejected {
            status: 0,
            kind,
            message: message.into(),
        }
    }

    fn is_rejection(&self, wanted: Rejection) -> bool {
        matches!(self, Self::Rejected { kind, .. } if *kind == wanted)
    }

    /// The vendor does not accept the credentials.
    #[must_use]
    pub fn is_unauthorized(&self) -> bool {
        self.is_rejection(Rejection::Unauthorized)
    }

    /// The vendor says that there is no such thing.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        self.is_rejection(Rejection::NotFound)
    }

    /// The vendor will never do that.
    #[must_use]
    pub fn is_invalid(&self) -> bool {
        self.is_rejection(Rejection::Invalid)
    }
}

/// Kinds of definite refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rejection {
    /// The credentials are wrong, revoked or lack permission.
    Unauthorized,
    /// A rate or quota limit that passes by waiting.
    Quota {
        /// The vendor's own advice, when it gave one.
        retry_after: Option<Duration>,
    },
    /// The account has nothing left to spend: waiting does not help, a person
    /// must act (`insufficient_quota`, a negative balance, a daily cap that
    /// was set by hand).
    OutOfCredit,
    /// The vendor could not be reached at all: nothing was sent, and nothing
    /// is known of the credentials or of what was asked for. Worth repeating
    /// after a pause.
    Unreachable,
    /// Our own side does not ask such an address: it is not public.
    AddressRefused,
    /// The vendor answers with an address elsewhere, which is not followed: speech and
    /// keys go only where the configuration says.
    Redirected,
    /// The thing named does not exist (any more).
    NotFound,
    /// Something that the call refers to is not there (any more), or can't be used
    /// with this key.
    InputGone,
    /// The name is taken.
    Exists,
    /// The request itself is wrong and will be wrong again.
    Invalid,
}
