//! A unit: up to 100 samples of a run for one model, submitted to its provider
//! as one batch. Its state machine decides what may cost money, so it is pure.
//!
//! ```text
//! ready ─claim→ creating ─created→ submitted ─begin→ collecting ─collected→ collected
//! ↑ ↑ refused, nothing found │        │ │ cancel                  (again after a crash)
//! │ └────────────────────────┘        │ └→ cancelling → cancelled
//! └────── overdue and stopped ────────┘ (once)
//! ```
//!
//! Creating a batch is not idempotent at the provider. So the intent is
//! written first (`creating`, with a fence), the batch carries a deterministic
//! display name, and whoever finds an old intent looks for that name before
//! anything is created again.

mod key;
mod observe;
mod step;
mod waiting;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use key::{MAX_UNIT_BYTES, MAX_UNIT_SAMPLES, Span, UnitKey, chunks};
pub use step::{Effect, Event, Stale, Step};
pub use waiting::{Waiting, WaitingReason, WaitingUnit};

use super::{ProjectId, RunId, Timestamp};

/// Code of items whose batch may or may not exist.
pub const QUARANTINE_CODE: &str = "submission_unknown";

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

/// State of a unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum UnitState {
    /// Nothing is under way at the provider.
    Ready {
        /// Not to be tried before.
        not_before: Timestamp,
    },
    /// A batch is being created, or was, and nobody knows.
    Creating {
        /// Who holds the claim.
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
    /// The output is being landed and scored.
    Collecting {
        /// The batch it came from, when there was one.
        batch: Option<String>,
        /// Who holds the claim.
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

/// What a batch is to the unit whose name it carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// Its batch, or one that may turn out to be.
    InUse,
    /// Was its batch, and is of no use any more.
    LeftOver,
    /// Nobody recorded it: the same items were, or will be, paid for in
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
    /// Provider that credentials are kept for.
    pub provider: String,
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
    /// Creations that nobody could tell the outcome of, and of which no batch
    /// was found. A refused creation cost nothing and is not one of them.
    #[serde(default)]
    pub unknown: u32,
    /// Once a batch did not come to an end, its items were submitted once more.
    #[serde(default)]
    pub resubmitted: Option<Resubmission>,
    /// Batches recorded for it that the provider may still have, oldest first.
    /// One that carries its name and is not among them is paid for twice.
    #[serde(default)]
    pub batches: Vec<String>,
    /// Items that could not be sent.
    #[serde(default)]
    pub unsent: Vec<Unsent>,
    /// The request document at the provider, to be deleted afterwards.
    pub batch_input: Option<String>,
    /// Id of the credential it was submitted with, or asks for room with.
    pub credential: Option<String>,
    /// Why it waits.
    pub waiting_reason: Option<WaitingReason>,
    /// When somebody must look at it again; `None` when it is done.
    pub due_at: Option<Timestamp>,
    /// Revision, for conditional writes.
    pub rev: u64,
}

/// Time bounds of the protocol. Configuration, with production defaults.
#[derive(Debug, Clone, Copy)]
pub struct Policy {
    /// An intent older than this has no request under way any more. For as long
    /// a batch that is being stopped may take to be over.
    pub grace: Duration,
    /// How long one collection may take before another may take over.
    pub collect_lease: Duration,
    /// A ready unit that nobody took for this long gets its message again.
    pub resend_after: Duration,
    /// How long a submitted unit may go unpolled before the sweeper looks.
    pub backstop: Duration,
    /// After this a batch is stopped. Its items are submitted once more; the
    /// second time they fail.
    pub deadline: Duration,
    /// How long "finished" without an output still counts as running.
    pub settle: Duration,
    /// First pause after a refusal; doubles up to 64 times.
    pub refusal_pause: Duration,
    /// Refusals in a row after which the items fail.
    pub max_refusals: u32,
    /// Creations of unknown outcome before a person has to look.
    pub max_attempts: u32,
}

impl Policy {
    /// How long a batch may take at most, with its stopping.
    #[must_use]
    pub fn batch(&self) -> Duration {
        self.deadline + self.grace
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            grace: Duration::from_secs(600),
            collect_lease: Duration::from_secs(900),
            resend_after: Duration::from_secs(60),
            backstop: Duration::from_secs(1_800),
            deadline: Duration::from_secs(30 * 3_600),
            settle: Duration::from_secs(600),
            refusal_pause: Duration::from_secs(30),
            max_refusals: 40,
            max_attempts: 3,
        }
    }
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
        provider: String,
        spans: Vec<Span>,
        now: Timestamp,
        policy: &Policy,
    ) -> Self {
        Self {
            project,
            run,
            key,
            generation,
            provider,
            spans,
            ready_at: now,
            state: UnitState::Ready { not_before: now },
            attempt: 0,
            refusals: 0,
            unknown: 0,
            resubmitted: None,
            batches: Vec::new(),
            unsent: Vec::new(),
            batch_input: None,
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

    /// Whether its batch is being looked for, and not for too long.
    #[must_use]
    pub fn is_sought(&self, now: Timestamp, policy: &Policy) -> bool {
        matches!(self.state, UnitState::Creating { claimed_at, .. }
            if now.since(claimed_at) < policy.deadline)
    }

    /// Enters a batch that was just made or found.
    fn submitted(&mut self, batch: String, now: Timestamp) {
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

    /// The same without a batch that the provider has no more.
    #[must_use]
    pub fn without(&self, gone: &[String]) -> Self {
        let mut unit = self.clone();
        unit.batches.retain(|batch| !gone.contains(batch));
        unit
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
            return false;
        }
        let next = matches!(self.state, UnitState::Ready { .. }) && attempt > self.attempt;
        next || self.batch_input.as_deref() == Some(name)
    }

    /// Name its batch carries at the provider in an attempt.
    #[must_use]
    pub fn display_name(&self, stage: &str, attempt: u32) -> String {
        let prefix = Self::display_prefix(stage, &self.project);
        format!("{prefix}{}-{}-a{attempt}", self.run, self.key)
    }

    /// How the names of all batches of a project begin.
    #[must_use]
    pub fn display_prefix(stage: &str, project: &ProjectId) -> String {
        format!("{stage}-{project}-")
    }

    /// Reads a name that [`Unit::display_name`] made for this project: run, unit
    /// and attempt.
    #[must_use]
    pub fn parse_display_name(
        stage: &str,
        project: &ProjectId,
        name: &str,
    ) -> Option<(RunId, UnitKey, u32)> {
        let rest = name.strip_prefix(stage)?.strip_prefix('-')?;
        let rest = rest.strip_prefix(project.as_str())?.strip_prefix('-')?;
        let (run, rest) = rest.split_once('-')?;
        let (key, attempt) = rest.rsplit_once("-a")?;
        Some((run.parse().ok()?, key.parse().ok()?, attempt.parse().ok()?))
    }
}

#[cfg(test)]
mod again_tests;
#[cfg(test)]
mod earlier_tests;
#[cfg(test)]
mod tests;
