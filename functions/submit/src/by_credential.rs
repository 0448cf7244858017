//! Units that wait because of what a vendor said to a credential: who is told where only a
//! person can help, and when they are tried at once.

use std::time::Duration;

use stt_eval_shared::domain::ProjectId;
use stt_eval_shared::domain::unit::{Unit, WaitingReason};
use stt_eval_shared::queue::Message;
use stt_eval_shared::work::Failure;
use stt_eval_shared::work::admission::call;
use stt_eval_shared::{App, Deadline, cloudwatch};

/// Least time that must be left to go on with further units.
const NEEDED: Duration = Duration::from_secs(10);

/// A unit was just written as one that waits by what its credential was told: if that is for
/// a person, the alarm hears of it. When the credential was replaced since the unit was refused, it
/// is tried at once: whatever called up the others may have come too early for this one.
pub(crate) async fn told(app: &App, unit: &Unit) -> Result<(), Failure> {
    let person = unit
        .waiting_reason
        .is_some_and(WaitingReason::needs_a_person);
    if let Some(blocked) = unit.blocked.filter(|_| person) {
        cloudwatch::action_needed(unit, blocked);
    }
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
        let (keys, next) = app.store.refused_units(project, vendor, after).await?;
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
            if unit.waits_by_credential() {
                call(app, &unit).await?;
            }
        }
        after = next;
        if after.is_none() {
            return Ok(());
        }
    }
}
