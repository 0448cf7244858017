//! A stateful test double of the Gemini Files and Batch protocol.
//!
//! It speaks what the public documentation, the official SDKs and recorded
//! answers show of the Developer API (`/v1` and `/v1beta`): resumable uploads,
//! files, batches with file or inline input, generated result files, models
//! and the synchronous `generateContent`. It holds no model: audio is answered
//! from [`Recordings`], looked up by the SHA-256 of its bytes, and everything
//! else gets an error that says so.
//!
//! Where the documentation is silent the strictest reading is taken, so that a
//! client which passes here depends on nothing that was merely assumed:
//!
//! - caller-chosen file names are unique over all API keys;
//! - a non-final upload chunk must be a multiple of the stated granularity;
//! - a JSONL line holds `key` and `request` and nothing else, every key once;
//!   a line that does not parse refuses the whole create call;
//! - a file that is unknown, foreign, expired or not `ACTIVE` when the batch
//!   runs fails its own line only; an input file that is gone fails the batch;
//! - downloads are redirected to `/download/…`, and files with ids of more than 40
//!   characters can't be deleted, as the live service does it;
//! - webhooks are not delivered, so `webhookConfig` is refused.
//!
//! Failures on demand are [`FaultRule`]s, given to the library
//! ([`GeminiSim::faults`]) or over HTTP (`POST /_sim/faults`). Rules live in
//! memory only; files and batches survive a restart when there is a
//! [`SimConfig::state_dir`]. Upload sessions that were not finished do not.
//!
//! The control plane for tests in other processes is `/_sim/…`: see
//! `control.rs`.

mod answer;
mod ask;
mod batch_record;
mod batches;
mod clock;
mod config;
mod control;
mod dispatch;
mod fault;
mod faults;
mod fields;
mod file_record;
mod files;
mod ledger;
mod models;
mod output;
mod owner;
mod recordings;
mod results;
mod route;
mod schema;
mod server;
mod session;
mod sim;
mod store;
mod upload;
mod wire;

pub use batch_record::BatchView;
pub use config::SimConfig;
pub use fault::{ErrorMember, Fault, MalformedForm};
pub use faults::{FaultRule, Faults};
pub use file_record::FileView;
pub use ledger::{Ledger, LedgerEntry};
pub use recordings::{Recording, RecordingError, Recordings};
pub use route::Route;
pub use server::GeminiSim;
