//! The unit's state machine, whatever comes in whatever order. The same machine
//! in a world of tables, queue and provider: `shared/domain/tests/l0`.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::unit::BatchState;

/// More than any bound of the policy.
const LONG: Duration = Duration::from_secs(40 * 3_600);

pub(super) fn at(seconds: u64) -> Timestamp {
    Timestamp::from_millis(1_800_000_000_000) + Duration::from_secs(seconds)
}

pub(super) fn new(now: Timestamp) -> Unit {
    let key = UnitKey {
        model: 1,
        round: 2,
        chunk: 3,
    };
    Unit::new(
        "demo".parse().unwrap(),
        RunId::mint(1, [1; 10]),
        key,
        4,
        "gemini".into(),
        vec![Span { start: 0, end: 3 }, Span { start: 7, end: 8 }],
        now,
        &Policy::default(),
    )
}

fn nothing(code: &str) -> Ending {
    Ending::Nothing {
        code: code.into(),
        message: "no".into(),
        retryable: true,
    }
}

/// Few values, so that fences and names meet.
fn event() -> impl Strategy<Value = Event> {
    let fence = 0u64..4;
    let batch = (0u8..3).prop_map(|n| format!("batch-{n}"));
    let state = prop_oneof![
        Just(BatchState::Pending),
        Just(BatchState::Running),
        Just(BatchState::Succeeded),
        Just(BatchState::Failed),
        Just(BatchState::Cancelled),
        Just(BatchState::Expired),
        Just(BatchState::Unknown("PAUSED".into())),
    ];
    let advice = prop::option::of((0u64..300).prop_map(Duration::from_secs));
    prop_oneof![
        4 => fence.clone().prop_map(|fence| Event::Claim {
            fence,
            batch_input: "input".into(),
            batch_name: "deployment/batch".into(),
            credential: "credential".into(),
            unsent: Vec::new(),
        }),
        3 => (fence.clone(), batch.clone())
            .prop_map(|(fence, batch)| Event::Created { fence, batch }),
        1 => (fence.clone(), advice.clone()).prop_map(|(fence, retry_after)| Event::Refused {
            fence,
            retry_after,
            reason: WaitingReason::ProviderRateLimited,
        }),
        1 => advice.prop_map(|retry_after| Event::Postponed { retry_after, reason: WaitingReason::ProviderUnreachable, failed: vec![3] }),
        1 => (0u64..100).prop_map(|pause| Event::Waiting {
            pause: Duration::from_secs(pause),
            reason: WaitingReason::SendingAudio,
        }),
        1 => Just(Event::Unsendable { ending: nothing("no_credentials"), unsent: Vec::new() }),
        3 => (prop::collection::vec(batch, 0..4), fence.clone())
            .prop_map(|(found, fence)| Event::Searched { found, fence }),
        1 => fence.clone().prop_map(|fence| Event::Unsearchable { fence }),
        4 => (state, prop::option::of(Just("output".to_owned())), fence.clone())
            .prop_map(|(state, output, fence)| Event::Observed { state, output, fence }),
        1 => fence.clone().prop_map(|fence| Event::Vanished { fence }),
        2 => (any::<bool>(), fence.clone())
            .prop_map(|(unlisted, fence)| Event::Denied { unlisted, fence }),
        1 => (0u8..3).prop_map(|n| Event::Late { batch: format!("batch-{n}") }),
        2 => fence.clone().prop_map(|fence| Event::TakeOver { fence }),
        2 => fence.prop_map(|fence| Event::Collected { fence }),
        1 => Just(Event::Cancel),
        1 => Just(Event::Stopped),
    ]
}

/// Events with the seconds before each.
fn history() -> impl Strategy<Value = Vec<(u64, Event)>> {
    let pause = prop_oneof![3 => 0u64..60, 2 => 500u64..1_000, 1 => 100_000u64..120_000];
    prop::collection::vec((pause, event()), 0..40)
}

