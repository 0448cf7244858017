//! Who looks at a page: a session, checked against its record and its key's.

use axum::extract::FromRequestParts;
use http::HeaderMap;
use http::header::COOKIE;
use http::request::Parts;
use stt_eval_html::keys;
use stt_eval_html::layout::{Frame, Medium, Section, Visitor};
use stt_eval_shared::App;
use stt_eval_shared::access::keys::Role;
use stt_eval_shared::access::sessions::PresentedSession;
use stt_eval_shared::domain::{SessionId, Timestamp};

use super::place::Place;
use crate::actor::Actor;
use crate::http::auth::Caller;
use crate::refusal::{Kind, Refusal};

/// Parts of the site that there are for everybody.
const SECTIONS: &[Section] = &[
    Section::Datasets,
    Section::Runs,
    Section::Settings,
    Section::Help,
];
/// And for those who may manage keys.
const OF_ADMINS: &[Section] = &Section::ALL;

/// One who is signed in.
pub struct Visit {
    /// Who asks, with the rights of the key.
    pub caller: Caller,
    /// The name given at sign-in.
    pub name: String,
    /// The session.
    pub session: SessionId,
    /// When it ends by itself.
    pub until: Timestamp,
    place: Place,
}

/// The session that a request presents.
fn presented(headers: &HeaderMap, place: Place) -> Option<PresentedSession> {
    let lines = headers.get_all(COOKIE).iter();
    let cookies = lines.filter_map(|line| line.to_str().ok());
    let mut pairs = cookies
        .flat_map(|line| line.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='));
    let (_, value) = pairs.find(|(name, _)| *name == place.cookie_name())?;
    PresentedSession::parse(value)
}

/// Whether a request presents a session, good or not.
pub(super) fn was_signed_in(headers: &HeaderMap) -> bool {
    presented(headers, Place::of(headers)).is_some()
}

impl Visit {
    /// The visit of a request; `None` without a session that is good now.
    pub async fn of(headers: &HeaderMap, app: &App) -> Result<Option<Self>, Refusal> {
        let place = Place::of(headers);
        let Some(presented) = presented(headers, place) else {
            return Ok(None);
        };
        let found = app.store.session(presented.id, presented.key).await?;
        let now = Timestamp::now();
        let Some((session, verifier)) =
            found.filter(|(session, verifier)| presented.proves(session, verifier, now))
        else {
            return Ok(None);
        };
        tracing::Span::current()
            .record("project_id", verifier.project.as_str())
            .record("key_id", tracing::field::display(verifier.id));
        Ok(Some(Self {
            caller: Caller {
                actor: Actor {
                    project: verifier.project,
                    key: verifier.id,
                    role: verifier.role,
                    name: Some(session.reviewer_name.clone()),
                },
                cursor_secret: verifier.cursor_secret,
            },
            name: session.reviewer_name,
            session: session.id,
            until: session.expires_at,
            place,
        }))
    }

    /// Whether the key may do what takes a role.
    #[must_use]
    pub fn may(&self, needed: Role) -> bool {
        self.caller.actor.role >= needed
    }

    /// Refuses what the key may not do.
    ///
    /// # Errors
    /// When its role is too weak.
    pub fn needs(&self, needed: Role) -> Result<(), Refusal> {
        if self.may(needed) {
            Ok(())
        } else {
            let role = keys::called(needed);
            Err(Refusal::new(
                Kind::Forbidden,
                format!("your role does not allow it: that takes the role {role}"),
            ))
        }
    }

    /// What is around a page for this visitor.
    #[must_use]
    pub fn frame<'a>(&'a self, title: &'a str, section: Section) -> Frame<'a> {
        Frame {
            title,
            part: None,
            medium: Medium::Site,
            section: Some(section),
            visitor: Some(Visitor {
                name: &self.name,
                sections: if self.may(Role::Admin) {
                    OF_ADMINS
                } else {
                    SECTIONS
                },
                left: self.until.since(Timestamp::now()).as_secs(),
            }),
            unencrypted: !self.place.is_trustworthy(),
        }
    }
}

impl FromRequestParts<App> for Visit {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        let visit = Self::of(&parts.headers, app).await?;
        visit.ok_or_else(Refusal::unauthorized)
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use http::header::HOST;

    use super::*;

    #[test]
    fn the_cookie_is_found_by_its_whole_name() {
        let token = "A".repeat(43);
        let id = "01KAR8F3V4N7C3Q8Z5W2Y0H6M1";
        let value = format!("ses_{id}.key_{id}.{token}");
        for (line, found) in [
            (format!("__Host-stt={value}"), true),
            (format!("a=b; __Host-stt={value}; c=d"), true),
            // Any page of this host could have set it.
            (format!("stt={value}"), false),
            (format!("x__Host-stt={value}"), false),
            (format!("__Host-stt={value}x"), false),
            (format!("__Host-stt={id}.{id}.{token}"), false),
            ("__Host-stt=".to_owned(), false),
            (String::new(), false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, HeaderValue::from_static("localhost"));
            headers.insert(COOKIE, HeaderValue::from_str(&line).unwrap());
            let place = Place::of(&headers);
            assert_eq!(presented(&headers, place).is_some(), found, "{line}");
        }
    }
}
