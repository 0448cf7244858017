//! Stopping runs, and trying them again.

use stt_eval_shared::App;
use stt_eval_shared::cloudwatch;
use stt_eval_shared::domain::run::{MAX_ROUNDS, Run, RunModel};
use stt_eval_shared::domain::validate::Errors;
use stt_eval_shared::domain::{ProjectId, RunId, Timestamp};
use stt_eval_shared::store::samples::Clip;
use stt_eval_shared::store::tries::Tries;
use stt_eval_shared::wire::runs::Retry;

use super::accept::announce;
use super::check;
use super::read::find;
use crate::refusal::{Refusal, finish};
use crate::services::attempt::Attempt;

/// Stops a run.
pub async fn cancel(app: &App, project: &ProjectId, id: RunId) -> Result<Run, Refusal> {
    let mut tries = Tries::default();
    loop {
        let run = find(app, project, id).await?;
        let next = run.cancelled(Timestamp::now())?;
        match app.store.save_run(&next).await {
            Ok(()) => {
                cloudwatch::run_finished(&next);
                return Ok(next);
            }
            // A unit came in meanwhile.
            Err(error) => tries.after(error).await?,
        }
    }
}

/// Refuses a round for which so little is left of a run's cap that no clip can be sent to
/// any of its models: it would end as the one before.
fn affords_a_clip(app: &App, next: &Run, clips: &[Clip]) -> Result<(), Refusal> {
    let Some(cap) = &next.cost_cap else {
        return Ok(());
    };
    let cheapest = |of_run: &RunModel| {
        let offered = app.model_of(of_run)?;
        let model = &offered.model();
        let consult = app.consulted(&of_run.vendor);
        let taken = clips
            .iter()
            .filter(|clip| check::refuses(model, clip).is_none());
        let costs = taken.map(|clip| {
            let clip = (&*clip.language, clip.duration_seconds);
            model.estimate_micro_usd(consult, &of_run.config, clip, cap.since)
        });
        costs.min()
    };
    let cheapest = next.models.iter().filter_map(cheapest).min();
    if cheapest.is_none_or(|cost| cost <= cap.round_micro_usd) {
        return Ok(());
    }
    let usd = |micro: u64| micro as f64 / 1e6;
    Err(Refusal::conflict(format!(
        "max_cost_usd is used up: {:.6} of {:.6} US dollars are left, and no clip costs so little; \
         give a higher one",
        usd(cap.round_micro_usd),
        usd(cap.max_micro_usd),
    )))
}

/// Submits the failed items of a run again, perhaps with another cap on its cost.
pub async fn retry(
    app: &App,
    project: &ProjectId,
    id: RunId,
    asked: &Retry,
    request: &Attempt,
) -> Result<Run, Refusal> {
    let mut errors = Errors::new();
    let max_micro_usd = check::max_cost(asked.max_cost_usd, &mut errors);
    finish(errors)?;
    let mut tries = Tries::default();
    loop {
        let run = find(app, project, id).await?;
        if run.round >= MAX_ROUNDS {
            return Err(Refusal::conflict(
                "the run was retried as often as a run can be; make a new one",
            ));
        }
        let now = Timestamp::now();
        let outbox = app.config.bounds.outbox;
        let mut next = run.retried(now, now + outbox * 2)?;
        for model in &mut next.models {
            let client = app.consulted(&model.vendor);
            if client.is_some_and(|client| client.is_free(&model.config)) {
                model.may_be_charged_twice = 0;
            }
        }
        if max_micro_usd.is_some() || run.cost_cap.is_some() {
            let clips = app.store.clips(project, run.dataset).await?;
            if let Some(max) = max_micro_usd {
                let excess = check::may_exceed(app, &next.models, &clips, now);
                next = next.capped(max, excess);
            }
            affords_a_clip(app, &next, &clips)?;
        }
        match app
            .store
            .save_run_with_outbox(&next, now + outbox, request.claim())
            .await
        {
            Ok(()) => {
                cloudwatch::run_accepted(&next);
                announce(app, &next).await;
                return Ok(next);
            }
            Err(error) => tries.after(error).await?,
        }
    }
}
