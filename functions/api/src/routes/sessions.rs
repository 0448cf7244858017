//! `/sessions`: people who are signed in on the pages.

use axum::extract::State;
use futures::future::try_join;
use stt_eval_shared::App;
use stt_eval_shared::domain::SessionId;
use stt_eval_shared::wire::access::Session;
use stt_eval_shared::wire::envelope::{Deleted, Envelope, ListEnvelope};

use crate::http::auth::AsAdmin;
use crate::http::envelope::ok;
use crate::http::error::Answer;
use crate::http::id::PathId;
use crate::http::paging::Pager;
use crate::http::query::{NoQuery, Paging, Params};
use crate::routes::gather::{Gather, handlers};
use crate::services::sessions::{self, Alive};

/// The routes of sessions.
pub fn routes<R: Gather>() -> R {
    R::default().with(handlers!(index)).with(handlers!(delete))
}

fn shown(of: Alive) -> Session {
    Session {
        id: of.session.id,
        reviewer_name: of.session.reviewer_name,
        key_id: of.session.key_id,
        key_name: of.key_name,
        inserted_at: of.session.inserted_at,
        expires_at: of.session.expires_at,
    }
}

/// Lists sessions of the pages that are good now, newest first.
///
/// Those of keys that were revoked are left out, but counted in `total`: a page may be
/// shorter than `limit` and still have a `next_cursor`.
#[utoipa::path(get, path = "/sessions", tag = "keys", operation_id = "list_sessions", params(Paging),
    responses((status = 200, description = "A page of sessions", body = ListEnvelope<Session>)))]
async fn index(
    State(app): State<App>,
    AsAdmin(caller): AsAdmin,
    Params(paging): Params<Paging>,
) -> Answer {
    // The list of the page of keys, whose cursors are good here as well.
    let pager = Pager::new(&caller, "sessions", &[], paging)?;
    let project = &caller.actor.project;
    let found = try_join(
        sessions::list(&app, project, pager.from(), pager.limit),
        sessions::count(&app, project),
    );
    pager.answer(found.await?, shown)
}

/// Ends a session: its browser is signed out with its next request.
#[utoipa::path(delete, path = "/sessions/{id}", tag = "keys", operation_id = "end_session",
    params(("id" = SessionId, Path, description = "Id of the session")),
    responses((status = 200, description = "It has ended", body = Envelope<Deleted<SessionId>>)))]
async fn delete(
    State(app): State<App>,
    AsAdmin(caller): AsAdmin,
    Params(NoQuery): Params<NoQuery>,
    id: PathId<SessionId>,
) -> Answer {
    let id = id.get()?;
    sessions::end(&app, &caller.actor, id).await?;
    ok(Deleted { id, deleted: true })
}
