//! Mistral's Voxtral. What is known of it: the dialect's PROTOCOL.md.

use time::Date;
use time::macros::date;

use super::dialect;
use super::model::{Languages, Model};
use super::price::{AudioPrice, Price};
use super::vendor::{Adapter, Client, Vendor};
use crate::domain::dialect::Dialect;

/// The vendor.
pub static VENDOR: Vendor = Vendor {
    name: "mistral",
    title: "Mistral AI",
    models: MODELS,
    consult: |settings| Ok(dialect::hosted(settings, ADDRESS, Dialect::MISTRAL)?),
    ..Vendor::OF_CALLS
};

/// The vendor and its client.
pub static CLIENT: Client = Client {
    vendor: &VENDOR,
    connect: |settings| {
        Ok(Adapter::Calls(dialect::hosted(
            settings,
            ADDRESS,
            Dialect::MISTRAL,
        )?))
    },
};

const ADDRESS: &str = "https://api.mistral.ai/v1";

const READ_ON: Date = date!(2026 - 11 - 26);

const fn price(per_hour: f64) -> Price {
    Price::of_hour(READ_ON, AudioPrice::by_the_second(per_hour))
}

const VOXTRAL: Model = Model {
    id: "mistral/voxtral-mini-transcribe-3",
    provider: "mistral",
    model: "voxtral-mini-transcribe-3",
    display_name: "Voxtral Mini Transcribe 3",
    languages: Languages::Table(&[("en", "en"), ("hi", "hi")]),
    max_audio_seconds: 1_800,
    max_file_bytes: 26_200_000,
    prices: &[price(0.21)],
    notes: "Of the languages here only Hindi and English are on its list. The limit of a file is \
            not published; that of others is assumed.",
    ..Model::OF_CALLS
};

const MODELS: &[Model] = &[
    VOXTRAL,
    Model {
        id: "mistral/voxtral-small-transcribe-3",
        model: "voxtral-small-transcribe-3",
        display_name: "Voxtral Small Transcribe 3",
        prices: &[price(0.24)],
        ..VOXTRAL
    },
    Model {
        id: "mistral/voxtral-mini-2602",
        model: "voxtral-mini-2602",
        display_name: "Voxtral Mini Transcribe 2",
        prices: &[price(0.18)],
        retires_on: Some(date!(2027 - 04 - 30)),
        ..VOXTRAL
    },
];
