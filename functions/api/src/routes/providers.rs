//! `/providers` and `/languages`: the catalogue.

use axum::extract::State;
use stt_eval_shared::App;
use stt_eval_shared::domain::{Timestamp, language};
use stt_eval_shared::providers::catalogue;
use time::OffsetDateTime;

use crate::auth::AsViewer;
use crate::dto::catalogue::{LanguageView, ProviderView};
use crate::envelope::{ListEnvelope, whole_list};
use crate::error::Answer;
use crate::handlers;
use crate::query::{NoQuery, Params};
use crate::routes::gather::Gather;

/// The routes of the catalogue.
pub fn routes<R: Gather>() -> R {
    R::default()
        .with(handlers!(providers))
        .with(handlers!(languages))
}

/// Lists the models that runs can use, all of them.
#[utoipa::path(get, path = "/providers", tag = "catalogue", operation_id = "list_providers",
    responses((status = 200, description = "The models", body = ListEnvelope<ProviderView>)))]
async fn providers(
    State(app): State<App>,
    AsViewer(tenant): AsViewer,
    Params(NoQuery): Params<NoQuery>,
) -> Answer {
    let kept = app.store.credentials(&tenant.project).await?;
    let today = OffsetDateTime::from(Timestamp::now()).date();
    let views = catalogue::all().iter().map(|model| {
        let has_credentials = kept.iter().any(|c| c.provider == model.provider);
        ProviderView::new(model, today, has_credentials)
    });
    whole_list(views.collect())
}

/// Lists the languages that samples can be in, all of them.
#[utoipa::path(get, path = "/languages", tag = "catalogue", operation_id = "list_languages",
    responses((status = 200, description = "The languages", body = ListEnvelope<LanguageView>)))]
async fn languages(_tenant: AsViewer, Params(NoQuery): Params<NoQuery>) -> Answer {
    let models = catalogue::all();
    whole_list(
        language::all()
            .iter()
            .map(|l| LanguageView::new(l, models))
            .collect(),
    )
}
