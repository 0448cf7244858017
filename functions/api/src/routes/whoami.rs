//! `/whoami`.

use axum::extract::State;
use stt_eval_shared::App;
use stt_eval_shared::wire::access::{Right, WhoAmI};
use stt_eval_shared::wire::envelope::Envelope;

use crate::http::auth::AsViewer;
use crate::http::envelope::ok;
use crate::http::error::Answer;
use crate::http::query::{NoQuery, Params};
use crate::refusal::Refusal;
use crate::routes::gather::{Gather, handlers};
use crate::views;

/// The route.
pub fn routes<R: Gather>() -> R {
    R::default().with(handlers!(show))
}

/// Tells whose the API key is: its project, its name and what it may do.
#[utoipa::path(get, path = "/whoami", tag = "keys", operation_id = "whoami",
    responses((status = 200, description = "Who asks", body = Envelope<WhoAmI>)))]
async fn show(
    State(app): State<App>,
    AsViewer(caller): AsViewer,
    Params(NoQuery): Params<NoQuery>,
) -> Answer {
    let actor = caller.actor;
    let record = app.store.key(&actor.project, actor.key).await?;
    // Revoked this very moment.
    let record = record.ok_or_else(Refusal::unauthorized)?;
    ok(WhoAmI {
        project: actor.project.to_string(),
        may: Right::of(actor.role),
        key: views::access::key(record),
    })
}
