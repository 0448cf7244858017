//! Sessions of the pages: what a browser holds in place of an API key.
//!
//! A session is a random token. Its digest lies in a record of its own beside the
//! key's verifier, and both are read together: a key that is revoked has no verifier,
//! so its sessions end with it, and what may be done is always what the key may.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use super::keys::Verifier;
use crate::crypto::{NoRandomness, random, sha256_hex};
use crate::domain::{KeyId, ProjectId, SessionId, Timestamp};

/// How long a session lasts from sign-in on.
pub const LIFETIME: Duration = Duration::from_secs(43_200);
/// Bytes of the random token.
const TOKEN: usize = 32;

/// A session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Stands in the cookie and leads to this record.
    pub id: SessionId,
    /// The key that was used to sign in.
    pub key_id: KeyId,
    /// The project of the key.
    pub project: ProjectId,
    /// The name given at sign-in: several people may share a key.
    pub reviewer_name: String,
    /// SHA-256 of the token, hex.
    pub secret_sha256: String,
    /// When it began.
    pub inserted_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Timestamp,
    /// Revision, for conditional writes.
    pub rev: u64,
}

/// What the list of a project's sessions keeps of one: whose it is, and nothing that
/// proves it. Sessions that began before there was a list are not in it; they end by
/// themselves within [`LIFETIME`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedSession {
    /// Leads to the session, and opens nothing without its token.
    pub id: SessionId,
    /// The key that was used to sign in.
    pub key_id: KeyId,
    /// The name given at sign-in.
    pub reviewer_name: String,
    /// When it began.
    pub inserted_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Timestamp,
}

impl Session {
    /// What the list keeps of it.
    #[must_use]
    pub fn listed(&self) -> ListedSession {
        ListedSession {
            id: self.id,
            key_id: self.key_id,
            reviewer_name: self.reviewer_name.clone(),
            inserted_at: self.inserted_at,
            expires_at: self.expires_at,
        }
    }
}

/// The smallest id that a session which is not over at a time can have: ids begin with
/// the time of sign-in, and every session lasts equally long.
#[must_use]
pub fn oldest_alive(now: Timestamp) -> SessionId {
    let begun = (now - LIFETIME).millis().saturating_add(1);
    SessionId::mint(u64::try_from(begun).unwrap_or(0), [0; 10])
}

/// A session as a request presents it.
pub struct PresentedSession {
    /// Leads to the session, and proves nothing by itself.
    pub id: SessionId,
    /// Leads to the verifier of its key.
    pub key: KeyId,
    token: String,
}

impl PresentedSession {
    /// Reads the value of the cookie: `<session id>.<key id>.<token>`. `None` when it
    /// is not one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '.');
        let (id, key, token) = (parts.next()?, parts.next()?, parts.next()?);
        let decoded = BASE64_URL_SAFE_NO_PAD.decode(token).ok()?;
        if decoded.len() != TOKEN {
            return None;
        }
        Some(Self {
            id: id.parse().ok()?,
            key: key.parse().ok()?,
            token: token.to_owned(),
        })
    }

    /// Whether it is this session, under this key, and not over.
    #[must_use]
    pub fn proves(&self, session: &Session, verifier: &Verifier, now: Timestamp) -> bool {
        let hash = sha256_hex(self.token.as_bytes());
        let is_token = hash.as_bytes().ct_eq(session.secret_sha256.as_bytes());
        bool::from(is_token)
            && self.id == session.id
            && self.key == session.key_id
            && verifier.id == session.key_id
            && verifier.project == session.project
            && now < session.expires_at
    }
}

/// A session just made. Its cookie is told once and kept nowhere.
pub struct NewSession {
    /// Value of the cookie.
    pub cookie: SecretString,
    /// What is kept.
    pub session: Session,
}

impl NewSession {
    /// Makes a session of a key that was presented.
    ///
    /// # Errors
    /// When the machine has no randomness to give.
    pub fn make(
        verifier: &Verifier,
        reviewer_name: String,
        now: Timestamp,
    ) -> Result<Self, NoRandomness> {
        let millis = u64::try_from(now.millis()).unwrap_or(0);
        let id = SessionId::mint(millis, random()?);
        let token = BASE64_URL_SAFE_NO_PAD.encode(random::<TOKEN>()?);
        Ok(Self {
            session: Session {
                id,
                key_id: verifier.id,
                project: verifier.project.clone(),
                reviewer_name,
                secret_sha256: sha256_hex(token.as_bytes()),
                inserted_at: now,
                expires_at: now + LIFETIME,
                rev: 1,
            },
            cookie: format!("{id}.{}.{token}", verifier.id).into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use secrecy::ExposeSecret;

    use super::*;
    use crate::access::keys::Role;

    fn verifier(entropy: u8) -> Verifier {
        Verifier {
            id: KeyId::mint(1_700_000_000_000, [entropy; 10]),
            project: "demo".parse().unwrap(),
            role: Role::Reviewer,
            secret_hash: "00".into(),
            cursor_secret: "00".into(),
            rev: 1,
        }
    }

    #[test]
    fn a_session_proves_itself_under_its_key_until_it_is_over() {
        let now = Timestamp::from_millis(1_700_000_000_000);
        let (key, other_key) = (verifier(1), verifier(2));
        let new = NewSession::make(&key, "Asha".into(), now).unwrap();
        let other = NewSession::make(&key, "Asha".into(), now).unwrap();
        let presented = PresentedSession::parse(new.cookie.expose_secret()).unwrap();
        assert_eq!((presented.id, presented.key), (new.session.id, key.id));
        assert!(presented.proves(&new.session, &key, now));
        assert!(!presented.proves(&other.session, &key, now));
        assert!(!presented.proves(&new.session, &other_key, now));
        assert!(!presented.proves(&new.session, &key, now + LIFETIME));
        let swapped = Session {
            secret_sha256: other.session.secret_sha256,
            ..new.session.clone()
        };
        assert!(
            !presented.proves(&swapped, &key, now),
            "same id, other token"
        );
        assert!(
            !new.cookie
                .expose_secret()
                .contains(&new.session.secret_sha256)
        );
    }

    #[test]
    fn sessions_that_are_over_lie_before_the_oldest_that_is_not() {
        let began = Timestamp::from_millis(1_700_000_000_000);
        let new = NewSession::make(&verifier(1), "Asha".into(), began).unwrap();
        let last = began + (LIFETIME - Duration::from_millis(1));
        assert!(oldest_alive(began) <= new.session.id);
        assert!(oldest_alive(last) <= new.session.id);
        assert!(oldest_alive(began + LIFETIME) > new.session.id);
        assert!(oldest_alive(Timestamp::from_millis(0)) <= new.session.id);
    }

    proptest! {
        #[test]
        fn any_text_is_a_session_or_none(text in ".{0,200}") {
            let _ = PresentedSession::parse(&text);
        }

        #[test]
        fn a_changed_token_is_refused(at in 0usize..43, c in "[A-Za-z0-9_-]") {
            let now = Timestamp::from_millis(1_700_000_000_000);
            let key = verifier(1);
            let new = NewSession::make(&key, String::new(), now).unwrap();
            let text = new.cookie.expose_secret().to_owned();
            let at = text.len() - 43 + at;
            let mut changed = text.clone();
            changed.replace_range(at..=at, &c);
            if changed != text {
                let accepted = PresentedSession::parse(&changed)
                    .is_some_and(|presented| presented.proves(&new.session, &key, now));
                prop_assert!(!accepted);
            }
        }
    }
}
