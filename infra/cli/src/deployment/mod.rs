//! A deployment over HTTP: the types of the contract, and what to do when it does not
//! answer.

mod advice;
mod client;
mod errors;
mod retry;
mod trace;

pub use advice::as_commands;
pub use client::{Deployment, Request};
pub use retry::{Pause, unique};
pub use trace::told;

use std::time::Duration;

use crate::failure::{Exit, Failure};

/// Runs what waits for a network.
///
/// # Errors
/// What it ends with.
pub fn wait_for<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Exit::Failed, "machine", error.to_string()))?;
    runtime.block_on(work)
}

/// A client of HTTP. It follows no redirect: keys and signed addresses are for one place.
///
/// # Errors
/// The machine has no roots of TLS.
pub fn http() -> Result<reqwest::Client, Failure> {
    // An error says that one is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .connect_timeout(Duration::from_secs(10))
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("stt-eval/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|_| Failure::new(Exit::Failed, "machine", "no connection can be made by TLS"))
}
