//! Admission: what one credential has at its provider, and which units wait to be
//! admitted.
//!
//! A provider bounds open batches, stored audio and the tokens that wait for
//! each model. So each credential has one [`Admission`], and a unit changes
//! it three times: it asks to be admitted, it leaves, and its audio is discarded there.
//!
//! ```text
//! ready ─ask→ queue ─ask→ open ─without→ lingering ─begun_to_discard→ discarding ─discarded→ (gone)
//!           └─────────────↑  ↑───────────────┘ another model wants the same audio
//! ```
//!
//! - *Stored* is what is there, not what is open: audio counts from before it
//!   is sent until after it was deleted. Units of several models that share a
//!   chunk of a dataset share its audio, which counts once.
//! - *Order*: a unit comes in only if it would also fit beside all that have
//!   waited longer. So none is overtaken by one that takes away what it waits for,
//!   however large it is. One that only waits for its model's queue does not hold up
//!   the other models.
//! - A batch that was stopped goes on counting for a while: Google was seen to free
//!   the quota of a cancelled batch late.
//! - Audio that another model of the run is still to use stays, until a unit waits
//!   for the space. It can be sent again later; what can't happen is that audio which
//!   is not in use blocks every unit.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

pub use super::demand::{Demand, audio_user};
use super::unit::{UnitKey, WaitingReason};
use super::{ProjectId, RunId, Timestamp};

/// Units of one model whose place in the queue is kept. A unit that finds the queue
/// full is younger than all of them and asks again later.
pub const QUEUE: usize = 16;
/// Chunks of audio that may lie around for other models at most.
const KEPT: usize = 200;

/// What a credential may have at its provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AdmissionLimits {
    /// Batches that have not ended.
    pub open_batches: usize,
    /// Bytes of audio kept there.
    pub stored_bytes: u64,
    /// Tokens waiting for one model, of all its open batches.
    pub tokens: u64,
}

/// A unit that waits to be admitted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queued {
    /// Since when it could be submitted.
    pub since: Timestamp,
    /// What it takes up once it is in.
    #[serde(rename = "slot")]
    pub demand: Demand,
}

impl Queued {
    /// Its place: by age, then by chunk across models, so that models which
    /// share audio come in together.
    fn place(&self) -> (Timestamp, RunId, u16, u16, u8) {
        let unit = self.demand.unit;
        (
            self.since,
            self.demand.run,
            unit.round,
            unit.chunk,
            unit.model,
        )
    }
}

/// Audio whose units have all left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lingering {
    /// The last of them.
    #[serde(rename = "slot")]
    pub demand: Demand,
    /// Not to be deleted before: a twin of its submission may still be sending.
    pub from: Timestamp,
    /// It is being deleted; a unit that needs it waits until that is done.
    #[serde(
        rename = "clearing",
        default,
        skip_serializing_if = "std::ops::Not::not"
    )]
    pub discarding: bool,
}

/// What a batch that was stopped still takes up at the provider. Which one it was does
/// not matter any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// Model it was for.
    pub model: String,
    /// Tokens it counts for.
    pub tokens: u64,
    /// Until when it counts.
    pub until: Timestamp,
}

/// What one credential has at its provider, and what waits for that. One item for each
/// credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Admission {
    /// The project that owns the credential.
    pub project: ProjectId,
    /// Vendor, by the name that credentials are kept for.
    pub provider: String,
    /// Id of the credential.
    pub credential: String,
    /// Units on their way to the provider or there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub open: Vec<Demand>,
    /// Audio that may still be there though its units are done.
    #[serde(rename = "left", default, skip_serializing_if = "Vec::is_empty")]
    pub lingering: Vec<Lingering>,
    /// Batches that were stopped, and whose quota may not be free yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub held: Vec<Held>,
    /// Units that were not admitted yet, the first ones of each model.
    #[serde(rename = "line", default, skip_serializing_if = "Vec::is_empty")]
    pub queue: Vec<Queued>,
    /// When what lingers must be looked after.
    pub due_at: Option<Timestamp>,
    /// Until then one invocation does, and no other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tended_until: Option<Timestamp>,
    /// Revision, for conditional writes.
    #[serde(default)]
    pub rev: u64,
}

