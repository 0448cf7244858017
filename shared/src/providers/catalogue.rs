//! The models that can be evaluated: a dated catalogue, as data.
//!
//! Prices change and model names get routed elsewhere, so every entry says
//! when it was read. Source of all of it: `design/gemini.md` §3.2, §3.3 and
//! §3.5; the prices there are third-party transcriptions of Google's pricing
//! page from August to October 2026, not the page itself.

use time::Date;

use super::Usage;
use super::gemini::models::MODELS;
use crate::domain::language::{self, Language};

/// Tokens that a second of audio counts as.
///
/// <https://ai.google.dev/gemini-api/docs/audio>
pub const AUDIO_TOKENS_PER_SECOND: u64 = 32;

/// Tokens that a second of speech is assumed to be written in, for estimates
/// before a run. What a run really cost comes from its usage.
pub const ESTIMATED_OUTPUT_TOKENS_PER_SECOND: u64 = 4;

/// A model of a provider.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Model {
    /// Catalogue id: what the `providers` of a run name.
    pub id: &'static str,
    /// What credentials are kept for.
    pub provider: &'static str,
    /// The name sent to the provider.
    pub model: &'static str,
    /// The name shown to people.
    pub display_name: &'static str,
    /// Languages it can be asked for.
    pub languages: Languages,
    /// Longest audio of one item.
    pub max_audio_seconds: u32,
    /// Largest audio of one item.
    pub max_file_bytes: u64,
    /// The formats we take, and how far the provider vouches for each.
    pub formats: &'static [Format],
    /// Whether it is served by the batch API.
    pub batch: bool,
    /// Prices, oldest first.
    pub prices: &'static [Price],
    /// What a batch costs relative to the prices.
    pub batch_discount: f64,
    /// Whether it is current.
    pub lifecycle: Lifecycle,
    /// What one should know before choosing it.
    pub notes: &'static str,
    /// Temperature when a run does not say one.
    pub default_temperature: f64,
    /// How to keep reasoning short.
    pub thinking: Thinking,
    /// Most tokens it writes for one item, reasoning included.
    pub max_output_tokens: u32,
}

/// Languages of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Languages {
    /// The provider publishes no list for audio: any language of ours may be
    /// tried.
    All,
    /// Just these primary subtags.
    Only(&'static [&'static str]),
}

/// A format of audio at a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format {
    /// Our name of it: `mp3`, `wav`, `flac`, `m4a`, `ogg`, `webm`.
    pub name: &'static str,
    /// MIME type to declare.
    pub mime_type: &'static str,
    /// Whether the provider lists it for this API.
    pub documented: bool,
}

/// Where a model is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifecycle {
    /// Stable.
    Stable,
    /// Preview: may change or go at short notice.
    Preview,
    /// Served, but not to keys that have not used it before.
    ClosedToNewKeys,
    /// The name is answered by another model; results carry the exact version.
    RoutedTo(&'static str),
}

/// How reasoning is limited; it is billed as output and helps little here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thinking {
    /// `thinking_budget`: at most so many tokens (generation 2.5).
    Budget(u32),
    /// `thinking_level` (generation 3), and the room to leave for it.
    Level {
        /// Value to send.
        level: &'static str,
        /// Output tokens to allow for it on top of the transcript.
        allowance: u32,
    },
}

impl Thinking {
    /// Output tokens to leave for reasoning.
    pub fn allowance(self) -> u32 {
        match self {
            Self::Budget(tokens) => tokens,
            Self::Level { allowance, .. } => allowance,
        }
    }
}

/// Price of a model, in US dollars per million tokens, without discount.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Price {
    /// First day it holds. The oldest price is also used for days before it.
    pub valid_from: Date,
    /// When it was read.
    pub read_on: Date,
    /// Prices up to the threshold of `long`, or always.
    pub rates: Rates,
    /// Prices of requests with more input tokens than the threshold.
    pub long: Option<(u64, Rates)>,
    /// False when only a price without distinction of modality was found.
    pub audio_confirmed: bool,
}

