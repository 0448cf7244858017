//! What a model is: what it takes, and where it is in its life.

use time::Date;

use super::price::Price;
use crate::domain::language::{self, Language};
use crate::domain::usage::Usage;

/// A model of a vendor's folder.
pub type Model = AnyModel<'static>;

/// A model: one of a vendor's folder, or one of a project's own as it is lent by
/// [`OwnModel`](super::own::OwnModel).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AnyModel<'a> {
    /// Catalogue id: what the `providers` of a run name.
    pub id: &'a str,
    /// What credentials are kept for.
    pub provider: &'a str,
    /// The name sent to the provider.
    pub model: &'a str,
    /// The name shown to people.
    pub display_name: &'a str,
    /// Languages it can be asked for.
    pub languages: Languages<'a>,
    /// Longest audio of one item.
    pub max_audio_seconds: u32,
    /// Largest audio of one item.
    pub max_file_bytes: u64,
    /// The formats we take, and how far the provider vouches for each.
    pub formats: &'a [Format],
    /// Whether it is served by the batch API.
    pub batch: bool,
    /// Prices, oldest first.
    pub prices: &'a [Price],
    /// What a batch costs relative to the prices.
    pub batch_discount: f64,
    /// Whether it is current.
    pub lifecycle: Lifecycle,
    /// The day from which it is not served any more, where one is announced.
    pub retires_on: Option<Date>,
    /// What one should know before choosing it.
    pub notes: &'static str,
    /// The settings that it takes.
    pub takes: Takes,
    /// Most tokens it writes for one item, reasoning included; `None` where
    /// nothing of the kind is told.
    pub max_output_tokens: Option<u32>,
}

/// The settings that a model takes. What it does not take is not sent, and a
/// run does not keep it for that model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Takes {
    /// A prompt, and the one of runs that bring none.
    pub prompt: Option<Prompt>,
    /// A sampling temperature from 0 to 2, and that of runs that do not say one.
    pub temperature: Option<f64>,
}

impl Takes {
    /// No settings at all.
    pub const NOTHING: Self = Self {
        prompt: None,
        temperature: None,
    };
}

/// A prompt that a model is asked with when a run brings none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prompt {
    /// The template; `{language}` and `{script}` are filled in per sample.
    pub template: &'static str,
    /// Changes whenever the template does.
    pub version: &'static str,
}

/// Languages of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Languages<'a> {
    /// The vendor publishes no list for audio: any language of ours may be
    /// tried.
    All,
    /// Just these: our primary subtag, and what the vendor calls the language.
    /// Vendors' codes follow no rule (Odia is `od-IN`, `or-IN`, `or` or absent),
    /// so they are looked up and never put together.
    Table(&'a [(&'static str, &'static str)]),
    /// Just these, each of which the vendor calls as we do.
    Same(&'a [&'static str]),
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

impl Format {
    /// All that are taken here, for vendors that list every one of them.
    pub const EVERY: &[Self] = &[
        Self::listed("flac", "audio/flac"),
        Self::listed("m4a", "audio/mp4"),
        Self::listed("mp3", "audio/mpeg"),
        Self::listed("ogg", "audio/ogg"),
        Self::listed("wav", "audio/wav"),
        Self::listed("webm", "audio/webm"),
    ];

    /// One that the provider lists.
    #[must_use]
    pub const fn listed(name: &'static str, mime_type: &'static str) -> Self {
        Self {
            name,
            mime_type,
            documented: true,
        }
    }
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

impl Model {
    /// What models have in common that answer each item in its call, to be completed.
    pub const OF_CALLS: Self = Self {
        id: "",
        provider: "",
        model: "",
        display_name: "",
        languages: Languages::All,
        // A call must end in the life of one worker.
        max_audio_seconds: 7_200,
        max_file_bytes: 1_000_000_000,
        formats: Format::EVERY,
        batch: false,
        prices: &[],
        batch_discount: 1.0,
        lifecycle: Lifecycle::Stable,
        retires_on: None,
        notes: "",
        takes: Takes {
            prompt: None,
            temperature: Some(0.0),
        },
        max_output_tokens: None,
    };
}

impl<'a> AnyModel<'a> {
    /// The languages it can be asked for.
    pub fn supported_languages(&self) -> Vec<&'static Language> {
        let all = language::all().iter();
        match self.languages {
            Languages::All => all.collect(),
            Languages::Table(table) => all
                .filter(|l| table.iter().any(|(ours, _)| *ours == l.code))
                .collect(),
            Languages::Same(codes) => all.filter(|l| codes.contains(&l.code)).collect(),
        }
    }

    /// Whether it can be asked for the language of this tag.
    pub fn supports_language(&self, tag: &str) -> bool {
        self.language_code(tag).is_some()
    }

