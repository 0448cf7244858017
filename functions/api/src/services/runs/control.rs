//! Stopping runs, and trying them again.

use stt_eval_shared::App;
use stt_eval_shared::cloudwatch;
use stt_eval_shared::domain::run::{MAX_ROUNDS, Run};
use stt_eval_shared::domain::validate::Errors;
use stt_eval_shared::domain::{ProjectId, RunId, Timestamp};
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
        if let Some(max) = max_micro_usd {
            let clips = app.store.clips(project, run.dataset).await?;
            let excess = check::may_exceed(app, &next.models, &clips, now);
            next = next.capped(max, excess);
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
