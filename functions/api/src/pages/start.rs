//! The form that starts a run: filled in, estimated, sent.

mod said;

use std::time::Duration;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::{StatusCode, Uri};
use stt_eval_html::layout::Section;
use stt_eval_html::start::{self as html, Field, Filled, Wrong};
use stt_eval_shared::App;
use stt_eval_shared::access::keys::Role;
use stt_eval_shared::domain::{DatasetId, FileId, ProjectId, RunId, Timestamp, language};
use stt_eval_shared::wire;
use stt_eval_shared::wire::estimate::Estimate;
use stt_eval_shared::wire::runs::NewRun;
use time::OffsetDateTime;

use self::said::{Sent, checked, choices, filled, problems, read, wrong};
use super::answer::{redirect, written};
use super::demo;
use super::form::token;
use super::parts::AnyForm;
use super::session::Visit;
use crate::actor::Actor;
use crate::http::error::{Answer, status};
use crate::http::idempotency::{Idempotency, Making, first};
use crate::http::query::{Pairs, encoded};
use crate::refusal::{Kind, Refusal};
use crate::services::attempt::Attempt;
use crate::services::datasets::kept;
use crate::services::{about_run, catalogue, estimate, runs};
use crate::views;

/// Most datasets to choose from. One further back is chosen from the list of datasets.
const MAX_DATASETS: usize = 100;
/// Most characters of a dataset's name in the name that a run gets by default.
const NAME_OF_DATASET: usize = 200;
/// How long a form that was sent twice waits for the first one, time by time.
const PAUSES: [Duration; 5] = [
    Duration::from_millis(100),
    Duration::from_millis(300),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
];

/// Whether a refusal is about what was filled in, or about the moment: then the form is
/// shown again with it.
fn is_told_in_form(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Invalid | Kind::Conflict | Kind::TooLarge | Kind::TooMany
    )
}

/// Datasets to choose from, the newest first, with the one that is chosen wherever it is.
async fn datasets(
    app: &App,
    project: &ProjectId,
    chosen: Option<DatasetId>,
) -> Result<(Vec<wire::datasets::Dataset>, bool), Refusal> {
    let (page, total) = app.store.list_datasets(project, None, MAX_DATASETS).await?;
    let mut listed = page.items;
    if let Some(id) = chosen
        && listed.iter().all(|known| known.id != id)
        && let Some(found) = app.store.dataset(project, id).await?
    {
        listed.insert(0, found);
    }
    let more = total > listed.len() as u64;
    let view = |dataset| views::datasets::dataset(dataset, None);
    Ok((listed.into_iter().map(view).collect(), more))
}

/// What the form is shown with.
#[derive(Default)]
struct Shown<'a> {
    wrong: &'a [Wrong],
    estimate: Option<&'a Estimate>,
    /// Where the form is as it stands, for a page that can't be asked for again.
    again: String,
}

/// The address of the form as it is filled in; without what would make it too long.
fn form_address(filled: &Filled) -> String {
    match choices(filled) {
        Some(choices) => format!("/runs/new?{choices}"),
        None if filled.dataset.is_empty() => "/runs/new".to_owned(),
        None => format!("/runs/new?dataset={}", encoded(&filled.dataset)),
    }
}

/// The form. Without anything chosen, it is filled with what is likely.
async fn page(
    app: &App,
    visit: &Visit,
    filled: &Filled,
    shown: Shown<'_>,
) -> Result<Response, Refusal> {
    let project = &visit.caller.actor.project;
    let chosen = filled.dataset.parse().ok();
    let (datasets, more_datasets) = datasets(app, project, chosen).await?;
    let today = OffsetDateTime::from(Timestamp::now()).date().to_string();
    let mut models = catalogue::models(app, project).await?;
    models.retain(|model| model.retires_at.as_ref().is_none_or(|day| *day > today));
    let languages: Vec<_> = language::all()
        .iter()
        .map(|known| views::catalogue::language(known, &[]))
        .collect();
    let of = html::Form {
        filled,
        datasets: &datasets,
        more_datasets,
        models: &models,
        languages: &languages,
        may_add_keys: visit.may(Role::Admin),
        stand_in: demo::stand_in(app, visit),
        wrong: shown.wrong,
        estimate: shown.estimate,
        again: &shown.again,
    };
    written(html::page(visit.frame("New run", Section::Runs), &of))
}

