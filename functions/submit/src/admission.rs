//! Room at the provider: a unit is only submitted while its credential stays
//! under the provider's limits. The rest waits.

use std::collections::BTreeMap;

use stt_eval_shared::App;
use stt_eval_shared::config::Admission;
use stt_eval_shared::domain::dataset::Sample;
use stt_eval_shared::domain::unit::{Unit, UnitState, WaitingReason};
use stt_eval_shared::providers::Credential;
use stt_eval_shared::store::StoreError;
use stt_eval_shared::store::slots::{Slot, Slots};

use super::Failure;

/// Collisions with other units after which one comes again later.
const TRIES: u32 = 5;

/// What a unit takes up at its provider.
pub(crate) fn slot(unit: &Unit, model: &str, samples: &[Sample]) -> Slot {
    let seconds: f64 = samples.iter().map(|sample| sample.duration_seconds).sum();
    Slot {
        run: unit.run,
        unit: unit.key,
        model: model.to_owned(),
        audio_seconds: seconds.ceil() as u64,
        bytes: samples.iter().map(|sample| sample.size_bytes).sum(),
    }
}

/// Whether there is room for another unit, and if not, why. What is larger
/// than a limit by itself is let in alone.
fn refusal(limits: &Admission, slots: &Slots, new: &Slot) -> Option<WaitingReason> {
    let taken = || slots.taken.iter();
    taken().next()?;
    if taken().count() >= limits.open_batches {
        return Some(WaitingReason::ProviderBatchesFull);
    }
    if taken().map(|slot| slot.bytes).sum::<u64>() + new.bytes > limits.stored_bytes {
        return Some(WaitingReason::ProviderStorageFull);
    }
    let waiting: u64 = taken()
        .filter(|slot| slot.model == new.model)
        .map(|slot| slot.audio_seconds)
        .sum();
    if waiting > 0 && waiting + new.audio_seconds > limits.audio_seconds {
        return Some(WaitingReason::ModelQueueFull);
    }
    None
}

/// Takes room for a unit. `Some` is why there is none now.
pub(crate) async fn admit(
    app: &App,
    unit: &Unit,
    credential: &Credential,
    slot: &Slot,
) -> Result<Option<WaitingReason>, Failure> {
    let (project, provider) = (&unit.project, &*unit.provider);
    for attempt in 1..=TRIES {
        let slots = app.store.slots(project, provider, &credential.id).await?;
        let mine = |taken: &&Slot| taken.run == unit.run && taken.unit == unit.key;
        if slots.taken.iter().any(|taken| mine(&taken)) {
            return Ok(None);
        }
        if let Some(reason) = refusal(&app.config.admission, &slots, slot) {
            let stale = stale(app, unit, &slots).await?;
            if stale.is_empty() {
                return Ok(Some(reason));
            }
            app.store
                .give_back_slots(project, provider, &credential.id, stale)
                .await?;
            continue;
        }
        match app
            .store
            .take_slot(project, provider, &credential.id, &slots, slot)
            .await
        {
            Ok(()) => return Ok(None),
            Err(StoreError::Conflict) => {
                tokio::time::sleep(std::time::Duration::from_millis(20 * u64::from(attempt))).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
    // Many units ask for room at once.
    Ok(Some(WaitingReason::Other))
}

/// Slots whose units are not on their way to the provider any more: they were
/// left behind by something that broke off.
async fn stale(app: &App, unit: &Unit, slots: &Slots) -> Result<Vec<Slot>, StoreError> {
    let keys: Vec<_> = slots
        .taken
        .iter()
        .map(|slot| (slot.run, slot.unit))
        .collect();
    let known: BTreeMap<_, _> = app
        .store
        .units(&unit.project, keys)
        .await?
        .into_iter()
        .map(|unit| ((unit.run, unit.key), unit))
        .collect();
    let gone = |slot: &&Slot| match known.get(&(slot.run, slot.unit)) {
        None => true,
        Some(unit) => unit.is_done() || matches!(unit.state, UnitState::Collecting { .. }),
    };
    Ok(slots.taken.iter().filter(gone).cloned().collect())
}

#[cfg(test)]
mod tests {
    use stt_eval_shared::domain::RunId;
    use stt_eval_shared::domain::unit::UnitKey;

    use super::*;

    fn slot(chunk: u16, model: &str, audio_seconds: u64, bytes: u64) -> Slot {
        let unit = UnitKey {
            provider: 0,
            round: 1,
            chunk,
        };
        Slot {
            run: RunId::mint(1, [1; 10]),
            unit,
            model: model.into(),
            audio_seconds,
            bytes,
        }
    }

    fn slots(taken: Vec<Slot>) -> Slots {
        let mut slots = Slots::default();
        slots.taken.extend(taken);
        slots
    }

    #[test]
    fn room_is_counted_by_batches_bytes_and_audio_of_the_model() {
        let limits = Admission {
            open_batches: 2,
            stored_bytes: 100,
            audio_seconds: 60,
            ..Admission::default()
        };
        let refused = |taken: Vec<Slot>, new: Slot| refusal(&limits, &slots(taken), &new).is_some();
        assert!(
            !refused(vec![], slot(0, "a", 1_000, 1_000)),
            "alone, whatever its size"
        );
        assert!(!refused(vec![slot(0, "a", 30, 50)], slot(1, "a", 30, 50)));
        assert!(
            refused(vec![slot(0, "a", 30, 50)], slot(1, "a", 31, 50)),
            "audio"
        );
        assert!(
            !refused(vec![slot(0, "a", 30, 50)], slot(1, "b", 31, 50)),
            "another model"
        );
        assert!(
            refused(vec![slot(0, "a", 30, 51)], slot(1, "b", 1, 50)),
            "bytes"
        );
        let two = vec![slot(0, "a", 1, 1), slot(1, "a", 1, 1)];
        assert!(refused(two, slot(2, "b", 1, 1)), "batches");
    }
}
