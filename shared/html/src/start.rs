//! The form that starts a run, and what it would take.

use std::collections::BTreeSet;

use askama::Template;
use stt_eval_wire::catalogue::{Language, Model};
use stt_eval_wire::datasets::Dataset;
use stt_eval_wire::estimate::{Estimate, ModelEstimate};

use crate::RenderError;
use crate::figures::{count, counted, dollars, duration, length};
use crate::invisible::visible;
use crate::language::{all_called, called};
use crate::layout::Frame;
use crate::summary::Problem;
use crate::texts::Text;
use crate::texts::datasets::Say;
use crate::texts::following::Following;
use crate::texts::settings::Settings;
use crate::texts::start::Start;

/// Vendor of the project's own models, which have no key of a vendor.
const OWN: &str = "custom";

/// What is filled into the form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filled {
    /// Name of the run.
    pub name: String,
    /// Id of the dataset; empty for none.
    pub dataset: String,
    /// Ids of the models that are ticked.
    pub models: BTreeSet<String>,
    /// The most that it may cost, as it was typed.
    pub max_cost: String,
    /// Whether WAV is sent as FLAC.
    pub lossless_flac: bool,
    /// Whether reviewers judge without knowing which model is which.
    pub blind_review: bool,
    /// Name of the model of transcripts made elsewhere.
    pub transcripts: String,
    /// Whether their lines of clips that the dataset does not have are left out.
    pub leave_out: bool,
    /// Their table, once it was sent.
    pub table: Option<Kept>,
    /// Random, and another in each form: what is sent twice with it is done once.
    pub token: String,
}

/// A table that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Id of its file.
    pub id: String,
    /// Its name.
    pub name: String,
}

impl Kept {
    fn shown(&self) -> String {
        visible(&self.name).into_owned()
    }
}

/// A field that is wrong, as the service names it, and what is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// Name of the field; that of a model is its id.
    pub field: Field,
    /// What is wrong with it.
    pub message: String,
}

/// A field of the form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Field {
    /// The name of the run.
    Name,
    /// The dataset.
    Dataset,
    /// All models together.
    Models,
    /// One model, by its id.
    Model(String),
    /// Transcripts made elsewhere.
    Transcripts,
    /// The most that it may cost.
    MaxCost,
    /// The form as a whole.
    Form,
}

impl Field {
    /// Id of the element to go to.
    fn anchor(&self) -> &'static str {
        match self {
            Self::Name => "run-name",
            Self::Dataset => "dataset",
            Self::Models | Self::Model(_) => "models",
            Self::Transcripts => "transcripts",
            Self::MaxCost => "max-cost",
            Self::Form => "content",
        }
    }

    /// Its name for people.
    fn label(&self) -> String {
        match self {
            Self::Name => Start::Name.to_string(),
            Self::Dataset => Start::Dataset.to_string(),
            Self::Models => Start::Models.to_string(),
            Self::Model(id) => visible(id).into_owned(),
            Self::Transcripts => Start::Transcripts.to_string(),
            Self::MaxCost => Start::MaxCost.to_string(),
            Self::Form => Start::NewRun.to_string(),
        }
    }
}

/// All that the form shows.
pub struct Form<'a> {
    /// What is filled in.
    pub filled: &'a Filled,
    /// Datasets to choose from, the newest first.
    pub datasets: &'a [Dataset],
    /// Whether there are more than these.
    pub more_datasets: bool,
    /// Models that can be chosen; those without a key are shown and can't.
    pub models: &'a [Model],
    /// Names of languages.
    pub languages: &'a [Language],
    /// Whether the visitor may add keys of vendors.
    pub may_add_keys: bool,
    /// A vendor that is simulated here, and knows the recordings of the demo alone.
    pub stand_in: Option<&'a str>,
    /// What is wrong.
    pub wrong: &'a [Wrong],
    /// What it would take, where that was asked.
    pub estimate: Option<&'a Estimate>,
    /// Address that shows the same again, where that of the page does not; else empty.
    pub again: &'a str,
}

struct DatasetChoice {
    id: String,
    text: String,
    chosen: bool,
}

