//! What a clip will cost, before it is sent.

use time::{Date, OffsetDateTime};

use super::consult::Consult;
use super::model::AnyModel;
use super::price::Charge;
use crate::domain::Timestamp;
use crate::domain::transcribe::ModelConfig;
use crate::domain::usage::Usage;

impl AnyModel<'_> {
    /// Estimated price in US dollars of one clip of so many seconds, with a prompt of so many
    /// tokens, as it is billed: with the least and the steps of prices by length, and the
    /// higher price of long requests. Reasoning is not in it.
    #[must_use]
    pub fn estimate_usd(&self, prompt_tokens: u64, seconds: f64, on: Date) -> f64 {
        let usage = match self.price(on).map(|price| &price.charge) {
            Some(Charge::Tokens(tokens)) => {
                let of = |per_second: u64| (seconds.max(0.0) * per_second as f64).round() as u64;
                Usage {
                    audio_input_tokens: of(tokens.audio_per_second),
                    text_input_tokens: prompt_tokens,
                    output_tokens: of(tokens.output_per_second),
                    ..Usage::default()
                }
            }
            Some(Charge::Audio(_)) | None => Usage::default(),
        };
        self.cost_usd(&usage, seconds, on)
    }

    /// The same in whole millionths, at the prices of a time, for a clip in a language and
    /// what is said with it.
    #[must_use]
    pub fn estimate_micro_usd(
        &self,
        consult: Option<&dyn Consult>,
        config: &ModelConfig,
        (language, seconds): (&str, f64),
        at: Timestamp,
    ) -> u64 {
        let prompt = consult.map_or(0, |consult| consult.queued_tokens(config, language, 0.0));
        micro_usd(self.estimate_usd(prompt, seconds, OffsetDateTime::from(at).date()))
    }

    /// By how much one clip may cost more than the estimate at most, in millionths of a
    /// US dollar: with the longest answer that is asked for or, where length is billed,
    /// by a vendor that measures a second more.
    #[must_use]
    pub fn excess_micro_usd(
        &self,
        consult: &dyn Consult,
        config: &ModelConfig,
        (language, seconds): (&str, f64),
        at: Timestamp,
    ) -> u64 {
        let on = OffsetDateTime::from(at).date();
        let prompt = consult.queued_tokens(config, language, 0.0);
        let output_tokens = consult.most_output_tokens(config, seconds);
        let most = match self.price(on).map(|price| &price.charge) {
            Some(Charge::Tokens(_)) if output_tokens > 0 => {
                let usage = Usage {
                    audio_input_tokens: consult.queued_tokens(config, language, seconds),
                    output_tokens,
                    ..Usage::default()
                };
                self.cost_usd(&usage, seconds, on)
            }
            _ => self.cost_usd(&Usage::default(), seconds + 1.0, on),
        };
        micro_usd((most - self.estimate_usd(prompt, seconds, on)).max(0.0))
    }
}

/// US dollars in whole millionths, rounded up.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "saturates"
)]
fn micro_usd(usd: f64) -> u64 {
    (usd * 1e6).ceil() as u64
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use time::macros::date;

    use super::*;
    use crate::providers::{CLIENTS, Registry, Settings, VENDORS};

    #[test]
    fn an_hour_costs_what_the_catalogue_says() {
        let today = date!(2026 - 11 - 26);
        for model in VENDORS.iter().flat_map(|vendor| vendor.models) {
            let hour = model.price_per_audio_hour_usd(today);
            // In clips of a minute: no least, and no higher price of long requests.
            let minutes: f64 = (0..60).map(|_| model.estimate_usd(0, 60.0, today)).sum();
            assert!(
                (minutes - hour).abs() <= hour * 0.01,
                "{}: {minutes} {hour}",
                model.id
            );
            assert!(model.estimate_usd(0, 0.0, today) <= model.estimate_usd(0, 1.0, today));
        }
    }

    #[test]
    fn what_may_come_on_top_is_known_of_every_model() {
        let settings = Settings {
            base_url: None,
            loopback: false,
            grace: Duration::from_secs(600),
        };
        let registry = Registry::connect(CLIENTS, |_| settings.clone()).unwrap();
        let now = Timestamp::from_millis(1_795_000_000_000);
        for model in registry.models() {
            let consult = registry.consulted(model.provider).unwrap();
            let config = ModelConfig {
                model: model.model.to_owned(),
                prompt: None,
                temperature: None,
                prompt_version: None,
                endpoint: None,
            };
            let clip = ("en", 60.0);
            let excess = model.excess_micro_usd(consult, &config, clip, now);
            let estimate = model.estimate_micro_usd(Some(consult), &config, clip, now);
            let alone = model.estimate_micro_usd(None, &config, clip, now);
            assert!(estimate >= alone, "{}", model.id);
            assert!(excess > 0 && estimate > 0, "{}: {excess}", model.id);
            // An answer is bounded by the length of the audio, so this is as well.
            assert!(excess < estimate * 50, "{}: {excess} {estimate}", model.id);
        }
    }
}
