//! Checks of a run before anything of it is written.

use stt_eval_shared::App;
use stt_eval_shared::domain::ProjectId;
use stt_eval_shared::domain::run::{MAX_PROMPT_CHARS, MAX_PROVIDERS};
use stt_eval_shared::domain::validate::{self, Errors};
use stt_eval_shared::providers::catalogue::{self, Model};
use stt_eval_shared::providers::gemini::{DEFAULT_PROMPT, DEFAULT_PROMPT_VERSION};
use stt_eval_shared::scoring::normalise::Normaliser;

use crate::dto::runs::{NewRun, NewRunConfig};
use crate::error::{ApiError, finish};

/// Most bytes of prompts on a run: they lie in one item with everything else.
const MAX_PROMPT_BYTES: usize = 150_000;
/// Version of prompts that runs bring themselves.
const CUSTOM_PROMPT: &str = "custom";

/// How a run transcribes and scores, checked.
pub struct Config {
    /// Prompt template.
    pub prompt: String,
    /// Its version.
    pub prompt_version: String,
    /// Sampling temperature, when the run says one.
    pub temperature: Option<f64>,
    /// Canonical name of the normaliser.
    pub normalizer: String,
}

fn model_ids() -> String {
    let ids: Vec<&str> = catalogue::all().iter().map(|model| model.id).collect();
    ids.join(", ")
}

/// Checks the models of a run.
pub fn models(new: &NewRun, errors: &mut Errors) -> Vec<(String, &'static Model)> {
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
pub async fn credentials(
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
pub fn config(new: Option<&NewRunConfig>, models: usize, errors: &mut Errors) -> Option<Config> {
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

/// Checks that every model can be asked for a language.
pub fn languages(models: &[(String, &'static Model)], language: &str) -> Result<(), ApiError> {
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
