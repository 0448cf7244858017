//! Announcing uploads.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use stt_eval_shared::App;
use stt_eval_shared::audio::AudioFormat;
use stt_eval_shared::domain::file::{
    Declared, File, FileKind, FileStatus, MANIFEST_TYPES, MAX_AUDIO_BYTES, MAX_MANIFEST_BYTES,
};
use stt_eval_shared::domain::validate::{self, Errors, FieldError};
use stt_eval_shared::domain::{FileId, ProjectId};
use stt_eval_shared::objects::{UPLOAD_TTL, audio_key};
use stt_eval_shared::wire::files::{Announced, NewFile, NewFiles, Upload};

use crate::refusal::{Refusal, finish};
use crate::services::attempt::Attempt;
use crate::services::files::reuse;
use crate::views;

/// Most files in one request.
const MAX_FILES: usize = 100;

/// What a content type stands for.
fn kind_of(content_type: &str) -> Option<FileKind> {
    if AudioFormat::from_content_type(content_type).is_some() {
        return Some(FileKind::Audio);
    }
    let essence = content_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    MANIFEST_TYPES
        .contains(&&*essence)
        .then_some(FileKind::Manifest)
}

fn allowed_types() -> String {
    let audio = AudioFormat::ALL.iter().map(|format| format.content_type());
    let types: Vec<&str> = audio.chain(MANIFEST_TYPES).collect();
    types.join(", ")
}

/// Checks a content type. It becomes a signed header, so it must be fit for
/// one.
pub fn content_type(field: &str, text: &str) -> Result<(String, FileKind), FieldError> {
    let text = text.trim();
    let printable = text.len() <= 255 && text.bytes().all(|b| b.is_ascii_graphic() || b == b' ');
    match kind_of(text).filter(|_| printable) {
        Some(kind) => Ok((text.to_owned(), kind)),
        None => Err(FieldError::new(
            field,
            format!("is not taken; allowed are {}", allowed_types()),
        )),
    }
}

/// Reads a SHA-256 in hex or base64 and gives it in hex.
pub fn checksum(field: &str, text: &str) -> Result<String, FieldError> {
    let text = text.trim();
    let bytes = hex::decode(text)
        .ok()
        .filter(|bytes| bytes.len() == 32)
        .or_else(|| STANDARD.decode(text).ok().filter(|bytes| bytes.len() == 32));
    bytes.map(hex::encode).ok_or_else(|| {
        FieldError::new(
            field,
            "must be a SHA-256: 64 hex digits, or base64 of the 32 bytes",
        )
    })
}

/// Checks what a file is said to be. `at` is put before the names of fields.
fn declared(at: &str, new: &NewFile, errors: &mut Errors) -> Option<Declared> {
    let field = |name: &str| format!("{at}{name}");
    let filename = errors.keep(validate::name(&field("filename"), &new.filename));
    let kind = errors.keep(content_type(&field("content_type"), &new.content_type));
    let most = match kind {
        Some((_, FileKind::Manifest)) => MAX_MANIFEST_BYTES,
        _ => MAX_AUDIO_BYTES,
    };
    let fits = (1..=most).contains(&new.size_bytes);
    if !fits {
        errors.push(
            field("size_bytes"),
            format!("must be from 1 to {most} ({} MB)", most / (1024 * 1024)),
        );
    }
    let checksum = match &new.checksum_sha256 {
        None => Some(None),
        Some(text) => errors
            .keep(checksum(&field("checksum_sha256"), text))
            .map(Some),
    };
    let (content_type, kind) = kind?;
    Some(Declared {
        filename: filename?,
        kind,
        content_type,
        size_bytes: fits.then_some(new.size_bytes)?,
        checksum_sha256: checksum?,
    })
}

/// What is announced.
#[derive(Debug)]
pub struct Announcement {
    files: Vec<Declared>,
    /// Whether files that are there already are taken in place of new ones.
    reuse: bool,
    /// How long manifests stay of which nothing is made; `None`: for good.
    manifests_stay: Option<Duration>,
}

impl Announcement {
    /// For a preview: a manifest of which nothing is made goes by itself after so long.
    #[must_use]
    pub fn with_manifests_for(self, stay: Duration) -> Self {
        Self {
            manifests_stay: Some(stay),
            ..self
        }
    }
}

