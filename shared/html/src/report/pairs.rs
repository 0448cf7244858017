//! Every model against every other one.

use askama::Template;
use askama::filters::HtmlSafe;
use stt_eval_wire::report::Report;

use super::verdict::{pair, ranked};
use crate::figures::{counted, points, points_interval, probability};
use crate::invisible::visible;
use crate::texts::Text;

/// Most models whose pairs are shown as a matrix.
pub const MOST: usize = 8;

/// Two models, seen from the one in the row.
struct Cell {
    difference: String,
    interval: String,
    p: String,
    better: String,
    distinguishable: bool,
}

struct Row {
    name: String,
    cells: Vec<Option<Cell>>,
}

/// The table of pairs.
#[derive(Template)]
#[template(path = "report/pairs.html")]
pub struct Pairs {
    columns: Vec<String>,
    rows: Vec<Row>,
    is_folded: bool,
    note: String,
}

impl HtmlSafe for Pairs {}

fn cell(report: &Report, row: &str, column: &str) -> Option<Cell> {
    let (pair, row_is_a) = pair(report, row, column)?;
    let sign = if row_is_a { 1.0 } else { -1.0 };
    let ends = pair.low.zip(pair.high);
    let ends = ends.map(|(low, high)| if row_is_a { (low, high) } else { (-high, -low) });
    let better = pair.probability_a_better;
    let better = better.map(|p| if row_is_a { p } else { 1.0 - p });
    Some(Cell {
        difference: points(pair.difference * sign),
        interval: ends.map_or_else(String::new, |(low, high)| points_interval(low, high)),
        p: probability(pair.p_adjusted),
        better: better.map_or_else(String::new, probability),
        distinguishable: pair.distinguishable,
    })
}

impl Pairs {
    /// The section of a report. `None` where there are no two to compare.
    #[must_use]
    pub fn new(report: &Report) -> Option<Self> {
        let models = ranked(report);
        let comparison = report.comparison.as_ref().filter(|_| models.len() > 1)?;
        let is_folded = models.len() > MOST;
        let shown = if is_folded { 1 } else { models.len() };
        let columns: Vec<&str> = models.iter().take(shown).map(|m| &*m.provider).collect();
        let rows = models.iter().skip(usize::from(is_folded)).map(|model| Row {
            name: visible(&model.provider).into_owned(),
            cells: columns
                .iter()
                .map(|column| cell(report, &model.provider, column))
                .collect(),
        });
        let adjusted = match comparison.comparisons as u64 {
            0 | 1 => String::new(),
            pairs => format!(
                "; p-values are adjusted for all {} (Holm), intervals are not",
                counted(pairs, "pair", "pairs")
            ),
        };
        let (samples, blocks) = (comparison.samples as u64, comparison.blocks as u64);
        let blocks = match blocks == samples {
            true => String::new(),
            false => format!(
                " in {}, whose clips count together",
                counted(blocks, "block", "blocks")
            ),
        };
        let clips = counted(samples, "clip", "clips");
        let note = format!("Paired permutation test over {clips}{blocks}{adjusted}.");
        Some(Self {
            rows: rows.collect(),
            columns: columns
                .iter()
                .map(|name| visible(name).into_owned())
                .collect(),
            is_folded,
            note,
        })
    }
}
