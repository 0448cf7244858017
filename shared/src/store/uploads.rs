//! Records of audio kept at providers (see [`crate::domain::upload`]), beside the
//! files.

use super::row::{self, Item, Row};
use super::txn::beside_transactions;
use super::{Store, StoreError, string_set};
use crate::domain::upload::Upload;
use crate::domain::{FileId, ProjectId};

fn sort_key(file: FileId, provider: &str, credential: &str) -> String {
    format!("up#{file}#{provider}#{credential}")
}

fn upload_item(project: &ProjectId, upload: &Upload) -> Result<Item, StoreError> {
    let sk = sort_key(upload.file, &upload.provider, &upload.credential);
    let mut item = Row::new(project.as_str(), sk, upload)?.build();
    item.remove("users");
    if !upload.users.is_empty() {
        item.insert("users".into(), string_set(&upload.users));
    }
    if !upload.earlier_users.is_empty() {
        item.insert("runs".into(), string_set(&upload.earlier_users));
    }
    Ok(item)
}

impl Store {
    /// Uploads of some files under a credential.
    pub async fn uploads(
        &self,
        project: &ProjectId,
        files: &[FileId],
        provider: &str,
        credential: &str,
    ) -> Result<Vec<Upload>, StoreError> {
        let keys = files
            .iter()
            .map(|file| (project.to_string(), sort_key(*file, provider, credential)));
        let items = self.get_many(&self.tables.files, keys).await?;
        items.into_iter().map(row::read).collect()
    }

    /// Writes an upload's next revision.
    pub async fn save_upload(
        &self,
        project: &ProjectId,
        upload: &Upload,
    ) -> Result<(), StoreError> {
        self.put_rev(
            &self.tables.files,
            upload_item(project, upload)?,
            upload.rev,
        )
        .await
    }

    /// The same for one that still has its name: a record that was removed and
    /// begun anew has another, and may be at the same revision.
    pub async fn save_same_upload(
        &self,
        project: &ProjectId,
        upload: &Upload,
    ) -> Result<(), StoreError> {
        let item = upload_item(project, upload)?;
        let table = &self.tables.files;
        self.put_rev_of(table, item, upload.rev, &upload.name).await
    }

    /// Adds a user to uploads that exist. Gives false when one of them is being
    /// removed: look again.
    pub async fn use_uploads(
        &self,
        project: &ProjectId,
        uploads: &[Upload],
        user: &str,
    ) -> Result<bool, StoreError> {
        for part in uploads.chunks(100) {
            let mut txn = self.txn();
            for upload in part.iter().filter(|upload| !upload.users.contains(user)) {
                let sk = sort_key(upload.file, &upload.provider, &upload.credential);
                txn = txn.update(
                    &self.tables.files,
                    (project.as_str(), &sk),
                    "ADD #users :user, rev :one",
                    Some("attribute_exists(staged) AND attribute_not_exists(retired)"),
                    &[("#users", "users")],
                    Item::from([
                        (":user".into(), string_set([user])),
                        (":one".into(), row::n(1)),
                    ]),
                )?;
            }
            if txn.is_empty() {
                continue;
            }
            match txn.commit().await.map_err(StoreError::from) {
                Ok(()) => {}
                Err(StoreError::Conflict) => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    /// Takes a user out of an upload. Gives the upload if that was the last one and
    /// none can be added: it is to be discarded at the provider, and then its record deleted.
    pub async fn release_upload(
        &self,
        project: &ProjectId,
        upload: &Upload,
        user: &str,
    ) -> Result<Option<Upload>, StoreError> {
        let mut upload = upload.clone();
        loop {
            if upload.retired && upload.users.is_empty() {
                return Ok(Some(upload));
            }
            let alone =
                upload.earlier_users.is_empty() && upload.users.iter().all(|other| other == user);
            if !alone && !upload.users.contains(user) {
                return Ok(None);
            }
            let mut next = upload.clone();
            next.users.remove(user);
            next.retired = alone;
            next.rev += 1;
            match self.save_same_upload(project, &next).await {
                Ok(()) => return Ok(alone.then_some(next)),
                Err(StoreError::Conflict) => {}
                Err(error) => return Err(error),
            }
            // Others come and go meanwhile.
            let stored = self
                .uploads(
                    project,
                    &[upload.file],
                    &upload.provider,
                    &upload.credential,
                )
                .await?;
            match stored.into_iter().next() {
                // Not what was sent anew: that has users of its own.
                Some(stored) if stored.name == upload.name => upload = stored,
                _ => return Ok(None),
            }
        }
    }

    /// Deletes the record of an upload of which nothing is left, unless it was begun anew:
    /// then the names are still in its record.
    pub async fn delete_unused_upload(
        &self,
        project: &ProjectId,
        upload: &Upload,
    ) -> Result<(), StoreError> {
        let sk = sort_key(upload.file, &upload.provider, &upload.credential);
        let delete = self
            .db
            .delete_item()
            .table_name(&self.tables.files)
            .key("pk", row::s(project.as_str()))
            .key("sk", row::s(sk))
            .expression_attribute_values(":rev", row::n(upload.rev));
        // Revisions of a record begin anew, names never come twice.
        let delete = if upload.name.is_empty() {
            delete.condition_expression("rev = :rev")
        } else {
            delete
                .condition_expression("rev = :rev AND #name = :name")
                .expression_attribute_names("#name", "name")
                .expression_attribute_values(":name", row::s(&*upload.name))
        };
        let deleted = beside_transactions(|| delete.clone().send()).await;
        match deleted.map_err(StoreError::from) {
            Ok(_) | Err(StoreError::Conflict) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Every upload of a file, for deleting it at the providers.
    pub async fn uploads_of(
        &self,
        project: &ProjectId,
        file: FileId,
    ) -> Result<Vec<Upload>, StoreError> {
        let (from, to) = (format!("up#{file}#"), format!("up#{file}#~"));
        let items = self
            .all(&self.tables.files, project.as_str(), (&*from, &*to))
            .await?;
        items.into_iter().map(row::read).collect()
    }

    /// Deletes the record of an upload whatever uses it.
    pub async fn delete_upload(
        &self,
        project: &ProjectId,
        upload: &Upload,
    ) -> Result<(), StoreError> {
        let sk = sort_key(upload.file, &upload.provider, &upload.credential);
        self.delete(&self.tables.files, project.as_str(), sk).await
    }
}
