//! Forgetting a batch at its provider: its output, its request document, and
//! last of all the batch itself. While one of the first is left the batch stays
//! as well, for whoever finds it in the list knows by it what is left.
//!
//! Nothing is forgotten before what came of it is durable: afterwards the
//! provider answers "not found" to its name, and nobody must have to ask.

use stt_eval_shared::App;
use stt_eval_shared::domain::Timestamp;
use stt_eval_shared::domain::unit::Unit;
use stt_eval_shared::providers::{BatchProvider, BatchState, BatchStatus, CallError, Credential};

use super::{Failure, access, client, credential, units};

/// What became of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Discarded {
    /// Nothing of it is left.
    Gone,
    /// The provider did not know it any more.
    Unknown,
    /// It is not over, or its output has not come yet: later.
    Open,
}

/// Forgets a batch that is over, with what it is known to have.
pub(crate) async fn over(
    client: &dyn BatchProvider,
    credential: &Credential,
    batch: &str,
    files: Vec<String>,
) -> Result<(), CallError> {
    for name in &files {
        client.delete_file(credential, name).await?;
    }
    client.delete_batch(credential, batch).await
}

/// What the provider says of a batch, if it knows it.
async fn ask(
    client: &dyn BatchProvider,
    credential: &Credential,
    batch: &str,
) -> Result<Option<BatchStatus>, CallError> {
    match client.get(credential, batch).await {
        Ok(status) => Ok(Some(status)),
        Err(error) if units::is_unknown(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Forgets a batch in whatever state it is; one that runs is told to stop. The
/// request document stays if another batch is made of it.
pub(crate) async fn batch(
    app: &App,
    client: &dyn BatchProvider,
    credential: &Credential,
    name: &str,
    shared_input: Option<&str>,
) -> Result<Discarded, CallError> {
    let Some(mut status) = ask(client, credential, name).await? else {
        return Ok(Discarded::Unknown);
    };
    if !status.state.is_over() {
        client.cancel(credential, name).await?;
        match ask(client, credential, name).await? {
            Some(now) => status = now,
            None => return Ok(Discarded::Gone),
        }
    }
    // An output that nobody knows the name of could not be deleted. After so
    // long the provider has deleted it by itself.
    let old = status.created_at.is_some_and(|at| {
        Timestamp::now().since(Timestamp::from(at)) >= app.config.policy.deadline * 2
    });
    let incomplete = status.state == BatchState::Succeeded && status.output.is_none() && !old;
    if !status.state.is_over() || incomplete {
        return Ok(Discarded::Open);
    }
    let mut files: Vec<String> = status.output.into_iter().collect();
    files.extend(status.input.filter(|input| Some(&**input) != shared_input));
    over(client, credential, name, files).await?;
    Ok(Discarded::Gone)
}

/// Forgets all batches of a unit that it needs no more, but for `except`; gives
/// the unit without those that are gone. What fails is told, and stays in the
/// unit for the audit of the credential, and for whoever deletes the run; so do
/// those that another key does not find.
pub(crate) async fn batches_of(
    app: &App,
    unit: &Unit,
    except: Option<&str>,
) -> Result<Unit, Failure> {
    let mut gone = Vec::new();
    let left = unit
        .batches
        .iter()
        .filter(|batch| Some(&***batch) != except);
    let left: Vec<&String> = left.collect();
    if left.is_empty() {
        return Ok(unit.clone());
    }
    let id = unit.credential.as_deref().unwrap_or_default();
    let Some(access) = access(app, &unit.project, &unit.provider, id).await? else {
        return Ok(unit.clone());
    };
    let client = client(app, &unit.provider)?;
    for name in left {
        match batch(app, client, &access.credential, name, None).await {
            Ok(Discarded::Unknown) if access.replaced => {}
            Ok(Discarded::Gone | Discarded::Unknown) => gone.push(name.clone()),
            Ok(Discarded::Open) => {}
            Err(error) => {
                tracing::warn!(run_id = %unit.run, unit_id = %unit.key, %error, "a batch stays at the provider");
            }
        }
    }
    Ok(unit.without(&gone))
}

/// Whether nothing of a unit that is done is left at the provider, or nobody can
/// reach it.
pub(crate) async fn all_of(app: &App, unit: &Unit) -> Result<bool, Failure> {
    if unit.batches.is_empty() {
        return Ok(true);
    }
    let id = unit.credential.as_deref().unwrap_or_default();
    let Some(credential) = credential(app, &unit.project, &unit.provider, id).await? else {
        return Ok(true);
    };
    let client = client(app, &unit.provider)?;
    let mut all = true;
    for name in &unit.batches {
        match batch(app, client, &credential, name, None).await {
            Ok(Discarded::Gone | Discarded::Unknown) => {}
            Ok(Discarded::Open) => all = false,
            Err(error) if units::is_unauthorized(&error) => {}
            Err(error) => {
                tracing::warn!(run_id = %unit.run, unit_id = %unit.key, %error, "a batch stays at the provider and will be deleted later");
                all = false;
            }
        }
    }
    Ok(all)
}
