//! A request without audio, and its whole answer.

use std::time::Duration;

use futures::FutureExt;
use reqwest::RequestBuilder;
use reqwest::header::HeaderMap;
use secrecy::SecretString;

use super::client::{Reply, read_answer, read_body};
use super::errors::lost;
use super::repeat::repeated;
use super::retry::RetryPolicy;
use super::told::{Told, refused_call};
use crate::providers::error::{CallError, Rejection};

/// Longest time of a free request.
const FREE: Duration = Duration::from_secs(20);

/// Sends a request once and reads its answer. `refine` is the vendor's own reading of
/// a refusal, where that says more than the status.
pub async fn ask(
    request: RequestBuilder,
    key: &SecretString,
    refine: impl FnOnce(u16, &Told) -> Option<Rejection>,
) -> Result<Reply, CallError> {
    let response = request.send().await.map_err(|error| lost(key, error))?;
    let classify =
        |status, headers: &HeaderMap, body: &[u8]| refused_call(status, headers, body, refine);
    read_answer(key, response, read_body, classify).await
}

/// Sends a request that is free and may be made twice; a few times when it does not
/// come through. `make` makes it anew.
pub async fn ask_free(
    make: &(dyn Fn() -> Result<RequestBuilder, CallError> + Sync),
    key: &SecretString,
    refine: fn(u16, &Told) -> Option<Rejection>,
) -> Result<Reply, CallError> {
    let once = || async move { ask(make()?.timeout(FREE), key, refine).await }.boxed();
    repeated(&RetryPolicy::default(), once).await
}
