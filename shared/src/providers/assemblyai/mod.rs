//! `AssemblyAI`: each file is a transcript, which is made and asked for by its id.
//!
//! What is known of it, and from where: PROTOCOL.md beside this file.

mod adapter;
mod client;
mod output;
mod wire;

use std::sync::Arc;

use time::Date;
use time::macros::date;

use super::audio::AudioBy;
use super::credential::Field;
use super::model::{Languages, Model, Takes};
use super::price::{AudioPrice, Price};
use super::regions::Regions;
use super::vendor::{
    Adapter, Client, Limits, Settings, SetupError, Timing, UnitLimits, Vendor, Works,
};

/// Work and data in the European Union.
const EU: &str = "eu";

/// The vendor.
pub static VENDOR: Vendor = Vendor {
    name: "assemblyai",
    title: "AssemblyAI",
    models: MODELS,
    credential: &[Field::API_KEY, Field::region(&[EU])],
    audio: AudioBy::Bytes,
    unit: UnitLimits {
        // As many as one name tells of in a kilobyte.
        samples: 20,
        // All of it is sent by one worker, in the minutes that one lives.
        bytes: 400_000_000,
    },
    // 200 transcripts are worked on at once for those who pay; more of them wait there.
    limits: Limits::of_jobs(10),
    timing: Timing::OF_JOBS,
    works: Works::Jobs,
    consult: |settings| Ok(Arc::new(made(settings)?)),
};

/// The vendor and its client.
pub static CLIENT: Client = Client {
    vendor: &VENDOR,
    connect: |settings| Ok(Adapter::Jobs(Arc::new(made(settings)?))),
};

fn made(settings: &Settings) -> Result<adapter::AssemblyAi, SetupError> {
    let others = [(EU, "https://api.eu.assemblyai.com")];
    let regions = Regions::of(settings, "https://api.assemblyai.com", &others)?;
    let client = client::Client::new(regions, settings.grace);
    Ok(adapter::AssemblyAi::new(client))
}

const READ_ON: Date = date!(2026 - 10 - 07);

/// Those of ours that `universal-2` has.
const LANGUAGES: &[&str] = &[
    "as", "bn", "en", "gu", "hi", "kn", "ml", "mr", "ne", "pa", "sa", "sd", "ta", "te", "ur",
];

const MODELS: &[Model] = &[Model {
    id: "assemblyai/universal-2",
    provider: "assemblyai",
    model: "universal-2",
    display_name: "AssemblyAI Universal-2",
    languages: Languages::Same(LANGUAGES),
    prices: &[Price::of_hour(READ_ON, AudioPrice::by_the_second(0.15))],
    notes: "Fillers are kept, numbers are written as spoken, nothing is masked: the vendor's \
            defaults leave fillers out and rewrite numbers, which counts as errors. Scoring with \
            the step \"fillers\" leaves them out on both sides. Transcripts are deleted there once \
            they are kept here.",
    takes: Takes::NOTHING,
    ..Model::OF_CALLS
}];
