//! Checking a key by a request that is free.

use reqwest::Url;
use reqwest::header::{HeaderName, HeaderValue};
use secrecy::SecretString;

use super::ask::ask_free;
use super::client::Http;
use super::told::Told;
use crate::providers::error::{CallError, Rejection};

/// Whether a key is accepted by a request that is free and needs it; repeated a few times
/// when it does not come through. A key whose account is empty is accepted: it is known.
pub async fn check_key(
    http: &Http,
    url: &Url,
    authorization: &[(HeaderName, HeaderValue)],
    key: &SecretString,
    refine: fn(u16, &Told) -> Option<Rejection>,
) -> Result<(), CallError> {
    let make = || {
        let request = http.pooled()?.get(url.clone());
        let headers = authorization.iter().cloned();
        Ok(headers.fold(request, |request, (name, value)| {
            request.header(name, value)
        }))
    };
    match ask_free(&make, key, refine).await {
        Err(CallError::Rejected {
            kind: Rejection::OutOfCredit,
            ..
        }) => Ok(()),
        other => other.map(drop),
    }
}
