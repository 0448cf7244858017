//! Audio kept at providers: once per file and credential, however many models
//! and runs use it. Records live beside the files.
//!
//! A record goes last: first nobody may begin to use the file (`retired`), then
//! the file is deleted, then the record. Who breaks off leaves the record, and
//! with it the names.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::row::{self, Item, Row};
use super::txn::beside_transactions;
use super::{Store, StoreError, string_set};
use crate::domain::{FileId, ProjectId, Timestamp};
use crate::providers::StagedInput;

/// How long a provider keeps a file at most.
const LIFETIME: Duration = Duration::from_secs(48 * 3_600);

/// A name that was used before, and under which something may still be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Earlier {
    /// The name.
    pub name: String,
    /// Whether the provider said that it has it. If not, it may be there under
    /// a name derived from this one.
    pub landed: bool,
    /// The provider has forgotten it by then.
    pub gone_at: Timestamp,
}

/// A file at a provider, or on its way there.
///
/// Each sending has a name of its own that was never used before and is
/// recorded before anything is sent. So whatever happens, the names of all
/// that may be there are known, and a deletion that comes late never hits what
/// was sent after it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Upload {
    /// The file.
    pub file: FileId,
    /// Provider.
    pub provider: String,
    /// Id of the credential.
    pub credential: String,
    /// Name under which it is being sent, or was last.
    #[serde(default)]
    pub name: String,
    /// When that was begun.
    #[serde(default)]
    pub sent_at: Timestamp,
    /// What the provider has; `None` while it is on its way.
    pub staged: Option<StagedInput>,
    /// What was sent before and may still be there: one that grew too old for
    /// another batch may still be in use by an earlier one.
    #[serde(default, rename = "before")]
    pub earlier: Vec<Earlier>,
    /// Who began sending it, and when: others wait a while before they try.
    pub claimed_at: Timestamp,
    /// Who uses it (see [`audio_user`](crate::domain::room::audio_user)).
    #[serde(default)]
    pub users: std::collections::BTreeSet<String>,
    /// Runs of release 0.1.0 that use it. That release deletes nothing for them
    /// any more, so what they use stays until the provider forgets it.
    #[serde(
        default,
        rename = "runs",
        skip_serializing_if = "std::collections::BTreeSet::is_empty"
    )]
    pub earlier_users: std::collections::BTreeSet<String>,
    /// It is being deleted: nobody may begin to use what is there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub retired: bool,
    /// Revision, for conditional writes.
    pub rev: u64,
}

impl Upload {
    /// One that is about to be sent for the first time, under a new name.
    #[must_use]
    pub fn begun(
        file: FileId,
        provider: &str,
        credential: &str,
        name: String,
        user: String,
        now: Timestamp,
    ) -> Self {
        Self {
            file,
            provider: provider.to_owned(),
            credential: credential.to_owned(),
            name,
            sent_at: now,
            staged: None,
            earlier: Vec::new(),
            claimed_at: now,
            users: [user].into(),
            earlier_users: std::collections::BTreeSet::new(),
            retired: false,
            rev: 1,
        }
    }

    /// The same, about to be sent anew. It keeps the name of a sending of which
    /// nobody knows whether it arrived; otherwise it takes the new one, as does
    /// one that release 0.1.0 began, which recorded no names.
    #[must_use]
    pub fn renewed(&self, name: String, user: String, now: Timestamp) -> Self {
        let mut next = self.clone();
        next.earlier.retain(|earlier| earlier.gone_at > now);
        let staged = next.staged.take();
        if staged.is_some() || next.retired {
            next.earlier.push(Earlier {
                landed: staged.is_some(),
                gone_at: staged.as_ref().map_or(self.sent_at + LIFETIME, |staged| {
                    Timestamp::from(staged.expires_at)
                }),
                name: staged.map_or_else(|| self.name.clone(), |staged| staged.name),
            });
            next.name = name;
        } else if next.name.is_empty() {
            next.name = name;
        }
        next.retired = false;
        next.users.insert(user);
        next.sent_at = now;
        next.claimed_at = now;
        next.rev += 1;
        next
    }

    /// Everything that the provider may have of it at a time: names, and
    /// whether they are known to be its own.
    pub fn names(&self, now: Timestamp) -> impl Iterator<Item = (&str, bool)> {
        let last = match &self.staged {
            Some(staged) => (&*staged.name, true, Timestamp::from(staged.expires_at)),
            None => (&*self.name, false, self.sent_at + LIFETIME),
        };
        let earlier = self.earlier.iter();
        let earlier = earlier.map(|earlier| (&*earlier.name, earlier.landed, earlier.gone_at));
        std::iter::once(last)
            .chain(earlier)
            .filter(move |(name, _, gone_at)| !name.is_empty() && *gone_at > now)
            .map(|(name, landed, _)| (name, landed))
    }

