//! Making and removing models of the project's own.

use axum::extract::State;
use stt_eval_html::own_models::Filled;
use stt_eval_shared::App;
use stt_eval_shared::access::keys::Role;
use stt_eval_shared::domain::Timestamp;
use stt_eval_shared::wire::models::{DialectChoice, NewModel};
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
    Remove,
}

fn filled(form: &Pairs) -> Filled<'_> {
    let text = |name| form.text(name).unwrap_or_default().trim();
    Filled {
        name: text("name"),
        base_url: text("base_url"),
        model: text("model"),
        dialect: text("dialect"),
        price: text("price_per_audio_hour"),
        currency: text("currency"),
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
    let key = form.text("api_key").unwrap_or_default().trim();
    Ok(NewModel {
        name: filled.name.to_owned(),
        base_url: filled.base_url.to_owned(),
        model: filled.model.to_owned(),
        api_key: given(key).map(SecretText::from),
        dialect: given(filled.dialect).map(DialectChoice::Named),
        price_per_audio_hour: price,
        currency: given(filled.currency),
        ..NewModel::default()
    })
}

/// Makes or removes a model.
pub async fn submit(State(app): State<App>, visit: Visit, Form(form): Form) -> Answer {
    visit.needs(Role::Admin)?;
    let acts = [("make", Act::Make), ("remove", Act::Remove)];
    let act = form.choice("do", &acts)?;
    let act = act.ok_or_else(|| Refusal::invalid_field("do", "must be make or remove"))?;
    let project = &visit.caller.actor.project;
    let made = match act {
        Act::Remove => {
            let name = form.text("name").unwrap_or_default();
            models::delete(&app, project, name).await?;
            return Ok(redirect("/settings?told=model_removed#own"));
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
            let fields = refusal.fields.iter();
            let mut problems: Vec<(&str, &str)> = fields
                .map(|field| (&*field.field, &*field.message))
                .collect();
            // The name is taken, or there are as many as there may be.
            if problems.is_empty() {
                problems.push(("name", &refusal.message));
            }
            let sent = Some((filled(&form), &*problems));
            let mut page = settings::page(&app, &visit, None, sent).await?;
            *page.status_mut() = status(refusal.kind);
            Ok(page)
        }
        Err(refusal) => Err(refusal),
    }
}
