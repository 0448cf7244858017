//! Google's models that take audio in batches: data of the catalogue.
//!
//! Read from `design/gemini.md` §3.2, §3.3 and §3.5; the prices there are
//! third-party transcriptions of Google's pricing page from August to October
//! 2026, not the page itself.

use time::Date;
use time::macros::date;

use super::super::catalogue::{Format, Languages, Lifecycle, Model, Price, Rates, Thinking};

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

const fn price(valid_from: Date, rates: Rates) -> Price {
    Price {
        valid_from,
        read_on: READ_ON,
        rates,
        long: None,
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

/// Generation 3: `LOW`, because `MINIMAL` is an error on some of its models.
const LOW: Thinking = Thinking::Level {
    level: "LOW",
    allowance: 4096,
};

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
    notes: "",
    // Google advises against lowering it on generation 3: it can loop.
    default_temperature: 1.0,
    thinking: LOW,
    max_output_tokens: 65_536,
};

const GEMINI_2_5: Model = Model {
    default_temperature: 0.0,
    thinking: Thinking::Budget(0),
    ..GEMINI_3
};

/// The models of the catalogue.
pub(in crate::providers) const MODELS: &[Model] = &[
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
        prices: &[Price {
            long: Some((200_000, rates(4.00, 4.00, 18.00))),
            ..price(SINCE, rates(2.00, 2.00, 12.00))
        }],
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
        prices: &[Price {
            long: Some((200_000, rates(2.50, 2.50, 15.00))),
            ..price(SINCE, rates(1.25, 1.25, 10.00))
        }],
        notes: "Cannot answer without reasoning; the smallest budget is used.",
        // The least this model takes.
        thinking: Thinking::Budget(128),
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
