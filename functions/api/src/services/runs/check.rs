//! Checks of a run before anything of it is written.

use std::sync::Arc;

use stt_eval_shared::App;
use stt_eval_shared::access::credentials::SealedCredential;
use stt_eval_shared::access::own_models::OwnModelRecord;
use stt_eval_shared::config::ROLE_PROVIDERS;
use stt_eval_shared::domain::endpoint;
use stt_eval_shared::domain::run::{MAX_PROMPT_BYTES, MAX_PROMPT_CHARS, MAX_PROVIDERS, RunModel};
use stt_eval_shared::domain::validate::{self, Errors};
use stt_eval_shared::domain::{ProjectId, Timestamp};
use stt_eval_shared::providers::{
    AnyModel, ModelConfig, Offered, OwnModel, Registry, Unsupported, Vendor,
};
use stt_eval_shared::scoring::normalise::Normaliser;
use stt_eval_shared::store::samples::Clip;
use stt_eval_shared::wire::runs::{NewRun, NewRunConfig};
use time::Date;

use crate::refusal::{Refusal, finish};

/// Most US dollars that a run can be told to cost at most.
const MAX_COST_USD: f64 = 1e6;
/// Version of prompts that runs bring themselves.
const CUSTOM_PROMPT: &str = "custom";

/// How a run transcribes and scores, checked.
pub struct Config {
    /// Prompt template, when the run brings one.
    pub prompt: Option<String>,
    /// Sampling temperature, when the run says one.
    pub temperature: Option<f64>,
    /// Canonical name of the normaliser.
    pub normalizer: String,
    /// Whether WAV is sent as FLAC, when the run says so.
    pub lossless_flac: Option<bool>,
}

impl Config {
    /// What of it a model is asked with: of the settings, those that it takes.
    #[must_use]
    pub fn of(&self, offered: &Offered) -> ModelConfig {
        let model = offered.model();
        let prompt = model.takes.prompt.map(|default| match &self.prompt {
            Some(own) => (own.clone(), CUSTOM_PROMPT),
            None => (default.template.to_owned(), default.version),
        });
        let (prompt, version) = prompt.unzip();
        let default = model.takes.temperature;
        ModelConfig {
            model: model.model.to_owned(),
            prompt,
            temperature: default.map(|default| self.temperature.unwrap_or(default)),
            prompt_version: version.map(str::to_owned),
            endpoint: offered.endpoint().cloned().map(Box::new),
        }
    }
}

fn model_ids(vendors: &Registry) -> String {
    let ids: Vec<&str> = vendors.models().map(|model| model.id).collect();
    ids.join(", ")
}

fn asks_own_models(new: &NewRun) -> bool {
    let mut asked = new.providers.iter().chain(&new.models).flatten();
    asked.any(|id| endpoint::is_own(id))
}

/// The models of the project's own, where a run asks for any.
pub async fn own_models(
    app: &App,
    project: &ProjectId,
    new: &NewRun,
) -> Result<Vec<OwnModelRecord>, Refusal> {
    if asks_own_models(new) {
        Ok(app.store.own_models(project).await?)
    } else {
        Ok(Vec::new())
    }
}

/// The model of an id: of the catalogue, or of the project's own.
fn offered(vendors: &Registry, own: &[OwnModelRecord], id: &str) -> Result<Offered, String> {
    if endpoint::is_own(id) {
        let found = own.iter().find(|known| known.endpoint.id() == id);
        let found = found.ok_or(
            "the project has no model of its own by this name; make it with POST /models first",
        )?;
        let model = OwnModel::of(found.endpoint.clone(), vendors.rates());
        return Ok(Offered::Own(Arc::new(model)));
    }
    let found = vendors.find(id).map(Offered::Catalogue);
    found.ok_or_else(|| format!("is not known; known are {}", model_ids(vendors)))
}

