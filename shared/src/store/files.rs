//! Table `files`: files by project, and where paths lead. Where names and contents do is in
//! `file_entries`.

use std::collections::BTreeMap;

use super::file_entries::{self, Way, give_up};
use super::idempotency::Claim;
use super::row::{self, Item, Row, s};
use super::txn::TxnError;
use super::{Page, Store, StoreError, read_page, string_set};
use crate::domain::file::{File, FileStatus};
use crate::domain::{FileId, ProjectId, Timestamp};

/// Sort keys of files.
const FILES: (&str, &str) = ("file_", "file_~");

fn digest(text: &str) -> String {
    hex::encode(ring::digest::digest(&ring::digest::SHA256, text.as_bytes()))
}

fn path_key(object_key: &str, version: &str) -> String {
    format!("path#{}", digest(&format!("{object_key}\n{version}")))
}

pub(super) fn file_item(file: &File) -> Result<Item, StoreError> {
    let mut item = Row::new(file.project.as_str(), file.id.to_string(), file)?
        .due(file.due_at)
        .build();
    // Kept as a native set, so that adding and removing are idempotent updates.
    item.remove("datasets");
    if !file.datasets.is_empty() {
        item.insert("datasets".into(), string_set(&file.datasets));
    }
    Ok(item)
}

pub(super) fn read_file(item: Item) -> Result<File, StoreError> {
    row::read(item)
}

/// What the pointer of a path leads to.
#[derive(Debug, PartialEq, Eq)]
enum Pointed {
    /// There is none.
    Nothing,
    /// A file that is there, or is just being deleted.
    Kept,
    /// A file that was deleted.
    Gone(FileId),
}

