//! Writing units that changed at the same time in one transaction.

use stt_eval_shared::App;
use stt_eval_shared::domain::unit::{Event, Unit};
use stt_eval_shared::store::StoreError;
use stt_eval_shared::work::step;

use crate::coalesce::{Coalesce, Turn};
use crate::failure::Failure;

/// Most units of a transaction, which has up to 100 writes.
pub(crate) const TOGETHER: usize = 50;

/// Writes units' next revisions, together with whatever else comes at the same
/// time.
#[derive(Default)]
pub(crate) struct Writer(Coalesce<(), Unit, Result<(), StoreError>>);

impl Writer {
    /// Writes a unit's next revision.
    pub(crate) async fn save(&self, app: &App, unit: &Unit) -> Result<(), StoreError> {
        let (_turn, mut all, told) = match self.0.turn(unit.clone()).await {
            Turn::Done(result) => return result,
            Turn::Lead { shared, all, told } => (shared, all, told),
        };
        while !all.is_empty() {
            let rest = all.split_off(all.len().min(TOGETHER));
            let units: Vec<Unit> = all.iter().map(|waiting| waiting.what.clone()).collect();
            let saved = match units.len() {
                1 => Err(StoreError::Conflict),
                _ => app.store.save_units(&units).await,
            };
            for waiting in all {
                let result = match &saved {
                    // One of them was changed meanwhile; or it is alone.
                    Err(StoreError::Conflict) => app.store.save_unit(&waiting.what).await,
                    saved => saved.clone(),
                };
                waiting.tell(result);
            }
            all = rest;
        }
        told.result().unwrap_or(Err(StoreError::Unavailable(
            "the writing of a unit broke off".into(),
        )))
    }

    /// Makes a step, does its effects, and writes it in one write with whatever
    /// else this invocation saves just then. `None` when another invocation was
    /// faster.
    pub(crate) async fn step(
        &self,
        app: &App,
        unit: &Unit,
        event: Event,
    ) -> Result<Option<Unit>, Failure> {
        match step::make(app, unit, event).await? {
            Some(next) => step::saved(self.save(app, &next).await, next),
            None => Ok(None),
        }
    }
}
