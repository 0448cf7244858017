//! Stepping a unit: the step, its effects, and the write, in this order.

use super::failure::Failure;
use super::{admission, discard};
use crate::app::App;
use crate::crypto::random;
use crate::domain::Timestamp;
use crate::domain::unit::{Effect, Event, Step, Unit};
use crate::store::StoreError;

/// A new, unique claim.
pub fn fence() -> Result<u64, Failure> {
    // 53 bits: what every number format on the way holds exactly.
    Ok(u64::from_be_bytes(random::<8>()?) >> 11)
}

/// Saves a step and does its effects. `None` when another invocation was faster:
/// the work is its own.
pub async fn save(app: &App, unit: &Unit, event: Event) -> Result<Option<Unit>, Failure> {
    match make(app, unit, event).await? {
        Some(next) => saved(app.store.save_unit(&next).await, next),
        None => Ok(None),
    }
}

/// The unit, unless another invocation was faster to write it.
pub fn saved(result: Result<(), StoreError>, unit: Unit) -> Result<Option<Unit>, Failure> {
    match result {
        Ok(()) => Ok(Some(unit)),
        Err(StoreError::Conflict) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Makes a step and does its effects; what it leads to is still to be saved.
pub async fn make(app: &App, unit: &Unit, event: Event) -> Result<Option<Unit>, Failure> {
    let now = Timestamp::now();
    let policy = app.policy(&unit.vendor);
    let Ok(Step {
        unit: next,
        effects,
    }) = unit.step(event, now, &policy)
    else {
        return Ok(None);
    };
    // Effects first: each may be repeated, and one that fails leaves the unit
    // where it was, to be done again.
    for effect in effects {
        match effect {
            // A second job of an intent costs as long as it runs. One that is
            // given up was told to stop again and again before.
            Effect::CancelBatch(batch) if unit.is_sought(now, &policy) => {
                discard::cancel_batch(app, unit, &batch).await?;
            }
            Effect::CancelBatch(batch) => discard::try_to_cancel(app, unit, &batch).await?,
            Effect::DeleteInput(name) => discard::delete_input(app, unit, &name).await?,
        }
    }
    if next.is_done() {
        admission::release(app, unit).await?;
    }
    Ok(Some(next))
}
