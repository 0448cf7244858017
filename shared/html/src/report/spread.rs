//! How the clips of each model are spread over error rates.

use askama::Template;
use askama::filters::HtmlSafe;
use stt_eval_wire::report::{Bucket, Report};

use crate::charts::histogram::{Bar, Histogram};
use crate::figures::{counted, percent};
use crate::invisible::visible;
use crate::texts::Text;

struct Row {
    name: String,
    shares: Vec<String>,
    chart: Histogram,
}

/// A chart for each model, and one table of all.
#[derive(Template)]
#[template(path = "report/spread.html")]
pub struct Spread {
    buckets: Vec<String>,
    rows: Vec<Row>,
}

impl HtmlSafe for Spread {}

/// The rates of a bucket in percent: "0", "≤ 10", "> 100".
fn label(bucket: &Bucket) -> String {
    match (bucket.above, bucket.up_to) {
        (None, _) => "0".to_owned(),
        (Some(above), None) => format!(">{:.0}", above * 100.0),
        (Some(_), Some(up_to)) => format!("≤{:.0}", up_to * 100.0),
    }
}

fn finding(name: &str, buckets: &[Bucket], all: u64) -> String {
    let share =
        |bucket: Option<&Bucket>| bucket.map_or(0.0, |bucket| bucket.samples as f64 / all as f64);
    format!(
        "{}: of {}, {} without an error and {} with more errors than words.",
        name,
        counted(all, "clip", "clips"),
        percent(share(buckets.first())),
        percent(share(buckets.last())),
    )
}

impl Spread {
    /// The section of a report. `None` where no model has clips to spread.
    #[must_use]
    pub fn new(report: &Report) -> Option<Self> {
        let models = report.providers.iter().filter_map(|model| {
            let all: u64 = model.distribution.iter().map(|bucket| bucket.samples).sum();
            (all > 0).then_some((model, all))
        });
        let models: Vec<_> = models.collect();
        let (first, _) = models.first()?;
        let share = |bucket: &Bucket, all: u64| bucket.samples as f64 / all as f64;
        let highest = models
            .iter()
            .flat_map(|(model, all)| model.distribution.iter().map(|b| share(b, *all)))
            .fold(0.0, f64::max);
        let rows = models.iter().map(|(model, all)| {
            let name = visible(&model.provider).into_owned();
            let buckets = &model.distribution;
            let bar = |(index, bucket): (usize, &Bucket)| {
                let share = share(bucket, *all);
                Bar {
                    label: label(bucket),
                    share,
                    text: if bucket.samples == 0 {
                        String::new()
                    } else {
                        format!("{:.0}", share * 100.0)
                    },
                    special: index == 0 || index + 1 == buckets.len(),
                }
            };
            Row {
                shares: buckets.iter().map(|b| percent(share(b, *all))).collect(),
                chart: Histogram::new(
                    name.clone(),
                    finding(&name, buckets, *all),
                    buckets.iter().enumerate().map(bar).collect(),
                    highest,
                ),
                name,
            }
        });
        Some(Self {
            buckets: first.distribution.iter().map(label).collect(),
            rows: rows.collect(),
        })
    }
}
