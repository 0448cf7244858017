//! Allowance: what a vendor lets one account do in a time, by what is known of it.
//!
//! Vendors bound requests a minute and a day, and seconds of audio an hour and a day. Each
//! bound is a token bucket: it holds so much at most, fills by the second, and
//! a call takes out of it what it costs. That is how Groq counts by its own headers (2,000
//! requests a day, and after one of them `reset` says 43.2 s, which is a day's
//! two-thousandth), and never more than a vendor with fixed windows allows in the long run.
//!
//! What is known comes from two sides. An operator says what the plan allows ([`Rates`]);
//! and vendors say in the headers of an answer what is left ([`ToldLimits`]). Both are kept between workers, with
//! what their [`Pace`](crate::pace::Pace) learnt from refusals, so that the next one does
//! not begin by being refused.
//!
//! A worker takes for all items of its unit at the beginning, so that a second worker comes
//! after it, and gives back at the end what it did not use ([`Allowance::settled`]), unless
//! another has begun since. One that dies gives nothing back: that fills again by itself.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Timestamp;

/// After so long without a refusal one more call may be under way than was learnt.
const FORGIVEN_AFTER: Duration = Duration::from_secs(600);

/// What an operator knows of a vendor's limits for one account, or for each model of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rates {
    /// Requests a minute.
    pub requests_per_minute: Option<u64>,
    /// Requests a day.
    pub requests_per_day: Option<u64>,
    /// Seconds of audio an hour.
    pub audio_seconds_per_hour: Option<u64>,
    /// Seconds of audio a day.
    pub audio_seconds_per_day: Option<u64>,
}

impl Rates {
    fn each(&self) -> [(Kind, Option<u64>, f64); 4] {
        [
            (Kind::RequestsPerMinute, self.requests_per_minute, 60.0),
            (Kind::RequestsPerDay, self.requests_per_day, 86_400.0),
            (Kind::AudioPerHour, self.audio_seconds_per_hour, 3_600.0),
            (Kind::AudioPerDay, self.audio_seconds_per_day, 86_400.0),
        ]
    }
}

/// What calls cost of an allowance.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Cost {
    /// Requests.
    pub requests: f64,
    /// Seconds of audio.
    pub audio_seconds: f64,
}

impl Cost {
    /// Of one request with so much audio.
    #[must_use]
    pub fn of_call(audio_seconds: f64) -> Self {
        Self {
            requests: 1.0,
            audio_seconds,
        }
    }

    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            requests: self.requests + other.requests,
            audio_seconds: self.audio_seconds + other.audio_seconds,
        }
    }

    fn of(&self, kind: Kind) -> f64 {
        match kind {
            Kind::RequestsPerMinute | Kind::RequestsPerDay | Kind::RequestsTold => self.requests,
            Kind::AudioPerHour | Kind::AudioPerDay | Kind::AudioTold => self.audio_seconds,
        }
    }
}

/// What a vendor says of one of its limits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Left {
    /// How much it is when nothing was used.
    pub limit: f64,
    /// How much is left of it.
    pub left: f64,
    /// How long until all of it is there again, if nothing more is used.
    pub full_in: Duration,
}

/// What an answer of a vendor says of its limits.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ToldLimits {
    /// Of requests.
    pub requests: Option<Left>,
    /// Of seconds of audio.
    pub audio_seconds: Option<Left>,
}

/// Which limit it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    RequestsPerMinute,
    RequestsPerDay,
    AudioPerHour,
    AudioPerDay,
    /// As the vendor told, whatever the time is that it counts by.
    RequestsTold,
    AudioTold,
}

/// One limit: a token bucket.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Meter {
    limit: f64,
    /// At `at`; less than nothing where more was taken than there was.
    left: f64,
    per_second: f64,
    at: Timestamp,
}

impl Meter {
    fn full(limit: f64, window_seconds: f64, now: Timestamp) -> Self {
        Self {
            limit,
            left: limit,
            per_second: limit / window_seconds,
            at: now,
        }
    }

    fn left_at(&self, now: Timestamp) -> f64 {
        let passed = now.since(self.at).as_secs_f64();
        self.limit.min(self.left + self.per_second * passed)
    }

    fn take(&mut self, cost: f64, now: Timestamp) {
        self.left = self.left_at(now) - cost;
        self.at = self.at.max(now);
    }

    /// How long until so much is there. What is larger than the limit waits for all of it.
    fn wait(&self, cost: f64, now: Timestamp) -> Duration {
        let lacking = cost.min(self.limit) - self.left_at(now);
        if lacking <= 0.0 {
            return Duration::ZERO;
        }
        Duration::try_from_secs_f64(lacking / self.per_second).unwrap_or(Duration::MAX)
    }
}

/// What an account may do at its vendor, as far as it is known. One record for each
/// credential and, where a vendor counts so, model.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Allowance {
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    meters: BTreeMap<Kind, Meter>,
    /// Calls that may be under way for a worker, where refusals have taught that it is less
    /// than it could be, and since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lanes: Option<(usize, Timestamp)>,
    /// No call is begun before: the vendor asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    not_before: Option<Timestamp>,
    /// Workers that took something for their turn.
    #[serde(default)]
    turns: u64,
    /// Revision, for conditional writes; 0 where nothing is kept yet.
    #[serde(default)]
    pub rev: u64,
}

