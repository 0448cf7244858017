//! How long a unit puts up with being refused, and with a full queue.

use std::time::Duration;

use super::tests::{at, claimed, new};
use super::*;
use crate::unit::BatchState;

const HOUR: u64 = 3_600;

fn step(unit: &Unit, event: Event, clock: u64) -> Unit {
    unit.step(event, at(clock), &Policy::default())
        .unwrap()
        .unit
}

fn full(fence: u64, advice: Option<u64>) -> Event {
    Event::QueueFull {
        fence,
        retry_after: advice.map(Duration::from_secs),
    }
}

fn refused(advice: Option<u64>) -> Event {
    Event::Postponed {
        retry_after: advice.map(Duration::from_secs),
        reason: WaitingReason::ProviderUnreachable,
        failed: Vec::new(),
    }
}

/// Seconds until it is tried again.
fn pause(unit: &Unit, clock: u64) -> u64 {
    match unit.state {
        UnitState::Ready { not_before } => not_before.since(at(clock)).as_secs(),
        ref state => panic!("{state:?}"),
    }
}

fn given_up(unit: &Unit, clock: u64) -> Option<String> {
    match unit.given_up(at(clock), &Policy::default())? {
        Ending::Nothing { code, .. } => Some(code),
        Ending::Output { .. } | Ending::Landed => None,
    }
}

#[test]
fn refusals_end_by_time_and_not_by_number() {
    let (mut unit, mut clock, mut tries) = (new(at(0)), 0, 0);
    while given_up(&unit, clock).is_none() {
        unit = step(&unit, refused(None), clock);
        clock += pause(&unit, clock);
        tries += 1;
    }
    assert_eq!(given_up(&unit, clock).unwrap(), "provider_refused");
    assert_eq!(clock, 72 * HOUR, "longer than a batch may take there");
    assert!(tries > 40, "{tries}");
    // However long it is told to wait, it is tried several times in that.
    let (mut unit, mut clock, mut tries) = (new(at(0)), 0, 0);
    while given_up(&unit, clock).is_none() {
        unit = step(&unit, refused(Some(48 * HOUR)), clock);
        clock += pause(&unit, clock);
        tries += 1;
    }
    assert_eq!((clock, tries), (72 * HOUR, 8));
}

#[test]
fn a_full_queue_is_no_refusal() {
    let (mut unit, mut clock) = (new(at(0)), 0);
    for fence in 0..100 {
        unit = claimed(&unit, fence, at(clock));
        unit = step(&unit, full(fence, None), clock);
        assert_eq!((unit.refusals, unit.refused_since), (0, None));
        let pause = pause(&unit, clock);
        assert!((30..=32 * 60).contains(&pause), "{pause}");
        clock += pause;
        assert_eq!(given_up(&unit, clock), None);
    }
    assert!(clock > 48 * HOUR, "{clock}");
    // Refusals in between are over when the queue is full again.
    unit = step(&unit, refused(None), clock);
    unit = claimed(&unit, 100, at(clock));
    unit = step(&unit, full(100, None), clock);
    assert_eq!(unit.refused_since, None);
    // A run must end all the same.
    assert_eq!(given_up(&unit, 7 * 24 * HOUR - 1), None);
    let code = given_up(&unit, 7 * 24 * HOUR);
    assert_eq!(code.as_deref(), Some("provider_quota"));
    // A batch ends all waiting.
    unit = claimed(&unit, 101, at(clock));
    let created = Event::Created {
        fence: 101,
        batch: "b".into(),
    };
    unit = step(&unit, created, clock);
    assert_eq!((unit.queued_since, unit.refusals), (None, 0));
}

#[test]
fn a_person_has_a_week_and_is_waited_for_in_growing_pauses() {
    for (reason, code) in [
        (WaitingReason::ProviderKeyRefused, "credentials_refused"),
        (WaitingReason::ProviderOutOfCredit, "provider_out_of_credit"),
    ] {
        let refused = || Event::Postponed {
            retry_after: Some(Duration::from_secs(48 * HOUR)),
            reason,
            failed: Vec::new(),
        };
        let (mut unit, mut clock, mut pauses) = (new(at(0)), 0, Vec::new());
        while given_up(&unit, clock).is_none() {
            unit = step(&unit, refused(), clock);
            assert_eq!(unit.waiting_reason, Some(reason));
            pauses.push(pause(&unit, clock));
            clock += pauses.last().unwrap();
        }
        assert_eq!(given_up(&unit, clock).as_deref(), Some(code));
        assert_eq!(clock, 7 * 24 * HOUR);
        assert_eq!(pauses[..6], [30, 30, 60, 120, 240, 480]);
        assert_eq!(pauses.iter().max(), Some(&900));
        // It is stored, and told by nothing where there is none.
        let stored = serde_json::to_value(&unit).unwrap();
        assert_eq!(stored["blocked"]["reason"], stored["waiting_reason"]);
        assert_eq!(serde_json::from_value::<Unit>(stored).unwrap(), unit);
        assert!(
            serde_json::to_value(new(at(0)))
                .unwrap()
                .get("blocked")
                .is_none()
        );
    }
    // Another reason is another wait; a full queue says that the key is good.
    let blocked = |unit: &Unit, reason, clock| {
        let event = Event::Postponed {
            retry_after: None,
            reason,
            failed: Vec::new(),
        };
        step(unit, event, clock)
    };
    let unit = blocked(&new(at(0)), WaitingReason::ProviderKeyRefused, 0);
    let unit = blocked(&unit, WaitingReason::ProviderOutOfCredit, 50);
    assert_eq!(unit.blocked.unwrap().since, at(50));
    let unit = step(&claimed(&unit, 1, at(100)), full(1, None), 100);
    assert_eq!(unit.blocked, None);
}

