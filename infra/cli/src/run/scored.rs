//! By which normaliser a run is told: the one that the command asks for, whatever others had it
//! scored with since. So the same command gives the same verdict.

use std::time::{Duration, Instant};

use stt_eval_wire::comparison::{Warning, WarningCode};
use stt_eval_wire::paths;
use stt_eval_wire::report::{NewScoring, Report, Scoring, ScoringStatus};
use stt_eval_wire::runs::{Run, RunStatus};

use super::once::USUAL;
use crate::arguments::RunArguments;
use crate::deployment::{Deployment, Request, unique};
use crate::failure::{Exit, Failure};
use crate::normalise::normaliser;
use crate::output::Output;
use crate::read::{figures, references};

/// The first pause between looks.
const FIRST: Duration = Duration::from_millis(300);
/// The longest one.
const LONGEST: Duration = Duration::from_secs(5);

/// How often a run was scored with a normaliser.
fn times(run: &Run, normalizer: &str) -> usize {
    let is_it = |one: &&Scoring| one.normalizer == normalizer && is_complete(one);
    run.scorings.iter().filter(is_it).count()
}

fn is_complete(scoring: &Scoring) -> bool {
    scoring.status == ScoringStatus::Completed
}

/// The report of a run that is over, with the normaliser that is asked for. Where it was not
/// scored with that yet, or against references that were corrected since, it is now, which
/// asks no model and costs nothing.
///
/// # Errors
/// What is refused, or can't be reached; `--timeout` is over.
pub async fn report(
    to: &Deployment,
    run: &Run,
    arguments: &RunArguments,
    output: &Output,
) -> Result<Report, Failure> {
    let wanted = normaliser(arguments.normalizer.as_deref().unwrap_or(USUAL))?;
    let wanted = wanted.name();
    let is_current = |one: &Scoring| one.current && one.normalizer == wanted;
    if run.scorings.iter().any(is_current) {
        let report = figures(to, run.id, None, None, None).await?;
        let changed = |warning: &Warning| warning.code == WarningCode::ReferencesChanged;
        if run.status != RunStatus::Completed || !report.warnings.iter().any(changed) {
            return Ok(report);
        }
        score(to, run, wanted, arguments.timeout, output).await?;
        return figures(to, run.id, Some(wanted), None, None).await;
    }
    let counting = figures(to, run.id, None, None, None).await?;
    if times(run, wanted) > 0 {
        let report = figures(to, run.id, Some(wanted), None, None).await?;
        // Results tell the references of the scoring that counts.
        if references(&report) == references(&counting) {
            output.remark(&format!(
                "the run was scored again, with {}, which report and export tell; these \
                 figures are of its scoring with {wanted}, as the command asks for",
                counting.scoring.normalizer
            ));
            return Ok(report);
        }
    }
    // Of a run that was cut short nothing is judged.
    if run.status != RunStatus::Completed {
        return Ok(counting);
    }
    score(to, run, wanted, arguments.timeout, output).await?;
    figures(to, run.id, Some(wanted), None, None).await
}

/// Scores a run with a normaliser, and waits until that is complete.
async fn score(
    to: &Deployment,
    run: &Run,
    normalizer: &str,
    timeout: Option<Duration>,
    output: &Output,
) -> Result<(), Failure> {
    output.remark(&format!(
        "the run is scored with {normalizer}, which asks no model and costs nothing"
    ));
    let until = timeout.map(|timeout| Instant::now() + timeout);
    let mut pause = FIRST;
    let before = times(run, normalizer);
    let mut run = run.clone();
    let mut refused = None;
    while times(&run, normalizer) == before {
        if run.scorings.iter().all(is_complete) {
            if let Some(failure) = refused {
                return Err(failure);
            }
            let body = NewScoring {
                normalizer: Some(normalizer.to_owned()),
            };
            let request = Request::post(paths::rescore(run.id), &body)?.once(&unique()?);
            run = match to.ask(&request).await {
                // Another command may have asked for it just now, which the run tells then.
                Err(failure) if failure.code == "conflict" => {
                    refused = Some(failure);
                    to.ask(&Request::get(paths::run(run.id))).await?
                }
                told => told?,
            };
            continue;
        }
        refused = None;
        if until.is_some_and(|until| Instant::now() + pause > until) {
            let message = format!("the run is still being scored with {normalizer}");
            return Err(Failure::new(Exit::Running, "still_running", message)
                .hint("the same command again"));
        }
        tokio::time::sleep(pause).await;
        pause = pause.mul_f64(1.5).min(LONGEST);
        run = to.ask(&Request::get(paths::run(run.id))).await?;
    }
    Ok(())
}
