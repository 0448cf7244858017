//! What one credential has at its provider, and who waits for room there.
//!
//! A provider bounds open batches, stored audio and the audio that waits for
//! each model. So each credential has one [`Room`], and a unit goes through it
//! three times: it asks to come in, it leaves, and its audio is cleared away.
//!
//! ```text
//! ready ─ask→ line ─ask→ open ─leave→ left ─begin_clearing→ clearing ─cleared→ (gone)
//!           └────────────↑  ↑──────────┘ another model wants the same audio
//! ```
//!
//! - *Stored* is what is there, not what is open: audio counts from before it
//!   is sent until after it was deleted. Units of several models that share a
//!   chunk of a dataset share its audio, which counts once.
//! - *Order*: a unit comes in only if it would also fit beside everybody who
//!   has waited longer. Nobody is overtaken by one who takes away what he waits
//!   for, however large he is; who waits for his model's queue only does not
//!   hold up the other models.
//! - Audio that another model of the run is still to use stays, until somebody
//!   waits for the space. It can then be sent again; what can't happen is that
//!   audio nobody works with blocks everybody.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::ids::InvalidId;
use super::unit::{UnitKey, WaitingReason};
use super::{ProjectId, RunId, Timestamp};

/// Units of one model whose place in the line is kept. Who finds the line full
/// is younger than all of them and asks again later.
pub const LINE: usize = 16;
/// Chunks of audio that may lie around for other models at most.
const KEPT: usize = 200;

/// What a credential may have at its provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Batches that have not ended.
    pub open_batches: usize,
    /// Bytes of audio.
    pub stored_bytes: u64,
    /// Seconds of audio waiting for one model.
    pub audio_seconds: u64,
}

/// What a unit takes up.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Slot {
    /// Its run.
    pub run: RunId,
    /// The unit.
    pub unit: UnitKey,
    /// Model it is for: providers limit what waits for each model.
    pub model: String,
    /// Seconds of audio.
    pub audio_seconds: u64,
    /// Bytes of audio.
    pub bytes: u64,
}

impl Slot {
    /// Whose audio it is: units with the same answer share it.
    #[must_use]
    pub fn audio(&self) -> String {
        audio_user(self.run, self.unit)
    }

    fn is(&self, run: RunId, unit: UnitKey) -> bool {
        self.run == run && self.unit == unit
    }
}

/// Who uses the audio of a unit: its chunk of the dataset. In the first round
/// all models of a run have the same chunks; what is left to retry differs, so
/// then each unit stands for itself.
#[must_use]
pub fn audio_user(run: RunId, unit: UnitKey) -> String {
    if unit.round == 1 {
        format!("{run}#c{:04}", unit.chunk)
    } else {
        format!("{run}#{unit}")
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            run,
            unit,
            model,
            audio_seconds,
            bytes,
        } = self;
        write!(f, "{run}#{unit}#{model}#{audio_seconds}#{bytes}")
    }
}

impl FromStr for Slot {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let odd = || InvalidId("slot");
        let mut parts = text.split('#');
        let mut next = || parts.next().ok_or_else(odd);
        Ok(Self {
            run: next()?.parse().map_err(|_| odd())?,
            unit: next()?.parse().map_err(|_| odd())?,
            model: next()?.to_owned(),
            audio_seconds: next()?.parse().map_err(|_| odd())?,
            bytes: next()?.parse().map_err(|_| odd())?,
        })
    }
}

impl Serialize for Slot {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Slot {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

/// A unit that waits for room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// Since when it could be submitted.
    pub since: Timestamp,
    /// What it needs.
    pub slot: Slot,
}

impl Waiting {
    /// Its place: by age, then by chunk across models, so that models which
    /// share audio come in together.
    fn place(&self) -> (Timestamp, RunId, u16, u16, u8) {
        let unit = self.slot.unit;
        (
            self.since,
            self.slot.run,
            unit.round,
            unit.chunk,
            unit.provider,
        )
    }
}

/// Audio whose units have all left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Left {
    /// The last of them.
    pub slot: Slot,
    /// Not to be deleted before: a twin of its submission may still be sending.
    pub from: Timestamp,
    /// It is being deleted; who wants it waits until that is done.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub clearing: bool,
}

/// Everything of a credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Room {
    /// Owner.
    pub project: ProjectId,
    /// Provider.
    pub provider: String,
    /// Id of the credential.
    pub credential: String,
    /// Units on their way to the provider or there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub open: Vec<Slot>,
    /// Audio that may still be there though its units are done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<Left>,
    /// Units that found no room, the first ones of each model.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub line: Vec<Waiting>,
    /// When somebody must look after what is left.
    pub due_at: Option<Timestamp>,
    /// Until then somebody does, and nobody else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tended_until: Option<Timestamp>,
    /// Revision, for conditional writes.
    #[serde(default)]
    pub rev: u64,
}

