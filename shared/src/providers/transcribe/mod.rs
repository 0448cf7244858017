//! Amazon Transcribe: each file is a job, which has a name of ours and leaves its
//! transcript in our bucket. It is asked with the role of the functions.
//!
//! What is known of it, and from where: PROTOCOL.md beside this file.

mod adapter;
mod client;
mod connected;
mod formats;
mod name;
mod output;
mod refusal;
mod service;

use std::sync::Arc;

use aws_types::SdkConfig;
use time::Date;
use time::macros::date;

use super::audio::AudioBy;
use super::model::{Languages, Model, Takes};
use super::own_bucket::OwnBucket;
use super::price::{AudioPrice, Price};
use super::vendor::{Adapter, Client, Limits, Settings, Timing, UnitLimits, Vendor, Works};

/// The vendor.
pub static VENDOR: Vendor = Vendor {
    name: "aws",
    title: "Amazon Transcribe",
    models: MODELS,
    credential: &[],
    audio: AudioBy::Stored,
    unit: UnitLimits {
        // As many as one name tells of in a kilobyte.
        samples: 20,
        // Recordings that may change are copied by one worker, in the minutes that one
        // lives.
        bytes: 400_000_000,
    },
    // 250 jobs are worked on at once in an account and region, and projects share that:
    // what is too much is refused, and waits or is left to the next round.
    limits: Limits::of_jobs(5),
    timing: Timing::OF_JOBS,
    works: Works::Jobs,
    consult: |_| Ok(Arc::new(adapter::Transcribe::new(None))),
};

/// The vendor and a client that reads what the service wrote, and asks nothing: see [`asking`].
pub static CLIENT: Client = Client {
    vendor: &VENDOR,
    connect: |_| Ok(Adapter::Jobs(Arc::new(adapter::Transcribe::new(None)))),
};

/// The client of a function that asks the service, over the configuration of its other
/// clients of AWS. Makes no request, and no client of the SDK before the first one.
#[must_use]
pub fn asking(settings: &Settings, aws: &SdkConfig, bucket: Arc<dyn OwnBucket>) -> Adapter {
    let sdk = client::Sdk::new(aws, settings.base_url.clone(), settings.grace);
    let connected = connected::Connected {
        service: Arc::new(sdk),
        bucket,
        grace: settings.grace,
    };
    Adapter::Jobs(Arc::new(adapter::Transcribe::new(Some(connected))))
}

const READ_ON: Date = date!(2026 - 11 - 26);

/// Those of ours that the service has for files.
const LANGUAGES: &[(&str, &str)] = &[
    ("bn", "bn-IN"),
    ("en", "en-IN"),
    ("gu", "gu-IN"),
    ("hi", "hi-IN"),
    ("kn", "kn-IN"),
    ("ml", "ml-IN"),
    ("mr", "mr-IN"),
    ("ne", "ne-NP"),
    ("or", "or-IN"),
    ("pa", "pa-IN"),
    ("ta", "ta-IN"),
    ("te", "te-IN"),
];

const MODELS: &[Model] = &[Model {
    id: "aws/transcribe",
    provider: "aws",
    model: "transcribe",
    display_name: "Amazon Transcribe",
    languages: Languages::Table(LANGUAGES),
    max_audio_seconds: 4 * 3_600,
    max_file_bytes: 2_000_000_000,
    // The highest of those that were found: see PROTOCOL.md.
    prices: &[Price::of_hour(
        READ_ON,
        AudioPrice {
            per_hour: 1.44,
            min_seconds: 15.0,
            step_seconds: 1.0,
        },
    )],
    notes: "Asked with the role of this deployment: there is no key to keep, and all projects use \
            one account. English is asked for as Indian English. Numbers may be written as digits, \
            which can't be switched off; no words are masked or redacted, speakers and channels \
            are not told apart, and no vocabulary is used. A clip is billed as 15 seconds at \
            least. Jobs are deleted there once their transcripts are kept here. AWS may use audio \
            to improve its services, unless the organisation has opted out.",
    takes: Takes::NOTHING,
    ..Model::OF_CALLS
}];
