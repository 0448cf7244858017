//! Test doubles of speech-to-text vendors, one process for all of them.
//!
//! Each vendor is below a path of its own (`/openai/v1/…`), so that one address with a
//! prefix stands for it. The doubles are as strict as the services are known to be, keep
//! a [`Ledger`] of what was charged to whom, and play a [`Fault`] for a paid request when
//! told to. What is heard is the beginning of the audio's SHA-256, or a recording.
//!
//! Nothing here shares code with the adapters under test. That both read the protocol in
//! the same way is checked by the vendors' own clients (`tests/python/vendors`).

mod audio;
mod bucket;
mod control;
mod fault;
mod ledger;
mod refusal;
mod server;
mod sim;
mod vendors;
mod words;

pub use bucket::s3_at;
pub use fault::Fault;
pub use ledger::{Charge, Ledger};
pub use server::SpeechSim;
