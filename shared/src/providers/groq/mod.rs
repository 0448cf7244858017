//! Groq, which serves whisper. What is known of it: the dialect's PROTOCOL.md.

use time::Date;
use time::macros::date;

use super::dialect::{self, WHISPER};
use super::model::{Languages, Model};
use super::price::{AudioPrice, Price};
use super::vendor::{Adapter, Client, Vendor};
use crate::domain::dialect::Dialect;

/// The vendor.
pub static VENDOR: Vendor = Vendor {
    name: "groq",
    title: "Groq",
    models: MODELS,
    // Its limits are of requests and of seconds of audio. Answers tell those of a day and of
    // an hour; that of a minute is learnt, or said by the operator (`PROVIDER_LIMITS`).
    consult: |settings| Ok(dialect::hosted(settings, ADDRESS, DIALECT)?),
    ..Vendor::OF_CALLS
};

/// The vendor and its client.
pub static CLIENT: Client = Client {
    vendor: &VENDOR,
    connect: |settings| Ok(Adapter::Calls(dialect::hosted(settings, ADDRESS, DIALECT)?)),
};

const ADDRESS: &str = "https://api.groq.com/openai/v1";

/// Segments are asked for, which tell when an answer lost its end.
const DIALECT: Dialect = Dialect::VLLM;

const READ_ON: Date = date!(2026 - 11 - 26);

/// By the hour; nothing is billed as less than ten seconds.
const fn price(per_hour: f64) -> Price {
    let audio = AudioPrice {
        per_hour,
        min_seconds: 10.0,
        step_seconds: 0.0,
    };
    Price::of_hour(READ_ON, audio)
}

const WHISPER_LARGE: Model = Model {
    id: "groq/whisper-large-v3",
    provider: "groq",
    model: "whisper-large-v3",
    display_name: "Whisper large v3 (Groq)",
    languages: Languages::Same(WHISPER),
    // Of the free tier, with room for the rest of the form; others take 100 MB.
    max_file_bytes: 26_200_000,
    prices: &[price(0.111)],
    notes: "A clip of less than 10 s is billed as 10 s. Limits are shared by all keys of an \
            organisation. Whisper may write fluent text for silence.",
    ..Model::OF_CALLS
};

const MODELS: &[Model] = &[
    WHISPER_LARGE,
    Model {
        id: "groq/whisper-large-v3-turbo",
        model: "whisper-large-v3-turbo",
        display_name: "Whisper large v3 turbo (Groq)",
        prices: &[price(0.04)],
        ..WHISPER_LARGE
    },
];
