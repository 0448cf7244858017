//! Accepting runs, stopping them and trying them again.

use stt_eval_shared::App;
use stt_eval_shared::domain::dataset::Dataset;
use stt_eval_shared::domain::run::{MAX_PROMPT_CHARS, MAX_PROVIDERS, ProviderRun, Run, RunStatus};
use stt_eval_shared::domain::validate::{self, Errors};
use stt_eval_shared::domain::{DatasetId, ProjectId, RunId, Timestamp};
use stt_eval_shared::providers::TranscribeConfig;
use stt_eval_shared::providers::catalogue::{self, Model};
use stt_eval_shared::providers::gemini::{DEFAULT_PROMPT, DEFAULT_PROMPT_VERSION};
use stt_eval_shared::queue::Message;
use stt_eval_shared::scoring::CorpusSums;
use stt_eval_shared::scoring::normalise::Normaliser;
use stt_eval_shared::store::StoreError;
use stt_eval_shared::store::runs::Accept;

use super::{ATTEMPTS, datasets, pause};
use crate::auth::Tenant;
use crate::dto::datasets::NewDataset;
use crate::dto::runs::{NewRun, NewRunConfig};
use crate::error::{ApiError, finish};
use crate::id::in_body;
use crate::idempotency::Attempt;

/// Most bytes of prompts on a run: they lie in one item with everything else.
const MAX_PROMPT_BYTES: usize = 150_000;
/// Rounds are part of sort keys with two digits.
const MAX_ROUNDS: u16 = 99;

/// Version of prompts that runs bring themselves.
const CUSTOM_PROMPT: &str = "custom";

/// The dataset of a run: one that exists, or one to be made.
enum Wanted {
    Known(Box<Dataset>),
    New(Box<datasets::Checked>),
}

struct Config {
    prompt: String,
    prompt_version: String,
    temperature: Option<f64>,
    normalizer: String,
}

fn model_ids() -> String {
    let ids: Vec<&str> = catalogue::all().iter().map(|model| model.id).collect();
    ids.join(", ")
}

