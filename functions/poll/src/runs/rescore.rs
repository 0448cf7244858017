//! Scoring runs again, in steps of one provider and some samples. The work is
//! claimed for as long as one invocation can last; each step writes its scores
//! first and then how far the work is, with the sums so far. A crash between
//! the two repeats a step, and its scores come out the same.

use std::collections::HashMap;

use stt_eval_shared::domain::dataset::Sample;
use stt_eval_shared::domain::rescoring::{RescoreJob, Rescored};
use stt_eval_shared::domain::result::ResultStatus;
use stt_eval_shared::domain::run::Run;
use stt_eval_shared::domain::unit::Span;
use stt_eval_shared::domain::{ProjectId, RunId, Timestamp};
use stt_eval_shared::scoring::CorpusSums;
use stt_eval_shared::scoring::normalise::Normaliser;
use stt_eval_shared::store::StoreError;
use stt_eval_shared::store::results::Entry;
use stt_eval_shared::store::tries::Tries;
use stt_eval_shared::{App, Deadline};

use crate::failure::{Failure, NEEDED};
use crate::units::outcomes::score_sample;

/// Samples of a step, as in a unit.
const STEP: u16 = 100;
/// Tries of the last write, while reviewers change the run.
const TRIES: u32 = 20;

/// Goes on with scoring a run again, for as long as there is time.
pub(crate) async fn work(
    app: &App,
    project: &ProjectId,
    id: RunId,
    deadline: Deadline,
) -> Result<(), Failure> {
    let Some(job) = app.store.rescore_job(project, id).await? else {
        return Ok(());
    };
    let now = Timestamp::now();
    // A run that is being deleted takes its work with it.
    let Some(run) = app.store.run(project, id).await? else {
        return Ok(());
    };
    if job.is_claimed(now) || job.due_at.is_none_or(|due| due > now) {
        return Ok(());
    }
    let lease = app.config.bounds.task_lease;
    let mut job = job.claimed(now + lease);
    if !saved(app, &job).await? {
        return Ok(());
    }
    let normaliser = Normaliser::by_name(&job.normalizer)
        .ok_or(Failure::Setup("a scoring's normaliser is unknown here"))?;
    while !job.is_complete(&run) {
        if !deadline.allows(NEEDED) {
            return saved(app, &job.released(Timestamp::now())).await.map(drop);
        }
        step(app, &run, &mut job, &normaliser).await?;
        job = job.claimed(Timestamp::now() + lease);
        if !saved(app, &job).await? {
            return Ok(());
        }
    }
    finish(app, &job).await
}

/// False when another invocation was faster: the work is its.
async fn saved(app: &App, job: &RescoreJob) -> Result<bool, Failure> {
    match app.store.save_rescore_job(job).await {
        Ok(()) => Ok(true),
        Err(StoreError::Conflict) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Scores the next samples of a provider.
async fn step(
    app: &App,
    run: &Run,
    job: &mut RescoreJob,
    normaliser: &Normaliser,
) -> Result<(), Failure> {
    let (start, end) = job.span(run, STEP);
    let entries = app
        .store
        .results_between(&run.project, run.id, job.model, start, end)
        .await?;
    let samples = app
        .store
        .samples_in(&run.project, run.dataset, &[Span { start, end }])
        .await?;
    let (scores, sums) = score_again(run, job.scoring, &entries, &samples, normaliser);
    app.store.write_rescored(&run.project, &scores).await?;
    job.advance(run, end, &sums);
    Ok(())
}

/// Scores and sums of some results against what their samples say now.
fn score_again(
    run: &Run,
    scoring: u16,
    entries: &[Entry],
    samples: &[Sample],
    normaliser: &Normaliser,
) -> (Vec<Rescored>, CorpusSums) {
    let samples: HashMap<u16, &Sample> = samples
        .iter()
        .map(|sample| (sample.id.position(), sample))
        .collect();
    let mut sums = CorpusSums::default();
    let mut scores = Vec::with_capacity(entries.len());
    for Entry { outcome, .. } in entries {
        let failed = outcome.status() == ResultStatus::Failed;
        // What another round was to replace, and did not: it has no outcome.
        if run.is_open(outcome) {
            continue;
        }
        let Some(sample) = samples.get(&outcome.id.position()) else {
            continue;
        };
        let text = outcome.transcription.as_deref().unwrap_or_default();
        let heard_until = outcome.usage.heard_until_seconds;
        let score = score_sample(run.id, sample, (text, heard_until), normaliser);
        outcome.count(&mut sums, score.as_ref());
        scores.push(Rescored {
            id: outcome.id,
            scoring,
            round: outcome.round,
            ground_truth: sample.ground_truth.clone(),
            reference_version: sample.reference_version,
            language: sample.language.clone(),
            score: score.filter(|_| !failed),
        });
    }
    (scores, sums)
}

/// Lets the scoring count. Reviewers change the run meanwhile, so this repeats
/// until it fits.
async fn finish(app: &App, job: &RescoreJob) -> Result<(), Failure> {
    let mut tries = Tries::of(TRIES);
    loop {
        let Some(run) = app.store.run(&job.project, job.run).await? else {
            return Ok(());
        };
        let Some((next, archived)) = run.switched(job, Timestamp::now()) else {
            // It counts already: only the work was left behind.
            return delete_job(app, job).await;
        };
        match app.store.save_switched_run(&next, &archived, job).await {
            Ok(()) => {
                tracing::info!(
                    run_id = %job.run, project_id = %job.project, scoring = job.scoring,
                    normalizer = %job.normalizer, "a run was scored again"
                );
                return Ok(());
            }
            Err(error @ StoreError::Conflict) => {
                let stored = app.store.rescore_job(&job.project, job.run).await?;
                if stored.is_none_or(|stored| stored.rev != job.rev) {
                    // Taken over: the other one's scores are the same.
                    return Ok(());
                }
                tries.after(error).await?;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

async fn delete_job(app: &App, job: &RescoreJob) -> Result<(), Failure> {
    match app.store.delete_rescore_job(job).await {
        Ok(()) | Err(StoreError::Conflict) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Ends the work on a run that is being deleted. False while an invocation may
/// still write scores.
pub(crate) async fn stop(app: &App, project: &ProjectId, id: RunId) -> Result<bool, Failure> {
    let Some(job) = app.store.rescore_job(project, id).await? else {
        return Ok(true);
    };
    if job.is_claimed(Timestamp::now()) {
        return Ok(false);
    }
    match app.store.delete_rescore_job(&job).await {
        Ok(()) => Ok(true),
        Err(StoreError::Conflict) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
