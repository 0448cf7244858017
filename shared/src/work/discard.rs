//! Discarding what was made for a unit at its vendor, as far as a step asks for
//! it.

use super::account::{client, credential};
use super::failure::Failure;
use crate::app::App;
use crate::domain::unit::Unit;

/// Deletes what was prepared for a job and is read by none any more.
pub async fn delete_input(app: &App, unit: &Unit, name: &str) -> Result<(), Failure> {
    let id = unit.credential.as_deref().unwrap_or_default();
    let Some(credential) = credential(app, &unit.project, &unit.vendor, id).await? else {
        return Ok(());
    };
    match client(app, &unit.vendor)?
        .discard_prepared(&credential, name)
        .await
    {
        // The vendor forgets by itself in a while.
        Err(error) if error.is_unauthorized() => Ok(()),
        deleted => Ok(deleted?),
    }
}

/// Stops a job. What was prepared for it stays: another job of the unit, the one
/// that counts, may still be read from it.
///
/// False when there is no credential to tell it with: it may go on. That the
/// credential is refused is an error like others: one such answer may be a mistake, and
/// the job costs as long as it runs.
pub async fn cancel_batch(app: &App, unit: &Unit, batch: &str) -> Result<bool, Failure> {
    let id = unit.credential.as_deref().unwrap_or_default();
    let Some(credential) = credential(app, &unit.project, &unit.vendor, id).await? else {
        return Ok(false);
    };
    client(app, &unit.vendor)?
        .cancel(&credential, batch)
        .await?;
    Ok(true)
}

/// The same where nothing depends on it: that the vendor fails is only told, for
/// the audit of the credential tries again.
pub async fn try_to_cancel(app: &App, unit: &Unit, batch: &str) -> Result<(), Failure> {
    match cancel_batch(app, unit, batch).await {
        Err(Failure::Provider(error)) => {
            tracing::warn!(run_id = %unit.run, unit_id = %unit.key, %error, "a batch was not told to stop");
            Ok(())
        }
        other => other.map(drop),
    }
}
