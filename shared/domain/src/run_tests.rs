//! The run under everything that happens to it.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::transcribe::ModelConfig;
use stt_eval_scoring::normalise::Normaliser;
use stt_eval_scoring::{CorpusSums, FailedBy, score};

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_millis(1_800_000_000_000) + Duration::from_secs(seconds)
}

fn key(model: u8, round: u16, chunk: u16) -> UnitKey {
    UnitKey {
        model,
        round,
        chunk,
    }
}

pub(crate) fn accepted(samples: u32, models: usize) -> Run {
    let model = RunModel {
        model: "model".into(),
        vendor: "gemini".into(),
        config: ModelConfig {
            model: "model".into(),
            prompt: Some(String::new()),
            temperature: Some(0.0),
            prompt_version: Some("1".into()),
            endpoint: None,
        },
        completed: 0,
        failed: 0,
        correct: 0,
        incorrect: 0,
        sums: CorpusSums::default(),
        cost_micro_usd: 0,
        model_versions: Vec::new(),
        passing: Default::default(),
        asked_again: 0,
        unsupported: 0,
        unknown: 0,
        may_be_charged_twice: 0,
        imported: None,
    };
    Run {
        id: RunId::mint(1, [1; 10]),
        project: "demo".parse().unwrap(),
        name: "run".into(),
        dataset: DatasetId::mint(1, [2; 10]),
        dataset_name: "dataset".into(),
        language: "ta".into(),
        sample_count: samples,
        status: RunStatus::Pending,
        models: vec![model; models],
        normalizer: "v1".into(),
        generation: 1,
        round: 1,
        automatic: false,
        joining: None,
        lossless_flac: None,
        blind_review: false,
        cost_cap: None,
        units_total: None,
        units_done: 0,
        error_message: None,
        deleting: false,
        closing: false,
        inserted_at: at(0),
        updated_at: at(0),
        finished_at: None,
        due_at: Some(at(30)),
        scorings: Default::default(),
        rev: 1,
    }
}

/// What a unit of so many good and failed items brings.
fn tally(completed: u32, failed: u32) -> Tally {
    let mut tally = Tally {
        completed,
        failed,
        cost_micro_usd: u64::from(completed) * 7,
        model_versions: vec![format!("v{completed}")],
        ..Tally::default()
    };
    let pair = |hypothesis: &str| {
        score(
            "one two three",
            hypothesis,
            "en",
            &Normaliser::default(),
            None,
        )
        .unwrap()
    };
    for number in 0..completed {
        let hypothesis = if number % 2 == 0 {
            "one two three"
        } else {
            "one too"
        };
        tally.sums.add(&pair(hypothesis));
    }
    for _ in 0..failed {
        tally
            .sums
            .add_failure(&pair("").reference_size(), FailedBy::Model);
    }
    tally
}

/// A unit with its good and failed items.
type Brings = (UnitKey, (u32, u32));
/// Outcomes of the units of each model: good and failed items.
type Plan = Vec<Vec<(u32, u32)>>;

/// Models with the same number of samples, cut into units at random places.
fn plan() -> impl Strategy<Value = Plan> {
    (1usize..4, prop::collection::vec(1u32..5, 1..5)).prop_flat_map(|(models, sizes)| {
        let unit = |size: u32| (0..=size).prop_map(move |good| (good, size - good));
        let model = sizes.into_iter().map(unit).collect::<Vec<_>>();
        prop::collection::vec(model, models)
    })
}

fn units(plan: &Plan, round: u16) -> Vec<Brings> {
    let models = (0u8..).zip(plan);
    let unit = |(provider, units): (u8, &Vec<(u32, u32)>)| {
        let units = (0u16..).zip(units.clone());
        units
            .map(move |(chunk, items)| (key(provider, round, chunk), items))
            .collect::<Vec<_>>()
    };
    models.flat_map(unit).collect()
}

fn samples(plan: &Plan) -> u32 {
    plan[0].iter().map(|(good, failed)| good + failed).sum()
}

fn planned(plan: &Plan) -> Run {
    let run = accepted(samples(plan), plan.len());
    let total = u32::try_from(units(plan, 1).len()).unwrap();
    run.planned(total, at(1), at(600)).unwrap()
}

