//! A unit: up to 100 samples of a run for one model, submitted to its provider
//! as one batch. Its state machine decides what may cost money, so it is pure.
//!
//! ```text
//! ready ─claim→ creating ─created→ submitted ─begin→ collecting ─collected→ collected
//! ↑ ↑ refused, nothing found │        │ │ cancel                  (again after a crash)
//! │ └────────────────────────┘        │ └→ cancelling → cancelled
//! └────── overdue and stopped ────────┘ (once, if asked for)
//! ```
//!
//! That is a unit of a provider that takes jobs. One whose provider answers each
//! item in its call goes another way: see `calls`. One whose items need no provider
//! begins in `collecting`: see `settled`.
//!
//! Creating a batch is not idempotent at the provider. So the intent is
//! written first (`creating`, with a fence and the name that the batch is to
//! carry), and before anything is created again an old intent is followed up
//! by looking for that name.

mod batch_state;
mod calls;
mod duty;
mod event;
mod fate;
pub(crate) mod key;
mod names;
mod observe;
mod patience;
pub(crate) mod policy;
mod settled;
mod step;
mod waiting;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use batch_state::BatchState;
pub use calls::UnitKind;
pub use duty::Duty;
pub use event::{Effect, Event, Pause, Stale, Step};
pub use fate::{Doubt, Fate};
pub use key::{MAX_UNIT_BYTES, MAX_UNIT_SAMPLES, Span, UnitKey, chunks};
pub use names::is_deployment_id;
pub use patience::Blocked;
pub use policy::Policy;
pub use waiting::{Waiting, WaitingReason, WaitingUnit};

use super::failure::FailureCode;
use super::{ProjectId, RunId, Timestamp};

/// Code of items whose batch may or may not exist.
pub const QUARANTINE_CODE: &str = FailureCode::SubmissionUnknown.as_str();

/// Code of items whose batch did not end in time and was stopped.
pub const TIMEOUT_CODE: &str = FailureCode::ProviderTimeout.as_str();

/// An item that could not even be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unsent {
    /// Its position.
    pub position: u16,
    /// Stable code.
    pub code: String,
    /// Sentence for people.
    pub message: String,
    /// Whether a retry may help.
    pub retryable: bool,
}

/// Audio of an item that its provider failed to take in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AudioFailures {
    /// The item's position.
    pub position: u16,
    /// How often.
    pub times: u32,
}

/// State of a unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum UnitState {
    /// Nothing is under way at the provider.
    Ready {
        /// Not to be tried before.
        not_before: Timestamp,
    },
    /// A batch is being created, or was, which is not recorded yet.
    Creating {
        /// Fence of the worker that holds the claim.
        fence: u64,
        /// Since when.
        claimed_at: Timestamp,
    },
    /// The provider has a batch.
    Submitted {
        /// Its name there.
        batch: String,
        /// Since when.
        submitted_at: Timestamp,
        /// When it was first seen finished without an output.
        settled_at: Option<Timestamp>,
        /// Since when it is being stopped, because it was overdue.
        #[serde(default)]
        stopping_since: Option<Timestamp>,
    },
    /// Its items are being asked for, one call each.
    Calling {
        /// Claim of the worker that makes the calls.
        fence: u64,
        /// Since when. After [`Policy::call_lease`] that worker is dead for certain.
        claimed_at: Timestamp,
    },
    /// The output is being landed and scored.
    Collecting {
        /// The batch it came from, when there was one.
        batch: Option<String>,
        /// Fence of the worker that holds the claim.
        fence: u64,
        /// Since when.
        claimed_at: Timestamp,
        /// How the batch ended.
        ending: Ending,
    },
    /// Cancelled by people; the provider is still to be told.
    Cancelling {
        /// The batch to stop.
        batch: String,
    },
    /// Done.
    Collected,
    /// It might already have been paid for twice; a person has to look.
    Quarantined,
    /// Cancelled.
    Cancelled,
}

/// A batch that brought nothing, and in place of which another one is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resubmission {
    /// When that was decided: audio that was sent before is not used again.
    pub at: Timestamp,
    /// The batch that is over.
    pub batch: String,
    /// Id of the credential it was made with.
    pub credential: Option<String>,
}

/// How a batch ended, and so what its items without a line are worth.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "ending")]
pub enum Ending {
    /// There is an output to collect.
    Output {
        /// Its reference at the provider.
        output: String,
    },
    /// What the calls brought is in the bucket already.
    Landed,
    /// There is none: every item failed for this reason.
    Nothing {
        /// Stable code, e.g. `provider_expired`.
        code: String,
        /// Sentence for people.
        message: String,
        /// Whether a retry may help.
        retryable: bool,
    },
}

