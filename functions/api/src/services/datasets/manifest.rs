//! Samples out of a manifest that was uploaded as a file.

use std::collections::BTreeSet;

use stt_eval_formats::same_split;
use stt_eval_shared::App;
use stt_eval_shared::domain::FileId;
use stt_eval_shared::domain::file::{File, FileKind, FileStatus, MAX_MANIFEST_BYTES};
use stt_eval_shared::domain::manifest::{FileRef, Format, Row, parse};
use stt_eval_shared::domain::validate::{self, Errors};

use super::draft::{Draft, language_tag, reference, size};
use super::splits::{Splits, of_row, several};
use crate::actor::Actor;
use crate::refusal::Refusal;
use crate::services::named::last_part;
use crate::services::spreadsheet::{Use, of_contract};

/// A manifest and its format, when it can be read.
pub fn readable(field: &str, file: Option<File>, errors: &mut Errors) -> Option<(File, Format)> {
    let Some(file) = file else {
        errors.push(field, "there is no such file");
        return None;
    };
    let essence = file
        .content_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    let format = Format::from_content_type(&essence);
    let message = match (file.kind, file.status) {
        (FileKind::Audio, _) => {
            "is a recording; a manifest is of type text/csv, text/tab-separated-values or application/jsonl"
        }
        (_, FileStatus::Ready) if file.size_bytes > MAX_MANIFEST_BYTES => "is too large",
        (_, FileStatus::Ready) if format.is_some() => {
            return format.map(|format| (file, format));
        }
        (_, FileStatus::Ready | FileStatus::Deleting) => "is not a manifest",
        (_, FileStatus::Uploading) => "is uploading; wait until it is ready",
        (_, FileStatus::Rejected) => &file.why_rejected(),
        (_, FileStatus::Expired) => "never arrived; upload it again",
    };
    errors.push(field, message);
    None
}

/// Reads a manifest into samples: those of a split, or all, of which is told what splits
/// they are of. Errors name the line.
pub async fn drafts(
    app: &App,
    actor: &Actor,
    (field, id): (&str, FileId),
    (language, split): (&str, Option<&str>),
    (splits, errors): (&mut Splits, &mut Errors),
) -> Result<Vec<Draft>, Refusal> {
    let file = app.store.file(&actor.project, id).await?;
    let Some((file, format)) = readable(field, file, errors) else {
        return Ok(Vec::new());
    };
    let version = file.object_version.as_deref();
    let bytes = app
        .objects
        .range(&file.object_key, version, 0, file.size_bytes)
        .await?;
    let (bytes, format) = of_contract(bytes, format, Use::Samples);
    let mut rows = match parse(&bytes, format) {
        Ok(rows) => rows,
        Err(found) => {
            for error in found {
                errors.push(error.field, error.message);
            }
            return Ok(Vec::new());
        }
    };
    match split {
        None => *splits = several(rows.iter().map(|row| &row.metadata)),
        Some(split) => {
            rows.retain(|row| of_row(&row.metadata).is_some_and(|own| same_split(own, split)));
            if rows.is_empty() {
                errors.push(
                    field.replace("manifest_file_id", "split"),
                    "no row is of it",
                );
            }
        }
    }
    let names = rows.iter().flat_map(|row| match &row.file {
        FileRef::Name(name) => vec![normal(name), normal(last_part(name))],
        FileRef::Id(_) => Vec::new(),
    });
    let names = {
        let mut all = BTreeSet::<String>::new();
        all.extend(names);
        all
    };
    let known = app
        .store
        .files_named(&actor.project, names.iter().map(String::as_str))
        .await?;
    Ok(rows
        .into_iter()
        .filter_map(|row| {
            let file = match &row.file {
                FileRef::Id(id) => Some(*id),
                FileRef::Name(name) => {
                    let ids = known
                        .get(&normal(name))
                        .filter(|ids| !ids.is_empty())
                        .or_else(|| known.get(&normal(last_part(name))))
                        .map(Vec::as_slice)
                        .unwrap_or_default();
                    named(&row, ids, errors)
                }
            };
            draft(row, file, language, errors)
        })
        .collect())
}

/// A name as it is kept with the file.
fn normal(name: &str) -> String {
    validate::name("filename", name).unwrap_or_else(|_| name.to_owned())
}

fn named(row: &Row, ids: &[FileId], errors: &mut Errors) -> Option<FileId> {
    match ids {
        [one] => return Some(*one),
        [] => errors.push(
            format!("line {}: filename", row.line),
            "no ready file has this name",
        ),
        several => errors.push(
            format!("line {}: filename", row.line),
            format!(
                "{} files have this name; use the column file_id",
                several.len()
            ),
        ),
    }
    None
}

fn draft(row: Row, file: Option<FileId>, default: &str, errors: &mut Errors) -> Option<Draft> {
    let place = format!("line {}", row.line);
    let field = |name: &str| format!("{place}: {name}");
    let ground_truth = match row.ground_truth {
        None => Some(None),
        Some(text) => errors
            .keep(reference(&field("ground_truth"), &text))
            .map(Some),
    };
    let language = match row.language {
        None => Some(default.to_owned()),
        Some(tag) => errors.keep(language_tag(&field("language"), &tag)),
    };
    for (name, value) in &row.metadata {
        errors.keep(validate::name(&field("metadata"), name));
        if value.contains('\0') {
            errors.push(field(name), "must not contain U+0000");
        }
    }
    let (ground_truth, language) = (ground_truth?, language?);
    errors.keep(size(&place, ground_truth.as_deref(), &row.metadata))?;
    let file_field = field("file_id");
    Some(Draft {
        place,
        file_field,
        file: file?,
        ground_truth,
        language,
        metadata: row.metadata,
    })
}
