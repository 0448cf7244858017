use proptest::prelude::*;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_millis(1_795_000_000_000) + Duration::from_secs(seconds)
}

fn a_minute(requests: u64) -> Rates {
    Rates {
        requests_per_minute: Some(requests),
        ..Rates::default()
    }
}

/// Of a worker that took and used nothing and learnt nothing.
fn turn(heard: &Allowance) -> Turn {
    Turn {
        began: at(0),
        number: 0,
        taken: Cost::default(),
        used: Cost::default(),
        heard: heard.clone(),
        lanes: 4,
        most: 4,
        not_before: None,
    }
}

#[test]
fn what_an_operator_says_is_kept_to() {
    let mut allowance = Allowance::default().under(&a_minute(20), at(0));
    let call = Cost::of_call(3.0);
    for _ in 0..20 {
        assert_eq!(allowance.wait(call, at(0)), Duration::ZERO);
        allowance.take(call, at(0));
    }
    assert_eq!(allowance.wait(call, at(0)), 3 * SECOND);
    assert_eq!(allowance.wait(call, at(3)), Duration::ZERO);
    // Of several limits the one that is waited for longest.
    let rates = Rates {
        audio_seconds_per_hour: Some(3_600),
        ..a_minute(20)
    };
    let mut both = Allowance::default().under(&rates, at(0));
    both.take(Cost::of_call(3_600.0), at(0));
    assert_eq!(both.wait(Cost::of_call(90.0), at(0)), 90 * SECOND);
    // A clip that is longer than an hour's worth goes when all of that is there.
    assert_eq!(both.wait(Cost::of_call(9_000.0), at(0)), 3_600 * SECOND);
    assert_eq!(both.wait(Cost::of_call(9_000.0), at(3_600)), Duration::ZERO);
}

#[test]
fn another_limit_keeps_what_was_used() {
    let mut allowance = Allowance::default().under(&a_minute(20), at(0));
    for _ in 0..15 {
        allowance.take(Cost::of_call(1.0), at(0));
    }
    let raised = allowance.clone().under(&a_minute(60), at(0));
    let forty_five = Cost {
        requests: 45.0,
        audio_seconds: 0.0,
    };
    assert_eq!(raised.wait(forty_five, at(0)), Duration::ZERO);
    assert_eq!(
        raised.wait(forty_five.and(Cost::of_call(0.0)), at(0)),
        SECOND
    );
    let same = allowance.clone().under(&a_minute(20), at(0));
    assert_eq!(same, allowance);
    let none = allowance.under(&Rates::default(), at(0));
    assert_eq!(none, Allowance::default());
}

#[test]
fn a_second_worker_comes_after_the_first_which_gives_back_what_it_did_not_use() {
    let rates = a_minute(20);
    let mut kept = Allowance::default().under(&rates, at(0));
    let whole = Cost {
        requests: 50.0,
        audio_seconds: 50.0,
    };
    let number = kept.begin(whole, at(0));
    // Fifty at twenty a minute: thirty are still to come, and one after them.
    let first = Cost::of_call(1.0);
    assert_eq!(kept.wait(first, at(0)), 93 * SECOND);
    let ended = Turn {
        number,
        taken: whole,
        used: Cost {
            requests: 40.0,
            audio_seconds: 40.0,
        },
        ..turn(&Allowance::default())
    };
    let after = Allowance::settled(Some(&kept), &ended, at(0)).unwrap();
    assert_eq!(after.wait(first, at(0)), 63 * SECOND);
    // Not where another has begun behind it.
    let mut beside = kept.clone();
    beside.begin(first, at(0));
    assert_eq!(Allowance::settled(Some(&beside), &ended, at(0)), None);
    // One that died gives nothing back, and is waited for no longer than that.
    assert_eq!(kept.wait(first, at(93)), Duration::ZERO);
}

#[test]
fn what_a_vendor_tells_is_kept_where_little_is_left() {
    // As Groq was seen to answer a first clip of two seconds.
    let told = ToldLimits {
        requests: Some(Left {
            limit: 2_000.0,
            left: 1_999.0,
            full_in: Duration::from_millis(43_200),
        }),
        audio_seconds: Some(Left {
            limit: 7_200.0,
            left: 7_198.0,
            full_in: SECOND,
        }),
    };
    let mut allowance = Allowance::default();
    allowance.hear(&told, at(0));
    assert_eq!(allowance.wait(Cost::of_call(60.0), at(0)), Duration::ZERO);
    assert_eq!(
        Allowance::settled(None, &turn(&allowance), at(0)),
        None,
        "nothing that the next worker should know"
    );
    let little = ToldLimits {
        audio_seconds: Some(Left {
            limit: 7_200.0,
            left: 10.0,
            full_in: 3_595 * SECOND,
        }),
        ..told
    };
    allowance.hear(&little, at(0));
    assert_eq!(allowance.wait(Cost::of_call(30.0), at(0)), 10 * SECOND);
    let kept = Allowance::settled(None, &turn(&allowance), at(0)).unwrap();
    assert_eq!(kept.wait(Cost::of_call(30.0), at(0)), 10 * SECOND);
    assert!(!kept.is_shared());
    // And let go of when there is enough again.
    let later = Allowance::settled(Some(&kept), &turn(&Allowance::default()), at(3_600));
    assert_eq!(later, Some(Allowance::default()));
}

