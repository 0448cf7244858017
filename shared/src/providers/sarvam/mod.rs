//! Sarvam's batch transcription: jobs of up to twenty files of one language.
//!
//! What is known of it, and from where: PROTOCOL.md beside this file.

mod adapter;
mod client;
mod models;
mod output;
mod parts;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use models::MODELS;

use super::audio::AudioBy;
use super::credential::Field;
use super::http::BaseUrl;
use super::vendor::{
    Adapter, Client, Limits, Settings, SetupError, Timing, UnitLimits, Vendor, Works,
};

/// The vendor.
pub static VENDOR: Vendor = Vendor {
    name: "sarvam",
    title: "Sarvam AI",
    models: MODELS,
    credential: &[Field::API_KEY],
    audio: AudioBy::Bytes,
    unit: UnitLimits {
        samples: parts::MAX_FILES,
        // All of it is sent by one worker, in the minutes that one lives.
        bytes: 400_000_000,
    },
    // The smallest plan allows 20 requests a minute, and a job takes four or five
    // besides what asks for its state.
    limits: Limits::of_jobs(4),
    timing: Timing {
        deadline: Duration::from_secs(12 * 3_600),
        poll_pauses: &[
            Duration::from_secs(30),
            Duration::from_secs(60),
            Duration::from_secs(120),
        ],
        ..Timing::OF_JOBS
    },
    works: Works::Jobs,
    consult: |settings| Ok(Arc::new(made(settings)?)),
};

/// The vendor and its client.
pub static CLIENT: Client = Client {
    vendor: &VENDOR,
    connect: |settings| Ok(Adapter::Jobs(Arc::new(made(settings)?))),
};

fn made(settings: &Settings) -> Result<adapter::Sarvam, SetupError> {
    let address = settings
        .base_url
        .as_deref()
        .unwrap_or("https://api.sarvam.ai");
    let base = BaseUrl::parse(address).map_err(SetupError::BaseUrl)?;
    let client = client::Client::new(base, settings.grace);
    Ok(adapter::Sarvam::new(client))
}
