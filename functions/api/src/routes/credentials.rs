//! `/credentials`: keys of providers, kept sealed.

use axum::extract::State;
use stt_eval_shared::App;
use stt_eval_shared::providers::Vendor;
use stt_eval_shared::wire;
use stt_eval_shared::wire::access::NewCredential;
use stt_eval_shared::wire::envelope::{Deleted, Envelope};
use utoipa::IntoParams;

use crate::http::auth::AsAdmin;
use crate::http::envelope::ok;
use crate::http::error::Answer;
use crate::http::id::PathText;
use crate::http::json::JsonBody;
use crate::http::query::{FromQuery, NoQuery, Pairs, Params};
use crate::refusal::Refusal;
use crate::routes::gather::{Gather, handlers};
use crate::services::credentials;
use crate::views;

/// The routes of credentials.
pub fn routes<R: Gather>() -> R {
    R::default().with(handlers!(show, keep, delete))
}

/// How to keep a credential.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct KeepQuery {
    /// Whether the key is tried at the provider first.
    #[param(value_type = Option<bool>, default = true)]
    validate: bool,
}

impl FromQuery for KeepQuery {
    const NAMES: &'static [&'static str] = &["validate"];

    fn read(pairs: &Pairs) -> Result<Self, Refusal> {
        Ok(Self {
            validate: pairs.flag("validate", true)?,
        })
    }
}

/// The vendor of the path.
fn known(app: &App, path: PathText) -> Result<&'static Vendor, Refusal> {
    credentials::vendor(app, &path.0.unwrap_or_default())
}

/// Shows that credentials are kept, and their last four characters.
#[utoipa::path(get, path = "/credentials/{provider}", tag = "credentials", operation_id = "get_credential",
    params(("provider" = String, Path, description = "Name of the provider", example = "google")),
    responses((status = 200, description = "The credential", body = Envelope<wire::access::Credential>)))]
async fn show(
    State(app): State<App>,
    AsAdmin(caller): AsAdmin,
    Params(NoQuery): Params<NoQuery>,
    provider: PathText,
) -> Answer {
    let provider = known(&app, provider)?.name;
    let found = credentials::find(&app, &caller.actor.project, provider).await?;
    ok(views::access::credential(found))
}

/// Keeps a provider's key, in place of an older one. It is tried at the
/// provider first, unless `validate=false`. Units that wait because the older one was
/// refused, or its account was empty, are tried again at once.
///
/// A key that can't be tried, because the provider is not reached or does not
/// answer, is not kept: 503 with the code `provider_unreachable`.
#[utoipa::path(put, path = "/credentials/{provider}", tag = "credentials", operation_id = "put_credential",
    params(("provider" = String, Path, description = "Name of the provider", example = "google"), KeepQuery),
    request_body = NewCredential,
    responses((status = 200, description = "It is kept", body = Envelope<wire::access::Credential>)))]
async fn keep(
    State(app): State<App>,
    AsAdmin(caller): AsAdmin,
    Params(query): Params<KeepQuery>,
    provider: PathText,
    JsonBody { value, .. }: JsonBody<NewCredential>,
) -> Answer {
    // What can't be a key of any vendor is told before its vendor is looked for.
    let vendor = known(&app, provider);
    let checked = credentials::check(vendor.as_ref().ok().copied(), value)?;
    let provider = vendor?.name;
    let project = &caller.actor.project;
    let kept = credentials::keep(&app, project, provider, checked, query.validate).await?;
    ok(views::access::credential(kept))
}

/// Forgets a provider's key. Runs under way that need it fail.
#[utoipa::path(delete, path = "/credentials/{provider}", tag = "credentials", operation_id = "delete_credential",
    params(("provider" = String, Path, description = "Name of the provider", example = "google")),
    responses((status = 200, description = "It is gone", body = Envelope<Deleted<String>>)))]
async fn delete(
    State(app): State<App>,
    AsAdmin(caller): AsAdmin,
    Params(NoQuery): Params<NoQuery>,
    provider: PathText,
) -> Answer {
    let provider = known(&app, provider)?.name;
    credentials::delete(&app, &caller.actor.project, provider).await?;
    ok(Deleted {
        id: provider.to_owned(),
        deleted: true,
    })
}
