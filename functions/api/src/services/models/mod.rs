//! Models of the project's own.

mod check;

use stt_eval_shared::App;
use stt_eval_shared::access::credentials::SealedCredential;
use stt_eval_shared::access::own_models::OwnModelRecord;
use stt_eval_shared::domain::endpoint::{MAX_ENDPOINTS, id};
use stt_eval_shared::domain::run::{Run, RunStatus};
use stt_eval_shared::domain::validate::{Errors, model_name};
use stt_eval_shared::domain::{ProjectId, Timestamp};
use stt_eval_shared::providers::custom;
use stt_eval_shared::store::StoreError;
use stt_eval_shared::store::own_models::Creation;
use stt_eval_shared::store::runs::RunFilter;
use stt_eval_shared::store::tries::Tries;
use stt_eval_shared::wire::models::{ModelChange, NewModel};

use super::credentials::{call_up, seal};
use crate::refusal::{Refusal, finish};
use crate::services::attempt::Attempt;

const NOUN: &str = "model";
/// Runs that are looked at in one step.
const PAGE: usize = 100;

/// A model of the project.
///
/// # Errors
/// When there is none of this name.
pub async fn find(app: &App, project: &ProjectId, name: &str) -> Result<OwnModelRecord, Refusal> {
    // What can't be a name is not asked for.
    if model_name("name", name).is_err() {
        return Err(Refusal::no_such(NOUN));
    }
    let found = app.store.own_model(project, name).await?;
    found.ok_or_else(|| Refusal::no_such(NOUN))
}

/// Makes a model.
///
/// # Errors
/// When it is not valid, its name is taken, or there are as many as there may be.
pub async fn make(
    app: &App,
    project: &ProjectId,
    attempt: &Attempt,
    new: NewModel,
) -> Result<OwnModelRecord, Refusal> {
    let loopback = app.config.own_models_on_loopback;
    let (endpoint, key) = check::new(new, loopback, attempt.now)?;
    if let Err(problem) = custom::check_resolved(&endpoint.base_url, loopback).await {
        return Err(Refusal::invalid_field("base_url", problem.to_string()));
    }
    let mut beside = room(app, project, &endpoint.name).await?;
    let secret = custom::secret(&endpoint.base_url, key.as_ref());
    let sealed = seal(
        app,
        project,
        &endpoint.id(),
        &secret,
        attempt.now,
        attempt.now,
    )
    .await?;
    let record = OwnModelRecord {
        credential: sealed,
        endpoint,
        rev: 1,
    };
    let mut tries = Tries::default();
    loop {
        let made = app
            .store
            .create_own_model(project, &record, beside.as_ref(), attempt.claim());
        match made.await? {
            Creation::Made => return Ok(record),
            Creation::Taken => return Err(taken()),
            Creation::Meanwhile => tries.after(StoreError::Conflict).await?,
        }
        beside = room(app, project, &record.endpoint.name).await?;
    }
}

/// Whether there is room for a model of this name. Where little is left, gives one of those
/// that are there: what is made goes by it.
async fn room(
    app: &App,
    project: &ProjectId,
    name: &str,
) -> Result<Option<OwnModelRecord>, Refusal> {
    let known = app.store.own_models(project).await?;
    if known.iter().any(|other| other.endpoint.name == name) {
        return Err(taken());
    }
    if known.len() >= MAX_ENDPOINTS {
        return Err(Refusal::conflict(format!(
            "the project has {MAX_ENDPOINTS} models of its own, as many as there may be"
        )));
    }
    let is_close = known.len() >= MAX_ENDPOINTS / 2;
    Ok(known.into_iter().next().filter(|_| is_close))
}

fn taken() -> Refusal {
    Refusal::conflict("the project has a model of this name already")
}

/// Changes a model: its key, what it takes, what it costs. Runs that are there keep what
/// they froze of it, but for the key: what waits for another one is tried at once.
///
/// # Errors
/// When there is none of this name, or a change is not valid.
pub async fn change(
    app: &App,
    project: &ProjectId,
    name: &str,
    change: ModelChange,
) -> Result<OwnModelRecord, Refusal> {
    let mut errors = Errors::new();
    let key = change.api_key.as_ref();
    let key = key.map(|key| check::key(key.as_ref(), &mut errors));
    let mut tries = Tries::default();
    loop {
        let known = find(app, project, name).await?;
        let now = Timestamp::now();
        let endpoint = check::changed(&known.endpoint, &change, now, &mut errors);
        finish(std::mem::take(&mut errors))?;
        let credential = match &key {
            None => SealedCredential {
                updated_at: now,
                ..known.credential
            },
            Some(key) => {
                let secret = custom::secret(&endpoint.base_url, key.as_ref());
                let first = known.credential.inserted_at;
                seal(app, project, &id(name), &secret, first, now).await?
            }
        };
        let next = OwnModelRecord {
            credential,
            endpoint,
            rev: known.rev + 1,
        };
        match app.store.save_own_model(project, &next).await {
            Ok(()) => {
                if key.is_some() {
                    call_up(app, project, &id(name)).await;
                }
                return Ok(next);
            }
            Err(error) => tries.after(error).await?,
        }
    }
}

/// Deletes a model and its key. Runs that have ended go on showing it.
///
/// # Errors
/// When there is none of this name, or a run that has not ended uses it.
pub async fn delete(app: &App, project: &ProjectId, name: &str) -> Result<(), Refusal> {
    find(app, project, name).await?;
    for status in [RunStatus::Pending, RunStatus::Processing] {
        if let Some(run) = using(app, project, name, status).await? {
            return Err(Refusal::conflict(format!(
                "the run {} uses it and has not ended",
                run.id
            )));
        }
    }
    if !app.store.delete_own_model(project, name).await? {
        return Err(Refusal::no_such(NOUN));
    }
    Ok(())
}

/// A run of this status that uses a model.
async fn using(
    app: &App,
    project: &ProjectId,
    name: &str,
    status: RunStatus,
) -> Result<Option<Run>, Refusal> {
    let filter = RunFilter {
        status: Some(status),
        ..RunFilter::default()
    };
    let wanted = id(name);
    let mut after = None;
    loop {
        let from = after.as_deref();
        let (page, _) = app.store.list_runs(project, filter, from, PAGE).await?;
        let mut runs = page.items.into_iter();
        let found = runs.find(|run| run.models.iter().any(|model| model.model == wanted));
        if found.is_some() || page.next.is_none() {
            return Ok(found);
        }
        after = page.next;
    }
}
