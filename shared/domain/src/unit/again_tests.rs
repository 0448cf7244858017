//! Batches that do not come to an end, and what is made in their place.

use super::tests::{at, claimed, new};
use super::*;
use crate::unit::BatchState;

/// A unit whose batch was made at a time.
fn submitted(unit: &Unit, batch: &str, clock: u64) -> Unit {
    let created = Event::Created {
        fence: 1,
        batch: batch.into(),
    };
    let unit = claimed(unit, 1, at(clock));
    unit.step(created, at(clock), &Policy::default())
        .unwrap()
        .unit
}

fn seen(state: BatchState, output: Option<&str>) -> Event {
    Event::Observed {
        state,
        output: output.map(str::to_owned),
        fence: 2,
    }
}

fn step(unit: &Unit, event: Event, clock: u64) -> Step {
    let policy = Policy {
        resubmit: true,
        ..Policy::default()
    };
    unit.step(event, at(clock), &policy).unwrap()
}

fn stopping_since(unit: &Unit) -> Option<Timestamp> {
    match unit.state {
        UnitState::Submitted { stopping_since, .. } => stopping_since,
        _ => None,
    }
}

fn ended(unit: &Unit) -> String {
    match &unit.state {
        UnitState::Collecting {
            ending: Ending::Nothing { code, .. },
            ..
        } => code.clone(),
        UnitState::Collecting {
            ending: Ending::Output { output },
            ..
        } => output.clone(),
        state => panic!("{state:?}"),
    }
}

fn deadline() -> u64 {
    Policy::default().deadline.as_secs()
}

/// Overdue, and told to stop at its deadline.
fn stopping() -> Unit {
    let unit = submitted(&new(at(0)), "b1", 0);
    let early = step(&unit, seen(BatchState::Running, None), deadline() - 1);
    assert_eq!((stopping_since(&early.unit), early.effects), (None, vec![]));
    let late = step(&unit, seen(BatchState::Running, None), deadline());
    // Nothing is done before it is written down: what was stopped by us and
    // what by the provider could not be told apart afterwards.
    assert_eq!(late.effects, []);
    assert_eq!(stopping_since(&late.unit), Some(at(deadline())));
    assert_eq!(late.unit.due_at, Some(at(deadline())), "at once");
    late.unit
}

#[test]
fn an_overdue_batch_is_made_once_more_when_it_has_stopped() {
    let unit = stopping();
    for state in [
        BatchState::Cancelled,
        BatchState::Failed,
        BatchState::Expired,
    ] {
        let again = step(&unit, seen(state.clone(), None), deadline() + 5);
        assert_eq!(again.effects, [Effect::DeleteInput("input".into())]);
        let ready = again.unit;
        let now = at(deadline() + 5);
        assert_eq!(ready.state, UnitState::Ready { not_before: now });
        assert_eq!(ready.waiting_reason, Some(WaitingReason::Resubmitting));
        let resubmitted = Resubmission {
            at: now,
            batch: "b1".into(),
            credential: Some("credential".into()),
        };
        assert_eq!(ready.resubmitted, Some(resubmitted));
        assert_eq!((ready.attempt, ready.batch_input.as_ref()), (1, None));
        let next = submitted(&ready, "b2", deadline() + 10);
        assert_eq!((next.attempt, next.waiting_reason), (2, None));
        // A deadline of its own.
        let running = seen(BatchState::Running, None);
        let open = step(&next, running.clone(), 2 * deadline()).unit;
        assert_eq!(stopping_since(&open), None);
        let late = step(&next, running, 2 * deadline() + 10).unit;
        assert!(stopping_since(&late).is_some(), "{state:?}");
        let over = step(
            &late,
            seen(BatchState::Cancelled, None),
            2 * deadline() + 11,
        );
        assert_eq!(ended(&over.unit), "provider_timeout", "the second time");
        assert_eq!(over.effects, []);
    }
}

#[test]
fn unless_that_is_asked_for_nothing_is_submitted_twice() {
    for state in [
        BatchState::Cancelled,
        BatchState::Failed,
        BatchState::Expired,
    ] {
        let over = stopping().step(
            seen(state.clone(), None),
            at(deadline() + 5),
            &Policy::default(),
        );
        let over = over.unwrap();
        assert_eq!(ended(&over.unit), "provider_timeout", "{state:?}");
        assert_eq!((over.unit.resubmitted, over.effects), (None, vec![]));
    }
}

