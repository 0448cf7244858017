//! One paid request for one item: what is known of it, durably.
//!
//! A vendor that answers in the call keeps no list that could be searched after
//! a lost answer. So an intent is written before the request leaves, the answer
//! is put in the bucket, and only then the outcome is written:
//!
//! ```text
//! (none) ─intent→ calling ─answer in the bucket→ landed
//!    ↑              ├─ refused, nothing spent → refused
//!    └── open ←─────┤ not done for certain; may be asked again
//!                   └─ no answer, or the worker died → unknown
//! ```
//!
//! `unknown` is final for a vendor that costs money: the request may have been
//! billed, and is not made again unless people ask for that.

use serde::{Deserialize, Serialize};

use super::failure::FailureCode;
use super::unit::{UnitKey, Unsent};
use super::{ProjectId, RunId, Timestamp};

/// Most requests for one item within a unit that fail for a reason of its own.
pub const MAX_TRIES: u32 = 6;

/// How often a request of unknown outcome is repeated where that costs nothing.
pub const MAX_REPEATS: u32 = 3;

/// What is known of an item's request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum CallState {
    /// A request may be on its way, or may have been made.
    Calling {
        /// Claim of the worker on the unit.
        fence: u64,
        /// Since when.
        since: Timestamp,
    },
    /// The answer is in the bucket.
    Landed,
    /// It was not done for certain, and may be asked again.
    Open,
    /// It failed for good; the code tells whether it may have been billed.
    Refused {
        /// Stable code.
        code: String,
        /// Sentence for people.
        message: String,
        /// Whether a retry may help.
        retryable: bool,
    },
    /// It may have been done and billed, and the answer is lost.
    Unknown,
}

impl CallState {
    /// Failed for good with a code, and what is always said of it.
    fn failed(code: FailureCode) -> Self {
        Self::Refused {
            code: code.into(),
            message: code.message().into(),
            retryable: code.is_retryable(),
        }
    }
}

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallOutcome {
    /// The answer is kept.
    Landed,
    /// Not done for certain, for a reason that is not the item's: a limit, a key, a
    /// vendor out of reach. It does not count as a try; how long is waited is the
    /// unit's affair.
    NotDone,
    /// Not done for certain, for a reason of the item's own; what it fails with,
    /// should it be so again and again.
    NotSent(FailureCode),
    /// Refused for good.
    Refused(FailureCode),
    /// It may have been done.
    Unknown,
    /// It was answered with something that can't be read. It may have been done.
    Unusable,
}

/// The request for one item of a unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// Owner.
    pub project: ProjectId,
    /// Run of the unit.
    pub run: RunId,
    /// The unit.
    pub unit: UnitKey,
    /// Position of the item's sample in the dataset.
    pub position: u16,
    /// What is known.
    #[serde(flatten)]
    pub state: CallState,
    /// Requests that were begun.
    pub tries: u32,
    /// Revision, for conditional writes; the first is 1.
    pub rev: u64,
}

impl Call {
    /// The intent of the first request for an item.
    #[must_use]
    pub fn first(
        project: ProjectId,
        run: RunId,
        unit: UnitKey,
        position: u16,
        fence: u64,
        now: Timestamp,
    ) -> Self {
        Self {
            project,
            run,
            unit,
            position,
            state: CallState::Calling { fence, since: now },
            tries: 1,
            rev: 1,
        }
    }

    /// The intent of another request. `None` where none may be made.
    #[must_use]
    pub fn again(&self, fence: u64, now: Timestamp) -> Option<Self> {
        (self.state == CallState::Open).then(|| {
            let state = CallState::Calling { fence, since: now };
            Self {
                tries: self.tries.saturating_add(1),
                ..self.with(state)
            }
        })
    }

    /// The same with what became of the request of this intent. `free`: asking
    /// again costs nothing.
    #[must_use]
    pub fn settled(&self, outcome: CallOutcome, free: bool) -> Self {
        let spent = self.tries >= MAX_TRIES;
        self.with(match outcome {
            CallOutcome::Landed => CallState::Landed,
            CallOutcome::NotDone => {
                return Self {
                    tries: self.tries.saturating_sub(1),
                    ..self.with(CallState::Open)
                };
            }
            CallOutcome::NotSent(_) if !spent => CallState::Open,
            CallOutcome::Unknown | CallOutcome::Unusable if free && self.tries <= MAX_REPEATS => {
                CallState::Open
            }
            CallOutcome::NotSent(code) | CallOutcome::Refused(code) => CallState::failed(code),
            CallOutcome::Unusable => CallState::failed(FailureCode::AnswerUnusable),
            CallOutcome::Unknown => CallState::Unknown,
        })
    }

