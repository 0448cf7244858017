//! Audio kept at providers: once per file and credential, however many models
//! and runs use it.
//!
//! A record goes last: first no use of the file may begin (`retired`), then the
//! file is deleted, then the record. A deletion that breaks off leaves the record,
//! and with it the names.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::{FileId, Timestamp};

/// An input kept at the vendor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StagedInput {
    /// The vendor's name of it, for deleting.
    pub name: String,
    /// How requests refer to it.
    pub uri: String,
    /// MIME type it was declared with.
    pub mime_type: String,
    /// After this it can't be relied on.
    #[serde(with = "time::serde::rfc3339")]
    pub expires_at: OffsetDateTime,
}

/// A name that was used before, and under which something may still be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EarlierSending {
    /// The name it was sent under, or the one that the provider gave it.
    pub name: String,
    /// Whether the provider said that it has it. If not, it may be there under
    /// a name derived from this one.
    pub landed: bool,
    /// The provider has deleted it by itself by then.
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
    /// The file that was sent.
    pub file: FileId,
    /// Vendor, by the name that credentials are kept for.
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
    pub earlier: Vec<EarlierSending>,
    /// When the latest sending began: others wait for `staging_lease` before they try.
    pub claimed_at: Timestamp,
    /// What it is kept for (see [`audio_user`](crate::admission::audio_user)).
    #[serde(default)]
    pub users: BTreeSet<String>,
    /// Runs of release 0.1.0 that use it. That release deletes nothing for them
    /// any more, so what they use stays until the provider deletes it.
    #[serde(default, rename = "runs", skip_serializing_if = "BTreeSet::is_empty")]
    pub earlier_users: BTreeSet<String>,
    /// It is being deleted: no use of what is there may begin.
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
            earlier_users: BTreeSet::new(),
            retired: false,
            rev: 1,
        }
    }

    /// The same, about to be sent anew. It keeps the name of a sending that may
    /// or may not have arrived; otherwise it takes the new one, as does
    /// one that release 0.1.0 began, which recorded no names. The vendor keeps
    /// what was sent for as long as `keeps`.
    #[must_use]
    pub fn renewed(&self, name: String, user: String, now: Timestamp, keeps: Duration) -> Self {
        let mut next = self.clone();
        next.earlier.retain(|earlier| earlier.gone_at > now);
        let staged = next.staged.take();
        if staged.is_some() || next.retired {
            next.earlier.push(EarlierSending {
                landed: staged.is_some(),
                gone_at: staged.as_ref().map_or(self.sent_at + keeps, |staged| {
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

    /// Everything that the vendor may have of it at a time, if it keeps what was
    /// sent for as long as `keeps`: names, and whether they are known to be its
    /// own.
    pub fn names(&self, now: Timestamp, keeps: Duration) -> impl Iterator<Item = (&str, bool)> {
        let last = match &self.staged {
            Some(staged) => (&*staged.name, true, Timestamp::from(staged.expires_at)),
            None => (&*self.name, false, self.sent_at + keeps),
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

    /// Whether it may be on its way right now.
    #[must_use]
    pub fn is_under_way(&self, now: Timestamp, lease: Duration) -> bool {
        self.staged.is_none() && now.since(self.claimed_at) < lease
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEEPS: Duration = Duration::from_secs(48 * 3_600);

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
        assert_eq!(
            upload.names(at(1), KEEPS).collect::<Vec<_>>(),
            [("a", false)]
        );
        let again = upload.renewed("b".into(), "run#c0000".into(), at(1), KEEPS);
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
            let next = going.renewed("b".into(), "other#c0001".into(), at(1), KEEPS);
            assert_eq!(next.name, "b");
            assert!(!next.retired && next.staged.is_none());
            let names: Vec<_> = next.names(at(2), KEEPS).collect();
            assert_eq!(names, [("b", false), ("a", landed)], "both may be there");
            let names: Vec<_> = next.names(at(48), KEEPS).collect();
            assert_eq!(names, [("b", false)], "the provider has deleted it");
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
        assert_eq!(earlier.names(at(1), KEEPS).count(), 0, "none is known");
        let next = earlier.renewed("b".into(), "run#c0000".into(), at(1), KEEPS);
        assert_eq!((&*next.name, next.earlier.len()), ("b", 0));
        assert!(next.earlier_users.contains("run_1"));
    }

    #[test]
    fn what_release_0_1_0_sent_is_known_by_what_the_provider_said() {
        let earlier = of_0_1(Some(staged("a")));
        assert!(earlier.knows("a"));
        assert_eq!(
            earlier.names(at(1), KEEPS).collect::<Vec<_>>(),
            [("a", true)]
        );
        let next = earlier.renewed("b".into(), "run#c0000".into(), at(1), KEEPS);
        let names: Vec<_> = next.names(at(2), KEEPS).collect();
        assert_eq!(names, [("b", false), ("a", true)]);
    }
}