#[test]
fn a_batch_whose_key_is_refused_goes_on_and_says_so_until_it_is_accepted() {
    let batch = || "b".to_owned();
    let created = Event::Created {
        fence: 1,
        batch: batch(),
    };
    let sent = step(&claimed(&new(at(0)), 1, at(1)), created, 2);
    let refused = step(&sent, Event::KeyRefused, 100);
    let again = step(&refused, Event::KeyRefused, 200);
    assert_eq!((&again.state, again.batch()), (&sent.state, Some("b")));
    assert_eq!(
        again.waiting_reason,
        Some(WaitingReason::ProviderKeyRefused)
    );
    assert_eq!(again.blocked.unwrap().since, at(100));
    // The poll asks for it by itself: it is no unit that another key calls up.
    assert!(!again.waits_by_credential());
    let running = Event::Observed {
        state: BatchState::Running,
        output: None,
        fence: 2,
    };
    let accepted = step(&again, running, 300);
    assert_eq!(accepted.state, sent.state);
    assert_eq!((accepted.blocked, accepted.waiting_reason), (None, None));
    // Of what was not sent, or is over, there is nothing to be asked for.
    let unsent = new(at(0)).step(Event::KeyRefused, at(1), &Policy::default());
    assert_eq!(unsent, Err(Stale));
}

#[test]
fn failures_are_counted_for_each_recording() {
    let failed = |failed: &[u16]| Event::Postponed {
        retry_after: None,
        reason: WaitingReason::ProviderUnreachable,
        failed: failed.to_vec(),
    };
    let unit = step(&new(at(0)), failed(&[1, 2]), 0);
    let unit = step(&unit, failed(&[2]), 60);
    let times: Vec<u32> = (0..4)
        .map(|position| unit.audio_failures(position))
        .collect();
    assert_eq!(times, [0, 1, 2, 0]);
    let stored = serde_json::to_value(&unit).unwrap();
    assert_eq!(serde_json::from_value::<Unit>(stored).unwrap(), unit);
}

#[test]
fn an_answer_that_would_end_it_is_believed_the_third_time_in_a_row() {
    let policy = Policy::default();
    let mut unit = new(at(0));
    for (clock, wanted) in [(0, 30), (30, 60)] {
        assert!(!unit.is_refused_for_good(at(clock), &policy));
        unit = step(&unit, Event::Doubted, clock);
        assert_eq!(pause(&unit, clock), wanted);
    }
    assert!(unit.is_refused_for_good(at(90), &policy));
    // Long after the last one it begins anew.
    let (row, later) = (unit.doubt.unwrap(), 30 + 10 * policy.doubt.as_secs());
    assert_eq!((row.since, row.last, row.times), (at(0), at(30), 2));
    assert!(!unit.is_refused_for_good(at(later + 1), &policy));
    // A batch ends all doubt: the next one is about whether it is known.
    unit = claimed(&unit, 7, at(91));
    let created = Event::Created {
        fence: 7,
        batch: "b".into(),
    };
    assert_eq!(step(&unit, created, 92).doubt, None);
    // Not while it is unknown whether there is a batch.
    assert!(unit.step(Event::Doubted, at(92), &policy).is_err());
}

#[test]
fn an_output_with_nothing_of_it_is_asked_for_again_for_half_an_hour() {
    let policy = Policy::default();
    let created = Event::Created {
        fence: 1,
        batch: "b".into(),
    };
    let done = Event::Observed {
        state: BatchState::Succeeded,
        output: Some("o".into()),
        fence: 2,
    };
    let mut unit = step(&step(&claimed(&new(at(0)), 1, at(0)), created, 0), done, 10);
    let mut clock = 10;
    for fence in 2..4 {
        assert!(!unit.would_be_believed(at(clock), &policy));
        assert!(
            unit.step(Event::Unreadable { fence: 9 }, at(clock), &policy)
                .is_err()
        );
        unit = step(&unit, Event::Unreadable { fence }, clock);
        clock += policy.doubt.as_secs() / 2;
        assert_eq!(unit.due_at, Some(at(clock)));
        unit = step(&unit, Event::TakeOver { fence: fence + 1 }, clock);
    }
    assert!(unit.would_be_believed(at(clock), &policy));
}
