//! What each step of the normaliser forgave each model.

use askama::Template;
use askama::filters::HtmlSafe;
use stt_eval_wire::report::{ModelReport, Report, Step};

use super::steps;
use super::verdict::in_common;
use crate::charts::scale::{Px, Scale};
use crate::charts::steps::Steps;
use crate::figures::{bare_percent, counted, percent};
use crate::invisible::visible;
use crate::texts::Text;

/// Width of the bars in the table.
const BAR: f64 = 60.0;

struct Cell {
    wer: String,
    width: Px,
    forgiven: String,
}

struct Row {
    number: usize,
    name: String,
    /// What it makes alike, where that is known.
    about: &'static str,
    /// Name by which normalisers know it.
    step: String,
    lossy: bool,
    cells: Vec<Option<Cell>>,
}

/// The table of steps and the lines beside it.
#[derive(Template)]
#[template(path = "report/waterfall.html")]
pub struct Waterfall {
    /// With how many clips each has, where they are not the same.
    models: Vec<(String, String)>,
    rows: Vec<Row>,
    lines: Option<Steps>,
}

impl HtmlSafe for Waterfall {}

/// The change that a step made, in errors: what it added is told as well.
fn forgiven(step: &Step) -> String {
    match step.forgiven {
        0 => String::new(),
        1 => "1 error fewer".to_owned(),
        -1 => "1 error more".to_owned(),
        added if added < 0 => format!("{} errors more", added.unsigned_abs()),
        fewer => format!("{fewer} errors fewer"),
    }
}

fn finding(models: &[&ModelReport]) -> String {
    let sentences = models.iter().filter_map(|model| {
        let (first, last) = (model.waterfall.first()?, model.waterfall.last()?);
        Some(format!(
            "{}: from {} to {}.",
            visible(&model.provider),
            percent(first.wer),
            percent(last.wer)
        ))
    });
    sentences.collect::<Vec<_>>().join(" ")
}

impl Waterfall {
    /// The section of a report. `None` where nothing went through a normaliser.
    #[must_use]
    pub fn new(report: &Report) -> Option<Self> {
        let mut models: Vec<&ModelReport> = report.providers.iter().collect();
        models.retain(|model| model.score.is_some() && !model.waterfall.is_empty());
        let longest = models.iter().map(|model| &model.waterfall);
        let steps = longest.max_by_key(|steps| steps.len())?;
        let all = models.iter().flat_map(|model| &model.waterfall);
        let highest = all.map(|step| step.wer).fold(0.0, f64::max);
        let scale = Scale::linear((0.0, highest), (0.0, BAR));
        let cell = |step: &Step| Cell {
            wer: bare_percent(step.wer),
            width: scale.at(step.wer),
            forgiven: forgiven(step),
        };
        let rows = steps.iter().enumerate().map(|(index, step)| {
            let told = steps::told(&step.step);
            Row {
                number: index,
                name: told.map_or_else(|| step.step.replace('_', " "), |(name, _)| name.to_owned()),
                about: told.map_or("", |(_, about)| about),
                step: step.step.clone(),
                lossy: step.lossy,
                cells: models
                    .iter()
                    .map(|model| model.waterfall.get(index).map(cell))
                    .collect(),
            }
        });
        let rates = |model: &&ModelReport| {
            let rates = model.waterfall.iter().map(|step| step.wer).collect();
            (visible(&model.provider).into_owned(), rates)
        };
        Some(Self {
            rows: rows.collect(),
            lines: Steps::new(
                Text::Forgiven.to_string(),
                finding(&models),
                models.iter().map(rates).collect(),
            ),
            models: models
                .iter()
                .map(|model| {
                    let own = in_common(report).and(model.score.as_ref());
                    let clips = |all: u64| counted(all, "clip of its own", "clips of its own");
                    let own = own.map(|score| format!(", {}", clips(score.all.samples)));
                    (
                        visible(&model.provider).into_owned(),
                        own.unwrap_or_default(),
                    )
                })
                .collect(),
        })
    }
}