/// What a unit is told that asks for room.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// It is in; the room is to be saved.
    In(Room),
    /// It was in already.
    Already,
    /// It has to wait. A room is given if the unit's place is to be saved.
    Wait {
        /// What for.
        reason: WaitingReason,
        /// Whether its place is kept.
        in_line: bool,
        /// The room with its place.
        room: Option<Room>,
    },
}

/// Sums over a room and those who come before somebody.
struct View {
    batches: usize,
    /// Bytes there.
    audio: BTreeMap<String, u64>,
    /// Bytes that somebody who comes first waits for.
    claimed: BTreeMap<String, u64>,
    seconds: BTreeMap<String, u64>,
}

impl View {
    fn of(room: &Room) -> Self {
        let mut view = Self {
            batches: 0,
            audio: BTreeMap::new(),
            claimed: BTreeMap::new(),
            seconds: BTreeMap::new(),
        };
        for left in &room.left {
            view.store(&left.slot);
        }
        for slot in &room.open {
            view.add(slot);
        }
        view
    }

    fn store(&mut self, slot: &Slot) {
        let bytes = self.audio.entry(slot.audio()).or_default();
        *bytes = slot.bytes.max(*bytes);
    }

    fn queue(&mut self, slot: &Slot) {
        *self.seconds.entry(slot.model.clone()).or_default() += slot.audio_seconds;
    }

    fn add(&mut self, slot: &Slot) {
        self.batches += 1;
        self.store(slot);
        self.queue(slot);
    }