    /// Whether a file is one of its own.
    #[must_use]
    pub fn knows(&self, name: &str) -> bool {
        let staged = self.staged.as_ref().map(|staged| &*staged.name);
        staged == Some(name) || self.earlier.iter().any(|earlier| earlier.name == name)
    }

    /// Whether somebody may be sending it right now.
    #[must_use]
    pub fn is_under_way(&self, now: Timestamp, lease: Duration) -> bool {
        self.staged.is_none() && now.since(self.claimed_at) < lease
    }
}

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

    /// Notes who uses uploads that exist. Gives false when one of them is being
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

    /// Takes a user out of an upload. Gives the upload if nobody uses it now
    /// and nobody can begin to: it is to be deleted at the provider and then
    /// forgotten.
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
                // Not what was sent anew: that is left to whoever sent it.
                Some(stored) if stored.name == upload.name => upload = stored,
                _ => return Ok(None),
            }
        }
    }

    /// Forgets an upload of which nothing is left, unless it was begun anew:
    /// then the names are still in its record.
    pub async fn forget_upload(
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

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hours: u64) -> Timestamp {
        Timestamp::from_millis(1_800_000_000_000) + Duration::from_secs(hours * 3_600)
    }

    fn begun(name: &str) -> Upload {
        let file = FileId::mint(1, [1; 10]);
        Upload::begun(file, "google", "c", name.into(), "run#c0000".into(), at(0))
    }

    fn staged(name: &str) -> StagedInput {
        StagedInput {
            name: name.into(),
            uri: name.into(),
            mime_type: "audio/wav".into(),
            expires_at: at(48).into(),
        }
    }

    #[test]
    fn a_sending_of_unknown_outcome_is_known_by_name_and_goes_on_under_it() {
        let upload = begun("a");
        assert_eq!(upload.names(at(1)).collect::<Vec<_>>(), [("a", false)]);
        let again = upload.renewed("b".into(), "run#c0000".into(), at(1));
        assert_eq!((&*again.name, again.earlier.len()), ("a", 0));
        assert!(again.is_under_way(at(1), Duration::from_secs(300)));
        assert!(!again.is_under_way(at(2), Duration::from_secs(300)));
    }

    #[test]
    fn a_name_that_is_being_deleted_is_never_used_again() {
        for landed in [true, false] {
            let mut going = begun("a");
            going.staged = landed.then(|| staged("a"));
            going.retired = true;
            going.users.clear();
            let next = going.renewed("b".into(), "other#c0001".into(), at(1));
            assert_eq!(next.name, "b");
            assert!(!next.retired && next.staged.is_none());
            let names: Vec<_> = next.names(at(2)).collect();
            assert_eq!(names, [("b", false), ("a", landed)], "both may be there");
            let names: Vec<_> = next.names(at(48)).collect();
            assert_eq!(names, [("b", false)], "the provider has forgotten");
        }
    }

    /// As release 0.1.0 wrote it: without names, and with runs as users.
    fn of_0_1(staged: Option<StagedInput>) -> Upload {
        let mut written = serde_json::to_value(begun("")).unwrap();
        let members = written.as_object_mut().unwrap();
        for added in ["name", "sent_at", "before", "users"] {
            members.remove(added).unwrap();
        }
        members.insert("runs".into(), ["run_1"].as_slice().into());
        members.insert("staged".into(), serde_json::to_value(staged).unwrap());
        serde_json::from_value(written).unwrap()
    }

    #[test]
    fn what_release_0_1_0_began_has_no_name_and_takes_the_next_one() {
        let earlier = of_0_1(None);
        assert!(earlier.earlier_users.contains("run_1") && earlier.users.is_empty());
        assert_eq!(earlier.names(at(1)).count(), 0, "nobody knows one");
        let next = earlier.renewed("b".into(), "run#c0000".into(), at(1));
        assert_eq!((&*next.name, next.earlier.len()), ("b", 0));
        assert!(next.earlier_users.contains("run_1"));
    }

    #[test]
    fn what_release_0_1_0_sent_is_known_by_what_the_provider_said() {
        let earlier = of_0_1(Some(staged("a")));
        assert!(earlier.knows("a"));
        assert_eq!(earlier.names(at(1)).collect::<Vec<_>>(), [("a", true)]);
        let next = earlier.renewed("b".into(), "run#c0000".into(), at(1));
        let names: Vec<_> = next.names(at(2)).collect();
        assert_eq!(names, [("b", false), ("a", true)]);
    }
}
