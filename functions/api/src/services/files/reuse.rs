//! Files whose content is there already.

use std::collections::BTreeMap;

use stt_eval_shared::App;
use stt_eval_shared::domain::file::{Declared, File, FileKind, FileStatus};
use stt_eval_shared::domain::{FileId, ProjectId};
use stt_eval_shared::store::Page;

use crate::refusal::Refusal;

/// Ready files by the SHA-256 of their content, hex; oldest first.
///
/// # Errors
/// When the tables can't be read.
pub async fn of_content(
    app: &App,
    project: &ProjectId,
    checksums: &[&str],
) -> Result<BTreeMap<String, Vec<File>>, Refusal> {
    let checksums = checksums.iter().copied();
    let ids = app.store.files_of_content(project, checksums).await?;
    let all: Vec<FileId> = ids.values().flatten().copied().collect();
    let mut files = app.store.files(project, all).await?;
    // An entry may lead to what is gone.
    let mut usable = |id: &FileId| {
        let file = files.remove(id)?;
        (file.status == FileStatus::Ready).then_some(file)
    };
    let found = ids.into_iter().map(|(checksum, ids)| {
        let files = ids.iter().filter_map(&mut usable);
        (checksum, files.collect())
    });
    Ok(found.collect())
}

/// A page of the ready files of one content, newest first, and how many there are.
///
/// # Errors
/// When the tables can't be read.
pub async fn page(
    app: &App,
    project: &ProjectId,
    checksum: &str,
    after: Option<&str>,
    limit: usize,
) -> Result<(Page<File>, u64), Refusal> {
    let found = of_content(app, project, &[checksum]).await?;
    let mut files: Vec<File> = found.into_values().flatten().collect();
    let total = files.len() as u64;
    files.reverse();
    files.retain(|file| after.is_none_or(|after| file.id.to_string().as_str() < after));
    let more = files.len() > limit;
    files.truncate(limit);
    let next = files.last().filter(|_| more);
    let next = next.map(|file| file.id.to_string());
    Ok((Page { items: files, next }, total))
}

/// A type without its parameters.
fn essence(content_type: &str) -> String {
    let essence = content_type.split(';').next().unwrap_or_default();
    essence.trim().to_ascii_lowercase()
}

/// Whether a file is what another is said to be. A recording is what its bytes say; how a
/// table is read goes by its type.
fn fits(file: &File, declared: &Declared) -> bool {
    file.kind == declared.kind
        // One that goes by itself may be gone before it is used.
        && file.due_at.is_none()
        && file.size_bytes == declared.size_bytes
        && (file.kind == FileKind::Audio
            || essence(&file.content_type) == essence(&declared.content_type))
}

/// For each of the declared files one that is there with its content, each at most once.
///
/// # Errors
/// When the tables can't be read.
pub async fn alike(
    app: &App,
    project: &ProjectId,
    declared: &[Declared],
) -> Result<Vec<Option<File>>, Refusal> {
    let checksums: Vec<&str> = declared
        .iter()
        .filter_map(|file| file.checksum_sha256.as_deref())
        .collect();
    let mut known = of_content(app, project, &checksums).await?;
    let taken = declared.iter().map(|declared| {
        let files = known.get_mut(declared.checksum_sha256.as_deref()?)?;
        let index = files.iter().position(|file| fits(file, declared))?;
        Some(files.remove(index))
    });
    Ok(taken.collect())
}
