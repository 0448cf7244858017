//! From what was found of two runs to what is shown.

use stt_eval_shared::domain::rescoring::Scoring;
use stt_eval_shared::domain::run::Run;
use stt_eval_shared::scoring::uncertainty::{ALPHA, Comparison, Resampling, Sample, holm};
use stt_eval_shared::wire::comparison::{Adjustment, Test};
use stt_eval_shared::wire::run_comparison::{
    ComparedRun, ModelComparison, NotComparable, NotComparableCode, PairedFigures, RunComparison,
};

use super::scan::{ModelPairs, PairScan};
use crate::refusal::Refusal;
use crate::services::report::fields::Fields;
use crate::services::report::question::ComparisonQuestion;

fn compared_run(run: &Run, scoring: Option<&Scoring>) -> ComparedRun {
    ComparedRun {
        id: run.id,
        run_name: run.name.clone(),
        dataset_id: run.dataset,
        complete: !run.status.is_active() && run.pending() == 0,
        scoring: scoring.map(|scoring| scoring.id),
    }
}

/// Names of models that one run has and the other has not.
fn only_in(run: &Run, other: &Run) -> Vec<String> {
    let names = run.models.iter().map(|model| &model.model);
    let known = |name: &&String| other.models.iter().any(|model| model.model == **name);
    names.filter(|name| !known(name)).cloned().collect()
}

/// What is told of two runs before anything of them was compared.
fn nothing_yet(
    run: &Run,
    other: &Run,
    question: &ComparisonQuestion,
    scorings: Option<(&Scoring, &Scoring)>,
) -> RunComparison {
    let resampling = Resampling::default();
    RunComparison {
        run: compared_run(run, scorings.map(|(ours, _)| ours)),
        other: compared_run(other, scorings.map(|(_, theirs)| theirs)),
        comparable: false,
        reason: None,
        normalizer: scorings.map(|(ours, _)| ours.normalizer.clone()),
        block_by: question.block_by.clone(),
        test: Test::PairedPermutation,
        adjustment: Adjustment::Holm,
        permutations: resampling.permutations,
        replicates: resampling.replicates,
        seed: resampling.seed,
        models: Vec::new(),
        only_in_run: only_in(run, other),
        only_in_other: only_in(other, run),
    }
}

/// Runs that can't be compared at all, and why.
pub fn not_comparable(
    run: &Run,
    other: &Run,
    question: &ComparisonQuestion,
    scorings: Option<(&Scoring, &Scoring)>,
    reason: NotComparable,
) -> RunComparison {
    RunComparison {
        reason: Some(reason),
        ..nothing_yet(run, other, question, scorings)
    }
}

/// The paired test of one model; `None` when no sample is in both.
fn test(found: &ModelPairs, fields: Option<&Fields>) -> Result<Option<Comparison>, Refusal> {
    if found.both.is_empty() {
        return Ok(None);
    }
    let positions: Vec<u16> = found.both.iter().map(|both| both.position()).collect();
    let samples: [Vec<Sample>; 2] = [
        found.both.iter().map(|both| both.in_run()).collect(),
        found.both.iter().map(|both| both.in_other()).collect(),
    ];
    let blocks = fields.and_then(|fields| fields.blocks(&positions));
    Resampling::default()
        .run(&samples, blocks.as_deref())
        .map(Some)
        .map_err(|error| Refusal::internal(error.to_string()))
}

fn figures(found: &Comparison, p_adjusted: f64) -> Option<PairedFigures> {
    let (pair, ours, theirs) = (
        found.pairs.first()?,
        found.providers.first()?,
        found.providers.get(1)?,
    );
    Some(PairedFigures {
        wer: ours.rate,
        other_wer: theirs.rate,
        difference: pair.difference,
        low: pair.interval.map(|interval| interval.low),
        high: pair.interval.map(|interval| interval.high),
        p_value: pair.p_value,
        p_adjusted,
        distinguishable: p_adjusted < ALPHA,
        blocks: found.blocks,
        reliable: found.is_reliable(),
    })
}

/// Why a model has no sample to be compared on.
fn reason(found: &ModelPairs) -> NotComparable {
    if found.left_out.other_reference > 0 {
        return NotComparable {
            code: NotComparableCode::OtherReferences,
            message: format!(
                "the {} samples that count in both runs were scored against different versions \
                 of their references; POST /runs/{{id}}/rescore of both scores against the \
                 present ones",
                found.left_out.other_reference
            ),
        };
    }
    NotComparable {
        code: NotComparableCode::NoCommonSample,
        message: "no sample with a reference has a result that counts in both runs".to_owned(),
    }
}

/// The comparison.
pub fn view(
    run: &Run,
    other: &Run,
    (ours, theirs): (&Scoring, &Scoring),
    question: &ComparisonQuestion,
    fields: Option<&Fields>,
    scan: &PairScan,
) -> Result<RunComparison, Refusal> {
    let tests: Vec<Option<Comparison>> = scan
        .models
        .iter()
        .map(|found| test(found, fields))
        .collect::<Result<_, _>>()?;
    let p_value = |test: &Comparison| test.pairs.first().map_or(1.0, |pair| pair.p_value);
    let p_values: Vec<f64> = tests.iter().flatten().map(p_value).collect();
    let mut adjusted = holm(&p_values).into_iter();
    let models: Vec<ModelComparison> = scan
        .models
        .iter()
        .zip(&tests)
        .map(|(found, test)| {
            let model = run.models.get(usize::from(found.in_run));
            ModelComparison {
                provider: model.map(|model| model.model.clone()).unwrap_or_default(),
                reason: test.is_none().then(|| reason(found)),
                samples: found.both.len(),
                missing_in_run: found.missing.0,
                missing_in_other: found.missing.1,
                left_out: found.left_out,
                figures: test
                    .as_ref()
                    .and_then(|test| figures(test, adjusted.next().unwrap_or(1.0))),
            }
        })
        .collect();
    Ok(RunComparison {
        comparable: models.iter().any(|model| model.figures.is_some()),
        models,
        ..nothing_yet(run, other, question, Some((ours, theirs)))
    })
}
