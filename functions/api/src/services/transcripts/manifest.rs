//! Transcripts out of a table that was uploaded.

use stt_eval_shared::App;
use stt_eval_shared::domain::imported::{Row, parse};
use stt_eval_shared::domain::validate::Errors;
use stt_eval_shared::domain::{FileId, ProjectId};

use super::doubt::in_doubt;
use crate::refusal::Refusal;
use crate::services::datasets::manifest::readable;
use crate::services::spreadsheet::{Use, of_contract};

/// Most bytes of the tables of one request together: what the function has memory for.
const MAX_BYTES: u64 = 40 * 1024 * 1024;

/// Reads a table; `read` is how many bytes of tables this request has read. What is
/// wrong is told of fields that begin with `at`. `model` is what their model is called.
pub async fn rows(
    app: &App,
    project: &ProjectId,
    (at, model): (&str, &str),
    id: FileId,
    read: &mut u64,
    errors: &mut Errors,
) -> Result<Vec<Row>, Refusal> {
    let field = format!("{at}manifest_file_id");
    let file = app.store.file(project, id).await?;
    let Some((file, format)) = readable(&field, file, errors) else {
        return Ok(Vec::new());
    };
    *read += file.size_bytes;
    if *read > MAX_BYTES {
        let message = format!(
            "the manifests of a request may have {MAX_BYTES} bytes together; add this one with \
             POST /runs/{{id}}/transcripts"
        );
        errors.push(field, message);
        return Ok(Vec::new());
    }
    let version = file.object_version.as_deref();
    let bytes = app
        .objects
        .range(&file.object_key, version, 0, file.size_bytes)
        .await?;
    if let Some(doubt) = in_doubt(&bytes, format, model) {
        errors.push(field, doubt);
        return Ok(Vec::new());
    }
    let (bytes, format) = of_contract(bytes, format, Use::Transcripts { model });
    match parse(&bytes, format) {
        Ok(rows) => Ok(rows),
        Err(found) => {
            for error in found {
                let field = if error.field == "manifest_file_id" {
                    field.clone()
                } else {
                    format!("{field}: {}", error.field)
                };
                errors.push(field, error.message);
            }
            Ok(Vec::new())
        }
    }
}
