//! Batches at Google: create once, get, cancel, delete. Listing them is in
//! `listing`.
//!
//! Shapes: `PROTOCOL.md` §2.1, §2.3, §2.4.

use reqwest::Method;
use serde_json::json;

use super::super::{BatchState, BatchStatus, CallError, Credential, Rejection};
use super::client::{Call, Client, VERSION};
use super::errors::{self, About};
use super::fields::OPERATION;
use super::{names, wire};
use crate::providers::http::scrub;

/// Longest text taken over of a state this version does not know.
const MAX_STATE: usize = 64;

/// `google.rpc.Code` of something that was cancelled.
const CANCELLED: i64 = 1;

/// Creates a batch: one request on a connection of its own, never repeated.
/// There is no token by which Google would know a second one.
pub(super) async fn create(
    client: &Client,
    credential: &Credential,
    model: &str,
    input: &str,
    display_name: &str,
) -> Result<String, CallError> {
    let model = names::model_id(model)?;
    let input = names::checked("files", input)?;
    let path = format!("/{VERSION}/models/{model}:batchGenerateContent");
    let call = Call::new(Method::POST, path, About::Other).body(json!({"batch": {
        "displayName": display_name,
        "inputConfig": {"fileName": input},
    }}));
    let timeout = client.config.create_timeout;
    let reply = client.call_once(credential, &call, timeout).await;
    let operation: wire::Operation = reply.map_err(not_created)?.json()?;
    name_of(&operation).ok_or_else(|| errors::unreadable("no name of a batch in the answer"))
}

/// What a refused creation is about. Google answers 403 for a file that is gone,
/// as if the key were the matter; 404 otherwise is about the model.
fn not_created(error: CallError) -> CallError {
    match error {
        CallError::Rejected {
            status: status @ (403 | 404),
            kind: Rejection::Unauthorized | Rejection::NotFound,
            message,
        } if message.contains("the File ") || message.contains("files/") => CallError::Rejected {
            status,
            kind: Rejection::InputGone,
            message,
        },
        other => other,
    }
}

/// One batch.
pub(super) async fn get(
    client: &Client,
    credential: &Credential,
    batch: &str,
) -> Result<BatchStatus, CallError> {
    let call = names::on_batch(Method::GET, batch, "")?.sifted(&OPERATION);
    let operation: wire::Operation = client.call(credential, &call).await?.json()?;
    // An empty object says nothing, and must not look like a batch.
    if operation == wire::Operation::default() {
        return Err(errors::unreadable("no batch in the answer"));
    }
    Ok(status_of(batch.to_owned(), operation, credential))
}

/// Asks to stop a batch; one that is over or gone is stopped.
pub(super) async fn cancel(
    client: &Client,
    credential: &Credential,
    batch: &str,
) -> Result<(), CallError> {
    let call = names::on_batch(Method::POST, batch, ":cancel")?.body(json!({}));
    match client.call(credential, &call).await {
        Ok(_) => Ok(()),
        Err(CallError::Rejected {
            kind: Rejection::NotFound | Rejection::Exists,
            ..
        }) => Ok(()),
        Err(CallError::Rejected {
            status: 400,
            kind: Rejection::Invalid,
            message,
        }) if message.starts_with("FAILED_PRECONDITION") => Ok(()),
        Err(error) => Err(error),
    }
}

/// Forgets a batch, without stopping it; one that is gone is forgotten.
pub(super) async fn delete(
    client: &Client,
    credential: &Credential,
    batch: &str,
) -> Result<(), CallError> {
    let call = names::on_batch(Method::DELETE, batch, "")?;
    match client.call(credential, &call).await {
        Ok(_)
        | Err(CallError::Rejected {
            kind: Rejection::NotFound,
            ..
        }) => Ok(()),
        Err(error) => Err(error),
    }
}

/// The name of a batch, of either place it is in, if it can be used.
pub(super) fn name_of(operation: &wire::Operation) -> Option<String> {
    let inner = operation.metadata.as_ref().and_then(|m| m.name.as_ref());
    let mut both = operation.name.iter().chain(inner);
    both.find(|name| names::checked("batches", name).is_ok())
        .cloned()
}

/// Whether it carries a name of its maker's.
pub(super) fn has_display_name(operation: &wire::Operation) -> bool {
    let metadata = operation.metadata.as_ref();
    metadata.is_some_and(|m| m.display_name.is_some())
}

/// What an operation says, in our words.
pub(super) fn status_of(
    name: String,
    operation: wire::Operation,
    credential: &Credential,
) -> BatchStatus {
    let state = state_of(&operation);
    let metadata = operation.metadata.unwrap_or_default();
    let outputs = [operation.response, metadata.output];
    let output = outputs
        .into_iter()
        .flatten()
        .filter_map(|output| output.responses_file)
        .find(|file| names::checked("files", file).is_ok());
    let input = metadata
        .input_config
        .and_then(|input| input.file_name)
        .filter(|file| names::checked("files", file).is_ok());
    let error = operation.error.map(|error| {
        let code = error.code.map_or("?".to_owned(), |code| code.to_string());
        let message = error.message.unwrap_or_default();
        let key = secrecy::ExposeSecret::expose_secret(&credential.secret);
        scrub(&format!("{code}: {message}"), key)
    });
    BatchStatus {
        name,
        display_name: metadata.display_name.unwrap_or_default(),
        state,
        output,
        input,
        created_at: metadata.create_time,
        error,
    }
}

/// The state: that of the batch, and where that is missing what the operation
/// tells. `JOB_STATE_` is what Google's clients make of `BATCH_STATE_`.
fn state_of(operation: &wire::Operation) -> BatchState {
    let told = operation.metadata.as_ref().and_then(|m| m.state.as_deref());
    let told = told.unwrap_or("BATCH_STATE_UNSPECIFIED");
    let short = told
        .strip_prefix("BATCH_STATE_")
        .or_else(|| told.strip_prefix("JOB_STATE_"))
        .unwrap_or(told);
    match short {
        // PAUSED and UPDATING are told of jobs on Google's other platform (Vertex).
        "PENDING" | "QUEUED" | "PAUSED" => BatchState::Pending,
        "RUNNING" | "CANCELLING" | "UPDATING" => BatchState::Running,
        "SUCCEEDED" | "PARTIALLY_SUCCEEDED" => BatchState::Succeeded,
        "FAILED" => BatchState::Failed,
        "CANCELLED" => BatchState::Cancelled,
        "EXPIRED" => BatchState::Expired,
        "UNSPECIFIED" if operation.done == Some(true) => match &operation.error {
            Some(error) if error.code == Some(CANCELLED) => BatchState::Cancelled,
            Some(_) => BatchState::Failed,
            None if operation.response.is_some() => BatchState::Succeeded,
            None => BatchState::Unknown("UNSPECIFIED".to_owned()),
        },
        other => {
            let known = |c: &char| c.is_ascii_alphanumeric() || *c == '_';
            BatchState::Unknown(other.chars().filter(known).take(MAX_STATE).collect())
        }
    }
}

#[cfg(test)]
#[path = "batch_tests.rs"]
mod tests;
