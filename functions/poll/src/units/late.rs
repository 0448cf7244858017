//! Batches whose units ended without them, and that have brought something after
//! all: the provider did not know one for a while, or said that it had no output,
//! or took longer than is waited. What they have brought was paid for.
//!
//! It is landed as any output is, and the unit is replayed from there: the run's
//! counts are put right in one transaction with the outcomes. Where that may not
//! be done any more (the run was scored again since, or a later round has its own
//! outcomes) what has landed is kept beside them.

use stt_eval_shared::App;
use stt_eval_shared::domain::unit::{Event, Unit, UnitState};
use stt_eval_shared::objects::ObjectError;
use stt_eval_shared::providers::{Credential, Jobs};
use stt_eval_shared::work::step::save;

use super::collect;
use crate::failure::Failure;
use crate::operator::replay;

/// Collects a batch of a unit that is done. `None` when that has to wait: its run
/// is under way.
pub(crate) async fn collect(
    app: &App,
    client: &dyn Jobs,
    credential: &Credential,
    unit: &Unit,
    batch: &str,
    output: &str,
) -> Result<Option<Unit>, Failure> {
    if !unit.is_done() || unit.state == UnitState::Cancelled {
        return Ok(None);
    }
    let Some(run) = app.store.run(&unit.project, unit.run).await? else {
        return Ok(None);
    };
    if run.status.is_active() || run.closing {
        return Ok(None);
    }
    let key = collect::landed_at(unit);
    let has_landed = match app.objects.head(&key, None).await {
        Ok(_) => !collect::read(app, unit, &key, None).await?.is_empty(),
        Err(ObjectError::Missing) => false,
        Err(error) => return Err(error.into()),
    };
    if !has_landed {
        let stream = client.output(credential, output).await?;
        let landed = app
            .objects
            .put_stream(&key, "application/jsonl", stream)
            .await?;
        tracing::warn!(
            run_id = %unit.run, unit_id = %unit.key, batch, bytes = landed.length,
            sha256 = %landed.sha256, "an output was landed after its unit had ended"
        );
        if collect::read(app, unit, &key, landed.whole)
            .await?
            .is_empty()
        {
            // Whatever that is: it stays at the provider, and is looked at again.
            return Ok(None);
        }
    }
    replay::late(app, unit).await?;
    let batch = batch.to_owned();
    save(app, unit, Event::Late { batch }).await
}
