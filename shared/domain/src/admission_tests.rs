use std::time::Duration;

use super::*;

const LIMITS: AdmissionLimits = AdmissionLimits {
    open_batches: 5,
    stored_bytes: 100,
    tokens: 60,
};

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_millis(1_800_000_000_000) + Duration::from_secs(seconds)
}

fn unit(model: u8, chunk: u16) -> UnitKey {
    UnitKey {
        model,
        round: 1,
        chunk,
    }
}

/// A unit of a model that is named like its index.
fn queued(since: u64, provider: u8, chunk: u16, tokens: u64, bytes: u64) -> Queued {
    Queued {
        since: at(since),
        demand: Demand {
            run: RunId::mint(1, [1; 10]),
            unit: unit(provider, chunk),
            model: provider.to_string(),
            tokens,
            bytes,
        },
    }
}

fn empty() -> Admission {
    Admission::new("demo".parse().unwrap(), "google".into(), "c".into())
}

/// Asks, and keeps what came of it.
fn ask(admission: &mut Admission, me: &Queued) -> Option<WaitingReason> {
    match admission.ask(&LIMITS, me, at(0)) {
        Answer::Admitted(next) => {
            *admission = next;
            None
        }
        Answer::Already => None,
        Answer::Wait {
            reason,
            admission: next,
            ..
        } => {
            *admission = next.unwrap_or_else(|| admission.clone());
            Some(reason)
        }
    }
}

fn leave(admission: &mut Admission, one: &Queued) {
    *admission = admission
        .without(one.demand.run, one.demand.unit, at(0))
        .unwrap();
}

fn discard(admission: &mut Admission, what: &Queued) {
    *admission = admission.begun_to_discard(&what.demand).unwrap();
    *admission = admission.discarded(&what.demand).unwrap();
}

#[test]
fn slots_are_text_and_come_back() {
    let demand = queued(1, 2, 40, 360, 1 << 33).demand;
    assert_eq!(demand.to_string().parse::<Demand>().unwrap(), demand);
    assert!("x#y".parse::<Demand>().is_err());
    // Release 0.1.0 wrote seconds of audio, and reads them of what is written now.
    let text = demand.to_string();
    let (of_0_1, tokens) = text.rsplit_once('#').unwrap();
    assert_eq!(tokens, "360");
    assert!(of_0_1.ends_with("#12#8589934592"), "{of_0_1}");
    assert_eq!(of_0_1.parse::<Demand>().unwrap().tokens, 12 * 32);
}

#[test]
fn a_batch_that_was_stopped_counts_for_a_while() {
    let mut admission = empty();
    let (stopped, next) = (queued(0, 0, 0, 50, 1), queued(1, 0, 1, 50, 1));
    assert_eq!(ask(&mut admission, &stopped), None);
    let unit = (stopped.demand.run, stopped.demand.unit);
    admission = admission.holding(unit.0, unit.1, at(0), at(100));
    leave(&mut admission, &stopped);
    let at_time = |admission: &Admission, now| admission.ask(&LIMITS, &next, now);
    let full = |answer: &Answer| matches!(answer, Answer::Wait { reason, .. } if *reason == WaitingReason::ModelQueueFull);
    assert!(full(&at_time(&admission, at(99))));
    assert!(matches!(at_time(&admission, at(100)), Answer::Admitted(_)));
    // A unit that was not there holds nothing; what is over is forgotten.
    let later = admission.holding(unit.0, unit.1, at(100), at(200));
    assert_eq!(later.held, []);
    // Records of release 0.1.0 hold nothing.
    let mut stored = serde_json::to_value(empty()).unwrap();
    assert!(stored.as_object_mut().unwrap().remove("held").is_none());
    assert_eq!(
        serde_json::from_value::<Admission>(stored).unwrap(),
        empty()
    );
}

