//! What of the configuration is a vendor's: where it is, and what replaces the
//! limits and times that its folder has.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Deserializer};

use super::env::Reader;
use super::error::ConfigError;
use crate::domain::admission::AdmissionLimits;
use crate::domain::allowance::Rates;
use crate::domain::unit::{MAX_UNIT_BYTES, MAX_UNIT_SAMPLES, Policy};
use crate::providers::Vendor;

/// Pause before a unit that was not admitted asks again.
pub(super) const ADMISSION_PAUSE: Duration = Duration::from_secs(60);

/// Where a vendor is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderUrl {
    /// Its base URL.
    pub url: String,
    /// The variable that says so.
    pub variable: String,
}

/// Calls of one unit under way at most: more would be too many to lose with one
/// worker.
const LANES: usize = 4;

/// What one credential may have at its vendor at a time, and how much one unit
/// may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VendorLimits {
    /// Units that have not ended.
    pub open_units: usize,
    /// Bytes of audio.
    pub stored_bytes: u64,
    /// Tokens waiting for one model: of audio and of prompts.
    pub queued_tokens: u64,
    /// Calls under way.
    pub calls_at_once: usize,
    /// Requests and audio in a time, of each model.
    pub rates: Rates,
    /// Whether all credentials of this deployment are of one account there.
    pub pooled: bool,
    /// How long a job that was stopped still counts.
    pub quota_hold: Duration,
    /// Pause before a unit that was not admitted asks again.
    pub pause: Duration,
    /// Samples in a unit.
    pub unit_samples: usize,
    /// Bytes of audio in a unit.
    pub unit_bytes: u64,
}

impl VendorLimits {
    /// The same with another number of calls under way.
    #[must_use]
    pub fn with_calls_at_once(self, calls_at_once: usize) -> Self {
        Self {
            calls_at_once,
            open_units: calls_at_once,
            ..self
        }
    }

    /// How many calls of one unit are made at a time.
    #[must_use]
    pub fn lanes(&self) -> usize {
        self.calls_at_once.clamp(1, LANES)
    }

    /// What the vendor allows. Of one that takes calls so many units may be open
    /// that together they keep to the calls under way.
    #[must_use]
    pub fn for_admission(&self) -> AdmissionLimits {
        let by_calls = match self.calls_at_once {
            0 => usize::MAX,
            calls => (calls / self.lanes()).max(1),
        };
        AdmissionLimits {
            open_batches: self.open_units.min(by_calls),
            stored_bytes: self.stored_bytes,
            tokens: self.queued_tokens,
        }
    }
}

/// What replaces a vendor's own limits and times, where it is set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VendorBounds {
    /// Units of a credential that have not ended.
    pub open_units: Option<usize>,
    /// Bytes of audio of a credential.
    pub stored_bytes: Option<u64>,
    /// Tokens of a credential waiting for one model.
    pub queued_tokens: Option<u64>,
    /// Calls of a credential under way.
    pub calls_at_once: Option<usize>,
    /// Requests a minute, of each model of a credential.
    pub requests_per_minute: Option<u64>,
    /// Requests a day.
    pub requests_per_day: Option<u64>,
    /// Seconds of audio an hour.
    pub audio_seconds_per_hour: Option<u64>,
    /// Seconds of audio a day.
    pub audio_seconds_per_day: Option<u64>,
    /// Whether all credentials of this deployment are of one account there, which the
    /// vendor counts as one: what each does and learns then counts for all.
    pub pooled: Option<bool>,
    /// How long a job that was stopped still counts.
    #[serde(rename = "quota_hold_seconds", deserialize_with = "seconds")]
    pub quota_hold: Option<Duration>,
    /// Samples in a unit.
    pub unit_samples: Option<usize>,
    /// Bytes of audio in a unit.
    pub unit_bytes: Option<u64>,
    /// After this a job is stopped.
    #[serde(rename = "deadline_seconds", deserialize_with = "seconds")]
    pub deadline: Option<Duration>,
    /// An intent older than this has no request under way any more.
    #[serde(rename = "grace_seconds", deserialize_with = "seconds")]
    pub grace: Option<Duration>,
    /// How long "finished" without an output still counts as running.
    #[serde(rename = "settle_seconds", deserialize_with = "seconds")]
    pub settle: Option<Duration>,
    /// Pauses between polls of a credential.
    #[serde(rename = "poll_pauses_seconds", deserialize_with = "pauses")]
    pub poll_pauses: Option<Vec<Duration>>,
}

fn of_seconds<E: serde::de::Error>(seconds: f64) -> Result<Duration, E> {
    Duration::try_from_secs_f64(seconds)
        .map_err(|_| E::custom("must be a number of seconds, 0 or more"))
}

