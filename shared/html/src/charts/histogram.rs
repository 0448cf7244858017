//! How one model's samples are spread over error rates.

use askama::Template;
use askama::filters::HtmlSafe;

use super::scale::{Px, Scale};

const WIDTH: f64 = 340.0;
const FLOOR: f64 = 96.0;
const TOP: f64 = 16.0;

/// A bar.
#[derive(Debug, Clone)]
pub struct Bar {
    /// The rates it is of.
    pub label: String,
    /// Share of the samples.
    pub share: f64,
    /// The share as text.
    pub text: String,
    /// Whether it has a meaning of its own: none wrong, or more wrong than was said.
    pub special: bool,
}

struct Drawn {
    x: Px,
    y: Px,
    height: Px,
    middle: Px,
    text_y: Px,
    bar: Bar,
}

/// Bars side by side.
#[derive(Template)]
#[template(path = "charts/histogram.svg.html")]
pub struct Histogram {
    title: String,
    finding: String,
    width: Px,
    bars: Vec<Drawn>,
}

impl HtmlSafe for Histogram {}

impl Histogram {
    /// Bars in order; `highest` is the share that takes all the height, so that
    /// charts beside each other can be compared.
    #[must_use]
    pub fn new(title: String, finding: String, bars: Vec<Bar>, highest: f64) -> Self {
        let step = WIDTH / bars.len().max(1) as f64;
        let y = Scale::linear((0.0, highest), (FLOOR, TOP));
        let bars = bars.into_iter().enumerate().map(|(index, bar)| {
            let top = y.at(bar.share);
            let left = index as f64 * step;
            Drawn {
                x: Px(left + 1.5),
                y: top,
                height: Px(FLOOR - top.0),
                middle: Px(left + step / 2.0),
                text_y: Px(top.0 - 4.0),
                bar,
            }
        });
        Self {
            title,
            finding,
            width: Px(step - 3.0),
            bars: bars.collect(),
        }
    }
}
