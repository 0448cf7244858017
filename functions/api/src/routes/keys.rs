//! `/keys`: API keys of the project.

use axum::extract::State;
use http::StatusCode;
use secrecy::ExposeSecret;
use stt_eval_shared::App;
use stt_eval_shared::access::keys::NewKey;
use stt_eval_shared::domain::{KeyId, validate};

use super::{split, start};
use crate::auth::{AsAdmin, Tenant};
use crate::dto::access::{CreatedKey, KeyView, NewApiKey};
use crate::envelope::{Deleted, Envelope, ListEnvelope, list, ok, one};
use crate::error::{Answer, ApiError};
use crate::handlers;
use crate::id::PathId;
use crate::idempotency::{Attempt, Begun, Idempotency, IdempotencyHeader, deleted_since, made_ids};
use crate::json::JsonBody;
use crate::query::{NoQuery, Paging, Params};
use crate::routes::gather::Gather;

/// The routes of API keys.
pub fn routes<R: Gather>() -> R {
    R::default()
        .with(handlers!(index, create))
        .with(handlers!(delete))
}

/// Lists API keys, newest first.
#[utoipa::path(get, path = "/keys", tag = "keys", operation_id = "list_keys", params(Paging),
    responses((status = 200, description = "A page of API keys", body = ListEnvelope<KeyView>)))]
async fn index(
    State(app): State<App>,
    AsAdmin(tenant): AsAdmin,
    Params(paging): Params<Paging>,
) -> Answer {
    let cursors = tenant.cursors("keys", &[]);
    let after = start(&cursors, &paging)?;
    let found = app
        .store
        .list_keys(&tenant.project, after.as_deref(), paging.limit)
        .await?;
    let (keys, meta) = split(&cursors, &paging, found);
    list(keys.into_iter().map(KeyView::from).collect(), meta)
}

/// Makes an API key. It is shown this once.
#[utoipa::path(post, path = "/keys", tag = "keys", operation_id = "create_key",
    params(IdempotencyHeader), request_body = NewApiKey,
    responses((status = 201, description = "The key", body = Envelope<CreatedKey>)))]
async fn create(
    State(app): State<App>,
    AsAdmin(tenant): AsAdmin,
    Params(NoQuery): Params<NoQuery>,
    idempotency: Idempotency,
    JsonBody { value, bytes }: JsonBody<NewApiKey>,
) -> Answer {
    let attempt = match idempotency.begin(&app, &tenant.project, &bytes).await? {
        Begun::Go(attempt) => attempt,
        Begun::Again { status, made } => {
            let ids: Vec<KeyId> = made_ids(&made)?;
            let id = ids.first().ok_or_else(deleted_since)?;
            let record = app
                .store
                .key(&tenant.project, *id)
                .await?
                .ok_or_else(deleted_since)?;
            return one(
                status,
                CreatedKey {
                    record: record.into(),
                    key: None,
                },
            );
        }
    };
    let made = make(&app, &tenant, &attempt, value).await;
    let key = attempt.settle(&app, made).await?;
    let text = key.text.expose_secret().to_owned();
    one(
        StatusCode::CREATED,
        CreatedKey {
            record: key.record.into(),
            key: Some(text),
        },
    )
}

async fn make(
    app: &App,
    tenant: &Tenant,
    attempt: &Attempt,
    new: NewApiKey,
) -> Result<NewKey, ApiError> {
    let name = validate::name("name", &new.name).map_err(|e| vec![e])?;
    let key = NewKey::make(
        attempt.key_id()?,
        tenant.project.clone(),
        name,
        new.role,
        tenant.cursor_secret.clone(),
        attempt.now,
    )?;
    app.store
        .create_key(&key.record, &key.verifier, attempt.claim())
        .await?;
    Ok(key)
}

/// Revokes an API key: it works no more.
#[utoipa::path(delete, path = "/keys/{id}", tag = "keys", operation_id = "delete_key",
    params(("id" = KeyId, Path, description = "Id of the key")),
    responses((status = 200, description = "It is gone", body = Envelope<Deleted<KeyId>>)))]
async fn delete(
    State(app): State<App>,
    AsAdmin(tenant): AsAdmin,
    Params(NoQuery): Params<NoQuery>,
    id: PathId<KeyId>,
) -> Answer {
    let id = id.get()?;
    // The last admin can't lock the project out by a slip.
    if id == tenant.key {
        return Err(ApiError::conflict(
            "a key can't revoke itself; use another admin key",
        ));
    }
    if !app.store.revoke_key(&tenant.project, id).await? {
        return Err(ApiError::no_such("API key"));
    }
    ok(Deleted { id, deleted: true })
}