impl Allowance {
    /// The same under what the operator says now: a limit that is new begins full, one that
    /// changed keeps what was used of it, one that is not said any more is forgotten.
    #[must_use]
    pub fn under(mut self, rates: &Rates, now: Timestamp) -> Self {
        for (kind, limit, window) in rates.each() {
            // Nothing at all would be waited for in vain: the vendor is switched off elsewhere.
            let Some(limit) = limit.filter(|limit| *limit > 0) else {
                self.meters.remove(&kind);
                continue;
            };
            #[expect(
                clippy::cast_precision_loss,
                reason = "no plan allows 2^53 of anything"
            )]
            let new = Meter::full(limit as f64, window, now);
            self.meters
                .entry(kind)
                .and_modify(|meter| {
                    let used = meter.limit - meter.left_at(now);
                    *meter = Meter {
                        left: new.limit - used,
                        ..new
                    };
                })
                .or_insert(new);
        }
        self
    }

    /// Whether the operator said anything that several workers have to share.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        let told = [Kind::RequestsTold, Kind::AudioTold];
        self.meters.keys().any(|kind| !told.contains(kind))
    }

    /// How long no call of that cost may begin.
    #[must_use]
    pub fn wait(&self, cost: Cost, now: Timestamp) -> Duration {
        let asked = self
            .not_before
            .map_or(Duration::ZERO, |until| until.since(now));
        let meters = self.meters.iter();
        meters
            .map(|(kind, meter)| meter.wait(cost.of(*kind), now))
            .fold(asked, Duration::max)
    }

    /// Takes what calls cost.
    pub fn take(&mut self, cost: Cost, now: Timestamp) {
        for (kind, meter) in &mut self.meters {
            meter.take(cost.of(*kind), now);
        }
    }

    /// Takes what a worker's whole turn costs beforehand; gives the number of the turn.
    pub fn begin(&mut self, cost: Cost, now: Timestamp) -> u64 {
        self.take(cost, now);
        self.turns += 1;
        self.turns
    }

    /// Takes over what an answer of the vendor says.
    pub fn hear(&mut self, told: &ToldLimits, now: Timestamp) {
        let kinds = [
            (Kind::RequestsTold, told.requests),
            (Kind::AudioTold, told.audio_seconds),
        ];
        for (kind, left) in kinds {
            let Some(Left {
                limit,
                left,
                full_in,
            }) = left
            else {
                continue;
            };
            let used = limit - left;
            let known = self.meters.get(&kind).filter(|known| known.limit >= limit);
            // All of it there: how fast it fills was told before, or is told later.
            let per_second = if used > 0.0 && !full_in.is_zero() {
                used / full_in.as_secs_f64()
            } else {
                known.map_or(limit, |known| known.per_second)
            };
            let sound = limit > 0.0 && left >= 0.0 && per_second.is_finite() && per_second > 0.0;
            if sound && limit.is_finite() {
                let meter = Meter {
                    limit,
                    left,
                    per_second,
                    at: now,
                };
                self.meters.insert(kind, meter);
            }
        }
    }

    /// How many calls a worker may have under way, of so many at most: what was learnt, and
    /// one more for each while that has passed since.
    #[must_use]
    pub fn lanes(&self, most: usize, now: Timestamp) -> usize {
        let Some((lanes, since)) = self.lanes else {
            return most;
        };
        let forgiven = now.since(since).as_secs() / FORGIVEN_AFTER.as_secs();
        most.min(lanes.saturating_add(usize::try_from(forgiven).unwrap_or(usize::MAX)))
    }

    /// What is to be kept after a worker's turn, beside what is kept now. Nothing where that
    /// is the same, or where there is nothing that the next worker should know.
    #[must_use]
    pub fn settled(kept: Option<&Self>, turn: &Turn, now: Timestamp) -> Option<Self> {
        let mut next = kept.cloned().unwrap_or_default();
        // A turn that began meanwhile was told to come after all of this one: what is not
        // used in between is lost, and fills again.
        if turn.number == next.turns {
            for (kind, meter) in &mut next.meters {
                let unused = turn.taken.of(*kind) - turn.used.of(*kind);
                meter.take(-unused, now);
            }
        }
        for (kind, meter) in &turn.heard.meters {
            let told = matches!(kind, Kind::RequestsTold | Kind::AudioTold);
            let newer = next
                .meters
                .get(kind)
                .is_none_or(|known| known.at <= meter.at);
            if told && newer {
                next.meters.insert(*kind, *meter);
            }
        }
        // The vendor's own count is worth keeping where not much is left.
        next.meters.retain(|kind, meter| {
            let told = matches!(kind, Kind::RequestsTold | Kind::AudioTold);
            !told || meter.left_at(now) < meter.limit / 2.0
        });
        let learnt = (turn.lanes < turn.most).then_some((turn.lanes, now));
        next.lanes = match (next.lanes, learnt) {
            // Another worker has learnt more.
            (Some((known, since)), Some((mine, _))) if since > turn.began => {
                Some((known.min(mine), since))
            }
            _ => learnt,
        };
        next.not_before = next.not_before.max(turn.not_before);
        next.not_before = next.not_before.filter(|until| *until > now);
        match kept {
            Some(kept) => (next != *kept).then_some(next),
            None => (next != Self::default()).then_some(next),
        }
    }
}

/// What a worker's turn came to.
#[derive(Debug, Clone)]
pub struct Turn {
    /// When it began.
    pub began: Timestamp,
    /// Its number, where it took something beforehand.
    pub number: u64,
    /// What was taken for all of it.
    pub taken: Cost,
    /// What its calls cost.
    pub used: Cost,
    /// What the vendor told meanwhile.
    pub heard: Allowance,
    /// Calls that may be under way by now.
    pub lanes: usize,
    /// And so many at most.
    pub most: usize,
    /// No call is begun before.
    pub not_before: Option<Timestamp>,
}

#[cfg(test)]
#[path = "allowance_tests.rs"]
mod tests;
