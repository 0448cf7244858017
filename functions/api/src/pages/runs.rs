//! The list of runs, one run, and what can be done with it.

use axum::extract::{RawQuery, State};
use stt_eval_html::layout::Section;
use stt_eval_html::offers::Offers;
use stt_eval_html::runs as html;
use stt_eval_shared::App;
use stt_eval_shared::access::keys::Role;
use stt_eval_shared::domain::{RunId, Timestamp};
use stt_eval_shared::store::runs::RunFilter;
use stt_eval_shared::wire::runs::Retry;

use super::answer::{redirect, written};
use super::demo;
use super::follow;
use super::form::Form;
use super::paging::Older;
use super::session::Visit;
use crate::http::error::Answer;
use crate::http::id::PathId;
use crate::http::paging::Pager;
use crate::http::query::Pairs;
use crate::refusal::Refusal;
use crate::services::attempt::Attempt;
use crate::services::deletion;
use crate::services::runs::{self, rescore};
use crate::views;

/// Lists runs, newest first.
pub async fn list(State(app): State<App>, visit: Visit, RawQuery(query): RawQuery) -> Answer {
    // The list of the JSON route, whose cursors are good here as well.
    let pager = Pager::new(&visit.caller, "runs", &["", ""], Older::asked(query))?;
    let project = &visit.caller.actor.project;
    let filter = RunFilter {
        dataset: None,
        status: None,
    };
    let found = app
        .store
        .list_runs(project, filter, pager.from(), pager.limit);
    let (page, total) = found.await?;
    let older = Older::address("/runs", &pager.meta(total, page.next.as_deref()));
    let runs: Vec<_> = page.items.iter().map(views::runs::brief).collect();
    let make = visit.may(Role::Editor);
    let no_datasets = make && runs.is_empty() && {
        let (_, datasets) = app.store.list_datasets(project, None, 1).await?;
        datasets == 0
    };
    let frame = visit.frame("Runs", Section::Runs);
    let offers = Offers {
        make,
        no_datasets,
        demo: demo::is_offered(&app, &visit),
    };
    written(html::list(frame, &runs, total, older.as_deref(), offers))
}

/// Shows a run.
pub async fn show(State(app): State<App>, visit: Visit, id: PathId<RunId>) -> Answer {
    let (run, actions) = follow::found(&app, &visit, id).await?;
    let frame = visit.frame(&run.run_name, Section::Runs);
    written(html::page(frame, &run, actions, Timestamp::now()))
}

/// Stops a run.
pub async fn cancel(State(app): State<App>, visit: Visit, id: PathId<RunId>) -> Answer {
    visit.needs(Role::Editor)?;
    let run = runs::cancel(&app, &visit.caller.actor.project, id.get()?).await?;
    Ok(redirect(&format!("/runs/{}", run.id)))
}

/// Asks whether a run is really to be deleted.
pub async fn ask(State(app): State<App>, visit: Visit, id: PathId<RunId>) -> Answer {
    visit.needs(Role::Editor)?;
    let run = runs::find(&app, &visit.caller.actor.project, id.get()?).await?;
    let run = views::runs::brief(&run);
    let frame = visit.frame(&run.run_name, Section::Runs).part("Delete");
    written(html::delete(frame, &run))
}

/// Deletes a run with all that hangs on it.
pub async fn delete(State(app): State<App>, visit: Visit, id: PathId<RunId>) -> Answer {
    visit.needs(Role::Editor)?;
    deletion::run(&app, &visit.caller.actor.project, id.get()?).await?;
    Ok(redirect("/runs"))
}

/// What a retry asks for: of a run that may cost so much at most, perhaps another amount.
fn retried(form: &Pairs) -> Result<Retry, Refusal> {
    let typed = form.text("max_cost_usd").unwrap_or_default().trim();
    let amount = (!typed.is_empty()).then(|| typed.parse::<f64>());
    let amount = amount
        .transpose()
        .ok()
        .filter(|of| of.is_none_or(f64::is_finite));
    let max_cost_usd = amount.ok_or_else(|| {
        let message = "must be an amount of US dollars such as 12.50, or empty";
        Refusal::invalid_field("max_cost_usd", message)
    })?;
    Ok(Retry { max_cost_usd })
}

/// Submits the failed items of a run again.
pub async fn retry(
    State(app): State<App>,
    visit: Visit,
    id: PathId<RunId>,
    Form(form): Form,
) -> Answer {
    visit.needs(Role::Editor)?;
    let asked = retried(&form)?;
    let project = &visit.caller.actor.project;
    // Sent twice, the second finds a run that is under way and is told so.
    let attempt = Attempt::new(project.clone(), None, Timestamp::now());
    let run = runs::retry(&app, project, id.get()?, &asked, &attempt).await?;
    Ok(redirect(&format!("/runs/{}", run.id)))
}

/// Scores a run again, by the references as they stand now.
pub async fn rescore(State(app): State<App>, visit: Visit, id: PathId<RunId>) -> Answer {
    visit.needs(Role::Editor)?;
    let project = &visit.caller.actor.project;
    // Sent twice, the second finds a scoring that is under way and is told so.
    let attempt = Attempt::new(project.clone(), None, Timestamp::now());
    let run = rescore::begin(&app, project, id.get()?, None, &attempt).await?;
    Ok(redirect(&format!("/runs/{}", run.id)))
}
