//! The models that runs of a project can use.

use stt_eval_shared::App;
use stt_eval_shared::domain::{ProjectId, Timestamp};
use stt_eval_shared::providers::model::AnyModel;
use stt_eval_shared::providers::{ModelConfig, OwnModel, Works};
use stt_eval_shared::wire::catalogue::Model;
use time::OffsetDateTime;

use super::runs::check::has_credentials;
use crate::refusal::Refusal;
use crate::views;

/// All of them: those of the catalogue, then those of the project's own. Retired ones
/// are among them, with the day.
///
/// # Errors
/// When the tables can't be read.
pub async fn models(app: &App, project: &ProjectId) -> Result<Vec<Model>, Refusal> {
    let kept = app.store.credentials(project).await?;
    let today = OffsetDateTime::from(Timestamp::now()).date();
    let mut listed = Vec::new();
    for vendor in app.vendors().vendors() {
        for model in vendor.models {
            let mode = match vendor.works {
                Works::Commands => "command",
                Works::Calls => "calls",
                Works::Jobs if model.batch => "batch",
                Works::Jobs => "jobs",
            };
            let has_credentials = has_credentials(app, &kept, model);
            let view = views::catalogue::model(
                vendor,
                model,
                mode,
                (today, prompt_tokens(app, model)),
                has_credentials,
            );
            listed.push(view);
        }
    }
    let own = app.store.own_models(project).await?;
    for record in own {
        let Some(vendor) = app.vendor(&record.credential.provider) else {
            continue;
        };
        let own = OwnModel::of(record.endpoint, app.vendors().rates());
        let view = views::catalogue::model(vendor, &own.model(), "calls", (today, 0), true);
        listed.push(view);
    }
    Ok(listed)
}

/// Tokens of the prompt of runs that bring none, of the language that it is longest for.
fn prompt_tokens(app: &App, model: &AnyModel<'_>) -> u64 {
    let Some(consult) = app.consulted(model.provider) else {
        return 0;
    };
    let config = ModelConfig {
        model: model.model.to_owned(),
        prompt: None,
        temperature: None,
        prompt_version: None,
        endpoint: None,
    };
    let languages = model.supported_languages().into_iter();
    let tokens = languages.map(|language| consult.queued_tokens(&config, language.code, 0.0));
    tokens.max().unwrap_or_default()
}
