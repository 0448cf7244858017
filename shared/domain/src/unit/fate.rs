//! What is to become of a batch at its provider, and when an answer is believed.
//!
//! What was paid for and never landed is never deleted: it is collected if it can
//! be, and else left until the provider forgets it by itself. So every deletion of a
//! batch names its fate, and only some fates allow it.

use serde::{Deserialize, Serialize};

use super::{Ending, Policy, QUARANTINE_CODE, Unit, UnitState};
use crate::Timestamp;

/// What is to become of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// What comes of it is wanted.
    Wanted,
    /// The provider did not know it any more. Should it be alive after all, what
    /// comes of it is wanted.
    Lost,
    /// It was given up because it did not end, and is to stop; what comes of it
    /// all the same is wanted.
    Stopped,
    /// Its output is in the bucket.
    Landed,
    /// Another batch of the same items counts.
    Duplicate,
    /// People cancelled or deleted its run.
    Unwanted,
    /// The provider was told to forget it, and said that it did.
    Gone,
}

impl Fate {
    /// Whether it may be deleted whatever it has brought.
    #[must_use]
    pub fn may_be_deleted(self) -> bool {
        match self {
            Self::Wanted | Self::Lost | Self::Stopped => false,
            Self::Landed | Self::Duplicate | Self::Unwanted | Self::Gone => true,
        }
    }

    /// Whether it is to be stopped while it runs.
    #[must_use]
    pub fn is_to_stop(self) -> bool {
        !matches!(self, Self::Wanted | Self::Lost)
    }
}

/// Answers in a row that the provider knows nothing of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doubt {
    /// When the first of them came.
    pub since: Timestamp,
    /// When the last of them came.
    pub last: Timestamp,
    /// Number of them.
    pub times: u32,
}

/// Two answers belong to one row when no more than this many times
/// [`Policy::doubt`] passed between them.
const ROW: u32 = 10;

impl Doubt {
    /// With one more.
    pub(super) fn more(earlier: Option<Self>, now: Timestamp, policy: &Policy) -> Self {
        match earlier {
            Some(row) if now.since(row.last) <= policy.doubt * ROW => Self {
                last: now,
                times: row.times.saturating_add(1),
                ..row
            },
            _ => Self {
                since: now,
                last: now,
                times: 1,
            },
        }
    }
}

impl Unit {
    /// Whether the next answer "no such batch" is to be believed, if no list shows
    /// the batch either: a single answer is not.
    #[must_use]
    pub fn would_be_believed(&self, now: Timestamp, policy: &Policy) -> bool {
        let row = Doubt::more(self.doubt, now, policy);
        row.times >= policy.denials && now.since(row.since) >= policy.doubt
    }

    /// Whether the next answer "never" to the creation of its batch is to be
    /// believed. Nothing was paid yet, so it need not be given for long.
    #[must_use]
    pub fn is_refused_for_good(&self, now: Timestamp, policy: &Policy) -> bool {
        Doubt::more(self.doubt, now, policy).times >= policy.denials
    }

    /// What is to become of a batch of it.
    #[must_use]
    pub fn fate(&self, batch: &str) -> Fate {
        if matches!(
            self.state,
            UnitState::Cancelling { .. } | UnitState::Cancelled
        ) {
            return Fate::Unwanted;
        }
        if let Some(fate) = self.fates.get(batch) {
            return *fate;
        }
        match &self.resubmitted {
            // Another one was made in its place.
            Some(again) if again.batch == batch => Fate::Duplicate,
            _ => Fate::Wanted,
        }
    }

    /// The same with the fate of a batch. What has landed, or is gone, stays so.
    #[must_use]
    pub fn with_fate(&self, batch: &str, fate: Fate) -> Self {
        let mut unit = self.clone();
        unit.fates.insert(batch.to_owned(), fate);
        unit
    }

    /// The same when batches are deleted at the provider. Their names are kept:
    /// should a list still show one, it is not paid for twice.
    #[must_use]
    pub fn without(&self, gone: &[String]) -> Self {
        let mut unit = self.clone();
        unit.batches.retain(|batch| !gone.contains(batch));
        for batch in gone {
            unit.fates.insert(batch.clone(), Fate::Gone);
        }
        unit
    }

    /// Whether a batch of it that could not be found may still run, and read the
    /// request document.
    #[must_use]
    pub fn has_batch_that_may_be_alive(&self) -> bool {
        let never_found = match &self.state {
            UnitState::Quarantined => self.batches.is_empty(),
            UnitState::Collecting {
                ending: Ending::Nothing { code, .. },
                ..
            } => code == QUARANTINE_CODE,
            _ => false,
        };
        let lost = |batch: &String| self.fate(batch) == Fate::Lost;
        never_found || self.batches.iter().any(lost)
    }

    /// Whether it was given up without knowing whether the provider took its batch:
    /// one that turns up for such an attempt is the one that was looked for.
    #[must_use]
    pub fn misses_its_batch(&self, attempt: u32) -> bool {
        self.state == UnitState::Quarantined && self.batches.is_empty() && attempt <= self.attempt
    }
}