/// US dollars per million tokens.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rates {
    /// Audio read.
    pub audio_in: f64,
    /// Text read.
    pub text_in: f64,
    /// Text written, reasoning included.
    pub out: f64,
}

/// Every model.
pub fn all() -> &'static [Model] {
    MODELS
}

/// The model with this catalogue id.
pub fn find(id: &str) -> Option<&'static Model> {
    MODELS.iter().find(|m| m.id == id)
}

/// The model that this provider knows by this name, with or without the
/// `models/` of resource names.
pub fn find_by_model(provider: &str, model: &str) -> Option<&'static Model> {
    let model = model.strip_prefix("models/").unwrap_or(model);
    MODELS
        .iter()
        .find(|m| m.provider == provider && m.model == model)
}

impl Model {
    /// The languages it can be asked for.
    pub fn supported_languages(&self) -> Vec<&'static Language> {
        let all = language::all().iter();
        match self.languages {
            Languages::All => all.collect(),
            Languages::Only(codes) => all.filter(|l| codes.contains(&l.code)).collect(),
        }
    }

    /// Whether it can be asked for the language of this tag.
    pub fn supports_language(&self, tag: &str) -> bool {
        language::find(tag).is_some_and(|found| match self.languages {
            Languages::All => true,
            Languages::Only(codes) => codes.contains(&found.language.code),
        })
    }

    /// The MIME type to declare audio of our format name with.
    pub fn mime_type(&self, format: &str) -> Option<&'static str> {
        let format = self.formats.iter().find(|f| f.name == format)?;
        Some(format.mime_type)
    }

    /// The price that holds on a day.
    pub fn price(&self, on: Date) -> Option<&'static Price> {
        let prices: &'static [Price] = self.prices;
        let begun = prices.iter().rev().find(|p| p.valid_from <= on);
        begun.or_else(|| prices.first())
    }

    /// Estimated price of an hour of audio in US dollars, as we run it (batch
    /// when the model has it): [`AUDIO_TOKENS_PER_SECOND`] read and
    /// [`ESTIMATED_OUTPUT_TOKENS_PER_SECOND`] written. Prompt and reasoning are
    /// not in it, nor the higher price of very long items.
    pub fn price_per_audio_hour_usd(&self, on: Date) -> f64 {
        let Some(price) = self.price(on) else {
            return 0.0;
        };
        let read = (3600 * AUDIO_TOKENS_PER_SECOND) as f64 * price.rates.audio_in;
        let written = (3600 * ESTIMATED_OUTPUT_TOKENS_PER_SECOND) as f64 * price.rates.out;
        (read + written) / 1e6 * self.discount()
    }

    /// What one request cost in US dollars. The higher price of long requests
    /// is decided by request, so this must be summed over items, not called
    /// with summed usage.
    pub fn cost_usd(&self, usage: &Usage, on: Date) -> f64 {
        let Some(price) = self.price(on) else {
            return 0.0;
        };
        let input = usage
            .audio_input_tokens
            .saturating_add(usage.text_input_tokens);
        let rates = match &price.long {
            Some((threshold, rates)) if input > *threshold => rates,
            _ => &price.rates,
        };
        let output = usage.output_tokens.saturating_add(usage.thinking_tokens);
        (usage.audio_input_tokens as f64 * rates.audio_in
            + usage.text_input_tokens as f64 * rates.text_in
            + output as f64 * rates.out)
            / 1e6
            * self.discount()
    }

    fn discount(&self) -> f64 {
        if self.batch { self.batch_discount } else { 1.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::date;

    const NOW: Date = date!(2026 - 11 - 23);

    fn near(got: f64, want: f64) {
        assert!((got - want).abs() < 1e-9, "{got} is not {want}");
    }

    fn model(id: &str) -> &'static Model {
        find(id).unwrap_or_else(|| panic!("{id}"))
    }

    #[test]
    fn an_hour_by_hand() {
        // 115,200 × 0.75 = 86,400 and 14,400 × 3.75 = 54,000 µ$; half of both.
        near(
            model("gemini-3.8-flash").price_per_audio_hour_usd(NOW),
            0.0702,
        );
        // Twice from 2027 on.
        let next_year = date!(2027 - 01 - 01);
        near(
            model("gemini-3.8-flash").price_per_audio_hour_usd(next_year),
            0.1404,
        );
        let last_day = date!(2026 - 12 - 31);
        near(
            model("gemini-3.8-flash").price_per_audio_hour_usd(last_day),
            0.0702,
        );
        // 115,200 × 1.25 = 144,000 and 14,400 × 10 = 144,000.
        near(model("gemini-2.5-pro").price_per_audio_hour_usd(NOW), 0.144);
        // 115,200 × 1.00 and 14,400 × 2.50 = 36,000.
        near(
            model("gemini-2.5-flash").price_per_audio_hour_usd(NOW),
            0.0756,
        );
        // 115,200 × 0.50 = 57,600 and 14,400 × 1.50 = 21,600.
        near(
            model("gemini-3.1-flash-lite").price_per_audio_hour_usd(NOW),
            0.0396,
        );
    }

    #[test]
    fn a_request_by_hand() {
        let usage = Usage {
            audio_input_tokens: 320,
            text_input_tokens: 100,
            output_tokens: 40,
            thinking_tokens: 128,
        };
        // 320 × 1.25 + 100 × 1.25 + 168 × 10 = 2,205 µ$, halved.
        near(model("gemini-2.5-pro").cost_usd(&usage, NOW), 0.001_102_5);
        // 320 × 1.00 + 100 × 0.30 + 168 × 2.50 = 770 µ$, halved.
        near(model("gemini-2.5-flash").cost_usd(&usage, NOW), 0.000_385);
        near(
            model("gemini-2.5-flash").cost_usd(&Usage::default(), NOW),
            0.0,
        );
    }

    #[test]
    fn long_requests_cost_more() {
        let pro = model("gemini-2.5-pro");
        let mut usage = Usage {
            audio_input_tokens: 199_900,
            text_input_tokens: 100,
            output_tokens: 10_000,
            thinking_tokens: 0,
        };
        // 200,000 × 1.25 + 10,000 × 10 = 350,000 µ$, halved.
        near(pro.cost_usd(&usage, NOW), 0.175);
        usage.text_input_tokens = 101;
        // 200,001 × 2.50 + 10,000 × 15 = 650,002.5 µ$, halved.
        near(pro.cost_usd(&usage, NOW), 0.325_001_25);
        let huge = Usage {
            audio_input_tokens: u64::MAX,
            text_input_tokens: u64::MAX,
            output_tokens: u64::MAX,
            thinking_tokens: u64::MAX,
        };
        assert!(pro.cost_usd(&huge, NOW).is_finite());
    }

    #[test]
    fn days_before_the_first_price_use_it() {
        let flash = model("gemini-3.8-flash");
        let price = flash.price(date!(2020 - 01 - 01)).unwrap();
        near(price.rates.out, 3.75);
    }

    #[test]
    fn every_entry_is_whole() {
        let formats = ["mp3", "wav", "flac", "m4a", "ogg", "webm"];
        let mut ids: Vec<_> = all().iter().map(|m| m.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), all().len());
        for model in all() {
            assert!(
                !model.prices.is_empty() && !model.display_name.is_empty(),
                "{}",
                model.id
            );
            assert!(
                model
                    .prices
                    .is_sorted_by(|a, b| a.valid_from < b.valid_from)
            );
            assert!(
                formats.iter().all(|f| model.mime_type(f).is_some()),
                "{}",
                model.id
            );
            assert!(model.price_per_audio_hour_usd(NOW) > 0.0);
            assert_eq!(find_by_model(model.provider, model.model), Some(model));
            assert!(model.supports_language("hi-IN") && !model.supports_language("fr"));
            assert_eq!(model.supported_languages().len(), language::all().len());
            if let Lifecycle::RoutedTo(other) = model.lifecycle {
                assert!(find(other).is_some());
            }
        }
        assert!(find("gemini").is_none() && find("").is_none());
        assert!(find_by_model("google", "models/gemini-2.5-pro").is_some());
        assert_eq!(
            find("gemini-2.5-pro").and_then(|m| m.mime_type("aiff")),
            None
        );
    }
}