#[test]
fn admission_is_counted_by_batches_bytes_and_audio_of_the_model() {
    let refused = |taken: &[Queued], new: Queued| {
        let mut admission = empty();
        for taken in taken {
            assert_eq!(ask(&mut admission, taken), None);
        }
        ask(&mut admission, &new)
    };
    assert_eq!(refused(&[], queued(1, 0, 0, 1_000, 1_000)), None, "alone");
    let one = [queued(0, 0, 0, 30, 50)];
    assert_eq!(refused(&one, queued(1, 0, 1, 30, 50)), None);
    let full = Some(WaitingReason::ModelQueueFull);
    assert_eq!(refused(&one, queued(1, 0, 1, 31, 50)), full);
    assert_eq!(
        refused(&one, queued(1, 1, 1, 31, 50)),
        None,
        "another model"
    );
    let storage = Some(WaitingReason::ProviderStorageFull);
    assert_eq!(refused(&one, queued(1, 1, 1, 1, 51)), storage);
    let five: Vec<_> = (0..5).map(|chunk| queued(0, 0, chunk, 1, 1)).collect();
    let batches = Some(WaitingReason::ProviderBatchesFull);
    assert_eq!(refused(&five, queued(1, 1, 9, 1, 1)), batches);
}

#[test]
fn audio_counts_once_for_all_models_and_until_it_is_deleted() {
    let mut admission = empty();
    let (first, second) = (queued(0, 0, 0, 1, 60), queued(0, 1, 0, 1, 60));
    let other = queued(1, 0, 1, 1, 60);
    assert_eq!(ask(&mut admission, &first), None);
    assert_eq!(ask(&mut admission, &second), None, "the same audio");
    let storage = Some(WaitingReason::ProviderStorageFull);
    assert_eq!(ask(&mut admission, &other), storage);
    leave(&mut admission, &first);
    assert!(
        admission.lingering.is_empty(),
        "the other model still uses it"
    );
    leave(&mut admission, &second);
    assert_eq!(
        ask(&mut admission, &other),
        storage,
        "not open, but still there"
    );
    assert!(admission.is_pressed(&LIMITS, at(0)));
    assert_eq!(admission.due_at, Some(at(0)));
    discard(&mut admission, &second);
    assert_eq!(
        admission.next(&LIMITS, at(0)),
        std::slice::from_ref(&other.demand)
    );
    assert_eq!(ask(&mut admission, &other), None);
    assert!(admission.queue.is_empty() && admission.lingering.is_empty());
}

#[test]
fn audio_that_is_kept_is_used_again_but_not_while_it_is_deleted() {
    let mut admission = empty();
    let (first, second) = (queued(0, 0, 0, 1, 60), queued(0, 1, 0, 1, 60));
    ask(&mut admission, &first);
    leave(&mut admission, &first);
    let mut kept = admission.clone();
    assert_eq!(ask(&mut kept, &second), None);
    assert!(kept.lingering.is_empty(), "it is in use again");
    assert_eq!(kept.begun_to_discard(&first.demand), None);
    let mut going = admission.begun_to_discard(&first.demand).unwrap();
    assert_eq!(ask(&mut going, &second), Some(WaitingReason::SendingAudio));
    going = going.discarded(&first.demand).unwrap();
    assert_eq!(ask(&mut going, &second), None);
}

#[test]
fn no_unit_is_overtaken_by_one_that_takes_what_it_waits_for() {
    let mut admission = empty();
    let old = queued(0, 0, 0, 50, 10);
    let large = queued(1, 0, 1, 500, 10);
    let small = queued(2, 0, 2, 1, 1);
    let full = Some(WaitingReason::ModelQueueFull);
    assert_eq!(ask(&mut admission, &old), None);
    assert_eq!(ask(&mut admission, &large), full);
    assert_eq!(
        ask(&mut admission, &small),
        full,
        "it would fit, but it is younger"
    );
    let elsewhere = queued(2, 1, 2, 1, 1);
    assert_eq!(
        ask(&mut admission, &elsewhere),
        None,
        "another model's queue"
    );
    leave(&mut admission, &old);
    assert_eq!(ask(&mut admission, &small), full, "still");
    assert_eq!(
        ask(&mut admission, &large),
        None,
        "larger than the limit, alone"
    );
}

