use std::time::Duration;

use super::*;

const LIMITS: Limits = Limits {
    open_batches: 5,
    stored_bytes: 100,
    audio_seconds: 60,
};

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_millis(1_800_000_000_000) + Duration::from_secs(seconds)
}

fn unit(provider: u8, chunk: u16) -> UnitKey {
    UnitKey {
        provider,
        round: 1,
        chunk,
    }
}

/// A unit of a model that is named like its provider index.
fn waiting(since: u64, provider: u8, chunk: u16, audio_seconds: u64, bytes: u64) -> Waiting {
    Waiting {
        since: at(since),
        slot: Slot {
            run: RunId::mint(1, [1; 10]),
            unit: unit(provider, chunk),
            model: provider.to_string(),
            audio_seconds,
            bytes,
        },
    }
}

fn empty() -> Room {
    Room::new("demo".parse().unwrap(), "google".into(), "c".into())
}

/// Asks, and keeps what came of it.
fn ask(room: &mut Room, me: &Waiting) -> Option<WaitingReason> {
    match room.ask(&LIMITS, me) {
        Answer::In(next) => {
            *room = next;
            None
        }
        Answer::Already => None,
        Answer::Wait {
            reason, room: next, ..
        } => {
            *room = next.unwrap_or_else(|| room.clone());
            Some(reason)
        }
    }
}

fn leave(room: &mut Room, who: &Waiting) {
    *room = room.without(who.slot.run, who.slot.unit, at(0)).unwrap();
}

fn clear(room: &mut Room, what: &Waiting) {
    *room = room.begun_to_clear(&what.slot).unwrap();
    *room = room.cleared(&what.slot).unwrap();
}

#[test]
fn slots_are_text_and_come_back() {
    let slot = waiting(1, 2, 40, 360, 1 << 33).slot;
    assert_eq!(slot.to_string().parse::<Slot>().unwrap(), slot);
    assert!("x#y".parse::<Slot>().is_err());
}

#[test]
fn room_is_counted_by_batches_bytes_and_audio_of_the_model() {
    let refused = |taken: &[Waiting], new: Waiting| {
        let mut room = empty();
        for taken in taken {
            assert_eq!(ask(&mut room, taken), None);
        }
        ask(&mut room, &new)
    };
    assert_eq!(refused(&[], waiting(1, 0, 0, 1_000, 1_000)), None, "alone");
    let one = [waiting(0, 0, 0, 30, 50)];
    assert_eq!(refused(&one, waiting(1, 0, 1, 30, 50)), None);
    let queue = Some(WaitingReason::ModelQueueFull);
    assert_eq!(refused(&one, waiting(1, 0, 1, 31, 50)), queue);
    assert_eq!(
        refused(&one, waiting(1, 1, 1, 31, 50)),
        None,
        "another model"
    );
    let storage = Some(WaitingReason::ProviderStorageFull);
    assert_eq!(refused(&one, waiting(1, 1, 1, 1, 51)), storage);
    let five: Vec<_> = (0..5).map(|chunk| waiting(0, 0, chunk, 1, 1)).collect();
    let batches = Some(WaitingReason::ProviderBatchesFull);
    assert_eq!(refused(&five, waiting(1, 1, 9, 1, 1)), batches);
}

#[test]
fn audio_counts_once_for_all_models_and_until_it_is_deleted() {
    let mut room = empty();
    let (first, second) = (waiting(0, 0, 0, 1, 60), waiting(0, 1, 0, 1, 60));
    let other = waiting(1, 0, 1, 1, 60);
    assert_eq!(ask(&mut room, &first), None);
    assert_eq!(ask(&mut room, &second), None, "the same audio");
    let storage = Some(WaitingReason::ProviderStorageFull);
    assert_eq!(ask(&mut room, &other), storage);
    leave(&mut room, &first);
    assert!(room.left.is_empty(), "the other model still uses it");
    leave(&mut room, &second);
    assert_eq!(ask(&mut room, &other), storage, "not open, but still there");
    assert!(room.is_pressed(&LIMITS));
    assert_eq!(room.due_at, Some(at(0)));
    clear(&mut room, &second);
    assert_eq!(room.next(&LIMITS), std::slice::from_ref(&other.slot));
    assert_eq!(ask(&mut room, &other), None);
    assert!(room.line.is_empty() && room.left.is_empty());
}

#[test]
fn audio_that_is_kept_is_used_again_but_not_while_it_is_deleted() {
    let mut room = empty();
    let (first, second) = (waiting(0, 0, 0, 1, 60), waiting(0, 1, 0, 1, 60));
    ask(&mut room, &first);
    leave(&mut room, &first);
    let mut kept = room.clone();
    assert_eq!(ask(&mut kept, &second), None);
    assert!(kept.left.is_empty(), "it is in use again");
    assert_eq!(kept.begun_to_clear(&first.slot), None);
    let mut going = room.begun_to_clear(&first.slot).unwrap();
    assert_eq!(ask(&mut going, &second), Some(WaitingReason::SendingAudio));
    going = going.cleared(&first.slot).unwrap();
    assert_eq!(ask(&mut going, &second), None);
}