fn seconds<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
    of_seconds(f64::deserialize(from)?).map(Some)
}

fn pauses<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Vec<Duration>>, D::Error> {
    let pauses = Vec::<f64>::deserialize(from)?;
    if pauses.is_empty() {
        return Err(serde::de::Error::custom("must be at least one"));
    }
    let pauses = pauses.into_iter().map(of_seconds);
    pauses.collect::<Result<Vec<_>, _>>().map(Some)
}

/// Vendors' part of the configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Vendors {
    /// Where vendors are, if not where their own documents say, by name.
    pub urls: BTreeMap<String, ProviderUrl>,
    /// What holds for every vendor.
    pub every: VendorBounds,
    /// What holds for one, before that, by name.
    pub each: BTreeMap<String, VendorBounds>,
    /// Those that are switched on, of vendors that are asked with the role of the
    /// functions.
    pub by_role: BTreeSet<String>,
    /// Pause before a unit that was not admitted asks again; the default's if not
    /// set.
    pub admission_pause: Option<Duration>,
}

impl Vendors {
    /// A bound of a vendor, by the more particular of what is set.
    fn bound<T: Clone>(
        &self,
        vendor: &Vendor,
        of: impl Fn(&VendorBounds) -> &Option<T>,
        own: T,
    ) -> T {
        let each = self
            .each
            .get(vendor.name)
            .and_then(|bounds| of(bounds).clone());
        each.or_else(|| of(&self.every).clone()).unwrap_or(own)
    }

    fn rate(&self, vendor: &Vendor, of: impl Fn(&VendorBounds) -> &Option<u64>) -> Option<u64> {
        let bounds = self.each.get(vendor.name);
        bounds.and_then(|b| *of(b)).or(*of(&self.every))
    }

    /// What one credential may have at a vendor.
    #[must_use]
    pub fn limits(&self, vendor: &Vendor) -> VendorLimits {
        let (limits, unit) = (vendor.limits, vendor.unit);
        let samples = self.bound(vendor, |b| &b.unit_samples, unit.samples);
        let bytes = self.bound(vendor, |b| &b.unit_bytes, unit.bytes);
        VendorLimits {
            open_units: self.bound(vendor, |b| &b.open_units, limits.open_units),
            stored_bytes: self.bound(vendor, |b| &b.stored_bytes, limits.stored_bytes),
            queued_tokens: self.bound(vendor, |b| &b.queued_tokens, limits.queued_tokens),
            calls_at_once: self.bound(vendor, |b| &b.calls_at_once, limits.calls_at_once),
            rates: Rates {
                requests_per_minute: self.rate(vendor, |b| &b.requests_per_minute),
                requests_per_day: self.rate(vendor, |b| &b.requests_per_day),
                audio_seconds_per_hour: self.rate(vendor, |b| &b.audio_seconds_per_hour),
                audio_seconds_per_day: self.rate(vendor, |b| &b.audio_seconds_per_day),
            },
            pooled: self.bound(vendor, |b| &b.pooled, false),
            quota_hold: self.bound(vendor, |b| &b.quota_hold, vendor.timing.quota_hold),
            pause: self.admission_pause.unwrap_or(ADMISSION_PAUSE),
            unit_samples: samples.clamp(1, MAX_UNIT_SAMPLES),
            unit_bytes: bytes.clamp(1, MAX_UNIT_BYTES),
        }
    }

    /// The policy for a vendor's units: where its own times differ from what
    /// holds for all.
    #[must_use]
    pub fn policy(&self, vendor: &Vendor, all: &Policy) -> Policy {
        let timing = vendor.timing;
        Policy {
            deadline: self.bound(vendor, |b| &b.deadline, timing.deadline),
            grace: self.bound(vendor, |b| &b.grace, timing.grace),
            settle: self.bound(vendor, |b| &b.settle, timing.settle),
            ..*all
        }
    }

    /// Pauses between polls of a credential, growing while nothing changes.
    #[must_use]
    pub fn poll_pauses(&self, vendor: &Vendor) -> Vec<Duration> {
        let own = vendor.timing.poll_pauses.to_vec();
        self.bound(vendor, |b| &b.poll_pauses, own)
    }
}

/// The variable that says where vendors are.
const VARIABLE: &str = "PROVIDER_URLS";

/// What `PROVIDER_URLS` says: `google=http://…,another=http://…`.
///
/// # Errors
/// What is wrong with it.
pub fn named_urls(list: &str) -> Result<BTreeMap<String, String>, ConfigError> {
    let pairs = list
        .split(',')
        .map(str::trim)
        .filter(|pair| !pair.is_empty());
    let named = pairs.map(|pair| {
        let (name, address) = pair.split_once('=').ok_or_else(|| ConfigError {
            variable: VARIABLE.to_owned(),
            problem: "must be name=URL, separated by commas".to_owned(),
        })?;
        Ok((name.to_owned(), address.to_owned()))
    });
    named.collect()
}