struct ModelChoice {
    id: String,
    name: String,
    price: String,
    languages: String,
    notes: String,
    is_off: bool,
    ticked: bool,
    wrong: String,
}

/// A vendor's models.
struct Group {
    vendor: String,
    anchor: String,
    is_own: bool,
    /// What holds of all its models was told above.
    is_told: bool,
    has_key: bool,
    has_notes: bool,
    /// It is asked with the role of the deployment: no key would help.
    is_by_role: bool,
    is_stand_in: bool,
    models: Vec<ModelChoice>,
}

/// Models by vendor, at once or behind a sentence.
struct Part {
    /// What opens it; empty for what is there at once.
    summary: String,
    is_open: bool,
    groups: Vec<Group>,
}

struct EstimateRow {
    name: String,
    model: String,
    clips: String,
    refused: String,
    hours: String,
    cost: String,
    usual: String,
}

struct EstimateTable {
    rows: Vec<EstimateRow>,
    hours: String,
    cost: String,
    above: bool,
}

#[derive(Template)]
#[template(path = "runs/new.html")]
struct Page<'a> {
    frame: Frame<'a>,
    filled: &'a Filled,
    name: String,
    problems: Vec<Problem>,
    name_wrong: String,
    dataset_wrong: String,
    models_wrong: String,
    transcripts_wrong: String,
    max_wrong: String,
    datasets: Vec<DatasetChoice>,
    more_datasets: bool,
    parts: Vec<Part>,
    may_add_keys: bool,
    estimate: Option<EstimateTable>,
    /// Where the form is, of a page that answers one.
    again: &'a str,
}

/// The vendor of a model. Each of the project's own has credentials by itself
/// (`custom/<name>`), and they stand together.
fn vendor(model: &Model) -> &str {
    let own = model.provider.split('/').next();
    own.filter(|vendor| *vendor == OWN)
        .unwrap_or(&model.provider)
}

/// What the vendor of models calls itself, if the server tells.
fn title<'a>(models: &[&'a Model]) -> Option<&'a str> {
    let name = models.first().map(|model| &*model.provider_name);
    name.filter(|name| !name.is_empty())
}

/// Languages by the primary subtag of their tag.
fn primary(tag: &str) -> &str {
    tag.split('-').next().unwrap_or_default()
}

fn language_name<'a>(languages: &'a [Language], code: &'a str) -> &'a str {
    let known = languages.iter().find(|known| known.code == code);
    known.map_or(code, |known| &known.name)
}

/// What a model takes: the dataset's language first, then how many others; without a
/// dataset, or where it does not take its language, all of them.
fn languages(model: &Model, of: &Form<'_>, wanted: Option<&str>) -> String {
    let takes = |code: &str| model.languages.iter().any(|known| known == code);
    let all = model.languages.len() as u64;
    // Models of one's own take what their owner says, and that may be anything.
    let is_any = all > 3 && model.languages.len() == of.languages.len();
    match wanted {
        _ if is_any => Start::AnyLanguage.to_string(),
        Some(code) if takes(code) => {
            let name = language_name(of.languages, code);
            match all {
                1 => name.to_owned(),
                _ => format!(
                    "{name} and {}",
                    counted(all - 1, "other language", "other languages")
                ),
            }
        }
        _ if all <= 3 => {
            let names = model
                .languages
                .iter()
                .map(|code| language_name(of.languages, code));
            names.collect::<Vec<_>>().join(", ")
        }
        _ => counted(all, "language", "languages"),
    }
}

fn dataset_choice(dataset: &Dataset, of: &Form<'_>) -> DatasetChoice {
    let facts = &dataset.dataset_metadata;
    let id = dataset.id.to_string();
    DatasetChoice {
        text: format!(
            "{} · {} · {} · {}",
            visible(&dataset.name),
            all_called(dataset),
            counted(facts.sample_count.into(), "clip", "clips"),
            length(facts.total_duration_seconds),
        ),
        chosen: id == of.filled.dataset,
        id,
    }
}

