//! Accepting runs, stopping them and trying them again.

use stt_eval_shared::App;
use stt_eval_shared::domain::dataset::Dataset;
use stt_eval_shared::domain::rescoring::Scorings;
use stt_eval_shared::domain::run::{ProviderRun, Run, RunStatus};
use stt_eval_shared::domain::unit::Waiting;
use stt_eval_shared::domain::validate::{self, Errors};
use stt_eval_shared::domain::{DatasetId, ProjectId, RunId, Timestamp};
use stt_eval_shared::metrics;
use stt_eval_shared::providers::TranscribeConfig;
use stt_eval_shared::providers::catalogue::Model;
use stt_eval_shared::queue::Message;
use stt_eval_shared::scoring::CorpusSums;
use stt_eval_shared::store::StoreError;
use stt_eval_shared::store::runs::Accept;

use super::dataset_checks::{self, Checked};
use super::run_checks::{self, Config};
use super::{ATTEMPTS, datasets, pause};
use crate::auth::Tenant;
use crate::dto::datasets::NewDataset;
use crate::dto::runs::{NewRun, WaitingView};
use crate::error::{ApiError, finish};
use crate::id::in_body;
use crate::idempotency::Attempt;
use crate::observe::about_run;

/// Rounds are part of sort keys with two digits.
const MAX_ROUNDS: u16 = 99;

/// The dataset of a run: one that exists, or one to be made.
enum Wanted {
    Known(Box<Dataset>),
    New(Box<Checked>),
}

/// Finds or checks the dataset of a run.
async fn dataset(
    app: &App,
    tenant: &Tenant,
    attempt: &Attempt,
    known: Option<DatasetId>,
    new: Option<NewDataset>,
) -> Result<Wanted, ApiError> {
    let project = &tenant.project;
    if let Some(new) = new {
        // An earlier attempt may have come as far as the dataset.
        if attempt.repeats().is_some()
            && let Some(made) = app.store.dataset(project, attempt.dataset_id()?).await?
        {
            return Ok(Wanted::Known(Box::new(made)));
        }
        let checked = dataset_checks::check(app, tenant, "dataset.", new).await?;
        return Ok(Wanted::New(Box::new(checked)));
    }
    let found = match known {
        None => None,
        Some(id) => app.store.dataset(project, id).await?,
    };
    found
        .map(|found| Wanted::Known(Box::new(found)))
        .ok_or_else(|| ApiError::invalid_field("dataset_id", "there is no such dataset"))
}

/// Accepts a run: everything is checked before anything is written. The work
/// is the same whatever the size of the dataset; units are cut afterwards.
pub async fn accept(
    app: &App,
    tenant: &Tenant,
    attempt: &Attempt,
    mut new: NewRun,
) -> Result<Run, ApiError> {
    let mut errors = Errors::new();
    let name = errors.keep(validate::name("run_name", &new.run_name));
    let models = run_checks::models(&new, &mut errors);
    run_checks::credentials(app, &tenant.project, &models, &mut errors).await?;
    let config = run_checks::config(new.config.as_ref().map(|c| &c.0), models.len(), &mut errors);
    let inline = new.dataset.take().map(|dataset| dataset.0);
    let known = match (&new.dataset_id, &inline) {
        (Some(_), Some(_)) => {
            errors.push("dataset", "give dataset_id or dataset, not both");
            None
        }
        (None, None) => {
            errors.push("dataset_id", "is required (or dataset)");
            None
        }
        (Some(id), None) => errors.keep(in_body::<DatasetId>("dataset_id", id)),
        (None, Some(_)) => None,
    };
    finish(errors)?;
    let (Some(name), Some(config)) = (name, config) else {
        return Err(ApiError::internal("a run passed its checks without a name"));
    };
    let wanted = dataset(app, tenant, attempt, known, inline).await?;
    let language = match &wanted {
        Wanted::Known(dataset) => &dataset.language,
        Wanted::New(checked) => &checked.language,
    };
    run_checks::languages(&models, language)?;
    let (dataset, made_here) = match wanted {
        Wanted::Known(dataset) => (*dataset, false),
        Wanted::New(checked) => {
            let made = datasets::create(app, tenant, attempt, &checked, false).await;
            // Its leftovers are being cleared away: the next attempt must not
            // take the same ids.
            (attempt.settle(app, made).await?, true)
        }
    };
    let run = accepted(app, tenant, attempt, name, &dataset, &models, config)?;
    about_run(run.id);
    match write(app, attempt, &run).await {
        Ok(run) => Ok(run),
        Err(error) => {
            // With a claim the next attempt goes on with this dataset.
            let comes_again = attempt.claim().is_some() && error.status.is_server_error();
            if made_here && !comes_again {
                let gone = Dataset {
                    keep_files: true,
                    ..dataset
                };
                if let Err(error) = app
                    .store
                    .begin_delete_dataset(&gone, Timestamp::now(), app.config.bounds.index_lag)
                    .await
                {
                    tracing::warn!(dataset_id = %gone.id, %error, "the dataset of a refused run stays");
                }
            }
            Err(error)
        }
    }
}

