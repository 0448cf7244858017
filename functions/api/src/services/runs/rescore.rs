//! Asking for another scoring of a run. The work is done by the poll function.

use stt_eval_shared::App;
use stt_eval_shared::domain::run::Run;
use stt_eval_shared::domain::{ProjectId, RunId, Timestamp};
use stt_eval_shared::scoring::normalise::Normaliser;
use stt_eval_shared::store::tries::Tries;
use stt_eval_shared::wire::report::NewScoring;

use crate::refusal::Refusal;
use crate::services::attempt::Attempt;

/// Checks which normaliser is asked for; gives its canonical name.
pub fn check(new: &NewScoring) -> Result<Option<String>, Refusal> {
    let Some(name) = &new.normalizer else {
        return Ok(None);
    };
    match Normaliser::by_name(name) {
        Some(normaliser) => Ok(Some(normaliser.name().to_owned())),
        None => {
            let message = format!("is not known; known are {}", Normaliser::known());
            Err(Refusal::invalid_field("normalizer", message))
        }
    }
}

/// Notes that a run is to be scored again, and the work with it.
pub async fn begin(
    app: &App,
    project: &ProjectId,
    id: RunId,
    normalizer: Option<&str>,
    request: &Attempt,
) -> Result<Run, Refusal> {
    let mut tries = Tries::default();
    loop {
        let run = app
            .store
            .run(project, id)
            .await?
            .ok_or_else(|| Refusal::no_such("run"))?;
        let name = normalizer
            .unwrap_or_else(|| run.current_normalizer())
            .to_owned();
        let (next, job) = run.rescored(name, Timestamp::now())?;
        match app
            .store
            .save_run_with_rescoring(&next, &job, request.claim())
            .await
        {
            Ok(()) => return Ok(next),
            Err(error) => tries.after(error).await?,
        }
    }
}
