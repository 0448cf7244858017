//! `OpenAI`'s transcription endpoint. What is known of it: the dialect's PROTOCOL.md.

use time::Date;
use time::macros::date;

use super::dialect::{self, WHISPER};
use super::model::{Languages, Model};
use super::price::{AudioPrice, Price};
use super::vendor::{Adapter, Client, Limits, Vendor};
use crate::domain::dialect::Dialect;

/// The vendor.
pub static VENDOR: Vendor = Vendor {
    name: "openai",
    title: "OpenAI",
    models: MODELS,
    limits: Limits::of_calls(8),
    consult: |settings| Ok(dialect::hosted(settings, ADDRESS, Dialect::OPENAI)?),
    ..Vendor::OF_CALLS
};

/// The vendor and its client.
pub static CLIENT: Client = Client {
    vendor: &VENDOR,
    connect: |settings| {
        Ok(Adapter::Calls(dialect::hosted(
            settings,
            ADDRESS,
            Dialect::OPENAI,
        )?))
    },
};

const ADDRESS: &str = "https://api.openai.com/v1";

const READ_ON: Date = date!(2026 - 11 - 26);

/// The others of its transcription models are switched off on 2027-02-26
/// (<https://developers.openai.com/api/docs/deprecations>).
const MODELS: &[Model] = &[Model {
    id: "openai/gpt-transcribe",
    provider: "openai",
    model: "gpt-transcribe",
    display_name: "OpenAI GPT Transcribe",
    languages: Languages::Same(WHISPER),
    // Models before it refuse more; of this one no limit was found.
    max_audio_seconds: 1_400,
    // 25 MiB, with room for the rest of the form.
    max_file_bytes: 26_200_000,
    prices: &[Price::of_hour(READ_ON, AudioPrice::by_the_second(0.27))],
    notes: "Its list of languages is not published; those of whisper are assumed. Speech that \
            holds instructions may be obeyed instead of transcribed.",
    ..Model::OF_CALLS
}];
