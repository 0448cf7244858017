//! `/keys`: API keys of the project.

use axum::extract::State;
use http::StatusCode;
use stt_eval_shared::App;
use stt_eval_shared::domain::KeyId;
use stt_eval_shared::wire;
use stt_eval_shared::wire::access::{CreatedKey, NewApiKey};
use stt_eval_shared::wire::envelope::{Deleted, Envelope, ListEnvelope};

use crate::http::auth::{AsAdmin, Caller};
use crate::http::envelope::{ok, one};
use crate::http::error::Answer;
use crate::http::id::PathId;
use crate::http::idempotency::{Idempotency, IdempotencyHeader, Making, first};
use crate::http::json::JsonBody;
use crate::http::paging::Pager;
use crate::http::query::{NoQuery, Paging, Params};
use crate::refusal::Refusal;
use crate::routes::gather::{Gather, handlers};
use crate::services::attempt::Attempt;
use crate::services::keys;
use crate::views;

/// The routes of API keys.
pub fn routes<R: Gather>() -> R {
    R::default()
        .with(handlers!(index, create))
        .with(handlers!(delete))
}

/// Lists API keys, newest first.
#[utoipa::path(get, path = "/keys", tag = "keys", operation_id = "list_keys", params(Paging),
    responses((status = 200, description = "A page of API keys", body = ListEnvelope<wire::access::ApiKey>)))]
async fn index(
    State(app): State<App>,
    AsAdmin(caller): AsAdmin,
    Params(paging): Params<Paging>,
) -> Answer {
    let pager = Pager::new(&caller, "keys", &[], paging)?;
    let project = &caller.actor.project;
    let found = app.store.list_keys(project, pager.from(), pager.limit);
    pager.answer(found.await?, views::access::key)
}

/// Makes an API key. It is shown this once.
#[utoipa::path(post, path = "/keys", tag = "keys", operation_id = "create_key",
    params(IdempotencyHeader), request_body = NewApiKey,
    responses((status = 201, description = "The key", body = Envelope<CreatedKey>)))]
async fn create(
    State(app): State<App>,
    AsAdmin(caller): AsAdmin,
    Params(NoQuery): Params<NoQuery>,
    idempotency: Idempotency,
    JsonBody { value, bytes }: JsonBody<NewApiKey>,
) -> Answer {
    let (status, key) = made(&app, &caller, &idempotency, &bytes, value).await?;
    one(status, key)
}

/// Makes a key, once however often the same request comes: the first alone is told its text.
pub(crate) async fn made(
    app: &App,
    caller: &Caller,
    idempotency: &Idempotency,
    bytes: &[u8],
    new: NewApiKey,
) -> Result<(StatusCode, CreatedKey), Refusal> {
    let actor = &caller.actor;
    let making = Making::new(app, &actor.project, bytes, StatusCode::CREATED);
    let secret = &caller.cursor_secret;
    let make = async |attempt: Attempt| {
        let key = keys::make(app, actor, secret, &attempt, new).await?;
        Ok(views::access::created_key(
            key.record,
            Some(key.text.into()),
        ))
    };
    let show = async |ids: Vec<KeyId>| {
        let record = app.store.key(&actor.project, first(&ids)?).await?;
        Ok(record.map(|record| views::access::created_key(record, None)))
    };
    idempotency.made_once(making, make, show).await
}

/// Revokes an API key: it works no more.
#[utoipa::path(delete, path = "/keys/{id}", tag = "keys", operation_id = "delete_key",
    params(("id" = KeyId, Path, description = "Id of the key")),
    responses((status = 200, description = "It is gone", body = Envelope<Deleted<KeyId>>)))]
async fn delete(
    State(app): State<App>,
    AsAdmin(caller): AsAdmin,
    Params(NoQuery): Params<NoQuery>,
    id: PathId<KeyId>,
) -> Answer {
    let id = id.get()?;
    keys::revoke(&app, &caller.actor, id).await?;
    ok(Deleted { id, deleted: true })
}
