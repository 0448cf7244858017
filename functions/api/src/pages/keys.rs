//! API keys: one for each person, made and revoked here; and the sessions that were begun
//! with them, which end here.

use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::Uri;
use stt_eval_html::keys::{self as html, Keys, ShownOnce};
use stt_eval_html::layout::Section;
use stt_eval_html::sessions::{Session, Sessions};
use stt_eval_shared::App;
use stt_eval_shared::access::keys::Role;
use stt_eval_shared::domain::{KeyId, SessionId};
use stt_eval_shared::wire::access::{CreatedKey, NewApiKey};

use super::answer::{redirect, written};
use super::form::{Form, token};
use super::paging::Older;
use super::session::Visit;
use crate::http::error::{Answer, status};
use crate::http::id::PathId;
use crate::http::idempotency::Idempotency;
use crate::http::paging::Pager;
use crate::http::query::{Pairs, encoded};
use crate::refusal::{Kind, Refusal};
use crate::routes;
use crate::services::keys;
use crate::services::sessions::{self, Alive};
use crate::views;

/// Parameter of the address that leads through the sessions; `cursor` is that of the keys.
const SESSIONS: &str = "sessions";

fn session(of: Alive) -> Session {
    Session {
        id: of.session.id.to_string(),
        person: of.session.reviewer_name,
        key: of.key_name,
        since: of.session.inserted_at.to_string(),
        until: of.session.expires_at.to_string(),
    }
}

/// What became of a form that was sent.
#[derive(Clone, Copy, Default)]
struct Became<'a> {
    made: Option<&'a CreatedKey>,
    problem: Option<&'a str>,
    /// The form, where it is to be filled in as it was.
    typed: Option<&'a NewApiKey>,
}

async fn page(
    app: &App,
    visit: &Visit,
    query: Option<String>,
    became: Became<'_>,
) -> Result<Response, Refusal> {
    let query = Pairs::any(query.as_deref().unwrap_or_default());
    let caller = &visit.caller;
    let pager = Pager::new(caller, "keys", &[], Older::asked_by(&query, "cursor"))?;
    let by_session = Pager::new(caller, SESSIONS, &[], Older::asked_by(&query, SESSIONS))?;
    let actor = &caller.actor;
    let found = app
        .store
        .list_keys(&actor.project, pager.from(), pager.limit);
    let (page, total) = found.await?;
    let older = Older::address("/keys", &pager.meta(total, page.next.as_deref()));
    let keys: Vec<_> = page.items.into_iter().map(views::access::key).collect();
    let signed_in = sessions::list(app, &actor.project, by_session.from(), by_session.limit);
    let signed_in = signed_in.await?;
    let older_sessions = by_session
        .cursor(signed_in.next.as_deref())
        .map(|cursor| format!("/keys?{SESSIONS}={}", encoded(&cursor.to_string())));
    let signed_in: Vec<_> = signed_in.items.into_iter().map(session).collect();
    let own_session = visit.session.to_string();
    let of = Keys {
        keys: &keys,
        total,
        older: older.as_deref(),
        own: &actor.key.to_string(),
        made: became.made.and_then(|made| {
            let key = made.key.as_ref()?.expose();
            let name = &made.record.name;
            Some(ShownOnce { name, key })
        }),
        token: &token()?,
        problem: became.problem,
        typed: became
            .typed
            .map_or(("", Role::Reviewer), |typed| (&*typed.name, typed.role)),
        sessions: Sessions {
            list: &signed_in,
            older: older_sessions.as_deref(),
            own: &own_session,
        },
    };
    written(html::page(visit.frame("Keys", Section::Keys), of))
}

/// Lists keys, newest first.
pub async fn list(State(app): State<App>, visit: Visit, RawQuery(query): RawQuery) -> Answer {
    visit.needs(Role::Admin)?;
    page(&app, &visit, query, Became::default()).await
}

fn role(form: &Pairs) -> Result<Role, Refusal> {
    let roles = [
        ("viewer", Role::Viewer),
        ("reviewer", Role::Reviewer),
        ("editor", Role::Editor),
        ("admin", Role::Admin),
    ];
    let role = form.choice("role", &roles)?;
    role.ok_or_else(|| Refusal::invalid_field("role", "must be given"))
}

/// Makes a key, once for each form, and shows it this once: no other page will.
pub async fn make(State(app): State<App>, visit: Visit, uri: Uri, Form(form): Form) -> Answer {
    visit.needs(Role::Admin)?;
    let idempotency = Idempotency::of_form(form.text("token").unwrap_or_default(), uri)?;
    let new = NewApiKey {
        name: form.text("name").unwrap_or_default().to_owned(),
        role: role(&form)?,
    };
    // Whatever a form says that has made a key, it makes no other.
    let made = routes::keys::made(&app, &visit.caller, &idempotency, b"", new.clone());
    match made.await {
        Ok((_, made)) => {
            let told = "a key was made with this form already, and was shown then; if it is not \
                        at hand, revoke it and make another";
            let problem = made.key.is_none().then_some(told);
            let became = Became {
                made: Some(&made),
                problem,
                typed: None,
            };
            let mut response = page(&app, &visit, None, became).await?;
            if problem.is_some() {
                *response.status_mut() = status(Kind::Conflict);
            }
            Ok(response)
        }
        Err(refusal) if refusal.kind == Kind::Invalid => {
            let became = Became {
                problem: Some(&refusal.message),
                typed: Some(&new),
                ..Became::default()
            };
            let mut response = page(&app, &visit, None, became).await?;
            *response.status_mut() = status(refusal.kind);
            Ok(response)
        }
        Err(refusal) => Err(refusal),
    }
}

/// Revokes a key, and with it its sessions.
pub async fn revoke(State(app): State<App>, visit: Visit, id: PathId<KeyId>) -> Answer {
    visit.needs(Role::Admin)?;
    keys::revoke(&app, &visit.caller.actor, id.get()?).await?;
    Ok(redirect("/keys"))
}

/// Ends a session: its browser is signed out with its next request.
pub async fn end_session(State(app): State<App>, visit: Visit, id: PathId<SessionId>) -> Answer {
    visit.needs(Role::Admin)?;
    sessions::end(&app, &visit.caller.actor, id.get()?).await?;
    Ok(redirect("/keys"))
}