/// What a unit is told that asks to be admitted.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// It is in; the record is to be saved.
    Admitted(Admission),
    /// It was in already.
    Already,
    /// It has to wait. A record is given if the unit's place is to be saved.
    Wait {
        /// What it waits for.
        reason: WaitingReason,
        /// Whether its place is kept.
        queued: bool,
        /// The record with its place.
        admission: Option<Admission>,
    },
}

/// Sums over what is admitted, and over the units that come before another one.
struct View {
    batches: usize,
    /// Bytes of audio there, by what it is kept for.
    audio: BTreeMap<String, u64>,
    /// Bytes that units which come first wait for.
    claimed: BTreeMap<String, u64>,
    tokens: BTreeMap<String, u64>,
}

impl View {
    fn of(admission: &Admission, now: Timestamp) -> Self {
        let mut view = Self {
            batches: 0,
            audio: BTreeMap::new(),
            claimed: BTreeMap::new(),
            tokens: BTreeMap::new(),
        };
        for left in &admission.lingering {
            view.store(&left.demand);
        }
        for demand in &admission.open {
            view.add(demand);
        }
        for held in admission.held.iter().filter(|held| held.until > now) {
            view.batches += 1;
            *view.tokens.entry(held.model.clone()).or_default() += held.tokens;
        }
        view
    }

    fn store(&mut self, demand: &Demand) {
        let bytes = self.audio.entry(demand.audio()).or_default();
        *bytes = demand.bytes.max(*bytes);
    }

    fn queue(&mut self, demand: &Demand) {
        *self.tokens.entry(demand.model.clone()).or_default() += demand.tokens;
    }

    fn add(&mut self, demand: &Demand) {
        self.batches += 1;
        self.store(demand);
        self.queue(demand);
    }

    /// Why there is no room for another unit. What is larger than a limit by
    /// itself is let in alone.
    fn refusal(&self, limits: &AdmissionLimits, new: &Demand) -> Option<WaitingReason> {
        if self.batches > 0 && self.batches >= limits.open_batches {
            return Some(WaitingReason::ProviderBatchesFull);
        }
        let waiting = self.tokens.get(&new.model).copied().unwrap_or(0);
        if waiting > 0 && waiting + new.tokens > limits.tokens {
            return Some(WaitingReason::ModelQueueFull);
        }
        let audio = new.audio();
        if self
            .audio
            .get(&audio)
            .is_some_and(|there| *there >= new.bytes)
        {
            return None;
        }
        let stored: u64 = self.audio.values().chain(self.claimed.values()).sum();
        let known = self.audio.get(&audio).or(self.claimed.get(&audio));
        let more = new.bytes.saturating_sub(known.copied().unwrap_or(0));
        if stored > 0 && stored + more > limits.stored_bytes {
            return Some(WaitingReason::ProviderStorageFull);
        }
        None
    }

    /// Asks for a unit that comes before others; what it waits for is kept for it.
    fn reserve(&mut self, limits: &AdmissionLimits, first: &Demand) -> Option<WaitingReason> {
        let refusal = self.refusal(limits, first);
        match refusal {
            // It takes nothing from the other models meanwhile.
            Some(WaitingReason::ModelQueueFull) => self.queue(first),
            Some(_) => {
                self.batches += 1;
                self.queue(first);
                let audio = first.audio();
                if !self.audio.contains_key(&audio) {
                    let bytes = self.claimed.entry(audio).or_default();
                    *bytes = first.bytes.max(*bytes);
                }
            }
            None => self.add(first),
        }
        refusal
    }
}

