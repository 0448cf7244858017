//! Sessions of people, begun with an API key and a name.

use std::collections::{BTreeMap, BTreeSet};

use stt_eval_shared::App;
use stt_eval_shared::access::keys::PresentedKey;
use stt_eval_shared::access::sessions::{ListedSession, NewSession, oldest_alive};
use stt_eval_shared::domain::{ProjectId, SessionId, Timestamp, validate};
use stt_eval_shared::store::Page;

use crate::actor::Actor;
use crate::refusal::Refusal;

/// Longest name of a person, in characters.
const MAX_NAME: usize = 100;
/// The zero-width non-joiner and the zero-width joiner.
const JOINERS: [char; 2] = ['\u{200c}', '\u{200d}'];

/// Why no session begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotSignedIn {
    /// The key is mistyped, unknown or revoked; in which way is not told.
    Key,
    /// There is no name, or one that is too long or has characters in it that are not seen.
    Name,
}

/// Begins a session.
///
/// # Errors
/// When the tables can't be read or written, or there is no randomness.
pub async fn begin(
    app: &App,
    key: &str,
    name: &str,
) -> Result<Result<NewSession, NotSignedIn>, Refusal> {
    // What looks alike is one person, as agreement is counted between people: characters that
    // are not seen are refused, and joiners, which spell words, join nothing at an end.
    let name = name.trim_matches(|c: char| c.is_whitespace() || JOINERS.contains(&c));
    let Ok(name) = validate::name("name", name) else {
        return Ok(Err(NotSignedIn::Name));
    };
    if name.chars().count() > MAX_NAME {
        return Ok(Err(NotSignedIn::Name));
    }
    let Some(presented) = PresentedKey::parse(key) else {
        return Ok(Err(NotSignedIn::Key));
    };
    let verifier = app.store.verifier(presented.id).await?;
    let Some(verifier) = verifier.filter(|verifier| presented.proves(verifier)) else {
        return Ok(Err(NotSignedIn::Key));
    };
    let new = NewSession::make(&verifier, name, Timestamp::now())?;
    app.store.create_session(&new.session).await?;
    Ok(Ok(new))
}

/// A session that is good now, and the key that it has its rights from.
pub struct Alive {
    /// The session.
    pub session: ListedSession,
    /// Name of the key.
    pub key_name: String,
}

/// Sessions of a project that are good now, newest first. A page may hold fewer than were
/// asked for: those of revoked keys are left out.
///
/// # Errors
/// When the tables can't be read.
pub async fn list(
    app: &App,
    project: &ProjectId,
    after: Option<&str>,
    limit: usize,
) -> Result<Page<Alive>, Refusal> {
    let oldest = oldest_alive(Timestamp::now());
    let found = app.store.list_sessions(project, oldest, after, limit);
    let Page { items, next } = found.await?;
    let mut ids = BTreeSet::new();
    ids.extend(items.iter().map(|session| session.key_id));
    let keys = app.store.keys_of(project, ids).await?;
    let mut names = BTreeMap::new();
    names.extend(keys.into_iter().map(|key| (key.id, key.name)));
    let alive = |session: ListedSession| {
        let key_name: String = names.get(&session.key_id)?.clone();
        Some(Alive { session, key_name })
    };
    Ok(Page {
        items: items.into_iter().filter_map(alive).collect(),
        next,
    })
}

/// How many sessions of a project are not over, those of revoked keys among them.
///
/// # Errors
/// When the table can't be read.
pub async fn count(app: &App, project: &ProjectId) -> Result<u64, Refusal> {
    let oldest = oldest_alive(Timestamp::now());
    Ok(app.store.count_sessions(project, oldest).await?)
}

/// Ends a session of the actor's project: the next request of its browser is led to
/// sign-in.
///
/// # Errors
/// When the project has no such session, or it can't be ended.
pub async fn end(app: &App, actor: &Actor, id: SessionId) -> Result<(), Refusal> {
    if app.store.end_session(&actor.project, id).await? {
        Ok(())
    } else {
        Err(Refusal::no_such("session"))
    }
}