    /// Whether it is the intent of a worker whose lease is over: the one that
    /// holds the unit now has another claim.
    #[must_use]
    pub fn is_left_by_another(&self, fence: u64) -> bool {
        matches!(self.state, CallState::Calling { fence: other, .. } if other != fence)
    }

    /// Whether a request may still be made for it.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.state == CallState::Open
    }

    /// Why the item has no answer. `None` while that is open, and when it has one.
    #[must_use]
    pub fn unsent(&self) -> Option<Unsent> {
        let (code, message, retryable) = match &self.state {
            CallState::Refused {
                code,
                message,
                retryable,
            } => (code.clone(), message.clone(), *retryable),
            CallState::Unknown => (
                FailureCode::OutcomeUnknown.into(),
                format!(
                    "{}, so the provider may have done and billed it; it is not asked again by \
                     itself",
                    match self.tries {
                        0 | 1 => "no answer came".to_owned(),
                        tries => format!("no answer came to any of {tries} requests"),
                    }
                ),
                true,
            ),
            CallState::Calling { .. } | CallState::Landed | CallState::Open => return None,
        };
        Some(Unsent {
            position: self.position,
            code,
            message,
            retryable,
        })
    }

    fn with(&self, state: CallState) -> Self {
        Self {
            state,
            rev: self.rev + 1,
            ..self.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call() -> Call {
        let unit = UnitKey {
            model: 0,
            round: 1,
            chunk: 0,
        };
        let run = RunId::mint(1, [1; 10]);
        Call::first("p".parse().unwrap(), run, unit, 3, 7, Timestamp::default())
    }

    fn not_done() -> CallOutcome {
        CallOutcome::NotSent(FailureCode::AudioUnreadable)
    }

    #[test]
    fn only_what_was_not_done_is_asked_again() {
        let open = call().settled(not_done(), false);
        let again = open.again(8, Timestamp::default()).unwrap();
        assert_eq!((again.tries, again.rev), (2, 3));
        assert!(again.is_left_by_another(7) && !again.is_left_by_another(8));
        let refused = CallOutcome::Refused(FailureCode::ProviderRefusedAudio);
        for outcome in [CallOutcome::Landed, CallOutcome::Unknown, refused] {
            let settled = call().settled(outcome, false);
            assert_eq!(settled.again(8, Timestamp::default()), None, "{settled:?}");
        }
        assert_eq!(call().again(8, Timestamp::default()), None);
    }

    #[test]
    fn a_lost_answer_is_asked_again_only_where_that_is_free() {
        let paid = call().settled(CallOutcome::Unknown, false);
        assert_eq!(paid.unsent().unwrap().code, "outcome_unknown");
        let mut free = call().settled(CallOutcome::Unknown, true);
        for _ in 0..MAX_REPEATS {
            assert!(free.is_open());
            free = free.again(7, Timestamp::default()).unwrap();
            free = free.settled(CallOutcome::Unknown, true);
        }
        assert_eq!(free.state, CallState::Unknown);
    }

    #[test]
    fn it_is_refused_so_often_and_no_more() {
        let mut call = call();
        for _ in 1..MAX_TRIES {
            call = call.settled(not_done(), false);
            call = call.again(7, Timestamp::default()).unwrap();
        }
        let given_up = call.settled(not_done(), false);
        assert_eq!(given_up.unsent().unwrap().code, "audio_unreadable");
        // What is not the item's affair never ends it.
        let mut call = self::call();
        for _ in 0..MAX_TRIES * 3 {
            call = call.settled(CallOutcome::NotDone, false);
            call = call.again(7, Timestamp::default()).unwrap();
        }
        assert_eq!(call.tries, 1);
    }

    #[test]
    fn what_is_stored_is_read_again() {
        for state in [
            CallState::Landed,
            CallState::Open,
            CallState::Unknown,
            call().state,
        ] {
            let call = call().with(state);
            let text = serde_json::to_string(&call).unwrap();
            assert_eq!(serde_json::from_str::<Call>(&text).unwrap(), call, "{text}");
        }
    }
}