    /// Why there is no room for another unit. What is larger than a limit by
    /// itself is let in alone.
    fn refusal(&self, limits: &Limits, new: &Slot) -> Option<WaitingReason> {
        if self.batches > 0 && self.batches >= limits.open_batches {
            return Some(WaitingReason::ProviderBatchesFull);
        }
        let waiting = self.seconds.get(&new.model).copied().unwrap_or(0);
        if waiting > 0 && waiting + new.audio_seconds > limits.audio_seconds {
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

    /// Asks for one who comes before others; what he waits for is his.
    fn reserve(&mut self, limits: &Limits, first: &Slot) -> Option<WaitingReason> {
        let refusal = self.refusal(limits, first);
        match refusal {
            // He takes nothing from the other models meanwhile.
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

impl Room {
    /// An empty one.
    #[must_use]
    pub fn new(project: ProjectId, provider: String, credential: String) -> Self {
        Self {
            project,
            provider,
            credential,
            open: Vec::new(),
            left: Vec::new(),
            line: Vec::new(),
            due_at: None,
            tended_until: None,
            rev: 0,
        }
    }

    fn in_order(&self) -> Vec<&Waiting> {
        let mut line: Vec<&Waiting> = self.line.iter().collect();
        line.sort_by_key(|waiting| waiting.place());
        line
    }

    /// A unit asks for room.
    #[must_use]
    pub fn ask(&self, limits: &Limits, me: &Waiting) -> Answer {
        let (run, unit) = (me.slot.run, me.slot.unit);
        if self.open.iter().any(|slot| slot.is(run, unit)) {
            return Answer::Already;
        }
        let audio = me.slot.audio();
        let mut view = View::of(self);
        for other in self.in_order() {
            if other.place() < me.place() {
                view.reserve(limits, &other.slot);
            }
        }
        let clearing = |left: &&Left| left.clearing && left.slot.audio() == audio;
        let reason = match view.refusal(limits, &me.slot) {
            None if self.left.iter().any(|left| clearing(&left)) => WaitingReason::SendingAudio,
            None => {
                let mut room = self.clone();
                room.line.retain(|other| !other.slot.is(run, unit));
                room.left.retain(|left| left.slot.audio() != audio);
                room.open.push(me.slot.clone());
                return Answer::In(room);
            }
            Some(reason) => reason,
        };
        let (in_line, room) = self.lined_up(me);
        Answer::Wait {
            reason,
            in_line,
            room,
        }
    }

    /// Keeps a unit's place, if it is among the first of its model.
    fn lined_up(&self, me: &Waiting) -> (bool, Option<Self>) {
        let same = |other: &&Waiting| other.slot.is(me.slot.run, me.slot.unit);
        if self.line.iter().any(|other| same(&other)) {
            return (true, None);
        }
        let mut room = self.clone();
        room.line.push(me.clone());
        let mut mine: Vec<_> = room
            .line
            .iter()
            .filter(|w| w.slot.model == me.slot.model)
            .collect();
        mine.sort_by_key(|waiting| waiting.place());
        if let Some(last) = mine.get(LINE).map(|last| last.slot.clone()) {
            if last == me.slot {
                return (false, None);
            }
            room.line.retain(|waiting| waiting.slot != last);
        }
        (true, Some(room))
    }

    /// Those whose turn it is, in order.
    #[must_use]
    pub fn next(&self, limits: &Limits) -> Vec<Slot> {
        let mut view = View::of(self);
        let line = self.in_order().into_iter();
        let fits = line.filter(|waiting| view.reserve(limits, &waiting.slot).is_none());
        fits.map(|waiting| waiting.slot.clone()).collect()
    }

    /// Whether somebody waits for the space that kept audio takes up.
    #[must_use]
    pub fn is_pressed(&self, limits: &Limits) -> bool {
        let mut view = View::of(self);
        let full = Some(WaitingReason::ProviderStorageFull);
        self.left.len() > KEPT
            || self
                .in_order()
                .into_iter()
                .any(|waiting| view.reserve(limits, &waiting.slot) == full)
    }

    /// Whether more units would only wait in vain.
    #[must_use]
    pub fn has_long_line(&self) -> bool {
        self.line.len() >= LINE
    }

    /// A unit is done, or given up: its place is free, and its audio may be
    /// deleted `from` then on unless another unit uses it. `None` when there is
    /// nothing of it.
    #[must_use]
    pub fn without(&self, run: RunId, unit: UnitKey, from: Timestamp) -> Option<Self> {
        let mut room = self.clone();
        room.line.retain(|waiting| !waiting.slot.is(run, unit));
        if let Some(at) = room.open.iter().position(|slot| slot.is(run, unit)) {
            let slot = room.open.remove(at);
            let audio = slot.audio();
            if room.open.iter().all(|other| other.audio() != audio) {
                room.left.push(Left {
                    slot,
                    from,
                    clearing: false,
                });
                let due = room.due_at.map_or(from, |due| due.min(from));
                room.due_at = Some(room.tended_until.map_or(due, |until| due.max(until)));
            }
        }
        (room != *self).then_some(room)
    }

    /// Nobody may begin to use some audio any more. `None` when somebody does,
    /// or it is so already.
    #[must_use]
    pub fn begun_to_clear(&self, audio: &Slot) -> Option<Self> {
        let mut room = self.clone();
        let mut left = room.left.iter_mut();
        let left = left.find(|left| left.slot == *audio && !left.clearing)?;
        left.clearing = true;
        Some(room)
    }

    /// Whether some audio may be deleted.
    #[must_use]
    pub fn is_clearing(&self, audio: &Slot) -> bool {
        let mut left = self.left.iter();
        left.any(|left| left.slot == *audio && left.clearing)
    }

    /// Some audio is gone from the provider.
    #[must_use]
    pub fn cleared(&self, audio: &Slot) -> Option<Self> {
        let mut room = self.clone();
        room.left
            .retain(|left| left.slot != *audio || !left.clearing);
        (room != *self).then_some(room)
    }

    /// Somebody looks after what is left, alone until a time.
    #[must_use]
    pub fn tended(&self, until: Timestamp) -> Self {
        Self {
            due_at: Some(until),
            tended_until: Some(until),
            ..self.clone()
        }
    }

    /// Who looked after it `until` a time is done; what is left is looked after
    /// again at `later` at the latest. `None` when somebody else does already.
    #[must_use]
    pub fn released(&self, until: Timestamp, now: Timestamp, later: Timestamp) -> Option<Self> {
        let pending = self.left.iter().map(|left| left.from.max(now));
        (self.tended_until == Some(until)).then(|| Self {
            due_at: pending.min().map(|from| from.max(later)),
            tended_until: None,
            ..self.clone()
        })
    }

    /// Whether anything in it is of a run.
    #[must_use]
    pub fn mentions(&self, run: RunId) -> bool {
        self.units_of(run).next().is_some() || self.left.iter().any(|left| left.slot.run == run)
    }

    /// Units of a run that are in or in line.
    pub fn units_of(&self, run: RunId) -> impl Iterator<Item = UnitKey> + '_ {
        let line = self.line.iter().map(|waiting| &waiting.slot);
        let slots: BTreeSet<UnitKey> = self
            .open
            .iter()
            .chain(line)
            .filter(|slot| slot.run == run)
            .map(|slot| slot.unit)
            .collect();
        slots.into_iter()
    }
}

#[cfg(test)]
#[path = "room_tests.rs"]
mod tests;
