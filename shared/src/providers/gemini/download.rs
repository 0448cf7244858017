//! Output, as a stream.

use std::io;
use std::time::Duration;

use futures::{StreamExt, stream};
use reqwest::Method;

use super::super::{ByteStream, CallError, Credential, Rejection};
use super::client::{Call, Client, VERSION};
use super::config::random;
use super::errors::{self, About};
use super::names;

/// Streams a generated file. Both paths are documented (Google's clients use
/// the first, its REST pages the second), so the second is tried when the
/// first is not there.
pub(super) async fn open(
    client: &Client,
    credential: &Credential,
    name: &str,
) -> Result<ByteStream, CallError> {
    let name = names::checked("files", name)?;
    let mut first_error = None;
    for prefix in ["", "/download"] {
        let path = format!("{prefix}/{VERSION}/{name}:download");
        let call = Call::new(Method::GET, path, About::File).query("alt", "media");
        match open_repeated(client, credential, &call).await {
            Ok(response) => return Ok(body(response, client.config.read_timeout)),
            Err(
                error @ CallError::Rejected {
                    kind: Rejection::NotFound | Rejection::Invalid,
                    ..
                },
            ) => first_error = first_error.or(Some(error)),
            Err(error) => return Err(error),
        }
    }
    Err(first_error.unwrap_or_else(|| errors::unreadable("no way to download")))
}

async fn open_repeated(
    client: &Client,
    credential: &Credential,
    call: &Call,
) -> Result<reqwest::Response, CallError> {
    let mut attempt = 1;
    loop {
        let error = match client.open(credential, call).await {
            Ok(response) => return Ok(response),
            Err(error) => error,
        };
        let pause = errors::is_transient(&error)
            .and_then(|advice| client.config.retry.pause(attempt, advice, random()));
        let Some(pause) = pause else {
            return Err(error);
        };
        tokio::time::sleep(pause).await;
        attempt += 1;
    }
}

/// The body, ended by an error when nothing comes for too long. A body that
/// is cut short is an error too (the HTTP client counts).
fn body(response: reqwest::Response, idle: Duration) -> ByteStream {
    let bytes = response.bytes_stream().boxed();
    stream::unfold(Some(bytes), move |bytes| async move {
        let mut bytes = bytes?;
        match tokio::time::timeout(idle, bytes.next()).await {
            Ok(Some(Ok(piece))) => Some((Ok(piece), Some(bytes))),
            Ok(Some(Err(e))) => {
                let (_, message) = errors::of_reqwest(e);
                Some((Err(io::Error::other(message)), None))
            }
            Ok(None) => None,
            Err(_) => {
                let why = format!("the download stood still for {idle:?}");
                Some((Err(io::Error::new(io::ErrorKind::TimedOut, why)), None))
            }
        }
    })
    .boxed()
}
