//! Files that are due: uploads that never came, tables that were kept for a preview only,
//! and those that are being deleted.

use stt_eval_shared::App;
use stt_eval_shared::domain::Timestamp;
use stt_eval_shared::domain::file::{File, FileKind, FileStatus};
use stt_eval_shared::registration::{Registered, register_upload};
use stt_eval_shared::store::{Store, StoreError};

use super::account::audio;
use super::failure::{Failure, project, unless_changed};
use stt_eval_shared::work::account::{audio_store, credential};

/// Looks at a due item of table `files`.
pub(crate) async fn due(app: &App, pk: &str, sk: &str) -> Result<(), Failure> {
    if let Some(project) = Store::counted_project(pk) {
        return Ok(app.store.fold_files(project).await?);
    }
    let project = project(pk)?;
    let Some((id, deleting)) = Store::parse_file_key(sk) else {
        return Err(Failure::Setup("a due file has an unknown key"));
    };
    if deleting {
        return match app.store.deleting_file(&project, id).await? {
            Some(file) if file.is_settled(Timestamp::now()) => delete(app, &file).await,
            _ => Ok(()),
        };
    }
    let now = Timestamp::now();
    let Some(file) = app.store.file(&project, id).await? else {
        return Ok(());
    };
    if file.due_at.is_none_or(|due| due > now) {
        return Ok(());
    }
    // A table of a preview, or for one, of which no dataset was made.
    let is_read = matches!(file.status, FileStatus::Ready | FileStatus::Rejected);
    if is_read && file.kind == FileKind::Manifest {
        return match app.store.begin_delete_file(&file, now).await {
            Ok(gone) => delete(app, &gone).await,
            // The dataset is made just now, or another sweep was faster.
            Err(StoreError::Conflict) => Ok(()),
            Err(error) => Err(error.into()),
        };
    }
    if file.status != FileStatus::Uploading {
        return Ok(());
    }
    match register_upload(&app.store, &app.objects, &project, id, now).await? {
        Registered::Done(_) | Registered::Nothing => Ok(()),
        Registered::Missing => {
            let give_up = file
                .upload_expires_at
                .map_or(now, |expires| expires + app.config.bounds.upload_margin);
            let next = if now >= give_up {
                file.expired(now)
            } else {
                Some(file.postponed(give_up))
            };
            match next {
                Some(next) => unless_changed(app.store.save_file(&next).await),
                None => Ok(()),
            }
        }
    }
}

/// Clears a deleted file away: at providers, in the bucket, in the table.
pub(crate) async fn delete(app: &App, file: &File) -> Result<(), Failure> {
    let project = &file.project;
    for upload in app.store.uploads_of(project, file.id).await? {
        // A sending of it may be under way.
        if upload.is_under_way(Timestamp::now(), app.config.bounds.staging_lease) {
            return Ok(());
        }
        let credential = credential(app, project, &upload.provider, &upload.credential).await?;
        if let Some(shelf) = audio_store(app, &upload.provider)? {
            audio::discard_upload(app, shelf, credential.as_ref(), &upload).await?;
        }
        app.store.delete_upload(project, &upload).await?;
    }
    app.objects
        .delete_file(&file.object_key, file.object_version.as_deref())
        .await?;
    Ok(app.store.finish_delete_file(file).await?)
}
