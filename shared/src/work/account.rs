//! A project's account at a vendor: the credential that it is asked with.

use super::failure::Failure;
use crate::app::App;
use crate::domain::ProjectId;
use crate::providers::{AudioStore, CallError, Credential, Jobs};

/// A unit names a vendor that this release does not have.
pub const UNKNOWN_VENDOR: Failure = Failure::Setup("a unit's provider is unknown here");

/// A project's credential for a vendor.
pub struct Access {
    /// What the vendor is asked with.
    pub credential: Credential,
    /// It is not the one that was asked for: that one was replaced. Usually the
    /// new key belongs to the same account at the vendor, but nothing says so:
    /// what is not visible with it may well be there.
    pub replaced: bool,
}

impl Access {
    /// Whether the vendor says that there is no such thing, and would know.
    #[must_use]
    pub fn proves_absence(&self, error: &CallError) -> bool {
        error.is_unknown() && !self.replaced
    }
}

/// Opens the credential that a project has for a vendor now. `None` when there is
/// none, though the vendor wants one.
pub async fn current(
    app: &App,
    project: &ProjectId,
    vendor: &str,
) -> Result<Option<Credential>, Failure> {
    let known = app.vendor(vendor);
    if let Some(known) = known.filter(|known| known.is_open() || known.is_by_role()) {
        return Ok(app.keyless(known));
    }
    let vault = app
        .vault
        .as_ref()
        .ok_or(Failure::Setup("KMS_KEY_ID or KEY_FILE is not set"))?;
    match app.store.credential(project, vendor).await? {
        Some(sealed) => Ok(Some(vault.open(project, &sealed).await?)),
        None => Ok(None),
    }
}

/// Opens a project's credential for a vendor to look after what was made with the
/// credential of this id. `None` when it was removed: what was made with it is out
/// of reach.
pub async fn access(
    app: &App,
    project: &ProjectId,
    vendor: &str,
    id: &str,
) -> Result<Option<Access>, Failure> {
    let current = current(app, project, vendor).await?;
    Ok(current.map(|mut credential| {
        let replaced = credential.id != id;
        credential.id = id.to_owned();
        Access {
            credential,
            replaced,
        }
    }))
}

/// The same for what may be tried with whatever key there is now.
pub async fn credential(
    app: &App,
    project: &ProjectId,
    vendor: &str,
    id: &str,
) -> Result<Option<Credential>, Failure> {
    let access = access(app, project, vendor, id).await?;
    Ok(access.map(|access| access.credential))
}

/// Where a vendor keeps audio. `None` for one that has no store.
pub fn audio_store<'a>(app: &'a App, vendor: &str) -> Result<Option<&'a dyn AudioStore>, Failure> {
    let adapter = app.adapter(vendor).ok_or(UNKNOWN_VENDOR)?;
    Ok(adapter.jobs().and_then(Jobs::audio_store))
}

/// The client of a unit's vendor, which takes jobs.
pub fn client<'a>(app: &'a App, vendor: &str) -> Result<&'a dyn Jobs, Failure> {
    app.jobs(vendor).ok_or(UNKNOWN_VENDOR)
}
