//! Files at Google: putting one there once, finding it again, waiting until
//! it is usable, deleting.

use async_trait::async_trait;
use std::collections::HashSet;
use std::io;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures::{StreamExt, stream};
use reqwest::Method;
use serde::Deserialize;
use time::OffsetDateTime;

use super::super::{
    AudioSource, ByteStream, CallError, Credential, KeptFile, Rejection, StagedInput,
};
use super::client::{Call, Client, VERSION};
use super::config::DEFAULT_BASE_URL;
use super::errors::{self, About};
use super::names::{self, file_name};
use super::upload::Transfer;
use super::wire;
use crate::providers::http::scrubbed;

/// Largest file of the Files API (`maxSize` of its discovery document).
pub const MAX_FILE_BYTES: u64 = 2_147_483_648;

/// Life of a file when its answer does not say; Google keeps 48 hours.
const ASSUMED_LIFETIME: Duration = Duration::from_secs(47 * 3600);

/// Longest pause while waiting for a file.
const LONGEST_POLL: Duration = Duration::from_secs(10);

/// Entries of a page of a listing.
const PAGE_SIZE: &str = "100";

/// Names that are tried for one input: the wanted one and two derived ones,
/// for when it is taken by something that can neither be used nor replaced.
const NAMES: u32 = 3;

/// What is under a name that is taken.
enum Occupant {
    /// The same input, usable.
    Same(StagedInput),
    /// Something else, or broken: to be replaced.
    Wrong,
    /// The same input, but soon gone; others may be using it.
    Old,
    /// Nothing that this key can see.
    Invisible,
}

/// An input, and what it is to be called.
pub(super) struct Input<'a> {
    /// The id that is wanted, with or without `files/`.
    pub name: &'a str,
    /// What lists show it as; its name without.
    pub display_name: Option<&'a str>,
    /// Its type.
    pub mime_type: &'a str,
    /// Its bytes.
    pub source: &'a dyn AudioSource,
}

/// Puts an input at Google under a name, or finds it there.
pub(super) async fn stage(
    client: &Client,
    credential: &Credential,
    input: &Input<'_>,
) -> Result<StagedInput, CallError> {
    let Input {
        name,
        display_name,
        mime_type,
        source,
    } = *input;
    let wanted = names::chosen_file(name)?;
    if source.is_empty() || source.len() > MAX_FILE_BYTES {
        return Err(errors::refused_here("a file must have 1 byte to 2 GiB"));
    }
    for name in candidates(&wanted) {
        // Twice: once more after a wrong one was deleted.
        for _ in 0..2 {
            let upload = Transfer {
                client,
                credential,
                name: &name,
                display_name: display_name.unwrap_or(&name),
                mime_type,
                source,
            };
            match upload.run().await {
                Ok(file) => {
                    let file = file.map(|file| *file).unwrap_or_default();
                    return finish(client, credential, &name, mime_type, file, source).await;
                }
                Err(CallError::Rejected {
                    kind: Rejection::Exists,
                    ..
                }) => {}
                Err(error) => return Err(error),
            }
            match inspect(client, credential, &name, mime_type, source).await? {
                Occupant::Same(staged) => return Ok(staged),
                Occupant::Wrong => delete(client, credential, &name).await?,
                Occupant::Old | Occupant::Invisible => break,
            }
        }
        tracing::warn!(file = %name, "the name is taken and not usable, trying another");
    }
    Err(CallError::Rejected {
        status: 409,
        kind: Rejection::Exists,
        message: "every name for this input is taken and not usable".to_owned(),
    })
}

/// The names that are tried for a wanted one, which begins with `files/`.
pub(super) fn candidates(wanted: &str) -> impl Iterator<Item = String> {
    (0..NAMES).map(move |number| match number {
        0 => wanted.to_owned(),
        n => format!("files/{}", file_name(&[wanted, &n.to_string()])),
    })
}

/// Looks at what is under a name that is taken.
async fn inspect(
    client: &Client,
    credential: &Credential,
    name: &str,
    mime_type: &str,
    source: &dyn AudioSource,
) -> Result<Occupant, CallError> {
    let file = match lookup(client, credential, name).await {
        Ok(file) => file,
        Err(CallError::Rejected {
            kind: Rejection::NotFound,
            ..
        }) => return Ok(Occupant::Invisible),
        Err(error) => return Err(error),
    };
    if !is_same(&file, source) || file.state.as_deref() == Some("FAILED") {
        return Ok(Occupant::Wrong);
    }
    let enough = OffsetDateTime::now_utc() + client.config.adopt_min_lifetime;
    if file.expiration_time.is_some_and(|at| at < enough) {
        return Ok(Occupant::Old);
    }
    match finish(client, credential, name, mime_type, file, source).await {
        Ok(staged) => Ok(Occupant::Same(staged)),
        // It failed while we waited.
        Err(CallError::Rejected {
            kind: Rejection::Invalid,
            ..
        }) => Ok(Occupant::Wrong),
        Err(error) => Err(error),
    }
}