/// Shows the form: as its address fills it in, or for a dataset where one is asked for.
pub async fn show(State(app): State<App>, visit: Visit, RawQuery(query): RawQuery) -> Answer {
    visit.needs(Role::Editor)?;
    let project = &visit.caller.actor.project;
    let query = Pairs::any(query.as_deref().unwrap_or_default());
    if query.text("run_name").is_some() {
        let filled = Filled {
            token: token()?,
            ..filled(&query)
        };
        return page(&app, &visit, &filled, Shown::default()).await;
    }
    let today = OffsetDateTime::from(Timestamp::now()).date();
    let (dataset, name) = match query.text("dataset") {
        Some(id) => {
            let no_such = || Refusal::no_such("dataset");
            let id: DatasetId = id.parse().map_err(|_| no_such())?;
            let found = app.store.dataset(project, id).await?.ok_or_else(no_such)?;
            let name: String = found.name.chars().take(NAME_OF_DATASET).collect();
            (Some(id), format!("{name}, {today}"))
        }
        None => {
            let (newest, _) = app.store.list_datasets(project, None, 1).await?;
            let newest = newest.items.first().map(|dataset| dataset.id);
            (newest, format!("Run of {today}"))
        }
    };
    let filled = Filled {
        name,
        dataset: dataset.map(|id| id.to_string()).unwrap_or_default(),
        lossless_flac: app.config.lossless_flac,
        token: token()?,
        ..Filled::default()
    };
    page(&app, &visit, &filled, Shown::default()).await
}

/// The form again, with what is wrong.
async fn again(
    app: &App,
    visit: &Visit,
    filled: &Filled,
    (kind, wrong): (Kind, &[Wrong]),
) -> Answer {
    let shown = Shown {
        wrong,
        estimate: None,
        again: form_address(filled),
    };
    let mut response = page(app, visit, filled, shown).await?;
    *response.status_mut() = status(kind);
    Ok(response)
}

/// Leads to what a run would take, at an address that can be loaded again and come back
/// to. What has no room in one is answered at once.
pub async fn estimate(State(app): State<App>, visit: Visit, AnyForm(form): AnyForm) -> Answer {
    visit.needs(Role::Editor)?;
    let Sent { filled, wrong, .. } = read(&app, &visit, form).await?;
    match choices(&filled) {
        Some(choices) if wrong.is_empty() => Ok(redirect(&format!("/runs/estimate?{choices}"))),
        _ => estimated(&app, &visit, &filled, wrong).await,
    }
}

/// Shows what a run would take. Starts nothing.
pub async fn show_estimate(
    State(app): State<App>,
    visit: Visit,
    RawQuery(query): RawQuery,
) -> Answer {
    visit.needs(Role::Editor)?;
    let query = Pairs::any(query.as_deref().unwrap_or_default());
    if query.text("run_name").is_none() {
        return Ok(redirect("/runs/new"));
    }
    let filled = Filled {
        token: token()?,
        ..filled(&query)
    };
    estimated(&app, &visit, &filled, Vec::new()).await
}

async fn estimated(app: &App, visit: &Visit, filled: &Filled, wrong: Vec<Wrong>) -> Answer {
    let new = match checked(filled, wrong, app.config.lossless_flac) {
        Ok(new) => new,
        Err(wrong) => return again(app, visit, filled, (Kind::Invalid, &wrong)).await,
    };
    match estimate::estimate(app, &visit.caller.actor, new).await {
        Ok(estimate) => {
            let shown = Shown {
                wrong: &[],
                estimate: Some(&estimate),
                again: match choices(filled) {
                    Some(_) => String::new(),
                    None => form_address(filled),
                },
            };
            page(app, visit, filled, shown).await
        }
        Err(refusal) if is_told_in_form(refusal.kind) => {
            let wrong = problems(&refusal, filled);
            again(app, visit, filled, (refusal.kind, &wrong)).await
        }
        Err(refusal) => Err(refusal),
    }
}

