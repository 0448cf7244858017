//! TLS of everything that leaves the process: ring, and the roots of the machine.
//!
//! Reading and parsing the roots takes longer than most of what else a start does, so
//! they are read once, and every client has the same configuration.

mod provider;

use std::sync::{Arc, Mutex, PoisonError};

use rustls::ClientConfig;
use rustls_platform_verifier::BuilderVerifierExt;

static CONFIG: Mutex<Option<ClientConfig>> = Mutex::new(None);

/// The configuration of a client, which reads the roots when it is first wanted.
///
/// # Errors
/// What is wrong with the roots of this machine. It is looked at again by the next call.
pub(crate) fn config() -> Result<ClientConfig, rustls::Error> {
    // Held while the roots are read: what wants them as well waits, and does not read them
    // a second time.
    let mut kept = CONFIG.lock().unwrap_or_else(PoisonError::into_inner);
    match &*kept {
        Some(config) => Ok(config.clone()),
        None => Ok(kept.insert(read()?).clone()),
    }
}

fn read() -> Result<ClientConfig, rustls::Error> {
    let mut config = ClientConfig::builder_with_provider(Arc::new(provider::provider()))
        .with_safe_default_protocol_versions()?
        .with_platform_verifier()?
        .with_no_client_auth();
    // No client of ours speaks HTTP/2, and none of the services it talks to needs it.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// Gives the process the provider: a client wants one even before it has a configuration. A second
/// call in one process (the embedded cloud) finds it installed, which is just as good.
pub(crate) fn install() {
    if rustls::crypto::CryptoProvider::get_default().is_none()
        && provider::provider().install_default().is_err()
    {
        tracing::debug!("a TLS provider was installed meanwhile");
    }
}

/// Reads the roots in a thread of its own, beside what else a start does. What needs them
/// sooner waits for it.
pub(crate) fn preload() {
    let reading = std::thread::Builder::new().name("tls-roots".into());
    let spawned = reading.spawn(|| {
        if let Err(error) = config() {
            tracing::warn!(%error, "no TLS roots can be read");
        }
    });
    if let Err(error) = spawned {
        tracing::debug!(%error, "the TLS roots are read at the first request");
    }
}