/// Checks the models of a run.
pub fn models(
    vendors: &Registry,
    own: &[OwnModelRecord],
    new: &NewRun,
    today: Date,
    errors: &mut Errors,
) -> Vec<(String, Offered)> {
    let (field, given) = match (&new.providers, &new.models) {
        (Some(_), Some(_)) => {
            errors.push(
                "models",
                "is another name of providers; give one of the two",
            );
            return Vec::new();
        }
        // Transcripts alone make a run.
        (None, None) if new.transcripts.is_some() => return Vec::new(),
        (None, None) => {
            errors.push(
                "providers",
                format!("is required; known are {}", model_ids(vendors)),
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
                "must name 1 to {MAX_PROVIDERS} models, names {}; leave it out where transcripts \
                 are all there is",
                given.len()
            ),
        );
        return Vec::new();
    }
    let mut found: Vec<(String, Offered)> = Vec::with_capacity(given.len());
    for (index, id) in given.iter().enumerate() {
        let at = format!("{field}[{index}]");
        match offered(vendors, own, id) {
            Err(problem) => errors.push(at, problem),
            Ok(_) if found.iter().any(|(_, other)| other.model().id == id) => {
                errors.push(at, "is there twice");
            }
            Ok(offered) => match offered.model().retired_on(today) {
                Some(day) => errors.push(
                    at,
                    format!("is not served any more by its provider, since {day} (UTC)"),
                ),
                None => found.push((at, offered)),
            },
        }
    }
    found
}

/// Checks that the project has credentials for every model.
pub async fn credentials(
    app: &App,
    project: &ProjectId,
    models: &[(String, Offered)],
    errors: &mut Errors,
) -> Result<(), Refusal> {
    if models.is_empty() {
        return Ok(());
    }
    let kept = app.store.credentials(project).await?;
    for (field, offered) in models {
        let model = offered.model();
        if has_credentials(app, &kept, &model) {
            continue;
        }
        let (provider, vendor) = (model.provider, app.vendor(model.provider));
        let problem = match vendor.is_some_and(Vendor::is_by_role) {
            true => format!(
                "{provider} is asked with the role of this deployment, which its operator has not \
                 switched on ({ROLE_PROVIDERS})"
            ),
            false => format!(
                "this project has no credentials for {provider}; keep them with PUT \
                 /credentials/{provider} first"
            ),
        };
        errors.push(&**field, problem);
    }
    Ok(())
}

/// Whether a model can be asked with the credentials that are kept.
#[must_use]
pub fn has_credentials(app: &App, kept: &[SealedCredential], model: &AnyModel<'_>) -> bool {
    let vendor = app.vendor(model.provider);
    vendor.is_some_and(|vendor| app.keyless(vendor).is_some())
        || kept.iter().any(|kept| kept.provider == model.provider)
}

/// Checks the most that a run may cost in US dollars; gives it in millionths.
pub fn max_cost(max_cost_usd: Option<f64>, errors: &mut Errors) -> Option<u64> {
    let usd = max_cost_usd?;
    // Below half a millionth nothing would be left of it.
    if !(1e-6..=MAX_COST_USD).contains(&usd) {
        errors.push(
            "max_cost_usd",
            format!("must be from 0.000001 to {MAX_COST_USD}"),
        );
        return None;
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it was checked"
    )]
    let micro = (usd * 1e6).round() as u64;
    Some(micro)
}

/// By how much more than estimated each model may cost: of all clips that it takes.
#[must_use]
pub fn may_exceed(app: &App, models: &[RunModel], clips: &[Clip], now: Timestamp) -> Vec<u64> {
    let of_model = |of_run: &RunModel| {
        let offered = app.model_of(of_run)?;
        let model = &offered.model();
        let consult = app.consulted(&of_run.vendor)?;
        let taken = clips.iter().filter(|clip| refuses(model, clip).is_none());
        let excess = taken.map(|clip| {
            let clip = (&*clip.language, clip.duration_seconds);
            model.excess_micro_usd(consult, &of_run.config, clip, now)
        });
        Some(excess.sum())
    };
    let all = models.iter().map(|model| of_model(model).unwrap_or(0));
    all.collect()
}

/// Checks how to transcribe and score.
pub fn config(
    new: Option<&NewRunConfig>,
    models: &[(String, Offered)],
    errors: &mut Errors,
) -> Option<Config> {
    let none = NewRunConfig::default();
    let new = new.unwrap_or(&none);
    let prompt = match &new.prompt {
        None => Some(None),
        Some(text) if text.trim().is_empty() => {
            errors.push(
                "config.prompt",
                "must not be empty; leave it out for the default prompt",
            );
            None
        }
        Some(text) if text.len() * models.len().max(1) > MAX_PROMPT_BYTES => {
            errors.push("config.prompt", "is too long for a run of so many models");
            None
        }
        Some(_) if no_model(models, |model| model.takes.prompt.is_some()) => {
            errors.push("config.prompt", "no model of the run takes a prompt");
            None
        }
        Some(text) => errors
            .keep(validate::text("config.prompt", text, MAX_PROMPT_CHARS))
            .map(Some),
    };
    if new.temperature.is_some_and(|t| !(0.0..=2.0).contains(&t)) {
        errors.push("config.temperature", "must be from 0 to 2");
    } else if new.temperature.is_some()
        && no_model(models, |model| model.takes.temperature.is_some())
    {
        errors.push(
            "config.temperature",
            "no model of the run takes a temperature",
        );
    }
    let normalizer = match &new.normalizer {
        None => Some(Normaliser::default_name().to_owned()),
        Some(name) => match Normaliser::by_name(name) {
            Some(normaliser) => Some(normaliser.name().to_owned()),
            None => {
                let message = format!("is not known; known are {}", Normaliser::known());
                errors.push("config.normalizer", message);
                None
            }
        },
    };
    Some(Config {
        prompt: prompt?,
        temperature: new.temperature,
        normalizer: normalizer?,
        lossless_flac: new.lossless_flac,
    })
}

