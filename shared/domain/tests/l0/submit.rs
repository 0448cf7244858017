//! What `functions/submit` does, operation by operation.

use std::time::Duration;

use stt_eval_domain::run::Run;
use stt_eval_domain::unit::{
    Ending, Event, Unit, UnitKey, UnitKind, UnitState, Unsent, WaitingReason, chunks,
};

use crate::calls;
use crate::protocol::Submission;
use crate::provider::{CallError, Order};
use crate::tables::{Claimed, StoreError};
use crate::world::{Cx, Failed, Message};

/// Least time that must be left to create a batch.
const NEEDED: Duration = Duration::from_secs(90);
/// Until an active run is looked at again for no other reason.
pub const CHECK_AGAIN: Duration = Duration::from_secs(600);
/// First pause of the poll of a credential.
pub const FIRST_POLL: Duration = Duration::from_secs(60);
/// How often a claim is tried at most.
const CLAIMS: usize = 2;
/// Whose names the batches carry.
pub const DEPLOYMENT: &str = "sim";
/// Most items of a unit here.
pub const UNIT_ITEMS: usize = 3;

/// `plan::plan`.
pub async fn plan(cx: &Cx) -> Result<(), Failed> {
    loop {
        let Some(run) = cx.run().await? else {
            return cx.delete_outbox().await;
        };
        if !run.status.is_active() || run.units_total.is_some() {
            return cx.delete_outbox().await;
        }
        let now = cx.now();
        let units = units(cx, &run).await?;
        cx.create_units(&units).await?;
        let total = u32::try_from(units.len()).unwrap();
        let Some(planned) = run.planned(total, now, now + CHECK_AGAIN) else {
            return Ok(());
        };
        match cx.save_run_and_outbox(&planned, None).await {
            Ok(()) => {}
            Err(StoreError::Conflict) => continue,
            Err(error) => return Err(error.into()),
        }
        for unit in &units {
            cx.send(Message::SubmitUnit(unit.key)).await?;
        }
        return Ok(());
    }
}

async fn units(cx: &Cx, run: &Run) -> Result<Vec<Unit>, Failed> {
    let own = cx.protocol().plans_from_own_round;
    let mut units = Vec::new();
    for model in 0..u8::try_from(run.models.len()).unwrap() {
        let mut items: Vec<(u16, u64)> = (0..u16::try_from(run.sample_count).unwrap())
            .map(|position| (position, 1))
            .collect();
        if run.round > 1 {
            let latest = cx.latest(model).await?;
            // What this round brought was open when it was planned first.
            items.retain(|(position, _)| match latest.get(position) {
                Some((round, _)) if *round == run.round && !own => true,
                found if run.automatic && !cx.protocol().asks_all_again => found
                    .is_some_and(|(round, outcome)| outcome.passing && run.replaces(*round, true)),
                Some((_, outcome)) => outcome.text.is_none() || cx.protocol().asks_all_again,
                None => true,
            });
        }
        for (chunk, spans) in (0u16..).zip(chunks(&items, UNIT_ITEMS, u64::MAX)) {
            let key = UnitKey {
                model,
                round: run.round,
                chunk,
            };
            let project = run.project.clone();
            let now = cx.now();
            let policy = cx.policy();
            let name = "sim".to_owned();
            let mut unit = Unit::new(
                project,
                run.id,
                key,
                run.generation,
                name,
                spans,
                now,
                &policy,
            );
            unit.automatic = run.automatic;
            if cx.world().answers_calls[usize::from(model)] {
                unit.kind = UnitKind::Calls;
            }
            units.push(unit);
        }
    }
    Ok(units)
}

