//! API keys of the project.

use stt_eval_shared::App;
use stt_eval_shared::access::keys::NewKey;
use stt_eval_shared::domain::{KeyId, validate};
use stt_eval_shared::wire::access::NewApiKey;

use super::attempt::Attempt;
use crate::actor::Actor;
use crate::refusal::Refusal;

/// Makes an API key; `cursor_secret` is that of the project, which each of its keys
/// carries.
///
/// # Errors
/// When the name is not valid, or the key can't be written.
pub async fn make(
    app: &App,
    actor: &Actor,
    cursor_secret: &str,
    attempt: &Attempt,
    new: NewApiKey,
) -> Result<NewKey, Refusal> {
    let name = validate::name("name", &new.name)?;
    let key = NewKey::make(
        attempt.key_id()?,
        actor.project.clone(),
        name,
        new.role,
        cursor_secret.to_owned(),
        attempt.now,
    )?;
    app.store
        .create_key(&key.record, &key.verifier, attempt.claim())
        .await?;
    Ok(key)
}

/// Revokes an API key: it works no more.
///
/// # Errors
/// When there is no such key, or it is the one that asks.
pub async fn revoke(app: &App, actor: &Actor, id: KeyId) -> Result<(), Refusal> {
    // The last admin can't lock the project out by a slip.
    if id == actor.key {
        return Err(Refusal::conflict(
            "a key can't revoke itself; use another admin key",
        ));
    }
    if !app.store.revoke_key(&actor.project, id).await? {
        return Err(Refusal::no_such("API key"));
    }
    Ok(())
}
