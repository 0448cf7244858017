//! Models of the project's own: which there are, and a form for one more.

use askama::Template;
use askama::filters::HtmlSafe;
use stt_eval_wire::models::OwnModel;

use crate::figures::{counted, dollars};
use crate::invisible::visible;
use crate::texts::Text;
use crate::texts::settings::Settings;

/// What is filled into the form. Its key is not: that is typed anew.
#[derive(Debug, Clone, Copy, Default)]
pub struct Filled<'a> {
    /// Name.
    pub name: &'a str,
    /// Address.
    pub base_url: &'a str,
    /// Name of the model at that address.
    pub model: &'a str,
    /// Name of the dialect; the first where none is chosen.
    pub dialect: &'a str,
    /// Price of an hour.
    pub price: &'a str,
    /// Currency of the price; the first where none is chosen.
    pub currency: &'a str,
}

/// What there is, and what can be made.
#[derive(Debug, Clone, Copy)]
pub struct OwnModels<'a> {
    /// The models there are.
    pub models: &'a [OwnModel],
    /// Names of dialects.
    pub dialects: &'a [&'a str],
    /// Currencies of prices.
    pub currencies: &'a [&'a str],
    /// What is filled in.
    pub filled: Filled<'a>,
    /// What is wrong with it: the field as the API calls it, and why.
    pub problems: &'a [(&'a str, &'a str)],
}

struct Row {
    name: String,
    id: String,
    address: String,
    languages: String,
    price: String,
    has_key: Settings,
}

struct Choice<'a> {
    name: &'a str,
    chosen: bool,
}

/// The section of the settings.
#[derive(Template)]
#[template(path = "own_models.html")]
pub(crate) struct Section<'a> {
    rows: Vec<Row>,
    dialects: Vec<Choice<'a>>,
    currencies: Vec<Choice<'a>>,
    name: String,
    base_url: String,
    model: String,
    price: String,
    problems: Vec<String>,
}

/// It is a template itself, whose texts are escaped already.
impl HtmlSafe for Section<'_> {}

fn row(model: &OwnModel) -> Row {
    Row {
        name: visible(&model.name).into_owned(),
        id: visible(&model.id).into_owned(),
        address: visible(&model.base_url).into_owned(),
        languages: counted(model.languages.len() as u64, "language", "languages"),
        price: if model.price_per_audio_hour == 0.0 {
            dollars(0.0)
        } else {
            let currency = visible(&model.currency);
            format!("{} {currency}", model.price_per_audio_hour)
        },
        has_key: if model.has_api_key {
            Settings::Yes
        } else {
            Settings::No
        },
    }
}

/// What a field is called in the form.
fn label(field: &str) -> String {
    let known = match field {
        "name" => Settings::ModelName,
        "base_url" => Settings::Address,
        "model" => Settings::ModelThere,
        "api_key" => Settings::KeyIfAny,
        "dialect" => Settings::Dialect,
        "price_per_audio_hour" => Settings::AnHour,
        "currency" => Settings::Currency,
        other => return visible(other).into_owned(),
    };
    known.to_string()
}

impl<'a> Section<'a> {
    pub(crate) fn of(of: OwnModels<'a>) -> Self {
        let choices = |names: &'a [&'a str], wanted: &str| -> Vec<Choice<'a>> {
            let choice = |name: &&'a str| Choice {
                name,
                chosen: *name == wanted,
            };
            names.iter().map(choice).collect()
        };
        let problem = |(field, why): &(&str, &str)| format!("{}: {}", label(field), visible(why));
        Self {
            rows: of.models.iter().map(row).collect(),
            dialects: choices(of.dialects, of.filled.dialect),
            currencies: choices(of.currencies, of.filled.currency),
            name: visible(of.filled.name).into_owned(),
            base_url: visible(of.filled.base_url).into_owned(),
            model: visible(of.filled.model).into_owned(),
            price: visible(of.filled.price).into_owned(),
            problems: of.problems.iter().map(problem).collect(),
        }
    }
}
