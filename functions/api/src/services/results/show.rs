//! What clients see of results.

use std::collections::BTreeMap;

use stt_eval_shared::App;
use stt_eval_shared::domain::dataset::Sample;
use stt_eval_shared::domain::run::Run;
use stt_eval_shared::domain::unit::Span;
use stt_eval_shared::domain::{ProjectId, ResultId};
use stt_eval_shared::store::results::Entry;
use stt_eval_shared::wire;

use super::hidden::may_see;
use super::selection::{ItemPage, RunItem, Selection, Shown, current, exists};
use crate::actor::Actor;
use crate::refusal::Refusal;
use crate::services::{MAX_PAGE_BYTES, signing};
use crate::views;

/// Samples by position.
type Samples = BTreeMap<u16, Sample>;

/// What clients see of a page of items, and where the next page begins.
type Seen = (Vec<wire::results::Result>, Option<String>);

/// The samples at some positions, asked for at once.
async fn samples_at(
    app: &App,
    project: &ProjectId,
    run: &Run,
    mut positions: Vec<u16>,
) -> Result<Samples, Refusal> {
    positions.sort_unstable();
    positions.dedup();
    let mut spans: Vec<Span> = Vec::new();
    for position in positions {
        match spans.last_mut() {
            Some(span) if span.end == position => span.end = position + 1,
            _ => spans.push(Span {
                start: position,
                end: position + 1,
            }),
        }
    }
    if spans.is_empty() {
        return Ok(Samples::new());
    }
    let samples = app.store.samples_in(project, run.dataset, &spans).await?;
    Ok(samples
        .into_iter()
        .map(|sample| (sample.id.position(), sample))
        .collect())
}

/// What clients see of a page of items, and where the next page begins. The
/// page ends early when it would not fit into an answer. An item whose sample
/// is gone is left out: its dataset is being deleted, and the run with it.
pub async fn show(
    app: &App,
    project: &ProjectId,
    run: &Run,
    selection: &Selection,
    found: ItemPage,
) -> Result<Seen, Refusal> {
    let items = found.items.iter().map(|(item, _)| item);
    // What is done tells of its sample all but where the recording is.
    let needed = items
        .filter(|item| selection.shown.signed_url || matches!(item, RunItem::Pending(_)))
        .map(RunItem::position);
    let samples = samples_at(app, project, run, needed.collect()).await?;
    Ok(seen(app, run, selection.shown, found, &samples).await)
}

/// The same, and the samples of all the items: none of them is read twice.
pub async fn show_with_samples(
    app: &App,
    project: &ProjectId,
    run: &Run,
    selection: &Selection,
    found: ItemPage,
) -> Result<(Seen, Samples), Refusal> {
    let all = found.items.iter().map(|(item, _)| item.position());
    let samples = samples_at(app, project, run, all.collect()).await?;
    let seen = seen(app, run, selection.shown, found, &samples).await;
    Ok((seen, samples))
}

async fn seen(app: &App, run: &Run, shown: Shown, found: ItemPage, samples: &Samples) -> Seen {
    let wanted = shown.signed_url;
    let mut views = Vec::with_capacity(found.items.len());
    let mut bytes = 0;
    let mut items = found.items.into_iter();
    while let Some((item, place)) = items.next() {
        let view = match item {
            RunItem::Pending(id) => {
                let Some(sample) = samples.get(&id.position()) else {
                    continue;
                };
                let url = signing::sample_url(app, sample, wanted).await;
                views::results::pending(run, id, sample, shown.alignment, url)
            }
            RunItem::Done(entry) => {
                let Entry {
                    outcome, review, ..
                } = *entry;
                let url = match samples.get(&outcome.id.position()) {
                    Some(sample) => signing::sample_url(app, sample, wanted).await,
                    None => wanted.then_some(None),
                };
                views::results::done(run, outcome, review, shown.alignment, url)
            }
        };
        bytes += views::results::weight(&view);
        views.push(view);
        if bytes > MAX_PAGE_BYTES && items.len() > 0 {
            return (views, Some(place));
        }
    }
    (views, found.next)
}

/// A run and one of its results, as it counts; `None` while that is pending.
///
/// # Errors
/// When there is no such result, or its model is hidden.
pub(super) async fn find(
    app: &App,
    actor: &Actor,
    id: ResultId,
) -> Result<(Run, Option<Entry>), Refusal> {
    let no_such = || Refusal::no_such("result");
    let run = app.store.run(&actor.project, id.run()).await?;
    let run = run.ok_or_else(no_such)?;
    if !exists(&run, id) {
        return Err(no_such());
    }
    may_see(app, actor, &run, id).await?;
    let entry = app.store.result(&actor.project, id).await?;
    let entry = entry.and_then(|entry| current(&run, entry));
    Ok((run, entry))
}

/// What clients see of one result.
///
/// # Errors
/// When there is no such result, or its model is hidden.
pub async fn one(
    app: &App,
    actor: &Actor,
    id: ResultId,
    shown: Shown,
) -> Result<wire::results::Result, Refusal> {
    let (run, entry) = find(app, actor, id).await?;
    let item = match entry {
        Some(entry) => RunItem::Done(Box::new(entry)),
        None => RunItem::Pending(id),
    };
    let selection = Selection {
        shown,
        ..Selection::default()
    };
    let found = ItemPage {
        items: vec![(item, String::new())],
        next: None,
    };
    let (mut results, _) = show(app, &actor.project, &run, &selection, found).await?;
    results.pop().ok_or_else(|| Refusal::no_such("result"))
}
