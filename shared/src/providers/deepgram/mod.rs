//! Deepgram's prerecorded transcription: each item is answered in its call.
//!
//! What is known of it, and from where: PROTOCOL.md beside this file.

mod client;

use std::sync::Arc;

use time::Date;
use time::macros::date;

use super::http::BaseUrl;
use super::model::{Languages, Model, Takes};
use super::price::{AudioPrice, Price};
use super::vendor::{Adapter, Client, Limits, Settings, SetupError, Vendor};

/// The vendor.
pub static VENDOR: Vendor = Vendor {
    name: "deepgram",
    title: "Deepgram",
    models: MODELS,
    // A project may have 100 at once.
    limits: Limits::of_calls(16),
    consult: |settings| Ok(Arc::new(made(settings)?)),
    ..Vendor::OF_CALLS
};

/// The vendor and its client.
pub static CLIENT: Client = Client {
    vendor: &VENDOR,
    connect: |settings| Ok(Adapter::Calls(Arc::new(made(settings)?))),
};

fn made(settings: &Settings) -> Result<client::Listen, SetupError> {
    let address = settings
        .base_url
        .as_deref()
        .unwrap_or("https://api.deepgram.com");
    let base = BaseUrl::parse(address).map_err(SetupError::BaseUrl)?;
    Ok(client::Listen::new(base))
}

const READ_ON: Date = date!(2026 - 11 - 26);

/// By the vendor's changelog, up to 2026-08.
const LANGUAGES: &[&str] = &[
    "bn", "en", "gu", "hi", "kn", "mr", "ne", "pa", "ta", "te", "ur",
];

const MODELS: &[Model] = &[Model {
    id: "deepgram/nova-3",
    provider: "deepgram",
    model: "nova-3",
    display_name: "Deepgram Nova-3",
    languages: Languages::Same(LANGUAGES),
    prices: &[Price {
        audio_confirmed: false,
        ..Price::of_hour(READ_ON, AudioPrice::by_the_second(0.258))
    }],
    notes: "Two published lists differ: 0.258 and 0.462 dollars an hour; check your plan. Audio is \
            kept out of the vendor's training, which may cost more. Numbers and dates are written \
            as spoken.",
    takes: Takes::NOTHING,
    ..Model::OF_CALLS
}];
