//! Google's models that take audio in batches: data of the catalogue.
//!
//! Read from `PROTOCOL.md` §3.1, §3.2 and §3.4; the prices there are
//! third-party transcriptions of Google's pricing page from August to October
//! 2026, not the page itself.

use time::Date;
use time::macros::date;

use super::prompt::{DEFAULT_PROMPT, DEFAULT_PROMPT_VERSION};
use crate::providers::model::{Format, Languages, Lifecycle, Model, Prompt, Takes};
use crate::providers::price::{Charge, Currency, Price, Rates, TokenPrice};

/// The formats of the Gemini API.
///
/// Its audio page lists wav, mp3, aiff, aac, ogg and flac. M4A and `WebM` are
/// listed for Google's other platform (Vertex) only; for batches on this API
/// nothing is documented. They are sent all the same, under the types that
/// platform lists: we have no transcoder, a refusal comes back as that item's
/// error and costs nothing, and refusing them here would be wrong the day (or
/// today, for all the documents say) the API takes them. Callers can warn by
/// `documented`.
const GEMINI_FORMATS: &[Format] = &[
    documented("mp3", "audio/mp3"),
    documented("wav", "audio/wav"),
    documented("flac", "audio/flac"),
    documented("ogg", "audio/ogg"),
    undocumented("m4a", "audio/m4a"),
    undocumented("webm", "audio/webm"),
];

const fn documented(name: &'static str, mime_type: &'static str) -> Format {
    Format {
        name,
        mime_type,
        documented: true,
    }
}

const fn undocumented(name: &'static str, mime_type: &'static str) -> Format {
    Format {
        documented: false,
        ..documented(name, mime_type)
    }
}

/// The day the prices were put in here.
const READ_ON: Date = date!(2026 - 11 - 23);
/// The oldest of the transcriptions they come from.
const SINCE: Date = date!(2026 - 08 - 01);

const fn rates(audio_in: f64, text_in: f64, out: f64) -> Rates {
    Rates {
        audio_in,
        text_in,
        out,
    }
}

/// Google's pages tell 90 % off for what was in the cache, and that a batch
/// changes nothing in it.
const CACHED: f64 = 0.1;

/// <https://ai.google.dev/gemini-api/docs/audio>
const AUDIO_TOKENS_PER_SECOND: u64 = 32;

/// Tokens that a second of speech is assumed to be written in.
const OUTPUT_TOKENS_PER_SECOND: u64 = 4;

const fn price(valid_from: Date, rates: Rates) -> Price {
    price_with_long(valid_from, rates, None)
}

const fn price_with_long(valid_from: Date, rates: Rates, long: Option<(u64, Rates)>) -> Price {
    Price {
        valid_from,
        read_on: READ_ON,
        currency: Currency::UsDollar,
        charge: Charge::Tokens(TokenPrice {
            rates,
            long,
            cached: CACHED,
            audio_per_second: AUDIO_TOKENS_PER_SECOND,
            output_per_second: OUTPUT_TOKENS_PER_SECOND,
        }),
        audio_confirmed: true,
    }
}

const FLASH_3_6_TO_3_8: &[Price] = &[
    Price {
        audio_confirmed: false,
        ..price(SINCE, rates(0.75, 0.75, 3.75))
    },
    Price {
        audio_confirmed: false,
        ..price(date!(2027 - 01 - 01), rates(1.50, 1.50, 7.50))
    },
];

/// What all Gemini models have in common; the rest is filled in below.
const GEMINI_3: Model = Model {
    id: "",
    provider: "google",
    model: "",
    display_name: "",
    languages: Languages::All,
    // 9.5 hours in one prompt.
    max_audio_seconds: 34_200,
    // `maxSize` of the Files API.
    max_file_bytes: 2_147_483_648,
    formats: GEMINI_FORMATS,
    batch: true,
    prices: &[],
    batch_discount: 0.5,
    lifecycle: Lifecycle::Stable,
    retires_on: None,
    notes: "",
    // Google advises against lowering it on generation 3: it can loop.
    takes: takes(1.0),
    max_output_tokens: Some(MAX_OUTPUT_TOKENS),
};

/// Most tokens of an answer.
pub(super) const MAX_OUTPUT_TOKENS: u32 = 65_536;

