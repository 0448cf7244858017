//! Small files that come inside the request.

use axum::body::Body;
use axum::extract::{FromRequest, Multipart, Request};
use bytes::Bytes;
use http::StatusCode;
use http::request::Parts;
use stt_eval_shared::App;
use stt_eval_shared::access::sha256_hex;
use stt_eval_shared::audio::{self, AudioFormat, Probe, SparseBytes};
use stt_eval_shared::domain::ProjectId;
use stt_eval_shared::domain::file::{
    AudioFacts, File, FileKind, FileStatus, MAX_INLINE_BYTES, Registration,
};
use stt_eval_shared::domain::validate::{self, Errors};
use stt_eval_shared::store::StoreError;

use super::uploads::{self, Declared};
use crate::error::{ApiError, finish};
use crate::idempotency::Attempt;

/// Largest multipart body: the file, and room for names and boundaries.
pub const MAX_BODY: usize = MAX_INLINE_BYTES as usize + 64 * 1024;
/// What to do with a larger one.
pub const ADVICE: &str =
    "4 MiB; announce the file with a JSON request to this route and upload it by the signed URL";

/// A file that came in a request.
#[derive(Debug)]
pub struct Inline {
    /// What it is said to be.
    pub declared: Declared,
    /// Its bytes.
    pub bytes: Bytes,
}

fn unreadable(error: &axum::extract::multipart::MultipartError) -> ApiError {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return ApiError::too_large(format!("the body is larger than {ADVICE}"));
    }
    ApiError::malformed("the body is not readable as multipart/form-data")
}

/// Takes a multipart body apart.
pub async fn read(mut parts: Parts, body: Bytes) -> Result<Inline, ApiError> {
    parts.headers.remove(http::header::CONTENT_LENGTH);
    let request = Request::from_parts(parts, Body::from(body));
    let mut form = Multipart::from_request(request, &())
        .await
        .map_err(|_| ApiError::malformed("the multipart body has no boundary"))?;
    let mut file = None;
    let mut checksum = None;
    while let Some(part) = form.next_field().await.map_err(|e| unreadable(&e))? {
        let name = part.name().unwrap_or_default().to_owned();
        match &*name {
            "file" if file.is_none() => {
                let filename = part.file_name().map(str::to_owned);
                let content_type = part.content_type().map(str::to_owned);
                let bytes = part.bytes().await.map_err(|e| unreadable(&e))?;
                file = Some((filename, content_type, bytes));
            }
            "checksum_sha256" if checksum.is_none() => {
                // Not `text`, which knows every character set, at 100 KB.
                let text = part.bytes().await.map_err(|e| unreadable(&e))?;
                checksum = Some(String::from_utf8_lossy(&text).into_owned());
            }
            "file" | "checksum_sha256" => {
                return Err(ApiError::malformed_field(name, "part is there twice"));
            }
            _ => {
                let name: String = name.chars().take(60).collect();
                return Err(ApiError::malformed_field(
                    name,
                    "unknown part; allowed are file and checksum_sha256",
                ));
            }
        }
    }
    let Some((filename, content_type, bytes)) = file else {
        return Err(ApiError::invalid_field("file", "part is required"));
    };
    if bytes.len() as u64 > MAX_INLINE_BYTES {
        return Err(ApiError::too_large(format!(
            "the file is larger than {ADVICE}"
        )));
    }
    let mut errors = Errors::new();
    let filename = errors.keep(validate::name("file", &filename.unwrap_or_default()));
    let kind = errors.keep(uploads::content_type(
        "file",
        &content_type.unwrap_or_default(),
    ));
    let found = sha256_hex(&bytes);
    if let Some(text) = checksum
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
            Err(ApiError::invalid_field("file", "is not usable"))
        }
    }
}

/// Looks into a file as registration does, over bytes that are here already.
fn examine(kind: FileKind, content_type: &str, bytes: &Bytes) -> Registration {
    let rejected = |reason: &str| Registration::Rejected(reason.to_owned());
    if kind == FileKind::Manifest {
        return match bytes.first() {
            None => rejected("the file is empty"),
            Some(_) if bytes.contains(&0) => rejected("the file is not a table of text"),
            Some(_) => Registration::Accepted { audio: None },
        };
    }
    let mut known = SparseBytes::new(bytes.len() as u64);
    let info = loop {
        match audio::probe(&known) {
            Probe::Audio(info) => break info,
            Probe::Rejected(reason) => return Registration::Rejected(reason.to_string()),
            Probe::Need(range) => {
                let bound = |n: u64| usize::try_from(n).unwrap_or(usize::MAX).min(bytes.len());
                known.insert(
                    range.start,
                    bytes.slice(bound(range.start)..bound(range.end)),
                );
            }
        }
    };
    if let Some(format) = AudioFormat::from_content_type(content_type)
        && let Err(mismatch) = audio::check_declared(format, &info)
    {
        return Registration::Rejected(mismatch.to_string());
    }
    Registration::Accepted {
        audio: Some(AudioFacts {
            format: info.format.to_string(),
            duration_seconds: info.duration_seconds,
            sample_rate_hz: info.sample_rate_hz,
            channels: info.channels,
        }),
    }
}

