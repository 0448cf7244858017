//! Keys of providers, kept sealed.

use std::time::Duration;

use secrecy::SecretString;
use serde_json::json;
use stt_eval_shared::App;
use stt_eval_shared::access::credentials::{SealedCredential, VaultError};
use stt_eval_shared::domain::{ProjectId, Timestamp, endpoint};
use stt_eval_shared::providers::{
    API_KEY, CallError, Credential, Field, REGION, Rejection, Vendor,
};
use stt_eval_shared::queue::Message;
use stt_eval_shared::wire::access::NewCredential;

use crate::refusal::Refusal;

const NOUN: &str = "credential";
/// How long a provider is asked about a key. An HTTP API waits 30 s, and the
/// answer is still to be made.
const CHECK: Duration = Duration::from_secs(20);

/// A vendor by its name.
///
/// # Errors
/// When there is no such vendor.
pub fn vendor(app: &App, name: &str) -> Result<&'static Vendor, Refusal> {
    // Models of the project's own have their keys in `/models`.
    let found = app.vendor(name).filter(|vendor| vendor.name == name);
    found
        .filter(|vendor| vendor.name != endpoint::VENDOR)
        .ok_or_else(|| Refusal::no_such("provider"))
}

/// What is kept for a provider.
///
/// # Errors
/// When nothing is.
pub async fn find(
    app: &App,
    project: &ProjectId,
    provider: &str,
) -> Result<SealedCredential, Refusal> {
    let found = app.store.credential(project, provider).await?;
    found.ok_or_else(|| Refusal::no_such(NOUN))
}

/// A key whose form is right.
pub struct Checked {
    /// What is sealed.
    secret: SecretString,
    /// Where the vendor is to work with it; `None` is its usual place.
    region: Option<String>,
}

/// Checks the form of a key: as its vendor's are, or as any vendor's may be.
///
/// # Errors
/// When it can't be one.
pub fn check(vendor: Option<&Vendor>, new: NewCredential) -> Result<Checked, Refusal> {
    if vendor.is_some_and(Vendor::is_by_role) {
        let message = "the provider is asked with the role of this deployment, and takes no key";
        return Err(Refusal::invalid_field(API_KEY, message));
    }
    if vendor.is_some_and(Vendor::is_open) {
        let message = "the provider wants no key";
        return Err(Refusal::invalid_field(API_KEY, message));
    }
    let mut fields = vendor
        .map_or([].as_slice(), |vendor| vendor.credential)
        .iter();
    let field = fields
        .find(|field| field.name == API_KEY)
        .unwrap_or(&Field::API_KEY);
    if let Some(problem) = field.problem(new.api_key.expose()) {
        return Err(Refusal::invalid_field(API_KEY, problem));
    }
    let Some(region) = new.region else {
        return Ok(Checked {
            secret: new.api_key.into_inner(),
            region: None,
        });
    };
    let known = vendor.and_then(Vendor::regions);
    let problem = match known {
        None => Some("the provider is at one place only; leave it out".to_owned()),
        Some(field) => field.problem(&region),
    };
    if let Some(problem) = problem {
        return Err(Refusal::invalid_field(REGION, problem));
    }
    let both = json!({ API_KEY: new.api_key.expose(), REGION: region });
    Ok(Checked {
        secret: SecretString::from(both.to_string()),
        region: Some(region),
    })
}

/// Keeps a provider's key, in place of an older one, and has tried at once what waits
/// for that. With `validate` it is tried at the provider first, and not kept unless the
/// provider accepts it.
///
/// # Errors
/// When it is not accepted, can't be tried, or can't be sealed.
pub async fn keep(
    app: &App,
    project: &ProjectId,
    provider: &str,
    of: Checked,
    validate: bool,
) -> Result<SealedCredential, Refusal> {
    if validate {
        attempt(app, provider, &of.secret).await?;
    }
    let now = Timestamp::now();
    let older = app.store.credential(project, provider).await?;
    let inserted_at = older.map_or(now, |older| older.inserted_at);
    let sealed = SealedCredential {
        region: of.region,
        ..seal(app, project, provider, &of.secret, inserted_at, now).await?
    };
    app.store.save_credential(project, &sealed).await?;
    call_up(app, project, provider).await;
    Ok(sealed)
}

/// Has tried at once what waits for another key.
pub(super) async fn call_up(app: &App, project: &ProjectId, provider: &str) {
    // Once more later: an index tells which units wait, and may be behind.
    for pause in [Duration::ZERO, app.config.bounds.index_lag] {
        let replaced = Message::CredentialReplaced {
            project: project.clone(),
            vendor: provider.to_owned(),
        };
        if let Err(error) = app.queue.send_one(&replaced, pause).await {
            // They are tried by themselves within a quarter of an hour.
            tracing::warn!(%error, "units that wait for a credential were not called up");
        }
    }
}

/// Seals what is to be kept for a provider.
///
/// # Errors
/// When there is no key service, or it can't be reached.
pub(super) async fn seal(
    app: &App,
    project: &ProjectId,
    provider: &str,
    secret: &SecretString,
    inserted_at: Timestamp,
    now: Timestamp,
) -> Result<SealedCredential, Refusal> {
    let vault = app.vault.as_ref().ok_or_else(|| {
        Refusal::unavailable("no key service is configured, so credentials can't be sealed")
    })?;
    let sealed = vault.seal(project, provider, secret, inserted_at, now);
    sealed.await.map_err(|error| match error {
        VaultError::Unavailable(_) => Refusal::unavailable(error.to_string()),
        VaultError::Sealed => Refusal::internal("a credential can't be sealed"),
    })
}

/// Tries a key at its provider.
async fn attempt(app: &App, provider: &str, secret: &SecretString) -> Result<(), Refusal> {
    let credential = Credential {
        id: "check".to_owned(),
        secret: secret.clone(),
    };
    let client = app
        .consulted(provider)
        .ok_or_else(|| Refusal::internal("a provider of the catalogue has no client"))?;
    let outcome = tokio::time::timeout(CHECK, client.check_credential(&credential)).await;
    let unknown = || CallError::Ambiguous {
        message: format!("no answer within {CHECK:?}"),
    };
    match outcome.unwrap_or_else(|_| Err(unknown())) {
        Ok(()) => Ok(()),
        Err(CallError::Rejected {
            kind: Rejection::Unauthorized,
            ..
        }) => Err(Refusal::invalid_field(
            "api_key",
            "the provider does not accept this key",
        )),
        // No other answer says that the key is good: a limit neither, which may
        // be one of addresses or of a proxy between.
        Err(error) => Err(Refusal::provider_unreachable(
            "the provider can't be asked about the key right now; nothing was kept: \
             try again later, or keep it unchecked with validate=false",
            error.to_string(),
        )),
    }
}

/// Deletes a provider's key. Runs under way that need it fail.
///
/// # Errors
/// When there is none.
pub async fn delete(app: &App, project: &ProjectId, provider: &str) -> Result<(), Refusal> {
    if !app.store.delete_credential(project, provider).await? {
        return Err(Refusal::no_such(NOUN));
    }
    Ok(())
}