impl Admission {
    /// An empty one.
    #[must_use]
    pub fn new(project: ProjectId, provider: String, credential: String) -> Self {
        Self {
            project,
            provider,
            credential,
            open: Vec::new(),
            lingering: Vec::new(),
            held: Vec::new(),
            queue: Vec::new(),
            due_at: None,
            tended_until: None,
            rev: 0,
        }
    }

    fn in_order(&self) -> Vec<&Queued> {
        let mut queue: Vec<&Queued> = self.queue.iter().collect();
        queue.sort_by_key(|waiting| waiting.place());
        queue
    }

    /// A unit asks to be admitted.
    #[must_use]
    pub fn ask(&self, limits: &AdmissionLimits, me: &Queued, now: Timestamp) -> Answer {
        let (run, unit) = (me.demand.run, me.demand.unit);
        if self.open.iter().any(|demand| demand.is(run, unit)) {
            return Answer::Already;
        }
        let audio = me.demand.audio();
        let mut view = View::of(self, now);
        for other in self.in_order() {
            if other.place() < me.place() {
                view.reserve(limits, &other.demand);
            }
        }
        let discarding = |left: &&Lingering| left.discarding && left.demand.audio() == audio;
        let reason = match view.refusal(limits, &me.demand) {
            None if self.lingering.iter().any(|left| discarding(&left)) => {
                WaitingReason::SendingAudio
            }
            None => {
                let mut admission = self.clone();
                admission.queue.retain(|other| !other.demand.is(run, unit));
                admission
                    .lingering
                    .retain(|left| left.demand.audio() != audio);
                admission.open.push(me.demand.clone());
                return Answer::Admitted(admission);
            }
            Some(reason) => reason,
        };
        let (queued, admission) = self.queued_up(me);
        Answer::Wait {
            reason,
            queued,
            admission,
        }
    }

    /// Keeps a unit's place, if it is among the first of its model.
    fn queued_up(&self, me: &Queued) -> (bool, Option<Self>) {
        let same = |other: &&Queued| other.demand.is(me.demand.run, me.demand.unit);
        if self.queue.iter().any(|other| same(&other)) {
            return (true, None);
        }
        let mut admission = self.clone();
        admission.queue.push(me.clone());
        let mut mine: Vec<_> = admission
            .queue
            .iter()
            .filter(|w| w.demand.model == me.demand.model)
            .collect();
        mine.sort_by_key(|waiting| waiting.place());
        if let Some(last) = mine.get(QUEUE).map(|last| last.demand.clone()) {
            if last == me.demand {
                return (false, None);
            }
            admission.queue.retain(|waiting| waiting.demand != last);
        }
        (true, Some(admission))
    }

    /// Queued units that fit now, in order.
    #[must_use]
    pub fn next(&self, limits: &AdmissionLimits, now: Timestamp) -> Vec<Demand> {
        let mut view = View::of(self, now);
        let queue = self.in_order().into_iter();
        let fits = queue.filter(|waiting| view.reserve(limits, &waiting.demand).is_none());
        fits.map(|waiting| waiting.demand.clone()).collect()
    }

    /// Whether a unit waits for the space that kept audio takes up.
    #[must_use]
    pub fn is_pressed(&self, limits: &AdmissionLimits, now: Timestamp) -> bool {
        let mut view = View::of(self, now);
        let full = Some(WaitingReason::ProviderStorageFull);
        self.lingering.len() > KEPT
            || self
                .in_order()
                .into_iter()
                .any(|waiting| view.reserve(limits, &waiting.demand) == full)
    }

    /// Whether more units would only wait in vain.
    #[must_use]
    pub fn has_long_queue(&self) -> bool {
        self.queue.len() >= QUEUE
    }