/// Names what lacks the checksum that it would be found by.
fn findable(files: &[Declared], several: bool, errors: &mut Errors) {
    for (index, file) in files.iter().enumerate() {
        if file.checksum_sha256.is_none() {
            let at = if several {
                format!("files[{index}].")
            } else {
                String::new()
            };
            errors.push(format!("{at}checksum_sha256"), "is required with reuse");
        }
    }
}

/// Checks what the files of an announcement are said to be.
///
/// # Errors
/// When one is not valid; all that is wrong is named.
pub fn check(new: NewFiles) -> Result<Announcement, Refusal> {
    let mut errors = Errors::new();
    let NewFiles {
        filename,
        content_type,
        size_bytes,
        checksum_sha256,
        files,
        reuse,
    } = new;
    let reuse = reuse.unwrap_or(false);
    if let Some(files) = files {
        let single = [
            ("filename", filename.is_some()),
            ("content_type", content_type.is_some()),
            ("size_bytes", size_bytes.is_some()),
            ("checksum_sha256", checksum_sha256.is_some()),
        ];
        for (field, given) in single {
            if given {
                errors.push(field, "belongs into the entries of files");
            }
        }
        if !(1..=MAX_FILES).contains(&files.len()) {
            errors.push(
                "files",
                format!("must have 1 to {MAX_FILES} entries, has {}", files.len()),
            );
        }
        let mut all = Vec::with_capacity(files.len());
        for (index, file) in files.iter().take(MAX_FILES).enumerate() {
            let file = declared(&format!("files[{index}]."), &file.0, &mut errors);
            all.extend(file);
        }
        // Numbers are right where nothing was left out.
        if reuse && errors.is_empty() {
            findable(&all, true, &mut errors);
        }
        finish(errors)?;
        return Ok(Announcement {
            files: all,
            reuse,
            manifests_stay: None,
        });
    }
    let mut required = |field: &str, given: bool| {
        if !given {
            errors.push(field, "is required");
        }
    };
    required("filename", filename.is_some());
    required("content_type", content_type.is_some());
    required("size_bytes", size_bytes.is_some());
    let one = match (filename, content_type, size_bytes) {
        (Some(filename), Some(content_type), Some(size_bytes)) => {
            let file = NewFile {
                filename,
                content_type,
                size_bytes,
                checksum_sha256,
            };
            declared("", &file, &mut errors)
        }
        _ => None,
    };
    let files: Vec<Declared> = one.into_iter().collect();
    if reuse {
        findable(&files, false, &mut errors);
    }
    finish(errors)?;
    Ok(Announcement {
        files,
        reuse,
        manifests_stay: None,
    })
}

/// The record of an upload that is awaited.
#[must_use]
pub fn awaited(
    app: &App,
    project: &ProjectId,
    id: FileId,
    declared: Declared,
    attempt: &Attempt,
) -> File {
    let now = attempt.now;
    File {
        upload_expires_at: Some(now + UPLOAD_TTL),
        due_at: Some(now + app.config.bounds.missed_upload),
        ..File::announced(id, project.clone(), declared, audio_key(project, id), now)
    }
}

/// Announces files: all of them, or none.
pub async fn announce(
    app: &App,
    project: &ProjectId,
    announced: Announcement,
    attempt: &Attempt,
) -> Result<Vec<Announced>, Refusal> {
    let known = match announced.reuse {
        true => reuse::alike(app, project, &announced.files).await?,
        false => announced.files.iter().map(|_| None).collect(),
    };
    let (mut all, mut new) = (Vec::with_capacity(known.len()), Vec::new());
    for (index, (declared, known)) in announced.files.into_iter().zip(known).enumerate() {
        let file = match known {
            Some(known) => known,
            None => {
                let id = attempt.file_id(index)?;
                let is_manifest = declared.kind == FileKind::Manifest;
                let stay = announced.manifests_stay.filter(|_| is_manifest);
                let file = File {
                    kept_until: stay.map(|stay| attempt.now + stay),
                    ..awaited(app, project, id, declared, attempt)
                };
                new.push(file.clone());
                file
            }
        };
        all.push(file);
    }
    // Signed first: what can't be uploaded is not announced.
    let uploads = futures::future::try_join_all(all.iter().map(|file| upload(app, file))).await?;
    let made: Vec<FileId> = all.iter().map(|file| file.id).collect();
    app.store
        .create_files(project, &new, &made, attempt.claim())
        .await?;
    Ok(all
        .into_iter()
        .zip(uploads)
        .map(|(file, upload)| views::files::announced(file, upload))
        .collect())
}

