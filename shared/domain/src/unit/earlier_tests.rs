//! Units as release 0.1.0 wrote them: without the names of their batches, and
//! without the time since when they could be submitted.

use super::tests::{at, claimed, new};
use super::*;
use crate::unit::BatchState;

/// The same as that release wrote it.
fn of_0_1(unit: &Unit) -> Unit {
    let mut written = serde_json::to_value(unit).unwrap();
    let members = written.as_object_mut().unwrap();
    for added in ["ready_at", "batches", "fates", "resubmitted", "unknown"] {
        members.remove(added).unwrap();
    }
    serde_json::from_value(written).unwrap()
}

fn submitted(batch: &str) -> Unit {
    let created = Event::Created {
        fence: 1,
        batch: batch.into(),
    };
    let unit = claimed(&new(at(0)), 1, at(0));
    unit.step(created, at(0), &Policy::default()).unwrap().unit
}

#[test]
fn its_batch_is_known_from_its_state_and_remembered_with_the_next_step() {
    let submitted = of_0_1(&submitted("b"));
    assert!(submitted.batches.is_empty());
    let succeeded = Event::Observed {
        state: BatchState::Succeeded,
        output: Some("o".into()),
        fence: 2,
    };
    for event in [succeeded, Event::Cancel] {
        let told = format!("{event:?}");
        let step = submitted.step(event, at(1), &Policy::default()).unwrap();
        assert_eq!(step.unit.batches, ["b"], "{told}");
        assert_eq!(step.unit.relation("b", 1), Relation::InUse, "{told}");
        // From now on it is as sure of its batches as any other.
        let stranger = step.unit.relation("c", 1);
        assert_eq!(stranger, Relation::Unrecorded, "{told}");
    }
}

#[test]
fn batches_that_it_may_have_had_are_left_over_and_not_paid_for_twice() {
    let mut done = submitted("b");
    done.state = UnitState::Collected;
    done.batches.clear();
    assert_eq!(done.relation("b", 1), Relation::Unrecorded);
    assert_eq!(of_0_1(&done).relation("b", 1), Relation::LeftOver);
}
