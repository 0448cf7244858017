//! Words that go wrong most often, and how keywords come through.

use askama::Template;
use askama::filters::HtmlSafe;
use stt_eval_wire::report::{ModelReport, Report};

use crate::figures::{count, percent};
use crate::invisible::visible;
use crate::texts::Text;

/// Words of a kind that are shown.
const SHOWN: usize = 10;

struct Replaced {
    reference: String,
    hypothesis: String,
    times: String,
}

struct Word {
    word: String,
    times: String,
}

struct Model {
    name: String,
    replaced: Vec<Replaced>,
    missing: Vec<Word>,
    added: Vec<Word>,
    keywords: String,
    approximate: bool,
}

/// A list for each model.
#[derive(Template)]
#[template(path = "report/confusions.html")]
pub struct Confusions {
    models: Vec<Model>,
}

impl HtmlSafe for Confusions {}

fn model(model: &ModelReport) -> Option<Model> {
    let found = &model.confusions;
    let word = |counted: &stt_eval_wire::report::Counted| Word {
        word: visible(&counted.word).into_owned(),
        times: count(counted.times),
    };
    let recall = model.keywords.as_ref().and_then(|keywords| keywords.recall);
    let shown = Model {
        name: visible(&model.provider).into_owned(),
        replaced: found
            .substituted
            .iter()
            .take(SHOWN)
            .map(|pair| Replaced {
                reference: visible(&pair.reference).into_owned(),
                hypothesis: visible(&pair.hypothesis).into_owned(),
                times: count(pair.times),
            })
            .collect(),
        missing: found.deleted.iter().take(SHOWN).map(word).collect(),
        added: found.inserted.iter().take(SHOWN).map(word).collect(),
        keywords: recall.map(percent).unwrap_or_default(),
        approximate: found.approximate,
    };
    let is_empty = shown.replaced.is_empty()
        && shown.missing.is_empty()
        && shown.added.is_empty()
        && shown.keywords.is_empty();
    (!is_empty).then_some(shown)
}

impl Confusions {
    /// The section of a report. `None` where nothing goes wrong.
    #[must_use]
    pub fn new(report: &Report) -> Option<Self> {
        let models: Vec<Model> = report.providers.iter().filter_map(model).collect();
        (!models.is_empty()).then_some(Self { models })
    }
}
