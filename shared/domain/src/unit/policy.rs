//! How long is waited for what, and how often it is tried.

use std::time::Duration;

use crate::Timestamp;

/// Time bounds of the protocol. Configuration, with production defaults.
#[derive(Debug, Clone, Copy)]
pub struct Policy {
    /// An intent older than this has no request under way any more. For as long
    /// a batch that is being stopped may take to be over.
    pub grace: Duration,
    /// How long a worker may have a unit whose items it asks for one call each: then it is
    /// dead for certain. Longer than a function lives, however quickly vendors answer; a
    /// worker that lives on pays for each call that another makes as well.
    pub call_lease: Duration,
    /// Since when there have been workers, where that is known: on one machine those of an
    /// earlier process died with it, so no lease of theirs is waited for.
    pub workers_since: Option<Timestamp>,
    /// How long one collection may take before another may take over.
    pub collect_lease: Duration,
    /// A ready unit that was not taken for this long gets its message again.
    pub resend_after: Duration,
    /// How long a submitted unit may go unpolled before the sweeper looks.
    pub backstop: Duration,
    /// After this a batch is stopped, and its items fail. As long as Google has
    /// a batch: it may come to an end until then.
    pub deadline: Duration,
    /// Whether the items of a batch that was stopped for being overdue, and
    /// brought nothing, are submitted once more instead. What the provider had
    /// done of them may be billed, and is then billed a second time.
    pub resubmit: bool,
    /// How long "finished" without an output still counts as running.
    pub settle: Duration,
    /// How long the provider must say that it knows no such batch before that is
    /// believed.
    pub doubt: Duration,
    /// And how often, in a row.
    pub denials: u32,
    /// First pause after a refusal; doubles up to six times.
    pub refusal_pause: Duration,
    /// How long a unit may be refused before its items fail: longer than a batch
    /// may take at the provider, so that what is in the way can end.
    pub refusal_window: Duration,
    /// How long the provider's queue may be full before the items fail. That is
    /// waiting and no refusal; but a key that may queue nothing at all gets the
    /// same answer, and a run must end.
    pub queue_window: Duration,
    /// How long a person has to replace a key that is refused, or to top up an empty
    /// account, before the items fail.
    pub person_window: Duration,
    /// Tries after which an audio file that the provider fails to take in, while
    /// it has others of the unit, fails by itself.
    pub max_audio_failures: u32,
    /// Creations of unknown outcome before a person has to look.
    pub max_attempts: u32,
}

impl Policy {
    /// Whether the worker that claimed a unit of calls then is dead for certain.
    #[must_use]
    pub fn is_dead(&self, claimed_at: Timestamp, now: Timestamp) -> bool {
        self.workers_since.is_some_and(|since| claimed_at < since)
            || now.since(claimed_at) >= self.call_lease
    }

    /// When to look whether it is.
    #[must_use]
    pub(super) fn look_for_worker(&self, claimed_at: Timestamp) -> Timestamp {
        let lease = self.call_lease;
        claimed_at
            + self
                .workers_since
                .map_or(lease, |_| lease.min(self.backstop))
    }

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
            call_lease: Duration::from_secs(600),
            workers_since: None,
            collect_lease: Duration::from_secs(900),
            resend_after: Duration::from_secs(60),
            backstop: Duration::from_secs(1_800),
            deadline: Duration::from_secs(48 * 3_600),
            resubmit: false,
            settle: Duration::from_secs(1_800),
            doubt: DOUBT,
            denials: DENIALS,
            refusal_pause: Duration::from_secs(30),
            refusal_window: Duration::from_secs(72 * 3_600),
            queue_window: Duration::from_secs(7 * 24 * 3_600),
            person_window: Duration::from_secs(7 * 24 * 3_600),
            max_audio_failures: 6,
            max_attempts: 3,
        }
    }
}

/// How long an answer that there is no such batch must be repeated, by default.
const DOUBT: Duration = Duration::from_secs(1_800);
/// How often it must be given in a row, by default.
const DENIALS: u32 = 3;
