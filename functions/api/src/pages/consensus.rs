//! References for clips that have none, from what the models of a run agree on.

use axum::extract::{RawQuery, State};
use stt_eval_html::consensus::{self as html, Proposed, Saved, Shown};
use stt_eval_html::layout::Section;
use stt_eval_shared::App;
use stt_eval_shared::access::keys::Role;
use stt_eval_shared::domain::RunId;
use stt_eval_shared::domain::run::Run;
use stt_eval_shared::scoring::align_words;
use stt_eval_shared::scoring::normalise::Normaliser;
use stt_eval_shared::wire::consensus::{Acceptance, Acceptances, Proposal};
use stt_eval_shared::wire::object::Object;
use stt_eval_shared::wire::scored::aligned_word;
use stt_eval_shared::wire::scores::AlignedWord;

use super::answer::{redirect, written};
use super::form::Form;
use super::session::Visit;
use crate::http::error::Answer;
use crate::http::id::PathId;
use crate::http::query::Pairs;
use crate::services::results::consensus::{self, check};
use crate::services::runs;

/// Clips of a page: each has a player.
const CLIPS: usize = 25;

/// A number of a query; 0 for what is none.
fn number<T: std::str::FromStr + Default>(query: &Pairs, name: &str) -> T {
    let given = query.text(name).and_then(|text| text.parse().ok());
    given.unwrap_or_default()
}

/// The words of each transcription beside those that are proposed. Where all say the same
/// there is nothing to be marked; what can't be aligned is shown as it is.
fn aligned(run: &Run, of: &Proposal) -> Vec<Option<Vec<AlignedWord>>> {
    let normaliser = Normaliser::by_name(run.current_normalizer()).unwrap_or_default();
    if of.sure {
        return Vec::new();
    }
    let heard = of.transcriptions.iter().map(|heard| {
        let (said, text) = (&of.ground_truth, &heard.transcription);
        let words = align_words(said, text, &of.language, &normaliser).ok()?;
        Some(words.into_iter().map(aligned_word).collect())
    });
    heard.collect()
}

/// Shows what is proposed for clips from a position on.
pub async fn show(
    State(app): State<App>,
    visit: Visit,
    id: PathId<RunId>,
    RawQuery(query): RawQuery,
) -> Answer {
    let query = Pairs::any(query.as_deref().unwrap_or_default());
    let project = &visit.caller.actor.project;
    let run = runs::find(&app, project, id.get()?).await?;
    let from = number(&query, "from");
    let found = consensus::page(&app, project, &run, from, CLIPS).await?;
    let proposals = found.proposals.into_iter();
    let clips: Vec<_> = proposals
        .map(|proposal| proposal.shown(&run))
        .map(|proposal| (aligned(&run, &proposal), proposal))
        .collect();
    let clips: Vec<_> = clips
        .iter()
        .map(|(aligned, proposal)| Proposed { proposal, aligned })
        .collect();
    let of = Shown {
        run_name: &run.name,
        run: &format!("/runs/{}", run.id),
        clips: &clips,
        without: found.without as u64,
        from,
        next: found.next,
        may_edit: visit.may(Role::Editor),
        saved: query.text("saved").map(|_| Saved {
            saved: number(&query, "saved"),
            left_alone: number(&query, "left"),
        }),
    };
    written(html::page(
        visit.frame(&run.name, Section::Runs).part("Consensus"),
        of,
    ))
}

/// Saves what was ticked, as it was looked at.
pub async fn accept(
    State(app): State<App>,
    visit: Visit,
    id: PathId<RunId>,
    Form(form): Form,
) -> Answer {
    visit.needs(Role::Editor)?;
    let run = runs::find(&app, &visit.caller.actor.project, id.get()?).await?;
    let from: u16 = number(&form, "from");
    let ticked = form.ticked("accept.").map(|sample| {
        let etag = form.text(&format!("accept.{sample}")).unwrap_or_default();
        Object(Acceptance {
            sample_id: sample.to_owned(),
            etag: etag.to_owned(),
        })
    });
    let given = Acceptances {
        accept: ticked.collect(),
    };
    let became = if given.accept.is_empty() {
        Vec::new()
    } else {
        let accepted = check(&run, given)?;
        consensus::accept(&app, &visit.caller.actor, &run, &accepted).await?
    };
    let saved = became.iter().filter(|(_, became)| became.is_ok()).count();
    let left = became.len() - saved;
    Ok(redirect(&format!(
        "/runs/{}/consensus?from={from}&saved={saved}&left={left}",
        run.id
    )))
}
