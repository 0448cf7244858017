//! What `functions/submit` does with a unit of calls, operation by operation.

use std::rc::Rc;
use std::time::Duration;

use stt_eval_domain::call::{Call, CallOutcome, CallState};
use stt_eval_domain::failure::FailureCode;
use stt_eval_domain::run::Run;
use stt_eval_domain::unit::{Ending, Event, Pause, Unit, Unsent, WaitingReason};

use crate::provider::{CallError, Line};
use crate::submit::{claim_unit, save};
use crate::tables::StoreError;
use crate::world::{Cx, Failed, Message};

/// Least time that must be left to begin a call: its own time-out and the
/// writes after it.
const TO_CALL: Duration = Duration::from_secs(50);

/// `calls::submit`: the items of a unit, one call each.
pub async fn submit(cx: &Cx, unit: &Unit, run: &Rc<Run>) -> Result<(), Failed> {
    if let Some(started) = run.started(cx.now()) {
        match cx.save_run(&started).await {
            Ok(()) | Err(StoreError::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
    }
    // Why nothing more is called for, if so.
    let fails = if let Some(Ending::Nothing { code, .. }) = unit.given_up(cx.now(), &cx.policy()) {
        Some(code)
    } else if !cx.credential().await {
        Some("no_credentials".to_owned())
    } else {
        None
    };
    let fence = cx.fence();
    let begin = Event::Begin {
        fence,
        credential: "credential".into(),
    };
    let Some(unit) = claim_unit(cx, unit, begin).await? else {
        return Ok(());
    };
    cx.world().reached.calls_begun += 1;
    let mut calls = cx.calls(unit.key).await?;
    let resumed = !calls.is_empty();
    cx.world().reached.calls_resumed += u64::from(resumed);
    for call in &mut calls {
        if call.is_left_by_another(fence) {
            cx.world().reached.calls_abandoned += 1;
            let landed = cx.part(unit.key, call.position).await?.is_some();
            let again = cx.protocol().calls_again;
            let settled = call.settled(
                if landed {
                    CallOutcome::Landed
                } else {
                    CallOutcome::Unknown
                },
                again,
            );
            cx.save_call(&settled).await?;
            *call = settled;
        }
    }
    let mut landed = false;
    for position in unit.positions() {
        if fails.is_some() {
            break;
        }
        let known = calls.iter().find(|call| call.position == position);
        if known.is_some_and(|call| !call.is_open()) {
            continue;
        }
        if !cx.allows(TO_CALL) {
            return pause(cx, &unit, fence, landed, Pause::Interrupted).await;
        }
        // People may have stopped the run meanwhile.
        match cx.unit(unit.key).await? {
            Some(stored) if stored.rev == unit.rev => {}
            _ => return Ok(()),
        }
        let intent = match known {
            None => Call::first(
                unit.project.clone(),
                unit.run,
                unit.key,
                position,
                fence,
                cx.now(),
            ),
            Some(call) => match call.again(fence, cx.now()) {
                Some(intent) => intent,
                None => continue,
            },
        };
        if cx.protocol().intends_by_unit {
            if cx.part(unit.key, position).await?.is_some() {
                continue;
            }
        } else {
            cx.save_call(&intent).await?;
        }
        let answer = cx.call(unit.key, position).await;
        match one(cx, &unit, &intent, answer).await? {
            After::Landed => landed = true,
            After::GoOn => {}
            After::Stop(why) => return pause(cx, &unit, fence, landed, why).await,
        }
    }
    finish(cx, &unit, fence, fails.as_deref().unwrap_or("not_called")).await
}

/// What a call means for those after it.
#[derive(Debug, PartialEq)]
enum After {
    Landed,
    GoOn,
    Stop(Pause),
}

fn not_done() -> CallOutcome {
    CallOutcome::NotDone
}

/// `calls::one`: puts the answer into the bucket, then writes what became of it.
async fn one(
    cx: &Cx,
    unit: &Unit,
    intent: &Call,
    answer: Result<Line, CallError>,
) -> Result<After, Failed> {
    let (outcome, after) = match answer {
        Ok(line) => {
            if cx.protocol().settles_before_text {
                cx.save_call(&intent.settled(CallOutcome::Landed, false))
                    .await?;
                cx.put_part(unit.key, intent.position, line).await?;
                return Ok(After::Landed);
            }
            cx.put_part(unit.key, intent.position, line).await?;
            (CallOutcome::Landed, After::Landed)
        }
        Err(CallError::Quota) => {
            let why = Pause::Limited {
                retry_after: None,
                reason: WaitingReason::ProviderRateLimited,
            };
            (not_done(), After::Stop(why))
        }
        Err(CallError::Unauthorized) => {
            let why = Pause::Limited {
                retry_after: None,
                reason: WaitingReason::ProviderKeyRefused,
            };
            (not_done(), After::Stop(why))
        }
        Err(CallError::Invalid | CallError::NotFound) => (
            CallOutcome::Refused(FailureCode::ProviderRefusedAudio),
            After::GoOn,
        ),
        Err(CallError::Ambiguous) => {
            cx.world().reached.calls_unknown += 1;
            (CallOutcome::Unknown, After::GoOn)
        }
    };
    let free = cx.protocol().calls_again;
    if !cx.protocol().intends_by_unit {
        cx.save_call(&intent.settled(outcome, free)).await?;
    }
    Ok(after)
}

async fn pause(cx: &Cx, unit: &Unit, fence: u64, landed: bool, why: Pause) -> Result<(), Failed> {
    let paused = Event::Paused { fence, landed, why };
    match save(cx, unit, paused).await? {
        Some(_) => cx.send(Message::SubmitUnit(unit.key)).await,
        None => Ok(()),
    }
}

/// `calls::finish`: ends the unit's calls. What was not called for fails with a
/// code.
async fn finish(cx: &Cx, unit: &Unit, fence: u64, code: &str) -> Result<(), Failed> {
    let calls = cx.calls(unit.key).await?;
    let (mut landed, mut unsent) = (false, Vec::new());
    for position in unit.positions() {
        let call = calls.iter().find(|call| call.position == position);
        if call.is_some_and(|call| call.state == CallState::Landed) {
            landed = true;
            continue;
        }
        if cx.protocol().intends_by_unit {
            landed |= cx.part(unit.key, position).await?.is_some();
            continue;
        }
        unsent.push(call.and_then(Call::unsent).unwrap_or_else(|| Unsent {
            position,
            code: code.into(),
            message: "it was not called for".into(),
            retryable: true,
        }));
    }
    let called = Event::Called {
        fence,
        landed,
        unsent,
    };
    save(cx, unit, called).await.map(drop)
}

/// `collect::land_answers`.
pub async fn land(cx: &Cx, unit: &Unit) -> Result<Rc<Vec<Line>>, Failed> {
    if let Some(landed) = cx.landed(unit).await? {
        return Ok(landed);
    }
    let lines = Rc::new(cx.parts(unit.key).await?);
    cx.land(unit, Rc::clone(&lines)).await?;
    Ok(lines)
}
