//! The form that starts a run: filled in, estimated, sent.

use std::time::Duration;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::{StatusCode, Uri};
use stt_eval_html::layout::Section;
use stt_eval_html::start::{self as html, Field, Filled, Kept, Wrong};
use stt_eval_shared::App;
use stt_eval_shared::access::keys::Role;
use stt_eval_shared::crypto::{random, sha256_hex};
use stt_eval_shared::domain::validate::FieldError;
use stt_eval_shared::domain::{DatasetId, FileId, ProjectId, RunId, Timestamp, language};
use stt_eval_shared::wire;
use stt_eval_shared::wire::estimate::Estimate;
use stt_eval_shared::wire::object::Object;
use stt_eval_shared::wire::runs::{NewRun, NewRunConfig};
use stt_eval_shared::wire::transcripts::NewTranscripts;
use time::OffsetDateTime;

use super::answer::{redirect, written};
use super::parts::{AnyForm, Parts};
use super::session::Visit;
use super::transcripts;
use crate::actor::Actor;
use crate::http::error::{Answer, status};
use crate::http::idempotency::{Idempotency, Making, first};
use crate::http::query::Pairs;
use crate::refusal::{Kind, Refusal};
use crate::services::attempt::Attempt;
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
/// What the name of a box of a model begins with; its id follows.
const MODEL: &str = "model.";

fn token() -> Result<String, Refusal> {
    let bytes: [u8; 16] = random()?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// What a form says.
fn filled(form: &Pairs) -> Filled {
    let text = |name| form.text(name).unwrap_or_default().to_owned();
    Filled {
        name: text("run_name"),
        dataset: text("dataset_id"),
        models: form.ticked(MODEL).map(str::to_owned).collect(),
        max_cost: text("max_cost_usd"),
        lossless_flac: form.text("lossless_flac").is_some(),
        transcripts: text("transcripts").trim().to_owned(),
        table: form.text("kept").map(|id| Kept {
            id: id.to_owned(),
            name: text("kept_name"),
        }),
        token: text("token"),
    }
}

/// A form that was sent.
struct Sent {
    filled: Filled,
    /// What tells its table from another, where one came with it.
    digest: Option<String>,
    wrong: Vec<Wrong>,
}

/// Reads a form. A table that is in it is kept, so that it need not be sent again.
async fn read(app: &App, visit: &Visit, mut parts: Parts) -> Result<Sent, Refusal> {
    let mut filled = filled(&parts.fields);
    let (mut digest, mut wrong) = (None, Vec::new());
    if let Some(sent) = parts.take("table") {
        digest = Some(sha256_hex(&sent.bytes));
        let name = sent.filename.clone();
        match transcripts::keep(app, &visit.caller.actor.project, sent).await {
            Ok(id) => {
                let id = id.to_string();
                filled.table = Some(Kept { id, name });
            }
            Err(refusal) if refusal.kind == Kind::Invalid => {
                filled.table = None;
                let told = |of: &FieldError| self::wrong(Field::Transcripts, &of.message);
                wrong.extend(refusal.fields.iter().map(told));
            }
            Err(refusal) => return Err(refusal),
        }
    }
    Ok(Sent {
        filled,
        digest,
        wrong,
    })
}

/// The list of transcripts of a form.
fn list(filled: &Filled) -> Option<NewTranscripts> {
    filled.table.as_ref().map(|table| NewTranscripts {
        name: filled.transcripts.clone(),
        items: None,
        manifest_file_id: Some(table.id.clone()),
    })
}

fn wrong(field: Field, message: &str) -> Wrong {
    Wrong {
        field,
        message: message.to_owned(),
    }
}

/// The run that a form asks for. What only a form can have wrong is told in its words,
/// everything else by what checks runs. `lossless_flac` is how the deployment is set.
fn asked(filled: &Filled, lossless_flac: bool) -> Result<NewRun, Vec<Wrong>> {
    let mut all = Vec::new();
    if filled.name.trim().is_empty() {
        all.push(wrong(
            Field::Name,
            "must not be empty (1 to 255 characters)",
        ));
    }
    if filled.dataset.is_empty() {
        all.push(wrong(Field::Dataset, "choose a dataset"));
    }
    match (&filled.table, filled.transcripts.is_empty()) {
        (None, true) if filled.models.is_empty() => {
            all.push(wrong(
                Field::Models,
                "choose at least one model, or transcripts made elsewhere",
            ));
        }
        (None, false) => all.push(wrong(Field::Transcripts, "choose their table")),
        (Some(_), true) => all.push(wrong(Field::Transcripts, "name the model")),
        _ => {}
    }
    let max = filled.max_cost.trim();
    let max_cost_usd = max.parse::<f64>().ok().filter(|usd| usd.is_finite());
    if !max.is_empty() && max_cost_usd.is_none() {
        let message = "must be an amount of US dollars such as 12.50, or empty";
        all.push(wrong(Field::MaxCost, message));
    }
    if !all.is_empty() {
        return Err(all);
    }
    let asks_models = !filled.models.is_empty();
    Ok(NewRun {
        run_name: filled.name.clone(),
        dataset_id: Some(filled.dataset.clone()),
        providers: asks_models.then(|| filled.models.iter().cloned().collect()),
        transcripts: list(filled).map(|list| vec![Object(list)]),
        max_cost_usd,
        config: (asks_models && filled.lossless_flac != lossless_flac).then(|| {
            Object(NewRunConfig {
                lossless_flac: Some(filled.lossless_flac),
                ..NewRunConfig::default()
            })
        }),
        ..NewRun::default()
    })
}

/// The same, where what was sent with it could be read.
fn checked(filled: &Filled, wrong: Vec<Wrong>, lossless_flac: bool) -> Result<NewRun, Vec<Wrong>> {
    if wrong.is_empty() {
        asked(filled, lossless_flac)
    } else {
        Err(wrong)
    }
}

/// A field of the service as the form knows it.
fn field(of: &FieldError, filled: &Filled) -> Wrong {
    let index = of.field.strip_prefix("providers[");
    let index = index.and_then(|rest| rest.strip_suffix(']')?.parse::<usize>().ok());
    let model = index.and_then(|index| filled.models.iter().nth(index));
    if let Some(inside) = of.field.strip_prefix("transcripts[0].") {
        return wrong(Field::Transcripts, &transcripts::told(inside, &of.message));
    }
    let field = match (&*of.field, model) {
        (_, Some(id)) => Field::Model(id.clone()),
        ("run_name", _) => Field::Name,
        ("dataset_id" | "dataset", _) => Field::Dataset,
        ("providers", _) => Field::Models,
        ("max_cost_usd", _) => Field::MaxCost,
        (other, _) => {
            return wrong(Field::Form, &format!("{other}: {}", of.message));
        }
    };
    wrong(field, &of.message)
}

/// Why a run was refused, field by field.
fn problems(refusal: &Refusal, filled: &Filled) -> Vec<Wrong> {
    if refusal.fields.is_empty() {
        return vec![wrong(Field::Form, &refusal.message)];
    }
    refusal.fields.iter().map(|of| field(of, filled)).collect()
}

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
        wrong: shown.wrong,
        estimate: shown.estimate,
    };
    written(html::page(visit.frame("New run", Section::Runs), &of))
}

