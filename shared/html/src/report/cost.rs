//! What an hour of audio costs against how many errors it has.

use askama::Template;
use askama::filters::HtmlSafe;
use stt_eval_domain::imported::is_imported;
use stt_eval_wire::comparison::Interval;
use stt_eval_wire::report::{ModelReport, Report};

use super::verdict::{over, pair, ranked, wer};
use crate::charts::scatter::{Model, Scatter};
use crate::figures::{dollars, interval, percent};
use crate::invisible::visible;
use crate::texts::Text;
use crate::texts::datasets::Say;

struct Row {
    number: usize,
    name: String,
    price: String,
    spent: String,
    wer: String,
    latency: String,
    note: String,
}

/// A model, its rate and the interval of that.
type Costing<'a> = (&'a ModelReport, (f64, Option<&'a Interval>));

/// When the prices were read that costs were worked out by, oldest and newest.
fn read_at(models: &[Costing<'_>]) -> String {
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
    /// What rates are over, where that is not all clips.
    over: Option<String>,
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

/// Of models whose price is known.
fn finding(rows: &[Row], points: &[Model]) -> String {
    let names = points.iter().filter(|point| !point.dominated);
    let names = names.filter_map(|point| rows.get(point.number.checked_sub(1)?));
    let names: Vec<&str> = names.map(|row| &*row.name).collect();
    format!(
        "Not beaten for certain at a lower or the same price: {}.",
        names.join(", ")
    )
}

fn not_known() -> String {
    Say::NotKnown.to_string()
}

fn seconds(millis: u32) -> String {
    format!("{:.1} s", f64::from(millis) / 1000.0)
}

impl Cost {
    /// The section of a report.
    #[must_use]
    pub fn new(report: &Report) -> Self {
        let mut models: Vec<Costing<'_>> = ranked(report)
            .into_iter()
            .filter_map(|model| Some((model, wer(report, model)?)))
            .collect();
        let is_known = |(model, _): &Costing<'_>| model.cost.usd_per_audio_hour.is_some();
        if !models.iter().any(is_known) {
            models.clear();
        }
        let read_at = read_at(&models);
        let (mut rows, mut points) = (Vec::new(), Vec::new());
        for (index, (model, (rate, ends))) in models.into_iter().enumerate() {
            let beaten_by = better_and_cheaper(report, model);
            let ends = ends.map(|ends| (ends.low, ends.high));
            let price = model.cost.usd_per_audio_hour;
            points.extend(price.map(|price| Model {
                number: index + 1,
                price,
                rate,
                interval: ends,
                dominated: beaten_by.is_some(),
            }));
            let ends = ends.map(|(low, high)| format!(" ({})", interval(low, high)));
            rows.push(Row {
                number: index + 1,
                name: visible(&model.provider).into_owned(),
                price: price.map_or_else(not_known, dollars),
                spent: match (price, model.cost.usd) {
                    (None, 0.0) if is_imported(&model.provider) => Say::MadeElsewhere.to_string(),
                    (None, 0.0) => not_known(),
                    (_, usd) => dollars(usd),
                },
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
        let finding = finding(&rows, &points);
        let has_latency = rows.iter().any(|row| !row.latency.is_empty());
        Self {
            chart: Scatter::new(Text::Cost.to_string(), finding, &points),
            rows,
            has_latency,
            read_at,
            over: over(report),
        }
    }
}
