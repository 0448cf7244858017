//! Results in the order of samples: position by position, the models of each
//! side by side. The order is arithmetic (place `n` is position `n / models`),
//! so a cursor is a number and pending items need no rows.

use std::collections::HashMap;

use futures::future::try_join_all;
use stt_eval_shared::App;
use stt_eval_shared::domain::run::Run;
use stt_eval_shared::domain::{ProjectId, ResultId};
use stt_eval_shared::store::results::Entry;

use super::selection::{ItemPage, RunItem, Selection, current};
use crate::refusal::Refusal;

/// Most items looked at for one page. A filter that matches little gives short
/// pages with a cursor instead of slow ones.
const MOST_READ: usize = 1_000;
/// Most items looked at for one page in another order: each is read by its keys.
const MOST_SCATTERED: usize = 300;
/// Least items of a window when a filter may leave some out.
const WINDOW: usize = 200;

/// Entries of the selected models at positions `start..end`.
async fn window(
    app: &App,
    project: &ProjectId,
    run: &Run,
    selection: &Selection,
    (start, end): (u16, u16),
) -> Result<HashMap<(u16, u8), Entry>, Refusal> {
    let reads = selection.models.iter().map(|model| {
        app.store
            .results_between(project, run.id, *model, start, end)
    });
    let entries = try_join_all(reads).await?;
    Ok(by_place(run, entries.into_iter().flatten()))
}

/// Entries as they count now, by position and model.
fn by_place(run: &Run, entries: impl Iterator<Item = Entry>) -> HashMap<(u16, u8), Entry> {
    let entries = entries.filter_map(|entry| current(run, entry));
    let place = |entry: &Entry| (entry.outcome.id.position(), entry.outcome.id.model());
    entries.map(|entry| (place(&entry), entry)).collect()
}

/// What of a list is asked for beside its selection.
pub(super) type Takes<'a> = &'a (dyn Fn(Option<&Entry>) -> bool + Sync);

/// One page, from a place on.
pub async fn page(
    app: &App,
    project: &ProjectId,
    run: &Run,
    selection: &Selection,
    from: Option<&str>,
    limit: usize,
) -> Result<ItemPage, Refusal> {
    page_of(app, project, run, (selection, None), from, limit).await
}

/// The same of what something else holds of as well.
pub(super) async fn page_of(
    app: &App,
    project: &ProjectId,
    run: &Run,
    (selection, takes): (&Selection, Option<Takes<'_>>),
    from: Option<&str>,
    limit: usize,
) -> Result<ItemPage, Refusal> {
    let models = selection.models.len();
    let places = models * usize::try_from(run.sample_count).unwrap_or(0);
    let mut at: usize = from.and_then(|text| text.parse().ok()).unwrap_or(0);
    let mut items = Vec::with_capacity(limit);
    let mut read = 0;
    if models == 0 || selection.total(run) == 0 {
        return Ok(ItemPage { items, next: None });
    }
    while at < places && items.len() < limit && read < MOST_READ {
        let missing = limit - items.len();
        let wanted = if selection.filters() || takes.is_some() {
            missing.max(WINDOW)
        } else {
            missing
        };
        let first = at / models;
        let end = (at + wanted).div_ceil(models).min(places / models);
        let bound = |n: usize| u16::try_from(n).unwrap_or(u16::MAX);
        let mut entries = window(app, project, run, selection, (bound(first), bound(end))).await?;
        read += (end - first) * models;
        while at < end * models && items.len() < limit {
            let position = bound(at / models);
            let model = selection.models.get(at % models).copied().unwrap_or(0);
            at += 1;
            let entry = entries.remove(&(position, model));
            let is_meant = takes.is_none_or(|takes| takes(entry.as_ref()));
            if is_meant && selection.takes(position, entry.as_ref()) {
                items.push((item(run, (model, position), entry), at.to_string()));
            }
        }
    }
    Ok(ItemPage {
        items,
        next: (at < places).then(|| at.to_string()),
    })
}

fn item(run: &Run, (model, position): (u8, u16), entry: Option<Entry>) -> RunItem {
    match entry {
        Some(entry) => RunItem::Done(Box::new(entry)),
        None => RunItem::Pending(ResultId::new(run.id, model, position)),
    }
}

/// One page in another order of positions, from a place on.
pub(super) async fn page_in(
    app: &App,
    project: &ProjectId,
    run: &Run,
    selection: &Selection,
    order: &[u16],
    from: Option<&str>,
    limit: usize,
) -> Result<ItemPage, Refusal> {
    let models = selection.models.len();
    let places = models * order.len();
    let mut at: usize = from.and_then(|text| text.parse().ok()).unwrap_or(0);
    let mut items = Vec::with_capacity(limit);
    let mut read = 0;
    if models == 0 || selection.total(run) == 0 {
        return Ok(ItemPage { items, next: None });
    }
    while at < places && items.len() < limit && read < MOST_SCATTERED {
        let missing = limit - items.len();
        let first = at / models;
        let end = (at + missing).div_ceil(models).min(order.len());
        let positions = order.get(first..end).unwrap_or_default();
        let ids = positions.iter().flat_map(|position| {
            let models = selection.models.iter();
            models.map(|model| ResultId::new(run.id, *model, *position))
        });
        let ids: Vec<ResultId> = ids.collect();
        let of = (run.round, run.scorings.current);
        let found = app.store.results_at(project, &ids, of).await?;
        let mut entries = by_place(run, found.into_iter());
        read += positions.len() * models;
        while at < end * models && items.len() < limit {
            let position = order.get(at / models).copied().unwrap_or(u16::MAX);
            let model = selection.models.get(at % models).copied().unwrap_or(0);
            at += 1;
            let entry = entries.remove(&(position, model));
            if selection.takes(position, entry.as_ref()) {
                items.push((item(run, (model, position), entry), at.to_string()));
            }
        }
    }
    Ok(ItemPage {
        items,
        next: (at < places).then(|| at.to_string()),
    })
}