impl Store {
    /// Announces files: all of them, or none. Announcing the same ones again
    /// changes nothing. `made` are the ids that the request stands for, in its order:
    /// those of the files, and of others that are there already.
    pub async fn create_files(
        &self,
        project: &ProjectId,
        files: &[File],
        made: &[FileId],
        claim: Option<&Claim>,
    ) -> Result<(), StoreError> {
        let table = &self.tables.files;
        let told: Vec<String> = made.iter().map(FileId::to_string).collect();
        // 100 writes fit a transaction; two are for the count and the claim. Parts go by
        // the order of the request: which of its files are new may be others next time.
        let parts: Vec<Vec<&File>> = made
            .chunks(98)
            .map(|part| files.iter().filter(|f| part.contains(&f.id)).collect())
            .collect();
        for (number, part) in parts.iter().enumerate() {
            let last = number + 1 == parts.len();
            let mut txn = self.txn();
            for file in part {
                txn = txn.put_if(table, file_item(file)?, "attribute_not_exists(pk)", None)?;
            }
            if !part.is_empty() {
                let size = i64::try_from(part.len()).unwrap_or(i64::MAX);
                txn = txn.count(table, project.as_str(), size)?;
            }
            if last {
                txn = txn.complete(&self.tables, project, claim, told.clone())?;
            }
            if txn.is_empty() {
                continue;
            }
            match txn.commit().await {
                Ok(()) => {}
                // An earlier attempt of the same request wrote this part.
                Err(TxnError::Condition { index, .. })
                    if claim.is_some() && index < part.len() && !last =>
                {
                    self.create_missing(project, part).await?;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Announces what an earlier attempt left out of a part, which found it among the
    /// files that were there.
    async fn create_missing(&self, project: &ProjectId, part: &[&File]) -> Result<(), StoreError> {
        let table = &self.tables.files;
        let ids: Vec<FileId> = part.iter().map(|file| file.id).collect();
        let known = self.files(project, ids).await?;
        let (mut txn, mut size) = (self.txn(), 0);
        for file in part {
            if !known.contains_key(&file.id) {
                txn = txn.put_if(table, file_item(file)?, "attribute_not_exists(pk)", None)?;
                size += 1;
            }
        }
        if size > 0 {
            txn.count(table, project.as_str(), size)?.commit().await?;
        }
        Ok(())
    }

    /// One file.
    pub async fn file(&self, project: &ProjectId, id: FileId) -> Result<Option<File>, StoreError> {
        let item = self
            .get(&self.tables.files, project.as_str(), id.to_string())
            .await?;
        item.map(read_file).transpose()
    }

    /// Files by id, in no order; unknown ones are left out.
    pub async fn files(
        &self,
        project: &ProjectId,
        ids: impl IntoIterator<Item = FileId>,
    ) -> Result<BTreeMap<FileId, File>, StoreError> {
        let keys = ids
            .into_iter()
            .map(|id| (project.to_string(), id.to_string()));
        let items = self.get_many(&self.tables.files, keys).await?;
        items
            .into_iter()
            .map(|item| read_file(item).map(|file| (file.id, file)))
            .collect()
    }

    /// Files newest first, and how many there are.
    pub async fn list_files(
        &self,
        project: &ProjectId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<(Page<File>, u64), StoreError> {
        let table = &self.tables.files;
        let (page, total) = futures::future::try_join(
            self.page(table, project.as_str(), FILES, after, limit, true),
            self.count(table, project.as_str()),
        )
        .await?;
        Ok((read_page(page)?, total))
    }

    /// Writes a file's next revision. One that became ready can be found by
    /// its name and its content from then on.
    pub async fn save_file(&self, file: &File) -> Result<(), StoreError> {
        let table = &self.tables.files;
        if file.status != FileStatus::Ready {
            return self.put_rev(table, file_item(file)?, file.rev).await;
        }
        let mut ways = Way::all_to(file);
        loop {
            let txn = self.txn().put_rev(table, file_item(file)?, file.rev)?;
            match self.entered(txn, file, &ways)?.commit().await {
                Err(TxnError::Condition { index, .. }) if index >= 1 && !ways.is_empty() => {
                    give_up(&mut ways, index - 1, file);
                }
                committed => return Ok(committed?),
            }
        }
    }

    /// Registers an object that was dropped into the bucket by its path.
    /// Repeated events for the same version of the object change nothing;
    /// gives the file that stands for it.
    pub async fn register_path(&self, file: &File, version: &str) -> Result<File, StoreError> {
        let table = &self.tables.files;
        let project = file.project.as_str();
        let path = path_key(&file.object_key, version);
        let pointer =
            Row::new(project, &*path, &serde_json::json!({ "file_id": file.id }))?.build();
        // Of a file that is gone for good only its pointer is left.
        let (condition, values) = match self.pointed(&file.project, &path).await? {
            Pointed::Gone(old) => (
                "file_id = :old",
                Some(Item::from([(":old".into(), row::s(old.to_string()))])),
            ),
            Pointed::Nothing | Pointed::Kept => ("attribute_not_exists(pk)", None),
        };
        let plain = || {
            self.txn()
                .put_if(table, pointer.clone(), condition, values.clone())?
                .put_rev(table, file_item(file)?, file.rev)?
                .count(table, project, 1)
        };
        let mut ways = match file.status {
            FileStatus::Ready => Way::all_to(file),
            _ => Vec::new(),
        };
        let committed = loop {
            match self.entered(plain()?, file, &ways)?.commit().await {
                Err(TxnError::Condition { index, .. }) if index >= 3 && !ways.is_empty() => {
                    give_up(&mut ways, index - 3, file);
                }
                committed => break committed,
            }
        };
        match committed {
            Ok(()) => Ok(file.clone()),
            Err(TxnError::Condition {
                index: 0,
                stored: Some(pointer),
            }) => {
                let id = row::text(&pointer, "file_id").and_then(|id| id.parse::<FileId>().ok());
                let known = match id {
                    Some(id) => self.file(&file.project, id).await?,
                    None => None,
                };
                // Deleted since: the event is late, not news.
                Ok(known.unwrap_or_else(|| file.clone()))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// What a path's pointer leads to.
    async fn pointed(&self, project: &ProjectId, path: &str) -> Result<Pointed, StoreError> {
        let pointer = self
            .get(&self.tables.files, project.as_str(), path.to_owned())
            .await?;
        let Some(pointer) = pointer else {
            return Ok(Pointed::Nothing);
        };
        let id = row::text(&pointer, "file_id").and_then(|id| id.parse::<FileId>().ok());
        let Some(id) = id else {
            return Ok(Pointed::Kept);
        };
        // While a file is being deleted its object may still be there.
        let kept = self.file(project, id).await?.is_some()
            || self.deleting_file(project, id).await?.is_some();
        Ok(if kept {
            Pointed::Kept
        } else {
            Pointed::Gone(id)
        })
    }

    /// Whether an object version was registered by its path already, as a file
    /// that is still there. The same bytes at the same path are news once the
    /// file they were is deleted.
    pub async fn path_is_registered(
        &self,
        project: &ProjectId,
        object_key: &str,
        version: &str,
    ) -> Result<bool, StoreError> {
        let key = path_key(object_key, version);
        Ok(self.pointed(project, &key).await? == Pointed::Kept)
    }

    /// Makes a file unreachable, to be cleared away by [`Store::finish_delete_file`].
    /// Refused with [`StoreError::Conflict`] when it changed or a dataset took
    /// it meanwhile.
    pub async fn begin_delete_file(&self, file: &File, now: Timestamp) -> Result<File, StoreError> {
        let table = &self.tables.files;
        let project = file.project.as_str();
        let gone = file.deleting(now);
        let tombstone = Row::new(project, format!("del#{}", file.id), &gone)?.due(gone.due_at);
        let mut txn = self
            .txn()
            .delete(
                table,
                (project, &file.id.to_string()),
                Some("rev = :rev AND attribute_not_exists(datasets)"),
                Some(Item::from([(":rev".into(), row::n(file.rev))])),
            )?
            .put(table, tombstone.build())?
            .count(table, project, -1)?;
        if file.status == FileStatus::Ready {
            txn = txn.update(
                table,
                (project, &file_entries::name_key(&file.filename)),
                "DELETE file_ids :id",
                None,
                &[],
                Item::from([(":id".into(), string_set([file.id]))]),
            )?;
        }
        txn.commit().await?;
        Ok(gone)
    }

    /// A file that is being deleted.
    pub async fn deleting_file(
        &self,
        project: &ProjectId,
        id: FileId,
    ) -> Result<Option<File>, StoreError> {
        let item = self
            .get(&self.tables.files, project.as_str(), format!("del#{id}"))
            .await?;
        item.map(read_file).transpose()
    }

    /// Removes what is left of a deleted file, once its bytes are gone.
    pub async fn finish_delete_file(&self, file: &File) -> Result<(), StoreError> {
        if let Some(checksum) = &file.checksum_sha256 {
            self.forget_content(file, file_entries::content_key(checksum))
                .await?;
        }
        self.drop_entry(file, file_entries::name_key(&file.filename))
            .await?;
        self.delete(
            &self.tables.files,
            file.project.as_str(),
            format!("del#{}", file.id),
        )
        .await
    }

    /// Takes files out of a dataset; gives those that no dataset uses now.
    pub async fn release_files(
        &self,
        project: &ProjectId,
        dataset: crate::domain::DatasetId,
        files: &[FileId],
    ) -> Result<Vec<File>, StoreError> {
        let table = &self.tables.files;
        for part in files.chunks(100) {
            // A file that is gone has nothing to be taken out of.
            let mut txn = self.txn();
            let known = self.files(project, part.iter().copied()).await?;
            for id in known.keys() {
                txn = txn.update(
                    table,
                    (project.as_str(), &id.to_string()),
                    "DELETE datasets :dataset",
                    Some("attribute_exists(pk)"),
                    &[],
                    Item::from([(":dataset".into(), string_set([dataset]))]),
                )?;
            }
            if !txn.is_empty() {
                txn.commit().await?;
            }
        }
        let left = self.files(project, files.iter().copied()).await?;
        Ok(left
            .into_values()
            .filter(|file| file.datasets.is_empty())
            .collect())
    }

    /// Key of the record that a due item of this table stands for.
    #[must_use]
    pub fn parse_file_key(sk: &str) -> Option<(FileId, bool)> {
        match sk.strip_prefix("del#") {
            Some(id) => id.parse().ok().map(|id| (id, true)),
            None => sk.parse().ok().map(|id| (id, false)),
        }
    }
}

/// An update of a file that lets a dataset use it; fails when it is not ready.
pub(super) fn use_file<'a>(
    txn: super::txn::Txn<'a>,
    table: &str,
    project: &ProjectId,
    file: FileId,
    dataset: crate::domain::DatasetId,
) -> Result<super::txn::Txn<'a>, StoreError> {
    txn.update(
        table,
        (project.as_str(), &file.to_string()),
        "ADD datasets :dataset",
        Some("#status = :ready AND (attribute_not_exists(datasets) OR size(datasets) < :most OR contains(datasets, :id))"),
        &[("#status", "status")],
        Item::from([
            (":dataset".into(), string_set([dataset])),
            (":id".into(), s(dataset.to_string())),
            (":ready".into(), s("ready")),
            (":most".into(), row::n(crate::domain::file::MAX_DATASETS_PER_FILE)),
        ]),
    )
}
