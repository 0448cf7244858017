//! What a model costs: by tokens or by time of audio, since when, and in which currency.

use time::Date;

use crate::domain::usage::Usage;

/// Price of a model, without discount.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Price {
    /// First day it holds. The oldest price is also used for days before it.
    pub valid_from: Date,
    /// When it was read.
    pub read_on: Date,
    /// What its amounts are in.
    pub currency: Currency,
    /// What is paid for.
    pub charge: Charge,
    /// False when only a price without distinction of modality was found.
    pub audio_confirmed: bool,
}

impl Price {
    /// US dollars for an hour of audio, as read on a day.
    #[must_use]
    pub const fn of_hour(read_on: Date, audio: AudioPrice) -> Self {
        Self {
            valid_from: read_on,
            read_on,
            currency: Currency::UsDollar,
            charge: Charge::Audio(audio),
            audio_confirmed: true,
        }
    }
}

impl Price {
    /// Estimated US dollars for an hour of audio, at so much of the price of tokens or
    /// time.
    pub(super) fn per_hour_usd(&self, discount: f64) -> f64 {
        let per_hour = match &self.charge {
            Charge::Tokens(tokens) => tokens.per_hour(),
            Charge::Audio(audio) => audio.per_hour,
        };
        per_hour * discount * self.currency.in_usd()
    }

    /// US dollars for one request, at so much of the price: see
    /// [`cost_usd`](super::model::AnyModel::cost_usd).
    pub(super) fn cost_usd(&self, usage: &Usage, audio_seconds: f64, discount: f64) -> f64 {
        let cost = match &self.charge {
            Charge::Tokens(tokens) => tokens.of(usage, discount),
            Charge::Audio(audio) => {
                let told = usage.audio_seconds.filter(|told| is_a_length(*told));
                audio.of(told.unwrap_or(audio_seconds)) * discount
            }
        };
        cost * self.currency.in_usd()
    }
}

const US_DOLLAR: &str = "USD";

const RUPEE: &str = "INR";

/// What other currencies are worth, to compare costs by. It is the operator's word
/// (`RUPEE_IN_USD`), and no price of a vendor: what is paid goes by the vendor's bill.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ExchangeRates {
    /// US dollars for a rupee.
    pub rupee_in_usd: f64,
}

impl ExchangeRates {
    /// Where the operator says nothing. **An assumption of 2026-11-26, a round figure
    /// that was read nowhere.**
    pub const ASSUMED: Self = Self {
        rupee_in_usd: 0.0115,
    };

    /// The currency of an ISO 4217 code, at these rates; `None` if it is none that
    /// prices can be in.
    #[must_use]
    pub fn currency(&self, code: &str) -> Option<Currency> {
        match code {
            US_DOLLAR => Some(Currency::UsDollar),
            RUPEE => Some(Currency::Other {
                code: RUPEE,
                in_usd: self.rupee_in_usd,
            }),
            _ => None,
        }
    }
}

impl Default for ExchangeRates {
    fn default() -> Self {
        Self::ASSUMED
    }
}

/// What amounts are in. Costs are told in US dollars.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Currency {
    /// US dollars.
    UsDollar,
    /// Another one.
    Other {
        /// ISO 4217 code.
        code: &'static str,
        /// US dollars for one: see [`ExchangeRates`].
        in_usd: f64,
    },
}

impl Currency {
    /// Rupees, at the rate that is assumed until the operator's is known.
    pub const RUPEE: Self = Self::Other {
        code: RUPEE,
        in_usd: ExchangeRates::ASSUMED.rupee_in_usd,
    };
    /// Codes of those that prices can be in.
    pub const KNOWN: [&str; 2] = [US_DOLLAR, RUPEE];

    /// The same at other rates.
    #[must_use]
    pub fn at(self, rates: &ExchangeRates) -> Self {
        rates.currency(self.code()).unwrap_or(self)
    }