fn accepted(
    app: &App,
    tenant: &Tenant,
    attempt: &Attempt,
    name: String,
    dataset: &Dataset,
    models: &[(String, &'static Model)],
    config: Config,
) -> Result<Run, ApiError> {
    let now = attempt.now;
    let providers = models.iter().map(|(_, model)| ProviderRun {
        model: model.id.to_owned(),
        provider: model.provider.to_owned(),
        config: TranscribeConfig {
            model: model.model.to_owned(),
            prompt: config.prompt.clone(),
            temperature: config.temperature.unwrap_or(model.default_temperature),
            prompt_version: config.prompt_version.clone(),
        },
        completed: 0,
        failed: 0,
        correct: 0,
        incorrect: 0,
        sums: CorpusSums::default(),
        cost_micro_usd: 0,
        model_versions: Vec::new(),
    });
    Ok(Run {
        id: attempt.run_id()?,
        project: tenant.project.clone(),
        name,
        dataset: dataset.id,
        dataset_name: dataset.name.clone(),
        language: dataset.language.clone(),
        sample_count: dataset.sample_count,
        status: RunStatus::Pending,
        providers: providers.collect(),
        normalizer: config.normalizer,
        generation: 1,
        round: 1,
        units_total: None,
        units_done: 0,
        error_message: None,
        deleting: false,
        closing: false,
        inserted_at: now,
        updated_at: now,
        finished_at: None,
        due_at: Some(now + app.config.bounds.outbox * 2),
        scorings: Scorings::default(),
        rev: 1,
    })
}

async fn write(app: &App, attempt: &Attempt, run: &Run) -> Result<Run, ApiError> {
    let due = attempt.now + app.config.bounds.outbox;
    match app.store.accept_run(run, due, attempt.claim()).await {
        Ok(Accept::Accepted) => {
            metrics::run_accepted(run);
            announce(app, run).await;
            Ok(run.clone())
        }
        Ok(Accept::DatasetGone) => Err(ApiError::invalid_field(
            "dataset_id",
            "there is no such dataset",
        )),
        // The answer may have been lost after the run was written.
        Err(error) => match app.store.run(&run.project, run.id).await {
            Ok(Some(run)) => Ok(run),
            _ => Err(error.into()),
        },
    }
}

/// Says that there is work. Nothing is lost when that fails: the outbox is
/// swept.
async fn announce(app: &App, run: &Run) {
    let message = Message::RunAccepted {
        project: run.project.clone(),
        run: run.id,
    };
    if let Err(error) = app.queue.send(&[message]).await {
        tracing::warn!(run_id = %run.id, %error, "a run waits for the sweeper");
    }
}

/// What a run waits for. One that has ended waits for nothing, and costs
/// nothing to tell.
pub async fn waiting(app: &App, run: &Run) -> Result<Vec<WaitingView>, ApiError> {
    if !run.status.is_active() {
        return Ok(Vec::new());
    }
    let units = app.store.waiting_units(&run.project, run.id).await?;
    let waiting = Waiting::of(run, &units, Timestamp::now(), &app.config.policy);
    Ok(WaitingView::all(run, waiting))
}

/// Stops a run.
pub async fn cancel(app: &App, project: &ProjectId, id: RunId) -> Result<Run, ApiError> {
    for attempt in 0..ATTEMPTS {
        let run = app
            .store
            .run(project, id)
            .await?
            .ok_or_else(|| ApiError::no_such("run"))?;
        let next = run.cancelled(Timestamp::now())?;
        match app.store.save_run(&next).await {
            Ok(()) => {
                metrics::run_finished(&next);
                return Ok(next);
            }
            // A unit came in meanwhile.
            Err(StoreError::Conflict) => pause(attempt).await,
            Err(error) => return Err(error.into()),
        }
    }
    Err(StoreError::Conflict.into())
}

/// Submits the failed items of a run again.
pub async fn retry(
    app: &App,
    project: &ProjectId,
    id: RunId,
    request: &Attempt,
) -> Result<Run, ApiError> {
    for attempt in 0..ATTEMPTS {
        let run = app
            .store
            .run(project, id)
            .await?
            .ok_or_else(|| ApiError::no_such("run"))?;
        if run.round >= MAX_ROUNDS {
            return Err(ApiError::conflict(
                "the run was retried as often as a run can be; make a new one",
            ));
        }
        let now = Timestamp::now();
        let outbox = app.config.bounds.outbox;
        let next = run.retried(now, now + outbox * 2)?;
        match app
            .store
            .save_run_with_outbox(&next, now + outbox, request.claim())
            .await
        {
            Ok(()) => {
                metrics::run_accepted(&next);
                announce(app, &next).await;
                return Ok(next);
            }
            Err(StoreError::Conflict) => pause(attempt).await,
            Err(error) => return Err(error.into()),
        }
    }
    Err(StoreError::Conflict.into())
}
