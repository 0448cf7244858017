//! Looking for batches that nobody recorded: paid for and of no use.
//!
//! The submission protocol leaves none behind. A batch the provider accepted
//! long after its call was given up would be one, and this is how it is seen.

use std::collections::BTreeMap;

use stt_eval_shared::App;
use stt_eval_shared::domain::unit::{Unit, UnitKey, UnitState};
use stt_eval_shared::domain::{ProjectId, RunId, Timestamp};
use stt_eval_shared::providers::{BatchProvider, BatchState, Credential};

use super::Failure;

/// Stops the batches of a credential that belong to no unit; gives how many.
pub(crate) async fn audit(
    app: &App,
    project: &ProjectId,
    client: &dyn BatchProvider,
    credential: &Credential,
) -> Result<usize, Failure> {
    let since = Timestamp::now() - app.config.policy.deadline * 2;
    let batches = client.list(credential, since.into()).await?;
    let ours: Vec<_> = batches
        .into_iter()
        .filter(|batch| matches!(batch.state, BatchState::Pending | BatchState::Running))
        .filter_map(|batch| {
            let name = Unit::parse_display_name(&app.config.stage, project, &batch.display_name)?;
            Some((batch, name))
        })
        .collect();
    if ours.is_empty() {
        return Ok(0);
    }
    // The listing came first: a unit that is read now knows all it will ever
    // know of the batches in it.
    let keys: Vec<_> = ours.iter().map(|(_, (run, key, _))| (*run, *key)).collect();
    let units: BTreeMap<(RunId, UnitKey), Unit> = app
        .store
        .units(project, keys)
        .await?
        .into_iter()
        .map(|unit| ((unit.run, unit.key), unit))
        .collect();
    let mut stopped = 0;
    for (batch, (run, key, attempt)) in ours {
        if units
            .get(&(run, key))
            .is_some_and(|unit| knows(unit, &batch.name, attempt))
        {
            continue;
        }
        tracing::error!(run_id = %run, unit = %key, attempt, "a batch that nobody recorded is stopped");
        client.cancel(credential, &batch.name).await?;
        stopped += 1;
    }
    Ok(stopped)
}

/// Whether a batch is the unit's, or may still turn out to be.
fn knows(unit: &Unit, batch: &str, attempt: u32) -> bool {
    // A listing that is behind may still show it as open.
    if unit
        .resubmitted
        .as_ref()
        .is_some_and(|again| again.batch == batch)
    {
        return true;
    }
    match &unit.state {
        UnitState::Creating { .. } => unit.attempt == attempt,
        UnitState::Submitted { batch: known, .. } | UnitState::Cancelling { batch: known } => {
            known == batch
        }
        UnitState::Collecting { batch: known, .. } => known.as_deref() == Some(batch),
        UnitState::Ready { .. }
        | UnitState::Collected
        | UnitState::Quarantined
        | UnitState::Cancelled => false,
    }
}
