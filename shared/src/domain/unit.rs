//! A unit: up to 100 samples of a run for one model, submitted to its provider
//! as one batch. Its state machine decides what may cost money, so it is pure.
//!
//! ```text
//! ready ─claim→ creating ─created→ submitted ─begin→ collecting ─collected→ collected
//!   ↑ refused, nothing found │          │ cancel                  (again after a crash)
//!   └────────────────────────┘          └→ cancelling → cancelled
//! ```
//!
//! Creating a batch is not idempotent at the provider. So the intent is
//! written first (`creating`, with a fence), the batch carries a deterministic
//! display name, and whoever finds an old intent looks for that name before
//! anything is created again.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{ProjectId, RunId, Timestamp};
use crate::providers::BatchState;

/// Most samples in a unit.
pub const MAX_UNIT_SAMPLES: usize = 100;
/// Most bytes of audio in a unit.
pub const MAX_UNIT_BYTES: u64 = 1024 * 1024 * 1024;

/// Code of items whose batch may or may not exist.
pub const QUARANTINE_CODE: &str = "submission_unknown";

/// Positions `start..end` of a dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// First position.
    pub start: u16,
    /// One past the last.
    pub end: u16,
}

/// Which unit of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct UnitKey {
    /// Index of the provider in the run.
    pub provider: u8,
    /// Round of the run: 1, and one more for each retry.
    pub round: u16,
    /// Number within provider and round.
    pub chunk: u16,
}

impl std::fmt::Display for UnitKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "p{:02}-r{:02}-c{:04}",
            self.provider, self.round, self.chunk
        )
    }
}

impl std::str::FromStr for UnitKey {
    type Err = super::ids::InvalidId;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.split('-');
        let mut number = |letter: char| {
            let digits = parts.next()?.strip_prefix(letter)?;
            digits.parse::<u16>().ok()
        };
        let key = (|| {
            let provider = u8::try_from(number('p')?).ok()?;
            let (round, chunk) = (number('r')?, number('c')?);
            Some(Self {
                provider,
                round,
                chunk,
            })
        })();
        key.filter(|key| key.to_string() == text)
            .ok_or(super::ids::InvalidId("unit"))
    }
}

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
    /// Items that could not be sent.
    #[serde(default)]
    pub unsent: Vec<Unsent>,
    /// The request document at the provider, to be deleted afterwards.
    pub batch_input: Option<String>,
    /// Id of the credential it was submitted with.
    pub credential: Option<String>,
    /// Why it waits, for people.
    pub waiting_reason: Option<String>,
    /// When somebody must look at it again; `None` when it is done.
    pub due_at: Option<Timestamp>,
    /// Revision, for conditional writes.
    pub rev: u64,
}

/// Time bounds of the protocol. Configuration, with production defaults.
#[derive(Debug, Clone, Copy)]
pub struct Policy {
    /// An intent older than this has no request under way any more.
    pub grace: Duration,
    /// How long one collection may take before another may take over.
    pub collect_lease: Duration,
    /// A ready unit that nobody took for this long gets its message again.
    pub resend_after: Duration,
    /// How long a submitted unit may go unpolled before the sweeper looks.
    pub backstop: Duration,
    /// After this the items of a batch fail and the batch is cancelled.
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

/// What happened to a unit.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// Somebody is about to create its batch.
    Claim {
        /// New, unique claim.
        fence: u64,
        /// The request document.
        batch_input: String,
        /// Credential in use.
        credential: String,
        /// Items that could not be sent.
        unsent: Vec<Unsent>,
    },
    /// The provider gave the batch's name.
    Created {
        /// Claim of the creator.
        fence: u64,
        /// Name.
        batch: String,
    },
    /// The provider refused for certain; try again later.
    Refused {
        /// Claim of the creator.
        fence: u64,
        /// The provider's advice.
        retry_after: Option<Duration>,
        /// Why it now waits, for people.
        reason: String,
    },
    /// Something before the claim was refused or missing; try again later.
    Postponed {
        /// The provider's advice.
        retry_after: Option<Duration>,
        /// Why it now waits, for people.
        reason: String,
    },
    /// It waits for something that is under way elsewhere; no refusal.
    Waiting {
        /// For how long at least.
        pause: Duration,
        /// What for, for people.
        reason: String,
    },
    /// It can never be submitted: its items fail for this reason.
    Unsendable {
        /// Why.
        ending: Ending,
        /// Items that could not be sent, with reasons of their own.
        unsent: Vec<Unsent>,
    },
    /// A complete listing of the credential's batches was searched for the
    /// display name of the current attempt; oldest first.
    Searched {
        /// Batches found.
        found: Vec<String>,
        /// Claim, should this start a collection.
        fence: u64,
    },
    /// The credential's batches can't be listed any more: it was removed, or
    /// the provider has not accepted it for too long.
    Unsearchable {
        /// Claim for the collection this starts.
        fence: u64,
    },
    /// The provider told the state of the batch.
    Observed {
        /// State.
        state: BatchState,
        /// Reference of the output.
        output: Option<String>,
        /// Claim, should this start a collection.
        fence: u64,
    },
    /// The provider does not know the batch by its own name.
    Vanished {
        /// Claim for the collection this starts.
        fence: u64,
    },
    /// A collection that did not finish is taken over.
    TakeOver {
        /// New, unique claim.
        fence: u64,
    },
    /// All outcomes are written.
    Collected {
        /// Claim of the collector.
        fence: u64,
    },
    /// People cancelled the run.
    Cancel,
    /// The provider was told to stop the batch.
    Stopped,
}

