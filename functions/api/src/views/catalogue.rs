//! Models and languages.

use stt_eval_shared::domain::language;
use stt_eval_shared::providers::Vendor;
use stt_eval_shared::providers::model::{self, Lifecycle};
use stt_eval_shared::providers::price::{self, Charge};
use stt_eval_shared::wire::catalogue::{Audio, Format, Language, Limits, Model, Price, Script};
use time::Date;

/// A model as it is on a day, with the tokens of its usual prompt.
#[must_use]
pub fn model(
    vendor: &Vendor,
    model: &model::AnyModel<'_>,
    mode: &str,
    (today, prompt_tokens): (Date, u64),
    has_credentials: bool,
) -> Model {
    let (lifecycle, routed_to) = match model.lifecycle {
        Lifecycle::Stable => ("stable", None),
        Lifecycle::Preview => ("preview", None),
        Lifecycle::ClosedToNewKeys => ("closed_to_new_keys", None),
        Lifecycle::RoutedTo(other) => ("routed", Some(other)),
    };
    let languages = model.supported_languages().into_iter();
    let formats = model.formats.iter().map(|format| Format {
        name: format.name.to_owned(),
        documented: format.documented,
    });
    Model {
        id: model.id.to_owned(),
        provider: model.provider.to_owned(),
        provider_name: vendor.title.to_owned(),
        model: model.model.to_owned(),
        display_name: model.display_name.to_owned(),
        has_credentials,
        languages: languages.map(|known| known.code.to_owned()).collect(),
        limits: Limits {
            max_audio_seconds: model.max_audio_seconds,
            max_file_bytes: model.max_file_bytes,
            max_output_tokens: model.max_output_tokens.unwrap_or_default(),
        },
        formats: formats.collect(),
        batch: model.batch,
        price_per_audio_hour_usd: model.price_per_audio_hour_usd(today),
        price_read_on: model.price(today).map(|price| price.read_on.to_string()),
        lifecycle: lifecycle.to_owned(),
        routed_to: routed_to.map(str::to_owned),
        default_temperature: model.takes.temperature.unwrap_or_default(),
        notes: model.notes.to_owned(),
        mode: mode.to_owned(),
        audio: Audio {
            formats: model.formats.iter().map(|f| f.name.to_owned()).collect(),
            max_bytes: model.max_file_bytes,
            max_seconds: model.max_audio_seconds,
        },
        settings: settings(&model.takes),
        price: model
            .price(today)
            .map(|known| price(known, model.discount(), prompt_tokens)),
        retires_at: model.retires_on.map(|day| day.to_string()),
        credential_fields: vendor
            .credential
            .iter()
            .map(|f| f.name.to_owned())
            .collect(),
        regions: regions(vendor).iter().map(|r| (*r).to_owned()).collect(),
        asked_with: asked_with(vendor).to_owned(),
    }
}

/// What a region of a vendor's credential can be.
#[must_use]
pub fn regions(vendor: &Vendor) -> &'static [&'static str] {
    vendor.regions().map_or(&[], |field| field.choices)
}

fn asked_with(vendor: &Vendor) -> &'static str {
    if vendor.is_by_role() {
        "role"
    } else if vendor.is_open() {
        "nothing"
    } else {
        "key"
    }
}

fn settings(takes: &model::Takes) -> Vec<String> {
    let prompt = takes.prompt.is_some().then_some("prompt");
    let temperature = takes.temperature.is_some().then_some("temperature");
    let taken = prompt.into_iter().chain(temperature);
    taken.map(str::to_owned).collect()
}

fn price(price: &price::Price, share: f64, prompt_tokens: u64) -> Price {
    let base = Price {
        unit: String::new(),
        currency: price.currency.code().to_owned(),
        in_usd: price.currency.in_usd(),
        per_audio_hour: None,
        audio_input: None,
        text_input: None,
        output: None,
        minimum_seconds: 0.0,
        step_seconds: 0.0,
        share,
        audio_per_second: 0,
        output_per_second: 0,
        prompt_tokens: 0,
        read_at: price.read_on.to_string(),
    };
    match &price.charge {
        Charge::Tokens(tokens) => Price {
            unit: "million_tokens".to_owned(),
            audio_input: Some(tokens.rates.audio_in),
            text_input: Some(tokens.rates.text_in),
            output: Some(tokens.rates.out),
            audio_per_second: tokens.audio_per_second,
            output_per_second: tokens.output_per_second,
            prompt_tokens,
            ..base
        },
        Charge::Audio(audio) => Price {
            unit: "audio_hour".to_owned(),
            per_audio_hour: Some(audio.per_hour),
            minimum_seconds: audio.min_seconds,
            step_seconds: audio.step_seconds,
            ..base
        },
    }
}

/// A language, with the models that can be asked for it.
#[must_use]
pub fn language(language: &language::Language, models: &[&model::Model]) -> Language {
    let scripts = language.scripts.iter().map(|script| Script {
        code: script.code.to_owned(),
        name: script.name.to_owned(),
    });
    Language {
        code: language.code.to_owned(),
        name: language.name.to_owned(),
        native_name: language.native_name.to_owned(),
        scripts: scripts.collect(),
        providers: models
            .iter()
            .filter(|model| model.supports_language(language.code))
            .map(|model| model.id.to_owned())
            .collect(),
    }
}