    /// What the vendor calls the language of this tag; `None` when the model
    /// can't be asked for it.
    pub fn language_code(&self, tag: &str) -> Option<&'static str> {
        let ours = language::find(tag)?.language.code;
        match self.languages {
            Languages::All => Some(ours),
            Languages::Table(table) => {
                let row = table.iter().find(|(code, _)| *code == ours)?;
                Some(row.1)
            }
            Languages::Same(codes) => codes.contains(&ours).then_some(ours),
        }
    }

    /// The MIME type to declare audio of our format name with.
    pub fn mime_type(&self, format: &str) -> Option<&'static str> {
        let format = self.formats.iter().find(|f| f.name == format)?;
        Some(format.mime_type)
    }

    /// Since when it is not served any more, if that day is over or has begun. Vendors tell a
    /// day and no hour: it begins when it does in UTC, by this machine's clock.
    #[must_use]
    pub fn retired_on(&self, today: Date) -> Option<Date> {
        self.retires_on.filter(|retires| today >= *retires)
    }

    /// The price that holds on a day.
    pub fn price(&self, on: Date) -> Option<&'a Price> {
        let begun = self.prices.iter().rev().find(|p| p.valid_from <= on);
        begun.or_else(|| self.prices.first())
    }

    /// Estimated price of an hour of audio in US dollars, as we run it (batch
    /// when the model has it). Prompt and reasoning are not in it, nor the higher
    /// price of very long items, nor what very short ones are rounded up to.
    pub fn price_per_audio_hour_usd(&self, on: Date) -> f64 {
        let price = self.price(on);
        price.map_or(0.0, |price| price.per_hour_usd(self.discount()))
    }

    /// What one request cost in US dollars: by its tokens, or by the length of its
    /// audio. That length is the vendor's own where it tells one, for that is what it
    /// bills, and else `audio_seconds`, as we found it. The higher price of long
    /// requests and the least that a short one is billed as are decided by request, so
    /// this must be summed over items, not called with sums.
    pub fn cost_usd(&self, usage: &Usage, audio_seconds: f64, on: Date) -> f64 {
        let price = self.price(on);
        price.map_or(0.0, |price| {
            price.cost_usd(usage, audio_seconds, self.discount())
        })
    }

    /// What part of its prices is paid as we run it.
    pub fn discount(&self) -> f64 {
        if self.batch { self.batch_discount } else { 1.0 }
    }
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::super::price::{AudioPrice, Charge, Currency};
    use super::*;

    const SINCE: Date = date!(2026 - 09 - 20);

    const fn by_hour(per_hour: f64, min_seconds: f64, step_seconds: f64) -> Charge {
        Charge::Audio(AudioPrice {
            per_hour,
            min_seconds,
            step_seconds,
        })
    }

    fn model(prices: &'static [Price], languages: Languages<'static>) -> Model {
        Model {
            id: "m",
            provider: "v",
            model: "m-1",
            display_name: "M",
            languages,
            max_audio_seconds: 3_600,
            max_file_bytes: 1,
            formats: &[],
            batch: false,
            prices,
            batch_discount: 1.0,
            lifecycle: Lifecycle::Stable,
            retires_on: None,
            notes: "",
            takes: Takes::NOTHING,
            max_output_tokens: None,
        }
    }

    fn near(got: f64, want: f64) {
        assert!((got - want).abs() < 1e-9, "{got} is not {want}");
    }

    #[test]
    fn audio_is_billed_by_its_length_with_a_least_and_in_steps() {
        const PRICES: &[Price] = &[
            Price {
                valid_from: SINCE,
                read_on: SINCE,
                currency: Currency::UsDollar,
                charge: by_hour(0.36, 10.0, 1.0),
                audio_confirmed: true,
            },
            // Rupees; rounded up to nothing.
            Price {
                valid_from: date!(2027 - 01 - 01),
                read_on: SINCE,
                currency: Currency::Other {
                    code: "INR",
                    in_usd: 0.01,
                },
                charge: by_hour(30.0, 0.0, 0.0),
                audio_confirmed: true,
            },
        ];
        let model = model(PRICES, Languages::All);
        let cost = |seconds, on| model.cost_usd(&Usage::default(), seconds, on);
        near(cost(3_600.0, SINCE), 0.36);
        // 10.2 s are 11, and 3 s are 10.
        near(cost(10.2, SINCE), 0.0011);
        near(cost(3.0, SINCE), 0.001);
        near(cost(f64::NAN, SINCE), 0.001);
        // What the vendor measured is what it bills; nonsense is not believed.
        let told = |told, seconds| {
            let usage = Usage {
                audio_seconds: Some(told),
                ..Usage::default()
            };
            model.cost_usd(&usage, seconds, SINCE)
        };
        near(told(20.5, 10.2), 0.0021);
        near(told(3.0, 10.2), 0.001);
        for nonsense in [0.0, -5.0, f64::NAN, f64::INFINITY, 1e9] {
            near(told(nonsense, 10.2), 0.0011);
        }
        near(model.price_per_audio_hour_usd(SINCE), 0.36);
        let later = date!(2027 - 02 - 01);
        near(cost(1_800.0, later), 0.15);
        near(model.price_per_audio_hour_usd(later), 0.3);
    }

    #[test]
    fn a_vendor_has_its_own_names_of_languages() {
        let odia = model(&[], Languages::Table(&[("or", "od-IN"), ("hi", "hi-IN")]));
        for tag in ["or", "or-IN", "or-Orya-IN"] {
            assert_eq!(odia.language_code(tag), Some("od-IN"), "{tag}");
        }
        assert_eq!(odia.language_code("ta"), None);
        assert!(!odia.supports_language("ta-IN") && !odia.supports_language("fr"));
        let codes = odia.supported_languages().into_iter().map(|l| l.code);
        let mut codes: Vec<_> = codes.collect();
        codes.sort_unstable();
        assert_eq!(codes, ["hi", "or"]);
        let any = model(&[], Languages::All);
        assert_eq!(any.language_code("ta-IN"), Some("ta"));
        assert_eq!(any.language_code("fr"), None);
        near(any.cost_usd(&Usage::default(), 60.0, SINCE), 0.0);
    }
}
