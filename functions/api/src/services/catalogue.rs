//! The models that runs of a project can use.

use stt_eval_shared::App;
use stt_eval_shared::domain::{ProjectId, Timestamp};
use stt_eval_shared::providers::{OwnModel, Works};
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
            let view = views::catalogue::model(vendor, model, mode, today, has_credentials);
            listed.push(view);
        }
    }
    let own = app.store.own_models(project).await?;
    for record in own {
        let Some(vendor) = app.vendor(&record.credential.provider) else {
            continue;
        };
        let own = OwnModel::of(record.endpoint, app.vendors().rates());
        let view = views::catalogue::model(vendor, &own.model(), "calls", today, true);
        listed.push(view);
    }
    Ok(listed)
}