/// Whether a file holds the bytes of the source, as far as can be told. A
/// size that is not told is not the same: replacing costs an upload, adopting
/// wrongly a wrong result.
fn is_same(file: &wire::File, source: &dyn AudioSource) -> bool {
    file.size_bytes == Some(source.len()) && digest_fits(file, source)
}

/// Google's documents say base64 of the digest; the one recorded answer has
/// base64 of its hexadecimal form (`PROTOCOL.md` §1.3).
fn is_digest(theirs: &str, ours: &[u8; 32]) -> bool {
    let hexadecimal = hex::encode(ours);
    let decoded = STANDARD.decode(theirs).unwrap_or_default();
    theirs.eq_ignore_ascii_case(&hexadecimal)
        || decoded == ours
        || decoded.eq_ignore_ascii_case(hexadecimal.as_bytes())
}

/// Waits until a file can be used.
async fn finish(
    client: &Client,
    credential: &Credential,
    name: &str,
    mime_type: &str,
    mut file: wire::File,
    source: &dyn AudioSource,
) -> Result<StagedInput, CallError> {
    // The server may not have taken the name we chose.
    let name = match &file.name {
        Some(given) => names::checked("files", given)?.to_owned(),
        None => name.to_owned(),
    };
    let config = &client.config;
    let started = tokio::time::Instant::now();
    // An answer that was not readable is looked up at once.
    let mut pause = file
        .state
        .as_ref()
        .map_or(Duration::ZERO, |_| config.file_poll);
    loop {
        match file.state.as_deref() {
            Some("ACTIVE") => break,
            Some("FAILED") => {
                let error = file.error.unwrap_or_default();
                let message = error
                    .message
                    .unwrap_or_else(|| "no reason given".to_owned());
                let failed = CallError::Rejected {
                    status: 200,
                    kind: Rejection::Invalid,
                    message: format!("the provider could not take in the file: {message}"),
                };
                return Err(scrubbed(failed, &credential.secret));
            }
            // PROCESSING, or a state of the future.
            _ if started.elapsed() >= config.file_wait => {
                return Err(CallError::Ambiguous {
                    message: format!("{name} was not usable within {:?}", config.file_wait),
                });
            }
            _ => tokio::time::sleep(pause).await,
        }
        pause = pause
            .saturating_mul(2)
            .clamp(config.file_poll, config.file_poll.max(LONGEST_POLL));
        file = lookup(client, credential, &name).await?;
    }
    if file.size_bytes.is_some_and(|size| size != source.len()) || !digest_fits(&file, source) {
        // Never refer to bytes that are not ours.
        delete(client, credential, &name).await?;
        return Err(errors::unreadable("the file there is not the one sent"));
    }
    let expires_at = file
        .expiration_time
        .unwrap_or_else(|| OffsetDateTime::now_utc() + ASSUMED_LIFETIME);
    Ok(StagedInput {
        uri: file
            .uri
            .unwrap_or_else(|| format!("{DEFAULT_BASE_URL}/{VERSION}/{name}")),
        mime_type: mime_type.to_owned(),
        name,
        expires_at,
    })
}

fn digest_fits(file: &wire::File, source: &dyn AudioSource) -> bool {
    match (&file.sha256_hash, source.sha256()) {
        (Some(theirs), Some(ours)) => is_digest(theirs, &ours),
        _ => true,
    }
}

/// One file by name.
async fn lookup(
    client: &Client,
    credential: &Credential,
    name: &str,
) -> Result<wire::File, CallError> {
    let call = names::on_file(Method::GET, name)?;
    client.call(credential, &call).await?.json()
}

/// Deletes a file; one that is gone is deleted. That it is gone is believed when
/// asking for it says the same: what stays is people's speech.
pub(super) async fn delete(
    client: &Client,
    credential: &Credential,
    name: &str,
) -> Result<(), CallError> {
    let call = names::on_file(Method::DELETE, name)?;
    for _ in 0..2 {
        match client.call(credential, &call).await {
            Ok(_) => return Ok(()),
            Err(error) if is_gone(&error) => {}
            Err(error) => return Err(error),
        }
        match lookup(client, credential, name).await {
            Err(error) if is_gone(&error) => return Ok(()),
            Err(error) => return Err(error),
            Ok(_) => {}
        }
    }
    Err(errors::unreadable("a file is there and is not"))
}

