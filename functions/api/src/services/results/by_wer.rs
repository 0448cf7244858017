//! Scored results by word error rate, worst or best first.

use std::collections::HashMap;

use stt_eval_shared::App;
use stt_eval_shared::domain::run::Run;
use stt_eval_shared::domain::{ProjectId, ResultId};
use stt_eval_shared::store::results::Entry;

use super::selection::{ItemPage, RunItem, Selection, current};
use crate::refusal::Refusal;

/// Most keys looked at for one page.
const MOST_READ: usize = 1_000;

/// One page, after a place in the index.
pub async fn page(
    app: &App,
    project: &ProjectId,
    run: &Run,
    selection: &Selection,
    worst_first: bool,
    from: Option<String>,
    limit: usize,
) -> Result<ItemPage, Refusal> {
    let mut after = from;
    let mut items = Vec::with_capacity(limit);
    let (mut read, mut more) = (0, true);
    if selection.total_scored(run) == 0 {
        return Ok(ItemPage { items, next: None });
    }
    let some_models = selection.models.len() < run.models.len();
    while more && items.len() < limit && read < MOST_READ {
        let missing = limit - items.len();
        let wanted = if some_models || selection.filters() {
            missing.max(100)
        } else {
            missing
        };
        let (keys, has_more) = app
            .store
            .results_by_wer(
                project,
                run.id,
                run.scorings.current,
                worst_first,
                after.as_deref(),
                wanted,
            )
            .await?;
        more = has_more;
        read += keys.len().max(1);
        let selected: Vec<(ResultId, String)> = keys
            .iter()
            .filter(|(id, _)| selection.models.contains(&id.model()))
            .cloned()
            .collect();
        let entries = app.store.results(project, &selected).await?;
        let mut entries: HashMap<ResultId, Entry> = entries
            .into_iter()
            .filter_map(|entry| current(run, entry))
            .map(|entry| (entry.outcome.id, entry))
            .collect();
        let mut keys = keys.into_iter();
        for (id, place) in keys.by_ref() {
            let entry = entries
                .remove(&id)
                .filter(|entry| selection.takes(id.position(), Some(entry)));
            if let Some(entry) = entry {
                items.push((RunItem::Done(Box::new(entry)), place.clone()));
            }
            after = Some(place);
            if items.len() == limit {
                break;
            }
        }
        more = more || keys.len() > 0;
    }
    Ok(ItemPage {
        items,
        next: after.filter(|_| more),
    })
}
