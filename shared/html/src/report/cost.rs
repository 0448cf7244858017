//! What an hour of audio costs against how many errors it has.

use askama::Template;
use askama::filters::HtmlSafe;
use stt_eval_wire::report::{ModelReport, Report};

use super::verdict::{pair, ranked};
use crate::charts::scatter::{Model, Scatter};
use crate::figures::{dollars, interval, percent};
use crate::invisible::visible;
use crate::texts::Text;

struct Row {
    number: usize,
    name: String,
    price: String,
    spent: String,
    wer: String,
    latency: String,
    note: String,
}

/// When the prices were read that costs were worked out by, oldest and newest.
fn read_at(models: &[(&ModelReport, f64, f64)]) -> String {
    let days = models
        .iter()
        .filter_map(|(model, ..)| model.cost.price_read_at.as_deref());
    match (days.clone().min(), days.max()) {
        (Some(first), Some(last)) if first == last => {
            format!("Prices are those of {}.", visible(first))
        }
        (Some(first), Some(last)) => {
            format!(
                "Prices are those of {} to {}.",
                visible(first),
                visible(last)
            )
        }
        _ => String::new(),
    }
}

/// The table of prices and the chart beside it.
#[derive(Template)]
#[template(path = "report/cost.html")]
pub struct Cost {
    rows: Vec<Row>,
    chart: Option<Scatter>,
    has_latency: bool,
    read_at: String,
}

impl HtmlSafe for Cost {}

/// A model that is better for certain and costs no more, the best of them.
fn better_and_cheaper<'a>(report: &'a Report, model: &ModelReport) -> Option<&'a ModelReport> {
    let price = model.cost.usd_per_audio_hour?;
    ranked(report).into_iter().find(|other| {
        let cheaper = other
            .cost
            .usd_per_audio_hour
            .is_some_and(|own| own <= price);
        let better =
            pair(report, &other.provider, &model.provider).is_some_and(|(pair, other_is_a)| {
                let difference = if other_is_a {
                    pair.difference
                } else {
                    -pair.difference
                };
                pair.distinguishable && difference < 0.0
            });
        cheaper && better
    })
}

fn finding(rows: &[Row], dominated: &[bool]) -> String {
    let names = rows.iter().zip(dominated).filter(|(_, is)| !**is);
    let names: Vec<&str> = names.map(|(row, _)| &*row.name).collect();
    format!(
        "Not beaten for certain at a lower or the same price: {}.",
        names.join(", ")
    )
}

fn seconds(millis: u32) -> String {
    format!("{:.1} s", f64::from(millis) / 1000.0)
}

impl Cost {
    /// The section of a report.
    #[must_use]
    pub fn new(report: &Report) -> Self {
        let models: Vec<(&ModelReport, f64, f64)> = ranked(report)
            .into_iter()
            .filter_map(|model| {
                let wer = model.score.as_ref()?.all.wer;
                Some((model, model.cost.usd_per_audio_hour?, wer))
            })
            .collect();
        let read_at = read_at(&models);
        let (mut rows, mut points, mut dominated) = (Vec::new(), Vec::new(), Vec::new());
        for (index, (model, price, rate)) in models.into_iter().enumerate() {
            let beaten_by = better_and_cheaper(report, model);
            let ends = model
                .wer_interval
                .as_ref()
                .map(|ends| (ends.low, ends.high));
            dominated.push(beaten_by.is_some());
            points.push(Model {
                number: index + 1,
                price,
                rate,
                interval: ends,
                dominated: beaten_by.is_some(),
            });
            let ends = ends.map(|(low, high)| format!(" ({})", interval(low, high)));
            rows.push(Row {
                number: index + 1,
                name: visible(&model.provider).into_owned(),
                price: dollars(price),
                spent: dollars(model.cost.usd),
                wer: format!("{}{}", percent(rate), ends.unwrap_or_default()),
                latency: model.latency.map_or_else(String::new, |latency| {
                    format!("{}, {}", seconds(latency.p50_ms), seconds(latency.p95_ms))
                }),
                note: beaten_by.map_or_else(String::new, |other| {
                    format!(
                        "{} has fewer errors and costs no more",
                        visible(&other.provider)
                    )
                }),
            });
        }
        let finding = finding(&rows, &dominated);
        let has_latency = rows.iter().any(|row| !row.latency.is_empty());
        Self {
            chart: Scatter::new(Text::Cost.to_string(), finding, &points),
            rows,
            has_latency,
            read_at,
        }
    }
}