fn is_gone(error: &CallError) -> bool {
    matches!(
        error,
        CallError::Rejected {
            kind: Rejection::NotFound,
            ..
        }
    )
}

/// Files that were sent and whose display name begins like this. All pages are
/// read; entries that can't be read are passed over, for nothing is concluded
/// from a file that is not seen.
pub(super) async fn list(
    client: &Client,
    credential: &Credential,
    prefix: &str,
) -> Result<Vec<KeptFile>, CallError> {
    let mut found = Vec::new();
    let mut tokens = HashSet::new();
    let mut token: Option<String> = None;
    for _ in 0..client.config.max_list_pages {
        let mut call = Call::new(Method::GET, format!("/{VERSION}/files"), About::Other)
            .query("pageSize", PAGE_SIZE);
        if let Some(token) = &token {
            call = call.query("pageToken", token);
        }
        let page: wire::FilePage = client.call(credential, &call).await?.json()?;
        for file in page.files.unwrap_or_default() {
            let file = wire::File::deserialize(file).unwrap_or_default();
            let (Some(name), Some(display_name)) = (file.name, file.display_name) else {
                continue;
            };
            if display_name.starts_with(prefix) && names::checked("files", &name).is_ok() {
                found.push(KeptFile { name, display_name });
            }
        }
        match page.next_page_token.filter(|token| !token.is_empty()) {
            None => return Ok(found),
            Some(next) if tokens.insert(next.clone()) => token = Some(next),
            Some(_) => return Err(errors::unreadable("the list of files goes in circles")),
        }
    }
    Err(errors::unreadable("the list of files has too many pages"))
}

/// One small question that only a good key can ask.
pub(super) async fn check_key(client: &Client, credential: &Credential) -> Result<(), CallError> {
    let call =
        Call::new(Method::GET, format!("/{VERSION}/files"), About::Other).query("pageSize", "1");
    // The page of some proxy says nothing of a key.
    let page: serde_json::Map<String, serde_json::Value> =
        client.call(credential, &call).await?.json()?;
    let is_list = page.is_empty() || page.contains_key("files");
    is_list
        .then_some(())
        .ok_or_else(|| errors::unreadable("the answer is not a list of files"))
}

/// Bytes in memory as a source, for documents we make ourselves.
pub(super) struct Memory {
    pub bytes: bytes::Bytes,
}

#[async_trait]
impl AudioSource for Memory {
    fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn sha256(&self) -> Option<[u8; 32]> {
        let digest = ring::digest::digest(&ring::digest::SHA256, &self.bytes);
        digest.as_ref().try_into().ok()
    }

    async fn open(&self, start: u64, end: u64) -> io::Result<ByteStream> {
        let range = usize::try_from(start).ok().zip(usize::try_from(end).ok());
        let part = range
            .filter(|(start, end)| start <= end && *end <= self.bytes.len())
            .map(|(start, end)| self.bytes.slice(start..end))
            .ok_or_else(|| io::Error::other("range outside of the document"));
        part.map(|part| stream::once(async move { Ok(part) }).boxed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_in_every_form_seen() {
        let ours = [7_u8; 32];
        let hexadecimal = hex::encode(ours);
        for form in [
            STANDARD.encode(ours),
            STANDARD.encode(&hexadecimal),
            STANDARD.encode(hexadecimal.to_uppercase()),
            hexadecimal.clone(),
        ] {
            assert!(is_digest(&form, &ours), "{form}");
            assert!(!is_digest(&form, &[8; 32]), "{form}");
        }
        assert!(!is_digest("", &ours) && !is_digest("?", &ours));
    }

    #[test]
    fn the_same_file_has_size_and_digest() {
        let source = Memory {
            bytes: "abc".into(),
        };
        let file = |size, hash: Option<&str>| wire::File {
            size_bytes: size,
            sha256_hash: hash.map(str::to_owned),
            ..wire::File::default()
        };
        let digest = hex::encode(source.sha256().unwrap());
        assert!(is_same(&file(Some(3), None), &source));
        assert!(is_same(&file(Some(3), Some(&digest)), &source));
        assert!(!is_same(&file(Some(3), Some("00")), &source));
        assert!(!is_same(&file(Some(4), Some(&digest)), &source));
        assert!(!is_same(&file(None, None), &source));
    }

    #[tokio::test]
    async fn memory_gives_the_range_asked_for() {
        let source = Memory {
            bytes: "abcdef".into(),
        };
        let mut part = source.open(2, 5).await.unwrap();
        assert_eq!(part.next().await.unwrap().unwrap(), "cde");
        assert!(part.next().await.is_none());
        assert!(source.open(5, 7).await.is_err() && source.open(3, 2).await.is_err());
    }
}