/// What is wrong with a field, all of it in one sentence.
fn wrong_with(of: &Form<'_>, is_it: impl Fn(&Field) -> bool) -> String {
    let messages = of.wrong.iter().filter(|wrong| is_it(&wrong.field));
    let messages: Vec<_> = messages
        .map(|wrong| visible(&wrong.message).into_owned())
        .collect();
    messages.join("; ")
}

fn model_choice(model: &Model, of: &Form<'_>, wanted: Option<&str>) -> ModelChoice {
    let price = match model.price_per_audio_hour_usd {
        0.0 => dollars(0.0),
        usd => format!("{} {}", dollars(usd), Start::AnHour),
    };
    ModelChoice {
        name: visible(&model.display_name).into_owned(),
        price,
        languages: languages(model, of, wanted),
        // Of one that can't be chosen they tell nothing.
        notes: match model.has_credentials {
            true => visible(&model.notes).into_owned(),
            false => String::new(),
        },
        is_off: !model.has_credentials,
        ticked: model.has_credentials && of.filled.models.contains(&model.id),
        wrong: wrong_with(of, |field| *field == Field::Model(model.id.clone())),
        id: model.id.clone(),
    }
}

/// The vendors of models, each once, in their order.
fn vendors<'a>(models: &[&'a Model]) -> Vec<&'a str> {
    let mut vendors: Vec<&str> = models.iter().map(|model| vendor(model)).collect();
    vendors.dedup();
    vendors
}

/// Models by vendor: vendors that can be asked come first. `told` are those that stand
/// above already.
fn groups(of: &Form<'_>, models: &[&Model], wanted: Option<&str>, told: &[&str]) -> Vec<Group> {
    let group = |vendor: &str| {
        let models = models.iter().copied();
        let models: Vec<&Model> = models
            .filter(|model| self::vendor(model) == vendor)
            .collect();
        let choices = models.iter().map(|model| model_choice(model, of, wanted));
        let choices: Vec<ModelChoice> = choices.collect();
        Group {
            vendor: visible(title(&models).unwrap_or(vendor)).into_owned(),
            anchor: format!("/settings#{vendor}"),
            is_own: vendor == OWN,
            is_told: told.contains(&vendor),
            is_stand_in: of.stand_in == Some(vendor),
            has_key: models.iter().any(|model| model.has_credentials),
            has_notes: choices.iter().any(|model| !model.notes.is_empty()),
            is_by_role: models.iter().any(|model| model.asked_with == "role"),
            models: choices,
        }
    };
    let groups = vendors(models).into_iter().map(group);
    let (mut groups, others): (Vec<Group>, Vec<Group>) = groups.partition(|group| group.has_key);
    groups.extend(others);
    groups
}

/// The models: those that take the dataset's language at once, the others behind them,
/// folded unless there are no others, or one of them is chosen or wrong.
fn parts(of: &Form<'_>) -> Vec<Part> {
    let chosen = of
        .datasets
        .iter()
        .find(|known| known.id.to_string() == of.filled.dataset);
    let wanted = chosen.map(|dataset| primary(&dataset.language));
    let takes = |model: &&Model| {
        wanted.is_none_or(|code| model.languages.iter().any(|known| known == code))
    };
    let (taking, others): (Vec<&Model>, Vec<&Model>) = of.models.iter().partition(takes);
    let mut parts = vec![Part {
        summary: String::new(),
        is_open: true,
        groups: groups(of, &taking, wanted, &[]),
    }];
    if let Some(code) = wanted.filter(|_| !others.is_empty()) {
        let language = language_name(of.languages, code);
        let models = counted(
            others.len() as u64,
            "model that does not take",
            "models that do not take",
        );
        // What they do take is told in place of the language that they do not.
        let groups = groups(of, &others, None, &vendors(&taking));
        let mut choices = groups.iter().flat_map(|group| &group.models);
        let is_needed = choices.any(|model| model.ticked || !model.wrong.is_empty());
        parts.push(Part {
            summary: format!("{models} {}", visible(language)),
            is_open: taking.is_empty() || is_needed,
            groups,
        });
    }
    parts
}

