//! Units that wait for a person: who is told, and when they are tried at once.

use std::time::Duration;

use stt_eval_shared::domain::ProjectId;
use stt_eval_shared::domain::unit::Unit;
use stt_eval_shared::queue::Message;
use stt_eval_shared::work::Failure;
use stt_eval_shared::work::admission::call;
use stt_eval_shared::{App, Deadline, cloudwatch};

/// Least time that must be left to go on with further units.
const NEEDED: Duration = Duration::from_secs(10);

/// A unit was just written as one that waits for a person: the alarm hears of it.
/// When the credential was replaced since the unit was refused, it is tried at once:
/// whatever called up the others may have come too early for this one.
pub(crate) async fn told(app: &App, unit: &Unit) -> Result<(), Failure> {
    let Some(blocked) = unit.blocked else {
        return Ok(());
    };
    cloudwatch::action_needed(unit, blocked);
    let kept = app.store.credential(&unit.project, &unit.vendor).await?;
    match kept {
        Some(kept) if Some(&kept.id) != unit.credential.as_ref() => call(app, unit).await,
        _ => Ok(()),
    }
}

/// The credential of a vendor was replaced: what waits for that is tried at once.
pub(crate) async fn wake(
    app: &App,
    project: &ProjectId,
    vendor: &str,
    deadline: Deadline,
) -> Result<(), Failure> {
    let mut after = None;
    loop {
        let (keys, next) = app.store.blocked_units(project, vendor, after).await?;
        for unit in app.store.units(project, keys).await? {
            if !deadline.allows(NEEDED) {
                // Those that were called up are passed by next time.
                let again = Message::CredentialReplaced {
                    project: project.clone(),
                    vendor: vendor.to_owned(),
                };
                return Ok(app.queue.send(&[again]).await?);
            }
            // The index may be behind.
            if unit.blocked.is_some() {
                call(app, &unit).await?;
            }
        }
        after = next;
        if after.is_none() {
            return Ok(());
        }
    }
}