impl Ending {
    /// There is none, for a reason that says all by itself.
    #[must_use]
    pub fn nothing(code: FailureCode) -> Self {
        Self::nothing_with(code, code.message())
    }

    /// There is none, and there is more to say of the reason.
    #[must_use]
    pub fn nothing_with(code: FailureCode, message: &str) -> Self {
        Self::Nothing {
            code: code.into(),
            message: message.into(),
            retryable: code.is_retryable(),
        }
    }
}

impl Unsent {
    /// An item at a position that can't be sent for a reason.
    #[must_use]
    pub fn new(position: u16, code: FailureCode) -> Self {
        Self {
            position,
            code: code.into(),
            message: code.message().into(),
            retryable: code.is_retryable(),
        }
    }
}

/// What a batch is to the unit whose name it carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// Its batch, or one that may turn out to be.
    InUse,
    /// Was its batch, and is of no use any more.
    LeftOver,
    /// It was recorded nowhere: the same items were, or will be, paid for in
    /// another one.
    Unrecorded,
}

/// A unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Unit {
    /// Owner.
    pub project: ProjectId,
    /// Its run.
    pub run: RunId,
    /// Which one of the run.
    pub key: UnitKey,
    /// Generation of the run it was made for. A unit of an older generation
    /// stops at its next step.
    pub generation: u32,
    /// Vendor that credentials are kept for.
    #[serde(rename = "provider")]
    pub vendor: String,
    /// How it comes to its results, as planned.
    #[serde(default, skip_serializing_if = "UnitKind::is_job")]
    pub kind: UnitKind,
    /// What its items are.
    pub spans: Vec<Span>,
    /// Since when it could be submitted: its place among others that wait.
    #[serde(default)]
    pub ready_at: Timestamp,
    /// State.
    #[serde(flatten)]
    pub state: UnitState,
    /// Creations tried.
    pub attempt: u32,
    /// Refusals in a row.
    pub refusals: u32,
    /// Since when there are no others.
    #[serde(default)]
    pub refused_since: Option<Timestamp>,
    /// Since when the provider's queue is full.
    #[serde(default)]
    pub queued_since: Option<Timestamp>,
    /// It waits for a person to act at the provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocked: Option<Blocked>,
    /// Audio that the provider failed to take in, and how often.
    #[serde(default)]
    pub audio_failures: Vec<AudioFailures>,
    /// Creations whose outcome stayed unknown, and of which no batch was
    /// found. A refused creation cost nothing and is not one of them.
    #[serde(default)]
    pub unknown: u32,
    /// Once a batch did not come to an end, its items were submitted once more:
    /// see [`Policy::resubmit`].
    #[serde(default)]
    pub resubmitted: Option<Resubmission>,
    /// Batches recorded for it that the provider may still have, oldest first.
    /// One that carries its name and is not among them is paid for twice.
    #[serde(default)]
    pub batches: Vec<String>,
    /// What has become of batches that are not simply wanted.
    #[serde(default)]
    pub fates: BTreeMap<String, Fate>,
    /// Answers in a row that would end it: that the provider does not know its
    /// batch, or will never take it, or an output with nothing of it.
    #[serde(default)]
    pub doubt: Option<Doubt>,
    /// It is of a round that followed by itself: see [`crate::run::Run`].
    #[serde(default)]
    pub automatic: bool,
    /// Its batch was stopped or failed, and brought what it had by then.
    #[serde(default)]
    pub cut_short: bool,
    /// Items that could not be sent.
    #[serde(default)]
    pub unsent: Vec<Unsent>,
    /// The request document at the provider, to be deleted afterwards.
    pub batch_input: Option<String>,
    /// What the batch of its last intent is called at the provider, written with
    /// the intent. `None` for an intent of release 0.1.0.
    #[serde(default)]
    pub batch_name: Option<String>,
    /// Id of the credential it was submitted with, or asks to be admitted with.
    pub credential: Option<String>,
    /// Why it waits.
    pub waiting_reason: Option<WaitingReason>,
    /// When it must be looked at again; `None` when it is done.
    pub due_at: Option<Timestamp>,
    /// Revision, for conditional writes.
    pub rev: u64,
}

impl Unit {
    /// A new unit.
    #[must_use]
    #[expect(clippy::too_many_arguments, reason = "each is a fact of its own")]
    pub fn new(
        project: ProjectId,
        run: RunId,
        key: UnitKey,
        generation: u32,
        vendor: String,
        spans: Vec<Span>,
        now: Timestamp,
        policy: &Policy,
    ) -> Self {
        Self {
            project,
            run,
            key,
            generation,
            vendor,
            kind: UnitKind::Job,
            spans,
            ready_at: now,
            state: UnitState::Ready { not_before: now },
            attempt: 0,
            refusals: 0,
            refused_since: None,
            queued_since: None,
            blocked: None,
            audio_failures: Vec::new(),
            unknown: 0,
            resubmitted: None,
            batches: Vec::new(),
            fates: BTreeMap::new(),
            doubt: None,
            automatic: false,
            cut_short: false,
            unsent: Vec::new(),
            batch_input: None,
            batch_name: None,
            credential: None,
            waiting_reason: None,
            due_at: Some(now + policy.resend_after),
            rev: 1,
        }
    }

