//! Output, as a stream.

use std::io;
use std::time::Duration;

use futures::{StreamExt, stream};
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;

use super::super::{ByteStream, CallError, Credential, Rejection};
use super::client::{Call, Client, Opened, VERSION};
use super::errors::{self, About};
use super::names;
use crate::providers::http::of_reqwest;

/// Redirects that are followed for one output at most.
const HOPS: usize = 2;

/// Streams a generated file. Both paths are documented: the second is the one
/// that Google's clients ask for, and Google answers it by sending them to the
/// first, for files that do not exist as well. So an answer that sends us to the
/// other path of the same server is followed, with the key, which belongs there;
/// and the second is tried as well when the first refuses.
pub(super) async fn open(
    client: &Client,
    credential: &Credential,
    name: &str,
) -> Result<ByteStream, CallError> {
    let name = names::checked("files", name)?;
    let mut first_error = None;
    for prefix in ["/download", ""] {
        let path = format!("{prefix}/{VERSION}/{name}:download");
        match followed(client, credential, path).await {
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

/// Asks for a path, and for where it is said to be.
async fn followed(
    client: &Client,
    credential: &Credential,
    mut path: String,
) -> Result<reqwest::Response, CallError> {
    for _ in 0..=HOPS {
        let call = Call::new(Method::GET, path, About::File).query("alt", "media");
        match open_repeated(client, credential, &call).await? {
            Opened::Here(response) => return Ok(response),
            Opened::Elsewhere(target) => path = target,
        }
    }
    Err(errors::unreadable(
        "the output is always said to be elsewhere",
    ))
}

async fn open_repeated(
    client: &Client,
    credential: &Credential,
    call: &Call,
) -> Result<Opened, CallError> {
    let mut attempt = 1;
    loop {
        let error = match client.open(credential, call).await {
            // Some proxy's page: what was paid for must not be given up for it.
            Ok(Opened::Here(response)) if is_page(&response) => {
                errors::unreadable("a page of HTML in place of the output")
            }
            Ok(opened) => return Ok(opened),
            Err(error) => error,
        };
        let Some(pause) = client.config.retry.after(attempt, &error) else {
            return Err(error);
        };
        tokio::time::sleep(pause).await;
        attempt += 1;
    }
}

fn is_page(response: &reqwest::Response) -> bool {
    let kind = response.headers().get(CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
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
                let (_, message) = of_reqwest(e);
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
