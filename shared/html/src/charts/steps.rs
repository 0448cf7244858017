//! Rates after each step, a line for each model, labelled at its end.

use askama::Template;
use askama::filters::HtmlSafe;

use super::scale::{Px, Scale, apart};
use super::{Tick, outline, percent_ticks, short};

/// Most models of which lines can be told apart.
pub const MOST: usize = 6;

const WIDTH: f64 = 340.0;
const LEFT: f64 = 34.0;
const RIGHT: f64 = 130.0;
const TOP: f64 = 10.0;
const FLOOR: f64 = 190.0;

struct Line {
    series: usize,
    label: String,
    label_y: Px,
    places: Vec<(Px, Px)>,
    points: String,
    outline: &'static str,
}

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
    pub fn new(title: String, finding: String, models: Vec<(String, Vec<f64>)>) -> Option<Self> {
        let count = models.iter().map(|(_, rates)| rates.len()).max()?;
        if count < 2 || models.len() > MOST {
            return None;
        }
        let all = models.iter().flat_map(|(_, rates)| rates);
        let high = all.copied().fold(0.0, f64::max);
        let y = Scale::linear((0.0, high * 1.05), (FLOOR, TOP));
        let right = WIDTH - RIGHT;
        let x = Scale::linear((0.0, (count - 1) as f64), (LEFT, right));
        let ends = |(_, rates): &(String, Vec<f64>)| y.at(rates.last().copied().unwrap_or(0.0)).0;
        let wishes: Vec<f64> = models.iter().map(ends).collect();
        let labels = apart(&wishes, 14.0, TOP, FLOOR);
        let lines = models.into_iter().zip(labels).enumerate();
        let line = |(series, ((name, rates), label)): (usize, ((String, Vec<f64>), f64))| {
            let places: Vec<(Px, Px)> = rates
                .iter()
                .enumerate()
                .map(|(step, rate)| (x.at(step as f64), y.at(*rate)))
                .collect();
            let points: Vec<String> = places.iter().map(|(x, y)| format!("{x},{y}")).collect();
            Line {
                series,
                label: short(&name),
                label_y: Px(label + 4.0),
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
