//! Why units wait, in words that clients may see.

use std::collections::BTreeMap;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use super::{Policy, Span, Unit, UnitKey};
use crate::Timestamp;
use crate::run::Run;

/// Why a unit waits. A closed set, so that nothing a provider says gets out.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum WaitingReason {
    /// The credential has as many open batches as the provider takes.
    ProviderBatchesFull,
    /// As many calls are under way with the credential as the provider takes at once.
    ProviderCallsFull,
    /// The credential keeps as much audio as the provider takes.
    ProviderStorageFull,
    /// As much audio waits for the model as the provider takes.
    ModelQueueFull,
    /// The provider asked for a pause.
    ProviderRateLimited,
    /// The account has nothing left to spend: a person must act.
    ProviderOutOfCredit,
    /// The provider does not accept the key: a person must act.
    ProviderKeyRefused,
    /// The provider did not answer.
    ProviderUnreachable,
    /// What it answered can't be read.
    AnswerUnusable,
    /// Audio is on its way to the provider.
    SendingAudio,
    /// The stored audio could not be read.
    AudioUnreadable,
    /// The provider did not say whether it took the batch.
    SubmissionUnconfirmed,
    /// A batch did not come to an end, and its items are submitted once more.
    Resubmitting,
    /// Anything else, and whatever another release wrote.
    #[serde(other)]
    Other,
}

impl WaitingReason {
    /// Whether it goes on only when a person acts at the provider, or replaces the
    /// credential.
    #[must_use]
    pub const fn needs_a_person(self) -> bool {
        matches!(self, Self::ProviderOutOfCredit | Self::ProviderKeyRefused)
    }

    /// Whether it is what the provider said to a credential, or did not say: with another
    /// one nothing is known of it.
    #[must_use]
    pub const fn is_of_credential(self) -> bool {
        match self {
            Self::ProviderRateLimited
            | Self::ProviderOutOfCredit
            | Self::ProviderKeyRefused
            | Self::ProviderUnreachable
            | Self::AnswerUnusable => true,
            Self::ProviderBatchesFull
            | Self::ProviderCallsFull
            | Self::ProviderStorageFull
            | Self::ModelQueueFull
            | Self::SendingAudio
            | Self::AudioUnreadable
            | Self::SubmissionUnconfirmed
            | Self::Resubmitting
            | Self::Other => false,
        }
    }

    /// Sentence for people.
    #[must_use]
    pub fn message(self) -> &'static str {
        match self {
            Self::ProviderBatchesFull => {
                "the provider has as many batches of this project as it takes"
            }
            Self::ProviderCallsFull => {
                "as many calls to the provider are under way as it takes at once"
            }
            Self::ProviderStorageFull => {
                "the provider keeps as much audio of this project as it takes"
            }
            Self::ModelQueueFull => "as much audio waits for the model as the provider takes",
            Self::ProviderRateLimited => "the provider's limits are reached",
            Self::ProviderOutOfCredit => {
                "the account at the provider has no credit left; it goes on when that is topped up"
            }
            Self::ProviderKeyRefused => {
                "the provider does not accept the key, or the role of this deployment; it goes on \
                 when that is replaced, or accepted again"
            }
            Self::ProviderUnreachable => "the provider could not be reached",
            Self::AnswerUnusable => {
                "the provider answered, but not with what was asked; is its address right?"
            }
            Self::SendingAudio => "the audio is being sent to the provider",
            Self::AudioUnreadable => "the stored audio could not be read",
            Self::SubmissionUnconfirmed => {
                "the provider did not say whether it took the batch; it is looked for"
            }
            Self::Resubmitting => {
                "the provider did not finish the batch; its clips are submitted once more"
            }
            Self::Other => "it could not be submitted yet",
        }
    }
}

/// What has to be known of a unit to tell what it waits for.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct WaitingUnit {
    /// Which unit of the run; its sort key.
    #[serde(rename = "sk", deserialize_with = "key_of_text")]
    pub key: UnitKey,
    /// Generation of the run it was made for.
    pub generation: u32,
    /// Positions of its items in the dataset.
    pub spans: Vec<Span>,
    /// Why it waits; without one its submission is still open.
    #[serde(default)]
    pub waiting_reason: Option<WaitingReason>,
    /// When it is tried again.
    #[serde(default)]
    pub not_before: Option<Timestamp>,
    /// Since when its submission is open.
    #[serde(default)]
    pub claimed_at: Option<Timestamp>,
}

