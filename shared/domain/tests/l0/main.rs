//! L0: the pure state machines of units and runs under a hostile scheduler.
//!
//! Workers are small programs that do what `functions/submit` and
//! `functions/poll` do, in the same order of reads, calls and conditional
//! writes, against models of tables, queue and provider. Any of them may die or
//! stand still between any two operations.
//!
//! `cargo test -p stt-eval-domain --test l0` runs 50,000 schedules;
//! `L0_SCHEDULES=1000000` more of them, `L0_FIRST=…` from another first seed.
//! A failure prints its seed; `L0_SEED=… cargo test -p stt-eval-domain --test l0
//! the_protocol -- --nocapture` replays that one alone and tells each step.

// Helpers of tests fail by panicking, as tests do; clippy knows only functions
// marked as tests.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod calls;
mod collect;
mod judge;
mod people;
mod poll;
mod protocol;
mod provider;
mod reached;
mod schedule;
mod submit;
mod sweep;
mod tables;
mod world;

use std::collections::BTreeMap;
use std::time::Instant;

use protocol::Protocol;
use reached::Reached;

fn variable(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} must be a whole number")),
    )
}

#[test]
fn the_protocol_loses_nothing_and_doubles_nothing() {
    if let Some(seed) = variable("L0_SEED") {
        let verdict = schedule::run(seed, Protocol::RIGHT, true);
        assert!(
            verdict.violations.is_empty(),
            "seed {seed}: {:#?}",
            verdict.violations
        );
        return;
    }
    let first = variable("L0_FIRST").unwrap_or(0);
    let schedules = variable("L0_SCHEDULES").unwrap_or(50_000);
    let started = Instant::now();
    let mut reached = Reached::default();
    for seed in first..first + schedules {
        let verdict = schedule::run(seed, Protocol::RIGHT, false);
        reached.add(&verdict.reached);
        assert!(
            verdict.violations.is_empty(),
            "seed {seed}: {:#?}\nL0_SEED={seed} replays it",
            verdict.violations
        );
    }
    let seconds = started.elapsed().as_secs_f64();
    println!(
        "{schedules} schedules in {seconds:.1} s, {:.0} a second",
        schedules as f64 / seconds
    );
    for (name, times) in reached.all() {
        println!("{times:>12} {name}");
        assert!(
            times > 0 || schedules < 10_000,
            "no schedule came by `{name}`"
        );
    }
}

/// Runs wrong schedules until enough of them were noticed.
#[test]
fn known_mistakes_are_caught() {
    const AT_LEAST: u64 = 500;
    const CAUGHT: u64 = 2;
    for (name, protocol) in Protocol::WRONG {
        let (mut schedules, mut wrong) = (0u64, 0u64);
        let mut first: BTreeMap<String, u64> = BTreeMap::new();
        while schedules < 50_000 && (schedules < AT_LEAST || wrong < CAUGHT) {
            let verdict = schedule::run(schedules, protocol, false);
            schedules += 1;
            wrong += u64::from(!verdict.violations.is_empty());
            if let Some(violation) = verdict.violations.first() {
                let kind = violation.replace(|c: char| c.is_ascii_digit(), "");
                *first.entry(kind).or_default() += 1;
            }
        }
        let share = wrong as f64 / schedules as f64 * 100.0;
        let most = first.iter().max_by_key(|(_, times)| **times);
        let most = most.map_or("", |(kind, _)| kind);
        println!("{share:6.2} % of {schedules:5} schedules: {name}; mostly \"{most}\"");
        assert!(wrong > 0, "{name} went unnoticed");
    }
}

#[test]
fn a_seed_replays_exactly() {
    for seed in 0..50 {
        let one = schedule::run(seed, Protocol::RIGHT, false);
        let two = schedule::run(seed, Protocol::RIGHT, false);
        assert_eq!(one.digest, two.digest, "seed {seed}");
        assert_eq!(one.reached.steps, two.reached.steps, "seed {seed}");
    }
}