/// Refuses settings in a run that asks no model: of transcripts alone.
pub fn asks_no_model(new: Option<&NewRunConfig>, errors: &mut Errors) {
    let Some(new) = new else {
        return;
    };
    for (field, given) in [
        ("config.prompt", new.prompt.is_some()),
        ("config.temperature", new.temperature.is_some()),
        ("config.lossless_flac", new.lossless_flac.is_some()),
    ] {
        if given {
            errors.push(field, "the run asks no model; it has transcripts alone");
        }
    }
}

/// Whether a run has models, and none of which this is true.
fn no_model(models: &[(String, Offered)], is: impl Fn(&AnyModel<'_>) -> bool) -> bool {
    !models.is_empty() && !models.iter().any(|(_, offered)| is(&offered.model()))
}

/// Checks that every model can be asked for a language.
pub fn languages(models: &[(String, Offered)], language: &str) -> Result<(), Refusal> {
    let mut errors = Errors::new();
    for (field, offered) in models {
        if !offered.model().supports_language(language) {
            errors.push(
                &**field,
                format!("can't transcribe the dataset's language, {language}"),
            );
        }
    }
    finish(errors)
}

/// How many of a dataset's clips each model can't take.
///
/// # Errors
/// When a model can take none of them.
pub fn unsupported(models: &[(String, Offered)], clips: &[Clip]) -> Result<Vec<u32>, Refusal> {
    let mut errors = Errors::new();
    let mut all = Vec::with_capacity(models.len());
    for (field, offered) in models {
        let model = offered.model();
        let refused: Vec<Unsupported> = clips.iter().filter_map(|c| refuses(&model, c)).collect();
        if let Some(first) = refused.first()
            && refused.len() == clips.len()
        {
            errors.push(
                &**field,
                format!(
                    "can take none of the dataset's {} clips: {first}",
                    clips.len()
                ),
            );
        }
        all.push(u32::try_from(refused.len()).unwrap_or(u32::MAX));
    }
    finish(errors)?;
    Ok(all)
}

/// Why a model does not take a clip; `None` when it does.
#[must_use]
pub fn refuses(model: &AnyModel<'_>, clip: &Clip) -> Option<Unsupported> {
    let taken = model.takes_audio(&clip.content_type, clip.size_bytes, clip.duration_seconds);
    let taken = taken.and_then(|_| model.takes_language(&clip.language));
    taken.err()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use stt_eval_shared::providers::{CLIENTS, Settings};
    use time::macros::date;

    use super::*;

    fn vendors() -> Registry {
        let settings = Settings {
            base_url: None,
            loopback: false,
            grace: Duration::from_secs(600),
        };
        Registry::connect(CLIENTS, |_| settings.clone()).unwrap()
    }

    const TODAY: Date = date!(2026 - 11 - 27);

    fn fields(body: serde_json::Value) -> Vec<String> {
        fields_on(TODAY, body)
    }

    fn fields_on(today: Date, body: serde_json::Value) -> Vec<String> {
        let new: NewRun = serde_json::from_value(body).unwrap();
        let mut errors = Errors::new();
        let models = models(&vendors(), &[], &new, today, &mut errors);
        config(new.config.as_ref().map(|c| &c.0), &models, &mut errors);
        errors
            .finish()
            .err()
            .unwrap_or_default()
            .into_iter()
            .map(|e| e.field)
            .collect()
    }

    #[test]
    fn a_model_is_refused_from_the_day_on_that_it_is_not_served() {
        let run =
            serde_json::json!({ "run_name": "r", "providers": ["mistral/voxtral-mini-2602"] });
        assert!(fields_on(date!(2027 - 04 - 29), run.clone()).is_empty());
        assert_eq!(fields_on(date!(2027 - 04 - 30), run), ["providers[0]"]);
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
