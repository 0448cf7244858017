//! API keys: `sk_<id>_<secret>_<crc>`.
//!
//! The id finds the record, the secret proves it (its SHA-256 is stored,
//! compared in constant time), the checksum lets a typo or a cut-off key be
//! refused without asking anything.

use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use crate::crypto::{NoRandomness, random, sha256_hex};
use crate::domain::{KeyId, ProjectId, Timestamp};

pub use crate::domain::role::Role;

/// A key as people see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRecord {
    /// Stands in the key's text and leads to its verifier.
    pub id: KeyId,
    /// The one project that it opens.
    pub project: ProjectId,
    /// Name given by people.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// Last four characters of the key.
    pub last_four: String,
    /// When it was made; it does not expire.
    pub inserted_at: Timestamp,
    /// Revision, for conditional writes.
    pub rev: u64,
}

/// What a presented key is checked against.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verifier {
    /// Id of the key's record.
    pub id: KeyId,
    /// The one project that the key opens.
    pub project: ProjectId,
    /// What it may do.
    pub role: Role,
    /// SHA-256 of the secret part, hex.
    pub secret_hash: String,
    /// Secret that the project's cursors are signed with, hex; here so that no
    /// request needs a second read for it.
    pub cursor_secret: String,
    /// Revision, for conditional writes.
    pub rev: u64,
}

/// A key as a request presents it.
pub struct PresentedKey {
    /// Leads to the verifier, and proves nothing by itself.
    pub id: KeyId,
    secret: String,
}

fn checksum(id: &str, secret: &str) -> String {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(id.as_bytes());
    hasher.update(b"_");
    hasher.update(secret.as_bytes());
    format!("{:08x}", hasher.finalize())
}

impl PresentedKey {
    /// Reads a key. `None` when it is not one: malformed, cut off, mistyped.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.trim().strip_prefix("sk_")?.splitn(3, '_');
        let (id, secret, crc) = (parts.next()?, parts.next()?, parts.next()?);
        if secret.len() != 64 || checksum(id, secret) != crc {
            return None;
        }
        let id = format!("{}_{id}", KeyId::PREFIX).parse().ok()?;
        Some(Self {
            id,
            secret: secret.to_owned(),
        })
    }

    /// Whether it is the key of the record.
    #[must_use]
    pub fn proves(&self, verifier: &Verifier) -> bool {
        let hash = sha256_hex(self.secret.as_bytes());
        self.id == verifier.id && bool::from(hash.as_bytes().ct_eq(verifier.secret_hash.as_bytes()))
    }
}

/// A key just made. Its text is told once and kept nowhere.
pub struct NewKey {
    /// The whole key.
    pub text: secrecy::SecretString,
    /// What people see.
    pub record: KeyRecord,
    /// What it is checked against.
    pub verifier: Verifier,
}

impl NewKey {
    /// Makes a key with an id of the caller's.
    pub fn make(
        id: KeyId,
        project: ProjectId,
        name: String,
        role: Role,
        cursor_secret: String,
        now: Timestamp,
    ) -> Result<Self, NoRandomness> {
        let secret = hex::encode(random::<32>()?);
        let short = id
            .to_string()
            .replacen(&format!("{}_", KeyId::PREFIX), "", 1);
        let crc = checksum(&short, &secret);
        let text = format!("sk_{short}_{secret}_{crc}");
        let last_four = text[text.len() - 4..].to_owned();
        Ok(Self {
            record: KeyRecord {
                id,
                project: project.clone(),
                name,
                role,
                last_four,
                inserted_at: now,
                rev: 1,
            },
            verifier: Verifier {
                id,
                project,
                role,
                secret_hash: sha256_hex(secret.as_bytes()),
                cursor_secret,
                rev: 1,
            },
            text: text.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use secrecy::ExposeSecret;

    use super::*;

    fn new_key() -> NewKey {
        let id = KeyId::mint(1_700_000_000_000, [9; 10]);
        let project = "demo".parse().unwrap();
        NewKey::make(
            id,
            project,
            "n".into(),
            Role::Viewer,
            "00".into(),
            Timestamp::default(),
        )
        .unwrap()
    }

    #[test]
    fn a_key_proves_itself_and_nothing_else() {
        let (key, other) = (new_key(), new_key());
        let presented = PresentedKey::parse(key.text.expose_secret()).unwrap();
        assert!(presented.proves(&key.verifier));
        assert!(!presented.proves(&other.verifier), "same id, other secret");
        assert!(!key.verifier.secret_hash.is_empty());
        assert!(!key.text.expose_secret().contains(&key.verifier.secret_hash));
    }

    proptest! {
        #[test]
        fn one_changed_character_is_refused(at in 3usize..100, c in "[0-9a-zA-Z]") {
            let text = new_key().text.expose_secret().to_owned();
            let at = at % text.len();
            let mut changed = text.clone();
            changed.replace_range(at..=at, &c);
            if changed != text {
                let accepted = PresentedKey::parse(&changed)
                    .is_some_and(|key| key.proves(&new_key().verifier));
                prop_assert!(!accepted);
            }
        }

        #[test]
        fn any_text_is_a_key_or_refused(text in ".{0,200}") {
            let _ = PresentedKey::parse(&text);
        }
    }
}
