//! How a run compares with another one over the same dataset.

use axum::extract::{RawQuery, State};
use stt_eval_html::compare::{self as html, Asked};
use stt_eval_html::layout::Section;
use stt_eval_shared::App;
use stt_eval_shared::access::keys::Role;
use stt_eval_shared::domain::RunId;
use stt_eval_shared::store::runs::RunFilter;
use stt_eval_shared::wire::report::SPEAKER;

use super::answer::written;
use super::session::Visit;
use crate::http::error::Answer;
use crate::http::id::PathId;
use crate::http::query::Pairs;
use crate::refusal::Refusal;
use crate::services::report::ComparisonQuestion;
use crate::services::report::blocks::{self, Blocks};
use crate::services::runs;
use crate::views;

/// Runs that can be chosen from.
const LISTED: usize = 100;

/// Shows which runs there are to compare with, and how the chosen one compares.
pub async fn show(
    State(app): State<App>,
    visit: Visit,
    id: PathId<RunId>,
    RawQuery(query): RawQuery,
) -> Answer {
    let id = id.get()?;
    let query = Pairs::any(query.as_deref().unwrap_or_default());
    // Fields that are left empty in a form are not given.
    let text = |name| query.text(name).filter(|text| !text.is_empty());
    let project = &visit.caller.actor.project;
    let run = runs::find(&app, project, id).await?;
    let blocks = Blocks::asked(query.text("block_by"));
    let question = ComparisonQuestion {
        block_by: None,
        normalizer: text("normalizer").map(str::to_owned),
    };
    let found = match text("with") {
        Some(other) => {
            let other = other.parse().map_err(|_| Refusal::no_such("run"))?;
            let has_speakers = match blocks {
                Blocks::Usual => {
                    let fields = blocks::fields(&app, project, run.dataset).await?;
                    fields.contains(SPEAKER)
                }
                _ => false,
            };
            let (runs, blocks) = ((id, other), (&blocks, has_speakers));
            Some(blocks::comparison(&app, project, runs, question.clone(), blocks).await?)
        }
        None => None,
    };
    let filter = RunFilter {
        dataset: Some(run.dataset),
        status: None,
    };
    let (page, _) = app.store.list_runs(project, filter, None, LISTED).await?;
    let others = page.items.iter().filter(|other| other.id != id);
    let others: Vec<_> = others.map(views::runs::brief).collect();
    let mut outdated = Vec::new();
    if let Some(found) = found
        .as_ref()
        .filter(|found| found.run.dataset_id == found.other.dataset_id)
        && let Some(at) = app.store.references_changed(project, run.dataset).await?
    {
        let listed = page.items.iter().find(|one| one.id == found.other.id);
        let other = match listed {
            Some(other) => other.clone(),
            None => runs::find(&app, project, found.other.id).await?,
        };
        outdated = vec![run.clone(), other];
        outdated.retain(|run| runs::was_scored_before(run, at));
    }
    let outdated: Vec<_> = outdated.iter().map(views::runs::brief).collect();
    let run = views::runs::brief(&run);
    let asked = Asked {
        run: &run,
        may_start: visit.may(Role::Editor),
        others: &others,
        more_runs: page.next.is_some(),
        block_by: blocks.said(),
        outdated: &outdated,
        normalizer: question.normalizer.as_deref().unwrap_or_default(),
    };
    let frame = visit.frame(&run.run_name, Section::Runs).part("Compare");
    written(html::page(frame, asked, found.as_ref()))
}
