//! Clips that do not tell a reviewer which model is which, in runs that hide their models.

use std::collections::{BTreeSet, HashSet};

use stt_eval_shared::App;
use stt_eval_shared::access::keys::Role;
use stt_eval_shared::domain::ResultId;
use stt_eval_shared::domain::run::Run;

use super::clip;
use super::selection::ItemPage;
use crate::actor::Actor;
use crate::refusal::{Kind, Refusal};

/// Which of some clips do not tell the one who asks which model is which: where a run hides
/// its models, those that they have still to judge. Those who start runs know what they have
/// chosen.
///
/// # Errors
/// When they can't be read.
pub async fn hidden(
    app: &App,
    actor: &Actor,
    run: &Run,
    positions: BTreeSet<u16>,
) -> Result<HashSet<u16>, Refusal> {
    if !run.blind_review || actor.role != Role::Reviewer {
        return Ok(HashSet::new());
    }
    let who = actor.reviewer();
    let positions: Vec<u16> = positions.into_iter().collect();
    let clips = clip::at(app, &actor.project, run, &positions).await?;
    let open = clips.iter().filter(|clip| clip.is_open(&who));
    Ok(open.map(|clip| clip.position).collect())
}

/// Takes out of a page of results what is [`hidden`].
///
/// # Errors
/// When clips can't be read.
pub async fn hide(
    app: &App,
    actor: &Actor,
    run: &Run,
    found: &mut ItemPage,
) -> Result<(), Refusal> {
    let positions = found.items.iter().map(|(item, _)| item.position());
    let hidden = hidden(app, actor, run, positions.collect()).await?;
    found
        .items
        .retain(|(item, _)| !hidden.contains(&item.position()));
    Ok(())
}

/// Refuses what tells of a result which model it is of, as long as that is hidden.
///
/// # Errors
/// When it is hidden, or that can't be told.
pub async fn may_see(app: &App, actor: &Actor, run: &Run, id: ResultId) -> Result<(), Refusal> {
    let position = id.position();
    if hidden(app, actor, run, BTreeSet::from([position]))
        .await?
        .is_empty()
    {
        return Ok(());
    }
    Err(Refusal::new(
        Kind::Forbidden,
        "in this run models are hidden until you have judged, and this names one; judge the clip \
         on the pages of the review first",
    ))
}