/// Starts the run of a form, or finds the one that it has started. A second click comes
/// while the first is worked on, and its answer is the one that a browser shows: so it
/// waits for the first.
async fn started(
    app: &App,
    actor: &Actor,
    idempotency: &Idempotency,
    new: &NewRun,
    digest: Option<String>,
) -> Result<RunId, Refusal> {
    let mut same = new.clone();
    // A table that is sent twice is kept twice: what it says makes a form the same.
    if let (Some(digest), Some(lists)) = (digest, &mut same.transcripts) {
        for list in lists {
            list.0.manifest_file_id = Some(digest.clone());
        }
    }
    let body = serde_json::to_vec(&same).map_err(|e| Refusal::internal(e.to_string()))?;
    let mut pauses = PAUSES.iter();
    loop {
        let making = Making::new(app, &actor.project, &body, StatusCode::SEE_OTHER).in_steps();
        let make = async |attempt: Attempt| {
            let run = runs::accept(app, actor, &attempt, new.clone()).await?;
            Ok(run.id)
        };
        // Of what an earlier form started nothing is needed but where it is.
        let show = async |ids: Vec<RunId>| {
            let id = first(&ids)?;
            about_run(id);
            Ok(Some(id))
        };
        match idempotency.made_once(making, make, show).await {
            Ok((_, id)) => return Ok(id),
            Err(refusal) if is_under_way(&refusal) => match pauses.next() {
                Some(pause) => tokio::time::sleep(*pause).await,
                None => {
                    return Err(Refusal::conflict(
                        "this run is being started just now; look into the list of runs before \
                         you send it again",
                    ));
                }
            },
            Err(refusal) => return Err(refusal),
        }
    }
}

/// Whether the same form is being worked on by another request.
fn is_under_way(refusal: &Refusal) -> bool {
    refusal.kind == Kind::Conflict && refusal.retry_after.is_some()
}

/// Starts a run, once for each form however often it is sent.
pub async fn submit(
    State(app): State<App>,
    visit: Visit,
    uri: Uri,
    AnyForm(form): AnyForm,
) -> Answer {
    visit.needs(Role::Editor)?;
    let idempotency = Idempotency::of_form(form.fields.text("token").unwrap_or_default(), uri)?;
    let sent = read(&app, &visit, form).await?;
    let Sent { filled, digest, .. } = sent;
    let new = match checked(&filled, sent.wrong, app.config.lossless_flac) {
        Ok(new) => new,
        Err(wrong) => return again(&app, &visit, &filled, (Kind::Invalid, &wrong)).await,
    };
    match started(&app, &visit.caller.actor, &idempotency, &new, digest).await {
        Ok(id) => {
            let table = filled
                .table
                .and_then(|table| table.id.parse::<FileId>().ok());
            if let Some(table) = table {
                kept::forget(&app, &visit.caller.actor.project, table).await;
            }
            Ok(redirect(&format!("/runs/{id}")))
        }
        Err(refusal)
            if refusal
                .fields
                .iter()
                .any(|of| of.field == "Idempotency-Key") =>
        {
            // Somebody went back to a form that had started a run, and changed it.
            let fresh = Filled {
                token: token()?,
                ..filled
            };
            let message = "a run was already started with this form, and it has been changed since; \
                           to start another one as it is now, send it again";
            let wrong = [wrong(Field::Form, message)];
            again(&app, &visit, &fresh, (Kind::Conflict, &wrong)).await
        }
        Err(refusal) if is_told_in_form(refusal.kind) => {
            let wrong = problems(&refusal, &filled);
            again(&app, &visit, &filled, (refusal.kind, &wrong)).await
        }
        Err(refusal) => Err(refusal),
    }
}