/// How long it takes: as it usually did, or else at most.
#[expect(clippy::cast_precision_loss, reason = "it is told in minutes")]
fn usual(model: &ModelEstimate) -> String {
    match (model.usual_seconds, model.given_up_after_seconds) {
        (Some(seconds), _) => duration(seconds as f64),
        (None, Some(most)) => format!("{}, {}", Start::NotKnown, at_most(most as f64)),
        (None, None) => Start::NotKnown.to_string(),
    }
}

fn at_most(seconds: f64) -> String {
    format!("{} {}", Start::AtMost, duration(seconds))
}

/// Why a model can't take some clips: what the service says, with all languages in one
/// sentence and by their names.
fn refused_for(why: &str) -> String {
    const LANGUAGE: &str = "the model can't be asked for ";
    let reasons = || why.split("; ").filter(|reason| !reason.is_empty());
    let tags = reasons().filter_map(|reason| reason.strip_prefix(LANGUAGE));
    let languages: Vec<_> = tags.map(called).collect();
    let others = reasons().filter(|reason| !reason.starts_with(LANGUAGE));
    let of_languages = match languages.is_empty() {
        true => None,
        false => Some(format!("{LANGUAGE}{}", languages.join(", "))),
    };
    let others = others.map(|reason| visible(reason).into_owned());
    let all: Vec<String> = of_languages.into_iter().chain(others).collect();
    all.join("; ")
}

fn estimate_row(model: &ModelEstimate, models: &[Model]) -> EstimateRow {
    let known = models.iter().find(|known| known.id == model.model);
    EstimateRow {
        name: known.map_or_else(String::new, |known| {
            visible(&known.display_name).into_owned()
        }),
        model: visible(&model.model).into_owned(),
        clips: count(model.items - model.unsupported.min(model.items)),
        refused: match model.unsupported {
            0 => String::new(),
            refused => {
                let clips = counted(refused, "clip", "clips");
                let why = match refused_for(&model.unsupported_why) {
                    why if why.is_empty() => why,
                    why => format!(": {why}"),
                };
                format!("it can't take {clips}{why}")
            }
        },
        hours: length(model.audio_hours * 3_600.0),
        cost: dollars(model.cost_usd),
        usual: usual(model),
    }
}

fn estimate_table(estimate: &Estimate, of: &Form<'_>) -> EstimateTable {
    let max: Option<f64> = of.filled.max_cost.trim().parse().ok();
    EstimateTable {
        rows: estimate
            .models
            .iter()
            .map(|model| estimate_row(model, of.models))
            .collect(),
        hours: length(estimate.models.iter().map(|m| m.audio_hours).sum::<f64>() * 3_600.0),
        cost: dollars(estimate.cost_usd),
        above: max.is_some_and(|max| estimate.cost_usd > max),
    }
}

/// The form.
///
/// # Errors
/// See [`RenderError`].
pub fn page(frame: Frame<'_>, of: &Form<'_>) -> Result<String, RenderError> {
    let problem = |wrong: &Wrong| Problem {
        anchor: wrong.field.anchor(),
        label: wrong.field.label(),
        message: visible(&wrong.message).into_owned(),
    };
    let page = Page {
        frame,
        filled: of.filled,
        // What was typed is kept as it is; a name has no control characters.
        name: of.filled.name.clone(),
        problems: of.wrong.iter().map(problem).collect(),
        name_wrong: wrong_with(of, |field| *field == Field::Name),
        dataset_wrong: wrong_with(of, |field| *field == Field::Dataset),
        models_wrong: wrong_with(of, |field| *field == Field::Models),
        transcripts_wrong: wrong_with(of, |field| *field == Field::Transcripts),
        max_wrong: wrong_with(of, |field| *field == Field::MaxCost),
        datasets: of
            .datasets
            .iter()
            .map(|dataset| dataset_choice(dataset, of))
            .collect(),
        more_datasets: of.more_datasets,
        parts: parts(of),
        may_add_keys: of.may_add_keys,
        estimate: of.estimate.map(|estimate| estimate_table(estimate, of)),
        again: of.again,
    };
    page.render()
}