/// Saves a step. `None` when another write was faster.
pub async fn save(cx: &Cx, unit: &Unit, event: Event) -> Result<Option<Unit>, Failed> {
    let Ok(step) = unit.step(event, cx.now(), &cx.policy()) else {
        return Ok(None);
    };
    match cx.save_unit(&step.unit).await {
        Ok(()) => Ok(Some(step.unit)),
        Err(StoreError::Conflict) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// `submit::submit`.
pub async fn submit(cx: &Cx, key: UnitKey) -> Result<(), Failed> {
    let Some(unit) = cx.unit(key).await? else {
        return Ok(());
    };
    match &unit.state {
        UnitState::Ready { not_before } if *not_before <= cx.now() => {}
        _ => return Ok(()),
    }
    let run = cx.run().await?;
    let Some(run) = run.filter(|run| run.wants(key, unit.generation)) else {
        return save(cx, &unit, Event::Cancel).await.map(drop);
    };
    if unit.kind == UnitKind::Calls {
        return calls::submit(cx, &unit, &run).await;
    }
    if let Some(Ending::Nothing { code, .. }) = unit.given_up(cx.now(), &cx.policy()) {
        return unsendable(cx, &unit, &code).await;
    }
    if !cx.credential().await {
        return unsendable(cx, &unit, "no_credentials").await;
    }
    if let Some(started) = run.started(cx.now()) {
        match cx.save_run(&started).await {
            Ok(()) | Err(StoreError::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
    }
    for _ in 0..2 {
        match cx.stage().await {
            Ok(()) => {}
            Err(CallError::Invalid | CallError::NotFound) => {
                return refused_for_good(cx, &unit, "provider_refused").await;
            }
            Err(error @ (CallError::Quota | CallError::Ambiguous | CallError::Unauthorized)) => {
                let reason = match error {
                    CallError::Unauthorized => WaitingReason::ProviderKeyRefused,
                    _ => WaitingReason::ProviderUnreachable,
                };
                let event = Event::Postponed {
                    retry_after: None,
                    reason,
                    failed: Vec::new(),
                };
                return save(cx, &unit, event).await.map(drop);
            }
        }
    }
    if !cx.allows(NEEDED) {
        let reason = WaitingReason::Other;
        let event = Event::Waiting {
            pause: Duration::ZERO,
            reason,
        };
        return save(cx, &unit, event).await.map(drop);
    }
    if cx.protocol().submission == Submission::CheckThenCreate {
        return check_then_create(cx, &unit).await;
    }
    create(cx, &unit).await
}

fn claim(cx: &Cx, unit: &Unit, fence: u64) -> Event {
    let mut w = cx.world();
    let odd = w.rates.batch;
    let unsent = unit
        .positions()
        .filter(|_| w.dice.chance(odd / 10))
        .map(|position| Unsent {
            position,
            code: "audio_unreadable".into(),
            message: "the audio could not be read".into(),
            retryable: true,
        });
    Event::Claim {
        fence,
        batch_input: format!("input-a{}", unit.attempt + 1),
        batch_name: unit.display_name(DEPLOYMENT, unit.attempt + 1),
        credential: "credential".into(),
        unsent: unsent.collect(),
    }
}

/// What the batch of a claimed unit is made from.
fn order(unit: &Unit) -> Order {
    let sent = |position: &u16| !unit.unsent.iter().any(|item| item.position == *position);
    Order {
        display_name: unit.sought_name(DEPLOYMENT),
        input: (unit.key, unit.attempt),
        items: unit
            .positions()
            .filter(sent)
            .map(|at| (unit.key.model, at))
            .collect(),
    }
}

/// `Work::claim`: writes the intent together with a look at the run; once more
/// with the unit as it is now, if only its revision was in the way.
pub async fn claim_unit(cx: &Cx, mine: &Unit, claim: Event) -> Result<Option<Unit>, Failed> {
    let mut unit = mine.clone();
    for attempt in 0..CLAIMS {
        let Ok(step) = unit.step(claim.clone(), cx.now(), &cx.policy()) else {
            return Ok(None);
        };
        match cx.save_claimed(&step.unit).await? {
            Claimed::Yes => {
                cx.world().reached.second_claims += u64::from(attempt > 0);
                return Ok(Some(step.unit));
            }
            Claimed::Unwanted => return save(cx, &unit, Event::Cancel).await.map(|_| None),
            Claimed::Changed => {}
        }
        let stored = cx.unit(mine.key).await?;
        match stored.filter(|stored| stored.attempt == mine.attempt) {
            Some(stored) => unit = (*stored).clone(),
            None => return Ok(None),
        }
    }
    Ok(None)
}

/// The irreversible step: intent, one call, record.
async fn create(cx: &Cx, unit: &Unit) -> Result<(), Failed> {
    let fence = cx.fence();
    let claim = claim(cx, unit, fence);
    let Some(unit) = claim_unit(cx, unit, claim).await? else {
        return Ok(());
    };
    let refused = |reason| Event::Refused {
        fence,
        retry_after: None,
        reason,
    };
    match cx.create(order(&unit)).await {
        Ok(batch) => {
            let now = cx.now();
            let Ok(step) = unit.step(Event::Created { fence, batch }, now, &cx.policy()) else {
                return Ok(());
            };
            // Whatever comes of this: an open intent is searched for.
            let _ = cx.save_submitted(&step.unit, now + FIRST_POLL).await;
            Ok(())
        }
        Err(CallError::Ambiguous) => Ok(()),
        Err(CallError::Quota) => {
            let full = Event::QueueFull {
                fence,
                retry_after: None,
            };
            save(cx, &unit, full).await.map(drop)
        }
        Err(CallError::Unauthorized) => {
            let refused = refused(WaitingReason::ProviderKeyRefused);
            save(cx, &unit, refused).await.map(drop)
        }
        Err(CallError::Invalid | CallError::NotFound) => {
            let Some(unit) = save(cx, &unit, refused(WaitingReason::Other)).await? else {
                return Ok(());
            };
            refused_for_good(cx, &unit, "provider_refused").await
        }
    }
}

/// `Work::refused_for_good`: an answer that would end the unit is believed the
/// third time.
async fn refused_for_good(cx: &Cx, unit: &Unit, code: &str) -> Result<(), Failed> {
    if cx.protocol().believes_once || unit.is_refused_for_good(cx.now(), &cx.policy()) {
        return unsendable(cx, unit, code).await;
    }
    cx.world().reached.refusals_doubted += 1;
    save(cx, unit, Event::Doubted).await.map(drop)
}

/// A known mistake: no intent, only a look before the call.
async fn check_then_create(cx: &Cx, unit: &Unit) -> Result<(), Failed> {
    let fence = cx.fence();
    let now = cx.now();
    let claim = claim(cx, unit, fence);
    let Ok(claimed) = unit.step(claim, now, &cx.policy()) else {
        return Ok(());
    };
    let order = order(&claimed.unit);
    let found = cx.list(&order.display_name).await.map_err(|_| Failed)?;
    let batch = match found.into_iter().next() {
        Some(batch) => batch,
        None => match cx.create(order).await {
            Ok(batch) => batch,
            Err(CallError::Ambiguous) => return Err(Failed),
            Err(_) => {
                let reason = WaitingReason::Other;
                let event = Event::Postponed {
                    retry_after: None,
                    reason,
                    failed: Vec::new(),
                };
                return save(cx, unit, event).await.map(drop);
            }
        },
    };
    let created = Event::Created { fence, batch };
    let Ok(mut step) = claimed.unit.step(created, cx.now(), &cx.policy()) else {
        return Ok(());
    };
    step.unit.rev = unit.rev + 1;
    match cx.save_submitted(&step.unit, cx.now() + FIRST_POLL).await {
        Ok(()) | Err(StoreError::Conflict) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

async fn unsendable(cx: &Cx, unit: &Unit, code: &str) -> Result<(), Failed> {
    let message = "it can't be sent".to_owned();
    let ending = Ending::Nothing {
        code: code.into(),
        message,
        retryable: true,
    };
    let event = Event::Unsendable {
        ending,
        unsent: Vec::new(),
    };
    save(cx, unit, event).await.map(drop)
}
