//! Small files that come inside the request.

use std::convert::Infallible;
use std::future::ready;

use bytes::Bytes;
use stt_eval_shared::App;
use stt_eval_shared::crypto::sha256_hex;
use stt_eval_shared::domain::ProjectId;
use stt_eval_shared::domain::file::{
    Declared, File, FileKind, FileStatus, MAX_INLINE_BYTES, Registration,
};
use stt_eval_shared::domain::validate::{self, Errors};
use stt_eval_shared::registration;
use stt_eval_shared::store::StoreError;

use super::uploads;
use crate::refusal::{Refusal, finish};
use crate::services::attempt::Attempt;

/// Largest multipart body: the file, and room for names and boundaries.
pub const MAX_BODY: usize = MAX_INLINE_BYTES as usize + 64 * 1024;
/// What to do with a larger one.
pub const ADVICE: &str =
    "4 MiB; announce the file with a JSON request to this route and upload it by the signed URL";

/// A file as it came in a request.
#[derive(Debug)]
pub struct Form {
    /// Its name.
    pub filename: String,
    /// What it is said to be.
    pub content_type: String,
    /// What its SHA-256 is said to be.
    pub checksum_sha256: Option<String>,
    /// Its bytes.
    pub bytes: Bytes,
}

/// A file that came in a request, checked.
#[derive(Debug)]
pub struct Inline {
    /// What it is said to be.
    pub declared: Declared,
    /// Its bytes.
    pub bytes: Bytes,
}

/// Checks a file that came in a request, but not yet whether it can be used.
///
/// # Errors
/// When it is too large, or its name, type or checksum is wrong.
pub fn check(form: Form) -> Result<Inline, Refusal> {
    let Form {
        filename,
        content_type,
        checksum_sha256,
        bytes,
    } = form;
    if bytes.len() as u64 > MAX_INLINE_BYTES {
        return Err(Refusal::too_large(format!(
            "the file is larger than {ADVICE}"
        )));
    }
    let mut errors = Errors::new();
    let filename = errors.keep(validate::name("file", &filename));
    let kind = errors.keep(uploads::content_type("file", &content_type));
    let found = sha256_hex(&bytes);
    if let Some(text) = checksum_sha256
        && let Some(given) = errors.keep(uploads::checksum("checksum_sha256", &text))
        && given != found
    {
        errors.push(
            "checksum_sha256",
            "is not the SHA-256 of the file that arrived",
        );
    }
    match (filename, kind) {
        (Some(filename), Some((content_type, kind))) if errors.is_empty() => Ok(Inline {
            declared: Declared {
                filename,
                kind,
                content_type,
                size_bytes: bytes.len() as u64,
                checksum_sha256: Some(found),
            },
            bytes,
        }),
        _ => {
            finish(errors)?;
            Err(Refusal::invalid_field("file", "is not usable"))
        }
    }
}

/// Looks into a file as registration does, over all of its bytes, which are here already.
async fn examine(kind: FileKind, bytes: &Bytes) -> Registration {
    let size = bytes.len() as u64;
    let bound = |n: u64| usize::try_from(n).unwrap_or(usize::MAX).min(bytes.len());
    let read = |start, end| ready(Ok(bytes.slice(bound(start)..bound(end))));
    registration::examine(kind, size, size, read)
        .await
        .unwrap_or_else(|never: Infallible| match never {})
}

/// Keeps a file that came in a request; it is `ready` at once. A file that
/// can't be used is refused before anything is written.
///
/// The record comes first, as with any upload, so that the bucket's event for
/// the object finds it; the first of the two registers it, and both say the same.
pub async fn keep(
    app: &App,
    project: &ProjectId,
    inline: Inline,
    attempt: &Attempt,
) -> Result<File, Refusal> {
    let Inline { declared, bytes } = inline;
    let found = examine(declared.kind, &bytes).await;
    if let Registration::Rejected(reason) = found {
        return Err(Refusal::invalid_field("file", reason));
    }
    let id = attempt.file_id(0)?;
    let file = uploads::awaited(app, project, id, declared, attempt);
    match app
        .store
        .create_files(project, std::slice::from_ref(&file), &[id], None)
        .await
    {
        Ok(()) => {}
        // An earlier attempt with this Idempotency-Key came as far as here.
        Err(StoreError::Conflict) if attempt.repeats().is_some() => {}
        Err(error) => return Err(error.into()),
    }
    app.objects
        .put(&file.object_key, &file.content_type, bytes)
        .await?;
    let version = if app.config.bucket_versioned {
        app.objects.head(&file.object_key, None).await?.version
    } else {
        None
    };
    let size = file.size_bytes;
    let checksum = file.checksum_sha256.clone();
    if let Some(ready) = file.registered(found, size, checksum, version, attempt.now) {
        match app.store.save_file(&ready).await {
            Ok(()) => {
                attempt.complete(app, vec![id.to_string()]).await?;
                return Ok(ready);
            }
            Err(StoreError::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let file = app
        .store
        .file(project, id)
        .await?
        .ok_or_else(|| Refusal::no_such("file"))?;
    if file.status == FileStatus::Uploading {
        return Err(Refusal::unavailable(
            "a file changed while it was registered",
        ));
    }
    attempt.complete(app, vec![id.to_string()]).await?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_not_audio_is_told() {
        let found = examine(FileKind::Audio, &Bytes::from_static(b"just text")).await;
        assert!(matches!(found, Registration::Rejected(_)));
        let found = examine(FileKind::Audio, &Bytes::new()).await;
        assert!(matches!(found, Registration::Rejected(_)));
        let found = examine(FileKind::Manifest, &Bytes::from_static(b"a\0")).await;
        assert!(matches!(found, Registration::Rejected(_)));
    }
}
