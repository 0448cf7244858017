//! Price against error rate, a numbered mark for each model.

use askama::Template;
use askama::filters::HtmlSafe;

use super::scale::{Px, Scale, apart};
use super::{Tick, percent_ticks};

const WIDTH: f64 = 340.0;
const LEFT: f64 = 34.0;
const RIGHT: f64 = 26.0;
const TOP: f64 = 12.0;
const FLOOR: f64 = 230.0;
/// Ratio of prices from which on they are laid out by ratio.
const WIDE: f64 = 20.0;

/// A model to be drawn.
#[derive(Debug, Clone)]
pub struct Model {
    /// Its number in the table beside.
    pub number: usize,
    /// US dollars for an hour of audio.
    pub price: f64,
    /// Word error rate.
    pub rate: f64,
    /// Interval of the rate, where there is one.
    pub interval: Option<(f64, f64)>,
    /// Whether another one is better for certain and cheaper.
    pub dominated: bool,
}

struct Mark {
    number: usize,
    at: (Px, Px),
    whisker: Option<(Px, Px)>,
    label: (Px, Px),
    dominated: bool,
}

/// Models by price and error rate.
#[derive(Template)]
#[template(path = "charts/scatter.svg.html")]
pub struct Scatter {
    title: String,
    finding: String,
    marks: Vec<Mark>,
    rates: Vec<Tick>,
    prices: Vec<Tick>,
    by_ratio: bool,
}

impl HtmlSafe for Scatter {}

impl Scatter {
    /// Models with a known price. `None` for none.
    #[must_use]
    pub fn new(title: String, finding: String, models: &[Model]) -> Option<Self> {
        let most = models.iter().map(|model| model.price).reduce(f64::max)?;
        let least = models.iter().map(|model| model.price).fold(most, f64::min);
        let by_ratio = least > 0.0 && most / least > WIDE;
        let place = (LEFT, WIDTH - RIGHT);
        let x = if by_ratio {
            Scale::logarithmic((least / 1.3, most * 1.3), place)
        } else {
            Scale::linear((0.0, most * 1.1), place)
        };
        let end = |model: &Model| model.interval.map_or(model.rate, |(_, high)| high);
        let high = models.iter().map(end).fold(0.0, f64::max);
        let y = Scale::linear((0.0, high * 1.06), (FLOOR, TOP));
        let wishes: Vec<f64> = models.iter().map(|model| y.at(model.rate).0).collect();
        // Numbers keep apart from each other only where marks are above one another.
        let labels = apart(&wishes, 13.0, TOP, FLOOR);
        let crowded = |index: usize, at: Px| {
            models.iter().enumerate().any(|(other, model)| {
                let near = |a: f64, b: f64, by: f64| (a - b).abs() < by;
                let own = wishes.get(index).copied().unwrap_or(TOP);
                let theirs = wishes.get(other).copied().unwrap_or(TOP);
                other != index && near(x.at(model.price).0, at.0, 24.0) && near(own, theirs, 13.0)
            })
        };
        let marks = models.iter().zip(&wishes).zip(labels).enumerate();
        let mark = |(index, ((model, wish), label)): (usize, ((&Model, &f64), f64))| {
            let at = x.at(model.price);
            let label = if crowded(index, at) { label } else { *wish };
            Mark {
                number: model.number,
                at: (at, Px(*wish)),
                whisker: model.interval.map(|(low, high)| (y.at(low), y.at(high))),
                label: (Px(at.0 + 9.0), Px(label + 4.0)),
                dominated: model.dominated,
            }
        };
        let digits = if most < 0.1 { 3 } else { 2 };
        let price = |value: f64| Tick {
            at: x.at(value),
            label: format!("${value:.digits$}"),
        };
        Some(Self {
            title,
            finding,
            marks: marks.map(mark).collect(),
            rates: percent_ticks(&y, 5),
            prices: x.ticks(4).into_iter().map(price).collect(),
            by_ratio,
        })
    }
}
