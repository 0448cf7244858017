//! `/runs/{id}/consensus`.

use axum::extract::State;
use stt_eval_shared::App;
use stt_eval_shared::domain::RunId;
use stt_eval_shared::wire::consensus::{Acceptances, Accepted, LeftAlone, Proposal};
use stt_eval_shared::wire::envelope::{Envelope, ListEnvelope};

use crate::http::auth::{AsEditor, AsViewer};
use crate::http::envelope::{list, ok};
use crate::http::error::Answer;
use crate::http::id::PathId;
use crate::http::json::JsonBody;
use crate::http::paging::Pager;
use crate::http::query::{NoQuery, Paging, Params};
use crate::routes::gather::{Gather, handlers};
use crate::services::results::consensus::{self, check};
use crate::services::runs;

/// The routes of references from what models agree on.
pub fn routes<R: Gather>() -> R {
    R::default().with(handlers!(propose, accept))
}

/// Proposes references for clips that have none: of each the transcription that is
/// nearest to those of all other models.
///
/// Clips of which fewer than two models have a transcription are left out; `total` counts
/// them all the same. A page may be shorter than `limit` and still have a `next_cursor`.
#[utoipa::path(get, path = "/runs/{id}/consensus", tag = "datasets",
    operation_id = "propose_references",
    params(("id" = RunId, Path, description = "Id of the run"), Paging),
    responses((status = 200, description = "A page of proposals", body = ListEnvelope<Proposal>)))]
async fn propose(
    State(app): State<App>,
    AsViewer(caller): AsViewer,
    Params(paging): Params<Paging>,
    id: PathId<RunId>,
) -> Answer {
    let project = &caller.actor.project;
    let run = runs::find(&app, project, id.get()?).await?;
    let pager = Pager::new(&caller, "consensus", &[&run.id.to_string()], paging)?;
    let from = pager.from().and_then(|from| from.parse().ok()).unwrap_or(0);
    let (references, found) = futures::future::try_join(
        runs::references(&app, &run),
        consensus::page(&app, project, &run, from, pager.limit),
    )
    .await?;
    let next = found.next.map(|next| next.to_string());
    let proposals = found.proposals.into_iter();
    let shown = proposals.map(|proposal| proposal.shown(&run));
    list(
        shown.collect(),
        pager.meta(references.missing, next.as_deref()),
    )
}

/// Saves proposals as references, as they were looked at.
///
/// A reference that stands is never replaced. A clip that has one by now, or of which
/// another is proposed by now, is left alone and told. Sent twice, it is done once.
#[utoipa::path(post, path = "/runs/{id}/consensus", tag = "datasets",
    operation_id = "accept_references",
    params(("id" = RunId, Path, description = "Id of the run")), request_body = Acceptances,
    responses((status = 200, description = "What became of each", body = Envelope<Accepted>)))]
async fn accept(
    State(app): State<App>,
    AsEditor(caller): AsEditor,
    Params(NoQuery): Params<NoQuery>,
    id: PathId<RunId>,
    JsonBody { value, .. }: JsonBody<Acceptances>,
) -> Answer {
    let run = runs::find(&app, &caller.actor.project, id.get()?).await?;
    let accepted = check(&run, value)?;
    let mut answer = Accepted {
        saved: Vec::new(),
        left_alone: Vec::new(),
    };
    for (sample_id, became) in consensus::accept(&app, &caller.actor, &run, &accepted).await? {
        match became {
            Ok(()) => answer.saved.push(sample_id),
            Err(message) => answer.left_alone.push(LeftAlone { sample_id, message }),
        }
    }
    ok(answer)
}