    /// Its ISO 4217 code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::UsDollar => US_DOLLAR,
            Self::Other { code, .. } => code,
        }
    }

    /// US dollars for one of it.
    #[must_use]
    pub fn in_usd(self) -> f64 {
        match self {
            Self::UsDollar => 1.0,
            Self::Other { in_usd, .. } => in_usd,
        }
    }
}

/// What is paid for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Charge {
    /// Tokens read and written.
    Tokens(TokenPrice),
    /// Time of audio.
    Audio(AudioPrice),
}

/// A price of tokens.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TokenPrice {
    /// Prices up to the threshold of `long`, or always.
    pub rates: Rates,
    /// Prices of requests with more input tokens than the threshold.
    pub long: Option<(u64, Rates)>,
    /// What tokens cost that the vendor had in its cache, relative to the price
    /// without any discount.
    pub cached: f64,
    /// Tokens that a second of audio counts as, for estimates before a run. What
    /// a run really cost comes from its usage.
    pub audio_per_second: u64,
    /// Tokens that a second of speech is assumed to be written in, for the same.
    pub output_per_second: u64,
}

/// Prices per million tokens.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rates {
    /// Audio read.
    pub audio_in: f64,
    /// Text read.
    pub text_in: f64,
    /// Text written, reasoning included.
    pub out: f64,
}

/// A price of audio by its length.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AudioPrice {
    /// Price of an hour.
    pub per_hour: f64,
    /// A shorter item is billed as if it had this length in seconds.
    pub min_seconds: f64,
    /// Lengths are rounded up to a multiple of this many seconds; 0 for not at
    /// all.
    pub step_seconds: f64,
}

impl AudioPrice {
    /// By the second, each begun one whole.
    #[must_use]
    pub const fn by_the_second(per_hour: f64) -> Self {
        Self {
            per_hour,
            min_seconds: 0.0,
            step_seconds: 1.0,
        }
    }

    /// Price of one item of a length in seconds.
    #[must_use]
    pub fn of(&self, seconds: f64) -> f64 {
        let billed = seconds.max(0.0).max(self.min_seconds);
        let billed = if self.step_seconds > 0.0 {
            (billed / self.step_seconds).ceil() * self.step_seconds
        } else {
            billed
        };
        billed / 3600.0 * self.per_hour
    }
}

impl TokenPrice {
    /// Price of an hour of audio by the estimates, before and without discount.
    fn per_hour(&self) -> f64 {
        let read = (3600 * self.audio_per_second) as f64 * self.rates.audio_in;
        let written = (3600 * self.output_per_second) as f64 * self.rates.out;
        (read + written) / 1e6
    }

    /// Price of one request.
    fn of(&self, usage: &Usage, discount: f64) -> f64 {
        let input = usage
            .audio_input_tokens
            .saturating_add(usage.text_input_tokens);
        let rates = match &self.long {
            Some((threshold, rates)) if input > *threshold => rates,
            _ => &self.rates,
        };
        let output = usage.output_tokens.saturating_add(usage.thinking_tokens);
        // The prompt comes before the audio, and what is in a cache is a beginning.
        let cached_text = usage.cached_input_tokens.min(usage.text_input_tokens);
        let cached_audio = (usage.cached_input_tokens - cached_text).min(usage.audio_input_tokens);
        let cached = cached_audio as f64 * rates.audio_in + cached_text as f64 * rates.text_in;
        let read = usage.audio_input_tokens as f64 * rates.audio_in
            + usage.text_input_tokens as f64 * rates.text_in
            - cached;
        let written = output as f64 * rates.out;
        ((read + written) * discount + cached * self.cached) / 1e6
    }
}

/// Whether a number that a vendor told can be the length of a recording in seconds:
/// what is longer than two days is longer than any that is taken here.
fn is_a_length(seconds: f64) -> bool {
    seconds > 0.0 && seconds <= 48.0 * 3_600.0
}