#[test]
fn nobody_is_overtaken_by_one_who_takes_what_he_waits_for() {
    let mut room = empty();
    let old = waiting(0, 0, 0, 50, 10);
    let large = waiting(1, 0, 1, 500, 10);
    let small = waiting(2, 0, 2, 1, 1);
    let queue = Some(WaitingReason::ModelQueueFull);
    assert_eq!(ask(&mut room, &old), None);
    assert_eq!(ask(&mut room, &large), queue);
    assert_eq!(
        ask(&mut room, &small),
        queue,
        "it would fit, but it is younger"
    );
    let elsewhere = waiting(2, 1, 2, 1, 1);
    assert_eq!(ask(&mut room, &elsewhere), None, "another model's queue");
    leave(&mut room, &old);
    assert_eq!(ask(&mut room, &small), queue, "still");
    assert_eq!(ask(&mut room, &large), None, "larger than the limit, alone");
}

#[test]
fn whoever_waits_for_space_gets_it_in_the_order_they_came() {
    let mut room = empty();
    let big = waiting(0, 0, 0, 1, 90);
    ask(&mut room, &big);
    let storage = Some(WaitingReason::ProviderStorageFull);
    let line: Vec<_> = (1..5)
        .map(|chunk| waiting(u64::from(chunk), 0, chunk, 1, 40))
        .collect();
    for waiting in line.iter().rev() {
        assert_eq!(ask(&mut room, waiting), storage);
    }
    leave(&mut room, &big);
    clear(&mut room, &big);
    let due: Vec<_> = room.next(&LIMITS);
    assert_eq!(due, [line[0].slot.clone(), line[1].slot.clone()]);
    for waiting in &line[2..] {
        assert_eq!(ask(&mut room, waiting), storage);
    }
    let newcomer = waiting(9, 1, 9, 1, 1);
    assert_eq!(ask(&mut room, &newcomer), storage, "behind all of them");
    assert_eq!(ask(&mut room, &line[1]), None);
    assert_eq!(ask(&mut room, &line[0]), None);
}

#[test]
fn models_that_share_a_chunk_come_in_together() {
    let mut room = empty();
    ask(&mut room, &waiting(0, 7, 99, 1, 100));
    for (provider, chunk) in [(1, 1), (1, 0), (0, 1), (0, 0)] {
        ask(&mut room, &waiting(1, provider, chunk, 1, 60));
    }
    leave(&mut room, &waiting(0, 7, 99, 1, 100));
    clear(&mut room, &waiting(0, 7, 99, 1, 100));
    let next: Vec<_> = room.next(&LIMITS).iter().map(|slot| slot.unit).collect();
    assert_eq!(next, [unit(0, 0), unit(1, 0)]);
}

#[test]
fn the_line_keeps_the_first_of_each_model() {
    let mut room = empty();
    ask(&mut room, &waiting(0, 0, 0, 60, 1));
    for chunk in (1..=40).rev() {
        ask(&mut room, &waiting(1, 0, chunk, 60, 1));
    }
    let mut kept: Vec<_> = room.line.iter().map(|w| w.slot.unit.chunk).collect();
    kept.sort_unstable();
    let first: Vec<u16> = (1..=16).collect();
    assert_eq!(kept, first);
    let late = room.ask(&LIMITS, &waiting(1, 0, 41, 60, 1));
    assert!(matches!(
        late,
        Answer::Wait {
            in_line: false,
            room: None,
            ..
        }
    ));
}

#[test]
fn what_is_left_is_looked_after_until_it_is_gone() {
    let mut room = empty();
    let one = waiting(0, 0, 0, 1, 1);
    ask(&mut room, &one);
    room = room.without(one.slot.run, one.slot.unit, at(300)).unwrap();
    assert_eq!(room.due_at, Some(at(300)), "a twin may still be sending");
    room = room
        .tended(at(600))
        .released(at(600), at(310), at(370))
        .unwrap();
    assert_eq!(room.due_at, Some(at(370)));
    assert!(room.mentions(one.slot.run));
    room = room.tended(at(680));
    clear(&mut room, &one);
    room = room.released(at(680), at(380), at(440)).unwrap();
    assert_eq!(room.due_at, None);
    assert!(!room.mentions(one.slot.run));
}

#[test]
fn who_looks_after_it_is_not_joined_by_others_because_more_is_left() {
    let mut room = empty();
    let (one, two) = (waiting(0, 0, 0, 1, 1), waiting(0, 0, 1, 1, 1));
    ask(&mut room, &one);
    ask(&mut room, &two);
    room = room.without(one.slot.run, one.slot.unit, at(10)).unwrap();
    room = room.tended(at(300));
    room = room.without(two.slot.run, two.slot.unit, at(20)).unwrap();
    assert_eq!(room.due_at, Some(at(300)));
    // The claim ran out, and another one has it now.
    let other = room.tended(at(700));
    assert_eq!(other.released(at(300), at(310), at(370)), None);
    let room = room.released(at(300), at(30), at(90)).unwrap();
    assert_eq!((room.due_at, room.tended_until), (Some(at(90)), None));
}
