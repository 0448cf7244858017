//! Tables that came with a form: kept until something is made of them, and for a day at most.

use std::time::Duration;

use bytes::Bytes;
use stt_eval_formats::files::{self as in_files, InMemory};
use stt_eval_formats::paths::has_audio_extension;
use stt_eval_shared::App;
use stt_eval_shared::crypto::sha256_hex;
use stt_eval_shared::domain::file::{Declared, File, FileKind, MANIFEST_TYPES, MAX_MANIFEST_BYTES};
use stt_eval_shared::domain::validate::{self, Errors};
use stt_eval_shared::domain::{FileId, ProjectId, Timestamp};

use super::manifest::readable;
use super::table::{Table, of_problem, settled};
use crate::refusal::{Refusal, finish};
use crate::services::attempt::Attempt;
use crate::services::deletion;
use crate::services::files::inline::{self, Inline};

/// How long a table of which nothing is made stays as a file.
pub const KEPT: Duration = Duration::from_secs(24 * 3_600);

/// Keeps a table as a manifest of the project, in UTF-8 whatever it came in, so that it
/// need not be sent again to be saved. It goes by itself where nothing is made of it.
///
/// # Errors
/// When it is no text, or none that a table could be.
pub async fn keep(
    app: &App,
    project: &ProjectId,
    table: Table,
    attempt: &Attempt,
) -> Result<File, Refusal> {
    let refused = |message: String| Refusal::invalid_field("table", message);
    if has_audio_extension(&table.name) {
        return Err(refused("is a recording, not a table".to_owned()));
    }
    // Those of today are archives, older ones are of OLE.
    if table.bytes.starts_with(b"PK\x03\x04") || table.bytes.starts_with(b"\xd0\xcf\x11\xe0") {
        return Err(refused(
            "is a workbook or an archive: save its sheet as CSV (UTF-8), and choose that"
                .to_owned(),
        ));
    }
    let mut errors = Errors::new();
    let filename = errors.keep(validate::name("table", &table.name));
    finish(errors)?;
    let filename = filename.ok_or_else(|| refused("must have a name".to_owned()))?;
    let files = InMemory::new([(filename.clone(), table.bytes.to_vec())]);
    let decoded =
        in_files::text(&files, &filename).map_err(|problem| refused(of_problem(&problem)))?;
    let text = decoded.text;
    if text.trim().is_empty() {
        return Err(refused("is empty".to_owned()));
    }
    if text.len() as u64 > MAX_MANIFEST_BYTES {
        let most = MAX_MANIFEST_BYTES / (1024 * 1024);
        return Err(refused(format!("is larger than {most} MB")));
    }
    let [csv, tsv, json_lines] = MANIFEST_TYPES;
    let content_type = if text.trim_start().starts_with(['{', '[']) {
        json_lines
    } else if filename.ends_with(".tsv") {
        tsv
    } else {
        csv
    };
    let bytes = Bytes::from(text.into_string());
    let declared = Declared {
        filename,
        kind: FileKind::Manifest,
        content_type: content_type.to_owned(),
        size_bytes: bytes.len() as u64,
        checksum_sha256: Some(sha256_hex(&bytes)),
    };
    let file = inline::keep(app, project, Inline { declared, bytes }, attempt).await?;
    let file = file.postponed(Timestamp::now() + KEPT);
    app.store.save_file(&file).await?;
    Ok(file)
}

/// Whether a file is a table that came with a form. Other manifests stay until somebody
/// deletes them, whatever a form says.
fn is_of_form(file: &File) -> bool {
    file.kind == FileKind::Manifest && file.due_at.is_some()
}

/// Reads a table that came with a form before.
///
/// # Errors
/// When there is none of this id, or it can't be read (yet).
pub async fn read(app: &App, project: &ProjectId, id: FileId) -> Result<Table, Refusal> {
    let found = settled(app, project, &[id]).await?.remove(&id);
    let mut errors = Errors::new();
    let file = readable("table", found, &mut errors);
    finish(errors)?;
    let (file, _) = file
        .filter(|(file, _)| is_of_form(file))
        .ok_or_else(|| Refusal::invalid_field("table", "did not come with a form; choose it"))?;
    let version = file.object_version.as_deref();
    let bytes = app
        .objects
        .range(&file.object_key, version, 0, file.size_bytes)
        .await?;
    Ok(Table {
        name: file.filename,
        bytes,
    })
}

/// Waits for a table that was sent straight to where it is kept to be known, some seconds at
/// most: it is taken up when the storage tells of it.
///
/// # Errors
/// When the store fails.
pub async fn arrived(app: &App, project: &ProjectId, id: FileId) -> Result<(), Refusal> {
    settled(app, project, &[id]).await.map(|_| ())
}

/// Deletes a table that came with a form, once it has done its work. Should that not be
/// possible it goes by itself later.
pub async fn forget(app: &App, project: &ProjectId, id: FileId) {
    let gone = async {
        match app.store.file(project, id).await? {
            Some(file) if is_of_form(&file) => deletion::file(app, project, id).await,
            _ => Ok(()),
        }
    };
    if let Err(error) = gone.await {
        tracing::warn!(file_id = %id, error = ?error.cause, "a table that was kept stays as a file");
    }
}
