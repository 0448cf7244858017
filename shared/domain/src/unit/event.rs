//! What happens to a unit, and what a step comes to.

use std::time::Duration;

use super::{BatchState, Ending, Unit, Unsent, WaitingReason};

/// What happened to a unit.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A worker is about to create its batch.
    Claim {
        /// New, unique claim.
        fence: u64,
        /// The request document.
        batch_input: String,
        /// What the batch is to be called at the provider.
        batch_name: String,
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
        /// Why it now waits.
        reason: WaitingReason,
    },
    /// The provider's queue is full: no batch was made, and nothing else is wrong.
    QueueFull {
        /// Claim of the creator.
        fence: u64,
        /// The provider's advice.
        retry_after: Option<Duration>,
    },
    /// Something before the claim was refused or missing; try again later.
    Postponed {
        /// The provider's advice.
        retry_after: Option<Duration>,
        /// Why it now waits.
        reason: WaitingReason,
        /// Positions whose audio the provider failed to take in, though it takes
        /// others.
        failed: Vec<u16>,
    },
    /// The provider gave an answer that would end the unit, were it given again
    /// and again: before it was submitted, or after its creation was refused.
    Doubted,
    /// It waits for something that is under way elsewhere; no refusal.
    Waiting {
        /// For how long at least.
        pause: Duration,
        /// What for.
        reason: WaitingReason,
    },
    /// It can never be submitted: its items fail for this reason.
    Unsendable {
        /// Why.
        ending: Ending,
        /// Items that could not be sent, with reasons of their own.
        unsent: Vec<Unsent>,
    },
    /// A worker is about to call for the items of a unit of
    /// [`UnitKind::Calls`](super::UnitKind::Calls).
    Begin {
        /// New, unique claim.
        fence: u64,
        /// Credential in use.
        credential: String,
    },
    /// The worker makes no further calls for now.
    Paused {
        /// Its claim.
        fence: u64,
        /// Whether it brought an answer: refusals before it are over.
        landed: bool,
        /// Why.
        why: Pause,
    },
    /// Nothing was heard of the worker for as long as it can live.
    Abandoned,
    /// Every item is settled, and what was answered is in the bucket.
    Called {
        /// Claim of the worker.
        fence: u64,
        /// Whether any item has an answer.
        landed: bool,
        /// The items that have none.
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
    /// The provider says once that it does not know the batch by its own name.
    Denied {
        /// Whether a complete list that was made for it does not show it either.
        unlisted: bool,
        /// Claim, should this start a collection.
        fence: u64,
    },
    /// The provider refuses the key that its batch is asked for with.
    KeyRefused,
    /// Nothing can be learnt of the batch any more.
    Vanished {
        /// Claim for the collection this starts.
        fence: u64,
    },
    /// The output of a batch that was given up has come after all, and is in the
    /// bucket.
    Late {
        /// The batch.
        batch: String,
    },
    /// A collection that did not finish is taken over.
    TakeOver {
        /// New, unique claim.
        fence: u64,
    },
    /// What has come as its output holds not one of its items, which the provider
    /// had said were done.
    Unreadable {
        /// Claim of the collector.
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
    /// Stop a batch.
    CancelBatch(String),
    /// Delete a request document that no batch reads any more.
    DeleteInput(String),
}

/// Result of a step.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The unit afterwards, with the next revision.
    pub unit: Unit,
    /// What has to be done at the provider.
    pub effects: Vec<Effect>,
}

/// The event does not fit the state: another worker was faster, or it is late.
/// Always harmless, never retried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the unit has moved on")]
pub struct Stale;

/// Why a worker ends its lease before all items are settled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pause {
    /// The provider refused for certain; try again later.
    Refused {
        /// The provider's advice.
        retry_after: Option<Duration>,
        /// Why the unit now waits.
        reason: WaitingReason,
    },
    /// A limit of the provider is reached, and passes by itself.
    Limited {
        /// The provider's advice.
        retry_after: Option<Duration>,
        /// Which one: of its rate, or one that only a person can lift.
        reason: WaitingReason,
    },
    /// The worker's time is over.
    Interrupted,
}
