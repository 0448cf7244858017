//! Vendors of speech-to-text behind two small traits, and the catalogue of
//! their models.
//!
//! Two shapes exist in the field, and each [`Vendor`] is one of them: [`Jobs`]
//! take many items at once and answer hours later (Gemini Batch, Sarvam jobs,
//! Amazon Transcribe), [`Calls`] answer each item in its call (`ElevenLabs`,
//! Deepgram, whatever speaks the dialect of `OpenAI`). Behind the raw output of lines
//! keyed by item nothing knows which one it was.
//!
//! A new vendor is a folder here and a line in [`VENDORS`]. What it is asked without being
//! given work is [`Consult`], and all that a function has of it that gives none. Nothing here decides
//! about retries of the irreversible step: that is the unit's state machine
//! ([`crate::domain::unit`]).
//!
//! # Errors
//! A [`CallError`] says first of all whether the call may have had an effect.
//! `Rejected` and `Input`: certainly none. `Ambiguous`: perhaps; only what may be done
//! twice is done again, and a job is looked for by its name. Calls that may be
//! repeated have been, a few times, when they fail as `Ambiguous`, `Quota` or
//! `Unreachable`; starting a job never is, nor a call that is paid for. [`Rejection`]
//! tells what helps: waiting (`Quota`, `Unreachable`), a person (`Unauthorized`,
//! `OutOfCredit`), sending the input anew (`InputGone`), nothing (`Invalid`). `Exists`
//! is the one conflict: the name is taken. One `NotFound` is no proof of absence.

pub mod answer;
mod assemblyai;
mod audio;
mod calls;
mod consult;
mod credential;
pub mod custom;
mod deepgram;
pub mod dialect;
mod elevenlabs;
mod error;
mod estimate;
pub mod gemini;
mod groq;
mod handles;
pub mod http;
pub mod imported;
mod jobs;
mod lines;
mod mistral;
pub mod model;
mod openai;
mod own;
mod own_bucket;
pub mod price;
mod regions;
mod registry;
mod sarvam;
mod spoken;
mod supports;
pub mod transcribe;
mod vendor;
mod within;

pub use crate::domain::transcribe::ModelConfig;
pub use crate::domain::unit::BatchState;
pub use crate::domain::usage::Usage;
pub use audio::{AudioBy, AudioSource, ByteStream, ItemAudio, StagedInput};
pub use calls::{CallAnswer, CallItem, Calls, RawLine};
pub use consult::Consult;
pub use credential::{API_KEY, Credential, Field, REGION};
pub use error::{CallError, Rejection};
pub use jobs::{
    AudioName, AudioStore, BatchStatus, Found, JobItem, JobName, Jobs, KeptFile, Ledger, Listing,
    NewJob, Prepared, Sought,
};
pub use lines::{ItemOutcome, Measured, OutputLine, ReadsLines};
pub use model::{AnyModel, Model};
pub use own::{Offered, OwnModel};
pub use own_bucket::{Left, OwnBucket};
pub use registry::{CLIENTS, Registry, RegistryError, VENDORS};
pub use supports::{TakenAs, Unsupported};
pub use vendor::{
    Adapter, Client, Limits, Settings, SetupError, Timing, UnitLimits, Vendor, Works,
};
