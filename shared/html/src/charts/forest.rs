//! A value with its interval for each model, one under the other.

use askama::Template;
use askama::filters::HtmlSafe;

use super::scale::{Px, Scale};
use super::{Name, Tick, percent_ticks};

const WIDTH: f64 = 340.0;
const SIDE: f64 = 10.0;
const ROW: f64 = 40.0;
const AXIS: f64 = 30.0;
/// Least length of an axis: a point.
const LEAST: f64 = 0.01;

/// A value to be drawn.
#[derive(Debug, Clone)]
pub struct Value {
    /// Name of the model.
    pub name: String,
    /// The value as text.
    pub text: String,
    /// The value, a fraction of 1.
    pub value: f64,
    /// Its interval, where there is one.
    pub interval: Option<(f64, f64)>,
    /// Whether it stands out: drawn filled and in the colour of data.
    pub certain: bool,
}

struct Row {
    name: Name,
    text: String,
    text_y: Px,
    /// Where the line at zero passes: beside the mark, not across the words.
    below: Px,
    end: Px,
    y: Px,
    whisker: Option<(Px, Px)>,
    at: Px,
    certain: bool,
}

/// One panel.
#[derive(Template)]
#[template(path = "charts/forest.svg.html")]
pub struct Forest {
    title: String,
    finding: String,
    rows: Vec<Row>,
    ticks: Vec<Tick>,
    zero: Option<Px>,
    height: Px,
    floor: Px,
    label_y: Px,
}

impl HtmlSafe for Forest {}

/// What an axis begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Axis {
    /// Rates: from zero.
    Rate,
    /// Differences: with a line at zero.
    Difference,
}

impl Forest {
    /// A panel with a title and a sentence that says what it shows.
    #[must_use]
    pub fn new(title: String, finding: String, values: Vec<Value>, axis: Axis) -> Self {
        let ends = |value: &Value| value.interval.unwrap_or((value.value, value.value));
        let low = values.iter().map(|v| ends(v).0).fold(0.0, f64::min);
        let high = values
            .iter()
            .map(|v| ends(v).1.max(v.value))
            .fold(0.0, f64::max);
        // Values that are all the same stand on an axis of a point, on both sides of what is
        // no difference.
        let low = match axis {
            Axis::Difference if high - low < LEAST => low.min(-LEAST / 2.0),
            _ => low,
        };
        let high = high.max(low + LEAST);
        let room = (high - low) * 0.04;
        let low = if low < 0.0 { low - room } else { low };
        let scale = Scale::linear((low, high + room), (SIDE, WIDTH - SIDE));
        let floor = values.len() as f64 * ROW + 4.0;
        let rows = values.into_iter().enumerate().map(|(index, value)| {
            let top = index as f64 * ROW;
            Row {
                at: scale.at(value.value),
                whisker: value
                    .interval
                    .map(|(low, high)| (scale.at(low), scale.at(high))),
                name: Name::beside(value.name, &value.text),
                text: value.text,
                text_y: Px(top + 15.0),
                below: Px(top + 19.0),
                end: Px(top + ROW + 1.0),
                y: Px(top + 28.0),
                certain: value.certain,
            }
        });
        Self {
            title,
            finding,
            rows: rows.collect(),
            ticks: percent_ticks(&scale, 5),
            zero: (axis == Axis::Difference).then(|| scale.at(0.0)),
            height: Px(floor + AXIS),
            floor: Px(floor),
            label_y: Px(floor + 15.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_are_all_the_same_have_an_axis_that_can_be_read() {
        for value in [0.0, 0.3] {
            let equal = Value {
                name: "a".to_owned(),
                value,
                interval: Some((value, value)),
                certain: false,
                text: String::new(),
            };
            let forest = Forest::new(String::new(), String::new(), vec![equal], Axis::Rate);
            let labels: Vec<&str> = forest.ticks.iter().map(|tick| &*tick.label).collect();
            let mut told = labels.clone();
            told.dedup();
            assert!(labels.len() > 2 && told == labels, "{labels:?}");
        }
        let none = Value {
            name: "a".to_owned(),
            value: 0.0,
            interval: Some((0.0, 0.0)),
            certain: false,
            text: String::new(),
        };
        let forest = Forest::new(String::new(), String::new(), vec![none], Axis::Difference);
        let (at, zero) = (forest.rows[0].at.0, forest.zero.unwrap().0);
        assert!(
            (at - zero).abs() < 0.01 && (at - WIDTH / 2.0).abs() < 10.0,
            "{at} {zero}"
        );
    }
}