fn shuffled(plan: Plan) -> impl Strategy<Value = (Plan, Vec<Brings>)> {
    let order = Just(units(&plan, 1)).prop_shuffle();
    (Just(plan), order)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_order_of_units_is_all_the_same((plan, order) in plan().prop_flat_map(shuffled)) {
        let play = |order: &[Brings]| {
            let mut run = planned(&plan);
            for (number, (key, (good, failed))) in order.iter().enumerate() {
                assert!(run.status.is_active(), "it ended before its last unit");
                let next = run.with_unit(*key, &tally(*good, *failed), at(2));
                assert_eq!(next.rev, run.rev + 1);
                assert_eq!(next.units_done, u32::try_from(number).unwrap() + 1);
                assert!(next.completed() + next.failed() <= next.total_items());
                assert_eq!(next.pending(), run.pending() - u64::from(good + failed));
                run = next;
            }
            for provider in &mut run.models {
                provider.model_versions.sort();
            }
            run
        };
        let run = play(&order);
        prop_assert_eq!(&run, &play(&units(&plan, 1)));
        prop_assert_eq!(run.pending(), 0);
        let any = plan.iter().flatten().any(|(good, _)| *good > 0);
        prop_assert_eq!(run.status, if any { RunStatus::Completed } else { RunStatus::Failed });
        prop_assert_eq!(run.error_message.is_some(), !any);
        prop_assert!(run.closing && run.finished_at.is_some() && run.due_at.is_some());
    }

    #[test]
    fn a_retry_adds_up((plan, order) in plan().prop_flat_map(shuffled)) {
        let mut run = planned(&plan);
        for (key, (good, failed)) in &order {
            run = run.with_unit(*key, &tally(*good, *failed), at(2));
        }
        let failed = run.failed();
        let retried = run.retried(at(3), at(33));
        prop_assert_eq!(retried.is_ok(), failed > 0);
        let Ok(mut run) = retried else { return Ok(()) };
        prop_assert_eq!((run.failed(), run.pending(), run.round), (0, failed, 2));
        // What failed left nothing behind.
        for (model, provider) in plan.iter().zip(&run.models) {
            let mut sums = CorpusSums::default();
            for (good, _) in model {
                sums.merge(&tally(*good, 0).sums);
            }
            prop_assert_eq!(&provider.sums, &sums);
        }
        // The second round has one unit per model, of all that failed.
        let open: Vec<u32> = plan.iter().map(|m| m.iter().map(|(_, failed)| failed).sum()).collect();
        let again = open.iter().filter(|failed| **failed > 0).count();
        run = run.planned(u32::try_from(again).unwrap(), at(4), at(600)).unwrap();
        for (provider, failed) in (0u8..).zip(&open) {
            if *failed > 0 {
                prop_assert!(run.status.is_active());
                run = run.with_unit(key(provider, 2, 0), &tally(*failed, 0), at(5));
            }
        }
        prop_assert_eq!(run.status, RunStatus::Completed);
        prop_assert_eq!((run.completed(), run.failed()), (run.total_items(), 0));
    }

    #[test]
    fn only_its_own_generation_is_wanted(generation in 0u32..4, round in 0u16..4) {
        let run = Run { generation: 2, round: 2, ..accepted(1, 1) };
        let unit = key(0, round, 0);
        prop_assert_eq!(run.wants(unit, generation), generation == 2 && round == 2);
        prop_assert_eq!(run.counts(unit), round == 2);
        prop_assert_eq!(run.left_behind(generation), generation < 2);
        prop_assert!(!(run.wants(unit, generation) && run.left_behind(generation)));
        for status in RunStatus::ALL {
            for closing in [false, true] {
                let run = Run { status, closing, ..run.clone() };
                prop_assert!(!run.wants(unit, generation) || status.is_active());
                let stopping = closing && status == RunStatus::Cancelled;
                prop_assert_eq!(run.counts(unit), round == 2 && (status.is_active() || stopping));
                let gone = run.deleted(at(1)).unwrap();
                prop_assert!(!gone.wants(unit, generation) && !gone.counts(unit));
            }
        }
    }
}

fn in_state(status: RunStatus) -> Run {
    let mut run = accepted(2, 1);
    run.status = status;
    run.models[0].failed = 1;
    run
}