/// How to upload a file, while it is awaited.
pub async fn upload(app: &App, file: &File) -> Result<Option<Upload>, Refusal> {
    let (FileStatus::Uploading, Some(expires_at)) = (file.status, file.upload_expires_at) else {
        return Ok(None);
    };
    let signed = app
        .objects
        .presign_put(
            &file.object_key,
            &file.content_type,
            file.size_bytes,
            file.checksum_sha256.as_deref(),
        )
        .await?;
    Ok(Some(Upload {
        method: "PUT".to_owned(),
        url: signed.url,
        headers: signed.headers.into_iter().collect(),
        expires_at,
    }))
}

/// Answers an earlier announcement again.
pub async fn announced_before(
    app: &App,
    project: &ProjectId,
    ids: &[FileId],
) -> Result<Vec<Announced>, Refusal> {
    let mut known = app.store.files(project, ids.iter().copied()).await?;
    let mut announced = Vec::with_capacity(ids.len());
    for id in ids {
        let file = known
            .remove(id)
            .ok_or_else(crate::services::attempt::deleted_since)?;
        let upload = upload(app, &file).await?;
        announced.push(views::files::announced(file, upload));
    }
    Ok(announced)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(filename: &str, content_type: &str, size_bytes: u64) -> NewFile {
        NewFile {
            filename: filename.into(),
            content_type: content_type.into(),
            size_bytes,
            checksum_sha256: None,
        }
    }

    #[test]
    fn types_are_kept_as_declared() {
        let mut errors = Errors::new();
        let file = declared("", &new("a", " audio/ogg; codecs=opus ", 1), &mut errors).unwrap();
        assert_eq!(
            (&*file.content_type, file.kind),
            ("audio/ogg; codecs=opus", FileKind::Audio)
        );
        let file = declared("", &new("a", "text/csv; charset=utf-8", 1), &mut errors).unwrap();
        assert_eq!(file.kind, FileKind::Manifest);
        errors.finish().unwrap();
    }

    #[test]
    fn every_wrong_field_is_told() {
        let mut errors = Errors::new();
        let mut bad = new("", "video/mp4", 0);
        bad.checksum_sha256 = Some("zz".into());
        assert!(declared("files[1].", &bad, &mut errors).is_none());
        let fields: Vec<_> = errors
            .finish()
            .unwrap_err()
            .into_iter()
            .map(|e| e.field)
            .collect();
        assert_eq!(
            fields,
            ["filename", "content_type", "size_bytes", "checksum_sha256"]
                .map(|name| format!("files[1].{name}"))
        );
        for (content_type, size, good) in [
            ("audio/wav", MAX_AUDIO_BYTES, true),
            ("audio/wav", MAX_AUDIO_BYTES + 1, false),
            ("text/csv", MAX_MANIFEST_BYTES, true),
            ("text/csv", MAX_MANIFEST_BYTES + 1, false),
            ("audio/wav; x=\"\n\"", 1, false),
            ("audio/wav; x=é", 1, false),
        ] {
            let mut errors = Errors::new();
            let file = declared("", &new("a", content_type, size), &mut errors);
            assert_eq!(file.is_some(), good, "{content_type} {size}");
            assert_eq!(errors.is_empty(), good);
        }
    }

    #[test]
    fn checksums_in_hex_and_base64_are_one() {
        let hex = "ab".repeat(32);
        let base64 = STANDARD.encode([0xab; 32]);
        assert_eq!(checksum("c", &hex.to_uppercase()).unwrap(), hex);
        assert_eq!(checksum("c", &base64).unwrap(), hex);
        for bad in ["", "ab", &"ab".repeat(33), "é"] {
            assert!(checksum("c", bad).is_err(), "{bad}");
        }
    }
}