const fn takes(temperature: f64) -> Takes {
    Takes {
        prompt: Some(Prompt {
            template: DEFAULT_PROMPT,
            version: DEFAULT_PROMPT_VERSION,
        }),
        temperature: Some(temperature),
    }
}

const GEMINI_2_5: Model = Model {
    takes: takes(0.0),
    ..GEMINI_3
};

/// The models of the catalogue.
pub(super) const MODELS: &[Model] = &[
    Model {
        id: "gemini-3.8-flash",
        model: "gemini-3.8-flash",
        display_name: "Gemini 3.8 Flash",
        prices: FLASH_3_6_TO_3_8,
        notes: "Price doubles on 2027-01-01.",
        ..GEMINI_3
    },
    Model {
        id: "gemini-3.7-flash",
        model: "gemini-3.7-flash",
        display_name: "Gemini 3.7 Flash",
        prices: FLASH_3_6_TO_3_8,
        lifecycle: Lifecycle::RoutedTo("gemini-3.8-flash"),
        notes: "Answered by Gemini 3.8 Flash. Price doubles on 2027-01-01.",
        ..GEMINI_3
    },
    Model {
        id: "gemini-3.6-flash",
        model: "gemini-3.6-flash",
        display_name: "Gemini 3.6 Flash",
        prices: FLASH_3_6_TO_3_8,
        notes: "Price doubles on 2027-01-01.",
        ..GEMINI_3
    },
    Model {
        id: "gemini-3.5-flash",
        model: "gemini-3.5-flash",
        display_name: "Gemini 3.5 Flash",
        prices: &[Price {
            audio_confirmed: false,
            ..price(SINCE, rates(1.50, 1.50, 9.00))
        }],
        lifecycle: Lifecycle::RoutedTo("gemini-3.6-flash"),
        notes: "Deprecated; answered by Gemini 3.6 Flash.",
        ..GEMINI_3
    },
    Model {
        id: "gemini-3.5-flash-lite",
        model: "gemini-3.5-flash-lite",
        display_name: "Gemini 3.5 Flash-Lite",
        prices: &[Price {
            audio_confirmed: false,
            ..price(SINCE, rates(0.30, 0.30, 2.50))
        }],
        notes: "A price of its own for audio was not found; the general one is used.",
        ..GEMINI_3
    },
    Model {
        id: "gemini-3.1-pro-preview",
        model: "gemini-3.1-pro-preview",
        display_name: "Gemini 3.1 Pro (preview)",
        prices: &[price_with_long(
            SINCE,
            rates(2.00, 2.00, 12.00),
            Some((200_000, rates(4.00, 4.00, 18.00))),
        )],
        lifecycle: Lifecycle::Preview,
        notes: "Preview: may change or go at short notice.",
        ..GEMINI_3
    },
    Model {
        id: "gemini-3.1-flash-lite",
        model: "gemini-3.1-flash-lite",
        display_name: "Gemini 3.1 Flash-Lite",
        prices: &[price(SINCE, rates(0.50, 0.25, 1.50))],
        ..GEMINI_3
    },
    Model {
        id: "gemini-2.5-pro",
        model: "gemini-2.5-pro",
        display_name: "Gemini 2.5 Pro",
        prices: &[price_with_long(
            SINCE,
            rates(1.25, 1.25, 10.00),
            Some((200_000, rates(2.50, 2.50, 15.00))),
        )],
        notes: "Cannot answer without reasoning; the smallest budget is used.",
        ..GEMINI_2_5
    },
    Model {
        id: "gemini-2.5-flash",
        model: "gemini-2.5-flash",
        display_name: "Gemini 2.5 Flash",
        prices: &[price(SINCE, rates(1.00, 0.30, 2.50))],
        lifecycle: Lifecycle::ClosedToNewKeys,
        notes: "No longer open to keys that have not used it before.",
        ..GEMINI_2_5
    },
];