fn key_of_text<'de, D: Deserializer<'de>>(from: D) -> Result<UnitKey, D::Error> {
    String::deserialize(from)?.parse().map_err(D::Error::custom)
}

/// Items of one model that wait for the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Index of the model in the run.
    pub model: u8,
    /// What they wait for.
    pub reason: WaitingReason,
    /// Number of items.
    pub items: u64,
    /// When the first of them is tried again.
    pub next_attempt_at: Option<Timestamp>,
}

impl Waiting {
    /// What the units of a run wait for. A submission is told as unconfirmed
    /// only once it has lasted longer than any that goes well.
    #[must_use]
    pub fn of(run: &Run, units: &[WaitingUnit], now: Timestamp, policy: &Policy) -> Vec<Self> {
        let mut found: BTreeMap<(u8, WaitingReason), Self> = BTreeMap::new();
        for unit in units {
            let (reason, next) = match (unit.waiting_reason, unit.claimed_at) {
                (Some(reason), _) => (reason, unit.not_before),
                (None, Some(at)) if now.since(at) >= policy.grace / 4 => (
                    WaitingReason::SubmissionUnconfirmed,
                    Some(at + policy.grace),
                ),
                (None, _) => continue,
            };
            if !run.wants(unit.key, unit.generation) {
                continue;
            }
            let model = unit.key.model;
            let entry = found.entry((model, reason)).or_insert(Self {
                model,
                reason,
                items: 0,
                next_attempt_at: next,
            });
            entry.items += Unit::count(&unit.spans) as u64;
            entry.next_attempt_at = match (entry.next_attempt_at, next) {
                (Some(known), Some(next)) => Some(known.min(next)),
                (known, next) => known.or(next),
            };
        }
        found.into_values().collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::run::tests::accepted;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_millis(1_800_000_000_000) + Duration::from_secs(seconds)
    }

    fn unit(model: u8, reason: Option<WaitingReason>, next: u64) -> WaitingUnit {
        WaitingUnit {
            key: UnitKey {
                model,
                round: 1,
                chunk: 0,
            },
            generation: 1,
            spans: vec![Span { start: 3, end: 5 }, Span { start: 9, end: 10 }],
            waiting_reason: reason,
            not_before: reason.map(|_| at(next)),
            claimed_at: reason.is_none().then(|| at(next)),
        }
    }

    #[test]
    fn items_are_told_by_model_and_reason() {
        let (run, policy) = (accepted(20, 2), Policy::default());
        let full = Some(WaitingReason::ProviderBatchesFull);
        let away = Some(WaitingReason::ProviderUnreachable);
        let mut old = unit(1, away, 1);
        old.generation = 7;
        let mut earlier = unit(1, away, 1);
        earlier.key.round = 9;
        let units = [
            unit(0, full, 30),
            unit(1, full, 20),
            unit(0, full, 10),
            unit(1, away, 40),
            // What the run has left behind does not wait any more.
            old,
            earlier,
            // Created a moment ago, and quite a while ago.
            unit(0, None, 290),
            unit(1, None, 100),
        ];
        let told = |model, reason, items, next: Timestamp| Waiting {
            model,
            reason,
            items,
            next_attempt_at: Some(next),
        };
        let unconfirmed = WaitingReason::SubmissionUnconfirmed;
        assert_eq!(
            Waiting::of(&run, &units, at(300), &policy),
            [
                told(0, WaitingReason::ProviderBatchesFull, 6, at(10)),
                told(1, WaitingReason::ProviderBatchesFull, 3, at(20)),
                told(1, WaitingReason::ProviderUnreachable, 3, at(40)),
                told(1, unconfirmed, 3, at(100) + policy.grace),
            ]
        );
    }

    #[test]
    fn what_another_release_wrote_is_read_as_something_else() {
        let read = |text: &str| serde_json::from_str::<WaitingReason>(text).unwrap();
        assert_eq!(
            read("\"the provider said: key AIza…\""),
            WaitingReason::Other
        );
        assert_eq!(read("\"sending_audio\""), WaitingReason::SendingAudio);
        assert_eq!(
            serde_json::to_value(WaitingReason::ProviderRateLimited).unwrap(),
            "provider_rate_limited"
        );
    }
}