    /// Number of items.
    #[must_use]
    pub fn len(&self) -> usize {
        Self::count(&self.spans)
    }

    /// Number of positions in spans.
    #[must_use]
    pub fn count(spans: &[Span]) -> usize {
        spans
            .iter()
            .map(|span| usize::from(span.end.saturating_sub(span.start)))
            .sum()
    }

    /// True when it has no items.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Positions of its items.
    pub fn positions(&self) -> impl Iterator<Item = u16> + '_ {
        self.spans.iter().flat_map(|s| s.start..s.end)
    }

    /// Whether nothing more will happen to it.
    #[must_use]
    pub fn is_done(&self) -> bool {
        matches!(
            self.state,
            UnitState::Collected | UnitState::Cancelled | UnitState::Quarantined
        )
    }

    /// Whether it waits because of what the provider said to its credential, so that it
    /// can be tried at once with another one.
    #[must_use]
    pub fn waits_by_credential(&self) -> bool {
        matches!(self.state, UnitState::Ready { .. })
            && self
                .waiting_reason
                .is_some_and(WaitingReason::is_of_credential)
    }

    /// How often the provider failed to take in an item's audio.
    #[must_use]
    pub fn audio_failures(&self, position: u16) -> u32 {
        let mut failures = self.audio_failures.iter();
        let found = failures.find(|failures| failures.position == position);
        found.map_or(0, |failures| failures.times)
    }

    /// Whether its batch is being looked for, and not for too long.
    #[must_use]
    pub fn is_sought(&self, now: Timestamp, policy: &Policy) -> bool {
        matches!(self.state, UnitState::Creating { claimed_at, .. }
            if now.since(claimed_at) < policy.deadline)
    }

    /// Enters a batch that was just made or found.
    fn submitted(&mut self, batch: String, now: Timestamp) {
        self.refusals = 0;
        self.refused_since = None;
        self.queued_since = None;
        self.blocked = None;
        self.doubt = None;
        self.batches.push(batch.clone());
        self.state = UnitState::Submitted {
            batch,
            submitted_at: now,
            settled_at: None,
            stopping_since: None,
        };
    }

    /// The batch that its state is about.
    #[must_use]
    pub fn batch(&self) -> Option<&str> {
        match &self.state {
            UnitState::Submitted { batch, .. } | UnitState::Cancelling { batch } => Some(batch),
            UnitState::Collecting { batch, .. } => batch.as_deref(),
            UnitState::Ready { .. }
            | UnitState::Creating { .. }
            | UnitState::Calling { .. }
            | UnitState::Collected
            | UnitState::Quarantined
            | UnitState::Cancelled => None,
        }
    }

    /// Whether it was planned by release 0.1.0, which kept no names of batches
    /// but in the state, and deleted none.
    fn is_of_0_1(&self) -> bool {
        self.ready_at == Timestamp::default()
    }

    /// What a batch that carries its name is to it. A listing may be behind:
    /// that a batch is left over is certain only once it is asked for.
    #[must_use]
    pub fn relation(&self, batch: &str, attempt: u32) -> Relation {
        if self.batch() == Some(batch) {
            return Relation::InUse;
        }
        if matches!(self.state, UnitState::Creating { .. }) && self.attempt == attempt {
            return Relation::InUse;
        }
        let again = self.resubmitted.as_ref();
        let recorded = (self.is_of_0_1() && self.batches.is_empty())
            || self.batches.iter().any(|known| known == batch)
            || self.fates.contains_key(batch)
            || again.is_some_and(|again| again.batch == batch);
        if recorded {
            Relation::LeftOver
        } else {
            Relation::Unrecorded
        }
    }

    /// Whether it may still make a batch of a request document that carries its
    /// name, or has made one that is not over.
    #[must_use]
    pub fn wants_input(&self, name: &str, attempt: u32) -> bool {
        if self.is_done() {
            return self.batch_input.as_deref() == Some(name) && self.has_batch_that_may_be_alive();
        }
        let next = matches!(self.state, UnitState::Ready { .. }) && attempt > self.attempt;
        next || self.batch_input.as_deref() == Some(name)
    }
}

#[cfg(test)]
mod again_tests;
#[cfg(test)]
mod calls_tests;
#[cfg(test)]
mod earlier_tests;
#[cfg(test)]
mod patience_tests;
#[cfg(test)]
mod tests;
