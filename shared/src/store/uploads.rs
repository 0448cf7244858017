//! Audio kept at providers: once per file and credential, however many models
//! and runs use it. Records live beside the files.

use serde::{Deserialize, Serialize};

use super::row::{self, Item, Row};
use super::{Store, StoreError, string_set};
use crate::domain::{FileId, ProjectId, RunId, Timestamp};
use crate::providers::StagedInput;

/// A file at a provider, or on its way there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Upload {
    /// The file.
    pub file: FileId,
    /// Provider.
    pub provider: String,
    /// Id of the credential.
    pub credential: String,
    /// Counts the times it was sent: one that grew too old for another batch is
    /// sent again under a new name, for the old one may still be in use.
    #[serde(default)]
    pub epoch: u32,
    /// What the provider has; `None` while it is on its way.
    pub staged: Option<StagedInput>,
    /// What was sent before, under earlier names, and may still be there:
    /// batches of the runs below may have been made with it.
    #[serde(default)]
    pub earlier: Vec<StagedInput>,
    /// Who began sending it, and when: others wait a while before they try.
    pub claimed_at: Timestamp,
    /// Runs that use it.
    #[serde(default)]
    pub runs: std::collections::BTreeSet<RunId>,
    /// Revision, for conditional writes.
    pub rev: u64,
}

impl Upload {
    /// Everything of it that the provider may have.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let kept = self.staged.iter().chain(&self.earlier);
        kept.map(|staged| staged.name.as_str())
    }

    /// The same, about to be sent anew under another name.
    #[must_use]
    pub fn renewed(&self, now: Timestamp) -> Self {
        let mut next = self.clone();
        next.earlier
            .retain(|staged| Timestamp::from(staged.expires_at) > now);
        if let Some(staged) = next.staged.take() {
            next.epoch += 1;
            next.earlier.push(staged);
        }
        next.claimed_at = now;
        next.rev += 1;
        next
    }
}

fn sort_key(file: FileId, provider: &str, credential: &str) -> String {
    format!("up#{file}#{provider}#{credential}")
}

fn upload_item(project: &ProjectId, upload: &Upload) -> Result<Item, StoreError> {
    let sk = sort_key(upload.file, &upload.provider, &upload.credential);
    let mut item = Row::new(project.as_str(), sk, upload)?.build();
    item.remove("runs");
    if !upload.runs.is_empty() {
        item.insert("runs".into(), string_set(&upload.runs));
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

    /// Notes that a run uses uploads that exist. Gives false when one of them
    /// was removed meanwhile: look again.
    pub async fn use_uploads(
        &self,
        project: &ProjectId,
        uploads: &[Upload],
        run: RunId,
    ) -> Result<bool, StoreError> {
        for part in uploads.chunks(100) {
            let mut txn = self.txn();
            for upload in part.iter().filter(|upload| !upload.runs.contains(&run)) {
                let sk = sort_key(upload.file, &upload.provider, &upload.credential);
                txn = txn.update(
                    &self.tables.files,
                    (project.as_str(), &sk),
                    "ADD runs :run",
                    Some("attribute_exists(staged)"),
                    &[],
                    Item::from([(":run".into(), string_set([run]))]),
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

    /// Takes a run out of uploads; gives those that no run uses now. They are
    /// to be deleted at the provider and then forgotten.
    pub async fn release_uploads(
        &self,
        project: &ProjectId,
        uploads: &[Upload],
        run: RunId,
    ) -> Result<Vec<Upload>, StoreError> {
        let mut unused = Vec::new();
        for upload in uploads {
            let sk = sort_key(upload.file, &upload.provider, &upload.credential);
            let updated = self
                .db
                .update_item()
                .table_name(&self.tables.files)
                .key("pk", row::s(project.as_str()))
                .key("sk", row::s(sk))
                .update_expression("DELETE runs :run")
                .condition_expression("attribute_exists(pk)")
                .expression_attribute_values(":run", string_set([run]))
                .return_values(aws_sdk_dynamodb::types::ReturnValue::AllNew)
                .send()
                .await;
            match updated.map_err(StoreError::from) {
                Ok(answer) => {
                    let left: Upload = row::read(answer.attributes.unwrap_or_default())?;
                    if left.runs.is_empty() {
                        unused.push(left);
                    }
                }
                Err(StoreError::Conflict) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(unused)
    }

    /// Forgets an upload that no run uses, unless one began to.
    pub async fn forget_upload(
        &self,
        project: &ProjectId,
        upload: &Upload,
    ) -> Result<bool, StoreError> {
        let sk = sort_key(upload.file, &upload.provider, &upload.credential);
        let txn = self.txn().delete(
            &self.tables.files,
            (project.as_str(), &sk),
            Some("rev = :rev AND attribute_not_exists(runs)"),
            Some(Item::from([(":rev".into(), row::n(upload.rev))])),
        )?;
        match txn.commit().await.map_err(StoreError::from) {
            Ok(()) => Ok(true),
            Err(StoreError::Conflict) => Ok(false),
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

    /// Forgets an upload whatever uses it.
    pub async fn drop_upload(
        &self,
        project: &ProjectId,
        upload: &Upload,
    ) -> Result<(), StoreError> {
        let sk = sort_key(upload.file, &upload.provider, &upload.credential);
        self.delete(&self.tables.files, project.as_str(), sk).await
    }
}
