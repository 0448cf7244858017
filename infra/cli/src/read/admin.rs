//! `keys` and `credentials`.

use std::collections::BTreeMap;

use serde::Serialize;
use stt_eval_domain::KeyId;
use stt_eval_wire::access::{ApiKey, CreatedKey, Credential, NewApiKey, NewCredential};
use stt_eval_wire::catalogue::Model;
use stt_eval_wire::envelope::Deleted;
use stt_eval_wire::paths;

use super::Document;
use super::lists::{name, table};
use crate::arguments::{CredentialsCommand, KeysCommand};
use crate::deployment::{Deployment, Request};
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::terminal::secret;

#[derive(Serialize)]
struct Keys {
    keys: Vec<ApiKey>,
}

#[derive(Serialize)]
struct Made {
    key: CreatedKey,
}

#[derive(Serialize)]
struct Gone<T: Serialize> {
    deleted: T,
}

/// `keys`.
pub async fn keys(
    to: &Deployment,
    command: &KeysCommand,
    output: &Output,
) -> Result<Exit, Failure> {
    match command {
        KeysCommand::List => {
            let keys = to.list(&Request::get(paths::keys()), 1_000).await?;
            let document = Document::of(Keys { keys });
            output.result(&document, || {
                let rows = document.content.keys.iter().map(|key: &ApiKey| {
                    [
                        key.id.to_string(),
                        name(key.role),
                        format!("…{}", key.last_four),
                        key.inserted_at.to_string(),
                        key.name.clone(),
                    ]
                });
                table(["key", "role", "ends with", "made", "name"], rows)
            })?;
        }
        KeysCommand::New { name, role } => {
            let new = NewApiKey {
                name: name.clone(),
                role: (*role).into(),
            };
            // Not sent again: an answer that is repeated shows no key.
            let key: CreatedKey = to.ask(&Request::post(paths::keys(), &new)?).await?;
            output.note("the key is shown this once:");
            let document = Document::of(Made { key });
            output.result(&document, || {
                let key = document.content.key.key.as_ref();
                format!("{}\n", key.map_or("", |key| key.expose()))
            })?;
        }
        KeysCommand::Revoke { id } => {
            let id: KeyId = id
                .parse()
                .map_err(|_| Failure::usage(format!("{id} is not the id of a key")))?;
            let gone: Deleted<KeyId> = to.ask(&Request::delete(paths::key(id))).await?;
            let document = Document::of(Gone { deleted: gone.id });
            output.result(&document, || format!("{id} is revoked\n"))?;
        }
    }
    Ok(Exit::Done)
}

#[derive(Serialize)]
struct Provider {
    provider: String,
    has_credentials: bool,
    models: usize,
}

#[derive(Serialize)]
struct Providers {
    providers: Vec<Provider>,
}

#[derive(Serialize)]
struct Kept {
    credential: Credential,
}

/// `credentials`.
pub async fn credentials(
    to: &Deployment,
    command: &CredentialsCommand,
    output: &Output,
) -> Result<Exit, Failure> {
    match command {
        CredentialsCommand::List => {
            let models: Vec<Model> = to.ask_list(paths::providers()).await?;
            let mut by_provider: BTreeMap<String, Provider> = BTreeMap::new();
            for model in models {
                let one = by_provider.entry(model.provider.clone());
                let one = one.or_insert_with(|| Provider {
                    provider: model.provider.clone(),
                    has_credentials: model.has_credentials,
                    models: 0,
                });
                one.models += 1;
            }
            let providers = by_provider.into_values().collect();
            let document = Document::of(Providers { providers });
            output.result(&document, || {
                let rows = document.content.providers.iter().map(|one| {
                    let key = if one.has_credentials { "yes" } else { "no" };
                    [one.provider.clone(), key.to_owned(), one.models.to_string()]
                });
                table(["provider", "key", "models"], rows)
            })?;
        }
        CredentialsCommand::Set {
            provider,
            key_file,
            region,
            no_validate,
        } => {
            let api_key = secret(key_file.as_deref(), "the key of the provider", output)?;
            let region = region.clone();
            let new = NewCredential { api_key, region };
            let request = Request::put(paths::credential(provider), &new)?;
            let request = request.with_some("validate", no_validate.then_some("false"));
            let credential = to.ask(&request).await?;
            let document = Document::of(Kept { credential });
            output.result(&document, || {
                let kept: &Credential = &document.content.credential;
                let place = kept.region.as_ref();
                let place = place.map_or_else(String::new, |region| format!(", in {region}"));
                format!("kept for {}: …{}{place}\n", kept.provider, kept.last_four)
            })?;
        }
        CredentialsCommand::Remove { provider } => {
            let gone: Deleted<String> = to
                .ask(&Request::delete(paths::credential(provider)))
                .await?;
            let document = Document::of(Gone { deleted: gone.id });
            output.result(&document, || {
                format!("the key of {provider} is forgotten\n")
            })?;
        }
    }
    Ok(Exit::Done)
}
