//! Forgetting a batch at its provider: its output, its request document, and
//! last of all the batch itself. While one of the first is left the batch stays
//! as well: found in the list, it tells what is left.
//!
//! Nothing is forgotten before what came of it is durable: afterwards the
//! provider answers "not found" to its name, and no step may need it. What was
//! paid for and has not landed is left alone (see [`Fate`]).

use stt_eval_shared::App;
use stt_eval_shared::domain::Timestamp;
use stt_eval_shared::domain::unit::{Fate, Unit};
use stt_eval_shared::providers::{BatchState, BatchStatus, CallError, Credential, Jobs};

use super::failure::Failure;
use stt_eval_shared::work::account::{access, client, credential};

/// What became of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Discarded {
    /// Nothing of it is left.
    Gone,
    /// The provider did not know it, this time.
    Unknown,
    /// It is not over, or its output has not come yet: later.
    Open,
    /// It has this output, which is wanted and has not landed. It was left alone.
    Unlanded(String),
}

/// The files of a batch.
#[derive(Debug, Clone, Default)]
pub(crate) struct Files {
    /// What the provider made.
    pub(crate) output: Option<String>,
    /// What it was made of.
    pub(crate) input: Option<String>,
}

/// Forgets a batch that is over, with its files. An output that the provider
/// refuses to delete (Gemini names them longer than it deletes any) goes by
/// itself, and holds up nothing.
pub(crate) async fn over(
    client: &dyn Jobs,
    credential: &Credential,
    batch: &str,
    files: Files,
) -> Result<(), CallError> {
    if let Some(output) = &files.output {
        match client.discard_output(credential, output).await {
            Err(error) if error.is_invalid() => {
                tracing::debug!(batch, %error, "an output stays until the provider forgets it by itself");
            }
            deleted => deleted?,
        }
    }
    if let Some(input) = &files.input {
        client.discard_prepared(credential, input).await?;
    }
    client.discard(credential, batch).await
}

/// What the provider says of a batch, if it knows it.
async fn ask(
    client: &dyn Jobs,
    credential: &Credential,
    batch: &str,
) -> Result<Option<BatchStatus>, CallError> {
    match client.get(credential, batch).await {
        Ok(status) => Ok(Some(status)),
        Err(error) if error.is_unknown() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Forgets a batch, if its fate allows that; one that is to stop is told so. The
/// request document stays if another batch is made of it.
///
/// This is the only place that deletes what was not just landed. Whatever a batch
/// has brought that is still wanted stays.
pub(crate) async fn batch(
    app: &App,
    client: &dyn Jobs,
    credential: &Credential,
    name: &str,
    fate: Fate,
    shared_input: Option<&str>,
) -> Result<Discarded, CallError> {
    let Some(mut status) = ask(client, credential, name).await? else {
        return Ok(Discarded::Unknown);
    };
    if !status.state.is_over() {
        if !fate.is_to_stop() {
            return Ok(Discarded::Open);
        }
        client.cancel(credential, name).await?;
        match ask(client, credential, name).await? {
            Some(now) => status = now,
            None => return Ok(Discarded::Unknown),
        }
    }
    if !status.state.is_over() {
        return Ok(Discarded::Open);
    }
    match &status.output {
        Some(output) if !fate.may_be_deleted() => {
            return Ok(Discarded::Unlanded(output.clone()));
        }
        // An output whose name is not known could not be deleted. After so
        // long the provider has deleted it by itself.
        None if status.state == BatchState::Succeeded => {
            let old = status.created_at.is_some_and(|at| {
                Timestamp::now().since(Timestamp::from(at)) >= app.config.policy.deadline * 2
            });
            if !(old && fate.may_be_deleted()) {
                return Ok(Discarded::Open);
            }
        }
        _ => {}
    }
    let files = Files {
        output: status.output,
        input: status.input.filter(|input| Some(&**input) != shared_input),
    };
    over(client, credential, name, files).await?;
    Ok(Discarded::Gone)
}

/// Forgets all batches of a unit that it needs no more, but for `except`; gives
/// the unit without those that are gone. A failure is logged; the batch stays in the
/// unit for the audit of the credential, and for the deletion of its run; so do
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
    let Some(access) = access(app, &unit.project, &unit.vendor, id).await? else {
        return Ok(unit.clone());
    };
    let client = client(app, &unit.vendor)?;
    for name in left {
        let fate = unit.fate(name);
        match batch(app, client, &access.credential, name, fate, None).await {
            // One answer that it is not there is no proof.
            Ok(Discarded::Unknown) if access.replaced || !fate.may_be_deleted() => {}
            Ok(Discarded::Gone | Discarded::Unknown) => gone.push(name.clone()),
            Ok(Discarded::Open) => {}
            Ok(Discarded::Unlanded(_)) => {
                tracing::error!(run_id = %unit.run, unit_id = %unit.key, batch = %name, "a batch that was given up has results; the audit collects them");
            }
            Err(error) => {
                tracing::warn!(run_id = %unit.run, unit_id = %unit.key, %error, "a batch stays at the provider");
            }
        }
    }
    Ok(unit.without(&gone))
}

/// Whether nothing of a unit of a deleted run is left at the provider, or what is
/// left is out of reach.
pub(crate) async fn all_of(app: &App, unit: &Unit) -> Result<bool, Failure> {
    // The document of a batch that was never found outlives its unit, for one that
    // turns up reads it. That one is not wanted any more.
    let input = unit.batch_input.as_deref();
    let input = input.filter(|_| unit.misses_its_batch(unit.attempt));
    if unit.batches.is_empty() && input.is_none() {
        return Ok(true);
    }
    let id = unit.credential.as_deref().unwrap_or_default();
    let Some(credential) = credential(app, &unit.project, &unit.vendor, id).await? else {
        return Ok(true);
    };
    let client = client(app, &unit.vendor)?;
    let mut all = true;
    for name in &unit.batches {
        match batch(app, client, &credential, name, Fate::Unwanted, None).await {
            Ok(Discarded::Gone | Discarded::Unknown) => {}
            Ok(Discarded::Open | Discarded::Unlanded(_)) => all = false,
            Err(error) if error.is_unauthorized() => {}
            Err(error) => {
                tracing::warn!(run_id = %unit.run, unit_id = %unit.key, %error, "a batch stays at the provider and will be deleted later");
                all = false;
            }
        }
    }
    if let Some(input) = input
        && let Err(error) = client.discard_prepared(&credential, input).await
        && !error.is_unauthorized()
    {
        tracing::warn!(run_id = %unit.run, unit_id = %unit.key, %error, "a request document stays at the provider and will be deleted later");
        all = false;
    }
    Ok(all)
}
