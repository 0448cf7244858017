//! `/credentials`: keys of providers, kept sealed.

use axum::extract::State;
use secrecy::{ExposeSecret, SecretString};
use stt_eval_shared::App;
use stt_eval_shared::access::credentials::VaultError;
use stt_eval_shared::domain::Timestamp;
use stt_eval_shared::providers::{CallError, Credential, Provider, Rejection, catalogue};
use utoipa::IntoParams;

use crate::auth::AsAdmin;
use crate::dto::access::{CredentialView, NewCredential};
use crate::envelope::{Deleted, Envelope, ok};
use crate::error::{Answer, ApiError};
use crate::handlers;
use crate::id::PathText;
use crate::json::JsonBody;
use crate::query::{FromQuery, NoQuery, Pairs, Params};
use crate::routes::gather::Gather;

const NOUN: &str = "credential";

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

    fn read(pairs: &Pairs) -> Result<Self, ApiError> {
        Ok(Self {
            validate: pairs.flag("validate", true)?,
        })
    }
}

/// The catalogue's name of a provider.
fn known(path: PathText) -> Result<&'static str, ApiError> {
    let name = path.0.unwrap_or_default();
    catalogue::all()
        .iter()
        .map(|model| model.provider)
        .find(|provider| *provider == name)
        .ok_or_else(|| ApiError::no_such("provider"))
}

/// Shows that credentials are kept, and their last four characters.
#[utoipa::path(get, path = "/credentials/{provider}", tag = "credentials", operation_id = "get_credential",
    params(("provider" = String, Path, description = "Name of the provider", example = "google")),
    responses((status = 200, description = "The credential", body = Envelope<CredentialView>)))]
async fn show(
    State(app): State<App>,
    AsAdmin(tenant): AsAdmin,
    Params(NoQuery): Params<NoQuery>,
    provider: PathText,
) -> Answer {
    let provider = known(provider)?;
    let found = app.store.credential(&tenant.project, provider).await?;
    ok(CredentialView::from(
        found.ok_or_else(|| ApiError::no_such(NOUN))?,
    ))
}

/// Keeps a provider's key, in place of an older one. It is tried at the
/// provider first, unless `validate=false`.
#[utoipa::path(put, path = "/credentials/{provider}", tag = "credentials", operation_id = "put_credential",
    params(("provider" = String, Path, description = "Name of the provider", example = "google"), KeepQuery),
    request_body = NewCredential,
    responses((status = 200, description = "It is kept", body = Envelope<CredentialView>)))]
async fn keep(
    State(app): State<App>,
    AsAdmin(tenant): AsAdmin,
    Params(query): Params<KeepQuery>,
    provider: PathText,
    JsonBody { value, .. }: JsonBody<NewCredential>,
) -> Answer {
    let secret = value.api_key.0;
    let text = secret.expose_secret();
    if !(8..=512).contains(&text.len()) || !text.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(ApiError::invalid_field(
            "api_key",
            "must have 8 to 512 visible ASCII characters",
        ));
    }
    let provider = known(provider)?;
    let vault = app.vault.as_ref().ok_or_else(|| {
        ApiError::unavailable("no key service is configured, so credentials can't be sealed")
    })?;
    if query.validate {
        check(&app, provider, &secret).await?;
    }
    let now = Timestamp::now();
    let older = app.store.credential(&tenant.project, provider).await?;
    let inserted_at = older.map_or(now, |older| older.inserted_at);
    let sealed = vault
        .seal(&tenant.project, provider, &secret, inserted_at, now)
        .await
        .map_err(|error| match error {
            VaultError::Unavailable(_) => ApiError::unavailable(error.to_string()),
            VaultError::Sealed => ApiError::internal("a credential can't be sealed"),
        })?;
    app.store.save_credential(&tenant.project, &sealed).await?;
    ok(CredentialView::from(sealed))
}

/// Tries a key at its provider.
async fn check(app: &App, provider: &str, secret: &SecretString) -> Result<(), ApiError> {
    let credential = Credential {
        id: "check".to_owned(),
        secret: secret.clone(),
    };
    let outcome = match app.provider(provider) {
        Some(Provider::Batch(provider)) => provider.check_credential(&credential).await,
        Some(Provider::Sync(provider)) => provider.check_credential(&credential).await,
        None => {
            return Err(ApiError::internal(
                "a provider of the catalogue has no client",
            ));
        }
    };
    match outcome {
        Ok(()) => Ok(()),
        Err(CallError::Rejected {
            kind: Rejection::Unauthorized,
            ..
        }) => Err(ApiError::invalid_field(
            "api_key",
            "the provider does not accept this key",
        )),
        // Only a key that is known has a quota.
        Err(CallError::Rejected {
            kind: Rejection::Quota { .. },
            ..
        }) => Ok(()),
        Err(error) => Err(ApiError {
            message: "the provider can't be asked about the key right now; try again later, \
                      or keep it unchecked with validate=false"
                .to_owned(),
            ..ApiError::unavailable(error.to_string())
        }
        .retry_after(30)),
    }
}

/// Forgets a provider's key. Runs under way that need it fail.
#[utoipa::path(delete, path = "/credentials/{provider}", tag = "credentials", operation_id = "delete_credential",
    params(("provider" = String, Path, description = "Name of the provider", example = "google")),
    responses((status = 200, description = "It is gone", body = Envelope<Deleted<String>>)))]
async fn delete(
    State(app): State<App>,
    AsAdmin(tenant): AsAdmin,
    Params(NoQuery): Params<NoQuery>,
    provider: PathText,
) -> Answer {
    let provider = known(provider)?;
    if !app
        .store
        .delete_credential(&tenant.project, provider)
        .await?
    {
        return Err(ApiError::no_such(NOUN));
    }
    ok(Deleted {
        id: provider,
        deleted: true,
    })
}