/// Checks the models of a run.
fn models(new: &NewRun, errors: &mut Errors) -> Vec<(String, &'static Model)> {
    let (field, given) = match (&new.providers, &new.models) {
        (Some(_), Some(_)) => {
            errors.push(
                "models",
                "is another name of providers; give one of the two",
            );
            return Vec::new();
        }
        (None, None) => {
            errors.push(
                "providers",
                format!("is required; known are {}", model_ids()),
            );
            return Vec::new();
        }
        (Some(given), None) => ("providers", given),
        (None, Some(given)) => ("models", given),
    };
    if !(1..=MAX_PROVIDERS).contains(&given.len()) {
        errors.push(
            field,
            format!(
                "must name 1 to {MAX_PROVIDERS} models, names {}",
                given.len()
            ),
        );
        return Vec::new();
    }
    let mut found: Vec<(String, &'static Model)> = Vec::with_capacity(given.len());
    for (index, id) in given.iter().enumerate() {
        let at = format!("{field}[{index}]");
        match catalogue::find(id) {
            None => errors.push(at, format!("is not known; known are {}", model_ids())),
            Some(model) if found.iter().any(|(_, other)| other.id == model.id) => {
                errors.push(at, "is there twice");
            }
            Some(model) => found.push((at, model)),
        }
    }
    found
}

/// Checks that the project has credentials for every model.
async fn credentials(
    app: &App,
    project: &ProjectId,
    models: &[(String, &'static Model)],
    errors: &mut Errors,
) -> Result<(), ApiError> {
    if models.is_empty() {
        return Ok(());
    }
    let kept = app.store.credentials(project).await?;
    for (field, model) in models {
        if !kept
            .iter()
            .any(|credential| credential.provider == model.provider)
        {
            errors.push(
                &**field,
                format!(
                    "this project has no credentials for {}; keep them with PUT /credentials/{} first",
                    model.provider, model.provider
                ),
            );
        }
    }
    Ok(())
}

/// Checks how to transcribe and score.
fn config(new: Option<&NewRunConfig>, models: usize, errors: &mut Errors) -> Option<Config> {
    let none = NewRunConfig::default();
    let new = new.unwrap_or(&none);
    let prompt = match &new.prompt {
        None => Some((DEFAULT_PROMPT.to_owned(), DEFAULT_PROMPT_VERSION)),
        Some(text) if text.trim().is_empty() => {
            errors.push(
                "config.prompt",
                "must not be empty; leave it out for the default prompt",
            );
            None
        }
        Some(text) if text.len() * models.max(1) > MAX_PROMPT_BYTES => {
            errors.push("config.prompt", "is too long for a run of so many models");
            None
        }
        Some(text) => errors
            .keep(validate::text("config.prompt", text, MAX_PROMPT_CHARS))
            .map(|text| (text, CUSTOM_PROMPT)),
    };
    if new.temperature.is_some_and(|t| !(0.0..=2.0).contains(&t)) {
        errors.push("config.temperature", "must be from 0 to 2");
    }
    let normalizer = match &new.normalizer {
        None => Some(Normaliser::default_name().to_owned()),
        Some(name) => match Normaliser::by_name(name) {
            Some(normaliser) => Some(normaliser.name().to_owned()),
            None => {
                let names: Vec<&str> = Normaliser::names().collect();
                let message = format!(
                    "is not known; known are {} (and their opt-in steps)",
                    names.join(", ")
                );
                errors.push("config.normalizer", message);
                None
            }
        },
    };
    let (prompt, version) = prompt?;
    Some(Config {
        prompt,
        prompt_version: version.to_owned(),
        temperature: new.temperature,
        normalizer: normalizer?,
    })
}

fn languages(models: &[(String, &'static Model)], language: &str) -> Result<(), ApiError> {
    let mut errors = Errors::new();
    for (field, model) in models {
        if !model.supports_language(language) {
            errors.push(
                &**field,
                format!("can't transcribe the dataset's language, {language}"),
            );
        }
    }
    finish(errors)
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
        let checked = datasets::check(app, tenant, "dataset.", new).await?;
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
    let models = models(&new, &mut errors);
    credentials(app, &tenant.project, &models, &mut errors).await?;
    let config = config(new.config.as_ref().map(|c| &c.0), models.len(), &mut errors);
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
        Wanted::New(checked) => checked.language(),
    };
    languages(&models, language)?;
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
                    .begin_delete_dataset(&gone, Timestamp::now())
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
        rev: 1,
    })
}

async fn write(app: &App, attempt: &Attempt, run: &Run) -> Result<Run, ApiError> {
    let due = attempt.now + app.config.bounds.outbox;
    match app.store.accept_run(run, due, attempt.claim()).await {
        Ok(Accept::Accepted) => {
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
            Ok(()) => return Ok(next),
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
                announce(app, &next).await;
                return Ok(next);
            }
            Err(StoreError::Conflict) => pause(attempt).await,
            Err(error) => return Err(error.into()),
        }
    }
    Err(StoreError::Conflict.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(body: serde_json::Value) -> Vec<String> {
        let new: NewRun = crate::json::parse(body.to_string().as_bytes()).unwrap();
        let mut errors = Errors::new();
        let models = models(&new, &mut errors);
        config(new.config.as_ref().map(|c| &c.0), models.len(), &mut errors);
        errors
            .finish()
            .err()
            .unwrap_or_default()
            .into_iter()
            .map(|e| e.field)
            .collect()
    }

    #[test]
    fn models_are_known_and_named_once() {
        let run = |providers| serde_json::json!({ "run_name": "r", "providers": providers });
        assert!(fields(run(vec!["gemini-2.5-pro", "gemini-2.5-flash"])).is_empty());
        assert_eq!(
            fields(run(vec!["gemini-2.5-pro", "x", "gemini-2.5-pro"])),
            ["providers[1]", "providers[2]"]
        );
        assert_eq!(fields(run(vec![])), ["providers"]);
        assert_eq!(fields(run(vec!["gemini-2.5-pro"; 17])), ["providers"]);
        assert_eq!(
            fields(serde_json::json!({ "run_name": "r" })),
            ["providers"]
        );
        let both = serde_json::json!({ "run_name": "r", "providers": [], "models": [] });
        assert_eq!(fields(both), ["models"]);
        let other = serde_json::json!({ "run_name": "r", "models": ["x"] });
        assert_eq!(fields(other), ["models[0]"]);
    }

    #[test]
    fn configuration_is_bounded() {
        let run = |config| serde_json::json!({ "run_name": "r", "providers": ["gemini-2.5-pro"], "config": config });
        assert!(
            fields(run(
                serde_json::json!({ "temperature": 2, "normalizer": "nfc-v1" })
            ))
            .is_empty()
        );
        assert_eq!(
            fields(run(
                serde_json::json!({ "temperature": 2.1, "normalizer": "x", "prompt": " " })
            )),
            ["config.prompt", "config.temperature", "config.normalizer"]
        );
        assert_eq!(
            fields(run(
                serde_json::json!({ "prompt": "x".repeat(MAX_PROMPT_CHARS + 1) })
            )),
            ["config.prompt"]
        );
    }
}
