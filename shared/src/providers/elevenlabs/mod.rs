//! `ElevenLabs` Scribe: each item is answered in its call.
//!
//! What is known of it, and from where: PROTOCOL.md beside this file.

mod client;

use std::sync::Arc;

use time::Date;
use time::macros::date;

use super::credential::Field;
use super::model::{Languages, Model};
use super::price::{AudioPrice, Price};
use super::regions::Regions;
use super::vendor::{Adapter, Client, Limits, Settings, SetupError, Vendor};

/// The vendor.
pub static VENDOR: Vendor = Vendor {
    name: "elevenlabs",
    title: "ElevenLabs",
    models: MODELS,
    credential: &[Field::API_KEY, Field::region(&["us", "eu", "in", "sg"])],
    // Of the smallest plan that pays: 10 at once; a file of more than 8 minutes takes
    // several of them.
    limits: Limits::of_calls(8),
    consult: |settings| Ok(Arc::new(made(settings)?)),
    ..Vendor::OF_CALLS
};

/// The vendor and its client.
pub static CLIENT: Client = Client {
    vendor: &VENDOR,
    connect: |settings| Ok(Adapter::Calls(Arc::new(made(settings)?))),
};

fn made(settings: &Settings) -> Result<client::Scribe, SetupError> {
    let regions = Regions::of(settings, "https://api.elevenlabs.io", &REGIONS)?;
    Ok(client::Scribe::new(regions))
}

/// Where it keeps what it is sent, by names of countries. Residency has keys of its own.
const REGIONS: [(&str, &str); 4] = [
    ("us", "https://api.us.elevenlabs.io"),
    ("eu", "https://api.eu.residency.elevenlabs.io"),
    ("in", "https://api.in.residency.elevenlabs.io"),
    ("sg", "https://api.sg.residency.elevenlabs.io"),
];

const READ_ON: Date = date!(2026 - 11 - 26);

/// Languages of the vendor's own table for `scribe_v1`; that of later models was not
/// found and is taken to be no smaller.
const LANGUAGES: &[&str] = &[
    "as", "bn", "en", "gu", "hi", "kn", "ml", "mr", "ne", "or", "pa", "sd", "ta", "te", "ur",
];

const SCRIBE_V2: Model = Model {
    id: "elevenlabs/scribe_v2",
    provider: "elevenlabs",
    model: "scribe_v2",
    display_name: "ElevenLabs Scribe v2",
    languages: Languages::Same(LANGUAGES),
    prices: &[Price::of_hour(READ_ON, AudioPrice::by_the_second(0.22))],
    notes: "Tags of sounds, such as (laughter), are switched off. The price is that of the largest \
            plans; others pay up to 0.48 dollars an hour.",
    ..Model::OF_CALLS
};

const MODELS: &[Model] = &[
    SCRIBE_V2,
    Model {
        id: "elevenlabs/scribe_v1",
        model: "scribe_v1",
        display_name: "ElevenLabs Scribe v1",
        ..SCRIBE_V2
    },
];
