//! Rates after each step, a line for each model, labelled at its end.

use askama::Template;
use askama::filters::HtmlSafe;

use super::scale::{Px, Scale, apart};
use super::{Tick, lines, outline, percent_ticks};

/// Most models of which lines can be told apart.
pub const MOST: usize = 6;

const WIDTH: f64 = 340.0;
const LEFT: f64 = 34.0;
const RIGHT: f64 = 130.0;
const TOP: f64 = 10.0;
const FLOOR: f64 = 190.0;
/// From one line of a label to the next, and what a label takes besides.
const LINE: f64 = 12.0;
const GAP: f64 = 2.0;

struct Line {
    series: usize,
    /// Its lines, each with its place.
    label: Vec<(String, Px)>,
    places: Vec<(Px, Px)>,
    points: String,
    outline: &'static str,
}

/// A model by name, and its rates.
type Model = (String, Vec<f64>);

/// A line for each model.
#[derive(Template)]
#[template(path = "charts/steps.svg.html")]
pub struct Steps {
    title: String,
    finding: String,
    lines: Vec<Line>,
    ticks: Vec<Tick>,
    numbers: Vec<Tick>,
    right: Px,
    label_x: Px,
}

impl HtmlSafe for Steps {}

impl Steps {
    /// Lines of models by name, each with as many rates as there are steps. `None` for
    /// none, for a single step, or for more models than can be told apart.
    #[must_use]
    pub fn new(title: String, finding: String, models: Vec<Model>) -> Option<Self> {
        let count = models.iter().map(|(_, rates)| rates.len()).max()?;
        if count < 2 || models.len() > MOST {
            return None;
        }
        let all = models.iter().flat_map(|(_, rates)| rates);
        let high = all.copied().fold(0.0, f64::max);
        let y = Scale::linear((0.0, high * 1.05), (FLOOR, TOP));
        let right = WIDTH - RIGHT;
        let x = Scale::linear((0.0, (count - 1) as f64), (LEFT, right));
        let ends = |(_, rates): &Model| y.at(rates.last().copied().unwrap_or(0.0)).0;
        let wishes: Vec<f64> = models.iter().map(ends).collect();
        let named: Vec<_> = models.iter().map(|(name, _)| lines(name)).collect();
        let most = named.iter().map(Vec::len).max().unwrap_or(1);
        let places = apart(&wishes, most as f64 * LINE + GAP, TOP, FLOOR);
        let labels = named.into_iter().zip(places);
        let lines = models.into_iter().zip(labels).enumerate();
        let line = |(series, ((_, rates), (label, at))): (usize, (Model, (Vec<String>, f64)))| {
            let first = at + 4.0 - (label.len().saturating_sub(1)) as f64 * LINE / 2.0;
            let down = label.into_iter().enumerate();
            let places: Vec<(Px, Px)> = rates
                .iter()
                .enumerate()
                .map(|(step, rate)| (x.at(step as f64), y.at(*rate)))
                .collect();
            let points: Vec<String> = places.iter().map(|(x, y)| format!("{x},{y}")).collect();
            Line {
                series,
                label: down
                    .map(|(line, text)| (text, Px(first + line as f64 * LINE)))
                    .collect(),
                places,
                points: points.join(" "),
                outline: outline(series),
            }
        };
        let number = |step: usize| Tick {
            at: x.at(step as f64),
            label: step.to_string(),
        };
        Some(Self {
            title,
            finding,
            lines: lines.map(line).collect(),
            ticks: percent_ticks(&y, 4),
            numbers: (0..count).map(number).collect(),
            right: Px(right),
            label_x: Px(right + 10.0),
        })
    }
}