#[test]
fn only_an_active_run_can_be_cancelled() {
    for status in RunStatus::ALL {
        let run = in_state(status);
        let cancelled = run.cancelled(at(9));
        assert_eq!(cancelled.is_ok(), status.is_active(), "{status:?}");
        let Ok(cancelled) = cancelled else { continue };
        assert_eq!(cancelled.status, RunStatus::Cancelled);
        assert_eq!(
            (cancelled.generation, cancelled.rev),
            (run.generation + 1, run.rev + 1)
        );
        assert_eq!(cancelled.finished_at, Some(at(9)));
        assert!(cancelled.closing && cancelled.due_at.is_some());
        let unit = key(0, 1, 0);
        assert!(run.wants(unit, 1) && !cancelled.wants(unit, 1) && !cancelled.wants(unit, 2));
        // A collection under way is still counted, and nothing comes alive.
        assert!(cancelled.counts(unit) && !cancelled.closed().counts(unit));
        let counted = Run {
            units_total: Some(1),
            ..cancelled
        }
        .with_unit(unit, &tally(1, 0), at(10));
        assert_eq!(
            (counted.status, counted.completed()),
            (RunStatus::Cancelled, 1)
        );
        assert_eq!(counted.finished_at, Some(at(9)));
    }
}

#[test]
fn only_an_ended_run_with_something_to_do_can_be_retried() {
    for status in RunStatus::ALL {
        let run = in_state(status);
        let retried = run.retried(at(9), at(39));
        assert_eq!(retried.is_ok(), !status.is_active(), "{status:?}");
        let Ok(retried) = retried else { continue };
        assert_eq!((retried.status, retried.round), (RunStatus::Pending, 2));
        assert_eq!(
            (retried.generation, retried.rev),
            (run.generation + 1, run.rev + 1)
        );
        assert_eq!((retried.units_total, retried.units_done), (None, 0));
        assert_eq!((retried.finished_at, retried.due_at), (None, Some(at(39))));
        assert!(run.left_behind(0) && retried.left_behind(run.generation));
        assert!(!retried.wants(key(0, 1, 0), 2) && retried.wants(key(0, 2, 0), 2));
    }
    let stopping = Run {
        closing: true,
        ..in_state(RunStatus::Cancelled)
    };
    assert!(stopping.retried(at(9), at(39)).is_err());
    assert!(stopping.closed().retried(at(9), at(39)).is_ok());
    let mut done = in_state(RunStatus::Completed);
    (done.models[0].completed, done.models[0].failed) = (2, 0);
    assert!(done.retried(at(9), at(39)).is_err());
}

#[test]
fn any_run_can_be_deleted_once() {
    for status in RunStatus::ALL {
        let run = in_state(status);
        let gone = run.deleted(at(9)).unwrap();
        assert!(gone.deleting && gone.closing && gone.due_at.is_some());
        assert_eq!(
            (gone.generation, gone.rev),
            (run.generation + 1, run.rev + 1)
        );
        assert!(gone.left_behind(run.generation));
        assert_eq!(gone.deleted(at(10)), None);
    }
}

#[test]
fn a_run_is_planned_once_and_only_while_active() {
    let run = accepted(2, 1);
    let planned = run.planned(2, at(1), at(600)).unwrap();
    assert_eq!(
        (planned.units_total, planned.due_at),
        (Some(2), Some(at(600)))
    );
    assert_eq!(planned.planned(2, at(2), at(600)), None);
    for status in RunStatus::ALL {
        assert_eq!(
            in_state(status).planned(1, at(1), at(600)).is_some(),
            status.is_active()
        );
    }
    let empty = run.planned(0, at(1), at(600)).unwrap();
    assert_eq!(
        (empty.status, empty.finished_at),
        (RunStatus::Failed, Some(at(1)))
    );
}

#[test]
fn a_plan_recorded_after_its_last_unit_still_ends_the_run() {
    // The planner died between writing the units and recording them; the units
    // were due by themselves and were done before it came again.
    let run = accepted(2, 1).with_unit(key(0, 1, 0), &tally(1, 1), at(90));
    assert_eq!((run.status, run.units_done), (RunStatus::Processing, 1));
    let planned = run.planned(1, at(100), at(700)).unwrap();
    assert_eq!(
        (planned.status, planned.finished_at),
        (RunStatus::Completed, Some(at(100)))
    );
    assert!(planned.closing);
}

#[test]
fn a_run_starts_once() {
    for status in RunStatus::ALL {
        let started = in_state(status).started(at(1));
        assert_eq!(started.is_some(), status == RunStatus::Pending);
        assert!(started.is_none_or(|run| run.status == RunStatus::Processing));
    }
}

fn with_passing(completed: u32, failed: u32, passing: u32) -> Tally {
    Tally {
        passing: Passing {
            items: passing,
            sums: tally(0, passing).sums,
        },
        ..tally(completed, failed)
    }
}