/// Shows the form, for a dataset where one is asked for.
pub async fn show(State(app): State<App>, visit: Visit, RawQuery(query): RawQuery) -> Answer {
    visit.needs(Role::Editor)?;
    let project = &visit.caller.actor.project;
    let query = Pairs::any(query.as_deref().unwrap_or_default());
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
    };
    let mut response = page(app, visit, filled, shown).await?;
    *response.status_mut() = status(kind);
    Ok(response)
}

/// Shows what a run would take. Starts nothing.
pub async fn estimate(State(app): State<App>, visit: Visit, AnyForm(form): AnyForm) -> Answer {
    visit.needs(Role::Editor)?;
    let Sent { filled, wrong, .. } = read(&app, &visit, form).await?;
    let new = match checked(&filled, wrong, app.config.lossless_flac) {
        Ok(new) => new,
        Err(wrong) => return again(&app, &visit, &filled, (Kind::Invalid, &wrong)).await,
    };
    match estimate::estimate(&app, &visit.caller.actor, new).await {
        Ok(estimate) => {
            let shown = Shown {
                wrong: &[],
                estimate: Some(&estimate),
            };
            page(&app, &visit, &filled, shown).await
        }
        Err(refusal) if is_told_in_form(refusal.kind) => {
            let wrong = problems(&refusal, &filled);
            again(&app, &visit, &filled, (refusal.kind, &wrong)).await
        }
        Err(refusal) => Err(refusal),
    }
}

/// The address of an estimate, asked for anew: the form.
pub async fn estimate_again(_: Visit) -> Answer {
    Ok(redirect("/runs/new"))
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
            let kept = filled
                .table
                .and_then(|table| table.id.parse::<FileId>().ok());
            if let Some(kept) = kept {
                transcripts::forget(&app, &visit.caller.actor.project, kept).await;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_a_form_can_have_wrong_is_told_field_by_field() {
        let nothing = filled(&Pairs::any("max_cost_usd=12%2C50"));
        let fields: Vec<Field> = asked(&nothing, false)
            .unwrap_err()
            .into_iter()
            .map(|w| w.field)
            .collect();
        assert_eq!(
            fields,
            [Field::Name, Field::Dataset, Field::Models, Field::MaxCost]
        );
        for odd in ["NaN", "inf", "1e999", "12 dollars"] {
            let odd = Filled {
                max_cost: odd.to_owned(),
                ..filled(&Pairs::any("run_name=a&dataset_id=b&model.c=1"))
            };
            assert_eq!(asked(&odd, false).unwrap_err()[0].field, Field::MaxCost);
        }
        let good = filled(&Pairs::any(
            "run_name=a&dataset_id=b&model.c%2Fd=1&model.e=&max_cost_usd=+2.5+",
        ));
        let new = asked(&good, false).unwrap();
        assert_eq!(new.providers.unwrap(), ["c/d"]);
        assert_eq!((new.max_cost_usd, new.config), (Some(2.5), None));
        // A box without its tick is told where the deployment would send FLAC.
        let new = asked(&good, true).unwrap();
        assert_eq!(new.config.unwrap().0.lossless_flac, Some(false));
    }

    #[test]
    fn a_field_of_the_service_is_found_in_the_form() {
        let filled = filled(&Pairs::any("model.a=1&model.b=1"));
        for (name, expected) in [
            ("providers[1]", Field::Model("b".to_owned())),
            ("providers", Field::Models),
            ("dataset_id", Field::Dataset),
            ("max_cost_usd", Field::MaxCost),
            ("providers[7]", Field::Form),
            ("config.prompt", Field::Form),
        ] {
            let of = FieldError::new(name, "is odd");
            assert_eq!(field(&of, &filled).field, expected, "{name}");
        }
    }
}