/// How reasoning is limited; it is billed as output and helps little here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Thinking {
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
    /// How to keep reasoning short; `None` for models that are not known here.
    pub(super) fn of(model: &str) -> Option<Self> {
        let known = MODELS.iter().find(|known| known.model == model)?;
        Some(match known.model {
            // The least this model takes.
            "gemini-2.5-pro" => Self::Budget(128),
            "gemini-2.5-flash" => Self::Budget(0),
            // Generation 3: `LOW`, because `MINIMAL` is an error on some of its
            // models.
            _ => Self::Level {
                level: "LOW",
                allowance: 4096,
            },
        })
    }

    /// Output tokens to leave for reasoning.
    pub(super) fn allowance(self) -> u32 {
        match self {
            Self::Budget(tokens) => tokens,
            Self::Level { allowance, .. } => allowance,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::language;
    use crate::providers::Usage;

    const NOW: Date = date!(2026 - 11 - 23);

    fn near(got: f64, want: f64) {
        assert!((got - want).abs() < 1e-9, "{got} is not {want}");
    }

    fn model(id: &str) -> &'static Model {
        MODELS
            .iter()
            .find(|model| model.id == id)
            .unwrap_or_else(|| panic!("{id}"))
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
            cached_input_tokens: 0,
            ..Usage::default()
        };
        // 320 × 1.25 + 100 × 1.25 + 168 × 10 = 2,205 µ$, halved.
        near(
            model("gemini-2.5-pro").cost_usd(&usage, 0.0, NOW),
            0.001_102_5,
        );
        // 320 × 1.00 + 100 × 0.30 + 168 × 2.50 = 770 µ$, halved.
        near(
            model("gemini-2.5-flash").cost_usd(&usage, 0.0, NOW),
            0.000_385,
        );
        near(
            model("gemini-2.5-flash").cost_usd(&Usage::default(), 0.0, NOW),
            0.0,
        );
    }

    #[test]
    fn what_was_in_the_cache_costs_a_tenth() {
        let usage = Usage {
            audio_input_tokens: 320,
            text_input_tokens: 100,
            output_tokens: 40,
            thinking_tokens: 128,
            cached_input_tokens: 120,
            ..Usage::default()
        };
        // 300 × 1.00 + 168 × 2.50 = 720 µ$, halved; a tenth of 100 × 0.30 + 20 × 1.00.
        near(
            model("gemini-2.5-flash").cost_usd(&usage, 0.0, NOW),
            0.000_365,
        );
        // More than was read can't have been in it: a tenth of all 350 µ$.
        let all = Usage {
            cached_input_tokens: 10_000,
            ..usage
        };
        near(
            model("gemini-2.5-flash").cost_usd(&all, 0.0, NOW),
            0.000_245,
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
            cached_input_tokens: 0,
            ..Usage::default()
        };
        // 200,000 × 1.25 + 10,000 × 10 = 350,000 µ$, halved.
        near(pro.cost_usd(&usage, 0.0, NOW), 0.175);
        usage.text_input_tokens = 101;
        // 200,001 × 2.50 + 10,000 × 15 = 650,002.5 µ$, halved.
        near(pro.cost_usd(&usage, 0.0, NOW), 0.325_001_25);
        let huge = Usage {
            audio_input_tokens: u64::MAX,
            text_input_tokens: u64::MAX,
            output_tokens: u64::MAX,
            thinking_tokens: u64::MAX,
            cached_input_tokens: u64::MAX,
            ..Usage::default()
        };
        assert!(pro.cost_usd(&huge, 0.0, NOW).is_finite());
    }

    #[test]
    fn days_before_the_first_price_use_it() {
        let flash = model("gemini-3.8-flash");
        let price = flash.price(date!(2020 - 01 - 01)).unwrap();
        let Charge::Tokens(tokens) = price.charge else {
            panic!("{price:?}");
        };
        near(tokens.rates.out, 3.75);
    }

    #[test]
    fn every_model_takes_all_formats_and_languages() {
        for model in MODELS {
            for format in ["mp3", "wav", "flac", "m4a", "ogg", "webm"] {
                assert!(model.mime_type(format).is_some(), "{} {format}", model.id);
            }
            assert_eq!(model.supported_languages().len(), language::all().len());
            assert!(model.supports_language("hi-IN") && !model.supports_language("fr"));
            assert!(model.price_per_audio_hour_usd(NOW) > 0.0);
            assert!(model.takes.prompt.is_some() && model.takes.temperature.is_some());
        }
    }
}
