//! Settings: the session, keys of vendors, models of the project's own.

use axum::extract::{RawQuery, State};
use axum::response::Response;
use stt_eval_html::layout::Section;
use stt_eval_html::own_models::{Filled, OwnModels};
use stt_eval_html::settings::{self as html, OfAdmins, Told, You};
use stt_eval_shared::App;
use stt_eval_shared::access::keys::Role;
use stt_eval_shared::domain::dialect::Dialect;
use stt_eval_shared::providers::model::Format;
use stt_eval_shared::providers::{API_KEY, Field, Vendor};
use stt_eval_shared::wire::access::NewCredential;
use stt_eval_shared::wire::secret::SecretText;

use super::answer::{redirect, written};
use super::form::Form;
use super::session::Visit;
use crate::http::error::{Answer, status};
use crate::http::query::Pairs;
use crate::refusal::{Kind, Refusal};
use crate::services::credentials;
use crate::views;

/// Currencies of prices, the usual one first.
const CURRENCIES: [&str; 2] = ["USD", "INR"];

/// Most characters of a vendor's key.
fn longest(vendor: &Vendor) -> usize {
    let field = vendor.credential.iter().find(|field| field.name == API_KEY);
    field.unwrap_or(&Field::API_KEY).max_len
}

/// The form of a model of the project's own as it was sent, and what is wrong with it.
type SentModel<'a> = (Filled<'a>, &'a [(String, String)]);

/// The page of the settings.
pub(super) async fn page(
    app: &App,
    visit: &Visit,
    told: Option<Told<'_>>,
    sent: Option<SentModel<'_>>,
) -> Result<Response, Refusal> {
    let actor = &visit.caller.actor;
    let (key, until) = (actor.key.to_string(), visit.until.to_string());
    let you = You {
        name: &visit.name,
        project: actor.project.as_str(),
        role: actor.role,
        key: &key,
        until: &until,
    };
    let frame = visit.frame("Settings", Section::Settings);
    if !visit.may(Role::Admin) {
        return written(html::page(frame, you, None, None));
    }
    let kept = app.store.credentials(&actor.project).await?;
    let kept: Vec<_> = kept.into_iter().map(views::access::credential).collect();
    let vendors = app.vendors().vendors();
    // Models of the project's own have their keys with them, and open vendors have none.
    let vendors = vendors.filter(|vendor| !vendor.is_open() && !vendor.models.is_empty());
    let vendors: Vec<_> = vendors
        .map(|vendor| html::Vendor {
            name: vendor.name,
            title: vendor.title,
            models: vendor.models.len(),
            longest: longest(vendor),
            regions: views::catalogue::regions(vendor),
            by_role: vendor.is_by_role().then(|| app.keyless(vendor).is_some()),
            kept: kept.iter().find(|kept| kept.provider == vendor.name),
        })
        .collect();
    let models = app.store.own_models(&actor.project).await?;
    let models: Vec<_> = models.into_iter().map(views::models::own).collect();
    let formats: Vec<&str> = Format::EVERY.iter().map(|format| format.name).collect();
    let (filled, problems) = sent.unwrap_or_default();
    let of_admins = OfAdmins {
        vendors: &vendors,
        own: OwnModels {
            models: &models,
            dialects: Dialect::NAMES,
            currencies: &CURRENCIES,
            formats: &formats,
            filled,
            problems,
        },
    };
    written(html::page(frame, you, Some(of_admins), told))
}

/// Shows the settings.
pub async fn show(State(app): State<App>, visit: Visit, RawQuery(query): RawQuery) -> Answer {
    let query = Pairs::any(query.as_deref().unwrap_or_default());
    let told = match query.text("told") {
        Some("saved") => Some(Told::Saved),
        Some("removed") => Some(Told::Removed),
        Some("model_made") => Some(Told::ModelMade),
        Some("model_key") => Some(Told::ModelKeySaved),
        Some("model_removed") => Some(Told::ModelRemoved),
        _ => None,
    };
    page(&app, &visit, told, None).await
}

/// What a form asks for.
#[derive(Clone, Copy)]
enum Act {
    Save,
    Remove,
}

/// Keeps or removes the key of a vendor.
pub async fn submit(State(app): State<App>, visit: Visit, Form(form): Form) -> Answer {
    visit.needs(Role::Admin)?;
    let acts = [("save", Act::Save), ("remove", Act::Remove)];
    let act = form.choice("do", &acts)?;
    let act = act.ok_or_else(|| Refusal::invalid_field("do", "must be save or remove"))?;
    let vendor = credentials::vendor(&app, form.text("provider").unwrap_or_default())?;
    let (project, name) = (&visit.caller.actor.project, vendor.name);
    let kept = match act {
        Act::Remove => {
            credentials::delete(&app, project, name).await?;
            return Ok(redirect(&format!("/settings?told=removed#{name}")));
        }
        Act::Save => keep(&app, &visit, vendor, &form).await,
    };
    match kept {
        Ok(()) => Ok(redirect(&format!("/settings?told=saved#{name}"))),
        Err(refusal) if matches!(refusal.kind, Kind::Invalid | Kind::ProviderUnreachable) => {
            let unasked = refusal.kind == Kind::ProviderUnreachable;
            let field = refusal.fields.first();
            let told = Told::Refused {
                vendor: name,
                region: form.text("region").unwrap_or_default(),
                why: match field {
                    _ if unasked => {
                        "the vendor can't be asked about the key right now; nothing was kept"
                    }
                    Some(field) => &field.message,
                    None => &refusal.message,
                },
                unasked,
            };
            let mut response = page(&app, &visit, Some(told), None).await?;
            *response.status_mut() = status(refusal.kind);
            Ok(response)
        }
        Err(refusal) => Err(refusal),
    }
}

async fn keep(app: &App, visit: &Visit, vendor: &Vendor, form: &Pairs) -> Result<(), Refusal> {
    let given = form.text("api_key").unwrap_or_default().trim();
    let new = NewCredential {
        api_key: SecretText::from(given.to_owned()),
        region: form
            .text("region")
            .filter(|region| !region.is_empty())
            .map(str::to_owned),
    };
    let checked = credentials::check(Some(vendor), new)?;
    let validate = form.text("unchecked").is_none();
    let project = &visit.caller.actor.project;
    credentials::keep(app, project, vendor.name, checked, validate).await?;
    Ok(())
}