#[test]
fn units_that_wait_for_space_get_it_in_the_order_they_came() {
    let mut admission = empty();
    let big = queued(0, 0, 0, 1, 90);
    ask(&mut admission, &big);
    let storage = Some(WaitingReason::ProviderStorageFull);
    let queue: Vec<_> = (1..5)
        .map(|chunk| queued(u64::from(chunk), 0, chunk, 1, 40))
        .collect();
    for waiting in queue.iter().rev() {
        assert_eq!(ask(&mut admission, waiting), storage);
    }
    leave(&mut admission, &big);
    discard(&mut admission, &big);
    let due: Vec<_> = admission.next(&LIMITS, at(0));
    assert_eq!(due, [queue[0].demand.clone(), queue[1].demand.clone()]);
    for waiting in &queue[2..] {
        assert_eq!(ask(&mut admission, waiting), storage);
    }
    let newcomer = queued(9, 1, 9, 1, 1);
    assert_eq!(
        ask(&mut admission, &newcomer),
        storage,
        "behind all of them"
    );
    assert_eq!(ask(&mut admission, &queue[1]), None);
    assert_eq!(ask(&mut admission, &queue[0]), None);
}

#[test]
fn models_that_share_a_chunk_come_in_together() {
    let mut admission = empty();
    ask(&mut admission, &queued(0, 7, 99, 1, 100));
    for (provider, chunk) in [(1, 1), (1, 0), (0, 1), (0, 0)] {
        ask(&mut admission, &queued(1, provider, chunk, 1, 60));
    }
    leave(&mut admission, &queued(0, 7, 99, 1, 100));
    discard(&mut admission, &queued(0, 7, 99, 1, 100));
    let next: Vec<_> = admission
        .next(&LIMITS, at(0))
        .iter()
        .map(|demand| demand.unit)
        .collect();
    assert_eq!(next, [unit(0, 0), unit(1, 0)]);
}

#[test]
fn the_queue_keeps_the_first_of_each_model() {
    let mut admission = empty();
    ask(&mut admission, &queued(0, 0, 0, 60, 1));
    for chunk in (1..=40).rev() {
        ask(&mut admission, &queued(1, 0, chunk, 60, 1));
    }
    let mut kept: Vec<_> = admission
        .queue
        .iter()
        .map(|w| w.demand.unit.chunk)
        .collect();
    kept.sort_unstable();
    let first: Vec<u16> = (1..=16).collect();
    assert_eq!(kept, first);
    let late = admission.ask(&LIMITS, &queued(1, 0, 41, 60, 1), at(0));
    assert!(matches!(
        late,
        Answer::Wait {
            queued: false,
            admission: None,
            ..
        }
    ));
}

#[test]
fn what_lingers_is_looked_after_until_it_is_gone() {
    let mut admission = empty();
    let one = queued(0, 0, 0, 1, 1);
    ask(&mut admission, &one);
    admission = admission
        .without(one.demand.run, one.demand.unit, at(300))
        .unwrap();
    assert_eq!(
        admission.due_at,
        Some(at(300)),
        "a twin may still be sending"
    );
    admission = admission
        .tended(at(600))
        .released(at(600), at(310), at(370))
        .unwrap();
    assert_eq!(admission.due_at, Some(at(370)));
    assert!(admission.mentions(one.demand.run));
    admission = admission.tended(at(680));
    discard(&mut admission, &one);
    admission = admission.released(at(680), at(380), at(440)).unwrap();
    assert_eq!(admission.due_at, None);
    assert!(!admission.mentions(one.demand.run));
}

#[test]
fn an_invocation_that_looks_after_it_is_not_joined_by_others_because_more_lingers() {
    let mut admission = empty();
    let (one, two) = (queued(0, 0, 0, 1, 1), queued(0, 0, 1, 1, 1));
    ask(&mut admission, &one);
    ask(&mut admission, &two);
    admission = admission
        .without(one.demand.run, one.demand.unit, at(10))
        .unwrap();
    admission = admission.tended(at(300));
    admission = admission
        .without(two.demand.run, two.demand.unit, at(20))
        .unwrap();
    assert_eq!(admission.due_at, Some(at(300)));
    // The claim ran out, and another one has it now.
    let other = admission.tended(at(700));
    assert_eq!(other.released(at(300), at(310), at(370)), None);
    let admission = admission.released(at(300), at(30), at(90)).unwrap();
    assert_eq!(
        (admission.due_at, admission.tended_until),
        (Some(at(90)), None)
    );
}
