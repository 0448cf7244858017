//! Runs.

use std::collections::BTreeMap;

use stt_eval_shared::domain::{run, unit};
use stt_eval_shared::wire::results;
use stt_eval_shared::wire::runs::{
    ModelConfig, Run, RunConfig, RunCounts, RunType, RunWarning, RunWarningCode, Waiting,
};

use super::report::scorings;
use super::scores::model_score;

/// What the items of a run wait for.
#[must_use]
pub fn waiting(run: &run::Run, waiting: Vec<unit::Waiting>) -> Vec<Waiting> {
    let view = |waiting: unit::Waiting| {
        let model = run.models.get(usize::from(waiting.model))?;
        Some(Waiting {
            provider: model.model.clone(),
            waiting_reason: waiting.reason,
            message: waiting.reason.message().to_owned(),
            items: waiting.items,
            next_attempt_at: waiting.next_attempt_at,
        })
    };
    waiting.into_iter().filter_map(view).collect()
}

/// What lists show of a run.
#[must_use]
pub fn brief(of: &run::Run) -> Run {
    Run {
        config: None,
        ..run(of, None)
    }
}

/// A run by itself: with what it waits for, and a page of its results where it is
/// asked for.
#[must_use]
pub fn whole(of: &run::Run, waiting: Vec<Waiting>, results: Option<Vec<results::Result>>) -> Run {
    Run {
        waiting: Some(waiting),
        ..run(of, results)
    }
}

/// What was known of a run's models and clips from the beginning, and what its last
/// retry may cost twice.
fn warnings(run: &run::Run) -> Vec<RunWarning> {
    let all = run.sample_count;
    let warning = |code, model: &run::RunModel, count: u32, what: &str| RunWarning {
        code,
        model: model.model.clone(),
        count: u64::from(count),
        message: format!("{}: {what} {count} of {all} clips", model.model),
    };
    let of_model = |model: &run::RunModel| {
        let imported = model.imported.as_ref();
        let missing = imported.map_or(0, |imported| all.saturating_sub(imported.transcripts));
        let unsupported = (model.unsupported > 0).then(|| {
            let code = RunWarningCode::UnsupportedByModel;
            warning(code, model, model.unsupported, "the model can't take")
        });
        let missing = (missing > 0).then(|| {
            let code = RunWarningCode::MissingTranscript;
            warning(code, model, missing, "no transcript was given for")
        });
        let twice = model.may_be_charged_twice;
        let twice = (twice > 0).then(|| {
            let code = RunWarningCode::MayBeChargedTwice;
            let what = "the retry may be charged a second time for";
            warning(code, model, twice, what)
        });
        unsupported.into_iter().chain(missing).chain(twice)
    };
    let cap = run.cost_cap.as_ref();
    let excess = cap.into_iter().flat_map(|cap| &cap.may_exceed_micro_usd);
    let exceeds = |(model, micro): (&run::RunModel, &u64)| RunWarning {
        code: RunWarningCode::CostMayExceedCap,
        model: model.model.clone(),
        count: u64::from(all.saturating_sub(model.unsupported)),
        message: format!(
            "{}: what is under way when max_cost_usd is reached may exceed it, by {} at most",
            model.model,
            at_most(*micro)
        ),
    };
    let exceeding = run.models.iter().zip(excess);
    let exceeding = exceeding.filter(|(_, micro)| **micro > 0).map(exceeds);
    let of_models = run.models.iter().flat_map(of_model);
    of_models.chain(exceeding).collect()
}

/// Items of one model, each clip being one.
fn counts(run: &run::Run, model: &run::RunModel) -> RunCounts {
    let settled = model.completed + model.failed;
    RunCounts {
        pending: run.sample_count.saturating_sub(settled).into(),
        completed: model.completed.into(),
        failed: model.failed.into(),
    }
}

/// The most that something costs, as people read it: whole cents, and no less than it is.
fn at_most(micro: u64) -> String {
    let cents = micro.div_ceil(10_000);
    format!("${}.{:02}", cents / 100, cents % 100)
}

/// Millionths of a US dollar in dollars.
fn usd(micro: u64) -> f64 {
    micro as f64 / 1e6
}

/// A run.
#[must_use]
pub fn run(run: &run::Run, results: Option<Vec<results::Result>>) -> Run {
    let score: BTreeMap<_, _> = run
        .models
        .iter()
        .map(|model| (model.model.clone(), model_score(model)))
        .collect();
    let models = run.models.iter().map(|model| {
        let config = model.config.clone();
        let view = ModelConfig {
            provider: model.vendor.clone(),
            model: config.model,
            prompt: config.prompt,
            prompt_version: config.prompt_version,
            temperature: config.temperature,
        };
        (model.model.clone(), view)
    });
    let asked_again = run.models.iter().map(|model| model.asked_again);
    Run {
        id: run.id,
        run_name: run.name.clone(),
        dataset_id: run.dataset,
        dataset_name: run.dataset_name.clone(),
        r#type: RunType::Stt,
        language: run.language.clone(),
        providers: run.models.iter().map(|m| m.model.clone()).collect(),
        status: run.status,
        total_items: run.total_items(),
        counts: RunCounts {
            pending: run.pending(),
            completed: run.completed(),
            failed: run.failed(),
        },
        model_counts: run
            .models
            .iter()
            .map(|model| (model.model.clone(), counts(run, model)))
            .collect(),
        score: score.values().any(Option::is_some).then_some(score),
        error_message: run.error_message.clone(),
        blind_review: run.blind_review,
        max_cost_usd: run.cost_cap.as_ref().map(|cap| usd(cap.max_micro_usd)),
        warnings: warnings(run),
        waiting: None,
        config: Some(RunConfig {
            normalizer: run.normalizer.clone(),
            lossless_flac: run.lossless_flac,
            providers: models.collect(),
        }),
        round: run.round,
        asked_again: asked_again.map(u64::from).sum(),
        scorings: scorings(run),
        results,
        inserted_at: run.inserted_at,
        updated_at: run.updated_at,
        finished_at: run.finished_at,
    }
}