/// Two of five items failed inside the provider, one for good.
fn half_done() -> Run {
    let run = accepted(5, 1).planned(2, at(1), at(600)).unwrap();
    let run = run.with_unit(key(0, 1, 0), &with_passing(1, 1, 1), at(2));
    assert_eq!((run.pending(), run.failed()), (3, 1));
    run
}

#[test]
fn failures_that_may_pass_are_asked_for_once_more_before_the_run_ends() {
    let run = half_done().with_unit(key(0, 1, 1), &with_passing(1, 0, 1), at(3));
    assert_eq!((run.status, run.closing), (RunStatus::Processing, false));
    assert_eq!((run.round, run.automatic, run.generation), (2, true, 1));
    assert_eq!((run.units_total, run.units_done), (None, 0));
    assert_eq!(run.due_at, Some(at(3)), "its units are to be planned");
    assert_eq!((run.completed(), run.failed(), run.pending()), (2, 1, 2));
    assert_eq!(run.models[0].asked_again, 2);
    // The first round's failure for good stays what it is.
    assert!(!run.replaces(1, false) && run.replaces(1, true));
    // Whatever comes of it now is final.
    let run = run.planned(1, at(4), at(600)).unwrap();
    let ended = run.with_unit(key(0, 2, 0), &with_passing(1, 0, 1), at(5));
    assert_eq!((ended.status, ended.round), (RunStatus::Completed, 2));
    assert_eq!((ended.completed(), ended.failed()), (3, 2));
    assert!(!ended.replaces(2, true) && ended.replaces(1, true));
    assert_eq!(ended.models[0].sums, {
        let mut sums = tally(1, 1).sums;
        sums.merge(&tally(1, 0).sums);
        sums.merge(&tally(1, 1).sums);
        sums
    });
    assert_eq!(ended.asked_round(), 1);
}

#[test]
fn a_retry_may_be_followed_by_a_round_of_its_own() {
    let ended = half_done().with_unit(key(0, 1, 1), &tally(2, 0), at(3));
    let ended = ended.planned(1, at(4), at(600)).unwrap();
    let ended = ended.with_unit(key(0, 2, 0), &with_passing(0, 0, 1), at(5));
    assert_eq!((ended.completed(), ended.failed()), (3, 2));
    let retried = ended.retried(at(6), at(36)).unwrap();
    assert_eq!((retried.round, retried.automatic), (3, false));
    assert_eq!(retried.models[0].asked_again, 0);
    assert!(retried.replaces(2, false) && retried.replaces(1, false));
    let planned = retried.planned(1, at(7), at(600)).unwrap();
    let again = planned.with_unit(key(0, 3, 0), &with_passing(0, 0, 2), at(8));
    assert_eq!((again.round, again.automatic), (4, true));
    assert!(again.status.is_active());
}

#[test]
fn a_run_that_people_stop_asks_for_nothing_once_more() {
    let stopped = half_done().cancelled(at(3)).unwrap();
    assert_eq!((stopped.completed(), stopped.failed()), (1, 2));
    assert_eq!(stopped.models[0].sums, {
        let mut sums = tally(1, 1).sums;
        sums.merge(&tally(0, 1).sums);
        sums
    });
    // What is collected to the end counts.
    let last = stopped.with_unit(key(0, 1, 1), &with_passing(0, 0, 1), at(4));
    assert_eq!((last.failed(), last.round), (3, 1));
    assert_eq!(last.status, RunStatus::Cancelled);
    // While the second round is under way, its items are pending, as in a retry.
    let again = half_done().with_unit(key(0, 1, 1), &tally(2, 0), at(3));
    let stopped = again.cancelled(at(4)).unwrap();
    assert_eq!((stopped.failed(), stopped.pending()), (1, 1));
    assert!(stopped.replaces(1, true));
}

#[test]
fn runs_of_release_0_1_0_know_of_no_such_round() {
    let mut stored = serde_json::to_value(accepted(3, 1)).unwrap();
    stored.as_object_mut().unwrap().remove("automatic").unwrap();
    let provider = &mut stored["providers"][0];
    let provider = provider.as_object_mut().unwrap();
    provider.remove("asked_again").unwrap();
    assert!(
        !provider.contains_key("passing"),
        "only while there are some"
    );
    assert_eq!(
        serde_json::from_value::<Run>(stored).unwrap(),
        accepted(3, 1)
    );
}
