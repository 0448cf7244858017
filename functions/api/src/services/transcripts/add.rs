//! Adding transcripts to a run that has ended.

use stt_eval_shared::App;
use stt_eval_shared::domain::run::{MAX_PROVIDERS, Run, RunModel};
use stt_eval_shared::domain::validate::{Errors, FieldError};
use stt_eval_shared::domain::{RunId, Timestamp};
use stt_eval_shared::store::tries::Tries;
use stt_eval_shared::wire::transcripts::AddedTranscripts;

use super::keep::keep;
use super::read::{self, CheckedTranscripts};
use super::request;
use crate::actor::Actor;
use crate::refusal::{Refusal, finish};
use crate::services::attempt::Attempt;
use crate::services::{about_run, runs};

/// Adds models of transcripts to a run. What is there already, with the same content,
/// is there once.
///
/// # Errors
/// When the run has not ended, has other transcripts of a name, or what is given is
/// not valid.
pub async fn add(
    app: &App,
    actor: &Actor,
    id: RunId,
    request: &Attempt,
    given: AddedTranscripts,
) -> Result<Run, Refusal> {
    let project = &actor.project;
    let run = runs::find(app, project, id).await?;
    about_run(id);
    let mut errors = Errors::new();
    let lists = request::added(given, &mut errors);
    finish(errors)?;
    // Before anything large is read.
    if lists
        .iter()
        .any(|list| model(&run, &list.model()).is_none())
    {
        run.joined(Vec::new(), request.now, request.now)?;
    }
    let clips = app.store.clips(project, run.dataset).await?;
    let lists = read::read(app, project, lists, &clips).await?;
    let mut kept = false;
    let mut tries = Tries::default();
    loop {
        let run = runs::find(app, project, id).await?;
        let new = new_models(&run, &lists)?;
        if new.is_empty() {
            request.complete(app, vec![id.to_string()]).await?;
            return Ok(run);
        }
        let (now, outbox) = (Timestamp::now(), app.config.bounds.outbox);
        let next = run.joined(new, now, now + outbox * 2)?;
        if !kept {
            keep(app, &run, &lists).await?;
            kept = true;
        }
        let saved = app
            .store
            .save_run_with_outbox(&next, now + outbox, request.claim());
        match saved.await {
            Ok(()) => {
                runs::announce(app, &next).await;
                return Ok(next);
            }
            Err(error) => tries.after(error).await?,
        }
    }
}

fn model<'a>(run: &'a Run, id: &str) -> Option<&'a RunModel> {
    run.models.iter().find(|model| model.model == id)
}

/// The models that a run does not have yet.
fn new_models(run: &Run, lists: &[CheckedTranscripts]) -> Result<Vec<RunModel>, Refusal> {
    let mut new = Vec::new();
    for list in lists {
        let wanted = list.model();
        match model(run, &wanted.model) {
            None => new.push(wanted),
            Some(known) if known.imported == wanted.imported => {}
            Some(_) => {
                let mut refusal =
                    Refusal::conflict("the run has other transcripts of this name already");
                let field = format!("{}name", list.at);
                refusal.fields.push(FieldError::new(field, "is taken"));
                return Err(refusal);
            }
        }
    }
    let all = run.models.len() + new.len();
    if all > MAX_PROVIDERS {
        let message = format!("a run has at most {MAX_PROVIDERS} models; with these it has {all}");
        return Err(Refusal::invalid_field("transcripts", message));
    }
    Ok(new)
}
