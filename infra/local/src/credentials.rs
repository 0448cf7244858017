//! Credentials that new projects of this machine begin with.

use std::collections::BTreeMap;
use std::path::Path;

use secrecy::SecretString;
use stt_eval_shared::App;
use stt_eval_shared::domain::{ProjectId, Timestamp};
use stt_eval_shared::providers::{Client, Vendor};

use crate::error::NodeError;

/// The vendor that there is a simulator of.
pub(crate) const SIMULATED: &str = "google";

/// A new project begins with credentials, if there are any to give: the machine's
/// own keys, or made-up ones for stand-ins on this machine.
pub(crate) async fn seed(
    app: &App,
    project: &ProjectId,
    data: &Path,
    clients: &[&'static Client],
    keys: &BTreeMap<String, SecretString>,
    provider_urls: &BTreeMap<String, String>,
) -> Result<(), NodeError> {
    let failed = |e: &dyn std::fmt::Display| NodeError(format!("a credential: {e}"));
    let on_this_machine = |vendor: &Vendor| {
        let url = provider_urls.get(vendor.name);
        let mut prefixes = ["http://127.0.0.1:", "http://localhost:", "http://[::1]:"].iter();
        url.is_some_and(|url| prefixes.any(|prefix| url.starts_with(prefix)))
    };
    // Others want none.
    let vendors = clients.iter().map(|client| client.vendor);
    for vendor in vendors.filter(|vendor| !vendor.credential.is_empty()) {
        let secret = match keys.get(vendor.name) {
            Some(key) => key.clone(),
            None if on_this_machine(vendor) => {
                SecretString::from(format!("simulated-key-of-{project}"))
            }
            None => continue,
        };
        let kept = app.store.credential(project, vendor.name).await;
        let marker = data.join(marker(project, vendor));
        if kept.map_err(|e| failed(&e))?.is_some() || marker.exists() {
            continue;
        }
        let Some(vault) = &app.vault else {
            return Ok(());
        };
        let now = Timestamp::now();
        let sealed = vault.seal(project, vendor.name, &secret, now, now).await;
        let sealed = sealed.map_err(|e| failed(&e))?;
        let saved = app.store.save_credential(project, &sealed).await;
        saved.map_err(|e| failed(&e))?;
        // One that people removed must not come back with the next start.
        std::fs::write(marker, "").map_err(|e| failed(&e))?;
    }
    Ok(())
}

/// What remembers that a project was given a credential. That of the one vendor
/// of release 0.1.0 bears no vendor's name.
fn marker(project: &ProjectId, vendor: &Vendor) -> String {
    if vendor.name == SIMULATED {
        format!("seeded-{project}")
    } else {
        format!("seeded-{project}-{}", vendor.name)
    }
}
