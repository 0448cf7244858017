//! A vendor that answers each file's name. It shows what a vendor is: a folder
//! and a line in a list; nothing of the product knows it.
//!
//! It takes jobs, gets the bytes of the audio with them, has no store for audio
//! and no list of its jobs. What it is asked lives in this process.

pub mod calls;
mod jobs;
mod lines;

use std::sync::Arc;
use std::time::Duration;

use stt_eval_shared::providers::model::{Format, Languages, Lifecycle, Takes};
use stt_eval_shared::providers::price::{AudioPrice, Charge, Currency, Price};
use stt_eval_shared::providers::{
    Adapter, AudioBy, CLIENTS, Client, Consult, Field, Limits, Model, Settings, SetupError, Timing,
    UnitLimits, Vendor, Works,
};
use time::Date;
use time::macros::date;

pub use jobs::Echo;

/// The vendors of the product, and those of the tests: one line each.
#[must_use]
pub fn vendors() -> Vec<&'static Client> {
    let mut vendors = CLIENTS.to_vec();
    vendors.extend([&CLIENT, &OPEN_CLIENT, &calls::CLIENT]);
    vendors
}

/// The vendor that takes jobs.
pub static VENDOR: Vendor = Vendor {
    name: "echo",
    title: "Echo",
    models: &[MODEL],
    credential: &[Field::API_KEY],
    audio: AudioBy::Bytes,
    unit: UNIT,
    limits: LIMITS,
    timing: TIMING,
    works: Works::Jobs,
    consult,
};

/// The same with its client.
pub static CLIENT: Client = Client {
    vendor: &VENDOR,
    connect,
};

// Few, so that a small run has several units.
const UNIT: UnitLimits = UnitLimits {
    samples: 2,
    bytes: 1024 * 1024,
};

const LIMITS: Limits = Limits {
    open_units: 10,
    stored_bytes: u64::MAX,
    queued_tokens: u64::MAX,
    calls_at_once: 0,
};

const TIMING: Timing = Timing {
    deadline: Duration::from_secs(3_600),
    grace: Duration::from_secs(60),
    settle: Duration::from_secs(60),
    keeps_inputs: Duration::ZERO,
    reuses_inputs: Duration::ZERO,
    quota_hold: Duration::ZERO,
    poll_pauses: &[Duration::from_secs(1)],
};

/// The same without a key, as a server of one's own has none.
pub static OPEN: Vendor = Vendor {
    name: "echo-open",
    title: "Open Echo",
    models: &[Model {
        id: "echo-open-1",
        provider: "echo-open",
        model: "echo-open-1",
        prices: &[],
        ..MODEL
    }],
    credential: &[],
    audio: AudioBy::Bytes,
    unit: UNIT,
    limits: LIMITS,
    timing: TIMING,
    works: Works::Jobs,
    consult,
};

/// The same with its client.
pub static OPEN_CLIENT: Client = Client {
    vendor: &OPEN,
    connect,
};

/// One whose model its vendor does not serve any more. In no list: a machine that wants it
/// names it.
pub static RETIRED: Vendor = Vendor {
    name: "echo-retired",
    title: "Retired Echo",
    models: &[Model {
        id: "echo-retired-1",
        provider: "echo-retired",
        model: "echo-retired-1",
        retires_on: Some(date!(2020 - 01 - 01)),
        ..MODEL
    }],
    credential: &[],
    audio: AudioBy::Bytes,
    unit: UNIT,
    limits: LIMITS,
    timing: TIMING,
    works: Works::Jobs,
    consult,
};

/// The same with its client.
pub static RETIRED_CLIENT: Client = Client {
    vendor: &RETIRED,
    connect,
};

/// Its one model.
pub const MODEL: Model = Model {
    id: "echo-1",
    provider: "echo",
    model: "echo-1",
    display_name: "Echo",
    // Not all that we have.
    languages: Languages::Table(&[("en", "english"), ("hi", "hindi")]),
    max_audio_seconds: 60,
    max_file_bytes: 1024 * 1024,
    formats: &[Format {
        name: "wav",
        mime_type: "audio/wav",
        documented: true,
    }],
    batch: true,
    prices: &[Price {
        valid_from: READ_ON,
        read_on: READ_ON,
        currency: Currency::UsDollar,
        // 0.1 cents a second, and nothing is billed as less than ten.
        charge: Charge::Audio(AudioPrice {
            per_hour: 3.6,
            min_seconds: 10.0,
            step_seconds: 1.0,
        }),
        audio_confirmed: true,
    }],
    batch_discount: 1.0,
    lifecycle: Lifecycle::Stable,
    retires_on: None,
    notes: "",
    takes: Takes::NOTHING,
    max_output_tokens: None,
};

const READ_ON: Date = date!(2026 - 11 - 26);

fn consult(_: &Settings) -> Result<Arc<dyn Consult>, SetupError> {
    Ok(Arc::new(Echo::default()))
}

fn connect(_: &Settings) -> Result<Adapter, SetupError> {
    Ok(Adapter::Jobs(Arc::new(Echo::default())))
}