/// Keeps a file that came in a request; it is `ready` at once. A file that
/// can't be used is refused before anything is written.
///
/// The record comes first, as with any upload, so that the bucket's event for
/// the object finds it; whoever registers first wins, and both say the same.
pub async fn keep(
    app: &App,
    project: &ProjectId,
    inline: Inline,
    attempt: &Attempt,
) -> Result<File, ApiError> {
    let Inline { declared, bytes } = inline;
    let found = examine(declared.kind, &declared.content_type, &bytes);
    if let Registration::Rejected(reason) = found {
        return Err(ApiError::invalid_field("file", reason));
    }
    let id = attempt.file_id(0)?;
    let file = uploads::awaited(app, project, id, declared, attempt);
    match app
        .store
        .create_files(project, std::slice::from_ref(&file), None, 201)
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
                attempt.complete(app, 201, vec![id.to_string()]).await?;
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
        .ok_or_else(|| ApiError::no_such("file"))?;
    if file.status == FileStatus::Uploading {
        return Err(ApiError::unavailable(
            "a file changed while it was registered",
        ));
    }
    attempt.complete(app, 201, vec![id.to_string()]).await?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(body: &str) -> (Parts, Bytes) {
        let request = http::Request::builder()
            .header("content-type", "multipart/form-data; boundary=b")
            .body(())
            .unwrap();
        (
            request.into_parts().0,
            Bytes::from(body.replace('\n', "\r\n")),
        )
    }

    async fn refused(body: &str) -> (u16, String) {
        let (parts, bytes) = form(body);
        let error = read(parts, bytes).await.unwrap_err();
        (
            error.status.as_u16(),
            error
                .fields
                .first()
                .map(|f| f.field.clone())
                .unwrap_or_default(),
        )
    }

    const FILE: &str = "--b\nContent-Disposition: form-data; name=\"file\"; filename=\"அ.csv\"\nContent-Type: text/csv\n\na,b\n\n";

    #[tokio::test]
    async fn the_file_and_its_checksum_are_read() {
        let sum = sha256_hex(b"a,b\r\n");
        let part =
            format!("--b\nContent-Disposition: form-data; name=\"checksum_sha256\"\n\n{sum}\n");
        let (parts, bytes) = form(&format!("{FILE}{part}--b--\n"));
        let inline = read(parts, bytes).await.unwrap();
        assert_eq!(inline.declared.filename, "அ.csv");
        assert_eq!(inline.declared.checksum_sha256.as_deref(), Some(&*sum));
        assert_eq!(&*inline.bytes, b"a,b\r\n");
    }

    #[tokio::test]
    async fn odd_forms_are_refused() {
        assert_eq!(refused("").await.0, 400);
        assert_eq!(refused("--b--\n").await, (422, "file".into()));
        assert_eq!(
            refused(&format!("{FILE}{FILE}--b--\n")).await,
            (400, "file".into())
        );
        let other = "--b\nContent-Disposition: form-data; name=\"x\"\n\n1\n--b--\n";
        assert_eq!(refused(other).await, (400, "x".into()));
        let sum = format!(
            "{FILE}--b\nContent-Disposition: form-data; name=\"checksum_sha256\"\n\n{}\n--b--\n",
            "00".repeat(32)
        );
        assert_eq!(refused(&sum).await, (422, "checksum_sha256".into()));
        let unnamed = FILE.replace("filename=\"அ.csv\"", "filename=\"\"");
        assert_eq!(
            refused(&format!("{unnamed}--b--\n")).await,
            (422, "file".into())
        );
    }

    #[test]
    fn what_is_not_audio_is_told() {
        let found = examine(
            FileKind::Audio,
            "audio/mpeg",
            &Bytes::from_static(b"just text"),
        );
        assert!(matches!(found, Registration::Rejected(_)));
        let found = examine(FileKind::Audio, "audio/wav", &Bytes::new());
        assert!(matches!(found, Registration::Rejected(_)));
        let found = examine(FileKind::Manifest, "text/csv", &Bytes::from_static(b"a\0"));
        assert!(matches!(found, Registration::Rejected(_)));
    }
}