/// The same, with a variable of its own that one vendor has had for longer.
pub(super) fn urls(
    env: &Reader<impl Fn(&str) -> Option<String>>,
    of_google: Option<String>,
) -> Result<BTreeMap<String, ProviderUrl>, ConfigError> {
    let url = |variable: &str, url: &str| ProviderUrl {
        url: url.to_owned(),
        variable: variable.to_owned(),
    };
    let named = named_urls(&env.optional(VARIABLE).unwrap_or_default())?;
    let named = named.into_iter();
    let mut urls: BTreeMap<String, ProviderUrl> = named
        .map(|(name, address)| (name, url(VARIABLE, &address)))
        .collect();
    if let Some(old) = of_google {
        urls.insert("google".to_owned(), url("GEMINI_BASE_URL", &old));
    }
    Ok(urls)
}

/// What names the vendors that are asked with the role of the functions.
pub const ROLE_PROVIDERS: &str = "ROLE_PROVIDERS";

/// Names, separated by commas.
pub(super) fn names(list: Option<String>) -> BTreeSet<String> {
    let list = list.unwrap_or_default();
    let names = list.split(',').map(str::trim);
    let named = names.filter(|name| !name.is_empty());
    named.map(str::to_owned).collect()
}

/// `PROVIDER_LIMITS={"google":{"open_units":10,"deadline_seconds":3600},…}`.
pub(super) fn limits(text: Option<String>) -> Result<BTreeMap<String, VendorBounds>, ConfigError> {
    let Some(text) = text else {
        return Ok(BTreeMap::new());
    };
    serde_json::from_str(&text).map_err(|error| ConfigError {
        variable: "PROVIDER_LIMITS".to_owned(),
        problem: format!("must be a JSON object of limits by provider: {error}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::gemini::VENDOR;

    fn limits_of(text: &str) -> Vendors {
        Vendors {
            each: limits(Some(text.to_owned())).unwrap(),
            ..Vendors::default()
        }
    }

    #[test]
    fn what_is_set_for_one_goes_before_what_is_set_for_all_and_that_before_the_vendors_own() {
        let none = Vendors::default();
        let own = none.limits(&VENDOR);
        assert_eq!((own.open_units, own.queued_tokens), (90, 2_850_000));
        assert_eq!((own.unit_samples, own.pause), (100, ADMISSION_PAUSE));
        let policy = Policy::default();
        let same = none.policy(&VENDOR, &policy);
        assert_eq!(
            (same.deadline, same.grace, same.settle),
            (policy.deadline, policy.grace, policy.settle)
        );
        assert_eq!(none.poll_pauses(&VENDOR), VENDOR.timing.poll_pauses);

        let mut some = limits_of(
            r#"{"google": {"open_units": 7, "grace_seconds": 1.5, "poll_pauses_seconds": [2]},
                "another": {"stored_bytes": 1}}"#,
        );
        some.every.open_units = Some(9);
        some.every.stored_bytes = Some(11);
        some.every.unit_samples = Some(1_000);
        let set = some.limits(&VENDOR);
        assert_eq!((set.open_units, set.stored_bytes), (7, 11));
        assert_eq!(set.unit_samples, MAX_UNIT_SAMPLES);
        let set = some.policy(&VENDOR, &policy);
        assert_eq!(set.grace, Duration::from_millis(1_500));
        assert_eq!(set.deadline, policy.deadline);
        assert_eq!(some.poll_pauses(&VENDOR), [Duration::from_secs(2)]);

        assert_eq!((own.rates, own.pooled), (Rates::default(), false));
        let told = limits_of(
            r#"{"google": {"requests_per_minute": 20, "audio_seconds_per_day": 28800, "pooled": true}}"#,
        );
        let told = told.limits(&VENDOR);
        let want = Rates {
            requests_per_minute: Some(20),
            audio_seconds_per_day: Some(28_800),
            ..Rates::default()
        };
        assert_eq!((told.rates, told.pooled), (want, true));
    }

    #[test]
    fn odd_limits_are_told() {
        for odd in [
            "[]",
            "{",
            r#"{"google": {"open_unit": 1}}"#,
            r#"{"google": {"grace_seconds": -1}}"#,
            r#"{"google": {"poll_pauses_seconds": []}}"#,
        ] {
            let error = limits(Some(odd.to_owned())).unwrap_err();
            assert_eq!(error.variable, "PROVIDER_LIMITS", "{odd}");
        }
        assert_eq!(limits(None), Ok(BTreeMap::new()));
    }
}