/// What has to be done at the provider because of a step. Each may be
/// repeated without harm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Stop a batch and forget its files.
    CancelBatch(String),
}

/// Result of a step.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The unit afterwards, with the next revision.
    pub unit: Unit,
    /// What has to be done at the provider.
    pub effects: Vec<Effect>,
}

/// The event does not fit the state: somebody else was faster, or it is late.
/// Always harmless, never retried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the unit has moved on")]
pub struct Stale;

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
            state: UnitState::Ready { not_before: now },
            attempt: 0,
            refusals: 0,
            unknown: 0,
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
        self.spans
            .iter()
            .map(|s| usize::from(s.end - s.start))
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

    /// Name its batch carries at the provider in an attempt.
    #[must_use]
    pub fn display_name(&self, stage: &str, attempt: u32) -> String {
        format!(
            "{stage}-{}-{}-{}-a{attempt}",
            self.project, self.run, self.key
        )
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

    /// Applies an event.
    pub fn step(&self, event: Event, now: Timestamp, policy: &Policy) -> Result<Step, Stale> {
        let mut next = self.clone();
        let mut effects = Vec::new();
        next.waiting_reason = None;
        match (&self.state, event) {
            (
                UnitState::Ready { .. },
                Event::Claim {
                    fence,
                    batch_input,
                    credential,
                    unsent,
                },
            ) => {
                next.attempt += 1;
                next.batch_input = Some(batch_input);
                next.credential = Some(credential);
                next.unsent = unsent;
                next.state = UnitState::Creating {
                    fence,
                    claimed_at: now,
                };
            }
            (
                UnitState::Ready { .. },
                Event::Postponed {
                    retry_after,
                    reason,
                },
            ) => {
                next.postpone(retry_after, reason, now, policy);
            }
            (UnitState::Ready { .. }, Event::Waiting { pause, reason }) => {
                next.waiting_reason = Some(reason);
                next.state = UnitState::Ready {
                    not_before: now + pause,
                };
            }
            (UnitState::Ready { .. }, Event::Unsendable { ending, unsent }) => {
                next.unsent = unsent;
                // Nobody holds it: whoever comes first may write the outcomes.
                next.state = UnitState::Collecting {
                    batch: None,
                    fence: 0,
                    claimed_at: Timestamp::default(),
                    ending,
                };
            }
            (UnitState::Ready { .. }, Event::Cancel) => next.state = UnitState::Cancelled,

            (UnitState::Creating { fence, .. }, Event::Created { fence: mine, batch })
                if *fence == mine =>
            {
                next.refusals = 0;
                next.state = UnitState::Submitted {
                    batch,
                    submitted_at: now,
                    settled_at: None,
                };
            }
            (
                UnitState::Creating { fence, .. },
                Event::Refused {
                    fence: mine,
                    retry_after,
                    reason,
                },
            ) if *fence == mine => {
                next.postpone(retry_after, reason, now, policy);
            }
            (UnitState::Creating { claimed_at, .. }, Event::Searched { found, fence })
                if now.since(*claimed_at) >= policy.grace =>
            {
                let mut found = found.into_iter();
                if let Some(batch) = found.next() {
                    effects.extend(found.map(Effect::CancelBatch));
                    next.state = UnitState::Submitted {
                        batch,
                        submitted_at: now,
                        settled_at: None,
                    };
                } else {
                    next.unknown += 1;
                    next.state = if next.unknown < policy.max_attempts {
                        UnitState::Ready { not_before: now }
                    } else {
                        // Asking again could cost real money each time.
                        Self::set_aside(fence, now)
                    };
                }
            }
            (UnitState::Creating { claimed_at, .. }, Event::Unsearchable { fence })
                if now.since(*claimed_at) >= policy.grace =>
            {
                next.unknown += 1;
                next.state = Self::set_aside(fence, now);
            }

            (
                UnitState::Submitted {
                    batch,
                    submitted_at,
                    settled_at,
                },
                Event::Observed {
                    state,
                    output,
                    fence,
                },
            ) => {
                let ending = Self::ending(&state, output, *submitted_at, *settled_at, now, policy);
                if let Some((ending, cancel)) = ending {
                    if cancel {
                        effects.push(Effect::CancelBatch(batch.clone()));
                    }
                    next.state = UnitState::Collecting {
                        batch: Some(batch.clone()),
                        fence,
                        claimed_at: now,
                        ending,
                    };
                } else {
                    let settled = (state == BatchState::Succeeded).then_some(now);
                    next.state = UnitState::Submitted {
                        batch: batch.clone(),
                        submitted_at: *submitted_at,
                        settled_at: settled_at.or(settled),
                    };
                }
            }
            (UnitState::Submitted { batch, .. }, Event::Vanished { fence }) => {
                next.state = UnitState::Collecting {
                    batch: Some(batch.clone()),
                    fence,
                    claimed_at: now,
                    ending: Ending::Nothing {
                        code: "provider_lost".into(),
                        message: "the provider no longer knows the batch".into(),
                        retryable: true,
                    },
                };
            }
            (UnitState::Submitted { batch, .. }, Event::Cancel) => {
                next.state = UnitState::Cancelling {
                    batch: batch.clone(),
                };
            }

            (
                UnitState::Collecting {
                    batch,
                    claimed_at,
                    ending,
                    ..
                },
                Event::TakeOver { fence },
            ) if now.since(*claimed_at) >= policy.collect_lease => {
                next.state = UnitState::Collecting {
                    batch: batch.clone(),
                    fence,
                    claimed_at: now,
                    ending: ending.clone(),
                };
            }
            (UnitState::Collecting { fence, ending, .. }, Event::Collected { fence: mine })
                if *fence == mine =>
            {
                let quarantined =
                    matches!(ending, Ending::Nothing { code, .. } if code == QUARANTINE_CODE);
                next.state = if quarantined {
                    UnitState::Quarantined
                } else {
                    UnitState::Collected
                };
            }
            (UnitState::Collecting { batch, .. }, Event::Cancel) => {
                next.state = match batch {
                    Some(batch) => UnitState::Cancelling {
                        batch: batch.clone(),
                    },
                    None => UnitState::Cancelled,
                };
            }

            (UnitState::Cancelling { .. }, Event::Stopped) => next.state = UnitState::Cancelled,
            _ => return Err(Stale),
        }
        next.due_at = next.next_due(now, policy);
        next.rev += 1;
        Ok(Step {
            unit: next,
            effects,
        })
    }

    /// The run still has to end: the items fail, a person looks.
    fn set_aside(fence: u64, now: Timestamp) -> UnitState {
        UnitState::Collecting {
            batch: None,
            fence,
            claimed_at: now,
            ending: Ending::Nothing {
                code: QUARANTINE_CODE.into(),
                message: "it could not be found out whether the provider took the batch; \
                          it was set aside"
                    .into(),
                retryable: true,
            },
        }
    }

    /// A cancelled unit whose intent is still open can't be dropped: the batch
    /// may exist. It stays `creating` until the search; then this applies.
    #[must_use]
    pub fn wants_search(&self, now: Timestamp, policy: &Policy) -> bool {
        matches!(&self.state, UnitState::Creating { claimed_at, .. }
            if now.since(*claimed_at) >= policy.grace)
    }

    fn postpone(
        &mut self,
        retry_after: Option<Duration>,
        reason: String,
        now: Timestamp,
        policy: &Policy,
    ) {
        let pause = policy.refusal_pause * 2u32.saturating_pow(self.refusals.min(6));
        let pause = retry_after.map_or(pause, |advice| advice.max(policy.refusal_pause));
        self.refusals += 1;
        self.waiting_reason = Some(reason);
        self.state = UnitState::Ready {
            not_before: now + pause,
        };
    }

    fn next_due(&self, now: Timestamp, policy: &Policy) -> Option<Timestamp> {
        match &self.state {
            UnitState::Ready { not_before } if *not_before > now => Some(*not_before),
            UnitState::Ready { .. } => Some(now + policy.resend_after),
            UnitState::Creating { claimed_at, .. } => Some(*claimed_at + policy.grace),
            UnitState::Submitted { .. } => Some(now + policy.backstop),
            UnitState::Collecting { claimed_at, .. } => Some(*claimed_at + policy.collect_lease),
            UnitState::Cancelling { .. } => Some(now),
            UnitState::Collected | UnitState::Quarantined | UnitState::Cancelled => None,
        }
    }

    /// How the batch ended, if it did, and whether it must be stopped for it.
    fn ending(
        state: &BatchState,
        output: Option<String>,
        submitted_at: Timestamp,
        settled_at: Option<Timestamp>,
        now: Timestamp,
        policy: &Policy,
    ) -> Option<(Ending, bool)> {
        let nothing = |code: &str, message: &str| Ending::Nothing {
            code: code.into(),
            message: message.into(),
            retryable: true,
        };
        let overdue = now.since(submitted_at) >= policy.deadline;
        match (state, output) {
            (BatchState::Succeeded | BatchState::Cancelled | BatchState::Failed, Some(output)) => {
                Some((Ending::Output { output }, false))
            }
            (BatchState::Succeeded, None) => {
                let waited = settled_at.map_or(Duration::ZERO, |since| now.since(since));
                (waited >= policy.settle).then(|| {
                    (
                        nothing(
                            "provider_no_output",
                            "the provider finished without an output",
                        ),
                        false,
                    )
                })
            }
            (BatchState::Failed, None) => Some((
                nothing("provider_failed", "the provider failed the whole batch"),
                false,
            )),
            (BatchState::Cancelled, None) => Some((
                nothing(
                    "provider_cancelled",
                    "the batch was cancelled at the provider",
                ),
                false,
            )),
            (BatchState::Expired, _) => Some((
                nothing(
                    "provider_expired",
                    "the provider did not process the batch in time",
                ),
                false,
            )),
            (BatchState::Pending | BatchState::Running | BatchState::Unknown(_), _) => overdue
                .then(|| {
                    (
                        nothing(
                            "provider_timeout",
                            "the provider did not finish the batch before the deadline",
                        ),
                        true,
                    )
                }),
        }
    }
}

/// Cuts positions into units by count and bytes. A pure function of its
/// input: planning again gives the same units.
#[must_use]
pub fn chunks(items: &[(u16, u64)], max_items: usize, max_bytes: u64) -> Vec<Vec<Span>> {
    let mut chunks: Vec<Vec<Span>> = Vec::new();
    let mut current: Vec<Span> = Vec::new();
    let (mut count, mut bytes) = (0usize, 0u64);
    for (position, size) in items {
        if count > 0 && (count >= max_items || bytes.saturating_add(*size) > max_bytes) {
            chunks.push(std::mem::take(&mut current));
            (count, bytes) = (0, 0);
        }
        match current.last_mut() {
            Some(span) if span.end == *position => span.end += 1,
            _ => current.push(Span {
                start: *position,
                end: position + 1,
            }),
        }
        count += 1;
        bytes = bytes.saturating_add(*size);
    }
    if !current.is_empty() {
        chunks.push(current);
    }
    chunks
}

#[cfg(test)]
#[path = "unit_tests.rs"]
mod tests;
