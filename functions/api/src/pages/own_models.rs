//! Making and removing models of the project's own, and replacing their keys.

use axum::extract::State;
use stt_eval_html::own_models::Filled;
use stt_eval_shared::App;
use stt_eval_shared::access::keys::Role;
use stt_eval_shared::domain::validate::FieldError;
use stt_eval_shared::domain::{Timestamp, language};
use stt_eval_shared::wire::models::{DialectChoice, ModelChange, NewModel};
use stt_eval_shared::wire::secret::SecretText;

use super::answer::redirect;
use super::form::Form;
use super::session::Visit;
use super::settings;
use crate::http::error::{Answer, status};
use crate::http::query::Pairs;
use crate::refusal::{Kind, Refusal};
use crate::services::attempt::Attempt;
use crate::services::models;

/// What a form asks for.
#[derive(Clone, Copy)]
enum Act {
    Make,
    Key,
    Remove,
}

/// What the name of a box of a format begins with.
const FORMAT: &str = "format.";

fn filled(form: &Pairs) -> Filled<'_> {
    let text = |name| form.text(name).unwrap_or_default().trim();
    Filled {
        name: text("name"),
        base_url: text("base_url"),
        model: text("model"),
        dialect: text("dialect"),
        price: text("price_per_audio_hour"),
        currency: text("currency"),
        languages: text("languages"),
        longest: text("max_seconds"),
        formats: form.ticked(FORMAT).collect(),
    }
}

/// Languages as they were typed, one by one.
fn typed(languages: &str) -> impl Iterator<Item = &str> {
    let parts = languages.split([',', ';', '،', '\n']).map(str::trim);
    parts.filter(|part| !part.is_empty())
}

/// The code of a language that was typed, which may be its name.
fn code(typed: &str) -> String {
    let is_it = |known: &&language::Language| known.name.eq_ignore_ascii_case(typed);
    let known = language::all().iter().find(is_it);
    known.map_or_else(|| typed.to_lowercase(), |known| known.code.to_owned())
}

/// What is wrong, as the form knows it: of one of the languages its name is told.
fn problem(of: &FieldError, filled: &Filled<'_>) -> (String, String) {
    let index = of.field.strip_prefix("languages[");
    let index = index.and_then(|rest| rest.strip_suffix(']')?.parse().ok());
    match index.and_then(|index| typed(filled.languages).nth(index)) {
        Some(typed) => ("languages".to_owned(), format!("“{typed}” {}", of.message)),
        None => (of.field.clone(), of.message.clone()),
    }
}

/// The form as the JSON route is sent it. Fields that are left empty are not given.
fn new_model(form: &Pairs) -> Result<NewModel, Refusal> {
    let filled = filled(form);
    let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let price = given(filled.price).map(|text| text.parse::<f64>());
    let price = price.transpose().map_err(|_| {
        Refusal::invalid_field("price_per_audio_hour", "must be an amount, such as 0.36")
    })?;
    let longest = given(filled.longest).map(|text| text.parse::<u64>());
    let longest = longest
        .transpose()
        .map_err(|_| Refusal::invalid_field("max_seconds", "must be a whole number, such as 30"))?;
    let key = form.text("api_key").unwrap_or_default().trim();
    Ok(NewModel {
        name: filled.name.to_owned(),
        base_url: filled.base_url.to_owned(),
        model: filled.model.to_owned(),
        api_key: given(key).map(SecretText::from),
        dialect: given(filled.dialect).map(DialectChoice::Named),
        max_seconds: longest,
        price_per_audio_hour: price,
        currency: given(filled.currency),
        languages: given(filled.languages).map(|text| typed(&text).map(code).collect()),
        formats: (!filled.formats.is_empty())
            .then(|| filled.formats.iter().map(|&name| name.to_owned()).collect()),
        ..NewModel::default()
    })
}

/// Makes or removes a model, or replaces its key.
pub async fn submit(State(app): State<App>, visit: Visit, Form(form): Form) -> Answer {
    visit.needs(Role::Admin)?;
    let acts = [
        ("make", Act::Make),
        ("key", Act::Key),
        ("remove", Act::Remove),
    ];
    let act = form.choice("do", &acts)?;
    let act = act.ok_or_else(|| Refusal::invalid_field("do", "must be make, key or remove"))?;
    let project = &visit.caller.actor.project;
    let made = match act {
        Act::Remove => {
            let name = form.text("name").unwrap_or_default();
            models::delete(&app, project, name).await?;
            return Ok(redirect("/settings?told=model_removed#own"));
        }
        Act::Key => {
            let name = form.text("name").unwrap_or_default();
            let key = form.text("api_key").unwrap_or_default().trim();
            let key = (!key.is_empty()).then(|| SecretText::from(key.to_owned()));
            let change = ModelChange {
                api_key: Some(key),
                ..ModelChange::default()
            };
            models::change(&app, project, name, change).await?;
            return Ok(redirect("/settings?told=model_key#own"));
        }
        Act::Make => {
            async {
                let attempt = Attempt::new(project.clone(), None, Timestamp::now());
                models::make(&app, project, &attempt, new_model(&form)?).await
            }
        }
    };
    match made.await {
        Ok(_) => Ok(redirect("/settings?told=model_made#own")),
        Err(refusal) if matches!(refusal.kind, Kind::Invalid | Kind::Conflict) => {
            let filled = filled(&form);
            let fields = refusal.fields.iter();
            let mut problems: Vec<_> = fields.map(|of| problem(of, &filled)).collect();
            // The name is taken, or there are as many as there may be.
            if problems.is_empty() {
                problems.push(("name".to_owned(), refusal.message));
            }
            let sent = Some((filled, &*problems));
            let mut page = settings::page(&app, &visit, None, sent).await?;
            *page.status_mut() = status(refusal.kind);
            Ok(page)
        }
        Err(refusal) => Err(refusal),
    }
}
