//! API keys: one for each person, made and revoked here.

use axum::extract::{RawQuery, State};
use axum::response::Response;
use secrecy::ExposeSecret;
use stt_eval_html::keys::{self as html, Keys, ShownOnce};
use stt_eval_html::layout::Section;
use stt_eval_shared::App;
use stt_eval_shared::access::keys::{NewKey, Role};
use stt_eval_shared::domain::{KeyId, Timestamp};
use stt_eval_shared::wire::access::NewApiKey;

use super::answer::{redirect, written};
use super::form::Form;
use super::paging::Older;
use super::session::Visit;
use crate::http::error::{Answer, status};
use crate::http::id::PathId;
use crate::http::paging::Pager;
use crate::http::query::Pairs;
use crate::refusal::{Kind, Refusal};
use crate::services::attempt::Attempt;
use crate::services::keys;
use crate::views;

async fn page(
    app: &App,
    visit: &Visit,
    query: Option<String>,
    made: Option<&NewKey>,
    problem: Option<&str>,
) -> Result<Response, Refusal> {
    let pager = Pager::new(&visit.caller, "keys", &[], Older::asked(query))?;
    let actor = &visit.caller.actor;
    let found = app
        .store
        .list_keys(&actor.project, pager.from(), pager.limit);
    let (page, total) = found.await?;
    let older = Older::address("/keys", &pager.meta(total, page.next.as_deref()));
    let keys: Vec<_> = page.items.into_iter().map(views::access::key).collect();
    let of = Keys {
        keys: &keys,
        total,
        older: older.as_deref(),
        own: &actor.key.to_string(),
        made: made.map(|made| ShownOnce {
            name: &made.record.name,
            key: made.text.expose_secret(),
        }),
        problem,
    };
    written(html::page(visit.frame("Keys", Section::Keys), of))
}

/// Lists keys, newest first.
pub async fn list(State(app): State<App>, visit: Visit, RawQuery(query): RawQuery) -> Answer {
    visit.needs(Role::Admin)?;
    page(&app, &visit, query, None, None).await
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

/// Makes a key, and shows it this once: no other page will.
pub async fn make(State(app): State<App>, visit: Visit, Form(form): Form) -> Answer {
    visit.needs(Role::Admin)?;
    let caller = &visit.caller;
    let new = NewApiKey {
        name: form.text("name").unwrap_or_default().to_owned(),
        role: role(&form)?,
    };
    let attempt = Attempt::new(caller.actor.project.clone(), None, Timestamp::now());
    match keys::make(&app, &caller.actor, &caller.cursor_secret, &attempt, new).await {
        Ok(made) => page(&app, &visit, None, Some(&made), None).await,
        Err(refusal) if refusal.kind == Kind::Invalid => {
            let mut response = page(&app, &visit, None, None, Some(&refusal.message)).await?;
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
