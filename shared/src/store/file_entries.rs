//! Entries of table `files` that lead to files: from a name, from a content.
//!
//! `name#…` and `sum#…` beside the files of a project, each a set of ids. One write in
//! the transaction that makes a file ready, and no index.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;

use super::row::{self, Item, s};
use super::txn::{Txn, beside_transactions};
use super::{Store, StoreError, string_set};
use crate::domain::file::File;
use crate::domain::{FileId, ProjectId};

/// Files of one name that are found by it, at most. A set of all of them would
/// outgrow an item; and long before this a look-up tells that the name is not clear.
const SAME_NAME: u32 = 1_000;
/// Files of one content that are found by it, at most. One is enough to upload nothing
/// again; several are there where a dataset has a recording more than once.
const SAME_CONTENT: u32 = 20;

/// A way to find a ready file, beside its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// By its name.
    Name,
    /// By the SHA-256 of its content.
    Content,
}

impl Way {
    /// All ways to a file. What release 0.1.0 registered is not found by its content.
    pub(super) fn all_to(file: &File) -> Vec<Self> {
        let content = file.checksum_sha256.as_ref().map(|_| Self::Content);
        std::iter::once(Self::Name).chain(content).collect()
    }

    /// The item that leads to the file, and how many it leads to at most.
    fn entry(self, file: &File) -> (String, u32) {
        match self {
            Self::Name => (name_key(&file.filename), SAME_NAME),
            Self::Content => {
                let checksum = file.checksum_sha256.as_deref().unwrap_or_default();
                (content_key(checksum), SAME_CONTENT)
            }
        }
    }
}

pub(super) fn name_key(filename: &str) -> String {
    format!(
        "name#{}",
        hex::encode(ring::digest::digest(
            &ring::digest::SHA256,
            filename.as_bytes()
        ))
    )
}

pub(super) fn content_key(sha256: &str) -> String {
    format!("sum#{sha256}")
}

impl Store {
    /// Makes a file known by these ways, unless one leads to as many as it may.
    pub(super) fn entered<'a>(
        &self,
        mut txn: Txn<'a>,
        file: &File,
        ways: &[Way],
    ) -> Result<Txn<'a>, StoreError> {
        for way in ways {
            let (key, most) = way.entry(file);
            txn = txn.update(
                &self.tables.files,
                (file.project.as_str(), &key),
                "ADD file_ids :id",
                Some("attribute_not_exists(file_ids) OR size(file_ids) < :most"),
                &[],
                Item::from([
                    (":id".into(), string_set([file.id])),
                    (":most".into(), row::n(most)),
                ]),
            )?;
        }
        Ok(txn)
    }

    /// Ready files by name. A name may stand for several.
    pub async fn files_named(
        &self,
        project: &ProjectId,
        names: impl IntoIterator<Item = &str>,
    ) -> Result<BTreeMap<String, Vec<FileId>>, StoreError> {
        let by_key = names.into_iter().map(|name| (name_key(name), name));
        self.led_to(project, by_key.collect()).await
    }

    /// Files by the SHA-256 of their content, hex: those that were registered as ready,
    /// oldest first, some of which may be gone since.
    pub async fn files_of_content(
        &self,
        project: &ProjectId,
        checksums: impl IntoIterator<Item = &str>,
    ) -> Result<BTreeMap<String, Vec<FileId>>, StoreError> {
        let by_key = checksums.into_iter().map(|sum| (content_key(sum), sum));
        let mut found = self.led_to(project, by_key.collect()).await?;
        found.values_mut().for_each(|ids| ids.sort_unstable());
        Ok(found)
    }

    /// What entries lead to, by what each stands for.
    async fn led_to(
        &self,
        project: &ProjectId,
        by_key: BTreeMap<String, &str>,
    ) -> Result<BTreeMap<String, Vec<FileId>>, StoreError> {
        let keys = by_key.keys().map(|key| (project.to_string(), key.clone()));
        let mut found = BTreeMap::new();
        for item in self.get_many(&self.tables.files, keys).await? {
            let Some(what) = row::text(&item, "sk").and_then(|sk| by_key.get(sk)) else {
                continue;
            };
            let ids = match item.get("file_ids") {
                Some(AttributeValue::Ss(ids)) => {
                    ids.iter().filter_map(|id| id.parse().ok()).collect()
                }
                _ => Vec::new(),
            };
            found.insert((*what).to_owned(), ids);
        }
        Ok(found)
    }

    /// Takes a file out of the entry of its content. Not when it is made unreachable, as
    /// with its name: a look-up by content reads the file too, and this costs half as much.
    pub(super) async fn forget_content(&self, file: &File, key: String) -> Result<(), StoreError> {
        let entry = self
            .db
            .update_item()
            .table_name(&self.tables.files)
            .key("pk", s(file.project.as_str()))
            .key("sk", s(&*key))
            .update_expression("DELETE file_ids :ids")
            .condition_expression("contains(file_ids, :id)")
            .expression_attribute_values(":ids", string_set([file.id]))
            .expression_attribute_values(":id", s(file.id.to_string()));
        let taken_out = beside_transactions(|| entry.clone().send()).await;
        match taken_out.map_err(StoreError::from) {
            // It was never entered, or it is what a request did whose reply was lost: then
            // an entry without ids may stand there.
            Ok(_) | Err(StoreError::Conflict) => self.drop_entry(file, key).await,
            Err(error) => Err(error),
        }
    }

    /// Removes an entry that leads nowhere: removing the last id from a set leaves the
    /// item that held it.
    pub(super) async fn drop_entry(&self, file: &File, key: String) -> Result<(), StoreError> {
        let entry = self
            .db
            .delete_item()
            .table_name(&self.tables.files)
            .key("pk", s(file.project.as_str()))
            .key("sk", s(key))
            .condition_expression("attribute_not_exists(file_ids)");
        let deleted = beside_transactions(|| entry.clone().send()).await;
        match deleted.map_err(StoreError::from) {
            Ok(_) | Err(StoreError::Conflict) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// Goes without a way that leads to as many files as it may.
pub(super) fn give_up(ways: &mut Vec<Way>, index: usize, file: &File) {
    if index < ways.len() {
        let way = ways.remove(index);
        tracing::warn!(file_id = %file.id, ?way, "too many files are alike for this one to be found so");
    } else {
        ways.clear();
    }
}
