//! The list of datasets.

use axum::extract::{RawQuery, State};
use stt_eval_html::datasets as html;
use stt_eval_html::layout::Section;
use stt_eval_html::offers::Offers;
use stt_eval_shared::App;
use stt_eval_shared::access::keys::Role;

use super::answer::written;
use super::demo;
use super::paging::Older;
use super::session::Visit;
use crate::http::error::Answer;
use crate::http::paging::Pager;
use crate::http::query::Pairs;
use crate::views;

/// Lists datasets, newest first.
pub async fn list(State(app): State<App>, visit: Visit, RawQuery(query): RawQuery) -> Answer {
    let query = Pairs::any(query.as_deref().unwrap_or_default());
    let asked = Older::asked_by(&query, "cursor");
    let pager = Pager::new(&visit.caller, "datasets", &[], asked)?;
    let project = &visit.caller.actor.project;
    let found = app.store.list_datasets(project, pager.from(), pager.limit);
    let (page, total) = found.await?;
    let older = Older::address("/datasets", &pager.meta(total, page.next.as_deref()));
    let view = |dataset| views::datasets::dataset(dataset, None);
    let datasets: Vec<_> = page.items.into_iter().map(view).collect();
    let frame = visit.frame("Datasets", Section::Datasets);
    let offers = Offers {
        make: visit.may(Role::Editor),
        no_datasets: total == 0,
        demo: demo::is_offered(&app, &visit),
    };
    let (older, deleted) = (older.as_deref(), query.text("deleted"));
    written(html::list(frame, &datasets, total, older, deleted, offers))
}