#[test]
fn results_that_come_while_it_is_stopped_count() {
    for state in [
        BatchState::Succeeded,
        BatchState::Cancelled,
        BatchState::Failed,
    ] {
        let step = step(&stopping(), seen(state, Some("output")), deadline() + 5);
        assert_eq!(ended(&step.unit), "output");
        assert_eq!((step.unit.resubmitted, step.effects), (None, vec![]));
    }
}

#[test]
fn what_can_not_be_stopped_is_not_made_again() {
    let unit = stopping();
    let grace = Policy::default().grace.as_secs();
    for state in [BatchState::Pending, BatchState::Unknown("RESTING".into())] {
        let open = step(&unit, seen(state.clone(), None), deadline() + grace - 1).unit;
        assert_eq!(
            stopping_since(&open),
            stopping_since(&unit),
            "since it began"
        );
        let over = step(&open, seen(state, None), deadline() + grace);
        assert_eq!(ended(&over.unit), "provider_timeout");
        assert_eq!(over.effects, [Effect::CancelBatch("b1".into())]);
        assert_eq!(over.unit.resubmitted, None);
    }
    // Nor what can't be asked for.
    let lost = step(&unit, Event::Vanished { fence: 3 }, deadline() + 5).unit;
    assert_eq!(ended(&lost), "provider_lost");
}

#[test]
fn a_batch_that_ended_by_itself_is_not_made_again() {
    let unit = submitted(&new(at(0)), "b1", 0);
    for (state, code) in [
        (BatchState::Expired, "provider_expired"),
        (BatchState::Cancelled, "provider_cancelled"),
        (BatchState::Failed, "provider_failed"),
    ] {
        let over = step(&unit, seen(state, None), 50).unit;
        assert_eq!((&*ended(&over), over.resubmitted), (code, None));
    }
}

#[test]
fn people_can_stop_it_at_any_point_of_the_way() {
    let cancelled = step(&stopping(), Event::Cancel, deadline() + 1).unit;
    let batch = "b1".to_owned();
    assert_eq!(cancelled.state, UnitState::Cancelling { batch });
    let again = step(
        &stopping(),
        seen(BatchState::Cancelled, None),
        deadline() + 5,
    )
    .unit;
    let cancelled = step(&again, Event::Cancel, deadline() + 6).unit;
    assert_eq!(cancelled.state, UnitState::Cancelled);
}

#[test]
fn a_batch_is_in_use_left_over_or_unrecorded() {
    let ready = new(at(0));
    assert_eq!(ready.relation("b1", 1), Relation::Unrecorded);
    let creating = claimed(&ready, 1, at(0));
    assert_eq!(
        creating.relation("b1", 1),
        Relation::InUse,
        "it may be found"
    );
    assert_eq!(creating.relation("b0", 0), Relation::Unrecorded);
    let first = submitted(&ready, "b1", 0);
    assert_eq!(first.relation("b1", 1), Relation::InUse);
    assert_eq!(
        first.relation("b2", 1),
        Relation::Unrecorded,
        "a second one"
    );
    let again = step(
        &stopping(),
        seen(BatchState::Cancelled, None),
        deadline() + 5,
    )
    .unit;
    let second = submitted(&again, "b2", deadline() + 6);
    assert_eq!(second.batches, ["b1", "b2"]);
    assert_eq!(second.relation("b1", 1), Relation::LeftOver);
    assert_eq!(second.relation("b2", 2), Relation::InUse);
    let collecting = step(
        &second,
        seen(BatchState::Succeeded, Some("o")),
        deadline() + 9,
    )
    .unit;
    assert_eq!(collecting.relation("b2", 2), Relation::InUse);
    let done = step(&collecting, Event::Collected { fence: 2 }, deadline() + 9).unit;
    assert_eq!(done.relation("b2", 2), Relation::LeftOver);
    let gone = done.without(&["b1".into(), "b2".into()]);
    assert!(gone.batches.is_empty());
    assert_eq!(gone.relation("b3", 2), Relation::Unrecorded);
}

#[test]
fn a_request_document_is_wanted_as_long_as_a_batch_may_be_made_of_it() {
    let ready = new(at(0));
    assert!(ready.wants_input("x", 1), "a claim may be about to come");
    assert!(!ready.wants_input("x", 0));
    let creating = claimed(&ready, 1, at(0));
    assert!(creating.wants_input("input", 1));
    assert!(!creating.wants_input("another", 1));
    let refused = Event::Refused {
        fence: 1,
        retry_after: None,
        reason: WaitingReason::Other,
    };
    let refused = step(&creating, refused, 1).unit;
    assert!(refused.wants_input("input", 1));
    assert!(refused.wants_input("next", 2));
    // When it is given up the document goes along.
    let cancelled = step(&refused, Event::Cancel, 2);
    assert_eq!(cancelled.effects, [Effect::DeleteInput("input".into())]);
    assert!(!cancelled.unit.wants_input("input", 1));
    assert!(!cancelled.unit.wants_input("next", 2));
    assert_eq!(step(&ready, Event::Cancel, 2).effects, []);
}

