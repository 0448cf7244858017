//! Scorings of a run: asked for, done in steps, switched to.

use std::time::Duration;

use super::super::DatasetId;
use super::*;
use crate::run::RunModel;
use crate::run::RunStatus;
use crate::transcribe::ModelConfig;
use stt_eval_scoring::normalise::Normaliser;
use stt_eval_scoring::score;

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_millis(1_800_000_000_000) + Duration::from_secs(seconds)
}

fn sums(hypothesis: &str) -> CorpusSums {
    let mut sums = CorpusSums::default();
    sums.add(&score("one two", hypothesis, "en", &Normaliser::default(), None).unwrap());
    sums
}

fn ended() -> Run {
    let model = |sums: CorpusSums| RunModel {
        model: "model".into(),
        vendor: "gemini".into(),
        config: ModelConfig {
            model: "model".into(),
            prompt: Some(String::new()),
            temperature: Some(0.0),
            prompt_version: Some("1".into()),
            endpoint: None,
        },
        completed: 1,
        failed: 0,
        correct: 0,
        incorrect: 0,
        sums,
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
        dataset_name: "set".into(),
        language: "en".into(),
        sample_count: 250,
        status: RunStatus::Completed,
        models: vec![model(sums("one two")), model(sums("one"))],
        normalizer: "indic-v1".into(),
        generation: 1,
        round: 1,
        automatic: false,
        joining: None,
        lossless_flac: None,
        blind_review: false,
        cost_cap: None,
        units_total: Some(2),
        units_done: 2,
        error_message: None,
        deleting: false,
        closing: false,
        inserted_at: at(0),
        updated_at: at(0),
        finished_at: Some(at(9)),
        due_at: None,
        scorings: Scorings::default(),
        rev: 5,
    }
}

#[test]
fn it_goes_through_every_position_of_every_provider_once() {
    let (run, mut job) = ended().rescored("nfc-v1".into(), at(10)).unwrap();
    let mut steps = Vec::new();
    while !job.is_complete(&run) {
        let (start, end) = job.span(&run, 100);
        steps.push((job.model, start, end));
        job.advance(&run, end, &sums("two"));
    }
    let one = |p| [(p, 0, 100), (p, 100, 200), (p, 200, 250)];
    assert_eq!(steps, [one(0), one(1)].concat());
    assert_eq!(
        job.sums.iter().map(CorpusSums::samples).collect::<Vec<_>>(),
        [3, 3]
    );
}

#[test]
fn it_counts_only_once_it_is_complete_and_what_counted_is_kept() {
    let before = ended();
    let (run, mut job) = before.rescored("nfc-v1".into(), at(10)).unwrap();
    assert_eq!((run.rev, run.scorings.current), (6, 1));
    assert_eq!(run.current_normalizer(), "indic-v1");
    assert_eq!(run.models, before.models);
    let again = run.rescored("raw-v1".into(), at(11)).unwrap_err();
    assert!(again.0.contains("already"), "{again}");
    assert!(run.retried(at(11), at(12)).is_err());

    job.sums = vec![sums("two"), sums("")];
    let (switched, archived) = run.switched(&job, at(20)).unwrap();
    assert_eq!(switched.scorings.current, 2);
    assert_eq!(switched.current_normalizer(), "nfc-v1");
    assert_eq!(switched.normalizer, "indic-v1");
    assert_eq!(switched.models[0].sums, sums("two"));
    assert_eq!(archived.models[1].sums, before.models[1].sums);
    assert!(switched.switched(&job, at(21)).is_none());
    let all = switched.all_scorings();
    assert_eq!(all.iter().map(|s| s.id).collect::<Vec<_>>(), [1, 2]);
    assert!(all.iter().all(|s| s.status == ScoringStatus::Completed));
}

#[test]
fn only_ended_runs_are_scored_again_and_not_without_end() {
    for status in [RunStatus::Pending, RunStatus::Processing] {
        let run = Run { status, ..ended() };
        assert!(run.rescored("raw-v1".into(), at(1)).is_err());
    }
    let stopping = Run {
        status: RunStatus::Cancelled,
        closing: true,
        ..ended()
    };
    assert!(stopping.rescored("raw-v1".into(), at(1)).is_err());
    let mut run = ended();
    for _ in 1..MAX_SCORINGS {
        let (next, job) = run.rescored("raw-v1".into(), at(1)).unwrap();
        run = next.switched(&job, at(2)).unwrap().0;
    }
    assert_eq!(run.all_scorings().len(), MAX_SCORINGS);
    assert!(run.rescored("raw-v1".into(), at(1)).is_err());
}

#[test]
fn claims_lapse() {
    let (_, job) = ended().rescored("raw-v1".into(), at(1)).unwrap();
    assert!(!job.is_claimed(at(1)));
    let job = job.claimed(at(5));
    assert!(job.is_claimed(at(4)) && !job.is_claimed(at(5)));
    let job = job.released(at(4));
    assert_eq!((job.due_at, job.rev), (Some(at(4)), 3));
    assert!(!job.is_claimed(at(4)));
}