    /// A unit is done, or given up: its place is free, and its audio may be
    /// deleted `from` then on unless another unit uses it. `None` when there is
    /// nothing of it.
    #[must_use]
    pub fn without(&self, run: RunId, unit: UnitKey, from: Timestamp) -> Option<Self> {
        let mut admission = self.clone();
        admission
            .queue
            .retain(|waiting| !waiting.demand.is(run, unit));
        if let Some(at) = admission
            .open
            .iter()
            .position(|demand| demand.is(run, unit))
        {
            let demand = admission.open.remove(at);
            let audio = demand.audio();
            if admission.open.iter().all(|other| other.audio() != audio) {
                admission.lingering.push(Lingering {
                    demand,
                    from,
                    discarding: false,
                });
                let due = admission.due_at.map_or(from, |due| due.min(from));
                admission.due_at = Some(admission.tended_until.map_or(due, |until| due.max(until)));
            }
        }
        (admission != *self).then_some(admission)
    }

    /// A unit's batch was stopped: what it takes up counts on `until` then, also
    /// when the unit has left.
    #[must_use]
    pub fn holding(&self, run: RunId, unit: UnitKey, now: Timestamp, until: Timestamp) -> Self {
        let mut admission = self.clone();
        admission.held.retain(|held| held.until > now);
        let demand = self.open.iter().find(|demand| demand.is(run, unit));
        if let Some(demand) = demand.filter(|_| until > now) {
            admission.held.push(Held {
                model: demand.model.clone(),
                tokens: demand.tokens,
                until,
            });
        }
        admission
    }

    /// No use of some audio may begin any more. `None` when it is in use again, or
    /// this was said already.
    #[must_use]
    pub fn begun_to_discard(&self, audio: &Demand) -> Option<Self> {
        let mut admission = self.clone();
        let mut left = admission.lingering.iter_mut();
        let left = left.find(|left| left.demand == *audio && !left.discarding)?;
        left.discarding = true;
        Some(admission)
    }

    /// Whether some audio may be deleted.
    #[must_use]
    pub fn is_discarding(&self, audio: &Demand) -> bool {
        let mut left = self.lingering.iter();
        left.any(|left| left.demand == *audio && left.discarding)
    }

    /// Some audio is gone from the provider.
    #[must_use]
    pub fn discarded(&self, audio: &Demand) -> Option<Self> {
        let mut admission = self.clone();
        admission
            .lingering
            .retain(|left| left.demand != *audio || !left.discarding);
        (admission != *self).then_some(admission)
    }

    /// One invocation looks after what lingers, alone until a time.
    #[must_use]
    pub fn tended(&self, until: Timestamp) -> Self {
        Self {
            due_at: Some(until),
            tended_until: Some(until),
            ..self.clone()
        }
    }

    /// The invocation that looked after it `until` a time is done; what lingers is
    /// looked after again, not before `later`. `None` when another one does already.
    #[must_use]
    pub fn released(&self, until: Timestamp, now: Timestamp, later: Timestamp) -> Option<Self> {
        let pending = self.lingering.iter().map(|left| left.from.max(now));
        (self.tended_until == Some(until)).then(|| Self {
            due_at: pending.min().map(|from| from.max(later)),
            tended_until: None,
            ..self.clone()
        })
    }

    /// Whether anything in it is of a run.
    #[must_use]
    pub fn mentions(&self, run: RunId) -> bool {
        self.units_of(run).next().is_some()
            || self.lingering.iter().any(|left| left.demand.run == run)
    }

    /// Units of a run that are admitted or queued.
    pub fn units_of(&self, run: RunId) -> impl Iterator<Item = UnitKey> + '_ {
        let queue = self.queue.iter().map(|waiting| &waiting.demand);
        let demands: BTreeSet<UnitKey> = self
            .open
            .iter()
            .chain(queue)
            .filter(|demand| demand.run == run)
            .map(|demand| demand.unit)
            .collect();
        demands.into_iter()
    }
}

#[cfg(test)]
#[path = "admission_tests.rs"]
mod tests;