#[test]
fn odd_things_told_are_passed_by() {
    let odd = |limit, left, full_in| {
        let mut allowance = Allowance::default();
        let told = ToldLimits {
            requests: Some(Left {
                limit,
                left,
                full_in,
            }),
            audio_seconds: None,
        };
        allowance.hear(&told, at(0));
        allowance.wait(Cost::of_call(1.0), at(0))
    };
    for (limit, left) in [(0.0, 0.0), (-1.0, -2.0), (10.0, -1.0), (f64::NAN, 1.0)] {
        assert_eq!(odd(limit, left, SECOND), Duration::ZERO, "{limit} {left}");
    }
    assert_eq!(odd(f64::INFINITY, 0.0, SECOND), Duration::ZERO);
    // Nothing left, and no word on when: about at once.
    assert!(odd(10.0, 0.0, Duration::ZERO) <= SECOND);
}

#[test]
fn what_refusals_taught_is_kept_and_forgiven() {
    let worker = turn(&Allowance::default());
    let slowed = Turn {
        lanes: 1,
        not_before: Some(at(40)),
        ..worker.clone()
    };
    let kept = Allowance::settled(None, &slowed, at(10)).unwrap();
    assert_eq!(kept.lanes(4, at(11)), 1);
    assert_eq!(kept.wait(Cost::of_call(1.0), at(11)), 29 * SECOND);
    assert_eq!(kept.lanes(4, at(10 + 600)), 2);
    assert_eq!(kept.lanes(4, at(10 + 86_400)), 4);
    // A worker that saw none of it, and was done a moment later, does not undo it.
    let beside = Turn {
        began: at(5),
        lanes: 2,
        ..worker.clone()
    };
    let both = Allowance::settled(Some(&kept), &beside, at(12));
    assert_eq!(both.unwrap_or(kept.clone()).lanes(4, at(12)), 1);
    // One that came after it, and was let do as much as it could, does.
    let grown = Turn {
        began: at(20),
        ..worker
    };
    let open = Allowance::settled(Some(&kept), &grown, at(50)).unwrap();
    assert_eq!(open, Allowance::default());
}

#[test]
fn it_is_read_again_as_it_was_written() {
    let mut allowance = Allowance::default().under(&a_minute(20), at(0));
    allowance.take(Cost::of_call(2.5), at(1));
    allowance.lanes = Some((2, at(1)));
    allowance.not_before = Some(at(9));
    allowance.rev = 7;
    let text = serde_json::to_string(&allowance).unwrap();
    assert_eq!(serde_json::from_str::<Allowance>(&text).unwrap(), allowance);
}

proptest! {
    /// Whatever workers do side by side: in no time do they begin more than the limit and what
    /// fills again in that time.
    #[test]
    fn no_more_is_done_than_is_allowed(
        limit in 1u64..50,
        units in prop::collection::vec((1u32..60, 0u64..200, any::<bool>()), 1..12),
    ) {
        let rates = a_minute(limit);
        let mut kept = Allowance::default().under(&rates, at(0));
        let mut now = at(0);
        let mut begun: Vec<Timestamp> = Vec::new();
        let mut ends: Vec<(Timestamp, Turn)> = Vec::new();
        for (items, passes, stops_early) in units {
            now = now + Duration::from_secs(passes);
            // Workers that have ended meanwhile have given back what they did not use.
            ends.sort_by_key(|(at, _)| *at);
            let ended = ends.iter().take_while(|(at, _)| *at <= now).count();
            for (at, turn) in ends.drain(..ended) {
                kept = Allowance::settled(Some(&kept), &turn, at).unwrap_or(kept);
            }
            let call = Cost::of_call(1.0);
            let mut mine = kept.clone().under(&rates, now);
            let taken = Cost { requests: items.into(), audio_seconds: items.into() };
            let mut reserved = mine.clone();
            if mine.wait(call, now) > crate::pace::LONGEST_HOLD {
                continue;
            }
            let number = reserved.begin(taken, now);
            kept = reserved;
            let (mut clock, mut used) = (now, Cost::default());
            let does = if stops_early { items / 2 } else { items };
            for _ in 0..does {
                clock = clock + mine.wait(call, clock) + Duration::from_millis(1);
                mine.take(call, clock);
                used = used.and(call);
                begun.push(clock);
            }
            let turn = Turn {
                began: now, number, taken, used, heard: mine, lanes: 4, most: 4, not_before: None,
            };
            ends.push((clock, turn));
        }
        begun.sort();
        for (place, from) in begun.iter().enumerate() {
            for (more, until) in begun[place..].iter().enumerate() {
                let seconds = until.since(*from).as_secs_f64();
                #[expect(clippy::cast_precision_loss, reason = "small")]
                let (did, may) = ((more + 1) as f64, limit as f64 * (1.0 + seconds / 60.0));
                prop_assert!(did <= may + 1.0, "{did} in {seconds} s at {limit} a minute");
            }
        }
    }

    /// Nothing waits for ever, and nothing panics.
    #[test]
    fn a_wait_ends(
        limit in 1u64..1_000_000,
        costs in prop::collection::vec(0.0f64..1e7, 1..20),
    ) {
        let rates = Rates { audio_seconds_per_hour: Some(limit), ..Rates::default() };
        let mut allowance = Allowance::default().under(&rates, at(0));
        let mut now = at(0);
        for seconds in costs {
            let call = Cost::of_call(seconds);
            now = now + allowance.wait(call, now) + Duration::from_millis(1);
            prop_assert_eq!(allowance.wait(call, now), Duration::ZERO);
            // Longer than the limit is taken as the limit: the vendor decides of it.
            allowance.take(call, now);
        }
    }
}