/// Plays a history; `each` sees every event that took effect.
fn play(
    history: Vec<(u64, Event)>,
    mut each: impl FnMut(&Unit, &Event, Timestamp, &Step) -> Result<(), TestCaseError>,
) -> Result<(Unit, u64), TestCaseError> {
    let (mut unit, mut clock) = (new(at(0)), 0);
    for (pause, event) in history {
        clock += pause;
        if let Ok(step) = unit.step(event.clone(), at(clock), &Policy::default()) {
            each(&unit, &event, at(clock), &step)?;
            unit = step.unit;
        }
    }
    Ok((unit, clock))
}

fn fence_of(unit: &Unit) -> Option<u64> {
    match &unit.state {
        UnitState::Creating { fence, .. } | UnitState::Collecting { fence, .. } => Some(*fence),
        _ => None,
    }
}

fn batch_of(unit: &Unit) -> Option<&str> {
    match &unit.state {
        UnitState::Submitted { batch, .. } | UnitState::Cancelling { batch } => Some(batch),
        UnitState::Collecting { batch, .. } => batch.as_deref(),
        _ => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn each_step_keeps_its_promises(history in history()) {
        let policy = Policy::default();
        play(history, |before, event, now, step| {
            let after = &step.unit;
            let late = matches!(event, Event::Late { .. });
            prop_assert!(!before.is_done() || late, "{:?} took {:?}", before.state, event);
            prop_assert_eq!(after.rev, before.rev + 1);
            prop_assert_eq!(after.due_at.is_some(), !after.is_done());
            let claimed = matches!(event, Event::Claim { .. });
            prop_assert_eq!(after.attempt, before.attempt + u32::from(claimed));
            prop_assert!(after.unknown <= policy.max_attempts);
            let identity = |unit: &Unit| {
                let owner = (unit.project.clone(), unit.run, unit.vendor.clone());
                (owner, unit.key, unit.generation, unit.spans.clone())
            };
            prop_assert_eq!(identity(after), identity(before));
            if let UnitState::Ready { not_before } = after.state {
                prop_assert!(after.due_at >= Some(not_before));
            }
            match event {
                Event::Created { fence, .. }
                | Event::Refused { fence, .. }
                | Event::Collected { fence } => prop_assert_eq!(fence_of(before), Some(*fence)),
                Event::Searched { .. } | Event::Unsearchable { .. } => {
                    prop_assert!(before.wants_search(now, &policy));
                }
                _ => {}
            }
            // A batch is the one that was named, or the one that was there.
            let named: Vec<&str> = match event {
                Event::Created { batch, .. } => vec![batch],
                Event::Searched { found, .. } => found.iter().map(String::as_str).collect(),
                _ => batch_of(before).into_iter().collect(),
            };
            if let Some(batch) = batch_of(after) {
                prop_assert!(named.contains(&batch));
            }
            for effect in &step.effects {
                match effect {
                    Effect::CancelBatch(batch) => prop_assert!(named.contains(&batch.as_str())),
                    Effect::DeleteInput(name) => {
                        prop_assert_eq!(Some(name), before.batch_input.as_ref());
                        prop_assert_eq!(&after.batch_input, &None);
                    }
                }
            }
            // A batch is made once more at most, and not before it is over.
            if let Some(again) = &before.resubmitted {
                prop_assert_eq!(Some(again), after.resubmitted.as_ref());
            } else if let Some(again) = &after.resubmitted {
                prop_assert_eq!(Some(&*again.batch), batch_of(before));
                let ready = matches!(after.state, UnitState::Ready { .. });
                prop_assert!(ready);
                let over = matches!(
                    event,
                    Event::Observed {
                        state: BatchState::Expired | BatchState::Cancelled | BatchState::Failed,
                        ..
                    }
                );
                prop_assert!(over, "{event:?}");
            }
            let submitted = |unit: &Unit| matches!(unit.state, UnitState::Submitted { .. });
            if submitted(before) && matches!(after.state, UnitState::Ready { .. }) {
                prop_assert!(before.resubmitted.is_none() && after.resubmitted.is_some());
            }
            Ok(())
        })?;
    }

    #[test]
    fn every_unit_can_end(history in history(), cancelled: bool) {
        let policy = Policy::default();
        let (mut unit, clock) = play(history, |_, _, _, _| Ok(()))?;
        let mut now = at(clock);
        for _ in 0..5 {
            now = now + LONG;
            let fence = 9;
            let event = match &unit.state {
                UnitState::Creating { .. } => Event::Unsearchable { fence },
                UnitState::Cancelling { .. } => Event::Stopped,
                _ if unit.is_done() => break,
                _ if cancelled => Event::Cancel,
                UnitState::Ready { .. } => {
                    Event::Unsendable { ending: nothing("provider_refused"), unsent: Vec::new() }
                }
                UnitState::Submitted { .. } => {
                    Event::Observed { state: BatchState::Running, output: None, fence }
                }
                UnitState::Collecting { fence: 9, .. } => Event::Collected { fence },
                _ => Event::TakeOver { fence },
            };
            unit = unit.step(event, now, &policy).unwrap().unit;
        }
        prop_assert!(unit.is_done(), "{:?}", unit.state);
    }

    #[test]
    fn what_is_stored_is_what_is_read(history in history()) {
        let (unit, _) = play(history, |_, _, _, _| Ok(()))?;
        let mut stored = serde_json::to_value(&unit).unwrap();
        prop_assert_eq!(&serde_json::from_value::<Unit>(stored.clone()).unwrap(), &unit);
        // What earlier releases did not know.
        for name in ["unknown", "resubmitted", "stopping_since", "fates", "doubt"] {
            stored.as_object_mut().unwrap().remove(name);
        }
        prop_assert!(serde_json::from_value::<Unit>(stored).is_ok(), "of an earlier release");
    }

    #[test]
    fn chunks_are_a_partition_in_order(
        gaps in prop::collection::vec((0u16..3, 0u64..50), 0..300),
        max_items in 1usize..20,
        max_bytes in 1u64..200,
    ) {
        let mut items = Vec::new();
        let mut position = 0;
        for (gap, size) in gaps {
            position += gap;
            items.push((position, size));
            position += 1;
        }
        let cut = chunks(&items, max_items, max_bytes);
        prop_assert_eq!(&cut, &chunks(&items, max_items, max_bytes));
        let positions = |spans: &[Span]| -> Vec<u16> {
            spans.iter().flat_map(|span| span.start..span.end).collect()
        };
        let all: Vec<u16> = cut.iter().flat_map(|spans| positions(spans)).collect();
        prop_assert_eq!(all, items.iter().map(|(position, _)| *position).collect::<Vec<_>>());
        let mut rest = &items[..];
        for spans in &cut {
            let count = positions(spans).len();
            let (own, after) = rest.split_at(count);
            let bytes: u64 = own.iter().map(|(_, size)| size).sum();
            prop_assert!((1..=max_items).contains(&count));
            prop_assert!(bytes <= max_bytes || count == 1);
            // Never smaller than it has to be.
            if let Some((_, next)) = after.first() {
                prop_assert!(count == max_items || bytes + next > max_bytes);
            }
            // Neighbours are one span.
            prop_assert!(spans.windows(2).all(|pair| pair[0].end < pair[1].start));
            rest = after;
        }
    }

    #[test]
    fn a_display_name_belongs_to_one_attempt(
        names in prop::collection::vec((0u8..120, 0u16..2_000, 0u16..20_000, 0u32..20), 2..60)
    ) {
        let mut seen = BTreeSet::new();
        let distinct: BTreeSet<_> = names.into_iter().collect();
        for (provider, round, chunk, attempt) in &distinct {
            let mut unit = new(at(0));
            unit.key = UnitKey { model: *provider, round: *round, chunk: *chunk };
            seen.insert(unit.display_name("dev", *attempt));
        }
        prop_assert_eq!(seen.len(), distinct.len());
    }
}

pub(super) fn claimed(unit: &Unit, fence: u64, now: Timestamp) -> Unit {
    let claim = Event::Claim {
        fence,
        batch_input: "input".into(),
        batch_name: format!("deployment/batch-{fence}"),
        credential: "credential".into(),
        unsent: Vec::new(),
    };
    unit.step(claim, now, &Policy::default()).unwrap().unit
}

#[test]
fn a_refused_creation_is_not_an_unknown_one() {
    let policy = Policy::default();
    let mut unit = new(at(0));
    let mut clock = 0;
    for fence in 0..10 {
        unit = claimed(&unit, fence, at(clock));
        let refused = Event::Refused {
            fence,
            retry_after: None,
            reason: WaitingReason::ProviderRateLimited,
        };
        unit = unit.step(refused, at(clock), &policy).unwrap().unit;
        clock += 10_000;
    }
    assert_eq!((unit.attempt, unit.refusals, unit.unknown), (10, 10, 0));
    // The first unknown outcome after ten refusals is the first all the same.
    for unknown in 1..=policy.max_attempts {
        unit = claimed(&unit, 77, at(clock));
        clock += policy.grace.as_secs();
        let searched = Event::Searched {
            found: Vec::new(),
            fence: 78,
        };
        unit = unit.step(searched, at(clock), &policy).unwrap().unit;
        let set_aside = matches!(unit.state, UnitState::Collecting { .. });
        assert_eq!(
            (unit.unknown, set_aside),
            (unknown, unknown == policy.max_attempts)
        );
    }
    let ended = unit.step(Event::Collected { fence: 78 }, at(clock), &policy);
    assert_eq!(ended.unwrap().unit.state, UnitState::Quarantined);
}

#[test]
fn of_several_batches_the_oldest_stays() {
    let unit = claimed(&new(at(0)), 1, at(0));
    let found = ["b1", "b2", "b3"].map(str::to_owned).to_vec();
    let searched = Event::Searched { found, fence: 2 };
    let policy = Policy::default();
    assert_eq!(unit.step(searched.clone(), at(599), &policy), Err(Stale));
    let step = unit.step(searched, at(600), &policy).unwrap();
    assert_eq!(batch_of(&step.unit), Some("b1"));
    let cancelled = ["b2", "b3"].map(|batch| Effect::CancelBatch(batch.into()));
    assert_eq!(step.effects, cancelled);
    // A creation that is told after all comes too late.
    let created = Event::Created {
        fence: 1,
        batch: "b4".into(),
    };
    assert_eq!(step.unit.step(created, at(601), &policy), Err(Stale));
}

#[test]
fn finished_without_an_output_gets_time_to_settle() {
    let policy = Policy::default();
    let created = Event::Created {
        fence: 1,
        batch: "b".into(),
    };
    let unit = claimed(&new(at(0)), 1, at(0));
    let mut unit = unit.step(created, at(0), &policy).unwrap().unit;
    let observed = |output: Option<&str>| Event::Observed {
        state: BatchState::Succeeded,
        output: output.map(str::to_owned),
        fence: 2,
    };
    let settle = policy.settle.as_secs();
    for clock in [10, 20, 9 + settle] {
        unit = unit.step(observed(None), at(clock), &policy).unwrap().unit;
        assert!(matches!(unit.state, UnitState::Submitted { .. }), "{clock}");
    }
    let without = unit
        .step(observed(None), at(10 + settle), &policy)
        .unwrap()
        .unit;
    let with = unit
        .step(observed(Some("o")), at(11), &policy)
        .unwrap()
        .unit;
    let ending = |unit: &Unit| match &unit.state {
        UnitState::Collecting { ending, .. } => ending.clone(),
        state => panic!("{state:?}"),
    };
    assert!(
        matches!(ending(&without), Ending::Nothing { code, .. } if code == "provider_no_output")
    );
    assert_eq!(ending(&with), Ending::Output { output: "o".into() });
}
