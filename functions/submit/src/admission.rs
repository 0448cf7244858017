//! Room at the provider: a unit is only submitted while its credential stays
//! under the provider's limits. The rest waits, the oldest first (see
//! `domain::room`).

use std::collections::BTreeMap;

use stt_eval_shared::App;
use stt_eval_shared::access::random;
use stt_eval_shared::domain::Timestamp;
use stt_eval_shared::domain::dataset::Sample;
use stt_eval_shared::domain::room::{Answer, Room, Slot, Waiting};
use stt_eval_shared::domain::unit::{Unit, UnitState, WaitingReason};
use stt_eval_shared::providers::Credential;
use stt_eval_shared::store::{self, StoreError};

use super::Failure;

/// One in so many looks closer.
const LOOKS: u8 = 8;
/// Collisions with other units after which one comes again later.
const TRIES: u32 = 5;
/// Who has no place in the line asks less often: those in it come first.
const OUTSIDE: u32 = 5;

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

/// Takes room for a unit. `Some` is why there is none now, and after how many
/// pauses to ask again.
pub(crate) async fn admit(
    app: &App,
    unit: &Unit,
    credential: &Credential,
    slot: Slot,
) -> Result<Option<(WaitingReason, u32)>, Failure> {
    let me = Waiting {
        since: unit.ready_at,
        slot,
    };
    let limits = app.config.admission.limits();
    for attempt in 1..=TRIES {
        let room = app
            .store
            .room(&unit.project, &unit.provider, &credential.id)
            .await?;
        let (next, told) = match room.ask(&limits, &me) {
            Answer::Already => return Ok(None),
            Answer::In(next) => (next, None),
            Answer::Wait {
                reason,
                in_line,
                room: placed,
            } => {
                if looks_closer()?
                    && let Some(rest) = without_dead(app, &room).await?
                {
                    match app.store.save_room(&rest).await {
                        Ok(()) | Err(StoreError::Conflict) => continue,
                        Err(error) => return Err(error.into()),
                    }
                }
                let told = Some((reason, if in_line { 1 } else { OUTSIDE }));
                match placed {
                    Some(placed) => (placed, told),
                    None => return Ok(told),
                }
            }
        };
        match app.store.save_room(&next).await {
            Ok(()) => return Ok(told),
            Err(StoreError::Conflict) => {
                store::pause(attempt).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
    // Many units ask for room at once.
    Ok(Some((WaitingReason::Other, 1)))
}

/// Whether this one looks for units that are in the room and should not be: it
/// reads them all, so of all who are refused not each does.
fn looks_closer() -> Result<bool, Failure> {
    let [byte] = random::<1>()?;
    Ok(byte % LOOKS == 0)
}

/// The room without units that are not on their way to the provider any more.
/// Whoever is done leaves by himself; this is for what nobody thought of.
/// `None` when there are none.
async fn without_dead(app: &App, room: &Room) -> Result<Option<Room>, StoreError> {
    let line = room.line.iter().map(|waiting| &waiting.slot);
    let slots: Vec<&Slot> = room.open.iter().chain(line).collect();
    let keys: Vec<_> = slots.iter().map(|slot| (slot.run, slot.unit)).collect();
    let known: BTreeMap<_, _> = app
        .store
        .units(&room.project, keys)
        .await?
        .into_iter()
        .map(|unit| ((unit.run, unit.key), unit))
        .collect();
    let gone = |slot: &&&Slot| match known.get(&(slot.run, slot.unit)) {
        None => true,
        Some(unit) => unit.is_done() || matches!(unit.state, UnitState::Collecting { .. }),
    };
    let from = Timestamp::now() + app.config.bounds.staging_lease;
    let mut rest: Option<Room> = None;
    for slot in slots.iter().filter(gone) {
        let next = rest.as_ref().unwrap_or(room);
        rest = next.without(slot.run, slot.unit, from).or(rest);
    }
    Ok(rest)
}
