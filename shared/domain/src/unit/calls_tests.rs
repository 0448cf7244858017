//! A unit of calls: which worker may make them, and how they end.

use std::time::Duration;

use super::tests::{at, new};
use super::*;

fn calls() -> Unit {
    Unit {
        kind: UnitKind::Calls,
        ..new(at(0))
    }
}

fn step(unit: &Unit, event: Event, clock: u64) -> Result<Unit, Stale> {
    let step = unit.step(event, at(clock), &Policy::default())?;
    assert!(step.effects.is_empty(), "{:?}", step.effects);
    Ok(step.unit)
}

fn begin(unit: &Unit, fence: u64, clock: u64) -> Result<Unit, Stale> {
    let credential = "credential".to_owned();
    step(unit, Event::Begin { fence, credential }, clock)
}

fn paused(unit: &Unit, landed: bool, why: Pause, clock: u64) -> Unit {
    let fence = 1;
    step(unit, Event::Paused { fence, landed, why }, clock).unwrap()
}

#[test]
fn one_worker_calls_at_a_time_until_it_must_be_dead() {
    let calling = begin(&calls(), 1, 0).unwrap();
    assert_eq!(begin(&calling, 2, 1), Err(Stale));
    assert_eq!(step(&calling, Event::Abandoned, 599), Err(Stale));
    assert_eq!(calling.due_at, Some(at(600)));
    let free = step(&calling, Event::Abandoned, 600).unwrap();
    let again = begin(&free, 2, 601).unwrap();
    // What the first one still sends is not taken.
    let late = Event::Called {
        fence: 1,
        landed: true,
        unsent: Vec::new(),
    };
    assert_eq!(step(&again, late, 602), Err(Stale));
}

/// On one machine all workers of an earlier process are dead.
#[test]
fn a_worker_from_before_the_start_is_not_waited_for() {
    let policy = Policy {
        workers_since: Some(at(10)),
        ..Policy::default()
    };
    let begun = |clock| begin(&calls(), 1, clock).unwrap();
    assert!(begun(9).step(Event::Abandoned, at(11), &policy).is_ok());
    let alive = begun(10).step(Event::Abandoned, at(599), &policy);
    assert_eq!(alive.map(drop), Err(Stale));
    assert!(begun(10).step(Event::Abandoned, at(610), &policy).is_ok());
}

#[test]
fn jobs_and_calls_do_not_mix() {
    assert_eq!(begin(&new(at(0)), 1, 0), Err(Stale));
    let claim = Event::Claim {
        fence: 1,
        batch_input: "input".into(),
        batch_name: "name".into(),
        credential: "credential".into(),
        unsent: Vec::new(),
    };
    assert_eq!(step(&calls(), claim, 0), Err(Stale));
}

#[test]
fn an_answer_ends_the_row_of_refusals() {
    let refused = Pause::Refused {
        retry_after: None,
        reason: WaitingReason::ProviderUnreachable,
    };
    let mut unit = calls();
    for clock in [0, 1_000] {
        unit = paused(&begin(&unit, 1, clock).unwrap(), false, refused, clock);
    }
    assert_eq!((unit.refusals, unit.refused_since), (2, Some(at(0))));
    unit = paused(&begin(&unit, 1, 2_000).unwrap(), true, refused, 2_000);
    assert_eq!((unit.refusals, unit.refused_since), (1, Some(at(2_000))));
    unit = paused(
        &begin(&unit, 1, 3_000).unwrap(),
        false,
        Pause::Interrupted,
        3_000,
    );
    assert_eq!(
        unit.state,
        UnitState::Ready {
            not_before: at(3_000)
        }
    );
}

#[test]
fn a_limit_is_waiting_and_a_person_has_time() {
    let limited = |reason| Pause::Limited {
        retry_after: Some(Duration::from_secs(90)),
        reason,
    };
    let rate = WaitingReason::ProviderRateLimited;
    let unit = paused(&begin(&calls(), 1, 0).unwrap(), false, limited(rate), 0);
    assert_eq!(unit.waiting_reason, Some(rate));
    assert_eq!((unit.refusals, unit.queued_since), (0, Some(at(0))));
    assert_eq!(unit.state, UnitState::Ready { not_before: at(90) });
    let refused = WaitingReason::ProviderKeyRefused;
    let mut unit = calls();
    for clock in [0, 100] {
        unit = paused(
            &begin(&unit, 1, clock).unwrap(),
            false,
            limited(refused),
            clock,
        );
        assert_eq!(unit.waiting_reason, Some(refused));
    }
    let since = at(0);
    assert_eq!(
        unit.blocked,
        Some(Blocked {
            since,
            reason: refused
        })
    );
    assert_eq!(unit.queued_since, None);
    // An answer says that the key is good again.
    let calling = begin(&unit, 1, 200).unwrap();
    let unit = paused(&calling, true, Pause::Interrupted, 200);
    assert_eq!(unit.blocked, None);
}

#[test]
fn it_ends_with_what_came_and_why_the_rest_did_not() {
    let unsent = vec![Unsent {
        position: 7,
        code: "submission_unknown".into(),
        message: "no".into(),
        retryable: true,
    }];
    let calling = begin(&calls(), 1, 0).unwrap();
    for landed in [true, false] {
        let called = Event::Called {
            fence: 1,
            landed,
            unsent: unsent.clone(),
        };
        let ended = step(&calling, called, 5).unwrap();
        assert_eq!(ended.unsent, unsent);
        assert_eq!(ended.due_at, Some(at(5)));
        let UnitState::Collecting { ending, batch, .. } = ended.state else {
            panic!("{:?}", ended.state);
        };
        assert_eq!((ending == Ending::Landed, batch), (landed, None));
    }
    assert_eq!(
        step(&calling, Event::Cancel, 5).unwrap().state,
        UnitState::Cancelled
    );
}

#[test]
fn units_of_jobs_are_stored_as_before() {
    let job = serde_json::to_value(new(at(0))).unwrap();
    assert_eq!(job.get("kind"), None);
    let mut calls = serde_json::to_value(calls()).unwrap();
    assert_eq!(calls["kind"], "calls");
    calls.as_object_mut().unwrap().remove("kind");
    assert_eq!(
        serde_json::from_value::<Unit>(calls).unwrap().kind,
        UnitKind::Job
    );
}
