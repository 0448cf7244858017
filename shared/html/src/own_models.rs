//! Models of the project's own: which there are, and a form for one more.

use askama::Template;
use askama::filters::HtmlSafe;
use stt_eval_domain::language;
use stt_eval_wire::models::OwnModel;

use crate::figures::{counted, dollars};
use crate::invisible::visible;
use crate::texts::Text;
use crate::texts::settings::Settings;

/// What is filled into the form. Its key is not: that is typed anew.
#[derive(Debug, Clone, Default)]
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
    /// Languages, as they were typed.
    pub languages: &'a str,
    /// Longest recording in seconds.
    pub longest: &'a str,
    /// Formats that are ticked.
    pub formats: Vec<&'a str>,
}

/// What there is, and what can be made.
#[derive(Debug, Clone)]
pub struct OwnModels<'a> {
    /// The models there are.
    pub models: &'a [OwnModel],
    /// Names of dialects.
    pub dialects: &'a [&'a str],
    /// Currencies of prices.
    pub currencies: &'a [&'a str],
    /// Formats of audio.
    pub formats: &'a [&'a str],
    /// What is filled in.
    pub filled: Filled<'a>,
    /// What is wrong with it: the field as the API calls it, and why.
    pub problems: &'a [(String, String)],
}

/// What is wrong, and where.
struct Problem {
    field: String,
    anchor: &'static str,
    label: String,
    why: String,
}

struct Row {
    name: String,
    id: String,
    address: String,
    languages: String,
    formats: String,
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
    formats: Vec<Choice<'a>>,
    name: String,
    base_url: String,
    model: String,
    price: String,
    languages: String,
    longest: String,
    problems: Vec<Problem>,
}

/// It is a template itself, whose texts are escaped already.
impl HtmlSafe for Section<'_> {}

fn row(model: &OwnModel) -> Row {
    Row {
        name: visible(&model.name).into_owned(),
        id: visible(&model.id).into_owned(),
        address: visible(&model.base_url).into_owned(),
        languages: match model.languages.len() {
            many if many == language::all().len() => Settings::AnyLanguage.to_string(),
            some => counted(some as u64, "language", "languages"),
        },
        formats: model.formats.join(", "),
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

/// Fields of the form, in its order: as the API calls them, where they stand, and what
/// people are told.
const FIELDS: [(&str, &str, Settings); 10] = [
    ("name", "model-name", Settings::ModelName),
    ("base_url", "model-address", Settings::Address),
    ("model", "model-there", Settings::ModelThere),
    ("dialect", "model-dialect", Settings::Dialect),
    ("api_key", "model-key", Settings::KeyIfAny),
    ("price_per_audio_hour", "model-price", Settings::AnHour),
    ("currency", "model-currency", Settings::Currency),
    ("languages", "model-languages", Settings::Languages),
    ("formats", "model-formats", Settings::Formats),
    ("max_seconds", "model-longest", Settings::Longest),
];

fn problem(field: &str, why: &str) -> Problem {
    // One of a list is told at the list.
    let field = field.split(['[', '.']).next().unwrap_or_default();
    let known = FIELDS.iter().find(|(name, ..)| *name == field);
    Problem {
        field: field.to_owned(),
        anchor: known.map_or("new-model", |(_, anchor, _)| anchor),
        label: known.map_or_else(
            || visible(field).into_owned(),
            |(.., label)| label.to_string(),
        ),
        why: visible(why).into_owned(),
    }
}

impl<'a> Section<'a> {
    pub(crate) fn of(of: OwnModels<'a>) -> Self {
        let choices = |names: &'a [&'a str], wanted: &[&str]| -> Vec<Choice<'a>> {
            let choice = |name: &&'a str| Choice {
                name,
                chosen: wanted.contains(name),
            };
            names.iter().map(choice).collect()
        };
        let mut problems: Vec<_> = of.problems.iter().map(|(f, why)| problem(f, why)).collect();
        problems.sort_unstable_by_key(|of| FIELDS.iter().position(|(name, ..)| *name == of.field));
        Self {
            rows: of.models.iter().map(row).collect(),
            dialects: choices(of.dialects, &[of.filled.dialect]),
            currencies: choices(of.currencies, &[of.filled.currency]),
            formats: choices(of.formats, &of.filled.formats),
            name: visible(of.filled.name).into_owned(),
            base_url: visible(of.filled.base_url).into_owned(),
            model: visible(of.filled.model).into_owned(),
            price: visible(of.filled.price).into_owned(),
            languages: visible(of.filled.languages).into_owned(),
            longest: visible(of.filled.longest).into_owned(),
            problems,
        }
    }

    /// What is wrong with a field; empty where nothing is.
    fn wrong(&self, field: &str) -> String {
        let of = self.problems.iter().filter(|of| of.field == field);
        of.map(|of| &*of.why).collect::<Vec<_>>().join("; ")
    }

    /// Whether it is the first that is wrong.
    fn is_first(&self, field: &str) -> bool {
        self.problems.first().is_some_and(|of| of.field == field)
    }
}