#[test]
fn one_answer_that_there_is_no_batch_is_not_believed() {
    let policy = Policy::default();
    let unit = submitted(&new(at(0)), "b1", 0);
    let denied = |unlisted| Event::Denied { unlisted, fence: 3 };
    let doubt = policy.doubt.as_secs();
    // Often, but not for long enough; for long enough, but not often.
    let mut soon = unit.clone();
    for second in 0..20 {
        soon = step(&soon, denied(true), second).unit;
    }
    let open = |unit: &Unit| matches!(unit.state, UnitState::Submitted { .. });
    assert!(open(&soon) && soon.doubt.unwrap().times == 20);
    assert_eq!(
        soon.due_at,
        Some(at(19) + policy.backstop),
        "it is looked at again"
    );
    let once = step(&unit, denied(true), 0).unit;
    let twice = step(&once, denied(true), 2 * doubt).unit;
    assert!(open(&twice) && twice.would_be_believed(at(2 * doubt), &policy));
    // A list shows it.
    let listed = step(&twice, denied(false), 3 * doubt).unit;
    assert!(open(&listed));
    let lost = step(&twice, denied(true), 3 * doubt).unit;
    assert_eq!(ended(&lost), "provider_lost");
    assert_eq!(lost.fate("b1"), Fate::Lost);
    // It was seen meanwhile, or so long ago that it is no row.
    let seen = step(&twice, seen(BatchState::Running, None), 2 * doubt).unit;
    assert_eq!(seen.doubt, None);
    assert!(open(&step(&twice, denied(true), 30 * doubt).unit));
}

#[test]
fn what_has_not_landed_may_not_be_deleted() {
    let unit = submitted(&new(at(0)), "b1", 0);
    let wanted = |unit: &Unit| !unit.fate("b1").may_be_deleted();
    assert!(wanted(&unit));
    let lost = step(&unit, Event::Vanished { fence: 3 }, 5).unit;
    assert!(wanted(&lost) && !lost.fate("b1").is_to_stop());
    let done = step(&lost, Event::Collected { fence: 3 }, 6).unit;
    assert!(
        wanted(&done) && done.wants_input("input", 1),
        "it may be alive"
    );
    let abandoned = step(
        &stopping(),
        seen(BatchState::Running, None),
        deadline() + Policy::default().grace.as_secs(),
    );
    let abandoned = abandoned.unit;
    assert!(wanted(&abandoned) && abandoned.fate("b1").is_to_stop());
    // It came after all: collected, once.
    let late = Event::Late { batch: "b1".into() };
    let late = || late.clone();
    assert!(unit.step(late(), at(7), &Policy::default()).is_err());
    let collected = step(&done, late(), 7).unit;
    assert_eq!(collected.state, UnitState::Collected);
    assert_eq!(collected.fate("b1"), Fate::Landed);
    assert!(!wanted(&collected) && !collected.wants_input("input", 1));
    assert!(collected.step(late(), at(8), &Policy::default()).is_err());
    let gone = collected.without(&["b1".into()]);
    assert_eq!(
        gone.relation("b1", 1),
        Relation::LeftOver,
        "not paid for twice"
    );
    // People do not want it.
    let cancelled = step(&unit, Event::Cancel, 8).unit;
    assert_eq!(cancelled.fate("b1"), Fate::Unwanted);
}

#[test]
fn a_batch_that_was_not_found_is_the_unit_s_when_it_turns_up() {
    let creating = claimed(&new(at(0)), 1, at(0));
    let gone = step(&creating, Event::Unsearchable { fence: 2 }, 100_000).unit;
    let aside = step(&gone, Event::Collected { fence: 2 }, 100_001).unit;
    assert!(aside.misses_its_batch(1) && !aside.misses_its_batch(2));
    let late = step(&aside, Event::Late { batch: "b1".into() }, 100_002).unit;
    assert_eq!(late.state, UnitState::Collected);
    assert!(!late.misses_its_batch(1));
    // Of several one counts, and the others are known.
    let several = Event::Searched {
        found: vec!["b1".into(), "b2".into()],
        fence: 2,
    };
    let found = step(&creating, several, 1_000).unit;
    assert_eq!(found.fate("b2"), Fate::Duplicate);
    assert_eq!(found.relation("b2", 1), Relation::LeftOver);
}
