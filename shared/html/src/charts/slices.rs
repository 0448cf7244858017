//! Rates of parts of the samples, a mark for each model, with how many there are.

use askama::Template;
use askama::filters::HtmlSafe;

use super::scale::{Px, Scale};
use super::{Name, Tick, outline, percent_ticks};

/// Most models whose marks can be told apart.
pub const MOST: usize = 6;

const WIDTH: f64 = 340.0;
const SIDE: f64 = 10.0;
const NAME: f64 = 24.0;
const ROW: f64 = 14.0;

/// A rate to be drawn.
#[derive(Debug, Clone, Copy)]
pub struct Rate {
    /// Which model, from 0.
    pub series: usize,
    /// The rate.
    pub value: f64,
    /// Its interval, where there is one.
    pub interval: Option<(f64, f64)>,
    /// Whether it is of few samples.
    pub is_of_few: bool,
}

/// A part of the samples.
#[derive(Debug, Clone)]
pub struct Slice {
    /// What its samples share.
    pub name: String,
    /// How many there are.
    pub size: String,
    /// Rates that may be told, by model.
    pub rates: Vec<Rate>,
    /// What to say where there is none.
    pub instead: String,
}

struct Mark {
    y: Px,
    at: Px,
    whisker: Option<(Px, Px)>,
    outline: &'static str,
    is_of_few: bool,
}

struct Part {
    name: Name,
    /// How many samples there are, and why no rate is drawn.
    figure: String,
    name_y: Px,
    line_y: Px,
    marks: Vec<Mark>,
}

/// Parts of the samples, one under the other.
#[derive(Template)]
#[template(path = "charts/slices.svg.html")]
pub struct Slices {
    title: String,
    finding: String,
    parts: Vec<Part>,
    ticks: Vec<Tick>,
    floor: Px,
    label_y: Px,
    height: Px,
}

impl HtmlSafe for Slices {}

impl Slices {
    /// Parts in the order given. `None` where no rate may be told.
    #[must_use]
    pub fn new(title: String, finding: String, slices: Vec<Slice>) -> Option<Self> {
        let rates = || slices.iter().flat_map(|slice| &slice.rates);
        rates().next()?;
        let end = |rate: &Rate| {
            rate.interval
                .map_or(rate.value, |(_, high)| high.max(rate.value))
        };
        let high = rates().map(end).fold(0.0, f64::max);
        // One that is far off would press all others together.
        let values = rates().map(|rate| rate.value).fold(0.0, f64::max);
        let scale = Scale::linear((0.0, high.min(values * 1.6) * 1.04), (SIDE, WIDTH - SIDE));
        let mut top = 0.0;
        let mut parts = Vec::with_capacity(slices.len());
        for slice in slices {
            let mark = |(row, rate): (usize, &Rate)| Mark {
                y: Px(top + NAME + row as f64 * ROW + 4.0),
                at: scale.at(rate.value),
                whisker: rate
                    .interval
                    .map(|(low, high)| (scale.at(low), scale.at(high))),
                outline: outline(rate.series),
                is_of_few: rate.is_of_few,
            };
            let marks: Vec<Mark> = slice.rates.iter().enumerate().map(mark).collect();
            let rows = marks.len() as f64;
            let figure = if marks.is_empty() {
                format!("{} · {}", slice.size, slice.instead)
            } else {
                slice.size
            };
            parts.push(Part {
                name: Name::beside(slice.name, &figure),
                figure,
                name_y: Px(top + 14.0),
                line_y: Px(top + NAME + rows * ROW + 2.0),
                marks,
            });
            top += NAME + rows * ROW + 6.0;
        }
        Some(Self {
            title,
            finding,
            parts,
            ticks: percent_ticks(&scale, 5),
            floor: Px(top),
            label_y: Px(top + 15.0),
            height: Px(top + 24.0),
        })
    }
}
